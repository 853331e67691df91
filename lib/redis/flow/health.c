/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/flow/health.h"

#include "core/clock.h"

#include <jtiguard/status.h>
#include <sodium.h>
#include <string.h>

void jtgi_health_init(struct jtgi_health *health, const jtg_clock *clock, int64_t pause_limit_ms)
{
    memset(health, 0, sizeof *health);
    health->clock = *clock;
    health->pause_limit_ms = pause_limit_ms;
    atomic_init(&health->down, false);
    (void)pthread_mutex_init(&health->lock, NULL);
}

static jtg_status tell_cause_locked(const struct jtgi_health *health, jtg_error *err)
{
    return jtg_error_set(err, health->cause.status, health->cause.system_errno, "%s",
                         health->cause.text);
}

static bool is_tried_locked(const struct jtgi_health *health, int64_t now_ms)
{
    return health->trying && now_ms - health->trying_ms < JTGI_TRYING_LIMIT_MS;
}

jtg_status jtgi_health_begin(struct jtgi_health *health, jtg_error *err)
{
    jtg_status status = JTG_OK;
    if (!atomic_load(&health->down))
        return JTG_OK;
    int64_t now = jtgi_clock_monotonic_ms(&health->clock);
    pthread_mutex_lock(&health->lock);
    if (atomic_load(&health->down)) {
        if (is_tried_locked(health, now) || now < health->retry_at_ms) {
            status = tell_cause_locked(health, err);
        } else {
            health->trying = true;
            health->trying_ms = now;
        }
    }
    pthread_mutex_unlock(&health->lock);
    return status;
}

/* 50, 100, 200 … ms up to the limit, of which between half and all is waited. */
static int64_t pause_ms(const struct jtgi_health *health)
{
    int64_t pause = JTGI_PAUSE_FIRST_MS;
    for (unsigned i = 1; i < health->failures && pause < health->pause_limit_ms; i++)
        pause *= 2;
    if (pause > health->pause_limit_ms)
        pause = health->pause_limit_ms;
    return pause / 2 + (int64_t)randombytes_uniform((uint32_t)(pause / 2) + 1);
}

void jtgi_health_end(struct jtgi_health *health, jtg_status status, const jtg_error *cause)
{
    int64_t now = jtgi_clock_monotonic_ms(&health->clock);
    pthread_mutex_lock(&health->lock);
    health->trying = false;
    if (status == JTG_OK) {
        health->failures = 0;
    } else {
        health->failures++;
        health->retry_at_ms = now + pause_ms(health);
        health->cause = *cause;
        health->cause.status = status;
    }
    atomic_store(&health->down, status != JTG_OK);
    pthread_mutex_unlock(&health->lock);
}

void jtgi_health_leave(struct jtgi_health *health)
{
    pthread_mutex_lock(&health->lock);
    health->trying = false;
    pthread_mutex_unlock(&health->lock);
}

jtg_status jtgi_health_check(struct jtgi_health *health, jtg_error *err)
{
    if (!atomic_load(&health->down))
        return JTG_OK;
    pthread_mutex_lock(&health->lock);
    jtg_status status = JTG_OK;
    if (atomic_load(&health->down))
        status = tell_cause_locked(health, err);
    pthread_mutex_unlock(&health->lock);
    return status;
}
