/* SPDX-License-Identifier: Apache-2.0 */
/* The Sentinels, who name the primary. Several are asked, and the one with the greatest
 * configuration epoch is believed: it numbers the failovers, so a Sentinel that was cut off and
 * still names the old primary does not win over one that knows better, nor over what one said
 * before. */
#ifndef JTGI_REDIS_SENTINELS_H
#define JTGI_REDIS_SENTINELS_H

#include "redis/address.h"
#include "redis/config.h"

#include <pthread.h>

struct jtgi_redis;

struct jtgi_sentinels {
    unsigned count;

    /* Under the lock, which is held for short copies. */
    pthread_mutex_t lock;
    struct {
        struct jtgi_address address;
        int64_t failed_ns; /* when it did not answer, last; 0: it did, or was never asked */
    } list[JTG_REDIS_ADDRESSES_LIMIT];
    bool named; /* somebody has named a primary */
    uint64_t epoch;
    struct jtgi_address primary;
};

/* sentinels holds none when the options name none. */
void jtgi_sentinels_init(struct jtgi_sentinels *sentinels, const struct jtgi_redis_config *config);

/* Ask who the primary is now. *agreeing, if not NULL: how many named this one.
 *
 * Returns: JTG_OK · JTG_ERR_UNAVAILABLE (nobody answers, or all are behind what was said before) ·
 *          JTG_ERR_REFUSED (login, unknown name) · JTG_ERR_PROTOCOL · JTG_ERR_MEMORY */
jtg_status jtgi_sentinels_ask(struct jtgi_redis *redis, int64_t deadline_ns,
                              struct jtgi_address *primary, unsigned *agreeing, jtg_error *err);

#endif
