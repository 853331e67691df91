/* SPDX-License-Identifier: Apache-2.0 */
/* A server that checks tokens, on a clock that the test moves, and one client's address. */
#ifndef TESTS_ADAPTERS_NGTCP2_TOKEN_SERVER_H
#define TESTS_ADAPTERS_NGTCP2_TOKEN_SERVER_H

#include "support/test_clock.h"

#include <jtiguard/quic_tokens_ngtcp2.h>
#include <netinet/in.h>

enum { TOKEN_ROOM = 128, TOKEN_LIFE_MS = 3600000, TOKEN_MARGIN_MS = 30000, NS_IN_MS = 1000000 };

/* A token, as it would stand in a packet. */
struct given {
    uint8_t bytes[TOKEN_ROOM];
    size_t len;
};

struct token_server {
    struct test_clock clock;
    jtg_clock clock_option;
    jtg_cache *cache;
    jtg_quic_reuse *reuse;
    jtg_ngtcp2_server server;
    struct sockaddr_in client;
};

extern struct token_server it;

/* For cmocka: with a store in memory, and no start rule. */
int token_server_start(void **state);
int token_server_stop(void **state);

/* A log anew, on it.cache. */
void token_server_make_log(uint32_t start_rule);

/* The wall clock in nanoseconds. */
ngtcp2_tstamp token_server_now(void);

struct given token_give(void);
struct given token_give_at(ngtcp2_tstamp at);

/* All that a check answers. The verdict is JTG_NGTCP2_VERDICT_COUNT where the answer, the verdict
 * and the settings do not fit together. No asserts, so threads may ask. */
jtg_ngtcp2_verdict token_check_with(const jtg_ngtcp2_server *server, const struct given *given,
                                    jtg_error *err);
jtg_ngtcp2_verdict token_check(const struct given *given);

#endif
