/* SPDX-License-Identifier: Apache-2.0 */
/* TLS to the server: at least 1.2, certificate and name verified. tls.c speaks it with OpenSSL;
 * tls_absent.c stands in for it in a build without, and refuses.
 *
 * hiredis's own TLS is not used: no released version verifies the name, and its handshake and
 * reads know no deadline. */
#ifndef JTGI_REDIS_TLS_H
#define JTGI_REDIS_TLS_H

#include "redis/line/waiter.h"
#include "redis/say/options/config.h"

struct jtgi_tls;         /* what all connections share; thread-safe */
struct jtgi_tls_session; /* one connection */

/* Load authorities, certificate and key; connections load them anew when the files have changed.
 * *tls stays NULL when the options ask for no TLS. config is borrowed. */
jtg_status jtgi_tls_new(struct jtgi_tls **tls, const struct jtgi_redis_config *config,
                        jtg_error *err);
void jtgi_tls_free(struct jtgi_tls *tls);

/* Shake hands on fd, which stays the caller's. The certificate must carry server_name, or
 * other_name if that is not NULL. Both are borrowed until it is over. *session is NULL at first.
 * Returns: JTG_OK · JTGI_LATER (*session is begun, and the caller's) · JTG_ERR_UNAVAILABLE (its
 * certificate too) · JTG_ERR_MEMORY; then *session is NULL */
jtg_status jtgi_tls_connect(struct jtgi_tls *tls, const char *server_name, const char *other_name,
                            int fd, const struct jtgi_waiter *waiter, int64_t deadline_ns,
                            struct jtgi_tls_session **session, jtg_error *err);

/* Says nothing to the other side. NULL does nothing. */
void jtgi_tls_session_free(struct jtgi_tls_session *session);

/* One non-blocking step. DONE with no byte: wait for *wanted first. */
enum jtgi_io jtgi_tls_send(struct jtgi_tls_session *session, const void *data, size_t len,
                           size_t *sent, short *wanted);
enum jtgi_io jtgi_tls_receive(struct jtgi_tls_session *session, void *data, size_t capacity,
                              size_t *received, short *wanted);

#endif
