/* SPDX-License-Identifier: Apache-2.0 */
/* redis-benchmark, the server's own tool: what it can serve when 64 clients send 64 commands at
 * a time and nobody waits for one answer. */
#ifndef BENCH_REDIS_BENCHMARK_H
#define BENCH_REDIS_BENCHMARK_H

#include "bench/redis/place.h"

/* Can it be used? Where not, a line on stderr says why. */
bool bench_benchmark_is_there(const struct bench_place *place);

/* Have it reserve random keys for about so many seconds. stored: how many it sent, of which next
 * to none were the same. false, and a line on stderr, when it failed. */
bool bench_benchmark_run(const struct bench_place *place, double seconds, double *ops_per_s,
                         uint64_t *stored);

#endif
