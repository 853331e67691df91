/* SPDX-License-Identifier: Apache-2.0 */
#include "support/quic_contract.h"

#include "support/asserts.h"
#include "support/threads.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define HOST  "server.example"
#define OTHER "other.example"

/* ---- helpers ---- */

jtg_endpoint quic_endpoint(const char *host)
{
    jtg_endpoint endpoint = JTG_ENDPOINT_INIT;
    endpoint.host = host;
    endpoint.port = 443;
    return endpoint;
}

jtg_quic_tokens *quic_open(jtg_cache *cache, const jtg_quic_tokens_options *options)
{
    jtg_quic_tokens *tokens = NULL;
    assert_status(jtg_quic_tokens_new(&tokens, cache, options, NULL), JTG_OK);
    return tokens;
}

static jtg_quic_token token_of(const char *text)
{
    jtg_quic_token token = JTG_QUIC_TOKEN_INIT;
    token.data = text;
    token.data_len = strlen(text);
    return token;
}

jtg_quic_fate quic_store(jtg_quic_tokens *tokens, const char *host, const char *text,
                         uint64_t ttl_ms)
{
    jtg_quic_token token = token_of(text);
    jtg_endpoint endpoint = quic_endpoint(host);
    jtg_quic_fate fate = JTG_QUIC_NOT_STORED;
    token.ttl_ms = ttl_ms;
    assert_status(jtg_quic_tokens_store(tokens, &endpoint, QUIC_V1, &token, &fate, NULL), JTG_OK);
    return fate;
}

static const char *text_of(jtg_status status, jtg_quic_token *token)
{
    static char text[64];
    if (status == JTG_NOT_FOUND) {
        assert_null(token->storage);
        return "";
    }
    assert_status(status, JTG_OK);
    snprintf(text, sizeof text, "%.*s", (int)token->data_len, (const char *)token->data);
    jtg_quic_token_clear(token);
    assert_null(token->data);
    return text;
}

const char *quic_take(jtg_quic_tokens *tokens, const char *host)
{
    jtg_quic_token token = JTG_QUIC_TOKEN_INIT;
    jtg_endpoint endpoint = quic_endpoint(host);
    return text_of(jtg_quic_tokens_take(tokens, &endpoint, QUIC_V1, &token, NULL), &token);
}

const char *quic_lookup(jtg_quic_tokens *tokens, const char *host)
{
    jtg_quic_token token = JTG_QUIC_TOKEN_INIT;
    jtg_endpoint endpoint = quic_endpoint(host);
    return text_of(jtg_quic_tokens_lookup(tokens, &endpoint, QUIC_V1, &token, NULL), &token);
}

uint64_t quic_size(jtg_quic_tokens *tokens)
{
    uint64_t origins = 99;
    assert_status(jtg_quic_tokens_size(tokens, &origins, NULL), JTG_OK);
    return origins;
}

/* ---- the list ---- */

static void lookup_leaves_and_take_removes(struct quic_world *world)
{
    jtg_quic_tokens *tokens = quic_open(world->caches[0], NULL);
    assert_string_equal(quic_lookup(tokens, HOST), "");
    assert_int_equal(quic_store(tokens, HOST, "one", 0), JTG_QUIC_STORED);
    assert_string_equal(quic_lookup(tokens, HOST), "one");
    assert_string_equal(quic_lookup(tokens, HOST), "one");
    assert_string_equal(quic_take(tokens, HOST), "one");
    assert_string_equal(quic_take(tokens, HOST), "");
    assert_string_equal(quic_lookup(tokens, HOST), "");
    jtg_quic_tokens_free(tokens);
}

static void the_newest_comes_first_and_four_stay(struct quic_world *world)
{
    jtg_quic_tokens *tokens = quic_open(world->caches[0], NULL);
    static const char *const texts[] = {"1", "2", "3", "4", "5", "6"};
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(quic_store(tokens, HOST, texts[i], 0), JTG_QUIC_STORED);
    for (size_t i = 6; i > 2; i--)
        assert_string_equal(quic_take(tokens, HOST), texts[i - 1]);
    assert_string_equal(quic_take(tokens, HOST), "");
    assert_int_equal(quic_store(tokens, HOST, "1", 0), JTG_QUIC_DUPLICATE); /* it was pushed out */
    jtg_quic_tokens_free(tokens);
}

static void a_duplicate_is_dropped_also_after_use(struct quic_world *world)
{
    jtg_quic_tokens *tokens = quic_open(world->caches[0], NULL);
    jtg_quic_tokens *second = quic_open(world->caches[1], NULL);
    jtg_endpoint endpoint = quic_endpoint(HOST);
    assert_int_equal(quic_store(tokens, HOST, "one", 0), JTG_QUIC_STORED);
    assert_int_equal(quic_store(second, HOST, "one", 0), JTG_QUIC_DUPLICATE);
    assert_string_equal(quic_take(second, HOST), "one");
    assert_int_equal(quic_store(tokens, HOST, "one", 0), JTG_QUIC_DUPLICATE);
    assert_string_equal(quic_take(tokens, HOST), "");
    assert_int_equal(quic_store(tokens, HOST, "two", 0), JTG_QUIC_STORED);
    assert_status(jtg_quic_tokens_remove(second, &endpoint, QUIC_V1, NULL), JTG_OK);
    assert_status(jtg_quic_tokens_remove(second, &endpoint, QUIC_V1, NULL), JTG_NOT_FOUND);
    assert_int_equal(quic_store(tokens, HOST, "two", 0), JTG_QUIC_DUPLICATE);
    assert_int_equal(quic_store(tokens, HOST, "three", 0), JTG_QUIC_STORED);
    assert_status(jtg_quic_tokens_clear(second, NULL), JTG_OK);
    assert_int_equal(quic_store(tokens, HOST, "three", 0), JTG_QUIC_DUPLICATE);
    assert_string_equal(quic_take(tokens, HOST), "");
    /* the same bytes from another server are another token */
    assert_int_equal(quic_store(tokens, OTHER, "three", 0), JTG_QUIC_STORED);
    jtg_quic_tokens_free(tokens);
    jtg_quic_tokens_free(second);
}

static void names_are_kept_apart(struct quic_world *world)
{
    jtg_quic_tokens_options options = JTG_QUIC_TOKENS_OPTIONS_INIT;
    jtg_quic_tokens *tokens = quic_open(world->caches[0], NULL);
    options.name = "other";
    jtg_quic_tokens *other = quic_open(world->caches[1], &options);
    assert_int_equal(quic_store(tokens, HOST, "one", 0), JTG_QUIC_STORED);
    assert_string_equal(quic_lookup(other, HOST), "");
    assert_int_equal(quic_store(other, HOST, "one", 0), JTG_QUIC_STORED);
    assert_int_equal(quic_store(other, OTHER, "one", 0), JTG_QUIC_STORED);
    assert_int_equal(quic_size(tokens), 1);
    assert_int_equal(quic_size(other), 2);
    assert_status(jtg_quic_tokens_clear(other, NULL), JTG_OK);
    assert_int_equal(quic_size(other), 0);
    assert_string_equal(quic_lookup(other, HOST), "");
    assert_string_equal(quic_lookup(other, OTHER), "");
    assert_int_equal(quic_size(tokens), 1);
    assert_string_equal(quic_take(tokens, HOST), "one");
    jtg_quic_tokens_free(tokens);
    jtg_quic_tokens_free(other);
}

static bool finds(jtg_quic_tokens *tokens, jtg_endpoint endpoint, uint32_t version)
{
    jtg_quic_token token = JTG_QUIC_TOKEN_INIT;
    jtg_status status = jtg_quic_tokens_lookup(tokens, &endpoint, version, &token, NULL);
    assert_true(status == JTG_OK || status == JTG_NOT_FOUND);
    jtg_quic_token_clear(&token);
    return status == JTG_OK;
}

static void an_origin_has_one_spelling(struct quic_world *world)
{
    jtg_quic_tokens *tokens = quic_open(world->caches[0], NULL);
    jtg_endpoint port = quic_endpoint(HOST);
    jtg_endpoint alpn = quic_endpoint(HOST);
    port.port = 8443;
    alpn.alpn = "h3";
    alpn.alpn_len = 2;
    assert_int_equal(quic_store(tokens, "Server.Example.", "one", 0), JTG_QUIC_STORED);
    assert_true(finds(tokens, quic_endpoint(HOST), QUIC_V1));
    assert_false(finds(tokens, quic_endpoint(HOST), QUIC_V2));
    assert_false(finds(tokens, port, QUIC_V1));
    assert_false(finds(tokens, alpn, QUIC_V1));
    assert_int_equal(quic_store(tokens, "[2001:DB8::0:1]", "six", 0), JTG_QUIC_STORED);
    assert_true(finds(tokens, quic_endpoint("2001:db8:0:0::1"), QUIC_V1));
    assert_int_equal(quic_store(tokens, "::ffff:192.0.2.1", "four", 0), JTG_QUIC_STORED);
    assert_true(finds(tokens, quic_endpoint("192.0.2.1"), QUIC_V1));
    jtg_quic_tokens_free(tokens);
}

/* Let time pass until the newest token of HOST is another than `text`; a bounded wait. */
static void pass_until_gone(struct quic_world *world, jtg_quic_tokens *tokens, const char *text)
{
    for (unsigned i = 0; strcmp(quic_lookup(tokens, HOST), text) == 0; i++) {
        assert_in_range(i, 0, 20000);
        world->pass(world);
    }
}

static void a_token_ends_with_its_own_time(struct quic_world *world)
{
    jtg_quic_tokens_options options = JTG_QUIC_TOKENS_OPTIONS_INIT;
    options.remember_ms = 1;
    jtg_quic_tokens *tokens = quic_open(world->caches[0], &options);
    assert_int_equal(quic_store(tokens, HOST, "long", 0), JTG_QUIC_STORED);
    assert_int_equal(quic_store(tokens, HOST, "short", 1500), JTG_QUIC_STORED);
    assert_int_equal(quic_store(tokens, HOST, "short", 0), JTG_QUIC_DUPLICATE);
    pass_until_gone(world, tokens, "short");
    assert_string_equal(quic_lookup(tokens, HOST), "long");
    assert_int_equal(quic_store(tokens, HOST, "long", 0), JTG_QUIC_DUPLICATE);
    assert_string_equal(quic_take(tokens, HOST), "long");
    jtg_quic_tokens_free(tokens);
}

static void what_came_with_it_comes_back(struct quic_world *world)
{
    jtg_quic_tokens *tokens = quic_open(world->caches[0], NULL);
    jtg_endpoint endpoint = quic_endpoint(HOST);
    static const char bytes[] = "\0token\xff";
    jtg_quic_token token = JTG_QUIC_TOKEN_INIT;
    token.data = bytes;
    token.data_len = sizeof bytes;
    token.rtt_us = 34567;
    token.ttl_ms = 60000;
    assert_status(jtg_quic_tokens_store(tokens, &endpoint, QUIC_V2, &token, NULL, NULL), JTG_OK);
    world->pass(world);
    token = (jtg_quic_token)JTG_QUIC_TOKEN_INIT;
    assert_status(jtg_quic_tokens_take(tokens, &endpoint, QUIC_V2, &token, NULL), JTG_OK);
    assert_int_equal(token.data_len, sizeof bytes);
    assert_memory_equal(token.data, bytes, sizeof bytes);
    assert_int_equal(token.rtt_us, 34567);
    assert_int_equal(token.ttl_ms, 0);
    assert_in_range(token.left_ms, 1, 60000);
    assert_int_equal(token.age_ms, 60000 - token.left_ms);
    jtg_quic_token_clear(&token);
    jtg_quic_tokens_free(tokens);
}

static void who_stored_longest_ago_makes_room(struct quic_world *world)
{
    jtg_quic_tokens_options options = JTG_QUIC_TOKENS_OPTIONS_INIT;
    options.max_origins = 3;
    jtg_quic_tokens *tokens = quic_open(world->caches[0], &options);
    static const char *const hosts[] = {"a.example", "b.example", "c.example"};
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(quic_store(tokens, hosts[i], "1", 0), JTG_QUIC_STORED);
    assert_int_equal(quic_store(tokens, "a.example", "2", 0), JTG_QUIC_STORED);
    assert_int_equal(quic_store(tokens, "d.example", "1", 0), JTG_QUIC_STORED);
    assert_int_equal(quic_size(tokens), 3);
    assert_string_equal(quic_lookup(tokens, "b.example"), "");
    assert_string_equal(quic_lookup(tokens, "c.example"), "1");
    assert_string_equal(quic_take(tokens, "a.example"), "2");
    assert_string_equal(quic_take(tokens, "a.example"), "1");
    /* what was pushed out does not come back */
    assert_int_equal(quic_store(tokens, "b.example", "1", 0), JTG_QUIC_DUPLICATE);
    assert_int_equal(quic_size(tokens), 2);
    jtg_quic_tokens_free(tokens);
}

static void a_lower_bound_is_reached_step_by_step(struct quic_world *world)
{
    jtg_quic_tokens_options options = JTG_QUIC_TOKENS_OPTIONS_INIT;
    jtg_quic_tokens *tokens = quic_open(world->caches[0], NULL);
    char host[32];
    for (int i = 0; i < 12; i++) {
        snprintf(host, sizeof host, "host-%d.example", i);
        assert_int_equal(quic_store(tokens, host, "1", 0), JTG_QUIC_STORED);
    }
    assert_int_equal(quic_size(tokens), 12);
    options.max_origins = 2;
    jtg_quic_tokens *few = quic_open(world->caches[1], &options);
    static const uint64_t sizes[] = {9, 6, 3, 2, 2};
    for (size_t i = 0; i < 5; i++) {
        snprintf(host, sizeof host, "new-%zu.example", i);
        assert_int_equal(quic_store(few, host, "1", 0), JTG_QUIC_STORED);
        assert_int_equal(quic_size(few), sizes[i]);
    }
    jtg_quic_tokens_free(tokens);
    jtg_quic_tokens_free(few);
}

static void pruning_leaves_what_is_live(struct quic_world *world)
{
    jtg_quic_tokens *tokens = quic_open(world->caches[0], NULL);
    uint64_t origins = 99;
    assert_status(jtg_quic_tokens_prune(tokens, &origins, NULL), JTG_OK);
    assert_int_equal(origins, 0);
    assert_int_equal(quic_store(tokens, "live.example", "1", 0), JTG_QUIC_STORED);
    assert_int_equal(quic_store(tokens, HOST, "1", 200), JTG_QUIC_STORED);
    assert_int_equal(quic_store(tokens, OTHER, "1", 0), JTG_QUIC_STORED);
    pass_until_gone(world, tokens, "1");
    assert_string_equal(quic_take(tokens, OTHER), "1");
    assert_status(jtg_quic_tokens_prune(tokens, &origins, NULL), JTG_OK);
    assert_int_equal(origins, 1);
    assert_int_equal(quic_size(tokens), 1);
    assert_status(jtg_quic_tokens_prune(tokens, NULL, NULL), JTG_OK);
    assert_string_equal(quic_take(tokens, "live.example"), "1");
    jtg_quic_tokens_free(tokens);
}

static jtg_quic_load load_of(jtg_quic_tokens *tokens, jtg_quic_token *token)
{
    jtg_endpoint endpoint = quic_endpoint(HOST);
    jtg_quic_load load = JTG_QUIC_LOAD_FAILED;
    assert_status(jtg_quic_tokens_maybe_load(tokens, &endpoint, QUIC_V1, token, &load, NULL),
                  JTG_OK);
    return load;
}

static void a_load_fills_in_only_where_none_is(struct quic_world *world)
{
    jtg_quic_tokens *tokens = quic_open(world->caches[0], NULL);
    jtg_quic_token empty = JTG_QUIC_TOKEN_INIT;
    jtg_quic_token retry = token_of("from a Retry");
    assert_int_equal(load_of(NULL, &empty), JTG_QUIC_LOAD_NO_CACHE);
    assert_int_equal(load_of(tokens, &empty), JTG_QUIC_LOAD_MISS);
    assert_int_equal(empty.data_len, 0);
    assert_int_equal(quic_store(tokens, HOST, "one", 0), JTG_QUIC_STORED);
    assert_int_equal(load_of(tokens, &retry), JTG_QUIC_LOAD_ALREADY);
    assert_string_equal(retry.data, "from a Retry");
    assert_int_equal(load_of(tokens, &empty), JTG_QUIC_LOAD_LOADED);
    assert_int_equal(empty.data_len, 3);
    assert_memory_equal(empty.data, "one", 3);
    assert_int_equal(load_of(tokens, &empty), JTG_QUIC_LOAD_ALREADY);
    jtg_quic_token_clear(&empty);
    assert_int_equal(load_of(tokens, &empty), JTG_QUIC_LOAD_MISS); /* it was taken */
    jtg_quic_tokens_free(tokens);
}

static jtg_quic_fate refusal(jtg_quic_tokens *tokens, const char *host, uint32_t version,
                             const jtg_quic_token *token)
{
    jtg_endpoint endpoint = quic_endpoint(host);
    jtg_error err = JTG_ERROR_INIT;
    jtg_quic_fate fate = JTG_QUIC_STORED;
    assert_status(jtg_quic_tokens_store(tokens, &endpoint, version, token, &fate, &err),
                  JTG_ERR_ARGUMENT);
    assert_err_tells(&err, JTG_ERR_ARGUMENT);
    return fate;
}

static void each_refusal_is_told(struct quic_world *world)
{
    jtg_quic_tokens_options options = JTG_QUIC_TOKENS_OPTIONS_INIT;
    options.max_token_bytes = 4;
    jtg_quic_tokens *tokens = quic_open(world->caches[0], &options);
    jtg_quic_token token = token_of("");
    assert_int_equal(refusal(tokens, HOST, QUIC_V1, &token), JTG_QUIC_EMPTY);
    token = token_of("12345");
    assert_int_equal(refusal(tokens, HOST, QUIC_V1, &token), JTG_QUIC_TOO_LONG);
    token = token_of("1234");
    token.ttl_ms = JTG_TTL_MAX_MS + 1;
    assert_int_equal(refusal(tokens, HOST, QUIC_V1, &token), JTG_QUIC_BAD_TTL);
    token.ttl_ms = JTG_TTL_MAX_MS;
    assert_int_equal(refusal(tokens, "no host", QUIC_V1, &token), JTG_QUIC_BAD_ORIGIN);
    assert_int_equal(refusal(tokens, NULL, QUIC_V1, &token), JTG_QUIC_BAD_ORIGIN);
    assert_int_equal(refusal(tokens, HOST, 0, &token), JTG_QUIC_BAD_ORIGIN);
    assert_int_equal(quic_size(tokens), 0);
    assert_int_equal(quic_store(tokens, HOST, "1234", JTG_TTL_MAX_MS), JTG_QUIC_STORED);
    assert_string_equal(quic_take(tokens, HOST), "1234");
    jtg_quic_tokens_free(tokens);
}

enum { RACE_TOKENS = 100, RACE_THREADS = 8, RACE_HOSTS = 4 };

struct race {
    jtg_quic_tokens *tokens[2];
    atomic_uint stored[RACE_TOKENS];
    atomic_uint taken[RACE_TOKENS];
    atomic_uint failures;
};

static void race_host(char *host, size_t size, unsigned number)
{
    snprintf(host, size, "host-%u.example", number % RACE_HOSTS);
}

static void take_one(struct race *race, jtg_quic_tokens *tokens, unsigned number)
{
    char host[32];
    jtg_quic_token token = JTG_QUIC_TOKEN_INIT;
    race_host(host, sizeof host, number);
    jtg_endpoint endpoint = quic_endpoint(host);
    jtg_status status = jtg_quic_tokens_take(tokens, &endpoint, QUIC_V1, &token, NULL);
    if (status == JTG_OK) {
        unsigned taken = RACE_TOKENS;
        (void)sscanf(token.data, "%u", &taken);
        if (taken < RACE_TOKENS)
            atomic_fetch_add(&race->taken[taken], 1);
    }
    atomic_fetch_add(&race->failures, status != JTG_OK && status != JTG_NOT_FOUND);
    jtg_quic_token_clear(&token);
}

static void store_and_take(void *context, unsigned index)
{
    struct race *race = context;
    jtg_quic_tokens *tokens = race->tokens[index % 2];
    for (unsigned i = 0; i < RACE_TOKENS; i++) {
        char host[32];
        char text[16];
        jtg_quic_fate fate = JTG_QUIC_NOT_STORED;
        race_host(host, sizeof host, i);
        jtg_endpoint endpoint = quic_endpoint(host);
        snprintf(text, sizeof text, "%u", i);
        jtg_quic_token token = token_of(text);
        token.data_len++; /* with its end, for sscanf */
        jtg_status status = jtg_quic_tokens_store(tokens, &endpoint, QUIC_V1, &token, &fate, NULL);
        atomic_fetch_add(&race->failures, status != JTG_OK);
        atomic_fetch_add(&race->stored[i], fate == JTG_QUIC_STORED);
        take_one(race, tokens, i + index);
    }
}

/* Eight threads on two caches process the same frames and connect to the same servers. */
static void each_token_is_stored_once_and_taken_once(struct quic_world *world)
{
    static struct race race;
    jtg_quic_tokens_options options = JTG_QUIC_TOKENS_OPTIONS_INIT;
    memset(&race, 0, sizeof race);
    options.max_per_origin = JTG_KEEP_MAX;
    race.tokens[0] = quic_open(world->caches[0], &options);
    race.tokens[1] = quic_open(world->caches[1], &options);
    threads_run(RACE_THREADS, store_and_take, &race);
    for (unsigned i = 0; i < RACE_HOSTS * JTG_KEEP_MAX; i++)
        take_one(&race, race.tokens[0], i);
    assert_int_equal(atomic_load(&race.failures), 0);
    for (unsigned i = 0; i < RACE_TOKENS; i++) {
        assert_int_equal(atomic_load(&race.stored[i]), 1);
        assert_int_equal(atomic_load(&race.taken[i]), 1);
    }
    assert_int_equal(quic_size(race.tokens[1]), 0);
    jtg_quic_tokens_free(race.tokens[0]);
    jtg_quic_tokens_free(race.tokens[1]);
}

const struct quic_case quic_contract[] = {
    {"lookup leaves and take removes", lookup_leaves_and_take_removes},
    {"the newest comes first and four stay", the_newest_comes_first_and_four_stay},
    {"a duplicate is dropped also after use", a_duplicate_is_dropped_also_after_use},
    {"names are kept apart", names_are_kept_apart},
    {"an origin has one spelling", an_origin_has_one_spelling},
    {"a token ends with its own time", a_token_ends_with_its_own_time},
    {"what came with it comes back", what_came_with_it_comes_back},
    {"who stored longest ago makes room", who_stored_longest_ago_makes_room},
    {"a lower bound is reached step by step", a_lower_bound_is_reached_step_by_step},
    {"pruning leaves what is live", pruning_leaves_what_is_live},
    {"a load fills in only where none is", a_load_fills_in_only_where_none_is},
    {"each refusal is told", each_refusal_is_told},
    {"each token is stored once and taken once", each_token_is_stored_once_and_taken_once},
    {NULL, NULL},
};
