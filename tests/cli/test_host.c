/* SPDX-License-Identifier: Apache-2.0 */
/* The store of a host as a user meets it: made, used by one call after the other, looked at. */
#include "cli/run_tool.h"
#include "support/host_folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#define TOKEN(jti)                                                                                 \
    "--kind", "id_token", "--issuer", "https://id.example.com", "--audience", "api", "--jti", jti, \
        "--ttl", "5m"

static struct host_folder folder;
static char store[HOST_FOLDER_BYTES + 8];

static int begin(void **state)
{
    (void)state;
    host_folder_make(&folder);
    (void)snprintf(store, sizeof store, "host:%s", folder.store);
    return 0;
}

static int end(void **state)
{
    (void)state;
    host_folder_remove(&folder);
    return 0;
}

static void says(const char *out, const char *err, int exit_code, const char *const *args)
{
    struct tool_run run;
    run_program(&run, tool_path(), args, "", 0);
    assert_holds(run.out, out);
    assert_holds(run.err, err);
    assert_int_equal(run.exit_code, exit_code);
    tool_run_clear(&run);
}

#define SAYS(out, err, exit_code, ...)                                                             \
    says(out, err, exit_code, (const char *const[]){__VA_ARGS__, NULL})

/* Each is a process of its own. */
static void a_token_passes_once(void **state)
{
    (void)state;
    SAYS(folder.store, "", 0, "host", "create", "--store", store, "--max-entries", "1000");
    SAYS("refused, continuity_lost", "jtiguard vouch", 3, "reserve", TOKEN("a"), "--store", store);
    SAYS("vouched", "", 0, "vouch", "--yes", "--store", store);
    SAYS("admitted", "", 0, "reserve", TOKEN("a"), "--store", store);
    SAYS("replayed", "", 1, "reserve", TOKEN("a"), "--store", store);
    SAYS("admitted", "", 0, "reserve", TOKEN("b"), "--store", store, "--owner-from", "request 1");
    SAYS("released", "", 0, "release", TOKEN("b"), "--store", store, "--owner-from", "request 1");
    SAYS("admitted", "", 0, "reserve", TOKEN("b"), "--store", store);
    SAYS("\"entries\":2,\"max_entries\":1000", "", 0, "host", "show", "--json", "--store", store);
    SAYS("has kept everything\n", "", 0, "host", "show", "--store", store);
    SAYS("process", "", 0, "host", "show", "--store", store);
    SAYS("", "--yes", 2, "host", "lost", "--store", store);
    SAYS("has kept everything since 2", "", 0, "host", "lost", "--yes", "--store", store);
    SAYS("continuity_lost", "", 3, "reserve", TOKEN("c"), "--store", store);
    SAYS("replayed", "", 1, "reserve", TOKEN("a"), "--store", store);
}

static void what_is_not_there_is_not_made_by_looking(void **state)
{
    (void)state;
    SAYS("", "none at", 3, "host", "show", "--store", store);
    SAYS("", "none at", 3, "host", "lost", "--yes", "--store", store);
    SAYS("every token is refused", "", 3, "doctor", "--store", store);
    SAYS("", "none at", 3, "host", "show", "--store", store);
}

static void the_doctor_knows_it(void **state)
{
    (void)state;
    SAYS("", "", 0, "host", "create", "--store", store, "--max-entries", "1000");
    SAYS("this host, ", "", 0, "doctor", "--store", store);
    SAYS("of at most 1000 tokens", "", 0, "doctor", "--store", store);
    SAYS("\"store\":\"host\"", "", 3, "doctor", "--json", "--strict", "--store", store); /* young */
    SAYS("", "", 0, "vouch", "--yes", "--store", store);
    SAYS("ok       continuity   has kept everything\n", "", 0, "doctor", "--strict", "--store",
         store);
}

static void what_is_wrong_is_said(void **state)
{
    (void)state;
    SAYS("", "takes one word", 2, "host");
    SAYS("", "takes one word", 2, "host", "remove", "--store", store);
    SAYS("", "store of this host", 2, "host", "show", "--store", "memory");
    SAYS("", "absolute", 2, "host", "create", "--store", "host:store");
    SAYS("", "not on a tmpfs", 3, "host", "create", "--store", "host:/proc/store");
    SAYS("", "no group", 2, "host", "create", "--store", store, "--group", "no such group");
    SAYS("", "--now goes with", 2, "reserve", TOKEN("a"), "--store", store, "--now", "1000");
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_token_passes_once),
        CASE(what_is_not_there_is_not_made_by_looking),
        CASE(the_doctor_knows_it),
        CASE(what_is_wrong_is_said),
    };
    return cmocka_run_group_tests_name("host", tests, NULL, NULL);
}
