/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/line/tls/tls.h"

#include <errno.h>
#include <jtiguard/status.h>

int jtg_redis_has_tls(void)
{
    return 0;
}

jtg_status jtgi_tls_new(struct jtgi_tls **tls, const struct jtgi_redis_config *config,
                        jtg_error *err)
{
    *tls = NULL;
    if (config->options.tls == 0 && config->options.sentinel_tls == 0)
        return JTG_OK;
    return jtg_error_set(err, JTG_ERR_UNSUPPORTED, 0,
                         "redis: this build has no TLS: it needs libhiredis-dev >= 1.0 with "
                         "libhiredis_ssl (Debian 13), or JTIGUARD_REDIS_TLS=ON");
}

void jtgi_tls_free(struct jtgi_tls *tls)
{
    (void)tls;
}

/* No session can be made, so the rest is never reached; it refuses all the same. */

jtg_status jtgi_tls_connect(struct jtgi_tls *tls, const char *server_name, const char *other_name,
                            int fd, const struct jtgi_waiter *waiter, int64_t deadline_ns,
                            struct jtgi_tls_session **session, jtg_error *err)
{
    (void)tls;
    (void)server_name;
    (void)other_name;
    (void)fd;
    (void)waiter;
    (void)deadline_ns;
    (void)session;
    return jtg_error_set(err, JTG_ERR_UNSUPPORTED, 0, "redis: this build has no TLS");
}

void jtgi_tls_session_free(struct jtgi_tls_session *session)
{
    (void)session;
}

/* The signatures are those of tls.h.
 * NOLINTBEGIN(readability-non-const-parameter) */
enum jtgi_io jtgi_tls_send(struct jtgi_tls_session *session, const void *data, size_t len,
                           size_t *sent, short *wanted)
{
    (void)session;
    (void)data;
    (void)len;
    (void)sent;
    (void)wanted;
    errno = ENOTSUP;
    return JTGI_IO_FAILED;
}

enum jtgi_io jtgi_tls_receive(struct jtgi_tls_session *session, void *data, size_t capacity,
                              size_t *received, short *wanted)
{
    (void)session;
    (void)data;
    (void)capacity;
    (void)received;
    (void)wanted;
    errno = ENOTSUP;
    return JTGI_IO_FAILED;
}
/* NOLINTEND(readability-non-const-parameter) */
