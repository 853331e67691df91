/* SPDX-License-Identifier: Apache-2.0 */
#include "core/loop.h"

#include "core/counters.h"

#include <stddef.h>

const struct jtgi_loop_table *jtgi_loop_of(const jtg_cache *cache)
{
    const jtg_backend *backend = cache->backend;
    bool reaches = backend->struct_size >= offsetof(jtg_backend, loop) + sizeof backend->loop;
    return reaches ? backend->loop : NULL;
}

jtg_status jtgi_loop_count(jtg_cache *cache, struct jtgi_loop_call *call)
{
    size_t operation = call->gives_back ? JTG_OP_RELEASE : JTG_OP_RESERVE;
    if ((unsigned)call->status >= JTG_STATUS_COUNT)
        call->status = jtg_error_set(&call->err, JTG_ERR_PROTOCOL, 0,
                                     "the backend answered with an unknown status");
    call->err.status = call->status;
    jtgi_counters_add(cache->counters, operation * JTG_STATUS_COUNT + (size_t)call->status);
    return call->status;
}
