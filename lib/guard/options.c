/* SPDX-License-Identifier: Apache-2.0 */
#include "guard/options.h"

#include "core/options.h"

#include <jtiguard/backend.h>
#include <string.h>

/* The size of the first release; a shorter struct was never ours. */
#define OLDEST_SIZE sizeof(jtg_guard_options)

/* An enum option is read as a number too: it has the size of one. */
#define RANGE(member, least, most)                                                                 \
    {                                                                                              \
#member, offsetof(jtg_guard_options, member), (least), (most)                              \
    }
static const struct range {
    const char *name;
    size_t offset;
    uint32_t least;
    uint32_t most;
} ranges[] = {
    RANGE(leeway_s, 0, JTG_LEEWAY_S_LIMIT),
    RANGE(future_leeway_s, 0, JTG_FUTURE_LEEWAY_S_LIMIT),
    RANGE(retention_margin_s, 1, JTG_RETENTION_MARGIN_S_LIMIT),
    RANGE(max_lifetime_s, 1, JTG_MAX_LIFETIME_S_LIMIT),
    RANGE(proof_max_age_s, 1, JTG_PROOF_MAX_AGE_S_LIMIT),
    RANGE(max_jti_bytes, 1, JTG_MAX_JTI_BYTES_LIMIT),
    RANGE(key_form, JTG_KEY_DIGEST, JTG_KEY_PLAIN),
    RANGE(missing_jti, JTG_MISSING_JTI_REFUSE, JTG_MISSING_JTI_DIGEST),
    RANGE(restart_rule, 0, 1),
};
_Static_assert(sizeof(jtg_key_form) == sizeof(uint32_t) &&
                   sizeof(jtg_missing_jti) == sizeof(uint32_t),
               "enum options are checked as numbers of 32 bits");

void jtg_guard_options_init(jtg_guard_options *options)
{
    static const jtg_guard_options defaults = JTG_GUARD_OPTIONS_INIT;
    if (options != NULL)
        *options = defaults;
}

static jtg_status check_ranges(const jtg_guard_options *options, jtg_error *err)
{
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        uint32_t value = 0;
        memcpy(&value, (const unsigned char *)options + ranges[i].offset, sizeof value);
        if (value < ranges[i].least || value > ranges[i].most)
            return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "%s is not between %u and %u",
                                 ranges[i].name, ranges[i].least, ranges[i].most);
    }
    return JTG_OK;
}

jtg_status jtgi_guard_options_read(jtg_guard_options *options, const jtg_guard_options *given,
                                   jtg_error *err)
{
    jtg_guard_options_init(options);
    jtg_status status = JTG_OK;
    if (given != NULL)
        status =
            jtgi_options_read(options, sizeof *options, OLDEST_SIZE, given, "guard options", err);
    return status == JTG_OK ? check_ranges(options, err) : status;
}
