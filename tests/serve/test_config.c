/* SPDX-License-Identifier: Apache-2.0 */
/* `jtiguard config`, and the help of `serve`. */
#include "cli/run_tool.h"
#include "support/asserts.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define USUAL "--issuer=https://i.example", "--audience=api"

static void check_says_whether(void **state)
{
    (void)state;
    struct tool_run run;
    RUN(&run, "", "config", "check", USUAL);
    assert_int_equal(run.exit_code, 0);
    assert_string_equal(run.out, "");
    assert_string_equal(run.err, "");
    tool_run_clear(&run);
    RUN(&run, "", "config", "check", USUAL, "--instances=2");
    assert_int_equal(run.exit_code, 2);
    assert_holds(run.err, "jtiguard: config: instances above 1 needs a shared store");
    tool_run_clear(&run);
    /* What only the verifier knows, and the files of keys, are looked at too. */
    RUN(&run, "", "config", "check", USUAL, "--alg=HS256");
    assert_int_equal(run.exit_code, 2);
    assert_holds(run.err, "jtiguard: config: issuers: ");
    tool_run_clear(&run);
    RUN(&run, "", "config", "check", USUAL, "--jwks-url=http://id.example/keys");
    assert_int_equal(run.exit_code, 2);
    tool_run_clear(&run);
    RUN(&run, "", "config", "check", USUAL, "--jwks-file=/nonexistent");
    assert_int_equal(run.exit_code, 2);
    tool_run_clear(&run);
    RUN(&run, "", "config", "chekc", USUAL);
    assert_int_equal(run.exit_code, 2);
    tool_run_clear(&run);
    RUN(&run, "", "config");
    assert_int_equal(run.exit_code, 2);
    tool_run_clear(&run);
}

static json_t *dump_of(struct tool_run *run)
{
    assert_int_equal(run->exit_code, 0);
    json_t *root = json_loads(run->out, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(root);
    return root;
}

static void dump_shows_no_secret(void **state)
{
    (void)state;
    struct tool_run run;
    RUN(&run, "", "config", "dump", USUAL, "--api-secret=hunter2-hunter2-hunter2",
        "--store=redis://user:hunter2@hunter2.example/0?password_file=hunter2",
        "--dpop-nonce-key=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
    json_t *root = dump_of(&run);
    assert_null(strstr(run.out, "hunter2"));
    assert_null(strstr(run.out, "0123456789abcdef"));
    assert_string_equal(json_string_value(json_object_get(root, "store")), "redis:(not shown)");
    assert_string_equal(json_string_value(json_object_get(root, "api_secret")), "(not shown)");
    json_decref(root);
    tool_run_clear(&run);
}

static const char *dumped_place(const json_t *root, const char *name)
{
    const json_t *entry = json_array_get(json_object_get(root, "issuers"), 0);
    return json_string_value(json_object_get(entry, name));
}

/* Some issuers take a key of theirs in the query. Where keys are is shown without it, and that it
 * was there is shown. */
static void a_query_is_a_secret(void **state)
{
    (void)state;
    struct tool_run run;
    RUN(&run, "", "config", "dump", USUAL, "--jwks-url=https://f.example/keys?code=hunter2");
    json_t *root = dump_of(&run);
    assert_null(strstr(run.out, "hunter2"));
    assert_string_equal(dumped_place(root, "jwks_url"), "https://f.example/keys?(not shown)");
    json_decref(root);
    tool_run_clear(&run);
    RUN(&run, "", "config", "dump", USUAL,
        "--discovery-url=https://user:hunter2@f.example:8443/d#hunter2");
    root = dump_of(&run);
    assert_null(strstr(run.out, "hunter2"));
    assert_string_equal(dumped_place(root, "discovery_url"), "https://f.example:8443/d");
    json_decref(root);
    tool_run_clear(&run);
    RUN(&run, "", "config", "dump", USUAL, "--jwks-url=https://f.example/keys");
    root = dump_of(&run);
    assert_string_equal(dumped_place(root, "jwks_url"), "https://f.example/keys");
    json_decref(root);
    tool_run_clear(&run);
}

/* Less its secrets, what is dumped can be read again, and says the same. */
static void a_dump_is_a_file_of_settings(void **state)
{
    (void)state;
    struct tool_run first;
    struct tool_run second;
    char path[] = "/tmp/jtiguard-dump-XXXXXX";
    char option[64];
    RUN(&first, "", "config", "dump", USUAL, "--threads=3", "--kind=dpop_proof", "--alg=ES256",
        "--claim-header=email=X-Email", "--max-age=5m", "--log-level=debug", "--leeway=2m",
        "--dpop-target=original", "--socket-mode=0600", "--owner-header=X-Id",
        "--owner-header-overwritten");
    json_t *root = dump_of(&first);
    /* What is not set has no spelling in a file. */
    const char *name = NULL;
    json_t *value = NULL;
    void *next = NULL;
    json_object_foreach_safe(root, next, name, value)
    {
        bool unset = json_is_null(value) || (json_is_array(value) && json_array_size(value) == 0) ||
                     strcmp(name, "max_connections_per_client") == 0 ||
                     strcmp(name, "issuer_share") == 0 || strcmp(name, "max_entries") == 0 ||
                     strcmp(name, "threads") == 0;
        if (unset)
            (void)json_object_del(root, name);
    }
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(json_dumpfd(root, fd, 0), 0);
    (void)close(fd);
    (void)snprintf(option, sizeof option, "--config=%s", path);
    RUN(&second, "", "config", "dump", option, "--threads=3");
    assert_int_equal(second.exit_code, 0);
    assert_string_equal(second.out, first.out);
    (void)unlink(path);
    json_decref(root);
    tool_run_clear(&first);
    tool_run_clear(&second);
}

static void help(void **state)
{
    (void)state;
    struct tool_run run;
    RUN(&run, "", "serve", "--help");
    assert_int_equal(run.exit_code, 0);
    assert_holds(run.out, "--trusted-proxy NETWORK");
    assert_holds(run.out, "--api-secret TEXT");
    assert_holds(run.out, "\nExamples:\n  jtiguard serve ");
    tool_run_clear(&run);
    /* Beside anything else it came from a text that a script forgot to quote. */
    RUN(&run, "", "serve", "--help", "--threads=2");
    assert_int_equal(run.exit_code, 2);
    tool_run_clear(&run);
    RUN(&run, "", "config", "--help");
    assert_int_equal(run.exit_code, 0);
    assert_holds(run.out, "\nExamples:\n  jtiguard config ");
    tool_run_clear(&run);
    RUN(&run, "", "help");
    assert_holds(run.out, "serve ");
    assert_holds(run.out, "config ");
    tool_run_clear(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(check_says_whether),
        cmocka_unit_test(dump_shows_no_secret),
        cmocka_unit_test(a_query_is_a_secret),
        cmocka_unit_test(a_dump_is_a_file_of_settings),
        cmocka_unit_test(help),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
