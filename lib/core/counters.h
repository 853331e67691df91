/* SPDX-License-Identifier: Apache-2.0 */
/* Counters that many threads raise at once. */
#ifndef JTGI_CORE_COUNTERS_H
#define JTGI_CORE_COUNTERS_H

#include "core/alloc.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/* A set of counters. Each thread adds to one of a few copies of the set, on cache lines of
 * their own, so that counting never makes two cores fight over a line. Every thread reads the
 * head, so that it is on lines of its own too: beside the first copy's counters, each count there
 * would take it from the caches of all others. */
struct jtgi_counters {
    size_t count;
    size_t stride; /* counters from one copy to the next: whole places */
    _Alignas(JTGI_PLACE_BYTES) _Atomic uint64_t values[];
};

/* All zero, or NULL when out of memory. */
struct jtgi_counters *jtgi_counters_new(size_t count);
void jtgi_counters_free(struct jtgi_counters *counters);

/* index < count. */
void jtgi_counters_add(struct jtgi_counters *counters, size_t index);

/* The sum over all copies; 0 for an index that is none. */
uint64_t jtgi_counters_read(const struct jtgi_counters *counters, size_t index);

#endif
