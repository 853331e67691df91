/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/answer/refusal_limit.h"

#include "serve/settings/service_settings.h"

/* Under each client: when it is even, by the monotonic clock, in microseconds. */
enum { US_PER_S = 1000000, US_PER_MS = 1000 };

static int64_t interval_us(const struct refusal_rule *rule)
{
    return US_PER_S / (int64_t)rule->rate;
}

bool refusal_limit_reached(struct slots *limit, const struct refusal_rule *rule, const void *client,
                           size_t client_len, int64_t now_ms)
{
    int64_t even_us = 0;
    if (rule->rate == 0 || client_len == 0)
        return false;
    if (!slots_get(limit, slots_key(limit, client, client_len), &even_us))
        return false;
    return even_us - now_ms * US_PER_MS > interval_us(rule) * ((int64_t)rule->burst - 1);
}

void refusal_limit_count(struct slots *limit, const struct refusal_rule *rule, const void *client,
                         size_t client_len, int64_t now_ms)
{
    if (rule->rate == 0 || client_len == 0)
        return;
    (void)slots_raise(limit, slots_key(limit, client, client_len), now_ms * US_PER_MS,
                      interval_us(rule));
}
