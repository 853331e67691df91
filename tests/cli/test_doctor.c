/* SPDX-License-Identifier: Apache-2.0 */
/* `jtiguard doctor` and `jtiguard acl` where no server is needed. */
#include "cli/run_tool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static void examines_the_memory_store(void **state)
{
    (void)state;
    struct tool_run run;
    RUN(&run, "", "doctor");
    assert_holds(run.out, "store: memory\n");
    assert_holds(run.out, "note     scope        one process\n");
    assert_holds(run.out, "verdict: ok\n");
    assert_int_equal(run.exit_code, 0);
    assert_int_equal(run.err_len, 0);
    tool_run_clear(&run);
    RUN(&run, "", "doctor", "--strict", "--max-entries", "77");
    assert_holds(run.out, "at most 77 tokens");
    assert_int_equal(run.exit_code, 0);
    tool_run_clear(&run);
}

static void examines_the_memory_store_in_json(void **state)
{
    (void)state;
    struct tool_run run;
    RUN(&run, "", "doctor", "--json");
    json_t *answer = json_loads(run.out, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(answer);
    assert_string_equal(json_string_value(json_object_get(answer, "store")), "memory");
    assert_string_equal(json_string_value(json_object_get(answer, "verdict")), "ok");
    assert_int_equal(json_array_size(json_object_get(answer, "findings")), 4);
    json_decref(answer);
    tool_run_clear(&run);
}

#ifdef JTIGUARD_HAS_REDIS

#define RULES "-@all +ping +info +set"

static void prints_an_acl_line(void **state)
{
    (void)state;
    struct tool_run run;
    RUN(&run, "", "acl");
    assert_holds(run.out,
                 "ACL SETUSER jtiguard reset on '>PASSWORD' resetchannels '~jtg:*' '~[^!-~]c*' "
                 "'~[^!-~]r:[^!-~]p:*' '~[^!-~]m:jtg:ch1:*' '~[^!-~]v:jtg:ch1:*' " RULES " ");
    assert_null(strstr(run.out, "select"));
    assert_null(strstr(run.out, "setname"));
    assert_int_equal(run.exit_code, 0);
    tool_run_clear(&run);
    RUN(&run, "", "acl", "--user", "gate", "--keys", "plain");
    assert_holds(run.out,
                 "SETUSER gate reset on '>PASSWORD' resetchannels '~sts:jti:*' '~[^!-~]c*' "
                 "'~[^!-~]r:[^!-~]p:*' '~[^!-~]m:jtg:ch1:*' '~[^!-~]v:jtg:ch1:*' -@all ");
    tool_run_clear(&run);
}

/* A wildcard in a prefix means itself, and what the URI makes the backend send is allowed. */
static void fits_an_acl_line_to_its_store(void **state)
{
    (void)state;
    struct tool_run run;
    RUN(&run, "", "acl", "--json", "--store",
        "redis://u:CANARY@h/3?prefix=a*%5Bb%5D:&client_name=gate");
    json_t *answer = json_loads(run.out, JSON_REJECT_DUPLICATES, NULL);
    const char *line = json_string_value(json_object_get(answer, "acl"));
    assert_non_null(line);
    assert_holds(line, "ACL SETUSER u reset on >PASSWORD resetchannels ~a\\*\\[b\\]:* " RULES " ");
    assert_holds(line, " +select +client|setname");
    assert_null(strstr(run.out, "CANARY"));
    json_decref(answer);
    tool_run_clear(&run);
    RUN(&run, "", "acl", "--store", "redis://h?continuity=no");
    assert_holds(run.out,
                 " '~jtg:*' '~[^!-~]r:[^!-~]p:*' '~[^!-~]m:jtg:ch1:*' '~[^!-~]v:jtg:ch1:*' -@all ");
    tool_run_clear(&run);
}

/* A shell hands the line's words on as they are; none of them makes a file, a pipe, or a list of
 * files. */
static void an_acl_line_goes_through_a_shell(void **state)
{
    (void)state;
    static const char uri[] = "redis://u@h/3?prefix=a*%5Bb%5D%7C%3B%24(x):&client_name=gate";
    struct tool_run plain;
    struct tool_run json;
    char command[4096];
    char words[4096] = "";
    RUN(&plain, "", "acl", "--store", uri);
    RUN(&json, "", "acl", "--json", "--store", uri);
    (void)snprintf(command, sizeof command, "printf '%%s ' %s", plain.out);
    FILE *shell = popen(command, "r"); /* NOLINT(cert-env33-c): a shell is what is asked for */
    assert_non_null(shell);
    assert_true(fread(words, 1, sizeof words - 1, shell) > 0);
    assert_int_equal(pclose(shell), 0);
    words[strlen(words) - 1] = '\0';
    json_t *answer = json_loads(json.out, JSON_REJECT_DUPLICATES, NULL);
    assert_string_equal(json_string_value(json_object_get(answer, "acl")), words);
    assert_holds(words, " >PASSWORD ");
    assert_holds(words, " +client|setname");
    json_decref(answer);
    tool_run_clear(&plain);
    tool_run_clear(&json);
}

static void vouching_needs_a_store_and_a_yes(void **state)
{
    (void)state;
    static const char *const cases[][6] = {
        {"vouch", "--yes", NULL},
        {"vouch", "--store", "redis://:CANARY@127.0.0.1:1", NULL},
        {"vouch", "--store", "redis://:CANARY@127.0.0.1:1", "--yes", "operand", NULL},
        {"vouch", "--store", "redis://:CANARY@127.0.0.1:1", "--yes", "--since=soon", NULL},
        {"vouch", "--store", "redis://:CANARY@127.0.0.1:1?continuity=no", "--yes", NULL},
        {"vouch", "--store", "redis://:CANARY@127.0.0.1:1", "--yes", "--since=9999-01-01T00:00:00Z",
         NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tool_run run;
        run_tool(&run, cases[i], "");
        if (run.exit_code != 2)
            fail_msg("case %zu: exit %d: %s", i, run.exit_code, run.err);
        assert_true(run.err_len > 0);
        assert_int_equal(run.out_len, 0);
        assert_null(strstr(run.err, "CANARY"));
        tool_run_clear(&run);
    }
}

static void refuses_what_cannot_stand_in_an_acl_line(void **state)
{
    (void)state;
    static const char *const cases[][4] = {{"acl", "--user", "a b", NULL},
                                           {"acl", "--user", "a\nb", NULL},
                                           {"acl", "--prefix", "a ~*", NULL},
                                           {"acl", "--prefix", "a\"", NULL}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tool_run run;
        run_tool(&run, cases[i], "");
        assert_holds(run.err, "without blanks and quotes");
        assert_int_equal(run.exit_code, 2);
        assert_int_equal(run.out_len, 0);
        tool_run_clear(&run);
    }
}

#else

static void says_that_it_has_no_redis(void **state)
{
    (void)state;
    static const char *const cases[][4] = {{"acl", NULL},
                                           {"doctor", "--store", "redis://:CANARY@h", NULL},
                                           {"check", "--store", "unix:///CANARY", NULL},
                                           {"check", "--store", "rediss://CANARY", NULL}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tool_run run;
        run_tool(&run, cases[i], "");
        assert_holds(run.err, "this build has no Redis");
        assert_null(strstr(run.err, "CANARY"));
        assert_int_equal(run.exit_code, 2);
        tool_run_clear(&run);
    }
}

#endif

int main(void)
{
    (void)setenv("JTIGUARD_STORE", "memory", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(examines_the_memory_store),
        cmocka_unit_test(examines_the_memory_store_in_json),
#ifdef JTIGUARD_HAS_REDIS
        cmocka_unit_test(prints_an_acl_line),
        cmocka_unit_test(fits_an_acl_line_to_its_store),
        cmocka_unit_test(an_acl_line_goes_through_a_shell),
        cmocka_unit_test(vouching_needs_a_store_and_a_yes),
        cmocka_unit_test(refuses_what_cannot_stand_in_an_acl_line),
#else
        cmocka_unit_test(says_that_it_has_no_redis),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
