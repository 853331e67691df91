/* SPDX-License-Identifier: Apache-2.0 */
/* How long a server remembers the tokens that it was shown, and what it makes of those that it may
 * have forgotten. */
#include "adapters/ngtcp2/token_server.h"
#include "support/asserts.h"
#include "support/fake_backend.h"
#include "support/random.h"

static void a_token_ends_and_its_record_no_earlier(void **state)
{
    (void)state;
    struct given given = token_give();
    struct given unused = token_give();
    assert_int_equal(token_check(&given), JTG_NGTCP2_VALID);
    test_clock_advance(&it.clock, TOKEN_LIFE_MS - 1);
    assert_int_equal(token_check(&given), JTG_NGTCP2_REUSED);
    assert_int_equal(token_check(&unused), JTG_NGTCP2_VALID);
    test_clock_advance(&it.clock, 1);
    assert_int_equal(token_check(&given), JTG_NGTCP2_INVALID);
    assert_int_equal(token_check(&unused), JTG_NGTCP2_INVALID);
}

/* A record of half the life is as good as none: whatever the ages, each token passes once. */
static void whenever_it_is_presented_it_passes_once(void **state)
{
    (void)state;
    enum { TOKENS = 40, STEPS = 2000 };
    struct given tokens[TOKENS];
    unsigned passed[TOKENS] = {0};
    unsigned most = 0;
    struct random_source random;
    uint64_t seed = random_seed();
    print_message("seed %llu\n", (unsigned long long)seed);
    random_init(&random, seed);
    for (unsigned i = 0; i < TOKENS; i++)
        tokens[i] =
            token_give_at(token_server_now() + random_below(&random, TOKEN_LIFE_MS) * NS_IN_MS +
                          random_below(&random, NS_IN_MS));
    for (unsigned step = 0; step < STEPS; step++) {
        unsigned i = (unsigned)random_below(&random, TOKENS);
        passed[i] += token_check(&tokens[i]) == JTG_NGTCP2_VALID;
        most = passed[i] > most ? passed[i] : most;
        test_clock_advance(&it.clock, (int64_t)random_below(&random, 3 * TOKEN_LIFE_MS / STEPS));
    }
    assert_int_equal(most, 1);
}

static void the_longest_life_is_a_life(void **state)
{
    (void)state;
    it.server.life = JTG_NGTCP2_LIFE_MOST;
    struct given given = token_give();
    test_clock_advance(&it.clock, (int64_t)(JTG_NGTCP2_LIFE_MOST / NS_IN_MS) - 1);
    assert_int_equal(token_check(&given), JTG_NGTCP2_VALID);
    assert_int_equal(token_check(&given), JTG_NGTCP2_REUSED);
    test_clock_advance(&it.clock, 1);
    assert_int_equal(token_check(&given), JTG_NGTCP2_INVALID);
}

/* It would be good for longer than it is remembered. */
static void a_token_from_the_future_is_unsure(void **state)
{
    (void)state;
    struct given skewed = token_give_at(token_server_now() + NS_IN_MS * 900ULL);
    struct given wrong = token_give_at(token_server_now() + NS_IN_MS * 1100ULL);
    assert_int_equal(token_check(&wrong), JTG_NGTCP2_UNSURE);
    assert_int_equal(token_check(&skewed), JTG_NGTCP2_VALID);
    assert_int_equal(token_check(&skewed), JTG_NGTCP2_REUSED);
    test_clock_advance(&it.clock, TOKEN_LIFE_MS + 899);
    assert_int_equal(token_check(&skewed), JTG_NGTCP2_REUSED);
    assert_int_equal(token_check(&wrong), JTG_NGTCP2_VALID);
}

/* The start rule rests on when a token was issued, which nobody tells this. */
static void what_was_issued_before_the_start_is_unsure(void **state)
{
    (void)state;
    struct given before = token_give();
    token_server_make_log(1);
    test_clock_advance(&it.clock, TOKEN_MARGIN_MS);
    struct given at_the_edge = token_give_at(token_server_now() - NS_IN_MS * 2ULL);
    test_clock_advance(&it.clock, 5);
    struct given after = token_give();
    assert_int_equal(token_check(&before), JTG_NGTCP2_UNSURE);
    assert_int_equal(token_check(&at_the_edge), JTG_NGTCP2_UNSURE);
    assert_int_equal(token_check(&after), JTG_NGTCP2_VALID);
    test_clock_advance(&it.clock, TOKEN_LIFE_MS / 2);
    assert_int_equal(token_check(&before), JTG_NGTCP2_UNSURE);
    assert_int_equal(token_check(&after), JTG_NGTCP2_REUSED);
}

/* On a store that can be full, and that can forget. */
static void on_fake(const struct fake_limits *limits, void (*with)(struct fake_store *store))
{
    jtg_cache *memory = it.cache;
    struct fake_store *store = fake_store_new(&it.clock_option, limits);
    assert_non_null(store);
    assert_status(fake_cache_new(&it.cache, store, 1, NULL), JTG_OK);
    token_server_make_log(1);
    with(store);
    jtg_quic_reuse_free(it.reuse);
    it.reuse = NULL;
    jtg_cache_free(it.cache);
    fake_store_free(store);
    it.cache = memory;
}

static void fill(struct fake_store *store)
{
    (void)store;
    struct given first;
    struct given second;
    jtg_error err = JTG_ERROR_INIT;
    test_clock_advance(&it.clock, TOKEN_MARGIN_MS + 5);
    first = token_give();
    second = token_give();
    assert_int_equal(token_check(&first), JTG_NGTCP2_VALID);
    assert_int_equal(token_check_with(&it.server, &second, &err), JTG_NGTCP2_UNSURE);
    assert_err_tells(&err, JTG_ERR_FULL);
    assert_int_equal(token_check(&first), JTG_NGTCP2_REUSED);
}

static void forget(struct fake_store *store)
{
    test_clock_advance(&it.clock, TOKEN_MARGIN_MS + 5);
    struct given used = token_give();
    struct given unused = token_give();
    assert_int_equal(token_check(&used), JTG_NGTCP2_VALID);
    test_clock_advance(&it.clock, 1);
    fake_store_forget(store);
    assert_int_equal(token_check(&used), JTG_NGTCP2_UNSURE);
    assert_int_equal(token_check(&unused), JTG_NGTCP2_UNSURE);
    test_clock_advance(&it.clock, TOKEN_MARGIN_MS + 5);
    struct given later = token_give();
    assert_int_equal(token_check(&later), JTG_NGTCP2_VALID);
    assert_int_equal(token_check(&used), JTG_NGTCP2_UNSURE);
}

static void a_full_store_makes_unsure(void **state)
{
    (void)state;
    on_fake(&(struct fake_limits){.max_entries = 1}, fill);
}

static void a_store_that_forgot_makes_unsure(void **state)
{
    (void)state;
    on_fake(&(struct fake_limits){0}, forget);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, token_server_start, token_server_stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_token_ends_and_its_record_no_earlier),
        CASE(whenever_it_is_presented_it_passes_once),
        CASE(the_longest_life_is_a_life),
        CASE(a_token_from_the_future_is_unsure),
        CASE(what_was_issued_before_the_start_is_unsure),
        CASE(a_full_store_makes_unsure),
        CASE(a_store_that_forgot_makes_unsure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
