/* SPDX-License-Identifier: Apache-2.0 */
#include "core/lent.h"

#include "core/fork.h"

#include <stddef.h>

#define END_OF(slot) (offsetof(jtg_backend, slot) + sizeof(((const jtg_backend *)NULL)->slot))

static int slots_set(const jtg_backend *backend)
{
    if (backend->struct_size < END_OF(unlock_lent))
        return 0;
    return (backend->lend != NULL) + (backend->lock_lent != NULL) + (backend->unlock_lent != NULL);
}

bool jtgi_backend_lends(const jtg_backend *backend)
{
    return slots_set(backend) == 3;
}

bool jtgi_backend_lends_in_part(const jtg_backend *backend)
{
    return slots_set(backend) % 3 != 0;
}

/* Whatever a store answers is told; and what is no status at all must not be taken for one. */
static jtg_status told(jtg_status status, jtg_error *err)
{
    if ((unsigned)status >= (unsigned)JTG_STATUS_COUNT)
        status = JTG_ERR_PROTOCOL;
    return status == JTG_OK ? status : jtg_error_set(err, status, 0, "the store lent no memory");
}

jtg_status jtgi_lent_find(jtg_cache *cache, jtg_borrower borrower, void **memory, jtg_error *err)
{
    jtg_error unasked = JTG_ERROR_INIT;
    *memory = NULL;
    if (cache->fork_generation != jtgi_fork_generation())
        return jtg_error_set(err, JTG_ERR_FORKED, 0, "the cache was made before fork");
    jtg_status status = cache->backend->lend(cache, borrower, memory, err != NULL ? err : &unasked);
    if (status == JTG_OK && *memory == NULL)
        status = JTG_ERR_PROTOCOL;
    return told(status, err);
}

jtg_status jtgi_lent_lock(jtg_cache *cache, void *memory, jtg_error *err)
{
    jtg_error unasked = JTG_ERROR_INIT;
    return told(cache->backend->lock_lent(cache, memory, err != NULL ? err : &unasked), err);
}

void jtgi_lent_unlock(jtg_cache *cache, void *memory)
{
    cache->backend->unlock_lent(cache, memory);
}
