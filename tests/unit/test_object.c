/* SPDX-License-Identifier: Apache-2.0 */
#include "core/object.h"
#include "support/alloc_walk.h"
#include "support/asserts.h"
#include "support/test_clock.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { COUNTERS = 3 };

static void one_without_a_wish_has_the_systems_clock_and_no_log(void **state)
{
    struct jtgi_object object = {0};
    (void)state;
    assert_status(jtgi_object_begin(&object, NULL, NULL, 0, NULL), JTG_OK);
    assert_true(jtgi_clock_wall_ms(&object.clock) > 0);
    assert_null(object.logger.write);
    assert_null(object.counters);
    assert_status(jtgi_object_check(&object, "it was", NULL), JTG_OK);
    jtgi_object_end(&object);
}

static void one_takes_the_callers_clock_and_counts(void **state)
{
    struct jtgi_object object = {0};
    struct test_clock moved;
    (void)state;
    test_clock_init(&moved);
    jtg_clock clock = test_clock_as_jtg(&moved);
    assert_status(jtgi_object_begin(&object, &clock, NULL, COUNTERS, NULL), JTG_OK);
    assert_int_equal(jtgi_clock_wall_ms(&object.clock), TEST_CLOCK_WALL_MS);
    jtgi_counters_add(object.counters, COUNTERS - 1);
    assert_int_equal(jtgi_counters_read(object.counters, COUNTERS - 1), 1);
    jtgi_object_end(&object);
    jtgi_object_end(&object); /* once is enough */
}

static void a_clock_or_logger_that_is_none_is_refused(void **state)
{
    struct jtgi_object object = {0};
    jtg_clock clock = {0};
    jtg_logger logger = {.struct_size = sizeof logger};
    jtg_error err = JTG_ERROR_INIT;
    (void)state;
    assert_status(jtgi_object_begin(&object, &clock, NULL, COUNTERS, NULL), JTG_ERR_ARGUMENT);
    assert_status(jtgi_object_begin(&object, NULL, &logger, COUNTERS, &err), JTG_ERR_ARGUMENT);
    assert_err_tells(&err, JTG_ERR_ARGUMENT);
    jtgi_object_end(&object);
}

static void one_without_memory_is_not_born(void **state)
{
    struct jtgi_object object = {0};
    (void)state;
    alloc_walk_fail_all();
    assert_status(jtgi_object_begin(&object, NULL, NULL, COUNTERS, NULL), JTG_ERR_MEMORY);
    assert_true(alloc_walk_end());
    jtgi_object_end(&object);
}

static int in_child(const struct jtgi_object *object)
{
    jtg_error err = JTG_ERROR_INIT;
    bool refused = jtgi_object_is_forked(object) &&
                   jtgi_object_check(object, "the thing was", &err) == JTG_ERR_FORKED &&
                   strncmp(err.text, "the thing was made before fork", 30) == 0;
    return refused ? 0 : 1;
}

static void one_belongs_to_the_process_that_made_it(void **state)
{
    struct jtgi_object object = {0};
    int how = 0;
    (void)state;
    assert_status(jtgi_object_begin(&object, NULL, NULL, 0, NULL), JTG_OK);
    pid_t child = fork();
    if (child == 0)
        _exit(in_child(&object));
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFEXITED(how) && WEXITSTATUS(how) == 0);
    assert_false(jtgi_object_is_forked(&object));
    jtgi_object_end(&object);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_without_a_wish_has_the_systems_clock_and_no_log),
        cmocka_unit_test(one_takes_the_callers_clock_and_counts),
        cmocka_unit_test(a_clock_or_logger_that_is_none_is_refused),
        cmocka_unit_test(one_without_memory_is_not_born),
        cmocka_unit_test(one_belongs_to_the_process_that_made_it),
    };
    return cmocka_run_group_tests_name("object", tests, NULL, NULL);
}
