/* SPDX-License-Identifier: Apache-2.0 */
/* `jtiguard ticket-keys` on a Redis; each run of the tool is a process of its own. */
#include "cli/run_tool.h"
#include "support/asserts.h"
#include "support/redis_server.h"
#include "support/text_file.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAME_LEN = 32, KEYS_MAX = 32 };

static struct redis_server server;
static char folder[] = "/tmp/jtiguard-ticket-keys-XXXXXX";
static char kek_file[64];

/* What `status --json` told. */
static struct {
    long version;
    bool seals;
    size_t count;
    char names[KEYS_MAX][NAME_LEN + 1];
    char phases[KEYS_MAX][8];
} told;

static void act(struct tool_run *run, const char *const *args)
{
    const char *all[24] = {"ticket-keys", "--kek-file", kek_file};
    size_t count = 3;
    for (size_t i = 0; args[i] != NULL; i++)
        all[count++] = args[i];
    run_tool(run, all, "");
}
#define ACT(run, ...) act((run), (const char *const[]){__VA_ARGS__, NULL})

static void ends(int exit_code, const char *text, const char *const *args)
{
    struct tool_run run;
    act(&run, args);
    if (run.exit_code != exit_code)
        fail_msg("exit %d, \"%s\", \"%s\"", run.exit_code, run.out, run.err);
    assert_holds(exit_code == 0 ? run.out : run.err, text);
    tool_run_clear(&run);
}
#define ENDS(exit_code, text, ...)                                                                 \
    ends((exit_code), (text), (const char *const[]){__VA_ARGS__, NULL})

static void read_told(const char *text)
{
    json_t *answer = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(answer);
    const json_t *keys = json_object_get(answer, "keys");
    told.version = (long)json_integer_value(json_object_get(answer, "version"));
    told.seals = json_is_true(json_object_get(answer, "seals"));
    told.count = json_array_size(keys);
    assert_in_range(told.count, 1, KEYS_MAX);
    for (size_t i = 0; i < told.count; i++) {
        const json_t *key = json_array_get(keys, i);
        const char *name = json_string_value(json_object_get(key, "name"));
        assert_int_equal(strspn(name, "0123456789abcdef"), NAME_LEN);
        (void)snprintf(told.names[i], sizeof told.names[i], "%s", name);
        (void)snprintf(told.phases[i], sizeof told.phases[i], "%s",
                       json_string_value(json_object_get(key, "phase")));
    }
    json_decref(answer);
}

/* Ask for the status of a zone; the exit code is that of whether a key may seal. */
static void ask(const char *zone)
{
    struct tool_run run;
    ACT(&run, "--zone", zone, "status", "--json");
    read_told(run.out);
    assert_int_equal(run.exit_code, told.seals ? 0 : 1);
    tool_run_clear(&run);
}

static void tell_server(const char *line, const char *expected)
{
    char reply[128];
    assert_true(redis_server_ask(&server, line, reply, sizeof reply));
    assert_string_equal(reply, expected);
}

/* ---- the set ---- */

static void status_makes_nothing(void **state)
{
    (void)state;
    tell_server("FLUSHALL", "+OK");
    ENDS(1, "has no keys of the zone; 'refresh' makes them", "status");
    tell_server("EXISTS ticket-keys:1:default", ":0");
    struct tool_run run;
    ACT(&run, "status");
    assert_int_equal(run.out_len, 0);
    tool_run_clear(&run);
}

static void refresh_makes_the_set_once(void **state)
{
    (void)state;
    ENDS(0, "version 1, 1 key, at ", "--zone", "one", "refresh");
    ENDS(0, "none seals yet", "--zone", "one", "refresh");
    ask("one");
    assert_int_equal(told.version, 1);
    assert_int_equal(told.count, 1);
    assert_false(told.seals);
    assert_string_equal(told.phases[0], "next");
}

/* Without a lead there is no wait. */
static void rotate_lets_the_next_key_seal(void **state)
{
    char first[NAME_LEN + 1];
    char second[NAME_LEN + 1];
    (void)state;
    ENDS(0, " seals from ", "--zone", "two", "--single-instance", "refresh");
    ask("two");
    assert_true(told.seals);
    assert_int_equal(told.count, 2);
    assert_string_equal(told.phases[0], "seals");
    assert_string_equal(told.phases[1], "next");
    memcpy(first, told.names[0], sizeof first);
    memcpy(second, told.names[1], sizeof second);
    ENDS(0, " opens from ", "--zone", "two", "--single-instance", "rotate");
    ask("two");
    assert_string_equal(told.phases[0], "opens");
    assert_string_equal(told.names[0], first);
    assert_string_equal(told.phases[1], "seals");
    assert_string_equal(told.names[1], second);
}

static void revoke_throws_every_key_away(void **state)
{
    char old[KEYS_MAX][NAME_LEN + 1];
    (void)state;
    ENDS(0, "", "--zone", "three", "--single-instance", "refresh");
    ask("three");
    size_t count = told.count;
    memcpy(old, told.names, sizeof old);
    ENDS(0, "", "--zone", "three", "revoke");
    ask("three");
    assert_false(told.seals); /* it has its lead */
    for (size_t i = 0; i < told.count; i++)
        for (size_t j = 0; j < count; j++)
            assert_string_not_equal(told.names[i], old[j]);
}

static void zones_are_apart(void **state)
{
    (void)state;
    ENDS(0, "version 1", "--zone", "four", "refresh");
    ask("four");
    char name[NAME_LEN + 1];
    memcpy(name, told.names[0], sizeof name);
    ENDS(0, "version 1", "--zone", "five", "refresh");
    ask("five");
    assert_string_not_equal(told.names[0], name);
}

/* ---- the key-encryption key ---- */

static char *new_kek(const char *name, mode_t mode)
{
    unsigned char kek[32];
    char *path = malloc(96);
    assert_non_null(path);
    (void)snprintf(path, 96, "%s/%s", folder, name);
    FILE *source = fopen("/dev/urandom", "r");
    FILE *file = fopen(path, "w");
    assert_true(source != NULL && file != NULL);
    assert_int_equal(fread(kek, 1, sizeof kek, source), sizeof kek);
    assert_int_equal(fwrite(kek, 1, sizeof kek, file), sizeof kek);
    (void)fclose(source);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, mode), 0);
    return path;
}

static void remove_kek(char *path)
{
    assert_int_equal(unlink(path), 0);
    free(path);
}

static void another_kek_reads_and_replaces_nothing(void **state)
{
    char *other = new_kek("other", 0600);
    (void)state;
    ENDS(0, "", "--zone", "six", "refresh");
    ask("six");
    char name[NAME_LEN + 1];
    memcpy(name, told.names[0], sizeof name);
    for (int i = 0; i < 3; i++) {
        static const char *const acts[] = {"refresh", "rotate", "status"};
        ENDS(3, "wrapped under another KEK", "--kek-file", other, "--zone", "six", acts[i]);
    }
    ask("six");
    assert_int_equal(told.version, 1);
    assert_string_equal(told.names[0], name);
    /* The two exchange their places, and then the old one goes. */
    ENDS(0, name, "--kek-file", other, "--kek-file-other", kek_file, "--zone", "six", "rotate");
    ENDS(1, "", "--kek-file", other, "--kek-file-other", kek_file, "--zone", "six", "status");
    ENDS(0, "", "--kek-file", other, "--zone", "six", "revoke");
    ENDS(3, "another KEK", "--zone", "six", "status");
    ENDS(0, "", "--zone", "six", "revoke");
    remove_kek(other);
}

static void a_kek_that_others_may_read_is_refused(void **state)
{
    char *open_to_all = new_kek("open", 0644);
    (void)state;
    ENDS(2, "chmod 0600", "--kek-file", open_to_all, "status");
    ENDS(3, "kek_file", "--kek-file", "/nonexistent", "status");
    remove_kek(open_to_all);
}

/* ---- exports ---- */

static char *path_of(const char *name)
{
    static char path[128];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void assert_for_its_owner(const char *path, long size)
{
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    assert_int_equal(status.st_size, size);
}

static void exports_are_written_and_not_shown(void **state)
{
    char name[64];
    struct tool_run run;
    (void)state;
    char nginx[64];
    char haproxy[64];
    (void)snprintf(nginx, sizeof nginx, "%s/nginx", folder);
    (void)snprintf(haproxy, sizeof haproxy, "%s/haproxy", folder);
    assert_int_equal(mkdir(nginx, 0700), 0);
    ENDS(1, "published too short a time ago", "--zone", "seven", "export", "nginx", nginx);
    assert_int_not_equal(access(path_of("nginx/ticket_keys.conf"), F_OK), 0);

    /* The set was made by it, and has two keys by now: one seals, one comes next. */
    ENDS(0, " seals from ", "--zone", "eight", "--single-instance", "export", "nginx", nginx);
    ACT(&run, "--zone", "eight", "--single-instance", "export", "haproxy", haproxy);
    assert_int_equal(run.exit_code, 0);
    char *lines = text_file_read(haproxy);
    assert_for_its_owner(haproxy, 3 * 109);
    for (const char *line = lines; *line != '\0'; line += 109) {
        char part[21];
        (void)snprintf(part, sizeof part, "%s", line + 40); /* beyond the name */
        assert_null(strstr(run.out, part));
        assert_null(strstr(run.err, part));
    }
    free(lines);
    tool_run_clear(&run);
    ask("eight");
    assert_int_equal(told.count, 2);
    for (size_t i = 0; i < told.count; i++) {
        (void)snprintf(name, sizeof name, "nginx/%s.key", told.names[i]);
        assert_for_its_owner(path_of(name), 80);
        assert_int_equal(unlink(path_of(name)), 0);
    }
    char *list = text_file_read(path_of("nginx/ticket_keys.conf"));
    const char *first = strstr(list, told.names[0]); /* it seals */
    assert_non_null(first);
    assert_non_null(strstr(first, told.names[1]));
    free(list);
    assert_int_equal(unlink(path_of("nginx/ticket_keys.conf")), 0);
    assert_int_equal(rmdir(nginx), 0);
    assert_int_equal(unlink(haproxy), 0);
}

static void an_export_that_cannot_be_written_fails(void **state)
{
    (void)state;
    ENDS(3, "cannot be written", "--zone", "eight", "--single-instance", "export", "nginx",
         "/nonexistent");
    ENDS(3, "cannot be written", "--zone", "eight", "--single-instance", "export", "haproxy",
         "/nonexistent/keys");
    ENDS(2, "absolute path", "--zone", "eight", "--single-instance", "export", "haproxy", "keys");
}

/* ---- trouble ---- */

static void a_store_that_is_away_is_trouble(void **state)
{
    (void)state;
    redis_server_kill(&server);
    for (int i = 0; i < 4; i++) {
        static const char *const acts[] = {"refresh", "rotate", "revoke", "status"};
        ENDS(3, "jtiguard: ", acts[i]);
    }
    ENDS(3, "jtiguard: ", "export", "nginx", folder);
    redis_server_start_again(&server);
}

static void mistakes_end_with_2(void **state)
{
    struct tool_run run;
    (void)state;
    RUN(&run, "", "ticket-keys", "status");
    assert_int_equal(run.exit_code, 2);
    assert_holds(run.err, "wants --kek-file");
    tool_run_clear(&run);
    ENDS(2, "wants one of refresh", "--json");
    ENDS(2, "wants one of refresh", "renew");
    ENDS(2, "takes one word", "status", "now");
    ENDS(2, "export wants nginx", "export");
    ENDS(2, "export wants nginx", "export", "nginx");
    ENDS(2, "export wants nginx", "export", "apache", folder);
    ENDS(2, "export wants nginx", "export", "nginx", folder, folder);
    ENDS(2, "outlives this process", "--store", "memory", "status");
    ENDS(2, "publish_lead_ms", "--publish-lead", "25s", "status");
    ENDS(2, "need more than 32 keys", "--rotation", "1m", "status");
    ENDS(2, "zone does not have", "--zone", "two words", "status");
    ENDS(2, "--margin", "--margin", "8d", "status");
    ENDS(2, "--ttl is no option", "--ttl", "1h", "status");
}

static int start(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    free(new_kek("kek", 0600));
    (void)snprintf(kek_file, sizeof kek_file, "%s/kek", folder);
    redis_server_start(&server, NULL);
    (void)setenv("JTIGUARD_STORE", server.uri, 1);
    return 0;
}

static int halt(void **state)
{
    (void)state;
    redis_server_stop(&server);
    (void)unlink(kek_file);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(status_makes_nothing),
        cmocka_unit_test(refresh_makes_the_set_once),
        cmocka_unit_test(rotate_lets_the_next_key_seal),
        cmocka_unit_test(revoke_throws_every_key_away),
        cmocka_unit_test(zones_are_apart),
        cmocka_unit_test(another_kek_reads_and_replaces_nothing),
        cmocka_unit_test(a_kek_that_others_may_read_is_refused),
        cmocka_unit_test(exports_are_written_and_not_shown),
        cmocka_unit_test(an_export_that_cannot_be_written_fails),
        cmocka_unit_test(a_store_that_is_away_is_trouble),
        cmocka_unit_test(mistakes_end_with_2),
    };
    return cmocka_run_group_tests_name("ticket-keys", tests, start, halt);
}
