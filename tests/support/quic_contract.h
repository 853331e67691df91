/* SPDX-License-Identifier: Apache-2.0 */
/* What a client's QUIC tokens must do on every cache: the same list in memory and on Redis. */
#ifndef TESTS_SUPPORT_QUIC_CONTRACT_H
#define TESTS_SUPPORT_QUIC_CONTRACT_H

#include <jtiguard/quic_tokens.h>

enum { QUIC_V1 = 1, QUIC_V2 = 0x6b3343cf };

/* What the list runs on. */
struct quic_world {
    jtg_cache *caches[2]; /* of one empty store; the same one twice where there is only one */
    void (*pass)(struct quic_world *world); /* let at least a millisecond pass */
    void *context;
};

struct quic_case {
    const char *name;
    void (*run)(struct quic_world *world);
};

/* Ends with an empty row. Each case starts from an empty store. */
extern const struct quic_case quic_contract[];

/* ---- what other tests of tokens use too ---- */

jtg_endpoint quic_endpoint(const char *host);

/* Fails the test if it cannot be made. options NULL = all defaults. */
jtg_quic_tokens *quic_open(jtg_cache *cache, const jtg_quic_tokens_options *options);

/* Store the text as a token of host; fails the test unless the call answers JTG_OK. */
jtg_quic_fate quic_store(jtg_quic_tokens *tokens, const char *host, const char *text,
                         uint64_t ttl_ms);

/* The text of the newest token of host, "" where there is none. Overwritten by the next call. */
const char *quic_take(jtg_quic_tokens *tokens, const char *host);
const char *quic_lookup(jtg_quic_tokens *tokens, const char *host);

uint64_t quic_size(jtg_quic_tokens *tokens);

#endif
