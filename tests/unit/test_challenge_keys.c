/* SPDX-License-Identifier: Apache-2.0 */
/* The key that lies in the store: found by all, lost by none, and taken over from others. */
#include "tokens/challenges/challenge_keys.h"

#include "support/asserts.h"
#include "support/fake_backend.h"
#include "support/test_clock.h"

#include <sodium.h>
#include <string.h>

static struct test_clock time_of_test;
static struct fake_store *store;
static jtg_cache *cache;
static struct jtgi_challenge_keys one;
static struct jtgi_challenge_keys two;

static int set_up(void **state)
{
    struct fake_limits limits = {0};
    (void)state;
    test_clock_init(&time_of_test);
    jtg_clock clock = test_clock_as_jtg(&time_of_test);
    store = fake_store_new(&clock, &limits);
    return sodium_init() < 0 || fake_cache_new(&cache, store, 1, NULL) != JTG_OK ||
           jtgi_challenge_keys_init(&one, cache, "a name", NULL, NULL) != JTG_OK ||
           jtgi_challenge_keys_init(&two, cache, "a name", NULL, NULL) != JTG_OK;
}

static int tear_down(void **state)
{
    (void)state;
    jtgi_challenge_keys_clear(&one);
    jtgi_challenge_keys_clear(&two);
    jtgi_challenge_keys_clear(&two);
    jtg_cache_free(cache);
    fake_store_free(store);
    return 0;
}

static struct jtgi_challenge_key newest_after_sync(struct jtgi_challenge_keys *keys)
{
    struct jtgi_challenge_key key;
    jtg_error err = JTG_ERROR_INIT;
    assert_status(jtgi_challenge_keys_sync(keys, &err), JTG_OK);
    jtgi_challenge_keys_newest(keys, &key);
    return key;
}

static jtg_status find(struct jtgi_challenge_keys *keys, const struct jtgi_challenge_key *wanted,
                       int64_t now_ms)
{
    struct jtgi_challenge_key key;
    jtg_error err = JTG_ERROR_INIT;
    jtg_status status = jtgi_challenge_keys_find(keys, wanted->id, now_ms, &key, &err);
    if (status == JTG_OK)
        assert_memory_equal(key.bytes, wanted->bytes, sizeof key.bytes);
    return status;
}

static void all_find_the_one_that_the_first_has_put(void **state)
{
    struct jtgi_challenge_key first = newest_after_sync(&one);
    struct jtgi_challenge_key second = newest_after_sync(&two);
    (void)state;
    assert_memory_equal(first.bytes, second.bytes, sizeof first.bytes);
    assert_false(sodium_is_zero(first.bytes, sizeof first.bytes));
}

static void who_only_consumes_finds_it_too(void **state)
{
    struct jtgi_challenge_key first = newest_after_sync(&one);
    (void)state;
    assert_status(find(&two, &first, 0), JTG_OK);
}

/* Whoever makes ids up does not ask the store as often. */
static void an_unknown_one_is_looked_for_now_and_then(void **state)
{
    struct jtgi_challenge_key made_up = {.id = "no"};
    (void)state;
    assert_status(find(&two, &made_up, 0), JTG_MISMATCH);
    uint64_t asked = jtg_cache_counter(cache, JTG_OP_GET, JTG_NOT_FOUND);
    struct jtgi_challenge_key first = newest_after_sync(&one);
    for (int64_t now_ms = 0; now_ms < 100; now_ms++)
        assert_status(find(&two, &made_up, now_ms), JTG_MISMATCH);
    assert_int_equal(jtg_cache_counter(cache, JTG_OP_GET, JTG_NOT_FOUND), asked + 1);
    assert_int_equal(jtg_cache_counter(cache, JTG_OP_GET, JTG_OK), 0);
    assert_status(find(&two, &first, 100), JTG_OK);
}

/* A look that the store did not answer is none: the key of the next one is looked for at once. */
static void a_failed_look_is_none(void **state)
{
    struct jtgi_challenge_key made_up = {.id = "no"};
    (void)state;
    assert_status(jtg_cache_put(cache, &one.place, "broken", 6, 1000, 1, NULL), JTG_OK);
    assert_status(find(&two, &made_up, 0), JTG_ERR_PROTOCOL);
    assert_status(jtg_cache_drop(cache, &one.place, NULL), JTG_OK);
    struct jtgi_challenge_key first = newest_after_sync(&one);
    assert_status(find(&two, &first, 0), JTG_OK);
}

static void a_store_that_lost_it_is_given_it_back(void **state)
{
    struct jtgi_challenge_key first = newest_after_sync(&one);
    (void)state;
    fake_store_forget(store);
    struct jtgi_challenge_key again = newest_after_sync(&one);
    assert_memory_equal(first.bytes, again.bytes, sizeof first.bytes);
    struct jtgi_challenge_key second = newest_after_sync(&two);
    assert_memory_equal(first.bytes, second.bytes, sizeof first.bytes);
}

static void one_of_others_is_taken_over_and_the_old_remembered(void **state)
{
    struct jtgi_challenge_key old = newest_after_sync(&one);
    (void)state;
    fake_store_forget(store);
    struct jtgi_challenge_key fresh = newest_after_sync(&two);
    assert_memory_not_equal(old.bytes, fresh.bytes, sizeof old.bytes);
    struct jtgi_challenge_key now = newest_after_sync(&one);
    assert_memory_equal(now.bytes, fresh.bytes, sizeof now.bytes);
    assert_status(find(&one, &old, 0), JTG_OK);
    assert_status(find(&two, &old, 0), JTG_MISMATCH);
}

static void a_few_are_remembered(void **state)
{
    struct jtgi_challenge_key seen[JTGI_CHALLENGE_KEYS_MAX + 1];
    (void)state;
    for (unsigned i = 0; i <= JTGI_CHALLENGE_KEYS_MAX; i++) {
        jtgi_challenge_keys_clear(&two);
        assert_status(jtgi_challenge_keys_init(&two, cache, "a name", NULL, NULL), JTG_OK);
        fake_store_forget(store);
        (void)newest_after_sync(&two);
        seen[i] = newest_after_sync(&one);
    }
    assert_status(find(&one, &seen[0], 0), JTG_MISMATCH);
    for (unsigned i = 1; i <= JTGI_CHALLENGE_KEYS_MAX; i++)
        assert_status(find(&one, &seen[i], 0), JTG_OK);
}

static void it_lives_as_long_as_it_is_used(void **state)
{
    struct jtgi_challenge_key first = newest_after_sync(&one);
    (void)state;
    for (unsigned i = 0; i < 5; i++) {
        test_clock_advance(&time_of_test, (int64_t)JTG_TTL_MAX_MS * 2 / 3);
        struct jtgi_challenge_key again = newest_after_sync(&one);
        struct jtgi_challenge_key second = newest_after_sync(&two);
        assert_memory_equal(first.bytes, again.bytes, sizeof first.bytes);
        assert_memory_equal(first.bytes, second.bytes, sizeof first.bytes);
    }
}

static void what_is_no_key_is_not_used(void **state)
{
    jtg_error err = JTG_ERROR_INIT;
    (void)state;
    assert_status(jtg_cache_put(cache, &one.place, "\001 short", 7, 1000, 1, NULL), JTG_OK);
    assert_status(jtgi_challenge_keys_sync(&one, &err), JTG_ERR_PROTOCOL);
}

static void one_that_is_given_stays_out_of_the_store(void **state)
{
    unsigned char secret[JTG_CHALLENGE_SECRET_BYTES] = "a secret of the program's";
    struct jtgi_challenge_key made_up = {.id = "no"};
    (void)state;
    jtgi_challenge_keys_clear(&two);
    assert_status(jtgi_challenge_keys_init(&two, cache, "a name", secret, NULL), JTG_OK);
    struct jtgi_challenge_key key = newest_after_sync(&two);
    assert_memory_equal(key.bytes, secret, sizeof secret);
    assert_status(find(&two, &made_up, 0), JTG_MISMATCH);
    assert_int_equal(jtg_cache_counter(cache, JTG_OP_GET, JTG_NOT_FOUND), 0);
    assert_int_equal(jtg_cache_counter(cache, JTG_OP_SWAP, JTG_OK), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(all_find_the_one_that_the_first_has_put),
        TEST(who_only_consumes_finds_it_too),
        TEST(an_unknown_one_is_looked_for_now_and_then),
        TEST(a_failed_look_is_none),
        TEST(a_store_that_lost_it_is_given_it_back),
        TEST(one_of_others_is_taken_over_and_the_old_remembered),
        TEST(a_few_are_remembered),
        TEST(it_lives_as_long_as_it_is_used),
        TEST(what_is_no_key_is_not_used),
        TEST(one_that_is_given_stays_out_of_the_store),
    };
    return cmocka_run_group_tests_name("keys of challenges", tests, NULL, NULL);
}
