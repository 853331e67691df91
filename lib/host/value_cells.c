/* SPDX-License-Identifier: Apache-2.0 */
#include "host/value_cells.h"

#include <sodium.h>
#include <string.h>

/* Its kind is set before its bytes, and taken away after them: a free cell holds nothing, whoever
 * dies when. */
static void set_kind(struct jtgi_value_cell *cell, enum jtgi_value_kind kind)
{
    jtgi_value_lead(&cell->kind, (uint32_t)kind);
}

static size_t piece_of(size_t left)
{
    return left < JTGI_VALUE_CELL_ROOM ? left : (size_t)JTGI_VALUE_CELL_ROOM;
}

/* ---- in ---- */

static uint32_t take_one(struct jtgi_value_area *area, enum jtgi_value_kind kind)
{
    uint32_t number = area->head->free;
    struct jtgi_value_cell *cell = jtgi_value_cell_of(area, number, JTGI_VALUE_FREE);
    if (cell == NULL)
        return 0;
    uint32_t next = cell->next;
    set_kind(cell, kind);
    area->head->free = next;
    cell->next = 0;
    return number;
}

uint32_t jtgi_value_cells_fill_locked(struct jtgi_value_area *area, enum jtgi_value_kind kind,
                                      const void *data, size_t len)
{
    const unsigned char *from = data;
    uint32_t first = 0;
    uint32_t *link = &first;
    for (size_t left = len; left > 0;) {
        uint32_t number = take_one(area, first == 0 ? kind : JTGI_VALUE_REST);
        struct jtgi_value_cell *cell = jtgi_value_cell(area, number);
        if (cell == NULL) {
            jtgi_value_cells_wipe_locked(area, first);
            return 0;
        }
        *link = number;
        link = &cell->next;
        memcpy(cell->room, from, piece_of(left));
        from += piece_of(left);
        left -= piece_of(left);
    }
    struct jtgi_value_cell *whole = jtgi_value_cell(area, first);
    if (whole != NULL)
        whole->len = (uint32_t)len;
    return first;
}

/* ---- out ---- */

bool jtgi_value_cells_read_locked(const struct jtgi_value_area *area,
                                  const struct jtgi_value_cell *first, unsigned char *to)
{
    const struct jtgi_value_cell *cell = first;
    for (size_t left = first->len; left > 0 && cell != NULL; left -= piece_of(left)) {
        memcpy(to, cell->room, piece_of(left));
        to += piece_of(left);
        if (left == piece_of(left))
            return true;
        cell = jtgi_value_cell_of(area, cell->next, JTGI_VALUE_REST);
    }
    return false;
}

unsigned char *jtgi_value_cells_byte_locked(const struct jtgi_value_area *area,
                                            struct jtgi_value_cell *first, size_t number)
{
    struct jtgi_value_cell *cell = first;
    for (; cell != NULL && number >= JTGI_VALUE_CELL_ROOM; number -= JTGI_VALUE_CELL_ROOM)
        cell = jtgi_value_cell_of(area, cell->next, JTGI_VALUE_REST);
    return cell != NULL ? &cell->room[number] : NULL;
}

bool jtgi_value_cells_are_locked(const struct jtgi_value_area *area,
                                 const struct jtgi_value_cell *first, const void *data, size_t len)
{
    const unsigned char *with = data;
    const struct jtgi_value_cell *cell = first;
    int differ = 0;
    if (first->len != len)
        return false;
    for (size_t left = len; left > 0; left -= piece_of(left)) {
        if (cell == NULL)
            return false;
        differ |= sodium_memcmp(cell->room, with, piece_of(left));
        with += piece_of(left);
        cell = jtgi_value_cell_of(area, cell->next, JTGI_VALUE_REST);
    }
    return differ == 0;
}

/* ---- away ---- */

void jtgi_value_cell_wipe_locked(struct jtgi_value_cell *cell)
{
    sodium_memzero(cell->room, sizeof cell->room);
    cell->behind = 0;
    cell->newest = 0;
    cell->keep = 0;
    cell->len = 0;
    cell->end = 0;
    set_kind(cell, JTGI_VALUE_FREE);
}

void jtgi_value_cells_wipe_locked(struct jtgi_value_area *area, uint32_t number)
{
    struct jtgi_value_cell *cell = jtgi_value_cell(area, number);
    while (cell != NULL && cell->kind != JTGI_VALUE_FREE) {
        uint32_t next = cell->next;
        jtgi_value_cell_wipe_locked(cell);
        cell->next = area->head->free;
        area->head->free = number;
        number = next;
        cell = jtgi_value_cell_of(area, number, JTGI_VALUE_REST);
    }
}
