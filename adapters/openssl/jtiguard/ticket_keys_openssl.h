/* SPDX-License-Identifier: Apache-2.0 */
/** @file ticket_keys_openssl.h
 * Ticket keys for a server of OpenSSL: every instance that shares the set opens what any other
 * sealed, with TLS 1.2 and TLS 1.3.
 *
 * The keys of ticket_keys.h behind SSL_CTX_set_tlsext_ticket_key_evp_cb(), as AES-256-CBC and
 * HMAC-SHA256: the callback can carry no AEAD. Where no key may seal, the client gets no ticket;
 * where none opens, a full handshake. No handshake ends for want of a key.
 *
 * A ticket can be opened again and again. For early data see anti_replay_openssl.h.
 *
 * Source: RFC 8446 and RFC 9846 section 4.6.1, RFC 5077 section 4
 */
#ifndef JTIGUARD_TICKET_KEYS_OPENSSL_H
#define JTIGUARD_TICKET_KEYS_OPENSSL_H

#include <jtiguard/ticket_keys.h>
#include <openssl/ssl.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Let a server's context seal and open its tickets with these keys.
 *
 * Takes the context's ticket key callback, and shortens its timeout (SSL_CTX_set_timeout()) to the
 * lifetime of the keys where it is longer; do not lengthen it afterwards. Call it before the first
 * connection. A second call exchanges the keys: no connection may be under way then.
 *
 * Where a connection can be moved to another context (SSL_set_SSL_CTX(), by the name that the
 * client asks for), install the same keys on each: on one without them, no ticket is given.
 *
 * In a server that forks, make the keys and call this in each worker, not before.
 *
 * Returns: JTG_OK · JTG_ERR_ARGUMENT · JTG_ERR_MEMORY
 * Owns:    context borrowed · keys borrowed until the context is freed · err borrowed, may be NULL
 * Threads: one, no connection of the context under way
 * Blocks:  never. In a handshake the callback blocks as jtg_ticket_seal() and jtg_ticket_open():
 *          set the option refresh_on_use to 0, and refresh from a timer, where it must not
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_ticket_keys_openssl_install(SSL_CTX *context,
                                                                   jtg_ticket_keys *keys,
                                                                   jtg_error *err);

#ifdef __cplusplus
}
#endif
#endif
