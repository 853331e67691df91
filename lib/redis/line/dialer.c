/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/line/dialer.h"

#include "redis/line/tls/tls.h"

#include <string.h>

static jtg_status read_passwords(struct jtgi_dialer *dialer, const jtg_redis_options *options,
                                 jtg_error *err)
{
    jtg_status status = jtgi_password_init(&dialer->password, options->password,
                                           options->password_file, "password_file", err);
    if (status == JTG_OK)
        status = jtgi_password_init(&dialer->sentinel_password, options->sentinel_password,
                                    options->sentinel_password_file, "sentinel_password_file", err);
    return status;
}

jtg_status jtgi_dialer_init(struct jtgi_dialer *dialer, const struct jtgi_redis_config *config,
                            const struct jtgi_waiter *waiter, jtg_error *err)
{
    memset(dialer, 0, sizeof *dialer);
    dialer->waiter = waiter;
    dialer->config = config;
    jtgi_resolver_init(&dialer->resolver, waiter);
    jtg_status status = read_passwords(dialer, &config->options, err);
    if (status == JTG_OK)
        status = jtgi_tls_new(&dialer->tls, config, err);
    if (status != JTG_OK)
        jtgi_dialer_clear(dialer);
    return status;
}

void jtgi_dialer_clear(struct jtgi_dialer *dialer)
{
    jtgi_resolver_clear(&dialer->resolver);
    jtgi_tls_free(dialer->tls);
    jtgi_password_clear(&dialer->password);
    jtgi_password_clear(&dialer->sentinel_password);
}
