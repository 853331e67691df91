/* SPDX-License-Identifier: Apache-2.0 */
#include "tokens/breakglass/breakglass_options.h"

#include "core/options.h"
#include "core/range.h"

#include <jtiguard/status.h>
#include <sodium.h>
#include <string.h>

/* The size of the first release; a shorter struct was never ours. */
#define OLDEST_SIZE sizeof(jtg_breakglass_options)

static const char default_name[] = "default";

void jtg_breakglass_options_init(jtg_breakglass_options *options)
{
    static const jtg_breakglass_options defaults = JTG_BREAKGLASS_OPTIONS_INIT;
    if (options != NULL)
        *options = defaults;
}

static jtg_status check_name(const char *name, jtg_error *err)
{
    size_t len = strnlen(name, JTG_BREAKGLASS_NAME_MAX_BYTES + 1);
    if (len == 0 || len > JTG_BREAKGLASS_NAME_MAX_BYTES)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "name does not have 1 to %d bytes",
                             JTG_BREAKGLASS_NAME_MAX_BYTES);
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f)
            return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "name has a control character");
    return JTG_OK;
}

static jtg_status check(const jtg_breakglass_options *options, jtg_error *err)
{
    const struct jtgi_range ranges[] = {
        {"ttl_ms", options->ttl_ms, 1, JTG_BREAKGLASS_TTL_MS_LIMIT},
        {"max_uses", options->max_uses, 0, JTG_BREAKGLASS_MAX_USES_LIMIT},
    };
    jtg_status status = jtgi_ranges_check(ranges, sizeof ranges / sizeof ranges[0], "", err);
    if (status != JTG_OK)
        return status;
    /* Whoever reads a key into a buffer and does not look at the result gives this one. */
    if (options->key != NULL && sodium_is_zero(options->key, JTG_BREAKGLASS_KEY_BYTES))
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "key is all zero");
    return check_name(options->name, err);
}

jtg_status jtgi_breakglass_options_read(jtg_breakglass_options *options,
                                        const jtg_breakglass_options *given, jtg_error *err)
{
    jtg_breakglass_options_init(options);
    jtg_status status =
        jtg_struct_read(options, sizeof *options, OLDEST_SIZE, given, "breakglass options", err);
    if (options->name == NULL)
        options->name = default_name;
    return status == JTG_OK ? check(options, err) : status;
}
