/* SPDX-License-Identifier: Apache-2.0 */
/* The set of ticket keys in the cache: read it, change it by compare and swap.
 *
 * A key leaves a set for two reasons only: its time is over, or it was revoked. So a live key that
 * is known here and missing there was lost by the store (flushed, failed over, restored from an old
 * copy) or is of a set that somebody else began meanwhile, and is put back, to open with. */
#ifndef JTGI_TOKENS_TICKETS_KEY_STORE_H
#define JTGI_TOKENS_TICKETS_KEY_STORE_H

#include "tokens/tickets/key_blob.h"

#include <jtiguard/cache.h>
#include <jtiguard/clock.h>
#include <jtiguard/log.h>

enum { JTGI_KEY_STORE_KEY_BYTES = 16 + JTG_TICKET_ZONE_MAX_BYTES };

struct jtgi_key_store {
    jtg_cache *cache;                   /* borrowed */
    const struct jtgi_wrapper *wrapper; /* borrowed */
    const jtg_clock *clock;             /* borrowed */
    const jtg_logger *logger;           /* borrowed */
    struct jtgi_key_schedule schedule;
    size_t key_len;
    char key[JTGI_KEY_STORE_KEY_BYTES];
};

/* schedule, and all that is borrowed, are set. */
void jtgi_key_store_init(struct jtgi_key_store *store);

enum jtgi_key_wish {
    JTGI_KEYS_LOAD,  /* read only */
    JTGI_KEYS_KEEP,  /* and see that there is a next key, and that nothing is lost */
    JTGI_KEYS_HURRY, /* and let the next key seal as soon as it may */
    JTGI_KEYS_REVOKE /* forget all keys, and make a new one */
};

/* local: the set in use, or NULL. At most `attempts` times a read and a swap. *fresh is the set to
 * use from now on, held once, or NULL where nothing was learnt; it may be set also when the answer
 * is not JTG_OK: what was read, but could not be changed as wished.
 *
 * Returns: JTG_OK · JTG_NOT_FOUND (load, and there is none) · JTG_MISMATCH (lost every race; not
 * for KEEP, where somebody else has then done it) · the others of jtg_ticket_keys_refresh() */
jtg_status jtgi_key_store_sync(const struct jtgi_key_store *store, enum jtgi_key_wish wish,
                               unsigned attempts, const struct jtgi_key_set *local,
                               struct jtgi_key_set **fresh, jtg_error *err);

#endif
