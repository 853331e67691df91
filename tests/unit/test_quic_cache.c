/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens on a cache: the contract in memory, and what stores do at bad moments. */
#include "support/asserts.h"
#include "support/gated_cache.h"
#include "support/quic_contract.h"
#include "support/test_clock.h"
#include "tokens/quic/quic_origins.h"

#include <jtiguard/memory.h>
#include <stdio.h>
#include <string.h>

#define HOST "server.example"

struct fixture {
    struct test_clock clock;
    jtg_cache *memory;
    struct gated_cache *store;
    jtg_quic_tokens *tokens;
    struct quic_world world;
};

static void open_fixture(struct fixture *fixture, bool watches)
{
    jtg_memory_options options = JTG_MEMORY_OPTIONS_INIT;
    memset(fixture, 0, sizeof *fixture);
    test_clock_init(&fixture->clock);
    jtg_clock clock = test_clock_as_jtg(&fixture->clock);
    options.sweep_interval_ms = 0;
    options.clock = &clock;
    assert_status(jtg_memory_new(&fixture->memory, &options, NULL), JTG_OK);
    fixture->store = gated_cache_new(fixture->memory, watches);
    fixture->tokens = quic_open(&fixture->store->base, NULL);
}

static int set_up(void **state)
{
    static struct fixture fixture;
    open_fixture(&fixture, false);
    *state = &fixture;
    return 0;
}

static int set_up_watched(void **state)
{
    static struct fixture fixture;
    open_fixture(&fixture, true);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    jtg_quic_tokens_free(fixture->tokens);
    jtg_cache_free(&fixture->store->base);
    jtg_cache_free(fixture->memory);
    return 0;
}

/* ---- the contract ---- */

static void pass(struct quic_world *world)
{
    test_clock_advance(world->context, 1);
}

static void the_contract_in_memory(void **state)
{
    for (const struct quic_case *at = quic_contract; at->name != NULL; at++) {
        struct fixture *fixture = NULL;
        print_message("  %s\n", at->name);
        set_up(state);
        fixture = *state;
        fixture->world.caches[0] = fixture->memory;
        fixture->world.caches[1] = &fixture->store->base; /* the same store, by another way */
        fixture->world.pass = pass;
        fixture->world.context = &fixture->clock;
        at->run(&fixture->world);
        tear_down(state);
    }
}

/* ---- bad moments ---- */

static jtg_status store_of(struct fixture *fixture, const char *text, int64_t connected_ms,
                           jtg_quic_fate *fate)
{
    jtg_endpoint endpoint = quic_endpoint(HOST);
    jtg_quic_token token = JTG_QUIC_TOKEN_INIT;
    jtg_error err = JTG_ERROR_INIT;
    token.data = text;
    token.data_len = strlen(text);
    token.connected_ms = connected_ms;
    jtg_status status =
        jtg_quic_tokens_store(fixture->tokens, &endpoint, QUIC_V1, &token, fate, &err);
    assert_err_tells(&err, status);
    return status;
}

static jtg_status take_of(struct fixture *fixture)
{
    jtg_endpoint endpoint = quic_endpoint(HOST);
    jtg_quic_token token = JTG_QUIC_TOKEN_INIT;
    jtg_error err = JTG_ERROR_INIT;
    jtg_status status = jtg_quic_tokens_take(fixture->tokens, &endpoint, QUIC_V1, &token, &err);
    assert_err_tells(&err, status);
    assert_true(status == JTG_OK || token.storage == NULL);
    jtg_quic_token_clear(&token);
    return status;
}

static void fail_at(struct fixture *fixture, jtg_operation operation, jtg_status answer, bool acts)
{
    fixture->store->operation = operation;
    fixture->store->answer = answer;
    fixture->store->acts_all_the_same = acts;
}

static void a_full_store_leaves_the_token_unmarked(void **state)
{
    struct fixture *fixture = *state;
    jtg_quic_fate fate = JTG_QUIC_STORED;
    fail_at(fixture, JTG_OP_PUT, JTG_ERR_FULL, false);
    assert_status(store_of(fixture, "one", 0, &fate), JTG_ERR_FULL);
    assert_int_equal(fate, JTG_QUIC_NOT_STORED);
    fail_at(fixture, JTG_OP_PUT, JTG_OK, false);
    assert_int_equal(quic_store(fixture->tokens, HOST, "one", 0), JTG_QUIC_STORED);
}

static void after_an_unknown_outcome_it_is_handed_out_at_most_once(void **state)
{
    struct fixture *fixture = *state;
    jtg_quic_fate fate = JTG_QUIC_STORED;
    for (int acts = 0; acts < 2; acts++) {
        char text[32];
        snprintf(text, sizeof text, "token %d", acts);
        fail_at(fixture, JTG_OP_PUT, JTG_ERR_TIMEOUT, acts != 0);
        assert_status(store_of(fixture, text, 0, &fate), JTG_ERR_TIMEOUT);
        assert_int_equal(fate, JTG_QUIC_NOT_STORED);
        fail_at(fixture, JTG_OP_PUT, JTG_OK, false);
        assert_string_equal(quic_take(fixture->tokens, HOST), acts ? text : "");
        assert_int_equal(quic_store(fixture->tokens, HOST, text, 0), JTG_QUIC_DUPLICATE);
        assert_string_equal(quic_take(fixture->tokens, HOST), "");
    }
}

static void a_take_whose_answer_is_lost_is_final(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(quic_store(fixture->tokens, HOST, "one", 0), JTG_QUIC_STORED);
    fail_at(fixture, JTG_OP_TAKE, JTG_ERR_TIMEOUT, true);
    assert_status(take_of(fixture), JTG_ERR_TIMEOUT);
    fail_at(fixture, JTG_OP_TAKE, JTG_OK, false);
    assert_status(take_of(fixture), JTG_NOT_FOUND);
    assert_int_equal(quic_store(fixture->tokens, HOST, "one", 0), JTG_QUIC_DUPLICATE);
}

/* The token is there, its origin may not be counted: it can be taken, once. */
static void a_list_that_cannot_be_written_is_told(void **state)
{
    struct fixture *fixture = *state;
    jtg_quic_fate fate = JTG_QUIC_STORED;
    fail_at(fixture, JTG_OP_SWAP, JTG_ERR_UNAVAILABLE, false);
    assert_status(store_of(fixture, "one", 0, &fate), JTG_ERR_UNAVAILABLE);
    assert_int_equal(fate, JTG_QUIC_NOT_STORED);
    fail_at(fixture, JTG_OP_SWAP, JTG_OK, false);
    assert_int_equal(quic_store(fixture->tokens, HOST, "one", 0), JTG_QUIC_DUPLICATE);
    assert_string_equal(quic_take(fixture->tokens, HOST), "one");
    assert_string_equal(quic_take(fixture->tokens, HOST), "");
}

static void who_never_gets_on_with_the_list_is_told(void **state)
{
    struct fixture *fixture = *state;
    jtg_quic_fate fate = JTG_QUIC_STORED;
    fail_at(fixture, JTG_OP_SWAP, JTG_MISMATCH, false);
    assert_status(store_of(fixture, "one", 0, &fate), JTG_ERR_UNAVAILABLE);
    assert_int_equal(atomic_load(&fixture->store->calls[JTG_OP_SWAP]), 64);
    assert_status(jtg_quic_tokens_clear(fixture->tokens, NULL), JTG_OK); /* there is no list */
}

static void foreign_bytes_are_told_and_removed(void **state)
{
    struct fixture *fixture = *state;
    jtg_key list = {"quic-origins:1:default", 22, NULL, 0};
    assert_int_equal(quic_store(fixture->tokens, HOST, "one", 0), JTG_QUIC_STORED);
    /* a list that is none: the tokens are there, and the next store begins another list */
    assert_status(jtg_cache_put(fixture->memory, &list, "nonsense", 8, 60000, 1, NULL), JTG_OK);
    assert_int_equal(quic_size(fixture->tokens), 0);
    assert_string_equal(quic_lookup(fixture->tokens, HOST), "one");
    assert_int_equal(quic_store(fixture->tokens, "b.example", "two", 0), JTG_QUIC_STORED);
    assert_int_equal(quic_size(fixture->tokens), 1);
    assert_status(jtg_cache_put(fixture->memory, &list, "nonsense", 8, 60000, 1, NULL), JTG_OK);
    assert_status(jtg_quic_tokens_clear(fixture->tokens, NULL), JTG_OK);
    assert_status(jtg_quic_tokens_prune(fixture->tokens, NULL, NULL), JTG_OK);
}

static void a_record_that_is_none_is_refused(void **state)
{
    struct fixture *fixture = *state;
    static const char *const records[] = {"x", "\1short", "\2................................."};
    jtg_value list = JTG_VALUE_INIT;
    jtg_key list_key = {"quic-origins:1:default", 22, NULL, 0};
    char text[64];
    assert_int_equal(quic_store(fixture->tokens, HOST, "one", 0), JTG_QUIC_STORED);
    assert_status(jtg_cache_get(fixture->memory, &list_key, &list, NULL), JTG_OK);
    jtgi_endpoint_key("quic:1:", jtgi_quic_origins_at(list.data, 0), text, sizeof text);
    jtg_value_clear(&list);
    jtg_key key = {text, strlen(text), NULL, 0};
    for (size_t i = 0; i < 3; i++) {
        assert_status(
            jtg_cache_put(fixture->memory, &key, records[i], strlen(records[i]), 1000, 8, NULL),
            JTG_OK);
        assert_status(take_of(fixture), JTG_ERR_PROTOCOL);
    }
    assert_string_equal(quic_take(fixture->tokens, HOST), "one");
}

/* ---- a prune and a clear while others store ---- */

struct meddler {
    struct fixture *fixture;
    jtg_quic_tokens *other;
    jtg_operation at;
    unsigned after;
    const char *host;
    unsigned calls;
};

static void meddle(void *context, jtg_operation operation)
{
    struct meddler *meddler = context;
    if (operation != meddler->at || meddler->calls++ != meddler->after)
        return;
    assert_int_equal(quic_store(meddler->other, meddler->host, "fresh", 0), JTG_QUIC_STORED);
}

/* At every call of the one that prunes or clears, another stores a token of each of three origins:
 * whenever the token is there afterwards, it is counted. */
static void whoever_stores_meanwhile_is_counted(void **state)
{
    static const char *const hosts[] = {"a.example", HOST, "c.example"};
    for (unsigned turn = 0; turn < 2 * 3 * 3 * 6; turn++) {
        struct fixture *fixture = NULL;
        set_up(state);
        fixture = *state;
        struct meddler meddler = {.fixture = fixture};
        bool clears = turn % 2;
        static const jtg_operation at[] = {JTG_OP_GET, JTG_OP_SWAP, JTG_OP_DROP};
        meddler.other = quic_open(fixture->memory, NULL);
        meddler.at = at[turn / 2 % 3];
        meddler.host = hosts[turn / 6 % 3];
        meddler.after = turn / 18;
        for (size_t i = 0; i < 3; i++) { /* in the list, and without a token */
            assert_int_equal(quic_store(meddler.other, hosts[i], "old", 0), JTG_QUIC_STORED);
            assert_string_equal(quic_take(meddler.other, hosts[i]), "old");
        }
        fixture->store->context = &meddler;
        fixture->store->before = meddle;
        assert_status(clears ? jtg_quic_tokens_clear(fixture->tokens, NULL)
                             : jtg_quic_tokens_prune(fixture->tokens, NULL, NULL),
                      JTG_OK);
        fixture->store->before = NULL;
        bool is_there = strcmp(quic_lookup(meddler.other, meddler.host), "fresh") == 0;
        assert_int_equal(quic_size(meddler.other), is_there);
        assert_true(clears || meddler.calls <= meddler.after || is_there);
        jtg_quic_tokens_free(meddler.other);
        tear_down(state);
    }
    set_up(state); /* for the tear-down of the case */
}

/* ---- a store that forgets ---- */

static void a_token_of_before_a_loss_is_not_handed_out(void **state)
{
    struct fixture *fixture = *state;
    fixture->store->kept_since_ms = 1000;
    assert_int_equal(quic_store(fixture->tokens, HOST, "one", 0), JTG_QUIC_STORED);
    assert_int_equal(quic_store(fixture->tokens, HOST, "two", 0), JTG_QUIC_STORED);
    assert_status(take_of(fixture), JTG_OK);
    fixture->store->kept_since_ms = 2000; /* a backup came back, with the token in it */
    assert_string_equal(quic_lookup(fixture->tokens, HOST), "one");
    assert_status(take_of(fixture), JTG_ERR_CONTINUITY);
    assert_status(take_of(fixture), JTG_NOT_FOUND);
    assert_int_equal(quic_store(fixture->tokens, HOST, "three", 0), JTG_QUIC_STORED);
    assert_status(take_of(fixture), JTG_OK);
}

static void who_cannot_be_asked_hands_nothing_out(void **state)
{
    struct fixture *fixture = *state;
    jtg_quic_fate fate = JTG_QUIC_STORED;
    assert_int_equal(quic_store(fixture->tokens, HOST, "one", 0), JTG_QUIC_STORED);
    fail_at(fixture, JTG_OP_KEPT_SINCE, JTG_ERR_UNAVAILABLE, false);
    assert_status(take_of(fixture), JTG_ERR_UNAVAILABLE);
    assert_status(store_of(fixture, "two", 0, &fate), JTG_ERR_UNAVAILABLE);
    fail_at(fixture, JTG_OP_KEPT_SINCE, JTG_OK, false);
    assert_status(take_of(fixture), JTG_NOT_FOUND);
}

static void a_copy_whose_first_may_be_forgotten_is_not_stored(void **state)
{
    struct fixture *fixture = *state;
    jtg_quic_fate fate = JTG_QUIC_STORED;
    fixture->store->kept_since_ms = 5000;
    assert_status(store_of(fixture, "one", 4999, &fate), JTG_ERR_CONTINUITY);
    assert_int_equal(fate, JTG_QUIC_MAY_BE_FORGOTTEN);
    assert_status(store_of(fixture, "one", 5000, &fate), JTG_OK);
    assert_int_equal(fate, JTG_QUIC_STORED);
    assert_status(store_of(fixture, "two", 0, &fate), JTG_OK);
    assert_int_equal(fate, JTG_QUIC_STORED);
}

/* ---- what it costs ---- */

static void it_asks_the_store_as_often_as_it_says(void **state)
{
    struct fixture *fixture = *state;
    const struct gated_cache *store = fixture->store;
    assert_int_equal(quic_store(fixture->tokens, HOST, "one", 0), JTG_QUIC_STORED);
    assert_int_equal(atomic_load(&store->calls[JTG_OP_SWAP]), 1);
    assert_int_equal(quic_store(fixture->tokens, HOST, "two", 0), JTG_QUIC_STORED);
    assert_int_equal(atomic_load(&store->calls[JTG_OP_SWAP]), 1); /* it is at the front */
    assert_int_equal(atomic_load(&store->calls[JTG_OP_RESERVE]), 2);
    assert_int_equal(atomic_load(&store->calls[JTG_OP_PUT]), 2);
    assert_int_equal(atomic_load(&store->calls[JTG_OP_GET]), 2);
    assert_int_equal(atomic_load(&store->calls[JTG_OP_KEPT_SINCE]), 2);
    assert_status(take_of(fixture), JTG_OK);
    assert_int_equal(atomic_load(&store->calls[JTG_OP_TAKE]), 1);
    assert_int_equal(atomic_load(&store->calls[JTG_OP_KEPT_SINCE]), 3);
}

static void it_remembers_as_long_as_it_says(void **state)
{
    struct fixture *fixture = *state;
    jtg_quic_tokens_options options = JTG_QUIC_TOKENS_OPTIONS_INIT;
    options.remember_ms = 5000;
    jtg_quic_tokens *tokens = quic_open(fixture->memory, &options);
    assert_int_equal(quic_store(tokens, HOST, "one", 1000), JTG_QUIC_STORED);
    assert_int_equal(quic_store(tokens, HOST, "two", 8000), JTG_QUIC_STORED);
    test_clock_advance(&fixture->clock, 4999);
    assert_int_equal(quic_store(tokens, HOST, "one", 1000), JTG_QUIC_DUPLICATE);
    test_clock_advance(&fixture->clock, 1);
    assert_int_equal(quic_store(tokens, HOST, "one", 1000), JTG_QUIC_STORED);
    test_clock_advance(&fixture->clock, 2999);
    assert_int_equal(quic_store(tokens, HOST, "two", 1000), JTG_QUIC_DUPLICATE);
    jtg_quic_tokens_free(tokens);
}

static void the_list_lives_as_long_as_the_tokens(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(quic_store(fixture->tokens, HOST, "short", 1000), JTG_QUIC_STORED);
    assert_int_equal(quic_store(fixture->tokens, HOST, "long", 60000), JTG_QUIC_STORED);
    assert_int_equal(quic_store(fixture->tokens, "other.example", "short", 1000), JTG_QUIC_STORED);
    test_clock_advance(&fixture->clock, 59999);
    assert_int_equal(quic_size(fixture->tokens), 1);
    assert_status(jtg_quic_tokens_prune(fixture->tokens, NULL, NULL), JTG_OK);
    assert_status(jtg_quic_tokens_clear(fixture->tokens, NULL), JTG_OK);
    assert_string_equal(quic_take(fixture->tokens, HOST), "");
}

/* What a page of the manual says of memory. */
static void what_a_token_costs_in_memory(void **state)
{
    struct fixture *fixture = *state;
    jtg_memory_stats before = {.struct_size = sizeof before};
    jtg_memory_stats after = {.struct_size = sizeof after};
    assert_status(jtg_memory_stats_get(fixture->memory, &before, NULL), JTG_OK);
    char host[32];
    for (int i = 0; i < 256; i++)
        for (int j = 0; j < 4; j++) {
            char text[161];
            snprintf(host, sizeof host, "host-%d.example", i);
            snprintf(text, sizeof text, "%0160d", 4 * i + j);
            assert_int_equal(quic_store(fixture->tokens, host, text, 0), JTG_QUIC_STORED);
        }
    assert_status(jtg_memory_stats_get(fixture->memory, &after, NULL), JTG_OK);
    assert_int_equal(after.values, 256 * 4 + 1);
    assert_int_equal(after.entries, 256 * 4);
    /* 1,024 records of 185 bytes, 256 keys of 50, and the list with its key */
    assert_int_equal(after.value_bytes, 1024 * 185 + 256 * 50 + (9 + 256 * 32) + 22);
}

#define CASE(name)    cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define WATCHED(name) cmocka_unit_test_setup_teardown(name, set_up_watched, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_contract_in_memory),
        CASE(a_full_store_leaves_the_token_unmarked),
        CASE(after_an_unknown_outcome_it_is_handed_out_at_most_once),
        CASE(a_take_whose_answer_is_lost_is_final),
        CASE(a_list_that_cannot_be_written_is_told),
        CASE(who_never_gets_on_with_the_list_is_told),
        CASE(foreign_bytes_are_told_and_removed),
        CASE(a_record_that_is_none_is_refused),
        cmocka_unit_test_teardown(whoever_stores_meanwhile_is_counted, tear_down),
        WATCHED(a_token_of_before_a_loss_is_not_handed_out),
        WATCHED(who_cannot_be_asked_hands_nothing_out),
        WATCHED(a_copy_whose_first_may_be_forgotten_is_not_stored),
        WATCHED(it_asks_the_store_as_often_as_it_says),
        CASE(it_remembers_as_long_as_it_says),
        CASE(the_list_lives_as_long_as_the_tokens),
        CASE(what_a_token_costs_in_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
