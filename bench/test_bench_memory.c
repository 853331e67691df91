/* SPDX-License-Identifier: Apache-2.0 */
/* `jtiguard bench memory` as its users run it: every figure is there and can be true. How large
 * the figures are is no matter for a test, which shares its machine with others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "test_tool.h"

#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#define ENTRIES 20000

/* Where /dev/shm has no room for the host store its figures are left out. */
static void check_host(const json_t *object)
{
    static const char *const positive[] = {"host_fresh_ns",        "host_fresh_at_full_ns",
                                           "host_duplicate_ns",    "host_fresh_ratio",
                                           "host_duplicate_ratio", "host_fresh_at_full_ratio",
                                           "host_fresh_scaling",   "host_duplicate_scaling",
                                           "host_attach_us",       "host_bytes_per_entry"};
    if (json_object_get(object, "host_fresh_ns") == NULL)
        return;
    for (size_t i = 0; i < sizeof positive / sizeof positive[0]; i++)
        bench_assert_positive(object, positive[i]);
    bench_assert_order(object, "host_attach_us_min", "host_attach_us");
}

/* The figures of one thread count. */
static void check_object(const json_t *object, int threads)
{
    static const char *const positive[] = {"fresh_ns",
                                           "duplicate_ns",
                                           "release_ns",
                                           "bytes_per_entry",
                                           "sweep_none_wait_us",
                                           "sweep_all_wait_us",
                                           "fresh_at_full_ns",
                                           "chained_fresh_ns",
                                           "fresh_speedup_vs_chained",
                                           "floor_ns",
                                           "table_bytes",
                                           "max_step_slots",
                                           "bytes_per_entry_worst",
                                           "sweep_few_wait_us",
                                           "fill_wait_us",
                                           "fill_max_us",
                                           "batch_fresh_ns",
                                           "batch_duplicate_ns",
                                           "refusal_ns",
                                           "refusal_told_ns",
                                           "refusal_told_ratio",
                                           "fresh_over_floor",
                                           "duplicate_over_floor",
                                           "fresh_scaling",
                                           "fresh_at_full_scaling",
                                           "duplicate_scaling",
                                           "release_scaling"};
    assert_int_equal((int)bench_figure(object, "threads"), threads);
    assert_int_equal((int)bench_figure(object, "entries"), ENTRIES);
    assert_int_equal((int)bench_figure(object, "runs"), 2);
    for (size_t i = 0; i < sizeof positive / sizeof positive[0]; i++)
        bench_assert_positive(object, positive[i]);

    check_host(object);
    bench_assert_order(object, "fresh_ns_min", "fresh_ns");
    bench_assert_order(object, "fresh_ns", "fresh_ns_max");
    bench_assert_order(object, "fresh_speedup_min", "fresh_speedup_vs_chained");
    bench_assert_order(object, "fresh_speedup_vs_chained", "fresh_speedup_max");
    bench_assert_order(object, "fresh_over_floor_min", "fresh_over_floor");
    bench_assert_order(object, "refusal_told_ratio", "refusal_told_ratio_max");
    bench_assert_order(object, "fill_max_us_min", "fill_max_us_max");
    bench_assert_order(object, "bytes_per_entry", "bytes_per_entry_worst");
    bench_assert_order(object, "sweep_none_wait_us", "sweep_none_max_us");
    bench_assert_order(object, "sweep_all_wait_us", "sweep_all_max_us");
}

static void prints_an_object_a_thread_count(void **state)
{
    (void)state;
    char arguments[128];
    (void)snprintf(arguments, sizeof arguments, "memory --entries %d --threads 1,2 --runs 2 --json",
                   ENTRIES);
    FILE *output = bench_run(arguments);
    for (int threads = 1; threads <= 2; threads++) {
        json_t *object = bench_read_object(output);
        check_object(object, threads);
        json_decref(object);
    }
    bench_finish(output);
}

/* Without one thread there is nothing to compare more of them with. */
static void tells_no_scaling_without_one_thread(void **state)
{
    (void)state;
    FILE *output = bench_run("memory --entries 1000 --threads 2 --runs 1 --without-thread --json");
    json_t *object = bench_read_object(output);
    assert_null(json_object_get(object, "fresh_scaling"));
    json_decref(object);
    bench_finish(output);
}

static const char *read_text(FILE *from)
{
    static char text[65536];
    text[fread(text, 1, sizeof text - 1, from)] = '\0';
    return text;
}

/* All that a benchmark prints, up to its exit with 0. */
static const char *text_of(const char *arguments)
{
    FILE *output = bench_run(arguments);
    const char *text = read_text(output);
    bench_finish(output);
    return text;
}

static void prints_tables_for_people_and_what_they_say(void **state)
{
    (void)state;
    static const char *const parts[] = {
        "1000 entries, 1 run: medians\n",
        "\nTime of a call, nanoseconds          threads  jtiguard",
        "\n  32 duplicates at once, each              1 ",
        "\nRatios ",
        "\n  throughput to 1 thread: fresh keys       2 ",
        "\nMemory, bytes an entry ",
        "\nWaits of single calls, microseconds ",
        "\nBounded work ",
        "\n\nWith 1 and 2 threads a reservation that filled the table took ",
    };
    const char *text = text_of("memory --entries 1000 --threads 1,2 --runs 1");
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (strstr(text, parts[i]) == NULL)
            fail_msg("'%s' is missing in:\n%s", parts[i], text);
    assert_null(strstr(text, " nan\n"));
    assert_null(strstr(text, " nan "));
    assert_string_equal(text + strlen(text) - 3, ").\n");
}

/* ---- the drawing ---- */

static bool is_entity(const char *at)
{
    return strncmp(at, "&amp;", 5) == 0 || strncmp(at, "&lt;", 4) == 0 ||
           strncmp(at, "&gt;", 4) == 0;
}

/* As far as what the benchmark draws goes: elements that are closed in order, and nothing in their
 * text that would open another. */
static void assert_well_formed(const char *xml)
{
    enum { DEEPEST = 4, NAME = 16 };
    char open[DEEPEST][NAME];
    size_t depth = 0, elements = 0;
    for (const char *at = xml; *at != '\0'; at++) {
        if (*at == '&' && !is_entity(at))
            fail_msg("a bare '&' at: %.40s", at);
        if (*at != '<')
            continue;
        const char *name = at + (at[1] == '/' ? 2 : 1);
        int len = (int)strcspn(name, " />");
        at = strchr(at, '>');
        assert_non_null(at);
        assert_in_range(len, 1, NAME - 1);
        if (name[-1] == '/') {
            assert_true(depth > 0);
            assert_memory_equal(open[--depth], name, (size_t)len);
        } else if (at[-1] != '/') {
            assert_true(depth < DEEPEST);
            (void)snprintf(open[depth++], NAME, "%.*s", len, name);
        }
        elements++;
    }
    assert_int_equal(depth, 0);
    assert_true(elements > 50);
}

static void draws_its_figures(void **state)
{
    (void)state;
    static const char *const parts[] = {
        "<svg xmlns=\"http://www.w3.org/2000/svg\" ",
        "role=\"img\" aria-labelledby=\"title description\"",
        "<title id=\"title\">The memory store of jtiguard beside a chained table</title>",
        "<desc id=\"description\">With 1 and 2 threads a reservation that filled the table took ",
        "@media (prefers-color-scheme:dark){",
        ">fresh keys, growth, 2 threads</text>",
        ">32 fresh keys at once, 1 thread</text>",
        ">1000</text>",
    };
    char path[] = "/tmp/jtiguard-bench-XXXXXX", arguments[128];
    int fd = mkstemp(path);
    FILE *drawing = fdopen(fd, "r");
    assert_non_null(drawing);
    (void)snprintf(arguments, sizeof arguments, "memory --entries 1000 --runs 1 --json --svg %s",
                   path);
    assert_int_equal(bench_run_quietly(arguments), 0);
    const char *xml = read_text(drawing);
    (void)fclose(drawing);
    (void)unlink(path);
    assert_well_formed(xml);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (strstr(xml, parts[i]) == NULL)
            fail_msg("'%s' is missing in:\n%s", parts[i], xml);
    assert_null(strstr(xml, "\"nan\""));
    assert_null(strstr(xml, ",nan"));
}

/* The first before it has measured anything. */
static void says_when_the_drawing_cannot_be_written(void **state)
{
    (void)state;
    assert_int_equal(bench_run_quietly("memory --entries 400000000 --svg /dev/null/drawing"), 3);
    assert_int_equal(
        bench_run_quietly("memory --entries 1000 --threads 1 --runs 1 --svg /dev/full"), 3);
}

static void helps(void **state)
{
    (void)state;
    assert_int_equal(bench_run_quietly("--help"), 0);
    assert_int_equal(bench_run_quietly("memory --help"), 0);
}

static void refuses_bad_usage(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "memroy",
        "memory --entrys 5000",
        "memory 5000",
        "memory --entries",
        "memory --entries 999",
        "memory --entries 400000001",
        "memory --entries -5000",
        "memory --entries 5000x",
        "memory --entries 99999999999999999999999",
        "memory --threads ''",
        "memory --threads 0",
        "memory --threads 65",
        "memory --threads 1,",
        "memory --threads 1,,2",
        "memory --threads 1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1",
        "memory --runs 0",
        "memory --svg",
        "memory --svg ''",
        "memory --runs 100",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (bench_run_quietly(bad[i]) != 2)
            fail_msg("'%s' was not refused as bad usage", bad[i]);
}

static void says_when_the_result_cannot_be_written(void **state)
{
    (void)state;
    assert_int_equal(system("'" JTIGUARD_TOOL
                            "' bench memory --entries 1000 --threads 1 --runs 1 --json"
                            " >/dev/full 2>/dev/null") >>
                         8,
                     3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prints_an_object_a_thread_count),
        cmocka_unit_test(tells_no_scaling_without_one_thread),
        cmocka_unit_test(prints_tables_for_people_and_what_they_say),
        cmocka_unit_test(draws_its_figures),
        cmocka_unit_test(says_when_the_drawing_cannot_be_written),
        cmocka_unit_test(helps),
        cmocka_unit_test(refuses_bad_usage),
        cmocka_unit_test(says_when_the_result_cannot_be_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
