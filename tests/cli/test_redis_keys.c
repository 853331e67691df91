/* SPDX-License-Identifier: Apache-2.0 */
/* What a store's URI means to the tool: read without a server. */
#include "cli/run_tool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOKEN                                                                                      \
    "--kind", "id_token", "--issuer", "https://id.example.com", "--audience", "api", "--jti", "t1"

/* Nothing listens there: whatever is answered was answered without a server. */
#define NOWHERE(query) ("redis://:CANARY@127.0.0.1:1/0" query)

static void key_is(const char *expected, const char *store, const char *option, const char *value)
{
    struct tool_run run;
    RUN(&run, "", "key", TOKEN, "--store", store, option, value);
    assert_string_equal(run.out, expected);
    assert_int_equal(run.exit_code, 0);
    assert_int_equal(run.err_len, 0);
    tool_run_clear(&run);
}

static void uri_spells_plain_keys_as_the_go_verifiers_do(void **state)
{
    (void)state;
    key_is("sts:jti:t1\n", NOWHERE("?prefix=sts:jti:&keys=plain"), NULL, NULL);
    key_is("sts:jti:t1\n", NOWHERE("?keys=plain"), NULL, NULL);
    key_is("sts:jti:t1\n", NOWHERE("?prefix=sts:jti:"), "--keys", "plain");
    key_is("x:t1\n", NOWHERE("?keys=plain"), "--prefix", "x:");
    key_is("x:t1\n", NOWHERE("?keys=plain&prefix=x:"), "--prefix", "x:");
    key_is("x:t1\n", "unix://:CANARY@/no/such/socket?keys=plain&prefix=x:", NULL, NULL);
}

/* As in a program that gives the URI to jtg_redis_new_uri() and takes the guard's defaults. */
static void uri_puts_its_prefix_before_the_digest_key(void **state)
{
    (void)state;
    struct tool_run bare;
    struct tool_run run;
    RUN(&bare, "", "key", TOKEN);
    RUN(&run, "", "key", TOKEN, "--store", NOWHERE("?prefix=app:"));
    assert_memory_equal(run.out, "app:jtg:", 8);
    assert_string_equal(run.out + 4, bare.out);
    tool_run_clear(&run);
    RUN(&run, "", "key", TOKEN, "--store", NOWHERE("?prefix=app:&keys=digest"), "--prefix",
        "x:", "--json");
    assert_memory_equal(run.out, "{\"key\":\"app:x:", 14);
    tool_run_clear(&run);
    tool_run_clear(&bare);
}

static void refuse_all(const char *const cases[][8], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct tool_run run;
        run_tool(&run, cases[i], "{}");
        if (run.exit_code != 2 || run.out_len != 0 || run.err_len == 0)
            fail_msg("case %zu: exit %d, out: %s, err: %s", i, run.exit_code, run.out, run.err);
        assert_null(strstr(run.err, "CANARY"));
        tool_run_clear(&run);
    }
}

static void refuses_what_contradicts_itself(void **state)
{
    (void)state;
    static const char *const cases[][8] = {
        {"check", "--store", NOWHERE("?keys=plain"), "--keys", "digest", NULL},
        {"check", "--store", NOWHERE("?keys=digest"), "--keys", "plain", NULL},
        {"check", "--store", NOWHERE("?keys=plain&prefix=a:"), "--prefix", "b:", NULL},
        {"check", "--store", NOWHERE("?prefix=a:"), "--keys", "plain", "--prefix", "b:", NULL},
        {"check", "--store", NOWHERE(""), "--max-entries", "7", NULL},
        {"reserve", "--store", NOWHERE(""), "--issuer-share", "7", "-", NULL},
        {"doctor", "--store", NOWHERE(""), "--max-entries", "7", NULL},
    };
    refuse_all(cases, sizeof cases / sizeof *cases);
}

static void refuses_a_uri_that_it_does_not_understand(void **state)
{
    (void)state;
    static const char *const cases[][8] = {
        {"check", "--store", NOWHERE("?CANARY=1"), NULL},
        {"check", "--store", NOWHERE("?timeout=CANARY"), NULL},
        {"reserve", "--store", NOWHERE("?prefix=a&prefix=CANARY"), "-", NULL},
        {"release", "--owner-from", "r", "--store", "redis://:CANARY@h:0", "-", NULL},
        {"key", "--store", "redis:CANARY", "-", NULL},
        {"key", "--store", NOWHERE("?prefix=%ff"), "-", NULL},
        {"doctor", "--store", "redis+sentinel://CANARY@h/mymaster", NULL},
        {"doctor", "--store", "redis+cluster://CANARY@h", NULL},
        {"acl", "--store", "unix://CANARY", NULL},
        {"acl", "--store", "http://CANARY", NULL},
    };
    refuse_all(cases, sizeof cases / sizeof *cases);
}

static void refuses_a_prefix_that_is_too_long(void **state)
{
    (void)state;
    enum { HALF = 65 };
    char half[HALF + 1];
    char store[256];
    memset(half, 'p', HALF);
    half[HALF] = '\0';
    (void)snprintf(store, sizeof store, "%s%s", NOWHERE("?prefix="), half);
    struct tool_run run;
    RUN(&run, "", "key", TOKEN, "--store", store, "--prefix", half);
    assert_holds(run.err, "longer than 128 bytes");
    assert_int_equal(run.exit_code, 2);
    tool_run_clear(&run);
}

/* A clock that stands still would give a store that others use wrong times to live. */
static void refuses_to_stop_the_clock_of_a_shared_store(void **state)
{
    (void)state;
    static const char *const commands[] = {"check", "reserve"};
    for (size_t i = 0; i < 2; i++) {
        struct tool_run run;
        RUN(&run, "{}", commands[i], "--now", "2026-11-20T12:00:00Z", "--store", NOWHERE(""), "-");
        assert_holds(run.err, "--now goes with --store memory only");
        assert_int_equal(run.exit_code, 2);
        assert_int_equal(run.out_len, 0);
        tool_run_clear(&run);
    }
}

static void takes_the_store_from_the_environment(void **state)
{
    (void)state;
    struct tool_run run;
    assert_int_equal(setenv("JTIGUARD_STORE", NOWHERE("?keys=plain"), 1), 0);
    RUN(&run, "", "key", TOKEN);
    assert_string_equal(run.out, "sts:jti:t1\n");
    tool_run_clear(&run);
    key_is("sts:jti:t1\n", NOWHERE("?prefix=sts:jti:"), "--keys", "plain");
    RUN(&run, "", "key", TOKEN, "--store", "memory");
    assert_memory_equal(run.out, "jtg:", 4);
    tool_run_clear(&run);
    RUN(&run, "", "version");
    assert_int_equal(run.exit_code, 0);
    tool_run_clear(&run);
    RUN(&run, "", "check", "--help");
    assert_int_equal(run.exit_code, 0);
    assert_null(strstr(run.out, "CANARY"));
    tool_run_clear(&run);
    assert_int_equal(setenv("JTIGUARD_STORE", "memory", 1), 0);
}

int main(void)
{
    (void)setenv("JTIGUARD_STORE", "memory", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(uri_spells_plain_keys_as_the_go_verifiers_do),
        cmocka_unit_test(uri_puts_its_prefix_before_the_digest_key),
        cmocka_unit_test(refuses_what_contradicts_itself),
        cmocka_unit_test(refuses_a_uri_that_it_does_not_understand),
        cmocka_unit_test(refuses_a_prefix_that_is_too_long),
        cmocka_unit_test(refuses_to_stop_the_clock_of_a_shared_store),
        cmocka_unit_test(takes_the_store_from_the_environment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
