/* SPDX-License-Identifier: Apache-2.0 */
/* `jtiguard bench serve` as its users run it: every figure is there, can be true, and agrees with
 * the others. How large the figures are is no matter for a test, which shares its machine. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "test_tool.h"

#include <math.h>
#include <stdbool.h>

#ifdef JTIGUARD_BENCH_HAS_REDIS
#define HAS_REDIS true
#else
#define HAS_REDIS false
#endif

static void assert_spread(const json_t *object, const char *name)
{
    char least[80], most[80];
    (void)snprintf(least, sizeof least, "%s_min", name);
    (void)snprintf(most, sizeof most, "%s_max", name);
    bench_assert_positive(object, least);
    bench_assert_order(object, least, name);
    bench_assert_order(object, name, most);
}

static void assert_subject(const json_t *object, const char *subject)
{
    static const char *const names[] = {"ops_per_s", "p50_us", "p99_us", "cpu_us_per_op"};
    char name[64];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        (void)snprintf(name, sizeof name, "%s_%s", subject, names[i]);
        assert_spread(object, name);
    }
}

static void assert_ratio(const json_t *object, const char *ratio, const char *over,
                         const char *under)
{
    double expected = bench_figure(object, over) / bench_figure(object, under);
    if (fabs(bench_figure(object, ratio) / expected - 1) > 1e-4)
        fail_msg("%s is not %s / %s", ratio, over, under);
}

static void check_object(const json_t *object, const char *alg)
{
    assert_string_equal(json_string_value(json_object_get(object, "alg")), alg);
    assert_int_equal((int)bench_figure(object, "tokens"), 200);
    assert_int_equal((int)bench_figure(object, "connections"), 4);
    assert_subject(object, "memory");
    assert_subject(object, "api");
    assert_subject(object, "bare");
    bench_assert_order(object, "memory_p50_us", "memory_p99_us");
    assert_spread(object, "signature_us");
    assert_spread(object, "guard_us");
    assert_ratio(object, "guard_share", "guard_us", "signature_us");
    assert_ratio(object, "memory_share_of_bare", "memory_ops_per_s", "bare_ops_per_s");
    assert_ratio(object, "api_share_of_bare", "api_ops_per_s", "bare_ops_per_s");
    /* Where Redis cannot be had, its figures are not there either. */
    if (json_object_get(object, "redis_ops_per_s") != NULL) {
        assert_subject(object, "redis");
        assert_ratio(object, "redis_share_of_memory", "redis_ops_per_s", "memory_ops_per_s");
    } else {
        assert_false(HAS_REDIS && system("command -v redis-server >/dev/null") == 0);
    }
}

static void prints_an_object_an_algorithm(void **state)
{
    (void)state;
    FILE *output = bench_run("serve --tokens 200 --connections 4 --runs 1 --json");
    static const char *const algs[] = {"RS256", "ES256"};
    for (int i = 0; i < 2; i++) {
        json_t *object = bench_read_object(output);
        check_object(object, algs[i]);
        json_decref(object);
    }
    bench_finish(output);
}

static void prints_a_table_for_people(void **state)
{
    (void)state;
    assert_int_equal(bench_run_quietly("serve --tokens 100 --connections 2 --runs 1"), 0);
}

static void helps(void **state)
{
    (void)state;
    assert_int_equal(bench_run_quietly("serve --help"), 0);
}

static void refuses_bad_usage(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "serve 5",          "serve --tokes 500",     "serve --tokens 99",
        "serve --tokens x", "serve --connections 0", "serve --connections 513",
        "serve --runs 0",   "serve --runs 100",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (bench_run_quietly(bad[i]) != 2)
            fail_msg("'%s' was not refused as bad usage", bad[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prints_an_object_an_algorithm),
        cmocka_unit_test(prints_a_table_for_people),
        cmocka_unit_test(helps),
        cmocka_unit_test(refuses_bad_usage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
