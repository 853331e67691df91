/* SPDX-License-Identifier: Apache-2.0 */
/* What the calls are made with: keys of the guard's form, and owners. All come from an index, so
 * that ten million of them need no memory and every table sees the same ones. */
#ifndef BENCH_ITEMS_H
#define BENCH_ITEMS_H

#include <jtiguard/cache.h>

/* "jtg:" and 43 base64url characters, as the guard's digest form. */
enum { BENCH_KEY_BYTES = 47 };

/* One cache line. */
struct bench_item {
    char key[BENCH_KEY_BYTES + 1];
    jtg_owner owner;
};

/* Who asks: the holder of each key, or somebody who replays it. */
enum bench_role { BENCH_HOLDER, BENCH_REPLAYER };

/* Which keys: count of them, from first on; or, where among is not 0, at random out of that many
 * from first on, none twice. */
struct bench_range {
    uint64_t first;
    uint64_t count;
    uint64_t among;
};

/* Make the items at places from … from + count - 1 of a range. */
void bench_items_fill(struct bench_item *items, size_t count, const struct bench_range *range,
                      uint64_t from, enum bench_role role);

#endif
