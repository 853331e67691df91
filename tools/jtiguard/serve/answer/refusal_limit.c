/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/answer/refusal_limit.h"

#include "serve/answer/slots.h"
#include "serve/settings/service_settings.h"

#include <stdlib.h>

enum { US_PER_S = 1000000, US_PER_MS = 1000 };

struct refusal_limit {
    struct slots *even_us; /* by the monotonic clock, in microseconds */
};

struct refusal_limit *refusal_limit_new(uint64_t clients)
{
    struct refusal_limit *limit = calloc(1, sizeof *limit);
    if (limit == NULL)
        return NULL;
    limit->even_us = slots_new(clients);
    if (limit->even_us != NULL)
        return limit;
    free(limit);
    return NULL;
}

void refusal_limit_free(struct refusal_limit *limit)
{
    if (limit != NULL)
        slots_free(limit->even_us);
    free(limit);
}

static int64_t interval_us(const struct refusal_rule *rule)
{
    return US_PER_S / (int64_t)rule->rate;
}

bool refusal_limit_reached(struct refusal_limit *limit, const struct refusal_rule *rule,
                           const void *client, size_t client_len, int64_t now_ms)
{
    int64_t even_us = 0;
    if (rule->rate == 0 || client_len == 0)
        return false;
    if (!slots_get(limit->even_us, slots_key(limit->even_us, client, client_len), &even_us))
        return false;
    return even_us - now_ms * US_PER_MS > interval_us(rule) * ((int64_t)rule->burst - 1);
}

void refusal_limit_count(struct refusal_limit *limit, const struct refusal_rule *rule,
                         const void *client, size_t client_len, int64_t now_ms)
{
    if (rule->rate == 0 || client_len == 0)
        return;
    (void)slots_raise(limit->even_us, slots_key(limit->even_us, client, client_len),
                      now_ms * US_PER_MS, interval_us(rule));
}
