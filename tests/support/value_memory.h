/* SPDX-License-Identifier: Apache-2.0 */
/* The values of a host store in memory of the test, and the rules that they keep. */
#ifndef TESTS_SUPPORT_VALUE_MEMORY_H
#define TESTS_SUPPORT_VALUE_MEMORY_H

#include "host/value_layout.h"

struct value_memory {
    struct jtgi_value_plan plan;
    void *pages;
    struct jtgi_value_area *area;
};

void value_memory_open(struct value_memory *memory, uint64_t max_values, uint64_t max_bytes);
void value_memory_close(struct value_memory *memory);

/* What is wrong with the cells: each must be free, empty and in the row of the free ones, or be
 * what one key or value leads to; and the counters must be right. NULL if nothing is. Without the
 * lock, so nobody may use them meanwhile. */
const char *value_area_fault(const struct jtgi_value_area *area);

enum { VALUE_LIST_MAX = 64 };

/* The values of a key, ended ones too, newest first: one number of 8 bytes each, which is how they
 * begin. How many. */
size_t value_area_list(const struct jtgi_value_area *area, const jtg_key *key,
                       uint64_t first[VALUE_LIST_MAX]);

/* Is there a byte of this anywhere in the memory? */
bool value_area_has(const struct jtgi_value_area *area, const void *bytes, size_t len);

#endif
