/* SPDX-License-Identifier: Apache-2.0 */
/* The gate: may a server with these facts keep reservations? No I/O, no locks. */
#ifndef JTGI_REDIS_GATE_H
#define JTGI_REDIS_GATE_H

#include <jtiguard/redis.h>
#include <stdbool.h>

/* May it evict a live entry? True also when it does not say: every entry has a time to live, so
 * the volatile policies evict too, and what is not stated cannot be promised. */
bool jtgi_gate_evicts(const jtg_redis_server *server);

/* Returns: JTG_OK · JTG_ERR_UNAVAILABLE (loading, or a replica) · JTG_ERR_UNSUPPORTED (cluster
 * or Sentinel node) · JTG_ERR_UNSAFE (evicts and not allowed to, or does not say what it is) */
jtg_status jtgi_gate_judge(const jtg_redis_server *server, bool allow_eviction, jtg_error *err);

#endif
