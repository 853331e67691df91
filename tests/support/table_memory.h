/* SPDX-License-Identifier: Apache-2.0 */
/* A table in memory of its own, as the memory store makes it, and the rules that it keeps. */
#ifndef TESTS_SUPPORT_TABLE_MEMORY_H
#define TESTS_SUPPORT_TABLE_MEMORY_H

#include "table/layout.h"

struct table_memory {
    struct jtgi_table_plan plan;
    void *pages;
    size_t pages_len;
    void *base; /* where the table lies */
    struct jtgi_table *table;
};

void table_memory_open(struct table_memory *memory, uint64_t max_entries, uint64_t per_group,
                       bool grows);
void table_memory_open_plan(struct table_memory *memory, const struct jtgi_table_plan *plan);
void table_memory_close(struct table_memory *memory);

/* What is wrong with the slots of a partition: order, homes, gaps, counters; NULL if nothing is.
 * Without the lock, so nobody may use the table meanwhile. */
const char *table_partition_fault(struct jtgi_table *table, size_t index);

/* The same for all, and the sum of the places. */
const char *table_fault(struct jtgi_table *table);

#endif
