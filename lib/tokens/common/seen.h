/* SPDX-License-Identifier: Apache-2.0 */
/* What a server sends once and a network twice (a ticket, a token) is marked by a reservation
 * before it is stored, so that the second copy is known, also after the first was used. */
#ifndef JTGI_TOKENS_COMMON_SEEN_H
#define JTGI_TOKENS_COMMON_SEEN_H

#include <jtiguard/cache.h>

/* Give the mark back after a put that failed, so that it may be stored again; but not where it may
 * have been stored all the same: twice is worse than never. */
static inline void jtgi_seen_settle(jtg_cache *cache, const jtg_key *seen, const jtg_owner *owner,
                                    jtg_status put)
{
    if (put != JTG_OK && put != JTG_ERR_TIMEOUT && put != JTG_ERR_REPLICAS)
        (void)!jtg_cache_release(cache, seen, owner, NULL);
}

#endif
