/* SPDX-License-Identifier: Apache-2.0 */
#include "guard/options.h"

#include "core/options.h"
#include "core/range.h"

/* The size of the first release; a shorter struct was never ours. */
#define OLDEST_SIZE sizeof(jtg_guard_options)

void jtg_guard_options_init(jtg_guard_options *options)
{
    static const jtg_guard_options defaults = JTG_GUARD_OPTIONS_INIT;
    if (options != NULL)
        *options = defaults;
}

static jtg_status check_ranges(const jtg_guard_options *options, jtg_error *err)
{
    const struct jtgi_range ranges[] = {
        {"leeway_s", options->leeway_s, 0, JTG_LEEWAY_S_LIMIT},
        {"future_leeway_s", options->future_leeway_s, 0, JTG_FUTURE_LEEWAY_S_LIMIT},
        {"retention_margin_s", options->retention_margin_s, 1, JTG_RETENTION_MARGIN_S_LIMIT},
        {"max_lifetime_s", options->max_lifetime_s, 1, JTG_MAX_LIFETIME_S_LIMIT},
        {"proof_max_age_s", options->proof_max_age_s, 1, JTG_PROOF_MAX_AGE_S_LIMIT},
        {"max_jti_bytes", options->max_jti_bytes, 1, JTG_MAX_JTI_BYTES_LIMIT},
        {"key_form", (uint32_t)options->key_form, JTG_KEY_DIGEST, JTG_KEY_PLAIN},
        {"missing_jti", (uint32_t)options->missing_jti, JTG_MISSING_JTI_REFUSE,
         JTG_MISSING_JTI_DIGEST},
        {"restart_rule", options->restart_rule, 0, 1},
    };
    return jtgi_ranges_check(ranges, sizeof ranges / sizeof ranges[0], "", err);
}

jtg_status jtgi_guard_options_read(jtg_guard_options *options, const jtg_guard_options *given,
                                   jtg_error *err)
{
    jtg_guard_options_init(options);
    jtg_status status =
        jtg_struct_read(options, sizeof *options, OLDEST_SIZE, given, "guard options", err);
    return status == JTG_OK ? check_ranges(options, err) : status;
}
