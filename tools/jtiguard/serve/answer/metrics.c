/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/answer/metrics.h"

const unsigned metrics_statuses[METRICS_STATUS_COUNT] = METRICS_STATUSES;

const char *metrics_endpoint_name(enum metrics_endpoint endpoint)
{
    static const char *const names[METRICS_ENDPOINTS] = {
        "check", "reserve", "check_batch", "release", "challenge", "consume",
        "livez", "readyz",  "metrics",     "openapi", "other"};
    return (unsigned)endpoint < METRICS_ENDPOINTS ? names[endpoint] : "other";
}

void metrics_add(atomic_uint_fast64_t *counter)
{
    (void)atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

uint64_t metrics_read(const atomic_uint_fast64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

void metrics_decided(struct metrics *metrics, enum metrics_endpoint endpoint, enum outcome outcome)
{
    if ((unsigned)endpoint < METRICS_DECIDERS)
        metrics_add(&metrics->decisions[endpoint][outcome_index(outcome)]);
}

void metrics_released(struct metrics *metrics, jtg_status status)
{
    metrics_add(&metrics->releases[(unsigned)status < JTG_STATUS_COUNT ? status : JTG_ERR_SYSTEM]);
}

void metrics_answered(struct metrics *metrics, enum metrics_endpoint endpoint, unsigned status)
{
    unsigned unknown = 0;
    for (unsigned i = 0; i < METRICS_STATUS_COUNT; i++) {
        if (metrics_statuses[i] == 500)
            unknown = i;
        if (metrics_statuses[i] == status) {
            metrics_add(&metrics->requests[endpoint][i]);
            return;
        }
    }
    metrics_add(&metrics->requests[endpoint][unknown]);
}
