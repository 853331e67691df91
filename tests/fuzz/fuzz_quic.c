/* SPDX-License-Identifier: Apache-2.0 */
/* What servers, and whoever can write the store, can make a client's QUIC tokens read: records and
 * lists as they lie in a store, hosts, and a sequence of calls with tokens out of the input.
 * Nothing may crash or leak, what is read can be written again, and no token is handed out twice.
 */
#include "tokens/common/endpoint.h"
#include "tokens/quic/quic_origins.h"
#include "tokens/quic/quic_record.h"

#include "core/alloc.h"

#include <jtiguard/memory.h>
#include <jtiguard/quic_tokens.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_len);

enum { ROOM = 4096, VERSION = 1, KINDS = 256 };

static void expect(int is_so, const char *what)
{
    if (is_so)
        return;
    (void)fprintf(stderr, "broken: %s\n", what);
    abort();
}

static void read_record(const uint8_t *data, size_t data_len)
{
    struct jtgi_quic_record record;
    unsigned char again[ROOM];
    if (!jtgi_quic_record_read(&record, data, data_len) || data_len > sizeof again)
        return;
    jtgi_quic_record_write(&record, again);
    expect(memcmp(again, data, data_len) == 0, "a record that is written otherwise than read");
}

static void read_list(const uint8_t *data, size_t data_len)
{
    static const unsigned char origin[JTGI_QUIC_ORIGIN_BYTES] = {1};
    bool keep[ROOM / JTGI_QUIC_ORIGIN_BYTES] = {false};
    struct jtgi_quic_change change;
    size_t count = jtgi_quic_origins_count(data, data_len);
    size_t most = 1 + (data_len != 0 ? data[data_len - 1] % 8U : 0);
    if (count > sizeof keep / sizeof keep[0])
        return;
    expect(jtgi_quic_origins_front(&change, data, data_len, origin, most) == JTG_OK, "front");
    expect(jtgi_quic_origins_count(change.bytes, change.len) <= count + 1, "a list that grew");
    expect(jtgi_quic_origins_count(change.bytes, change.len) + change.pushed_count >= 1, "nobody");
    expect(memcmp(jtgi_quic_origins_at(change.bytes, 0), origin, sizeof origin) == 0, "the front");
    jtgi_quic_change_clear(&change);
    for (size_t i = 0; i < count; i++)
        keep[i] = jtgi_quic_origins_at(data, i)[0] & 1;
    expect(jtgi_quic_origins_filter(&change, data, data_len, keep) == JTG_OK, "filter");
    expect(jtgi_quic_origins_count(change.bytes, change.len) <= count, "a filter that adds");
    jtgi_quic_change_clear(&change);
}

/* A spelling has one normal form, and that is its own. */
static void read_host(const uint8_t *data, size_t data_len)
{
    char spelling[JTG_ENDPOINT_HOST_MAX_BYTES + 2] = {0};
    char first[JTGI_HOST_BYTES];
    char second[JTGI_HOST_BYTES];
    memcpy(spelling, data, data_len < sizeof spelling - 1 ? data_len : sizeof spelling - 1);
    if (!jtgi_host_normalise(spelling, first) || strlen(first) > JTG_ENDPOINT_HOST_MAX_BYTES)
        return;
    expect(jtgi_host_normalise(first, second), "a normal form that is no host");
    expect(strcmp(first, second) == 0, "a normal form that has another");
}

/* ---- calls: an operation, an origin and a token in two bytes ---- */

struct calls {
    jtg_cache *cache;
    jtg_quic_tokens *tokens;
    unsigned char stored[2][KINDS]; /* 1: stored once, 2: handed out */
};

static jtg_endpoint endpoint_of(unsigned number)
{
    jtg_endpoint endpoint = JTG_ENDPOINT_INIT;
    endpoint.host = number != 0 ? "a.example" : "b.example";
    endpoint.port = 443;
    return endpoint;
}

static void store(struct calls *calls, unsigned at, unsigned char kind)
{
    jtg_endpoint endpoint = endpoint_of(at);
    jtg_quic_token token = JTG_QUIC_TOKEN_INIT;
    jtg_quic_fate fate = JTG_QUIC_NOT_STORED;
    token.data = &kind;
    token.data_len = 1;
    token.ttl_ms = kind % 3 == 0 ? 0 : 60000;
    expect(jtg_quic_tokens_store(calls->tokens, &endpoint, VERSION, &token, &fate, NULL) == JTG_OK,
           "store");
    expect((fate == JTG_QUIC_STORED) == (calls->stored[at][kind] == 0), "a duplicate");
    if (fate == JTG_QUIC_STORED)
        calls->stored[at][kind] = 1;
}

static void load(struct calls *calls, unsigned at, const unsigned char *own, size_t own_len)
{
    jtg_endpoint endpoint = endpoint_of(at);
    jtg_quic_token token = JTG_QUIC_TOKEN_INIT;
    jtg_quic_load what = JTG_QUIC_LOAD_FAILED;
    token.data = own_len != 0 ? own : NULL;
    token.data_len = own_len;
    expect(jtg_quic_tokens_maybe_load(calls->tokens, &endpoint, VERSION, &token, &what, NULL) ==
               JTG_OK,
           "load");
    expect((what == JTG_QUIC_LOAD_ALREADY) == (own_len != 0), "a token of the caller's");
    if (what == JTG_QUIC_LOAD_LOADED) {
        unsigned char kind = *(const unsigned char *)token.data;
        expect(token.data_len == 1 && calls->stored[at][kind] == 1, "handed out twice");
        calls->stored[at][kind] = 2;
    }
    if (what != JTG_QUIC_LOAD_ALREADY)
        jtg_quic_token_clear(&token);
}

static void call(struct calls *calls, unsigned char operation, unsigned char kind)
{
    unsigned at = operation & 1;
    jtg_endpoint endpoint = endpoint_of(at);
    uint64_t origins = 0;
    switch (operation >> 1 & 7) {
    case 0:
    case 1:
    case 2:
        store(calls, at, kind);
        break;
    case 3:
    case 4:
        load(calls, at, &kind, kind < 8 ? kind % 2 : 0);
        break;
    case 5:
        (void)!jtg_quic_tokens_remove(calls->tokens, &endpoint, VERSION, NULL);
        break;
    case 6:
        expect(jtg_quic_tokens_prune(calls->tokens, &origins, NULL) == JTG_OK && origins <= 2,
               "prune");
        break;
    default:
        if (kind < 16)
            expect(jtg_quic_tokens_clear(calls->tokens, NULL) == JTG_OK, "clear");
    }
}

static void make_calls(const uint8_t *data, size_t data_len)
{
    static struct calls calls;
    jtg_memory_options options = JTG_MEMORY_OPTIONS_INIT;
    jtg_quic_tokens_options token_options = JTG_QUIC_TOKENS_OPTIONS_INIT;
    memset(&calls, 0, sizeof calls);
    options.sweep_interval_ms = 0;
    options.max_entries = 2048;
    token_options.max_origins = data_len % 2 + 1;
    expect(jtg_memory_new(&calls.cache, &options, NULL) == JTG_OK &&
               jtg_quic_tokens_new(&calls.tokens, calls.cache, &token_options, NULL) == JTG_OK,
           "memory");
    for (size_t i = 0; i + 1 < data_len; i += 2)
        call(&calls, data[i], data[i + 1]);
    jtg_quic_tokens_free(calls.tokens);
    jtg_cache_free(calls.cache);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_len)
{
    if (data_len == 0 || data_len > ROOM)
        return 0;
    switch (data[0] % 4) {
    case 0:
        read_record(data + 1, data_len - 1);
        break;
    case 1:
        read_list(data + 1, data_len - 1);
        break;
    case 2:
        read_host(data + 1, data_len - 1);
        break;
    default:
        make_calls(data + 1, data_len - 1);
    }
    return 0;
}
