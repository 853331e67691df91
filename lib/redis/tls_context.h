/* SPDX-License-Identifier: Apache-2.0 */
/* Whom TLS trusts, who we are, and the rules of it, as OpenSSL wants them. */
#ifndef JTGI_REDIS_TLS_CONTEXT_H
#define JTGI_REDIS_TLS_CONTEXT_H

#include <jtiguard/redis.h>
#include <openssl/ssl.h>

/* Load authorities, certificate and key.
 *
 * Returns: JTG_OK (*context for SSL_CTX_free()) · JTG_ERR_ARGUMENT (err names the option of the
 *          file that cannot be used) · JTG_ERR_MEMORY */
jtg_status jtgi_tls_context_make(SSL_CTX **context, const jtg_redis_options *options,
                                 jtg_error *err);

#endif
