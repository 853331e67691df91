/* SPDX-License-Identifier: Apache-2.0 */
#include "tokens/quic/quic_options.h"

#include "core/options.h"
#include "core/range.h"

#include <jtiguard/status.h>
#include <stdbool.h>
#include <string.h>

/* The sizes of the first release; a shorter struct was never ours. */
#define OPTIONS_OLDEST_SIZE   sizeof(jtg_quic_tokens_options)
#define FUNCTIONS_OLDEST_SIZE sizeof(jtg_quic_functions)

void jtg_quic_tokens_options_init(jtg_quic_tokens_options *options)
{
    static const jtg_quic_tokens_options defaults = JTG_QUIC_TOKENS_OPTIONS_INIT;
    if (options != NULL)
        *options = defaults;
}

static jtg_status check_name(const char *name, jtg_error *err)
{
    size_t len = strnlen(name, JTG_QUIC_NAME_MAX_BYTES + 1);
    bool good = len != 0 && len <= JTG_QUIC_NAME_MAX_BYTES;
    for (size_t i = 0; good && i < len; i++)
        good = name[i] > 0x20 && name[i] < 0x7f;
    if (!good)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "name does not have 1 to %d %s",
                             JTG_QUIC_NAME_MAX_BYTES, "printable bytes");
    return JTG_OK;
}

static jtg_status check(const jtg_quic_tokens_options *options, jtg_error *err)
{
    const struct jtgi_range ranges[] = {
        {"max_per_origin", options->max_per_origin, 1, JTG_KEEP_MAX},
        {"max_origins", options->max_origins, 1, JTG_QUIC_ORIGINS_LIMIT},
        {"max_token_bytes", options->max_token_bytes, 1, JTG_QUIC_TOKEN_BYTES_LIMIT},
        {"ttl_ms", options->ttl_ms, 1, JTG_TTL_MAX_MS},
        {"remember_ms", options->remember_ms, 1, JTG_TTL_MAX_MS},
        {"reserved", options->reserved, 0, 0},
    };
    jtg_status status = jtgi_ranges_check(ranges, sizeof ranges / sizeof ranges[0], "", err);
    return status == JTG_OK ? check_name(options->name, err) : status;
}

jtg_status jtgi_quic_options_read(jtg_quic_tokens_options *options,
                                  const jtg_quic_tokens_options *given, jtg_error *err)
{
    jtg_quic_tokens_options_init(options);
    jtg_status status = jtg_struct_read(options, sizeof *options, OPTIONS_OLDEST_SIZE, given,
                                        "quic tokens options", err);
    if (options->name == NULL)
        options->name = JTG_QUIC_NAME_DEFAULT;
    return status == JTG_OK ? check(options, err) : status;
}

jtg_status jtgi_quic_functions_read(jtg_quic_functions *functions, const jtg_quic_functions *given,
                                    jtg_error *err)
{
    memset(functions, 0, sizeof *functions);
    if (given == NULL)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "functions is NULL");
    jtg_status status = jtg_struct_read(functions, sizeof *functions, FUNCTIONS_OLDEST_SIZE, given,
                                        "quic functions", err);
    if (status == JTG_OK && (functions->store == NULL || functions->lookup == NULL ||
                             functions->take == NULL || functions->remove == NULL))
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0,
                             "quic functions: a mandatory function is missing");
    return status;
}
