/* SPDX-License-Identifier: Apache-2.0 */
/* What lies where in the part of a host store that holds values (token caches).
 *
 *     head | marks | buckets | cells
 *
 * There are no pointers in it. A cell has room for a piece of a key or of a value; what is longer
 * goes on in further ones. A bucket leads to its keys, each behind the other, a key to its newest
 * value, and a value to the one that is older. Cells are told by their number; 0 is none.
 *
 * A process may be killed between any two instructions. So whatever it puts in is written to cells
 * to which nothing leads, and then one store of one number (jtgi_value_lead) makes it be there, in
 * place of what it replaces: each key has the list of before, or the one of after, and no value is
 * there in part. What nothing leads to any more is wiped and free. What a dead process has left in
 * between, the next one to take the lock finds by a walk (value_repair.h).
 *
 * The numbers are those of a file that others write to: none is followed without a look whether
 * there is such a cell and whether it is of the kind that is meant, and no row of them for longer
 * than there are cells. */
#ifndef JTGI_HOST_VALUE_LAYOUT_H
#define JTGI_HOST_VALUE_LAYOUT_H

#include "host/value_area.h"
#include "table/siphash.h"
#include "table/slot.h"

#include <stdatomic.h>

enum {
    JTGI_VALUE_CELL_BYTES = 256,
    JTGI_VALUE_CELL_ROOM = 224, /* of them for a key or a value */
    JTGI_VALUE_LINE_BYTES = 128
};

enum jtgi_value_kind {
    JTGI_VALUE_FREE = 0, /* its room is all zero */
    JTGI_VALUE_KEY,
    JTGI_VALUE_DATA,
    JTGI_VALUE_REST /* of a key or a value */
};

struct jtgi_value_cell {
    uint32_t kind;
    uint32_t next;   /* the rest goes on there; of a free one: the next that is free */
    uint32_t behind; /* of a key: the next of its bucket; of a value: the next older one */
    uint32_t newest; /* of a key: its newest value */
    uint32_t keep;   /* of a value: so many of its key stay, itself included */
    uint32_t len;    /* of the whole key or value */
    uint64_t end;    /* of a value, ms since the store was made */
    unsigned char room[JTGI_VALUE_CELL_ROOM];
};

_Static_assert(sizeof(struct jtgi_value_cell) == JTGI_VALUE_CELL_BYTES, "layout 4");

struct jtgi_value_head {
    unsigned char hash_key[JTGI_SIPHASH_KEY_BYTES];
    unsigned char behind_key[JTGI_VALUE_LINE_BYTES - JTGI_SIPHASH_KEY_BYTES];

    _Atomic uint32_t lock; /* of all that follows, and of the rest */
    uint32_t free;         /* first free cell */
    uint32_t keys;
    uint32_t values;
    uint64_t bytes;          /* of values and keys */
    uint64_t latest;         /* latest time that a call has brought: see table/partition.c */
    uint64_t earliest;       /* nothing ends before this */
    uint64_t sweep_earliest; /* the earliest end that the pass under way has seen */
    uint64_t sweep_pass;     /* number of the last pass that began */
    uint64_t sweep_at;       /* it goes on with this bucket; 0 = none is under way */
    uint64_t swept;
    uint64_t repairs;
    uint64_t emptied;
    uint32_t moved; /* nobody enters: another file took the place of this one (resize.c) */
    uint32_t rest_of_word;
    uint64_t rest_of_line[4];
};

_Static_assert(sizeof(struct jtgi_value_head) == 2 * (size_t)JTGI_VALUE_LINE_BYTES, "layout 4");

/* The handle. */
struct jtgi_value_area {
    struct jtgi_value_plan plan;
    struct jtgi_lock_party party;
    unsigned char hash_key[JTGI_SIPHASH_KEY_BYTES];
    struct jtgi_value_head *head;
    unsigned char *marks; /* a bit for each cell; the repair's */
    uint32_t *buckets;
    struct jtgi_value_cell *cells;
};

/* NULL: there is no such cell. */
static inline struct jtgi_value_cell *jtgi_value_cell(const struct jtgi_value_area *area,
                                                      uint32_t number)
{
    return number == 0 || number > area->plan.cells ? NULL : &area->cells[number - 1];
}

/* The same, of this kind. */
static inline struct jtgi_value_cell *jtgi_value_cell_of(const struct jtgi_value_area *area,
                                                         uint32_t number, enum jtgi_value_kind kind)
{
    struct jtgi_value_cell *cell = jtgi_value_cell(area, number);
    return cell != NULL && cell->kind == (uint32_t)kind ? cell : NULL;
}

/* The one store that decides: all that stands above it in the program is done before it, and what
 * stands below after it. */
static inline void jtgi_value_lead(uint32_t *link, uint32_t to)
{
    volatile uint32_t *decides = link;
    jtgi_keep_order();
    *decides = to;
    jtgi_keep_order();
}

/* SipHash-1-3, as the table of reservations. */
static inline uint32_t *jtgi_value_bucket(const struct jtgi_value_area *area, const void *key,
                                          size_t key_len)
{
    uint64_t hash = jtgi_siphash64(area->hash_key, key, key_len, 1, 3);
    return &area->buckets[hash & (area->plan.buckets - 1)];
}

#endif
