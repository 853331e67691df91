/* SPDX-License-Identifier: Apache-2.0 */
#include "host/lending.h"

#include <stddef.h>

jtg_status jtgi_host_lend(jtg_cache *self, jtg_borrower borrower, void **memory, jtg_error *err)
{
    if ((unsigned)borrower >= JTG_BORROWER_COUNT)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "nothing is lent to this borrower");
    jtg_status status = jtgi_host_visit_follow(self, err);
    if (status != JTG_OK)
        return status;
    *memory = atomic_load(&jtgi_host_cache_of(self)->current)->file.header->pieces[borrower].memory;
    return JTG_OK;
}

static struct jtgi_host_piece *piece_of(void *memory)
{
    unsigned char *at = memory;
    return (struct jtgi_host_piece *)(void *)(at - offsetof(struct jtgi_host_piece, memory));
}

/* It may be one of a file that was exchanged since. */
static const struct jtgi_lock_party *party_of(jtg_cache *self, const void *memory)
{
    const struct jtgi_host_attachment *at = atomic_load(&jtgi_host_cache_of(self)->current);
    for (; at->older != NULL; at = at->older) {
        const char *first = (const char *)at->file.header;
        if ((const char *)memory >= first && (const char *)memory < first + at->file.facts.bytes)
            break;
    }
    return &at->party;
}

jtg_status jtgi_host_lock_lent(jtg_cache *self, void *memory, jtg_error *err)
{
    (void)err;
    return jtgi_lock_take(&piece_of(memory)->lock, party_of(self, memory)) == JTGI_LOCK_BLOCKED
               ? JTG_ERR_BLOCKED
               : JTG_OK;
}

void jtgi_host_unlock_lent(jtg_cache *self, void *memory)
{
    jtgi_lock_leave(&piece_of(memory)->lock, party_of(self, memory));
}
