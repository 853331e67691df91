/* SPDX-License-Identifier: Apache-2.0 */
/* Both ends of an address validation token, without a QUIC stack: a client that keeps the tokens of
 * its servers and presents each once, and a server that accepts each once. */
#include <inttypes.h>
#include <jtiguard/jtiguard.h>
#include <stdio.h>
#include <string.h>

enum { QUIC_V1 = 1, LIFETIME_MS = 3600000 };

static jtg_endpoint server(const char *host)
{
    jtg_endpoint endpoint = JTG_ENDPOINT_INIT;
    endpoint.host = host;
    endpoint.port = 443;
    return endpoint;
}

/* Client: a NEW_TOKEN frame came; its packet may have been sent twice. */
static void on_new_token(jtg_quic_tokens *tokens, const jtg_endpoint *endpoint, const char *bytes)
{
    jtg_quic_token token = JTG_QUIC_TOKEN_INIT;
    jtg_quic_fate fate = JTG_QUIC_NOT_STORED;
    token.data = bytes;
    token.data_len = strlen(bytes);
    token.rtt_us = 23000;
    (void)!jtg_quic_tokens_store(tokens, endpoint, QUIC_V1, &token, &fate, NULL);
    printf("client: %s: %s\n", bytes, jtg_quic_fate_name(fate));
}

/* Server: the first Initial of a connection, whose token has been verified. */
static void on_initial(jtg_quic_reuse *reuse, const jtg_quic_token *token)
{
    jtg_quic_presented presented = JTG_QUIC_PRESENTED_INIT;
    jtg_flight_decision decision = JTG_FLIGHT_DECISION_INIT;
    jtg_clock clock = jtg_clock_system();
    presented.token = token->data;
    presented.token_len = token->data_len;
    presented.issued_ms = clock.wall_ms(clock.context); /* read it from the token */
    presented.lifetime_ms = LIFETIME_MS;
    if (jtg_quic_reuse_first(reuse, &presented, &decision, NULL))
        printf("server: the address is validated\n");
    else
        printf("server: send a Retry (%s)\n", jtg_flight_reason_name(decision.reason));
}

/* Client: a new connection. */
static void connect_to(jtg_quic_tokens *tokens, const jtg_endpoint *endpoint, jtg_quic_reuse *reuse)
{
    jtg_quic_token token = JTG_QUIC_TOKEN_INIT;
    jtg_quic_load load = JTG_QUIC_LOAD_FAILED;
    (void)!jtg_quic_tokens_maybe_load(tokens, endpoint, QUIC_V1, &token, &load, NULL);
    if (load == JTG_QUIC_LOAD_LOADED) {
        printf("client: connect with %.*s, rtt %" PRIu64 " us\n", (int)token.data_len,
               (const char *)token.data, token.rtt_us);
        on_initial(reuse, &token);
        on_initial(reuse, &token); /* an attacker who copied it */
    } else {
        printf("client: connect without a token\n");
    }
    jtg_quic_token_clear(&token);
}

static void show(jtg_quic_tokens *tokens, jtg_quic_reuse *reuse)
{
    jtg_endpoint by_name = server("Server.Example.");
    jtg_endpoint same = server("server.example");
    connect_to(tokens, &by_name, reuse);
    on_new_token(tokens, &by_name, "token-1");
    on_new_token(tokens, &by_name, "token-1");
    connect_to(tokens, &same, reuse);
    on_new_token(tokens, &same, "token-1"); /* a late copy, after use */
    on_new_token(tokens, &same, "");
    connect_to(tokens, &same, reuse);
}

int main(void)
{
    jtg_cache *cache = NULL;
    jtg_quic_tokens *tokens = NULL;
    jtg_quic_reuse *reuse = NULL;
    jtg_memory_options memory = JTG_MEMORY_OPTIONS_INIT;
    jtg_quic_reuse_options options = JTG_QUIC_REUSE_OPTIONS_INIT;
    memory.sweep_interval_ms = JTG_QUIC_SWEEP_INTERVAL_MS_DEFAULT;
    options.start_rule = 0; /* only here: this server issued no token before it started */
    bool good = jtg_memory_new(&cache, &memory, NULL) == JTG_OK &&
                jtg_quic_tokens_new(&tokens, cache, NULL, NULL) == JTG_OK &&
                jtg_quic_reuse_new(&reuse, cache, &options, NULL) == JTG_OK;
    if (good)
        show(tokens, reuse);
    jtg_quic_reuse_free(reuse);
    jtg_quic_tokens_free(tokens);
    jtg_cache_free(cache);
    return good ? 0 : 1;
}
