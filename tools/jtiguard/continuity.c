/* SPDX-License-Identifier: Apache-2.0 */
#include "continuity.h"

#include "message.h"
#include "moment.h"

struct continuity_ends continuity_ends_of(const jtg_guard_options *guard, int64_t kept_since_ms)
{
    int64_t since_ms = kept_since_ms < 0                 ? 0
                       : kept_since_ms > JTG_TIME_MAX_MS ? JTG_TIME_MAX_MS
                                                         : kept_since_ms;
    int64_t margin_ms = (int64_t)guard->retention_margin_s * 1000;
    return (struct continuity_ends){since_ms + (int64_t)guard->future_leeway_s * 1000 + margin_ms,
                                    since_ms + (int64_t)guard->max_lifetime_s * 1000 + margin_ms};
}

void continuity_advise(const char *command, const struct settings *settings,
                       const struct guarding *guarding)
{
    int64_t kept_since_ms = 0;
    char iat[MOMENT_TEXT_BYTES];
    char exp[MOMENT_TEXT_BYTES];
    if (jtg_cache_kept_since(guarding->cache, &kept_since_ms, NULL) != JTG_OK)
        return;
    struct continuity_ends ends = continuity_ends_of(&settings->guard, kept_since_ms);
    moment_to_text(ends.iat_ms, iat);
    moment_to_text(ends.exp_ms, exp);
    complain(
        "%s: the store is new, or has forgotten: it admits tokens issued from %s on, and tokens "
        "without iat that expire from %s on",
        command, iat, exp);
    complain("%s: if no token was used before, or none was forgotten, 'jtiguard vouch' says so",
             command);
}
