/* SPDX-License-Identifier: Apache-2.0 */
/* A store that lost its last changes (restored from a backup, failed over to a replica that lagged)
 * holds values again that were handed out. Such a store has another moment since which it has kept
 * everything. So the moment is noted with each value, and what is taken later, under another, is
 * handed out to nobody. It is the store's own number of that moment: told by the wall clock, it
 * would be another whenever that is set. */
#ifndef JTGI_TOKENS_COMMON_EPOCH_H
#define JTGI_TOKENS_COMMON_EPOCH_H

#include <jtiguard/cache.h>

/* Of a cache that notices no losses. */
#define JTGI_EPOCH_NONE INT64_MIN

/* Of one that has just noticed a loss, and kept nothing yet: two of them are not the same. */
#define JTGI_EPOCH_PENDING INT64_MAX

/* To note with a value, before it is put. Returns: as jtg_cache_epoch() */
jtg_status jtgi_epoch_read(jtg_cache *cache, int64_t *epoch, jtg_error *err);

/* Asked after a value was taken: a loss up to then is in the answer, and after a later one a copy
 * of the value that came back is of another epoch. Returns: JTG_OK · JTG_ERR_CONTINUITY · as
 * jtg_cache_epoch() */
jtg_status jtgi_epoch_check(jtg_cache *cache, int64_t noted, jtg_error *err);

#endif
