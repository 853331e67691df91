/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_WARM_H
#define BENCH_WARM_H

#include <stdint.h>

/* Have the system find memory for a table of so many entries, and give it back to the system.
 *
 * In a virtual machine the first touch of memory that the host has not lent yet costs many times
 * the second, and huge pages may first have to be put together. Who is measured first would pay
 * for that, and it is a cost of neither table. */
void bench_warm_memory(uint64_t entries);

#endif
