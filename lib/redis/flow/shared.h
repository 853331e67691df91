/* SPDX-License-Identifier: Apache-2.0 */
/* What everybody below the callers of a cache shares. It knows no server and no topology. */
#ifndef JTGI_REDIS_SHARED_H
#define JTGI_REDIS_SHARED_H

#include "core/counters.h"
#include "redis/flow/watch.h"
#include "redis/line/dialer.h"
#include "redis/say/options/config.h"

struct jtgi_shared {
    struct jtgi_redis_config config;
    struct jtgi_dialer dialer;
    struct jtgi_counters *counters; /* counts.h */
    struct jtgi_watch watch;        /* empty without continuity */
};

/* It must stay where it is. Returns: as jtgi_redis_config_read(), jtgi_watch_init() and
 * jtgi_dialer_init(); on failure it holds nothing */
jtg_status jtgi_shared_init(struct jtgi_shared *shared, const jtg_redis_options *options,
                            jtg_error *err);

/* No call may be under way. Neither talks nor waits. */
void jtgi_shared_clear(struct jtgi_shared *shared, bool in_child);

/* NULL: the store is not watched. */
struct jtgi_watch *jtgi_shared_watch(struct jtgi_shared *shared);

#endif
