/* SPDX-License-Identifier: Apache-2.0 */
/* `jtiguard breakglass` on a Redis; each run of the tool is a process of its own. */
#include "cli/run_tool.h"
#include "support/redis_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TOKEN_LEN = 43 };

static struct redis_server server;
static char folder[] = "/tmp/jtiguard-breakglass-XXXXXX";
static char key_file[64];
static char audit_file[64];
static char token[64]; /* the last that was issued, with its line end */

/* What a run printed, and where the token may not be: in no message, and in no audit. */
static void act(struct tool_run *run, const char *input, const char *const *args)
{
    const char *all[24] = {"breakglass", args[0], "--key-file", key_file};
    size_t count = 4;
    for (size_t i = 1; args[i] != NULL; i++)
        all[count++] = args[i];
    run_tool(run, all, input);
    char bare[TOKEN_LEN + 1];
    (void)snprintf(bare, sizeof bare, "%.43s", token);
    if (bare[0] != '\0')
        assert_null(strstr(run->err, bare));
}
#define ACT(run, input, ...) act((run), (input), (const char *const[]){__VA_ARGS__, NULL})

static void assert_ends(struct tool_run *run, int exit_code, const char *out)
{
    if (run->exit_code != exit_code || strncmp(run->out, out, strlen(out)) != 0)
        fail_msg("exit %d, \"%s\", \"%s\"", run->exit_code, run->out, run->err);
    tool_run_clear(run);
}

static void issue(void)
{
    struct tool_run run;
    token[0] = '\0';
    ACT(&run, "", "issue", "--replace");
    assert_int_equal(run.exit_code, 0);
    assert_int_equal(run.out_len, TOKEN_LEN + 1);
    (void)snprintf(token, sizeof token, "%s", run.out);
    assert_holds(run.err, "\"event\":\"issue\",\"outcome\":\"");
    assert_null(strstr(run.err, "jtiguard:"));
    tool_run_clear(&run);
}

static size_t read_file(const char *path, char *text, size_t size)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t len = fread(text, 1, size - 1, file);
    text[len] = '\0';
    (void)fclose(file);
    return len;
}

static void write_file(const char *path, const char *text, mode_t mode)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, mode), 0);
}

/* ---- the key ---- */

static void a_key_is_made_once_and_for_its_owner(void **state)
{
    char path[80];
    char first[64];
    char second[64];
    struct stat status;
    struct tool_run run;
    (void)state;
    (void)snprintf(path, sizeof path, "%s/made", folder);
    for (int i = 0; i < 2; i++) {
        RUN(&run, "", "breakglass", "key", "--key-file", path);
        assert_int_equal(run.exit_code, i == 0 ? 0 : 3);
        assert_int_equal(run.out_len, 0);
        assert_int_equal(run.err_len == 0, i == 0);
        tool_run_clear(&run);
        assert_int_equal(read_file(path, i == 0 ? first : second, sizeof first), TOKEN_LEN + 1);
    }
    assert_string_equal(first, second);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    read_file(key_file, second, sizeof second);
    assert_string_not_equal(first, second);
    assert_int_equal(unlink(path), 0);
}

static void a_key_that_is_none_is_refused(void **state)
{
    static const struct {
        const char *text;
        mode_t mode;
        int exit_code;
    } files[] = {
        {"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n", 0600, 1}, /* one: no token is active */
        {"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8", 0400, 1},
        {"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n", 0640, 2},
        {"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n", 0602, 2},
        {"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9\n", 0600, 2},
        {"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n\n", 0600, 2},
        {"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", 0600, 2},
        {"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdH\x68\xe8\n", 0600, 2},
        {"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n", 0600, 2}, /* all zero */
        {"", 0600, 2},
        {"short\n", 0600, 2},
    };
    char path[80];
    (void)state;
    (void)snprintf(path, sizeof path, "%s/other", folder);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        struct tool_run run;
        write_file(path, files[i].text, files[i].mode);
        RUN(&run, "", "breakglass", "status", "--key-file", path, "--name", "nobody");
        if (run.exit_code != files[i].exit_code)
            fail_msg("file %zu: exit %d, %s", i, run.exit_code, run.err);
        assert_null(strstr(run.err, "AAECAwQFBgc"));
        tool_run_clear(&run);
        assert_int_equal(unlink(path), 0);
    }
    struct tool_run run;
    RUN(&run, "", "breakglass", "status", "--key-file", path);
    assert_ends(&run, 3, "");
    RUN(&run, "", "breakglass", "status", "--key-file", folder);
    assert_ends(&run, 2, "");
    assert_int_equal(mkfifo(path, 0600), 0);
    RUN(&run, "", "breakglass", "status", "--key-file", path);
    assert_ends(&run, 2, "");
    assert_int_equal(unlink(path), 0);
}

/* Whose key it is, they could issue tokens of their own. Only root can make such a file, and only
 * root can read it. */
static void a_key_of_another_user_is_refused(void **state)
{
    char path[80];
    struct tool_run run;
    (void)state;
    (void)snprintf(path, sizeof path, "%s/theirs", folder);
    write_file(path, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n", 0600);
    bool is_theirs = chown(path, 65534, (gid_t)-1) == 0;
    RUN(&run, "", "breakglass", "status", "--key-file", path, "--name", "nobody");
    if (is_theirs)
        assert_holds(run.err, "belongs to another user");
    assert_int_equal(run.exit_code, is_theirs ? 2 : 1);
    tool_run_clear(&run);
    assert_int_equal(unlink(path), 0);
}

/* ---- the token ---- */

static void a_token_goes_from_process_to_process(void **state)
{
    struct tool_run run;
    char bare[TOKEN_LEN + 1];
    (void)state;
    issue();
    ACT(&run, token, "check");
    assert_ends(&run, 0, "active, issued 20");
    (void)snprintf(bare, sizeof bare, "%.43s", token);
    ACT(&run, bare, "check");
    assert_ends(&run, 0, "active, issued 20");
    char with_crlf[TOKEN_LEN + 3];
    (void)snprintf(with_crlf, sizeof with_crlf, "%s\r\n", bare);
    ACT(&run, with_crlf, "check");
    assert_ends(&run, 0, "active, issued 20");
    ACT(&run, "", "status");
    assert_ends(&run, 0, "active, issued 20");

    ACT(&run, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n", "check");
    assert_holds(run.err, "\"event\":\"lookup\",\"outcome\":\"no_match\",\"status\":\"not_found\"");
    assert_ends(&run, 1, "not active, not_found\n");
    ACT(&run, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n", "revoke");
    assert_ends(&run, 1, "not ended, not_found\n");
    ACT(&run, "no token\n", "check");
    assert_ends(&run, 1, "not active, not_found\n");
    ACT(&run, "", "check");
    assert_ends(&run, 1, "not active, not_found\n");
    ACT(&run, token, "revoke");
    assert_holds(run.err, "\"event\":\"delete\",\"outcome\":\"deleted\",\"status\":\"ok\"");
    assert_ends(&run, 0, "ended\n");
    ACT(&run, token, "check");
    assert_ends(&run, 1, "not active, not_found\n");
    ACT(&run, "", "status");
    assert_ends(&run, 1, "not active, not_found\n");
}

static void an_active_token_is_not_replaced_by_accident(void **state)
{
    struct tool_run run;
    char first[64];
    (void)state;
    issue();
    (void)snprintf(first, sizeof first, "%s", token);
    ACT(&run, "", "issue");
    assert_holds(run.err, "a token is active; --replace ends it");
    assert_holds(run.err, "\"outcome\":\"refused\"");
    assert_ends(&run, 1, "");
    ACT(&run, first, "check");
    assert_ends(&run, 0, "active");
    issue();
    ACT(&run, first, "check");
    assert_ends(&run, 1, "not active");
    ACT(&run, "", "clear");
    assert_ends(&run, 0, "ended\n");
    ACT(&run, token, "check");
    assert_ends(&run, 1, "not active");
}

static void uses_and_life_are_as_asked_for(void **state)
{
    struct tool_run run;
    (void)state;
    ACT(&run, "", "issue", "--replace", "--uses", "2", "--ttl", "10m", "--json");
    assert_int_equal(run.exit_code, 0);
    json_t *answer = json_loads(run.out, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(answer);
    (void)snprintf(token, sizeof token, "%s", json_string_value(json_object_get(answer, "token")));
    assert_int_equal(strlen(token), TOKEN_LEN);
    assert_int_equal(json_integer_value(json_object_get(answer, "max_uses")), 2);
    json_decref(answer);
    tool_run_clear(&run);
    ACT(&run, token, "check");
    assert_holds(run.out, ", use 1 of 2\n");
    assert_ends(&run, 0, "active");
    ACT(&run, token, "check", "--json");
    answer = json_loads(run.out, JSON_REJECT_DUPLICATES, NULL);
    assert_true(json_is_true(json_object_get(answer, "active")));
    assert_true(json_is_true(json_object_get(answer, "own_key")));
    assert_int_equal(json_integer_value(json_object_get(answer, "uses")), 2);
    assert_int_equal(strlen(json_string_value(json_object_get(answer, "expires"))), 24);
    json_decref(answer);
    assert_ends(&run, 0, "{");
    ACT(&run, token, "check", "--json");
    assert_holds(run.err, "\"outcome\":\"used_up\"");
    assert_ends(&run, 1, "{\"active\":false,\"status\":\"not_found\"}\n");
}

static void places_and_keys_are_apart(void **state)
{
    struct tool_run run;
    char path[80];
    (void)state;
    issue();
    ACT(&run, token, "check", "--name", "vault");
    assert_ends(&run, 1, "not active");
    (void)snprintf(path, sizeof path, "%s/another", folder);
    RUN(&run, "", "breakglass", "key", "--key-file", path);
    assert_ends(&run, 0, "");
    RUN(&run, token, "breakglass", "check", "--key-file", path);
    assert_ends(&run, 1, "not active");
    RUN(&run, "", "breakglass", "status", "--key-file", path);
    assert_holds(run.out, ", of another key\n");
    assert_ends(&run, 0, "active");
    assert_int_equal(unlink(path), 0);
    ACT(&run, token, "check");
    assert_ends(&run, 0, "active");
}

/* ---- the audit ---- */

static void the_audit_is_appended_to_a_file(void **state)
{
    static const char *const events[] = {"clear", "issue", "lookup", "delete"};
    static char text[4096];
    struct stat status;
    struct tool_run run;
    (void)state;
    ACT(&run, "", "clear", "--audit", audit_file);
    assert_int_equal(run.err_len, 0);
    assert_ends(&run, 0, "ended");
    ACT(&run, "", "issue", "--audit", audit_file);
    assert_int_equal(run.err_len, 0);
    (void)snprintf(token, sizeof token, "%s", run.out);
    tool_run_clear(&run);
    ACT(&run, token, "check", "--audit", audit_file);
    assert_ends(&run, 0, "active");
    ACT(&run, token, "revoke", "--audit", audit_file);
    assert_ends(&run, 0, "ended");

    read_file(audit_file, text, sizeof text);
    assert_null(strstr(text, token));
    char *line = text;
    for (size_t i = 0; i < 4; i++) {
        char *end = strchr(line, '\n');
        assert_non_null(end);
        *end = '\0';
        json_t *entry = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
        assert_non_null(entry);
        assert_string_equal(json_string_value(json_object_get(entry, "event")), events[i]);
        assert_string_equal(json_string_value(json_object_get(entry, "status")), "ok");
        assert_string_equal(json_string_value(json_object_get(entry, "name")), "default");
        assert_int_equal(json_integer_value(json_object_get(entry, "uid")), getuid());
        assert_int_equal(strlen(json_string_value(json_object_get(entry, "time"))), 24);
        json_decref(entry);
        line = end + 1;
    }
    assert_string_equal(line, "");
    assert_int_equal(stat(audit_file, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
}

/* Nothing is done that cannot be noted, and no token stays that was not shown. */
static void what_cannot_be_noted_is_not_done(void **state)
{
    struct tool_run run;
    char path[80];
    (void)state;
    (void)snprintf(path, sizeof path, "%s/no/such/folder", folder);
    ACT(&run, "", "clear");
    assert_ends(&run, 0, "ended");
    ACT(&run, "", "issue", "--audit", path);
    assert_ends(&run, 3, "");
    (void)snprintf(path, sizeof path, "%s/pipe", folder);
    assert_int_equal(mkfifo(path, 0600), 0);
    ACT(&run, "", "issue", "--audit", path); /* nobody reads it */
    assert_ends(&run, 3, "");
    (void)unlink(path);
    ACT(&run, "", "issue", "--audit", "/dev/full");
    assert_int_equal(run.out_len, 0);
    assert_holds(run.err, "the audit line could not be written");
    assert_ends(&run, 3, "");
    ACT(&run, "", "status");
    assert_ends(&run, 1, "not active");
    issue();
    ACT(&run, token, "check", "--audit", "/dev/full");
    assert_int_equal(run.out_len, 0);
    assert_ends(&run, 3, "");
}

static void a_token_that_was_not_shown_is_withdrawn(void **state)
{
    struct tool_run run;
    char line[256];
    (void)state;
    ACT(&run, "", "clear");
    assert_ends(&run, 0, "ended");
    (void)snprintf(line, sizeof line, "'%s' breakglass issue --key-file '%s' >/dev/full 2>&1",
                   tool_path(), key_file);
    assert_int_not_equal(system(line), 0);
    ACT(&run, "", "status");
    assert_ends(&run, 1, "not active");
}

/* ---- trouble and mistakes ---- */

static void a_store_that_is_away_refuses(void **state)
{
    struct tool_run run;
    (void)state;
    issue();
    redis_server_kill(&server);
    ACT(&run, token, "check");
    assert_ends(&run, 3, "not active, store_unavailable\n");
    ACT(&run, "", "issue");
    assert_ends(&run, 3, "");
    ACT(&run, token, "revoke");
    assert_ends(&run, 3, "not ended, store_unavailable\n");
    ACT(&run, "", "clear");
    assert_ends(&run, 3, "not ended, store_unavailable\n");
    ACT(&run, "", "status");
    assert_ends(&run, 3, "not active, store_unavailable\n");
    redis_server_start_again(&server);
}

static void mistakes_end_with_2(void **state)
{
    static const char *const wrong[][8] = {
        {NULL},
        {"issue", NULL},
        {"key", NULL},
        {"mint", "--key-file", key_file, NULL},
        {"check", "a-token", "--key-file", key_file, NULL},
        {"clear", "all", "--key-file", key_file, NULL},
        {"issue", "--key-file", key_file, "--store", "memory", NULL},
        {"check", "--key-file", key_file, "--ttl", "1h", NULL},
        {"status", "--key-file", key_file, "--uses", "1", NULL},
        {"clear", "--key-file", key_file, "--replace", NULL},
        {"issue", "--key-file", key_file, "--uses", "0", NULL},
        {"issue", "--key-file", key_file, "--ttl", "32d", NULL},
        {"issue", "--key-file", key_file, "--jti", "t1", NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        const char *args[10] = {"breakglass"};
        struct tool_run run;
        for (size_t at = 0; wrong[i][at] != NULL; at++)
            args[at + 1] = wrong[i][at];
        run_tool(&run, args, "");
        if (run.exit_code != 2 || run.out_len != 0 || run.err_len == 0)
            fail_msg("line %zu: exit %d, %s", i, run.exit_code, run.err);
        assert_null(strstr(run.err, "a-token"));
        tool_run_clear(&run);
    }
}

static int start(void **state)
{
    struct tool_run run;
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    (void)snprintf(key_file, sizeof key_file, "%s/key", folder);
    (void)snprintf(audit_file, sizeof audit_file, "%s/audit", folder);
    redis_server_start(&server, NULL);
    (void)setenv("JTIGUARD_STORE", server.uri, 1);
    RUN(&run, "", "breakglass", "key", "--key-file", key_file);
    assert_int_equal(run.exit_code, 0);
    tool_run_clear(&run);
    return 0;
}

static int halt(void **state)
{
    (void)state;
    redis_server_stop(&server);
    (void)unlink(key_file);
    (void)unlink(audit_file);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_is_made_once_and_for_its_owner),
        cmocka_unit_test(a_key_that_is_none_is_refused),
        cmocka_unit_test(a_key_of_another_user_is_refused),
        cmocka_unit_test(a_token_goes_from_process_to_process),
        cmocka_unit_test(an_active_token_is_not_replaced_by_accident),
        cmocka_unit_test(uses_and_life_are_as_asked_for),
        cmocka_unit_test(places_and_keys_are_apart),
        cmocka_unit_test(the_audit_is_appended_to_a_file),
        cmocka_unit_test(what_cannot_be_noted_is_not_done),
        cmocka_unit_test(a_token_that_was_not_shown_is_withdrawn),
        cmocka_unit_test(a_store_that_is_away_refuses),
        cmocka_unit_test(mistakes_end_with_2),
    };
    return cmocka_run_group_tests_name("breakglass", tests, start, halt);
}
