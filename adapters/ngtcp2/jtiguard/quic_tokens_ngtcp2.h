/* SPDX-License-Identifier: Apache-2.0 */
/** @file quic_tokens_ngtcp2.h
 * NEW_TOKEN tokens for clients and servers on ngtcp2: a client skips the Retry of its next
 * connection, and a server lets each token do that once.
 *
 * A client fills in a jtg_ngtcp2_client, calls jtg_ngtcp2_token_offer() before
 * ngtcp2_conn_client_new(), and jtg_ngtcp2_token_keep() in its callback `recv_new_token`. A server
 * calls jtg_ngtcp2_token_check() after ngtcp2_accept(), and sends a Retry unless the answer is
 * true. Neither ever ends a connection: what goes wrong costs a Retry.
 *
 * For ngtcp2 0.12 and 1.x, with any of its crypto helpers: this links none of them.
 *
 * Source: RFC 9000 section 8.1, RFC 9369 section 5
 */
#ifndef JTIGUARD_QUIC_TOKENS_NGTCP2_H
#define JTIGUARD_QUIC_TOKENS_NGTCP2_H

#include <jtiguard/clock.h>
#include <jtiguard/quic_reuse.h>
#include <jtiguard/quic_tokens.h>
#include <ngtcp2/ngtcp2.h>
#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- client ---- */

/** A client's connection, as its tokens see it. Start from JTG_NGTCP2_CLIENT_INIT. All pointers
 * borrowed for each call. */
typedef struct jtg_ngtcp2_client {
    size_t struct_size;           /**< sizeof(jtg_ngtcp2_client). */
    jtg_quic_tokens *tokens;      /**< Where tokens are kept; NULL = nowhere. */
    const jtg_endpoint *endpoint; /**< The server, as the program asks for it. */
    uint64_t ttl_ms;              /**< As jtg_quic_token.ttl_ms; 0 = that of the store. */
    const jtg_clock *clock;       /**< NULL = the system's. */

    /* Set by an offer. */
    int64_t connected_ms;   /**< As jtg_quic_token.connected_ms, with 30 s for the clock. */
    jtg_quic_token offered; /**< What the settings point to: jtg_ngtcp2_client_clear(). */
} jtg_ngtcp2_client;

#define JTG_NGTCP2_CLIENT_INIT                                                                     \
    {                                                                                              \
        sizeof(jtg_ngtcp2_client), NULL, NULL, 0, NULL, 0, JTG_QUIC_TOKEN_INIT                     \
    }

/** Set every member to its default; the same as JTG_NGTCP2_CLIENT_INIT. */
JTG_API void jtg_ngtcp2_client_init(jtg_ngtcp2_client *client);

/* The round-trip times that a connection may begin with. What a connection measured on loopback
 * would make the next one send again before a server can answer, and what it measured in a traffic
 * jam would make it wait. */
#define JTG_NGTCP2_RTT_LEAST (10 * NGTCP2_MILLISECONDS)
#define JTG_NGTCP2_RTT_MOST  (3 * NGTCP2_SECONDS)

/** Take a token for a new connection and put it into its settings, unless they hold one.
 *
 * With a token comes the round-trip time of the connection that gave it, as `initial_rtt`, at least
 * JTG_NGTCP2_RTT_LEAST and at most JTG_NGTCP2_RTT_MOST; RFC 9002 section 6.2.2. A token is taken
 * for good, also if no packet is ever sent: settings that this client's last offer filled in get
 * another one. Whatever the answer is, the connection can be made with the settings as they are.
 *
 * After a Retry ngtcp2 itself puts the Retry's token in the place of this one. After a Version
 * Negotiation, begin with new settings, and offer for the version that was agreed: a token of
 * another version is never found.
 *
 * version:  what ngtcp2_conn_client_new() will be given.
 * settings: of ngtcp2_settings_default(), with the rest of the program's wishes.
 *
 * Returns: JTG_OK (see load) · JTG_ERR_ARGUMENT · JTG_ERR_… as jtg_quic_tokens_take()
 * Owns:    settings borrowed; they point into client->offered, which stays until
 *          jtg_ngtcp2_client_clear() or the next offer: make the connection first, it copies the
 *          token · load and err may be NULL
 * Threads: one for each client and its settings   Blocks: as jtg_quic_tokens_take()
 * Source:  RFC 9000 section 8.1.3
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_ngtcp2_token_offer(jtg_ngtcp2_client *client,
                                                          uint32_t version,
                                                          ngtcp2_settings *settings,
                                                          jtg_quic_load *load, jtg_error *err);

/** Wipe and free the token that was offered. Nothing but the settings used it; where they still
 * point to it, do not use them again.
 *
 * Owns:    client borrowed, NULL does nothing; the rest of it stays
 * Threads: one   Blocks: never
 */
JTG_API void jtg_ngtcp2_client_clear(jtg_ngtcp2_client *client);

/** Keep a token that the server sent: the body of the callback `recv_new_token`.
 *
 * It is kept for the version that was negotiated, with the smoothed round-trip time as it is now.
 * The callback answers 0 whatever this returns: a token that cannot be kept costs a Retry, no
 * connection.
 *
 * Returns: JTG_OK (kept, or a duplicate: see fate; tokens NULL: not_stored) · JTG_ERR_… as
 *          jtg_quic_tokens_store()
 * Owns:    token borrowed, copied (0.12: its base and len) · fate and err may be NULL
 * Threads: that of conn   Blocks: as jtg_quic_tokens_store()
 * Source:  RFC 9000 section 19.7
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_ngtcp2_token_keep(const jtg_ngtcp2_client *client,
                                                         ngtcp2_conn *conn, const uint8_t *token,
                                                         size_t token_len, jtg_quic_fate *fate,
                                                         jtg_error *err);

/* ---- server ---- */

/** ngtcp2_crypto_verify_regular_token() of the crypto helper that the program links, or a function
 * like it: 0 if the token is ours, was given to this address, and is younger than `timeout` at
 * `now`. A token that passes must be authentic to its last byte, or its reuse is not recognised. */
typedef int (*jtg_ngtcp2_verify)(const uint8_t *token, size_t token_len, const uint8_t *secret,
                                 size_t secret_len, const ngtcp2_sockaddr *address,
                                 ngtcp2_socklen address_len, ngtcp2_duration timeout,
                                 ngtcp2_tstamp now);

#define JTG_NGTCP2_LIFE_DEFAULT (UINT64_C(86400) * NGTCP2_SECONDS)  /**< 24 hours. */
#define JTG_NGTCP2_LIFE_LEAST   NGTCP2_SECONDS                      /**< 1 second. */
#define JTG_NGTCP2_LIFE_MOST    (UINT64_C(604799) * NGTCP2_SECONDS) /**< 7 days less a second. */

/** How a server checks tokens. Start from JTG_NGTCP2_SERVER_INIT. All pointers borrowed for each
 * call. */
typedef struct jtg_ngtcp2_server {
    size_t struct_size;       /**< sizeof(jtg_ngtcp2_server). */
    jtg_quic_reuse *reuse;    /**< Which tokens were used; mandatory. */
    jtg_ngtcp2_verify verify; /**< Mandatory. */
    const uint8_t *secret;    /**< What tokens are sealed with, the same on all servers. */
    size_t secret_len;        /**< At least 1. */
    ngtcp2_duration life;     /**< How long a token is accepted, default 24 h, bounds above. */
} jtg_ngtcp2_server;

#define JTG_NGTCP2_SERVER_INIT                                                                     \
    {                                                                                              \
        sizeof(jtg_ngtcp2_server), NULL, NULL, NULL, 0, JTG_NGTCP2_LIFE_DEFAULT                    \
    }

/** Set every member to its default; the same as JTG_NGTCP2_SERVER_INIT. */
JTG_API void jtg_ngtcp2_server_init(jtg_ngtcp2_server *server);

/** What was found of a token: symbol, value, name for machines, text for people. Never renumbered.
 */
#define JTG_NGTCP2_VERDICT_MAP(X)                                                                  \
    X(JTG_NGTCP2_UNSURE, 0, "unsure", "whether it was used before cannot be known")                \
    X(JTG_NGTCP2_VALID, 1, "valid", "the client's address is validated")                           \
    X(JTG_NGTCP2_NONE, 2, "none", "there is no token")                                             \
    X(JTG_NGTCP2_INVALID, 3, "invalid",                                                            \
      "it is not of these servers, for another address, or expired")                               \
    X(JTG_NGTCP2_REUSED, 4, "reused", "it was used before")

/** What was found of a token. Only JTG_NGTCP2_VALID validates, and it is not zero. */
typedef enum jtg_ngtcp2_verdict {
#define JTG_NGTCP2_VERDICT_ENUM(symbol, value, name, text) symbol = (value),
    JTG_NGTCP2_VERDICT_MAP(JTG_NGTCP2_VERDICT_ENUM)
#undef JTG_NGTCP2_VERDICT_ENUM
        JTG_NGTCP2_VERDICT_COUNT = 5 /**< Number of verdicts; grows, so never store it. */
} jtg_ngtcp2_verdict;

/** Name of a verdict, e.g. "reused"; "unknown" for a value that is none. Borrowed, static. */
JTG_API const char *jtg_ngtcp2_verdict_name(jtg_ngtcp2_verdict verdict);
/** One line of text for people. As jtg_ngtcp2_verdict_name() in all else. */
JTG_API const char *jtg_ngtcp2_verdict_text(jtg_ngtcp2_verdict verdict);

/** Does the token of a client's first Initial validate its address?
 *
 * Ask once for each Initial that begins a connection, after ngtcp2_accept(), and only where no
 * connection has its destination ID: the client sends the token in each of its Initials. A token
 * that begins with NGTCP2_CRYPTO_TOKEN_MAGIC_RETRY is a Retry's, and for
 * ngtcp2_crypto_verify_retry_token().
 *
 * now: the wall clock, nanoseconds since 1970, as it was given to
 *      ngtcp2_crypto_generate_regular_token(): other servers read it, and this one after a restart.
 *
 * When a token was issued stands in it, but ngtcp2 says only whether it is younger than some age.
 * So a token that verifies is verified up to 32 times, about a microsecond each, and its time is
 * known to the millisecond. One that was issued more than a second later than now is unsure.
 *
 * Returns: true: the address is validated, and settings carry the token for
 *          ngtcp2_conn_server_new() · false: go on as if there were no token, with a Retry or
 *          within the limit of RFC 9000 section 8.1, and never drop the packet. verdict says what
 *          was found; err says more where it is unsure.
 * Owns:    server, hd and address borrowed · settings borrowed, changed only with true: they point
 *          into the packet, which ngtcp2_conn_server_new() copies · verdict always set; verdict and
 *          err may be NULL
 * Threads: any   Blocks: as jtg_quic_reuse_first(), and only if the token verifies
 * Source:  RFC 9000 sections 8.1.3 and 8.1.4
 */
JTG_API JTG_WARN_UNUSED bool jtg_ngtcp2_token_check(const jtg_ngtcp2_server *server,
                                                    const ngtcp2_pkt_hd *hd,
                                                    const ngtcp2_sockaddr *address,
                                                    ngtcp2_socklen address_len, ngtcp2_tstamp now,
                                                    ngtcp2_settings *settings,
                                                    jtg_ngtcp2_verdict *verdict, jtg_error *err);

#ifdef __cplusplus
}
#endif
#endif
