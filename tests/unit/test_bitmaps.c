/* SPDX-License-Identifier: Apache-2.0 */
/* What the contract list cannot see from outside: room, and values of the caller's. */
#include "memory/bitmaps.h"

#include "core/digest.h"
#include "support/asserts.h"

#include <string.h>

enum { MAX_VALUES = 4, MAX_BYTES = 200, NOW = 10, LIFE = 1000 };

static struct jtgi_values *values;

static int set_up(void **state)
{
    (void)state;
    values = jtgi_values_new(MAX_VALUES, MAX_BYTES);
    return values == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    jtgi_values_free(values, false);
    return 0;
}

static jtg_status make(const char *name, uint32_t bits)
{
    jtg_key key = {name, strlen(name), NULL, 0};
    return jtgi_bitmaps_put(values, &key, bits, NOW, LIFE);
}

static jtg_status take(const char *name, uint32_t bit, uint64_t now)
{
    jtg_bitmap_call call = {.key = {name, strlen(name), NULL, 0}, .bit = bit};
    jtg_bitmap_call *calls[] = {&call};
    jtgi_bitmaps_take_many(values, calls, 1, now);
    return call.status;
}

static uint64_t bytes_used(void)
{
    struct jtgi_values_stats stats;
    jtgi_values_stats_get(values, &stats);
    return stats.bytes;
}

static void test_takes_a_bit_for_each(void **state)
{
    (void)state;
    assert_status(make("a", 256), JTG_OK);
    assert_int_equal(bytes_used(), 256 / 8 + JTGI_DIGEST_BYTES);
    assert_status(make("a", 256), JTG_REPLAYED);
    for (uint32_t bit = 0; bit < 256; bit++)
        assert_status(take("a", bit, NOW), JTG_OK);
    assert_int_equal(bytes_used(), 256 / 8 + JTGI_DIGEST_BYTES);
    assert_status(take("a", 255, NOW), JTG_REPLAYED);
    assert_status(take("a", 256, NOW), JTG_NOT_FOUND);
}

static void test_ends_at_its_end(void **state)
{
    (void)state;
    assert_status(make("a", 8), JTG_OK);
    assert_status(take("a", 0, NOW + LIFE - 1), JTG_OK);
    assert_status(take("a", 1, NOW + LIFE), JTG_NOT_FOUND);
    assert_int_equal(bytes_used(), 0);
}

static void test_refuses_what_has_no_room(void **state)
{
    (void)state;
    assert_status(make("a", 8 * (MAX_BYTES - JTGI_DIGEST_BYTES)), JTG_OK);
    assert_status(make("b", 1), JTG_ERR_FULL);
    assert_status(take("a", 0, NOW), JTG_OK);
    assert_status(take("a", 0, NOW), JTG_REPLAYED);
}

/* Neither can be reached under the other's name. */
static void test_lies_apart_from_values(void **state)
{
    (void)state;
    jtg_key key = {"a", 1, NULL, 0};
    jtg_value value = JTG_VALUE_INIT;
    assert_status(make("a", 8), JTG_OK);
    assert_status(jtgi_values_get(values, &key, NOW, &value), JTG_NOT_FOUND);
    assert_status(jtgi_values_put(values, &key, "\0\0", 2, NOW, LIFE, 1), JTG_OK);
    assert_status(take("a", 0, NOW), JTG_OK);
    assert_status(take("a", 9, NOW), JTG_NOT_FOUND);
    assert_status(jtgi_values_drop(values, &key, NOW), JTG_OK);
    assert_status(take("a", 0, NOW), JTG_REPLAYED);
}

/* Keys that share a beginning, one after the other in one call. */
static void test_tells_keys_apart(void **state)
{
    (void)state;
    jtg_bitmap_call calls[] = {{.key = {"ab", 1, NULL, 0}, .bit = 0},
                               {.key = {"ab", 2, NULL, 0}, .bit = 0},
                               {.key = {"ac", 1, NULL, 0}, .bit = 0}};
    jtg_bitmap_call *all[] = {&calls[0], &calls[1], &calls[2]};
    assert_status(make("a", 8), JTG_OK);
    assert_status(make("ab", 8), JTG_OK);
    jtgi_bitmaps_take_many(values, all, 3, NOW);
    assert_status(calls[0].status, JTG_OK);
    assert_status(calls[1].status, JTG_OK);
    assert_status(calls[2].status, JTG_REPLAYED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_takes_a_bit_for_each, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_ends_at_its_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refuses_what_has_no_room, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_lies_apart_from_values, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_tells_keys_apart, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
