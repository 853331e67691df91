/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers are handed out once, for a while, and from ranges that fit the load. */
#include "tokens/challenges/challenge_ranges.h"

#include "support/asserts.h"
#include "support/fake_backend.h"
#include "support/test_clock.h"

#include <sodium.h>
#include <string.h>

enum { LIFETIME_MS = 40000, WINDOW_MS = LIFETIME_MS / 4, MARGIN_MS = 500, FIRST = 1024 };

static struct test_clock time_of_test;
static jtg_clock test_time;
static struct fake_store *store;
static jtg_cache *cache;
static struct jtgi_challenge_ranges ranges;
static struct jtgi_challenge_range piece;

static int set_up(void **state)
{
    struct fake_limits limits = {.max_values = 24};
    jtg_challenges_options options = JTG_CHALLENGES_OPTIONS_INIT;
    (void)state;
    test_clock_init(&time_of_test);
    test_time = test_clock_as_jtg(&time_of_test);
    store = fake_store_new(&test_time, &limits);
    options.name = "a name";
    options.lifetime_ms = LIFETIME_MS;
    options.margin_ms = MARGIN_MS;
    if (sodium_init() < 0 || fake_cache_new(&cache, store, 1, NULL) != JTG_OK)
        return -1;
    jtgi_challenge_ranges_init(&ranges, cache, &test_time, &options);
    test_clock_advance(&time_of_test, MARGIN_MS + 1); /* by then the store has kept enough */
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    jtgi_challenge_ranges_clear(&ranges);
    jtg_cache_free(cache);
    fake_store_free(store);
    return 0;
}

static jtg_status add(void)
{
    jtg_error err = JTG_ERROR_INIT;
    return jtgi_challenge_ranges_add(&ranges, &err);
}

static uint32_t take(uint32_t most)
{
    bool runs_out = false;
    return jtgi_challenge_ranges_take(&ranges, most, &piece, &runs_out);
}

static jtg_status take_bit(const struct jtgi_challenge_range *range, uint32_t bit)
{
    unsigned char place[JTGI_CHALLENGE_PLACE_BYTES];
    jtg_key key = {place, jtgi_challenge_place(&ranges, range->name, place), NULL, 0};
    return jtg_cache_bitmap_take(cache, &key, bit, JTG_KEPT_ANY, NULL);
}

static void numbers_are_handed_out_once(void **state)
{
    (void)state;
    assert_int_equal(take(1), 0);
    assert_status(add(), JTG_OK);
    uint32_t next = 0;
    for (uint32_t most = 1; next < FIRST; most = most % 100 + 7) {
        uint32_t taken = take(most);
        assert_in_range(taken, 1, most);
        assert_int_equal(piece.next, next);
        assert_int_equal(piece.count, next + taken);
        next += taken;
    }
    assert_int_equal(next, FIRST);
    assert_int_equal(take(1), 0);
}

static void their_bits_are_there_before_them(void **state)
{
    (void)state;
    assert_status(add(), JTG_OK);
    assert_int_equal(take(1), 1);
    assert_status(take_bit(&piece, 0), JTG_OK);
    assert_status(take_bit(&piece, FIRST - 1), JTG_OK);
    assert_status(take_bit(&piece, FIRST), JTG_NOT_FOUND);
    assert_int_equal(piece.born_ms, TEST_CLOCK_WALL_MS + MARGIN_MS + 1);
    assert_int_equal(jtgi_challenge_needed_ms(&ranges, piece.born_ms), TEST_CLOCK_WALL_MS + 1);
}

/* And outlive the last that is handed out, by the margin. */
static void a_range_has_its_time(void **state)
{
    (void)state;
    assert_status(add(), JTG_OK);
    test_clock_advance(&time_of_test, WINDOW_MS - 1);
    assert_int_equal(take(1), 1);
    struct jtgi_challenge_range last = piece;
    test_clock_advance(&time_of_test, 1);
    assert_int_equal(take(1), 0);
    test_clock_advance(&time_of_test, LIFETIME_MS + MARGIN_MS - 1);
    assert_status(take_bit(&last, 0), JTG_OK);
    test_clock_advance(&time_of_test, 1);
    assert_status(take_bit(&last, 1), JTG_NOT_FOUND);
}

static void a_range_grows_with_the_load_and_shrinks_without(void **state)
{
    (void)state;
    uint32_t size = FIRST;
    for (unsigned i = 0; i < 8; i++) {
        assert_status(add(), JTG_OK);
        assert_int_equal(take(UINT32_MAX), size);
        assert_int_equal(take(1), 0);
        size = 2 * size < JTG_CHALLENGE_RANGE_DEFAULT ? 2 * size : JTG_CHALLENGE_RANGE_DEFAULT;
    }
    assert_int_equal(size, JTG_CHALLENGE_RANGE_DEFAULT);
    for (unsigned i = 0; i < 8; i++) {
        assert_status(add(), JTG_OK);
        assert_int_equal(take(1), 1);
        test_clock_advance(&time_of_test, WINDOW_MS);
        assert_int_equal(take(1), 0);
    }
    assert_status(add(), JTG_OK);
    assert_in_range(take(UINT32_MAX), FIRST / 2, 2 * FIRST);
}

static void one_caller_is_told_that_they_run_out(void **state)
{
    bool runs_out = true;
    (void)state;
    assert_status(add(), JTG_OK);
    assert_int_equal(jtgi_challenge_ranges_take(&ranges, FIRST / 2, &piece, &runs_out), FIRST / 2);
    assert_false(runs_out);
    assert_int_equal(jtgi_challenge_ranges_take(&ranges, FIRST / 2 - 9, &piece, &runs_out),
                     FIRST / 2 - 9);
    assert_true(runs_out);
    assert_int_equal(jtgi_challenge_ranges_take(&ranges, 1, &piece, &runs_out), 1);
    assert_false(runs_out);
    assert_status(add(), JTG_OK);
    jtgi_challenge_ranges_asked(&ranges);
    assert_int_equal(jtgi_challenge_ranges_take(&ranges, 1, &piece, &runs_out), 1);
    assert_false(runs_out);
}

static void spare_ones_are_handed_out_next(void **state)
{
    unsigned char names[1 + JTGI_CHALLENGE_RANGES_SPARE][JTGI_CHALLENGE_RANGE_BYTES];
    (void)state;
    for (unsigned i = 0; i < JTGI_CHALLENGE_RANGES_SPARE + 3; i++)
        assert_status(add(), JTG_OK);
    for (unsigned i = 0; i <= JTGI_CHALLENGE_RANGES_SPARE; i++) {
        assert_int_equal(take(UINT32_MAX), FIRST);
        memcpy(names[i], piece.name, sizeof names[i]);
        for (unsigned j = 0; j < i; j++)
            assert_memory_not_equal(names[i], names[j], sizeof names[i]);
    }
    assert_int_equal(take(1), 0);
}

/* And with it all that are ready; but not for one that is another's. */
static void one_that_was_forgotten_is_left(void **state)
{
    (void)state;
    assert_status(add(), JTG_OK);
    assert_status(add(), JTG_OK);
    assert_int_equal(take(1), 1);
    struct jtgi_challenge_range first = piece;
    jtgi_challenge_ranges_drop(&ranges, (const unsigned char *)"another's range.");
    assert_int_equal(take(1), 1);
    jtgi_challenge_ranges_drop(&ranges, first.name);
    assert_int_equal(take(1), 0);
    assert_status(add(), JTG_OK);
    jtgi_challenge_ranges_drop(&ranges, first.name);
    assert_int_equal(take(1), 1);
    assert_memory_not_equal(piece.name, first.name, sizeof first.name);
    assert_int_equal(piece.next, 0);
}

static void none_is_had_where_it_could_not_be_trusted(void **state)
{
    (void)state;
    fake_store_forget(store);
    assert_status(add(), JTG_ERR_CONTINUITY);
    test_clock_advance(&time_of_test, MARGIN_MS);
    assert_status(add(), JTG_ERR_CONTINUITY); /* rounded up */
    test_clock_advance(&time_of_test, 1);
    assert_status(add(), JTG_OK);
}

static void a_full_store_has_none(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 24; i++)
        assert_status(add(), JTG_OK);
    assert_status(add(), JTG_ERR_FULL);
    test_clock_advance(&time_of_test, WINDOW_MS + LIFETIME_MS + MARGIN_MS);
    assert_status(add(), JTG_OK);
}

static void a_clock_out_of_its_mind_is_not_used(void **state)
{
    (void)state;
    test_clock_set_wall_by(&time_of_test, -TEST_CLOCK_WALL_MS * 2);
    assert_status(add(), JTG_ERR_SYSTEM);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(numbers_are_handed_out_once),
        TEST(their_bits_are_there_before_them),
        TEST(a_range_has_its_time),
        TEST(a_range_grows_with_the_load_and_shrinks_without),
        TEST(one_caller_is_told_that_they_run_out),
        TEST(spare_ones_are_handed_out_next),
        TEST(one_that_was_forgotten_is_left),
        TEST(none_is_had_where_it_could_not_be_trusted),
        TEST(a_full_store_has_none),
        TEST(a_clock_out_of_its_mind_is_not_used),
    };
    return cmocka_run_group_tests_name("ranges of challenges", tests, NULL, NULL);
}
