/* SPDX-License-Identifier: Apache-2.0 */
/* `jtiguard check` as its users run it. */
#include "cli/run_tool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW  "--now", "2026-11-20T12:00:00Z"
#define GOOD "{\"iss\":\"i\",\"aud\":\"a\",\"jti\":\"1\",\"iat\":1795175990,\"exp\":1795176060}\n"
#define NEXT "{\"iss\":\"i\",\"aud\":\"a\",\"jti\":\"2\",\"iat\":1795175990,\"exp\":1795176060}\n"
#define OLD  "{\"iss\":\"i\",\"aud\":\"a\",\"jti\":\"3\",\"iat\":1795172000,\"exp\":1795175000}\n"

/* Run with --now over an input; the exit code and standard output must be so. */
static void expect(const char *input, int exit_code, const char *output)
{
    struct tool_run run;
    RUN(&run, input, "check", NOW);
    assert_string_equal(run.out, output);
    assert_int_equal(run.exit_code, exit_code);
    assert_int_equal(run.err_len, 0);
    tool_run_clear(&run);
}

static void prints_a_verdict_a_line_and_a_summary(void **state)
{
    (void)state;
    expect(GOOD GOOD "\n" OLD "x\n", 4,
           "line 1: admitted\n"
           "line 2: replayed (the token was used before)\n"
           "line 4: refused, expired (the token has expired)\n"
           "line 5: refused, malformed_json (it is not JSON)\n"
           "4 tokens: 1 admitted, 1 replayed, 2 refused\n"
           "         1  admitted                first use\n"
           "         1  replayed                the token was used before\n"
           "         1  expired                 the token has expired\n"
           "         1  malformed_json          it is not JSON\n");
}

static int exit_code_of(const char *input)
{
    struct tool_run run;
    RUN(&run, input, "check", NOW, "--quiet");
    int exit_code = run.exit_code;
    tool_run_clear(&run);
    return exit_code;
}

static void ends_with_the_gravest_of_the_verdicts(void **state)
{
    (void)state;
    assert_int_equal(exit_code_of(GOOD NEXT), 0);
    assert_int_equal(exit_code_of(GOOD GOOD), 1);
    assert_int_equal(exit_code_of(OLD GOOD), 4);
    assert_int_equal(exit_code_of(GOOD GOOD OLD), 4);
    struct tool_run run;
    RUN(&run, GOOD OLD NEXT, "check", NOW, "--max-entries", "1");
    assert_holds(run.out, "line 3: refused, store_full");
    assert_int_equal(run.exit_code, 3);
    tool_run_clear(&run);
}

/* An empty variable in a script must not pass for an admitted token. */
static void does_not_admit_an_empty_input(void **state)
{
    (void)state;
    static const char *const inputs[] = {"", "\n\n", "\xef\xbb\xbf"};
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++) {
        struct tool_run run;
        RUN(&run, inputs[i], "check", "--json");
        assert_string_equal(run.out, "{\"summary\":{\"admitted\":0,\"replayed\":0,\"refused\":0,"
                                     "\"reasons\":{}}}\n");
        assert_holds(run.err, "no claims");
        assert_int_equal(run.exit_code, 4);
        tool_run_clear(&run);
    }
}

static void ends_well_with_report_whatever_the_verdicts(void **state)
{
    (void)state;
    struct tool_run run;
    RUN(&run, GOOD GOOD OLD "x", "check", NOW, "--report");
    assert_int_equal(run.exit_code, 0);
    tool_run_clear(&run);
    RUN(&run, "", "check", "--report");
    assert_int_equal(run.exit_code, 0);
    assert_int_equal(run.err_len, 0);
    tool_run_clear(&run);
    RUN(&run, GOOD NEXT, "check", NOW, "--report", "--max-entries", "1");
    assert_int_equal(run.exit_code, 3);
    tool_run_clear(&run);
}

static void stops_at_a_malformed_line_when_strict(void **state)
{
    (void)state;
    struct tool_run run;
    RUN(&run, GOOD OLD "x\n" NEXT, "check", NOW, "--strict", "--report");
    assert_holds(run.out, "line 3: refused, malformed_json");
    assert_holds(run.out, "3 tokens: 1 admitted, 0 replayed, 2 refused");
    assert_null(strstr(run.out, "line 4"));
    assert_int_equal(run.exit_code, 4);
    tool_run_clear(&run);
}

static void stops_in_order_when_strict_with_threads(void **state)
{
    (void)state;
    enum { BEFORE = 3000, AFTER = 100000 };
    static const char line[] = OLD;
    size_t line_len = strlen(line);
    char *input = malloc((BEFORE + AFTER) * line_len + 3);
    assert_non_null(input);
    for (size_t i = 0; i < BEFORE + AFTER; i++)
        memcpy(input + i * line_len + (i < BEFORE ? 0 : 2), line, line_len);
    memcpy(input + BEFORE * line_len, "x\n", 2);
    input[(BEFORE + AFTER) * line_len + 2] = '\0';
    struct tool_run run;
    RUN(&run, input, "check", NOW, "--strict", "--quiet", "--json", "--threads", "8");
    assert_string_equal(run.out, "{\"summary\":{\"admitted\":0,\"replayed\":0,\"refused\":3001,"
                                 "\"reasons\":{\"expired\":3000,\"malformed_json\":1}}}\n");
    assert_int_equal(run.exit_code, 4);
    tool_run_clear(&run);
    free(input);
}

static void assert_verdict(const char *line, size_t len)
{
    json_t *verdict = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(verdict);
    assert_int_equal(json_object_size(verdict), 3);
    assert_true(json_integer_value(json_object_get(verdict, "line")) > 0);
    assert_true(json_is_string(json_object_get(verdict, "verdict")));
    assert_true(json_is_string(json_object_get(verdict, "reason")));
    json_decref(verdict);
}

static void assert_summary(const char *line, size_t len)
{
    json_t *root = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
    json_t *summary = json_object_get(root, "summary");
    assert_int_equal(json_integer_value(json_object_get(summary, "admitted")), 2);
    assert_int_equal(json_integer_value(json_object_get(summary, "replayed")), 1);
    assert_int_equal(json_integer_value(json_object_get(summary, "refused")), 1);
    json_t *reasons = json_object_get(summary, "reasons");
    assert_int_equal(json_object_size(reasons), 3);
    assert_int_equal(json_integer_value(json_object_get(reasons, "admitted")), 2);
    assert_int_equal(json_integer_value(json_object_get(reasons, "replayed")), 1);
    assert_int_equal(json_integer_value(json_object_get(reasons, "expired")), 1);
    json_decref(root);
}

static void prints_json_that_parses(void **state)
{
    (void)state;
    struct tool_run run;
    RUN(&run, GOOD NEXT GOOD OLD, "check", NOW, "--json", "-");
    assert_int_equal(occurrences(run.out, "\n"), 5);
    const char *at = run.out;
    for (int i = 0; i < 4; i++) {
        const char *end = strchr(at, '\n');
        assert_verdict(at, (size_t)(end - at));
        at = end + 1;
    }
    assert_summary(at, strlen(at) - 1);
    assert_holds(run.out, "{\"line\":3,\"verdict\":\"replayed\",\"reason\":\"replayed\"}\n");
    tool_run_clear(&run);
}

static void prints_only_the_summary_when_quiet(void **state)
{
    (void)state;
    struct tool_run run;
    RUN(&run, GOOD GOOD, "check", NOW, "--quiet", "--json");
    assert_string_equal(run.out, "{\"summary\":{\"admitted\":1,\"replayed\":1,\"refused\":0,"
                                 "\"reasons\":{\"admitted\":1,\"replayed\":1}}}\n");
    tool_run_clear(&run);
}

/* 10 MB on one line, and a good line after it: nothing is lost. */
static void goes_on_after_a_line_of_ten_megabytes(void **state)
{
    (void)state;
    enum { LONG_LINE = 10 << 20 };
    char *input = malloc(LONG_LINE + 200);
    assert_non_null(input);
    memset(input, 'x', LONG_LINE);
    input[0] = '{';
    (void)snprintf(input + LONG_LINE, 200, "\n%s", GOOD);
    struct tool_run run;
    RUN(&run, input, "check", NOW);
    assert_holds(run.out, "line 1: refused, line_too_long (the line is longer than allowed)\n"
                          "line 2: admitted\n");
    assert_int_equal(run.exit_code, 4);
    tool_run_clear(&run);
    RUN(&run, input, "check", NOW, "--max-line-bytes", "67108864");
    assert_holds(run.out, "line 1: refused, malformed_json (it is not JSON)\n"
                          "line 2: admitted\n");
    tool_run_clear(&run);
    free(input);
}

static void refuses_a_raw_nul(void **state)
{
    (void)state;
    static const char input[] = "{\"iss\":\"i\",\"aud\":\"a\",\"jti\":\"1\0\"}\n\0\n" GOOD;
    static const char *const args[] = {"check", NOW, NULL};
    struct tool_run run;
    run_program(&run, tool_path(), args, input, sizeof input - 1);
    assert_holds(run.out, "line 1: refused, malformed_json");
    assert_holds(run.out, "line 2: refused, malformed_json");
    assert_holds(run.out, "line 3: admitted");
    tool_run_clear(&run);
}

/* Nothing of a token is in what the tool prints, whatever is wrong with it. */
static void prints_nothing_of_a_token(void **state)
{
    (void)state;
    struct tool_run run;
    RUN(&run,
        "{\"iss\":\"SECRET\",\"aud\":\"SECRET\",\"jti\":\"SECRET\",\"exp\":1795176060}\n"
        "{\"iss\":\"SECRET\",\"jti\":\"SECRET\"}\n{\"SECRET\":1,\"SECRET\":2}\nSECRET\n",
        "check", NOW);
    assert_int_equal(occurrences(run.out, "refused, "), 3);
    assert_null(strstr(run.out, "SECRET"));
    assert_null(strstr(run.err, "SECRET"));
    tool_run_clear(&run);
}

static void obeys_the_options_of_the_guard(void **state)
{
    (void)state;
    static const struct {
        const char *option;
        const char *value;
        const char *reason;
    } cases[] = {{"--audience", "b", "wrong_audience"},
                 {"--audience", "a", "admitted"},
                 {"--kind", "dpop_proof", "missing_thumbprint"},
                 {"--max-lifetime", "60s", "lifetime_too_long"},
                 {"--max-lifetime", "70s", "admitted"},
                 {"--max-jti-bytes", "1", "admitted"},
                 {"--now", "1795176089", "admitted"},
                 {"--now", "1795176095", "expired"},
                 {"--now", "1795175950", "issued_in_future"},
                 {"--keys", "plain", "admitted"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tool_run run;
        char expected[64];
        RUN(&run, GOOD, "check", NOW, "--json", cases[i].option, cases[i].value);
        (void)snprintf(expected, sizeof expected, "\"reason\":\"%s\"}", cases[i].reason);
        assert_holds(run.out, expected);
        tool_run_clear(&run);
    }
}

static void widens_with_the_leeway(void **state)
{
    (void)state;
    struct tool_run run;
    RUN(&run, GOOD GOOD, "check", "--now", "1795176200", "--leeway", "3m");
    assert_holds(run.out, "line 1: admitted\nline 2: replayed");
    tool_run_clear(&run);
    RUN(&run, GOOD, "check", "--now", "1795175950", "--future-leeway", "1m");
    assert_holds(run.out, "line 1: admitted\n");
    tool_run_clear(&run);
    RUN(&run, GOOD, "check", NOW, "--restart-rule");
    assert_holds(run.out, "line 1: refused, issued_before_start");
    tool_run_clear(&run);
}

/* With plain keys the scope is left out: one issuer burns another's jti, as documented. */
static void shares_plain_keys_between_issuers(void **state)
{
    (void)state;
    static const char other[] = "{\"iss\":\"other\",\"aud\":\"b\",\"jti\":\"1\",\"iat\":1795175990,"
                                "\"exp\":1795176060}\n";
    char input[512];
    struct tool_run run;
    (void)snprintf(input, sizeof input, GOOD "%s", other);
    RUN(&run, input, "check", NOW);
    assert_holds(run.out, "2 admitted");
    tool_run_clear(&run);
    RUN(&run, input, "check", NOW, "--keys", "plain");
    assert_holds(run.out, "1 admitted, 1 replayed");
    tool_run_clear(&run);
}

static void limits_the_share_of_an_issuer(void **state)
{
    (void)state;
    static const char other[] = "{\"iss\":\"o\",\"aud\":\"a\",\"jti\":\"1\",\"exp\":1795176060}\n";
    char input[512];
    struct tool_run run;
    (void)snprintf(input, sizeof input, GOOD NEXT "%s", other);
    RUN(&run, input, "check", NOW, "--issuer-share", "1");
    assert_holds(run.out, "line 1: admitted\nline 2: refused, issuer_share_full");
    assert_holds(run.out, "line 3: admitted\n");
    assert_int_equal(run.exit_code, 3);
    tool_run_clear(&run);
}

static void reads_a_file_and_says_when_it_cannot(void **state)
{
    (void)state;
    static const char samples[] = JTIGUARD_SAMPLES "/claims.jsonl";
    struct tool_run run;
    RUN(&run, "", "check", NOW, "--report", "--quiet", samples);
    assert_holds(run.out, " tokens: ");
    assert_int_equal(run.exit_code, 0);
    tool_run_clear(&run);
    RUN(&run, "", "check", "/nonexistent/claims.jsonl");
    assert_holds(run.err, "jtiguard: cannot open /nonexistent/claims.jsonl: ");
    assert_int_equal(run.exit_code, 3);
    tool_run_clear(&run);
    RUN(&run, "", "check", "/");
    assert_holds(run.err, "jtiguard: cannot read: ");
    assert_int_equal(run.exit_code, 3);
    tool_run_clear(&run);
}

int main(void)
{
    (void)setenv("JTIGUARD_STORE", "memory", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prints_a_verdict_a_line_and_a_summary),
        cmocka_unit_test(ends_with_the_gravest_of_the_verdicts),
        cmocka_unit_test(does_not_admit_an_empty_input),
        cmocka_unit_test(ends_well_with_report_whatever_the_verdicts),
        cmocka_unit_test(stops_at_a_malformed_line_when_strict),
        cmocka_unit_test(stops_in_order_when_strict_with_threads),
        cmocka_unit_test(prints_json_that_parses),
        cmocka_unit_test(prints_only_the_summary_when_quiet),
        cmocka_unit_test(goes_on_after_a_line_of_ten_megabytes),
        cmocka_unit_test(refuses_a_raw_nul),
        cmocka_unit_test(prints_nothing_of_a_token),
        cmocka_unit_test(obeys_the_options_of_the_guard),
        cmocka_unit_test(widens_with_the_leeway),
        cmocka_unit_test(shares_plain_keys_between_issuers),
        cmocka_unit_test(limits_the_share_of_an_issuer),
        cmocka_unit_test(reads_a_file_and_says_when_it_cannot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
