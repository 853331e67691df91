/* SPDX-License-Identifier: Apache-2.0 */
#include "host/value_repair.h"

#include <sodium.h>
#include <string.h>

/* What the walk has seen so far. */
struct walk {
    struct jtgi_value_area *area;
    uint32_t keys;
    uint32_t values;
    uint64_t bytes;
    uint64_t earliest;
    uint32_t left; /* keys without values that there can still be */
};

/* ---- marks ---- */

static bool is_marked(const struct jtgi_value_area *area, uint32_t number)
{
    return (area->marks[number / 8] >> number % 8 & 1) != 0;
}

/* False: something else leads there too. */
static bool mark(struct jtgi_value_area *area, uint32_t number)
{
    if (is_marked(area, number))
        return false;
    area->marks[number / 8] |= (unsigned char)(1U << number % 8);
    return true;
}

static void clear_marks(struct jtgi_value_area *area)
{
    memset(area->marks, 0, area->plan.cells / 8 + 1);
}

/* The cells of a key or value, as many as its length asks for. */
static bool mark_row(struct walk *walk, uint32_t number, enum jtgi_value_kind kind, uint32_t most)
{
    const struct jtgi_value_cell *cell = jtgi_value_cell_of(walk->area, number, kind);
    if (cell == NULL || cell->len == 0 || cell->len > most)
        return false;
    walk->bytes += cell->len;
    for (uint32_t left = cell->len;; left -= JTGI_VALUE_CELL_ROOM) {
        if (cell == NULL || !mark(walk->area, number))
            return false;
        number = cell->next;
        if (left <= JTGI_VALUE_CELL_ROOM)
            return number == 0;
        cell = jtgi_value_cell_of(walk->area, number, JTGI_VALUE_REST);
    }
}

/* ---- the walk ---- */

static bool mark_value(struct walk *walk, uint32_t number)
{
    if (!mark_row(walk, number, JTGI_VALUE_DATA, JTG_VALUE_MAX_BYTES))
        return false;
    const struct jtgi_value_cell *value = jtgi_value_cell(walk->area, number);
    if (value == NULL || value->keep == 0 || value->keep > JTG_KEEP_MAX)
        return false;
    walk->values++;
    if (value->end < walk->earliest)
        walk->earliest = value->end;
    return true;
}

/* What stands behind those that stay was pushed out. */
static bool mend_list(struct walk *walk, struct jtgi_value_cell *key)
{
    uint32_t *link = &key->newest;
    const struct jtgi_value_cell *newest = jtgi_value_cell(walk->area, key->newest);
    uint32_t keep = newest != NULL ? newest->keep : 0;
    for (uint32_t kept = 0; *link != 0; kept++) {
        if (kept == keep && kept > 0) {
            jtgi_value_lead(link, 0);
            return true;
        }
        if (!mark_value(walk, *link))
            return false;
        struct jtgi_value_cell *value = jtgi_value_cell(walk->area, *link);
        if (value == NULL)
            return false;
        link = &value->behind;
    }
    return true;
}

static bool is_of_bucket(const struct jtgi_value_area *area, const struct jtgi_value_cell *key,
                         const uint32_t *bucket)
{
    unsigned char bytes[JTG_KEY_MAX_BYTES];
    return jtgi_value_cells_read_locked(area, key, bytes) &&
           jtgi_value_bucket(area, bytes, key->len) == bucket;
}

static bool mend_bucket(struct walk *walk, uint32_t *bucket)
{
    uint32_t *link = bucket;
    while (*link != 0) {
        struct jtgi_value_cell *key = jtgi_value_cell_of(walk->area, *link, JTGI_VALUE_KEY);
        if (key == NULL)
            return false;
        if (key->newest == 0) {
            if (walk->left-- == 0)
                return false;
            jtgi_value_lead(link, key->behind);
            continue;
        }
        if (!mark_row(walk, *link, JTGI_VALUE_KEY, JTG_KEY_MAX_BYTES) ||
            !is_of_bucket(walk->area, key, bucket) || !mend_list(walk, key))
            return false;
        walk->keys++;
        link = &key->behind;
    }
    return true;
}

static bool mend_all(struct walk *walk)
{
    clear_marks(walk->area);
    for (uint32_t i = 0; i < walk->area->plan.buckets; i++)
        if (!mend_bucket(walk, &walk->area->buckets[i]))
            return false;
    return true;
}

/* ---- the rest ---- */

static void free_unmarked(struct jtgi_value_area *area)
{
    uint32_t free = 0;
    for (uint32_t number = area->plan.cells; number > 0; number--) {
        struct jtgi_value_cell *cell = jtgi_value_cell(area, number);
        if (cell == NULL || is_marked(area, number))
            continue;
        if (cell->kind != JTGI_VALUE_FREE)
            jtgi_value_cell_wipe_locked(cell);
        cell->next = free;
        free = number;
    }
    area->head->free = free;
}

static void empty(struct jtgi_value_area *area)
{
    for (uint32_t i = 0; i < area->plan.buckets; i++)
        jtgi_value_lead(&area->buckets[i], 0);
    clear_marks(area);
    area->head->emptied++;
}

bool jtgi_value_repair_locked(struct jtgi_value_area *area)
{
    struct jtgi_value_head *head = area->head;
    struct walk walk = {.area = area, .earliest = JTGI_NEVER, .left = area->plan.cells};
    bool kept = mend_all(&walk);
    if (!kept) {
        empty(area);
        walk = (struct walk){.area = area, .earliest = JTGI_NEVER};
    }
    free_unmarked(area);
    head->keys = walk.keys;
    head->values = walk.values;
    head->bytes = walk.bytes;
    head->earliest = walk.earliest;
    head->sweep_earliest = JTGI_NEVER;
    head->sweep_at = 0;
    head->repairs++;
    return kept;
}
