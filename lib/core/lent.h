/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that a store lends (backend.h): the way to the slots, for who is no cache. */
#ifndef JTGI_CORE_LENT_H
#define JTGI_CORE_LENT_H

#include <jtiguard/backend.h>
#include <stdbool.h>

/* Of an older table nothing behind its end is read. */
bool jtgi_backend_lends(const jtg_backend *backend);
bool jtgi_backend_lends_in_part(const jtg_backend *backend);

/* The piece of a borrower as it is now. The cache lends.
 * Returns: JTG_OK and *memory · JTG_ERR_FORKED · JTG_ERR_… of the store */
jtg_status jtgi_lent_find(jtg_cache *cache, jtg_borrower borrower, void **memory, jtg_error *err);

/* Hold the lock of a piece that was found.
 * Returns: JTG_OK · JTG_ERR_BLOCKED, or another of the store: it is not held */
jtg_status jtgi_lent_lock(jtg_cache *cache, void *memory, jtg_error *err);
void jtgi_lent_unlock(jtg_cache *cache, void *memory);

#endif
