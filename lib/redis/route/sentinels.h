/* SPDX-License-Identifier: Apache-2.0 */
/* The Sentinels, who name the primary. Several are asked, and the one with the greatest
 * configuration epoch is believed: it numbers the failovers, so a Sentinel that was cut off and
 * still names the old primary does not win over one that knows better, nor over what one said
 * before. Under one epoch, which has one primary, the one that most of them name counts.
 *
 * Only those that know one another count. An address may lead to a Sentinel of another deployment
 * by now, which numbers the failovers of its own primary.
 *
 * More than half of them must answer, and they are counted by who they are: one that is reached by
 * two names of the list has one voice. A name with several addresses leads to several; how many
 * there are is then what they say themselves, for a name service leaves out those that are down. So
 * it is with a list of one entry, to however many it leads at the moment. */
#ifndef JTGI_REDIS_SENTINELS_H
#define JTGI_REDIS_SENTINELS_H

#include "redis/flow/shared.h"
#include "redis/say/address/address.h"

#include <pthread.h>

struct jtgi_sentinels {
    struct jtgi_shared *shared; /* borrowed */
    unsigned count;

    /* Under the lock, which is held for short copies. */
    pthread_mutex_t lock;
    struct {
        struct jtgi_address address;
        int64_t failed_ns; /* when it did not answer, last; 0: it did, or was never asked */
    } list[JTG_REDIS_ADDRESSES_LIMIT];
    bool named;               /* somebody has named a primary */
    bool told_twofold;        /* that one is reached by two entries */
    int64_t told_stranger_ns; /* when it was told that one is of another deployment; 0: never */
    uint64_t epoch;
    struct jtgi_address primary;
};

/* sentinels holds none when the options name none. */
void jtgi_sentinels_init(struct jtgi_sentinels *sentinels, struct jtgi_shared *shared);

/* What they say. */
struct jtgi_naming {
    struct jtgi_address primary;
    uint64_t epoch;    /* of the failover that made it the primary */
    unsigned members;  /* Sentinels that there are, as far as is known */
    unsigned answers;  /* of those, each counted once */
    unsigned agreeing; /* of those, that name this primary */
    bool resolves;     /* asked for: by what its names and addresses lead to, for the doctor */
};

/* Ask who the primary is now.
 *
 * Returns: JTG_OK · JTG_ERR_UNAVAILABLE (nobody answers, all are behind what was said before, or
 * those that answer do not know one another) · JTG_ERR_REFUSED (login, unknown name) ·
 * JTG_ERR_PROTOCOL · JTG_ERR_MEMORY. The counts in *naming are set in any case. */
jtg_status jtgi_sentinels_ask(struct jtgi_sentinels *sentinels, int64_t deadline_ns,
                              struct jtgi_naming *naming, jtg_error *err);

#endif
