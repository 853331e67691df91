/* SPDX-License-Identifier: Apache-2.0 */
/* What every connection of a cache is opened with: the options, the passwords, the resolver and
 * whom TLS trusts. One a cache; it knows no server. */
#ifndef JTGI_REDIS_DIALER_H
#define JTGI_REDIS_DIALER_H

#include "redis/line/password/password.h"
#include "redis/line/resolver.h"
#include "redis/line/waiter.h"
#include "redis/say/options/config.h"

struct jtgi_tls;

struct jtgi_dialer {
    const struct jtgi_waiter *waiter; /* how its connections wait; borrowed, as the next */
    const struct jtgi_redis_config *config;
    struct jtgi_password password;
    struct jtgi_password sentinel_password;
    struct jtgi_resolver resolver;
    struct jtgi_tls *tls; /* NULL: in clear */
};

/* config must stay where it is. Files of passwords and of TLS are read, so that a wrong name is
 * told at once.
 *
 * Returns: JTG_OK · as jtgi_password_init() · as jtgi_tls_new(); on failure it holds nothing */
jtg_status jtgi_dialer_init(struct jtgi_dialer *dialer, const struct jtgi_redis_config *config,
                            const struct jtgi_waiter *waiter, jtg_error *err);

/* No call may be under way. Neither talks nor waits. */
void jtgi_dialer_clear(struct jtgi_dialer *dialer);

#endif
