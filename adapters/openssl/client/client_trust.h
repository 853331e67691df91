/* SPDX-License-Identifier: Apache-2.0 */
/* What decides whom a TLS client trusts, and so which sessions may serve it. */
#ifndef ADAPTERS_OPENSSL_CLIENT_CLIENT_TRUST_H
#define ADAPTERS_OPENSSL_CLIENT_CLIENT_TRUST_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

enum { JTGO_TRUST_DIGEST_BYTES = 32 };

/* SHA-256 over how the peer is verified: mode, callback, depth, flags, names, addresses, moment.
 * False without memory. */
bool jtgo_verification_digest(SSL *ssl, unsigned char digest[JTGO_TRUST_DIGEST_BYTES]);

/* SHA-256 over that, and the rest of what can be read of a connection's settings: security level,
 * certificate flags, versions, ciphers, client certificate; over the name that the server is asked
 * for, NULL = none, and the program's own bytes. False without memory. */
bool jtgo_trust_digest(SSL *ssl, const unsigned char verification[JTGO_TRUST_DIGEST_BYTES],
                       const char *server_name, const void *own, size_t own_len,
                       unsigned char digest[JTGO_TRUST_DIGEST_BYTES]);

/* Judge a server by its stored certificates, as this connection's own handshake would: with its
 * authorities, revocation lists, names and verify callback, now. A resumption shows no certificate,
 * and the one who stored the session may have trusted others, or at another time.
 * True if the handshake would go on, and with this result. */
bool jtgo_trust_again(SSL *ssl, X509 *certificate, STACK_OF(X509) * chain, long verify_result);

#endif
