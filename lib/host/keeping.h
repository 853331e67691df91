/* SPDX-License-Identifier: Apache-2.0 */
/* Reservations that count on what the store has kept since a time, and what ends that. */
#ifndef JTGI_HOST_KEEPING_H
#define JTGI_HOST_KEEPING_H

#include "host/visit.h"

/* The operations of backend.h. */
jtg_status jtgi_host_reserve_kept(jtg_cache *self, const jtg_key *key, const jtg_owner *owner,
                                  uint64_t ttl_ms, int64_t kept_since_ms, jtg_error *err);
void jtgi_host_reserve_many(jtg_cache *self, jtg_reserve_call *const *calls, size_t count);
jtg_status jtgi_host_kept_since(jtg_cache *self, int64_t *kept_since_ms, jtg_error *err);
jtg_status jtgi_host_epoch(jtg_cache *self, int64_t *epoch, jtg_error *err);

/* Has everything been kept since then? JTG_KEPT_ANY: nothing is asked.
 * Returns: JTG_OK · JTG_ERR_CONTINUITY · JTG_ERR_BLOCKED */
jtg_status jtgi_host_check_since(const struct jtgi_host_visit *visit, int64_t kept_since_ms,
                                 jtg_error *err);

/* What was kept before now counts no more; everything: and is removed.
 * Returns: JTG_OK · JTG_ERR_BLOCKED */
jtg_status jtgi_host_lose(const struct jtgi_host_visit *visit, bool everything);

#endif
