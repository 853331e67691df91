/* SPDX-License-Identifier: Apache-2.0 */
/* Whom TLS trusts, who we are, and the rules of it, as OpenSSL wants them: one for all connections
 * of a cache, made anew when the files have changed, for authorities and certificates are exchanged
 * while programs run.
 *
 * Files that cannot be used at that moment, a certificate whose key is still the old one, are ones
 * that somebody is writing: what they held before stays in use, and that is logged. */
#ifndef JTGI_REDIS_TLS_CONTEXT_H
#define JTGI_REDIS_TLS_CONTEXT_H

#include "redis/line/tls/tls_files.h"
#include "redis/say/options/config.h"

#include <openssl/ssl.h>
#include <pthread.h>

struct jtgi_tls_context {
    const struct jtgi_redis_config *config; /* borrowed */

    /* Under the lock, which is held for short copies. */
    pthread_mutex_t lock;
    SSL_CTX *current;
    unsigned char print[JTGI_TLS_PRINT_BYTES];   /* of the files that it was made of */
    unsigned char refused[JTGI_TLS_PRINT_BYTES]; /* of those that could not be used last */
    char stale[JTG_ERROR_TEXT_BYTES];            /* why they could not; empty: they are in use */
};

/* Returns: JTG_OK · JTG_ERR_ARGUMENT (err names the option of the file that cannot be used) ·
 *          JTG_ERR_MEMORY; on failure it holds nothing */
jtg_status jtgi_tls_context_init(struct jtgi_tls_context *context,
                                 const struct jtgi_redis_config *config, jtg_error *err);
void jtgi_tls_context_clear(struct jtgi_tls_context *context);

/* The one of now, by the files of now; SSL_CTX_free() it. Never NULL. */
SSL_CTX *jtgi_tls_context_take(struct jtgi_tls_context *context);

/* A handshake failed: add to the text that newer files could not be used for it, if that is so. */
void jtgi_tls_context_explain(struct jtgi_tls_context *context, jtg_error *err);

#endif
