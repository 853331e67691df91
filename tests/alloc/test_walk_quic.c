/* SPDX-License-Identifier: Apache-2.0 */
/* QUIC tokens with each acquisition of memory failing in turn: nothing leaks, nothing is handed out
 * twice, and what is there can be used afterwards. */
#include "support/alloc_walk.h"
#include "support/asserts.h"
#include "support/quic_contract.h"

#include <jtiguard/memory.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define HOST "server.example"

enum { NTH_MAX = 100 };

static jtg_cache *cache;

static int open_cache(void **state)
{
    jtg_memory_options options = JTG_MEMORY_OPTIONS_INIT;
    (void)state;
    options.sweep_interval_ms = 0;
    return jtg_memory_new(&cache, &options, NULL) == JTG_OK ? 0 : -1;
}

static int close_cache(void **state)
{
    (void)state;
    jtg_cache_free(cache);
    return 0;
}

/* One call of each kind; what it needs is there. */
struct walk {
    jtg_quic_tokens *tokens;
    jtg_quic_registry *registry;
    char text[32];
    jtg_quic_token token;
};

typedef jtg_status (*step)(struct walk *walk, jtg_error *err);

/* Returns how many times it failed before it succeeded. */
static unsigned walk_through(struct walk *walk, step call)
{
    for (unsigned nth = 1; nth < NTH_MAX; nth++) {
        jtg_error err = JTG_ERROR_INIT;
        alloc_walk_fail_nth(nth);
        jtg_status status = call(walk, &err);
        bool failed = alloc_walk_end();
        assert_err_tells(&err, status);
        assert_status(status, failed ? JTG_ERR_MEMORY : JTG_OK);
        if (!failed)
            return nth - 1;
    }
    fail_msg("it never succeeds");
    return 0;
}

static jtg_status make_tokens(struct walk *walk, jtg_error *err)
{
    return jtg_quic_tokens_new(&walk->tokens, cache, NULL, err);
}

static jtg_status make_registry(struct walk *walk, jtg_error *err)
{
    return jtg_quic_registry_new(&walk->registry, err);
}

static jtg_status start_tokens(struct walk *walk, jtg_error *err)
{
    return jtg_quic_registry_start(walk->registry, walk->tokens, err);
}

static jtg_status store_token(struct walk *walk, jtg_error *err)
{
    jtg_endpoint endpoint = quic_endpoint(HOST);
    jtg_quic_token token = JTG_QUIC_TOKEN_INIT;
    jtg_quic_fate fate = JTG_QUIC_NOT_STORED;
    token.data = walk->text;
    token.data_len = strlen(walk->text);
    jtg_status status = jtg_quic_tokens_store(walk->tokens, &endpoint, QUIC_V1, &token, &fate, err);
    assert_true(status == JTG_OK || fate == JTG_QUIC_NOT_STORED);
    return status;
}

static jtg_status take_token(struct walk *walk, jtg_error *err)
{
    jtg_endpoint endpoint = quic_endpoint(HOST);
    jtg_status status = jtg_quic_tokens_take(walk->tokens, &endpoint, QUIC_V1, &walk->token, err);
    assert_int_equal(walk->token.storage != NULL, status == JTG_OK);
    return status;
}

static jtg_status load_token(struct walk *walk, jtg_error *err)
{
    jtg_endpoint endpoint = quic_endpoint(HOST);
    return jtg_quic_tokens_maybe_load(walk->tokens, &endpoint, QUIC_V1, &walk->token, NULL, err);
}

static jtg_status size_of_tokens(struct walk *walk, jtg_error *err)
{
    uint64_t origins = 0;
    return jtg_quic_tokens_size(walk->tokens, &origins, err);
}

static jtg_status prune_tokens(struct walk *walk, jtg_error *err)
{
    return jtg_quic_tokens_prune(walk->tokens, NULL, err);
}

static jtg_status clear_tokens(struct walk *walk, jtg_error *err)
{
    return jtg_quic_tokens_clear(walk->tokens, err);
}

static void making(void **state)
{
    (void)state;
    struct walk walk = {0};
    assert_in_range(walk_through(&walk, make_tokens), 2, NTH_MAX);
    assert_in_range(walk_through(&walk, make_registry), 1, NTH_MAX);
    assert_in_range(walk_through(&walk, start_tokens), 1, NTH_MAX);
    jtg_quic_registry_free(walk.registry);
}

/* Each try is of another token, for one whose origin could not be noted is there all the same. */
static void storing(void **state)
{
    (void)state;
    struct walk walk = {0};
    bool failed = true;
    unsigned failures = 0;
    unsigned taken = 0;
    assert_status(make_tokens(&walk, NULL), JTG_OK);
    for (unsigned nth = 1; failed; nth++) {
        assert_in_range(nth, 1, NTH_MAX);
        snprintf(walk.text, sizeof walk.text, "token %u", nth);
        alloc_walk_fail_nth(nth);
        jtg_status status = store_token(&walk, NULL);
        failed = alloc_walk_end();
        assert_status(status, failed ? JTG_ERR_MEMORY : JTG_OK);
        failures += failed;
        /* once more: stored now, or known from before */
        assert_status(store_token(&walk, NULL), JTG_OK);
        while (*quic_take(walk.tokens, HOST) != '\0')
            taken++;
        assert_int_equal(taken, nth);
    }
    assert_in_range(failures, 4, NTH_MAX);
    jtg_quic_tokens_free(walk.tokens);
}

/* A take that fails has removed nothing. */
static void handing_out(void **state)
{
    (void)state;
    struct walk walk = {.token = JTG_QUIC_TOKEN_INIT};
    assert_status(make_tokens(&walk, NULL), JTG_OK);
    assert_int_equal(quic_store(walk.tokens, HOST, "one", 0), JTG_QUIC_STORED);
    assert_int_equal(quic_store(walk.tokens, HOST, "two", 0), JTG_QUIC_STORED);
    assert_int_equal(walk_through(&walk, take_token), 1);
    assert_memory_equal(walk.token.data, "two", 3);
    jtg_quic_token_clear(&walk.token);
    assert_int_equal(walk_through(&walk, load_token), 1);
    assert_memory_equal(walk.token.data, "one", 3);
    jtg_quic_token_clear(&walk.token);
    jtg_quic_tokens_free(walk.tokens);
}

static void counting_and_clearing(void **state)
{
    (void)state;
    struct walk walk = {0};
    assert_status(make_tokens(&walk, NULL), JTG_OK);
    assert_int_equal(quic_store(walk.tokens, "a.example", "1", 0), JTG_QUIC_STORED);
    assert_int_equal(quic_store(walk.tokens, "b.example", "1", 0), JTG_QUIC_STORED);
    assert_int_equal(quic_store(walk.tokens, "c.example", "1", 0), JTG_QUIC_STORED);
    assert_in_range(walk_through(&walk, size_of_tokens), 3, NTH_MAX);
    assert_string_equal(quic_take(walk.tokens, "b.example"), "1");
    assert_in_range(walk_through(&walk, prune_tokens), 3, NTH_MAX);
    assert_int_equal(quic_size(walk.tokens), 2);
    assert_in_range(walk_through(&walk, clear_tokens), 1, NTH_MAX);
    assert_int_equal(quic_size(walk.tokens), 0);
    jtg_quic_tokens_free(walk.tokens);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, open_cache, close_cache)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(making),
        CASE(storing),
        CASE(handing_out),
        CASE(counting_and_clearing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
