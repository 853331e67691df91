/* SPDX-License-Identifier: Apache-2.0 */
/** @file tls_tickets_openssl.h
 * Session tickets for a client of OpenSSL, kept from one run of a program to the next, each used
 * once: the cache of tls_tickets.h behind an SSL_CTX. With TLS 1.3 and TLS 1.2, tickets and session
 * ids alike.
 *
 *     jtg_tls_tickets_openssl_install(context, tickets, NULL, &err)      once
 *     SSL_new(), SNI, SSL_set1_host(), … and the TCP connection
 *     jtg_tls_tickets_openssl_prepare(ssl, &endpoint, &err)              last before SSL_connect()
 *     SSL_connect()
 *     jtg_tls_tickets_openssl_connected(ssl, NULL, &err)                 first after it
 *     SSL_read(), SSL_write(), SSL_shutdown()
 *
 * A resumption shows no certificate. So that no connection trusts a server that it would not trust
 * after a full handshake:
 *
 *  - A ticket serves connections whose settings are those of the one it came from: verify mode,
 *    whether there is a verify callback, depth, flags, names and addresses to verify, moment of
 *    verification, security level, certificate flags, lowest and highest version, ciphers, OCSP and
 *    CT asked for, server name, client certificate, and ALPN and parameters of the jtg_endpoint.
 *  - The certificates of the full handshake are kept with the ticket, and verified again before it
 *    is offered: with this connection's authorities, revocation lists, DANE records, names and
 *    verify callback, now. The result must be the same, also with SSL_VERIFY_NONE. A ticket that
 *    does not pass is dropped.
 *  - It is no longer than 7 days since the server showed in a full handshake that it has its key,
 *    however often the ticket was renewed since.
 *  - What cannot be read from OpenSSL is the program's to tell in endpoint.parameters, where it
 *    differs between programs or runs that share a file: SSL_CTX_set_cert_verify_callback(),
 *    SSL_CTX_set_cert_cb() and SSL_CTX_set_client_cert_cb() (as whom they log in), signature
 *    algorithms, purpose and trust settings, judgements on OCSP answers.
 *
 * Each handshake usually brings two tickets, after it, while the program reads: who never reads
 * never gets one. Of one connection 16 are kept: each is a wait for the disk, and a server may send
 * them without end. OpenSSL tells nobody of a connection without a certificate (PSK, raw public
 * keys) in a form that could be judged again: such a ticket is not kept.
 *
 * Threads: a connection as OpenSSL demands, in one thread at a time; different ones in any.
 * Fork:    prepare and connect in the same process.
 * Source:  RFC 8446 and RFC 9846 sections 2.2, 4.2.11 and 4.6.1, RFC 5077
 */
#ifndef JTIGUARD_TLS_TICKETS_OPENSSL_H
#define JTIGUARD_TLS_TICKETS_OPENSSL_H

#include <jtiguard/tls_tickets.h>
#include <openssl/ssl.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Let the clients of a context keep their tickets.
 *
 * Sets the session cache mode to SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL and the
 * callback for new sessions; a callback that the program has set before is called after ours. A
 * session whose ticket the cache has is marked as not resumable first: otherwise whoever keeps the
 * session offers its ticket a second time. (The mark is SSL_CTX_remove_session(), so the context's
 * remove callback is called too.) Do not change callback or mode afterwards.
 *
 * Connections that were not prepared are left alone.
 *
 * logger: told, at JTG_LOG_WARNING, when a ticket could not be kept. NULL = silence.
 *
 * Returns: JTG_OK · JTG_ERR_ARGUMENT (also: the context has tickets already) · JTG_ERR_MEMORY
 * Owns:    context borrowed · tickets borrowed until the context and its connections are freed ·
 *          logger copied · err borrowed, may be NULL
 * Threads: one, no connection of the context under way
 * Blocks:  never. Where a ticket comes, in SSL_read() or SSL_connect(), the callback blocks as
 *          jtg_tls_tickets_put(): set its option write_through to 0, and save elsewhere, where it
 *          must not
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_tls_tickets_openssl_install(SSL_CTX *context,
                                                                   jtg_tls_tickets *tickets,
                                                                   const jtg_logger *logger,
                                                                   jtg_error *err);

/** Take a ticket for a new connection and make it the connection's session.
 *
 * Call it once everything about the connection is set and the server can be reached, directly
 * before SSL_connect(): the ticket is used up whatever follows. Before each attempt, also after
 * SSL_clear(). A session that the connection has is removed.
 *
 * endpoint: host and port that the program means, which need not be those it has a TCP connection
 * with; the list of protocols that it offers as ALPN; in parameters what only the program knows,
 * see above.
 *
 * A connection that holds a ticket cannot be copied before it is used: SSL_dup() answers NULL.
 * Do not copy its session either.
 *
 * Returns: JTG_OK a ticket will be offered. Every other answer means a full handshake:
 *          JTG_NOT_FOUND · JTG_ERR_ARGUMENT and JTG_ERR_MEMORY (the connection's own tickets will
 *          not be kept either) · JTG_ERR_… as jtg_tls_tickets_take()
 * Owns:    ssl borrowed · endpoint borrowed for the call · err borrowed, may be NULL
 * Threads: the connection's   Blocks: as jtg_tls_tickets_take(), and verifying a chain
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_tls_tickets_openssl_prepare(SSL *ssl,
                                                                   const jtg_endpoint *endpoint,
                                                                   jtg_error *err);

/** How a handshake came about. */
typedef enum jtg_tls_resumption {
    JTG_TLS_FULL = 0,    /**< No ticket was offered. */
    JTG_TLS_REFUSED = 1, /**< One was; the server wanted a full handshake. */
    JTG_TLS_RESUMED = 2  /**< No certificate was shown. */
} jtg_tls_resumption;

/** A handshake is done: look at the server's key.
 *
 * After a full handshake that shows another key than before, every ticket that was issued under the
 * other one is dropped (jtg_tls_tickets_pin_seen()). Without this call that happens only when a
 * ticket comes.
 *
 * Returns: JTG_OK · JTG_MISMATCH do not use the connection: its verification was changed after
 *          jtg_tls_tickets_openssl_prepare(), or it resumed another session than the prepared one ·
 *          JTG_ERR_MEMORY nor this one: that could not be compared ·
 *          JTG_ERR_ARGUMENT (not prepared, or the handshake is not done) ·
 *          JTG_ERR_… as jtg_tls_tickets_pin_seen(): the connection is good, tickets of an old key
 *          may be offered once more
 * Owns:    ssl borrowed · resumption borrowed: written on every answer, may be NULL ·
 *          err borrowed, may be NULL
 * Threads: the connection's
 * Blocks:  as jtg_tls_tickets_pin_seen() and jtg_tls_tickets_put()
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_tls_tickets_openssl_connected(SSL *ssl,
                                                                     jtg_tls_resumption *resumption,
                                                                     jtg_error *err);

#ifdef __cplusplus
}
#endif
#endif
