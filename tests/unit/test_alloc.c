/* SPDX-License-Identifier: Apache-2.0 */
#include "core/alloc.h"
#include "support/alloc_walk.h"
#include "support/asserts.h"

#include <sodium.h>
#include <string.h>

static void memory_is_zeroed(void **state)
{
    static const unsigned char zeros[1000];
    (void)state;
    unsigned char *memory = jtgi_alloc(sizeof zeros);
    assert_non_null(memory);
    assert_memory_equal(memory, zeros, sizeof zeros);
    jtgi_free(memory);
    jtgi_free(NULL);
}

static void memory_apart_is_zeroed_and_shares_no_place(void **state)
{
    static const unsigned char zeros[3 * JTGI_PLACE_BYTES];
    (void)state;
    for (size_t size = 1; size <= sizeof zeros; size += 61) {
        unsigned char *memory = jtgi_alloc_apart(size);
        assert_non_null(memory);
        assert_int_equal((uintptr_t)memory % JTGI_PLACE_BYTES, 0);
        assert_memory_equal(memory, zeros, size);
        memset(memory, 1, size);
        jtgi_free(memory);
    }
    assert_null(jtgi_alloc_apart(SIZE_MAX));
}

static void wiping_frees(void **state)
{
    (void)state;
    jtgi_free_wiped(NULL, 10);
    unsigned char *memory = jtgi_alloc(10);
    assert_non_null(memory);
    memset(memory, 0xaa, 10);
    jtgi_free_wiped(memory, 10);
}

static void a_string_is_copied(void **state)
{
    char text[] = "text";
    (void)state;
    char *copy = jtgi_strdup(text);
    assert_non_null(copy);
    text[0] = 'x';
    assert_string_equal(copy, "text");
    jtgi_free(copy);
    copy = jtgi_strdup("");
    assert_string_equal(copy, "");
    jtgi_free(copy);
}

static void pages_cost_nothing_until_touched(void **state)
{
    const size_t size = (size_t)1 << 36; /* more than most machines have */
    (void)state;
    unsigned char *pages = jtgi_map(size);
    assert_non_null(pages);
    assert_int_equal(pages[0], 0);
    assert_int_equal(pages[size - 1], 0);
    pages[size / 2] = 1;
    jtgi_unmap(pages, size);
    jtgi_unmap(NULL, size);
}

static void memory_for_a_secret_is_zeroed_and_can_fail(void **state)
{
    static const unsigned char zero[32];
    (void)state;
    assert_true(sodium_init() >= 0);
    unsigned char *key = jtgi_secret_alloc(sizeof zero);
    assert_non_null(key);
    assert_memory_equal(key, zero, sizeof zero);
    memset(key, 1, sizeof zero);
    jtgi_secret_free(key);
    jtgi_secret_free(NULL);
    alloc_walk_fail_all();
    assert_null(jtgi_secret_alloc(1));
    assert_true(alloc_walk_end());
}

static void the_nth_acquisition_fails(void **state)
{
    (void)state;
    alloc_walk_fail_nth(3);
    void *first = jtgi_alloc(1);
    void *second = jtgi_map(1);
    void *third = jtgi_alloc(1);
    bool fourth = jtgi_alloc_permitted();
    assert_true(alloc_walk_end());
    assert_non_null(first);
    assert_non_null(second);
    assert_null(third);
    assert_true(fourth);
    jtgi_free(first);
    jtgi_unmap(second, 1);
}

static void every_kind_of_acquisition_can_fail(void **state)
{
    (void)state;
    alloc_walk_fail_all();
    assert_null(jtgi_alloc(1));
    assert_null(jtgi_alloc_apart(1));
    assert_null(jtgi_map(1));
    assert_null(jtgi_strdup("text"));
    assert_false(jtgi_alloc_permitted());
    assert_true(alloc_walk_end());
    assert_true(jtgi_alloc_permitted());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_zeroed),
        cmocka_unit_test(memory_apart_is_zeroed_and_shares_no_place),
        cmocka_unit_test(wiping_frees),
        cmocka_unit_test(a_string_is_copied),
        cmocka_unit_test(pages_cost_nothing_until_touched),
        cmocka_unit_test(memory_for_a_secret_is_zeroed_and_can_fail),
        cmocka_unit_test(the_nth_acquisition_fails),
        cmocka_unit_test(every_kind_of_acquisition_can_fail),
    };
    return cmocka_run_group_tests_name("alloc", tests, NULL, NULL);
}
