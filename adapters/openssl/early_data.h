/* SPDX-License-Identifier: Apache-2.0 */
/* What a context with a guard of its early data has, and the two ways to know a ticket again. */
#ifndef ADAPTERS_OPENSSL_EARLY_DATA_H
#define ADAPTERS_OPENSSL_EARLY_DATA_H

#include <jtiguard/anti_replay_openssl.h>

enum { JTGO_TICKET_ID_BYTES = 16 };

/* Freed with its context, which every connection holds. */
struct jtgo_early_data {
    jtg_anti_replay *anti_replay;
    jtg_anti_replay_openssl_options options;
};

/* That of the context which a connection has now; NULL where it was moved to one without. */
struct jtgo_early_data *jtgo_early_data_of(const SSL *ssl);
struct jtgo_early_data *jtgo_early_data_of_context(const SSL_CTX *context);

/* For what is attached to OpenSSL's objects: free it with them, and leave it out of copies. */
void jtgo_attached_free(void *parent, void *attached, CRYPTO_EX_DATA *data, int index, long argl,
                        void *argp);
int jtgo_attached_forget(CRYPTO_EX_DATA *to, const CRYPTO_EX_DATA *from, void **attached, int index,
                         long argl, void *argp);

/* Bytes that no other ticket has; NULL where the session was not issued under a guard. */
struct jtgo_id {
    const unsigned char *bytes;
    size_t len;
};

/* ---- tickets: an id in the application data (ticket_id.c) ---- */

/* False: no memory. */
bool jtgo_ticket_id_install(SSL_CTX *context, struct jtgo_early_data *guard);
struct jtgo_id jtgo_ticket_id_of(const SSL_SESSION *session);

/* ---- sessions in a cache (stored_session.c) ---- */

bool jtgo_stored_session_install(SSL_CTX *context);
struct jtgo_id jtgo_stored_session_id_of(const SSL_SESSION *session);

/* True: the context has session callbacks that are not ours. */
bool jtgo_stored_session_is_taken(SSL_CTX *context);

#endif
