/* SPDX-License-Identifier: Apache-2.0 */
/* How the part for so many values is cut up, and how it begins. */
#include "host/value_layout.h"

#include <sodium.h>

enum { PAGE_BYTES = 4096, WORD_BYTES = 8 };

static size_t round_up(size_t size, size_t unit)
{
    return (size + unit - 1) / unit * unit;
}

static uint64_t cells_of(uint64_t bytes)
{
    return bytes / JTGI_VALUE_CELL_ROOM + 1;
}

/* Whatever lengths add up to max_bytes, it fits: a value, and its key, has one cell that is not
 * full. What replaces another is written while that is still there, so the longest value and key
 * have their cells once more. */
static uint64_t cells_for(uint64_t max_values, uint64_t max_bytes)
{
    uint64_t longest = max_bytes < JTG_VALUE_MAX_BYTES ? max_bytes : JTG_VALUE_MAX_BYTES;
    return cells_of(max_bytes) + 2 * max_values + cells_of(longest) + cells_of(JTG_KEY_MAX_BYTES);
}

void jtgi_value_plan(struct jtgi_value_plan *plan, uint64_t max_values, uint64_t max_bytes)
{
    *plan =
        (struct jtgi_value_plan){.max_values = max_values, .max_bytes = max_bytes, .buckets = 1};
    plan->cells = (uint32_t)cells_for(max_values, max_bytes);
    while (plan->buckets < max_values)
        plan->buckets *= 2;
    plan->marks_at = sizeof(struct jtgi_value_head);
    plan->buckets_at = round_up(plan->marks_at + plan->cells / 8 + 1, WORD_BYTES);
    plan->cells_at =
        round_up(plan->buckets_at + plan->buckets * sizeof(uint32_t), JTGI_VALUE_CELL_BYTES);
    plan->bytes =
        round_up(plan->cells_at + (size_t)plan->cells * JTGI_VALUE_CELL_BYTES, PAGE_BYTES);
}

/* Every cell is free, in the order of the numbers. */
void jtgi_value_area_format(void *memory, const struct jtgi_value_plan *plan)
{
    struct jtgi_value_head *head = memory;
    struct jtgi_value_cell *cells = (void *)((unsigned char *)memory + plan->cells_at);
    randombytes_buf(head->hash_key, sizeof head->hash_key);
    for (uint32_t number = 1; number < plan->cells; number++)
        cells[number - 1].next = number + 1;
    head->free = 1;
    head->earliest = JTGI_NEVER;
    head->sweep_earliest = JTGI_NEVER;
}
