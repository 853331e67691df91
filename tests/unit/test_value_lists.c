/* SPDX-License-Identifier: Apache-2.0 */
#include "host/value_lists.h"

#include "support/asserts.h"
#include "support/value_memory.h"

#include <string.h>

enum { VALUES = 8, BYTES = 400, NOW = 100, LATER = 1000 };

static struct value_memory memory;

static int set_up(void **state)
{
    (void)state;
    value_memory_open(&memory, VALUES, BYTES);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    assert_null(value_area_fault(memory.area));
    value_memory_close(&memory);
    return 0;
}

static jtg_key key_of(const char *text)
{
    return (jtg_key){text, strlen(text), NULL, 0};
}

static jtg_status push_until(const char *text, uint64_t value, size_t keep, uint64_t end)
{
    const jtg_key key = key_of(text);
    const struct jtgi_value_item item = {&value, sizeof value, end, keep};
    struct jtgi_value_found found = jtgi_value_find_locked(memory.area, &key, NOW);
    return jtgi_value_push_locked(memory.area, &found, &key, &item);
}

static jtg_status push(const char *text, uint64_t value, size_t keep)
{
    return push_until(text, value, keep, LATER);
}

static void pop(const char *text)
{
    const jtg_key key = key_of(text);
    const struct jtgi_value_found found = jtgi_value_find_locked(memory.area, &key, NOW);
    assert_non_null(found.key);
    jtgi_value_pop_locked(memory.area, &found);
}

/* The list of a key is these numbers of one figure, newest first. */
static void assert_list(const char *text, const char *figures)
{
    const jtg_key key = key_of(text);
    uint64_t first[VALUE_LIST_MAX];
    size_t count = value_area_list(memory.area, &key, first);
    assert_int_equal(count, strlen(figures));
    for (size_t i = 0; i < count; i++)
        assert_int_equal(first[i], figures[i] - '0');
}

static void test_the_newest_stay(void **state)
{
    (void)state;
    for (uint64_t i = 1; i <= 5; i++)
        assert_status(push("a", i, 3), JTG_OK);
    assert_list("a", "543");
    assert_status(push("a", 6, 2), JTG_OK);
    assert_list("a", "65");
    assert_status(push("a", 7, 64), JTG_OK);
    assert_list("a", "765");
    assert_status(push("a", 8, 1), JTG_OK);
    assert_list("a", "8");
}

static void test_keys_do_not_meet(void **state)
{
    (void)state;
    assert_status(push("a", 1, 2), JTG_OK);
    assert_status(push("b", 2, 2), JTG_OK);
    assert_status(push("aa", 3, 2), JTG_OK);
    assert_list("a", "1");
    assert_list("b", "2");
    assert_list("aa", "3");
    pop("b");
    assert_list("b", "");
    assert_list("a", "1");
    assert_int_equal(memory.area->head->keys, 2);
}

static void test_the_last_takes_its_key(void **state)
{
    (void)state;
    assert_status(push("a", 1, 2), JTG_OK);
    assert_status(push("a", 2, 2), JTG_OK);
    pop("a");
    assert_list("a", "1");
    pop("a");
    assert_int_equal(memory.area->head->keys, 0);
    assert_int_equal(memory.area->head->bytes, 0);
}

/* Anywhere in the list. */
static void test_what_has_ended_goes(void **state)
{
    const jtg_key key = key_of("a");
    (void)state;
    assert_status(push_until("a", 1, 9, NOW + 1), JTG_OK);
    assert_status(push("a", 2, 9), JTG_OK);
    assert_status(push_until("a", 3, 9, NOW + 1), JTG_OK);
    assert_int_equal(memory.area->head->earliest, NOW + 1);
    assert_list("a", "321");
    assert_non_null(jtgi_value_find_locked(memory.area, &key, NOW).key);
    assert_list("a", "321");
    assert_non_null(jtgi_value_find_locked(memory.area, &key, NOW + 1).key);
    assert_list("a", "2");
    assert_int_equal(memory.area->head->swept, 2);
    assert_null(jtgi_value_find_locked(memory.area, &key, LATER).key);
    assert_int_equal(memory.area->head->keys, 0);
}

static void test_a_bucket_is_swept(void **state)
{
    const jtg_key key = key_of("a");
    uint32_t *bucket = jtgi_value_bucket(memory.area, key.data, key.data_len);
    (void)state;
    assert_status(push_until("a", 1, 9, NOW + 5), JTG_OK);
    assert_status(push_until("a", 2, 9, NOW + 9), JTG_OK);
    memory.area->head->sweep_earliest = JTGI_NEVER;
    jtgi_value_sweep_bucket_locked(memory.area, bucket, NOW + 5);
    assert_list("a", "2");
    assert_int_equal(memory.area->head->sweep_earliest, NOW + 9);
    jtgi_value_sweep_bucket_locked(memory.area, bucket, NOW + 9);
    assert_int_equal(*bucket, 0);
    assert_int_equal(memory.area->head->swept, 2);
}

/* By their number, and by their bytes; what is pushed out makes room for what comes. */
static void test_both_bounds_hold(void **state)
{
    unsigned char large[BYTES];
    const jtg_key key = key_of("a");
    struct jtgi_value_item item = {large, sizeof large, LATER, 1};
    (void)state;
    memset(large, 1, sizeof large);
    for (uint64_t i = 1; i <= VALUES; i++)
        assert_status(push("a", i, 64), JTG_OK);
    assert_status(push("a", 9, 64), JTG_ERR_FULL);
    assert_status(push("b", 9, 1), JTG_ERR_FULL);
    assert_list("a", "87654321");
    assert_status(push("a", 9, VALUES), JTG_OK);
    assert_list("a", "98765432");
    struct jtgi_value_found found = jtgi_value_find_locked(memory.area, &key, NOW);
    assert_status(jtgi_value_push_locked(memory.area, &found, &key, &item), JTG_ERR_FULL);
    item.len = BYTES - 1;
    assert_status(jtgi_value_push_locked(memory.area, &found, &key, &item), JTG_OK);
    assert_int_equal(memory.area->head->bytes, BYTES);
    assert_status(push("b", 9, 1), JTG_ERR_FULL);
    jtgi_value_empty_bucket_locked(memory.area, jtgi_value_bucket(memory.area, "a", 1));
    assert_status(push("b", 9, 1), JTG_OK);
}

/* What leaves is wiped, of keys and of values. */
static void test_nothing_is_left_of_what_goes(void **state)
{
    static const char name[] = "the name of a host";
    const uint64_t secret = UINT64_C(0x5ec2e75ec2e75ec2);
    (void)state;
    assert_status(push(name, secret, 1), JTG_OK);
    assert_true(value_area_has(memory.area, &secret, sizeof secret));
    assert_status(push(name, 1, 1), JTG_OK);
    assert_false(value_area_has(memory.area, &secret, sizeof secret));
    pop(name);
    assert_false(value_area_has(memory.area, name, sizeof name - 1));
}

/* Lists that a stray write has bent into a circle end, and nothing outside is touched. */
static void test_a_circle_is_left(void **state)
{
    const jtg_key key = key_of("a"), other = key_of("b");
    (void)state;
    assert_status(push("a", 1, 9), JTG_OK);
    struct jtgi_value_found found = jtgi_value_find_locked(memory.area, &key, NOW);
    struct jtgi_value_cell *newest = jtgi_value_newest_locked(memory.area, &found);
    assert_non_null(newest);
    newest->behind = found.key->newest;
    found.key->behind = *found.link;
    for (uint32_t i = 0; i < memory.plan.buckets; i++)
        memory.area->buckets[i] = found.key->behind;
    assert_non_null(jtgi_value_find_locked(memory.area, &key, NOW).key);
    assert_null(jtgi_value_find_locked(memory.area, &other, NOW).key);
    assert_status(push("a", 2, 9), JTG_OK);
    jtgi_value_sweep_bucket_locked(memory.area, found.link, LATER);
    found.key->newest = UINT32_MAX;
    assert_null(jtgi_value_newest_locked(memory.area, &found));
    jtgi_value_empty_bucket_locked(memory.area, found.link);
    value_memory_close(&memory);
    set_up(NULL);
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_the_newest_stay),
        CASE(test_keys_do_not_meet),
        CASE(test_the_last_takes_its_key),
        CASE(test_what_has_ended_goes),
        CASE(test_a_bucket_is_swept),
        CASE(test_both_bounds_hold),
        CASE(test_nothing_is_left_of_what_goes),
        CASE(test_a_circle_is_left),
    };
    return cmocka_run_group_tests_name("value lists", tests, NULL, NULL);
}
