/* SPDX-License-Identifier: Apache-2.0 */
/* Counters that many threads raise at once. */
#ifndef JTGI_CORE_COUNTERS_H
#define JTGI_CORE_COUNTERS_H

#include <stddef.h>
#include <stdint.h>

/* A set of counters. Each thread adds to one of a few copies of the set, on cache lines of
 * their own, so that counting never makes two cores fight over a line. */
struct jtgi_counters;

/* All zero, or NULL when out of memory. */
struct jtgi_counters *jtgi_counters_new(size_t count);
void jtgi_counters_free(struct jtgi_counters *counters);

/* index < count. */
void jtgi_counters_add(struct jtgi_counters *counters, size_t index);

/* The sum over all copies; 0 for an index that is none. */
uint64_t jtgi_counters_read(const struct jtgi_counters *counters, size_t index);

#endif
