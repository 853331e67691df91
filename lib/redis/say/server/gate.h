/* SPDX-License-Identifier: Apache-2.0 */
/* The gate: may a server with these facts keep reservations? No I/O, no locks. */
#ifndef JTGI_REDIS_GATE_H
#define JTGI_REDIS_GATE_H

#include "redis/say/options/config.h"

/* May it evict a live entry? True also when it does not say: every entry has a time to live, so
 * the volatile policies evict too, and what is not stated cannot be promised. */
bool jtgi_gate_evicts(const jtg_redis_server *server);

/* What of it says so: both limit and policy, for people. */
enum { JTGI_EVICTION_BYTES = 96 };
void jtgi_gate_format_eviction(const jtg_redis_server *server, char text[JTGI_EVICTION_BYTES]);

/* Is it of the kind that the options name? Returns: JTG_OK · JTG_ERR_UNSUPPORTED */
jtg_status jtgi_gate_judge_mode(const jtg_redis_server *server, bool cluster_wanted,
                                jtg_error *err);

/* Returns: JTG_OK · JTG_ERR_UNAVAILABLE (loading, or a replica) · JTG_ERR_UNSUPPORTED (a Sentinel,
 * a cluster node that no option names, or none where one is named) · JTG_ERR_UNSAFE (evicts and
 * not allowed to, does not say what it is, or does not write what fsync asks for) */
jtg_status jtgi_gate_judge(const jtg_redis_server *server, const struct jtgi_redis_config *config,
                           jtg_error *err);

#endif
