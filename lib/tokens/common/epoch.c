/* SPDX-License-Identifier: Apache-2.0 */
#include "tokens/common/epoch.h"

#include <jtiguard/status.h>

jtg_status jtgi_epoch_read(jtg_cache *cache, int64_t *epoch, jtg_error *err)
{
    *epoch = JTGI_EPOCH_NONE;
    return jtg_cache_watches(cache) ? jtg_cache_epoch(cache, epoch, err) : JTG_OK;
}

jtg_status jtgi_epoch_check(jtg_cache *cache, int64_t noted, jtg_error *err)
{
    int64_t epoch = JTGI_EPOCH_NONE;
    if (!jtg_cache_watches(cache))
        return JTG_OK;
    jtg_status status = jtg_cache_epoch(cache, &epoch, err);
    if (status != JTG_OK || (epoch == noted && epoch != JTGI_EPOCH_PENDING))
        return status;
    return jtg_error_set(err, JTG_ERR_CONTINUITY, 0,
                         "the store has forgotten something since this was stored");
}
