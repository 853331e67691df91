/* SPDX-License-Identifier: Apache-2.0 */
#include "tokens/challenges/challenge_options.h"

#include "core/options.h"
#include "core/range.h"

#include <jtiguard/status.h>
#include <sodium.h>
#include <string.h>

/* The size of the first release; a shorter struct was never ours. */
#define OLDEST_SIZE sizeof(jtg_challenges_options)

static const char default_name[] = "default";

void jtg_challenges_options_init(jtg_challenges_options *options)
{
    static const jtg_challenges_options defaults = JTG_CHALLENGES_OPTIONS_INIT;
    if (options != NULL)
        *options = defaults;
}

static jtg_status check_name(const char *name, jtg_error *err)
{
    size_t len = strnlen(name, JTG_CHALLENGE_NAME_MAX_BYTES + 1);
    if (len == 0 || len > JTG_CHALLENGE_NAME_MAX_BYTES)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "name does not have 1 to %d bytes",
                             JTG_CHALLENGE_NAME_MAX_BYTES);
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f)
            return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "name has a control character");
    return JTG_OK;
}

static jtg_status check(const jtg_challenges_options *options, jtg_error *err)
{
    const struct jtgi_range ranges[] = {
        {"lifetime_ms", options->lifetime_ms, 1, JTG_CHALLENGE_LIFETIME_MS_LIMIT},
        {"margin_ms", options->margin_ms, 0, JTG_CHALLENGE_MARGIN_MS_LIMIT},
        {"range", options->range, JTG_CHALLENGE_RANGE_LEAST, JTG_BITMAP_MAX_BITS},
    };
    jtg_status status = jtgi_ranges_check(ranges, sizeof ranges / sizeof ranges[0], "", err);
    if (status != JTG_OK)
        return status;
    /* Whoever reads a key into a buffer and does not look at the result gives this one. */
    if (options->secret != NULL && sodium_is_zero(options->secret, JTG_CHALLENGE_SECRET_BYTES))
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "secret is all zero");
    return check_name(options->name, err);
}

jtg_status jtgi_challenges_options_read(jtg_challenges_options *options,
                                        const jtg_challenges_options *given, jtg_error *err)
{
    jtg_challenges_options_init(options);
    jtg_status status =
        jtg_struct_read(options, sizeof *options, OLDEST_SIZE, given, "challenges options", err);
    if (options->name == NULL)
        options->name = default_name;
    return status == JTG_OK ? check(options, err) : status;
}
