/* SPDX-License-Identifier: Apache-2.0 */
/* `jtiguard bench redis` as its users run it: every figure is there, can be true, and agrees with
 * the others. How large the figures are is no matter for a test, which shares its machine. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "test_tool.h"

#include <math.h>

static void assert_spread(const json_t *object, const char *name)
{
    char least[64], most[64];
    (void)snprintf(least, sizeof least, "%s_min", name);
    (void)snprintf(most, sizeof most, "%s_max", name);
    bench_assert_positive(object, least);
    bench_assert_order(object, least, name);
    bench_assert_order(object, name, most);
}

/* With one run a ratio is that of the figures beside it, down to the digits that are printed. */
static void assert_ratio(const json_t *object, const char *ratio, const char *over,
                         const char *under)
{
    double expected = bench_figure(object, over) / bench_figure(object, under);
    if (fabs(bench_figure(object, ratio) / expected - 1) > 1e-4)
        fail_msg("%s is not %s / %s", ratio, over, under);
}

static void check_object(const json_t *object, int callers)
{
    static const char *const spreads[] = {"ops_per_s",
                                          "p50_us",
                                          "p99_us",
                                          "client_cpu_us_per_op",
                                          "hiredis_ops_per_s",
                                          "hiredis_p50_us",
                                          "hiredis_p99_us",
                                          "hiredis_client_cpu_us_per_op",
                                          "speedup_vs_hiredis",
                                          "p50_ratio",
                                          "p99_ratio",
                                          "cpu_ratio",
                                          "unwatched_ops_per_s",
                                          "unwatched_p50_us",
                                          "unwatched_p99_us",
                                          "unwatched_client_cpu_us_per_op",
                                          "continuity_share"};
    assert_int_equal((int)bench_figure(object, "callers"), callers);
    assert_int_equal((int)bench_figure(object, "connections"), 1);
    assert_int_equal((int)bench_figure(object, "runs"), 1);
    for (size_t i = 0; i < sizeof spreads / sizeof spreads[0]; i++)
        assert_spread(object, spreads[i]);
    bench_assert_order(object, "p50_us", "p99_us");
    bench_assert_order(object, "hiredis_p50_us", "hiredis_p99_us");
    bench_assert_order(object, "batch_mean", "batch_max");
    bench_assert_order(object, "batch_max", "callers");
    assert_ratio(object, "speedup_vs_hiredis", "ops_per_s", "hiredis_ops_per_s");
    assert_ratio(object, "continuity_share", "ops_per_s", "unwatched_ops_per_s");
    assert_ratio(object, "p99_ratio", "p99_us", "hiredis_p99_us");
    assert_ratio(object, "cpu_ratio", "client_cpu_us_per_op", "hiredis_client_cpu_us_per_op");
}

/* Where redis-benchmark is not installed, its figures are not there either. */
static void check_redis_benchmark(const json_t *object)
{
    if (system("command -v redis-benchmark >/dev/null") != 0) {
        assert_null(json_object_get(object, "redis_benchmark_ops_per_s"));
        return;
    }
    assert_spread(object, "redis_benchmark_ops_per_s");
    assert_spread(object, "share_of_redis_benchmark");
    assert_ratio(object, "share_of_redis_benchmark", "ops_per_s", "redis_benchmark_ops_per_s");
}

static void prints_an_object_a_caller_count(void **state)
{
    (void)state;
    FILE *output = bench_run("redis --callers 1,4 --seconds 0.2 --runs 1 --json");
    for (int callers = 1; callers <= 4; callers += 3) {
        json_t *object = bench_read_object(output);
        check_object(object, callers);
        check_redis_benchmark(object);
        json_decref(object);
    }
    bench_finish(output);
}

static void prints_a_table_for_people(void **state)
{
    (void)state;
    assert_int_equal(bench_run_quietly("redis --callers 2 --seconds 0.05 --runs 2"), 0);
}

static void helps(void **state)
{
    (void)state;
    assert_int_equal(bench_run_quietly("redis --help"), 0);
}

static void refuses_bad_usage(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "redis 5",
        "redis --calers 5",
        "redis --callers",
        "redis --callers ''",
        "redis --callers 0",
        "redis --callers 513",
        "redis --callers 1,,2",
        "redis --seconds 0.01",
        "redis --seconds 31",
        "redis --seconds .5",
        "redis --seconds 1e1",
        "redis --seconds 1.0.0",
        "redis --seconds nan",
        "redis --runs 0",
        "redis --runs 100",
        "redis --store memory",
        "redis --store redis://127.0.0.1/?timeuot=1s",
        "redis --store 'redis://127.0.0.1/?password_file=/dev/null'",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (bench_run_quietly(bad[i]) != 2)
            fail_msg("'%s' was not refused as bad usage", bad[i]);
}

static void says_when_the_store_is_not_there(void **state)
{
    (void)state;
    assert_int_equal(bench_run_quietly("redis --callers 1 --seconds 0.05 --runs 1"
                                       " --store unix:///nonexistent/socket"),
                     3);
}

static void says_when_the_result_cannot_be_written(void **state)
{
    (void)state;
    int how = system("'" JTIGUARD_TOOL "' bench redis --callers 1 --seconds 0.05 --runs 1 --json"
                     " >/dev/full 2>/dev/null");
    assert_int_equal(how >> 8, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prints_an_object_a_caller_count),
        cmocka_unit_test(prints_a_table_for_people),
        cmocka_unit_test(helps),
        cmocka_unit_test(refuses_bad_usage),
        cmocka_unit_test(says_when_the_store_is_not_there),
        cmocka_unit_test(says_when_the_result_cannot_be_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
