/* SPDX-License-Identifier: Apache-2.0 */
/* What a context with a guard of its early data has, and what the two ways to know a ticket again
 * (ticket_id.c, stored_session.c) stand on. */
#ifndef ADAPTERS_OPENSSL_SERVER_EARLY_DATA_H
#define ADAPTERS_OPENSSL_SERVER_EARLY_DATA_H

#include <jtiguard/anti_replay_openssl.h>

/* Freed with its context, which every connection holds. */
struct jtgo_early_data {
    jtg_anti_replay *anti_replay;
    jtg_anti_replay_openssl_options options;
};

/* First, before a context is asked for its guard. False: no memory. */
bool jtgo_early_data_begin(void);

/* That of the context which a connection has now; NULL where it was moved to one without. */
struct jtgo_early_data *jtgo_early_data_of(const SSL *ssl);
struct jtgo_early_data *jtgo_early_data_of_context(const SSL_CTX *context);

/* A guard for a context that has none, all zero. NULL: no memory. */
struct jtgo_early_data *jtgo_early_data_attach(SSL_CTX *context);
void jtgo_early_data_detach(SSL_CTX *context);

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

#endif
