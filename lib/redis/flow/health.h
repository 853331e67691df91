/* SPDX-License-Identifier: Apache-2.0 */
/* Is the store known to be down, and when may it be tried again? Exponential pauses with jitter,
 * so that many processes do not knock at the same moment when a server comes back. */
#ifndef JTGI_REDIS_HEALTH_H
#define JTGI_REDIS_HEALTH_H

#include <jtiguard/clock.h>
#include <jtiguard/status.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

enum {
    JTGI_PAUSE_FIRST_MS = 50,
    JTGI_PAUSE_LIMIT_MS = 500, /* a store that came back is in use again within a second */
    /* Where another server can take over: an attempt that began just before that may itself have
     * taken half of the second. */
    JTGI_PAUSE_FAILOVER_MS = 200,
    /* One that tries gets no further where its event loop has stopped: another tries then. */
    JTGI_TRYING_LIMIT_MS = 10000
};

struct jtgi_health {
    jtg_clock clock;
    int64_t pause_limit_ms;
    atomic_bool down; /* may be read without the lock */
    pthread_mutex_t lock;
    unsigned failures; /* in a row */
    bool trying;       /* one caller tries it at the moment, */
    int64_t trying_ms; /* since then */
    int64_t retry_at_ms;
    jtg_error cause; /* of the last failure */
};

void jtgi_health_init(struct jtgi_health *health, const jtg_clock *clock, int64_t pause_limit_ms);

/* May the caller try to connect? JTG_OK: yes, and it must call jtgi_health_end(). Else the
 * cause of the last failure: others, or nobody yet, may try. */
jtg_status jtgi_health_begin(struct jtgi_health *health, jtg_error *err);

/* How the attempt ended. */
void jtgi_health_end(struct jtgi_health *health, jtg_status status, const jtg_error *cause);

/* It was left before it had come to anything: another may try. */
void jtgi_health_leave(struct jtgi_health *health);

/* JTG_OK, or the cause of the last failure while the store is down. */
jtg_status jtgi_health_check(struct jtgi_health *health, jtg_error *err);

#endif
