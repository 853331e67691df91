/* SPDX-License-Identifier: Apache-2.0 */
/* One Sentinel and its answer. */
#ifndef JTGI_REDIS_SENTINEL_H
#define JTGI_REDIS_SENTINEL_H

#include "redis/address.h"

#include <jtiguard/status.h>

struct jtgi_redis;

struct jtgi_sentinel_answer {
    uint64_t epoch;
    struct jtgi_address primary;
};

/* On a connection of its own, which ends with the answer.
 *
 * Returns: as jtgi_sentinels_ask() */
jtg_status jtgi_sentinel_ask(struct jtgi_redis *redis, const struct jtgi_address *sentinel,
                             int64_t deadline_ns, struct jtgi_sentinel_answer *answer,
                             jtg_error *err);

#endif
