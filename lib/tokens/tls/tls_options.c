/* SPDX-License-Identifier: Apache-2.0 */
#include "tokens/tls/tls_options.h"
#include "tokens/common/key_file.h"

#include "core/options.h"
#include "core/range.h"

#include <jtiguard/status.h>
#include <sodium.h>

/* The size of the first release; a shorter struct was never ours. */
#define OLDEST_SIZE sizeof(jtg_tls_tickets_options)

void jtg_tls_tickets_options_init(jtg_tls_tickets_options *options)
{
    static const jtg_tls_tickets_options defaults = JTG_TLS_TICKETS_OPTIONS_INIT;
    if (options != NULL)
        *options = defaults;
}

static jtg_status check_ranges(const jtg_tls_tickets_options *options, jtg_error *err)
{
    const struct jtgi_range ranges[] = {
        {"max_age_s", options->max_age_s, 1, JTG_TLS_LIFETIME_S_LIMIT},
        {"max_per_endpoint", options->max_per_endpoint, 1, JTG_TLS_PER_ENDPOINT_LIMIT},
        {"max_tickets", options->max_tickets, 1, JTG_TLS_MAX_TICKETS_LIMIT},
        {"max_consumed", options->max_consumed, 1, JTG_TLS_MAX_CONSUMED_LIMIT},
        {"lock_wait_ms", options->lock_wait_ms, 0, JTG_TLS_LOCK_WAIT_MS_LIMIT},
        {"write_through", options->write_through, 0, 1},
        {"hide_hosts", options->hide_hosts, 0, 1},
        {"reserved", options->reserved, 0, 0},
    };
    return jtgi_ranges_check(ranges, sizeof ranges / sizeof ranges[0], "", err);
}

jtg_status jtgi_tls_options_read(jtg_tls_tickets_options *options,
                                 const jtg_tls_tickets_options *given, jtg_error *err)
{
    jtg_tls_tickets_options_init(options);
    jtg_status status =
        jtg_struct_read(options, sizeof *options, OLDEST_SIZE, given, "tls tickets options", err);
    if (status == JTG_OK)
        status = check_ranges(options, err);
    if (status == JTG_OK && options->hide_hosts != 0 && options->key_file == NULL)
        status = jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "hide_hosts without key_file");
    return status;
}

struct jtgi_tls_limits jtgi_tls_options_limits(const jtg_tls_tickets_options *options)
{
    struct jtgi_tls_limits limits = {
        .max_age_s = options->max_age_s,
        .per_endpoint = options->max_per_endpoint,
        .tickets = options->max_tickets,
        .consumed = options->max_consumed,
        .sealed_only = options->key_file != NULL,
    };
    return limits;
}

jtg_status jtgi_tls_options_keys(struct jtgi_tls_keys *keys, const jtg_tls_tickets_options *options,
                                 jtg_error *err)
{
    unsigned char key[JTGI_SECRET_BYTES];
    if (options->key_file == NULL)
        return JTG_OK;
    jtg_status status = jtgi_key_file_read(options->key_file, "key_file", key, err);
    if (status == JTG_OK)
        status = jtgi_tls_keys_derive(keys, key);
    keys->is_sealing = true;
    keys->is_hiding = options->hide_hosts != 0;
    sodium_memzero(key, sizeof key);
    return status;
}
