/* SPDX-License-Identifier: Apache-2.0 */
/* The commands about one token, and what the command line itself answers. */
#include "cli/run_tool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <jtiguard/version.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOKEN                                                                                      \
    "--kind", "id_token", "--issuer", "https://id.example.com", "--audience", "api", "--jti", "t1"
#define NOW "--now", "2026-11-20T12:00:00Z"

static const char object[] = "{\n  \"iss\": \"https://id.example.com\", \"aud\": [\"api\"],\n"
                             "  \"jti\": \"t1\", \"exp\": 1795176060\n}\n";

static void reserves_a_token_from_options(void **state)
{
    (void)state;
    struct tool_run run;
    RUN(&run, "", "reserve", TOKEN, "--ttl", "5m");
    assert_holds(run.out, "admitted\nowner ");
    assert_int_equal(run.out_len, strlen("admitted\nowner \n") + 32);
    assert_holds(run.err, "memory store begins and ends with this process");
    assert_int_equal(run.exit_code, 0);
    tool_run_clear(&run);
}

static void reserves_a_token_from_standard_input(void **state)
{
    (void)state;
    struct tool_run run;
    RUN(&run, object, "reserve", NOW, "--json", "--owner", "000102030405060708090a0b0c0d0eFF", "-");
    json_t *answer = json_loads(run.out, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(answer);
    assert_string_equal(json_string_value(json_object_get(answer, "verdict")), "admitted");
    assert_string_equal(json_string_value(json_object_get(answer, "reason")), "admitted");
    assert_string_equal(json_string_value(json_object_get(answer, "owner")),
                        "000102030405060708090a0b0c0d0eff");
    /* exp + leeway + margin: what was accepted is remembered at least as long. */
    assert_int_equal(json_integer_value(json_object_get(answer, "ttl_ms")), 150000);
    json_decref(answer);
    assert_int_equal(run.exit_code, 0);
    tool_run_clear(&run);
}

static void refuses_a_token_for_what_it_is(void **state)
{
    (void)state;
    struct tool_run run;
    RUN(&run, "", "reserve", TOKEN, NOW, "--exp", "2026-11-20T11:00:00Z");
    assert_string_equal(run.out, "refused, expired (the token has expired)\n");
    assert_int_equal(run.exit_code, 4);
    tool_run_clear(&run);
    RUN(&run, "{]", "reserve", "--json", "-");
    assert_string_equal(run.out, "{\"verdict\":\"refused\",\"reason\":\"malformed_json\"}\n");
    assert_int_equal(run.exit_code, 4);
    tool_run_clear(&run);
    RUN(&run, object, "reserve", NOW, "--audience", "other", "-");
    assert_holds(run.out, "refused, wrong_audience");
    assert_int_equal(run.exit_code, 4);
    tool_run_clear(&run);
}

static void refuses_an_object_that_is_too_long(void **state)
{
    (void)state;
    enum { SIZE = 2 << 20 };
    char *input = malloc(SIZE + 1);
    assert_non_null(input);
    memset(input, ' ', SIZE);
    input[SIZE] = '\0';
    struct tool_run run;
    RUN(&run, input, "reserve", "-");
    assert_holds(run.out, "refused, line_too_long");
    assert_int_equal(run.exit_code, 4);
    tool_run_clear(&run);
    free(input);
}

static void makes_one_owner_of_one_text(void **state)
{
    (void)state;
    struct tool_run one;
    struct tool_run other;
    RUN(&one, "", "reserve", TOKEN, "--ttl", "5m", "--owner-from", "request-1");
    RUN(&other, "", "reserve", TOKEN, "--ttl", "5m", "--owner-from", "request-1");
    assert_string_equal(one.out, other.out);
    tool_run_clear(&other);
    RUN(&other, "", "reserve", TOKEN, "--ttl", "5m");
    assert_string_not_equal(one.out, other.out);
    tool_run_clear(&one);
    tool_run_clear(&other);
}

static void says_that_nothing_was_released(void **state)
{
    (void)state;
    struct tool_run run;
    RUN(&run, "", "release", TOKEN, "--owner-from", "request-1");
    assert_holds(run.out, "not released, not_found (");
    assert_holds(run.err, "memory store begins and ends with this process");
    assert_int_equal(run.exit_code, 1);
    tool_run_clear(&run);
    RUN(&run, object, "release", "--owner-from", "request-1", "--json", "-");
    assert_string_equal(run.out, "{\"released\":false,\"reason\":\"not_found\"}\n");
    assert_int_equal(run.exit_code, 1);
    tool_run_clear(&run);
    RUN(&run, "", "release", "--kind", "id_token", "--jti", "t1", "--owner-from", "r");
    assert_holds(run.out, "not released, missing_issuer (");
    assert_int_equal(run.exit_code, 4);
    tool_run_clear(&run);
}

static void prints_one_key_for_one_token(void **state)
{
    (void)state;
    struct tool_run options;
    struct tool_run input;
    RUN(&options, "", "key", TOKEN);
    RUN(&input, object, "key", "-");
    assert_string_equal(options.out, input.out);
    assert_int_equal(options.out_len, strlen("jtg:") + 43 + 1);
    assert_memory_equal(options.out, "jtg:", 4);
    assert_int_equal(options.exit_code, 0);
    assert_int_equal(options.err_len, 0);
    tool_run_clear(&input);
    RUN(&input, "", "key", TOKEN, "--prefix", "x:");
    assert_string_equal(input.out + 2, options.out + 4);
    tool_run_clear(&input);
    tool_run_clear(&options);
}

static void prints_plain_keys_as_the_go_verifiers_do(void **state)
{
    (void)state;
    struct tool_run run;
    RUN(&run, "", "key", TOKEN, "--keys", "plain");
    assert_string_equal(run.out, "sts:jti:t1\n");
    tool_run_clear(&run);
    RUN(&run, "", "key", TOKEN, "--keys", "plain", "--json");
    assert_string_equal(run.out, "{\"key\":\"sts:jti:t1\"}\n");
    tool_run_clear(&run);
    RUN(&run, "", "key", "--kind", "id_token", "--issuer", "i", "--jti", "t1", "--json");
    assert_string_equal(run.out, "{\"reason\":\"missing_audience\"}\n");
    assert_int_equal(run.exit_code, 4);
    tool_run_clear(&run);
}

/* A Redis and a Valkey are one kind of store; that none is there is another matter. */
static void a_store_may_be_spelt_valkey(void **state)
{
    static const char *const stores[] = {"valkey://127.0.0.1:1", "valkey-cluster://127.0.0.1:1"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct tool_run run;
        RUN(&run, "", "doctor", "--store", stores[i]);
        assert_null(strstr(run.err, "no such store"));
#ifdef JTIGUARD_HAS_REDIS
        assert_int_not_equal(run.exit_code, 2);
#endif
        tool_run_clear(&run);
    }
}

static void refuses_a_store_that_it_does_not_have(void **state)
{
    (void)state;
    static const char *const commands[] = {"check", "reserve", "key"};
    for (size_t i = 0; i < 3; i++) {
        struct tool_run run;
        assert_int_equal(setenv("JTIGUARD_STORE", "nowhere://:PASSWORD@h", 1), 0);
        RUN(&run, object, commands[i], "-");
        assert_holds(run.err, "this build has no such store");
        assert_null(strstr(run.err, "PASSWORD"));
        assert_int_equal(run.exit_code, 2);
        assert_int_equal(run.out_len, 0);
        tool_run_clear(&run);
        RUN(&run, object, commands[i], "--store", "memory", "-");
        assert_int_not_equal(run.exit_code, 2);
        tool_run_clear(&run);
        assert_int_equal(setenv("JTIGUARD_STORE", "memory", 1), 0);
    }
}

static void refuses_a_wrong_command_line(void **state)
{
    (void)state;
    static const char *const cases[][6] = {
        {NULL},
        {"chekc", NULL},
        {"check", "--no-such-option", NULL},
        {"check", "-x", NULL},
        {"check", "--json=yes", NULL},
        {"check", "--threads", NULL},
        {"check", "--threads", "0", NULL},
        {"check", "--threads", "65", NULL},
        {"check", "--threads", "1x", NULL},
        {"check", "--threads", "-1", NULL},
        {"check", "--leeway", "30", NULL},
        {"check", "--leeway", "301s", NULL},
        {"check", "--leeway", "500ms", NULL},
        {"check", "--margin", "0s", NULL},
        {"check", "--max-lifetime", "32d", NULL},
        {"check", "--max-line-bytes", "0", NULL},
        {"check", "--max-line-bytes", "67108865", NULL},
        {"check", "--max-entries", "99999999999999999999999", NULL},
        {"check", "--issuer-share", "20000000", NULL},
        {"check", "--now", "yesterday", NULL},
        {"check", "--kind", "access_token", NULL},
        {"check", "--kind", "none", NULL},
        {"check", "--kind", "custom", NULL},
        {"check", "--custom-kind", "x", NULL},
        {"check", "--keys", "digests", NULL},
        {"check", "--keys", "plain", "--max-jti-bytes", "4096", NULL},
        {"check", "--audience", "", NULL},
        {"check", "--audience", "\xff", NULL},
        {"check", "--store", "", NULL},
        {"check", "--ttl", "5m", NULL},
        {"check", "--jso", NULL},
        {"check", "--lee", "1s", NULL},
        {"check", "--lee=1s", NULL},
        {"check", "--hel", NULL},
        {"check", "one", "two", NULL},
        {"reserve", NULL},
        {"reserve", "--kind", "id_token", "token", NULL},
        {"reserve", "--jti", "x", "-", NULL},
        {"reserve", "--owner", "12", "-", NULL},
        {"reserve", "--owner", "zz0102030405060708090a0b0c0d0e0f", "-", NULL},
        {"reserve", "--owner-from", "", "-", NULL},
        {"reserve", "--strict", "-", NULL},
        {"release", "-", NULL},
        {"key", "--leeway", "1s", "-", NULL},
        {"version", "now", NULL},
        {"doctor", "memory", NULL},
        {"doctor", "--now", "1", NULL},
        {"doctor", "--margin", "0s", NULL},
        {"acl", "memory", NULL},
        {"acl", "--user", "", NULL},
        {"check", "--user", "u", NULL},
        {"help", "nothing", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tool_run run;
        run_tool(&run, cases[i], "");
        if (run.exit_code != 2 || run.out_len != 0 || run.err_len == 0)
            fail_msg("case %zu: exit %d, out: %s, err: %s", i, run.exit_code, run.out, run.err);
        if (i > 0)
            assert_memory_equal(run.err, "jtiguard: ", 10);
        tool_run_clear(&run);
    }
}

/* What stands behind an option may be a token. */
static void does_not_repeat_values_in_errors(void **state)
{
    (void)state;
    struct tool_run run;
    RUN(&run, "", "key", "--jit=SECRET");
    assert_null(strstr(run.err, "SECRET"));
    assert_holds(run.err, "--jit");
    tool_run_clear(&run);
    RUN(&run, "", "key", "--exp", "SECRET");
    assert_null(strstr(run.err, "SECRET"));
    assert_holds(run.err, "--exp");
    tool_run_clear(&run);
    RUN(&run, "", "key", "--jti", "SECRET", "-xy");
    assert_int_equal(run.exit_code, 2);
    assert_null(strstr(run.err, "SECRET"));
    assert_holds(run.err, "key: -x is no option");
    tool_run_clear(&run);
}

static void helps_with_each_command(void **state)
{
    (void)state;
    static const char *const commands[] = {"check",  "reserve", "release",    "key",
                                           "doctor", "acl",     "breakglass", "version"};
    struct tool_run all;
    RUN(&all, "", "--help");
    assert_int_equal(all.exit_code, 0);
    assert_int_equal(all.err_len, 0);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        struct tool_run run;
        struct tool_run same;
        char usage[64];
        (void)snprintf(usage, sizeof usage, "usage: jtiguard %s [OPTIONS]", commands[i]);
        RUN(&run, "", commands[i], "--help");
        assert_int_equal(run.exit_code, 0);
        assert_int_equal(run.err_len, 0);
        assert_holds(run.out, usage);
        assert_holds(run.out, "--json");
        assert_holds(all.out, commands[i]);
        RUN(&same, "", "help", commands[i]);
        assert_string_equal(same.out, run.out);
        tool_run_clear(&same);
        tool_run_clear(&run);
    }
    tool_run_clear(&all);
}

/* `jtiguard reserve … --jti $jti`, where the jti is `t1 --help`, must not admit. */
static void help_beside_anything_else_admits_nothing(void **state)
{
    (void)state;
    struct tool_run run;
    RUN(&run, "", "reserve", TOKEN, "--ttl", "5m", "--help");
    assert_holds(run.out, "usage: jtiguard reserve");
    assert_int_equal(run.exit_code, 2);
    tool_run_clear(&run);
    RUN(&run, "", "check", "--quiet", "-h", "claims.jsonl");
    assert_int_equal(run.exit_code, 2);
    tool_run_clear(&run);
}

static void prints_the_version(void **state)
{
    (void)state;
    char expected[64];
    struct tool_run run;
    (void)snprintf(expected, sizeof expected, "jtiguard %s\n", jtg_version());
    RUN(&run, "", "version");
    assert_string_equal(run.out, expected);
    assert_int_equal(run.exit_code, 0);
    tool_run_clear(&run);
    RUN(&run, "", "--version");
    assert_string_equal(run.out, expected);
    tool_run_clear(&run);
    (void)snprintf(expected, sizeof expected, "{\"version\":\"%s\"}\n", jtg_version());
    RUN(&run, "", "version", "--json");
    assert_string_equal(run.out, expected);
    tool_run_clear(&run);
}

int main(void)
{
    (void)setenv("JTIGUARD_STORE", "memory", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reserves_a_token_from_options),
        cmocka_unit_test(reserves_a_token_from_standard_input),
        cmocka_unit_test(refuses_a_token_for_what_it_is),
        cmocka_unit_test(refuses_an_object_that_is_too_long),
        cmocka_unit_test(makes_one_owner_of_one_text),
        cmocka_unit_test(says_that_nothing_was_released),
        cmocka_unit_test(prints_one_key_for_one_token),
        cmocka_unit_test(prints_plain_keys_as_the_go_verifiers_do),
        cmocka_unit_test(a_store_may_be_spelt_valkey),
        cmocka_unit_test(refuses_a_store_that_it_does_not_have),
        cmocka_unit_test(refuses_a_wrong_command_line),
        cmocka_unit_test(does_not_repeat_values_in_errors),
        cmocka_unit_test(helps_with_each_command),
        cmocka_unit_test(help_beside_anything_else_admits_nothing),
        cmocka_unit_test(prints_the_version),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
