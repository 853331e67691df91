/* SPDX-License-Identifier: Apache-2.0 */
#include "support/value_memory.h"

#include "host/value_cells.h"
#include "support/asserts.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static const struct jtgi_lock_party alone = {.word = 1};

void value_memory_open(struct value_memory *memory, uint64_t max_values, uint64_t max_bytes)
{
    jtgi_value_plan(&memory->plan, max_values, max_bytes);
    memory->pages =
        mmap(NULL, memory->plan.bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(memory->pages != MAP_FAILED);
    jtgi_value_area_format(memory->pages, &memory->plan);
    memory->area = jtgi_value_area_open(memory->pages, &memory->plan, &alone);
    assert_non_null(memory->area);
}

void value_memory_close(struct value_memory *memory)
{
    jtgi_value_area_close(memory->area);
    (void)munmap(memory->pages, memory->plan.bytes);
}

/* ---- the rules ---- */

/* Each cell is met once. */
struct look {
    const struct jtgi_value_area *area;
    unsigned char *met;
    uint32_t count, keys, values;
    uint64_t bytes;
    const char *fault;
};

static const struct jtgi_value_cell *meet(struct look *look, uint32_t number,
                                          enum jtgi_value_kind kind)
{
    const struct jtgi_value_cell *cell = jtgi_value_cell_of(look->area, number, kind);
    if (cell == NULL || look->met[number] != 0) {
        look->fault = cell == NULL ? "a cell of another kind" : "two lead to one cell";
        return NULL;
    }
    look->met[number] = 1;
    look->count++;
    return cell;
}

static const struct jtgi_value_cell *meet_row(struct look *look, uint32_t number,
                                              enum jtgi_value_kind kind)
{
    const struct jtgi_value_cell *first = meet(look, number, kind);
    const struct jtgi_value_cell *cell = first;
    uint32_t room = JTGI_VALUE_CELL_ROOM;
    while (cell != NULL && cell->next != 0) {
        cell = meet(look, cell->next, JTGI_VALUE_REST);
        room += JTGI_VALUE_CELL_ROOM;
    }
    if (cell == NULL)
        return NULL;
    look->bytes += first->len;
    if (first->len == 0 || first->len > room || first->len + JTGI_VALUE_CELL_ROOM <= room)
        look->fault = "a length that its cells do not have";
    return first;
}

static void meet_list(struct look *look, uint32_t number)
{
    uint32_t most = 0;
    if (number == 0)
        look->fault = "a key without a value";
    for (uint32_t kept = 0; number != 0 && look->fault == NULL; kept++) {
        const struct jtgi_value_cell *value = meet_row(look, number, JTGI_VALUE_DATA);
        if (value == NULL)
            return;
        if (kept == 0)
            most = value->keep;
        if (kept >= most)
            look->fault = "a list is too long";
        if (value->end < look->area->head->earliest)
            look->fault = "something ends before the earliest end";
        look->values++;
        number = value->behind;
    }
}

static void meet_bucket(struct look *look, uint32_t number)
{
    while (number != 0 && look->fault == NULL) {
        const struct jtgi_value_cell *key = meet_row(look, number, JTGI_VALUE_KEY);
        if (key == NULL)
            return;
        look->keys++;
        meet_list(look, key->newest);
        number = key->behind;
    }
}

static bool is_empty(const struct jtgi_value_cell *cell)
{
    static const struct jtgi_value_cell empty;
    struct jtgi_value_cell without = *cell;
    without.next = 0;
    return memcmp(&without, &empty, sizeof empty) == 0;
}

static void meet_free(struct look *look)
{
    for (uint32_t number = look->area->head->free; number != 0 && look->fault == NULL;) {
        const struct jtgi_value_cell *cell = meet(look, number, JTGI_VALUE_FREE);
        if (cell == NULL)
            return;
        if (!is_empty(cell))
            look->fault = "a free cell is not empty";
        number = cell->next;
    }
}

static void compare_counters(struct look *look)
{
    const struct jtgi_value_head *head = look->area->head;
    if (look->fault != NULL)
        return;
    if (look->count != look->area->plan.cells)
        look->fault = "a cell is lost";
    else if (head->keys != look->keys || head->values != look->values || head->bytes != look->bytes)
        look->fault = "the counters are wrong";
}

const char *value_area_fault(const struct jtgi_value_area *area)
{
    struct look look = {.area = area, .met = calloc(area->plan.cells + 1, 1)};
    assert_non_null(look.met);
    for (uint32_t i = 0; i < area->plan.buckets; i++)
        meet_bucket(&look, area->buckets[i]);
    meet_free(&look);
    compare_counters(&look);
    free(look.met);
    return look.fault;
}

/* ---- what is there ---- */

static const struct jtgi_value_cell *find(const struct jtgi_value_area *area, const jtg_key *key)
{
    const struct jtgi_value_cell *cell =
        jtgi_value_cell(area, *jtgi_value_bucket(area, key->data, key->data_len));
    while (cell != NULL && !jtgi_value_cells_are_locked(area, cell, key->data, key->data_len))
        cell = jtgi_value_cell(area, cell->behind);
    return cell;
}

size_t value_area_list(const struct jtgi_value_area *area, const jtg_key *key,
                       uint64_t first[VALUE_LIST_MAX])
{
    const struct jtgi_value_cell *found = find(area, key);
    size_t count = 0;
    if (found == NULL)
        return 0;
    const struct jtgi_value_cell *value = jtgi_value_cell(area, found->newest);
    for (; value != NULL && count < VALUE_LIST_MAX; count++) {
        memcpy(&first[count], value->room, sizeof first[0]);
        value = jtgi_value_cell(area, value->behind);
    }
    return count;
}

bool value_area_has(const struct jtgi_value_area *area, const void *bytes, size_t len)
{
    return memmem(area->head, area->plan.bytes, bytes, len) != NULL;
}
