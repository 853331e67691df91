/* SPDX-License-Identifier: Apache-2.0 */
/* The least that a handler on the same HTTP library costs: reads the request, answers 200. */
#ifndef BENCH_SERVE_FLOOR_H
#define BENCH_SERVE_FLOOR_H

#include <sys/types.h>

/* In a process of its own, on a port of 127.0.0.1, with as many workers as `jtiguard serve` has by
 * default. 0, and a line on stderr, when it cannot be had. */
pid_t bench_floor_start(unsigned port);

#endif
