/* SPDX-License-Identifier: Apache-2.0 */
/* The contract list: what cache.h promises, as tests that run against any backend.
 *
 * A backend is accepted when the whole list passes. It is described by one struct and run by
 * one small program:
 *
 *     static const struct contract_backend mine = {.name = "mine", …};
 *     int main(void) { return contract_run(&mine); }
 *
 * The list uses the public headers only. docs/testing.md shows how to compile it.
 *
 * Every test gets a fresh, empty store. Cases that need something that a backend does not
 * offer are left out of its list, and named in its output; they are not reported as passed. */
#ifndef TESTS_CONTRACT_CONTRACT_H
#define TESTS_CONTRACT_CONTRACT_H

#include <jtiguard/cache.h>

/* Bounds that a test asks of a store; 0 = the backend's own. */
struct contract_limits {
    uint64_t max_entries;           /* reservations */
    uint64_t max_entries_per_group; /* the share of a group */
    uint64_t max_values;
};

/* What a backend offers beyond reservations. */
enum {
    CONTRACT_VALUES = 1 << 0,      /* put, get, take, swap, drop */
    CONTRACT_BOUND = 1 << 1,       /* keeps to max_entries, and to max_values with VALUES */
    CONTRACT_GROUP_SHARE = 1 << 2, /* keeps to max_entries_per_group */
    CONTRACT_SHARED = 1 << 3,      /* open_again gives another way to the same entries */
    CONTRACT_NEIGHBOUR = 1 << 4,   /* open_neighbour gives another namespace of the same store */
    CONTRACT_WATCHES = 1 << 5, /* notices when the store has forgotten: reserve_kept, kept_since */
    CONTRACT_LENDS = 1 << 6,   /* lends memory: lend, lock_lent, unlock_lent */
    CONTRACT_BITMAPS = 1 << 7  /* bitmap_put, bitmap_take_many; with BOUND keeps to max_values */
};

struct contract_backend {
    const char *name; /* what jtg_cache_backend() answers */
    unsigned offers;  /* CONTRACT_… */

    /* How much real time may pass unseen while a test runs: 0 for a clock that only `advance`
     * moves, so that every end is judged to the millisecond. At most 500. */
    uint64_t slack_ms;

    /* An empty store with these bounds and a cache on it; *store is handed to the others. A
     * failure calls cmocka's fail(). */
    jtg_cache *(*open)(const struct contract_limits *limits, void **store);

    /* Another cache on the same entries, as another process would have. NULL unless SHARED. */
    jtg_cache *(*open_again)(void *store);

    /* A cache in a namespace of its own, in the same store where there is such a thing. NULL
     * unless NEIGHBOUR. */
    jtg_cache *(*open_neighbour)(void *store);

    /* Let ms pass for every entry. Where the store's clock cannot be moved, shorten what is
     * left of each entry instead of sleeping, and remove those that end. */
    void (*advance)(void *store, uint64_t ms);

    /* After the caches have been freed: nothing of the test may stay. */
    void (*close)(void *store);

    /* The store loses all that it holds, as one that is flushed, while the caches stay open. NULL
     * unless WATCHES. */
    void (*forget)(void *store);
};

/* Run the list, or the cases that JTIGUARD_TEST_FILTER names (a pattern with * and ?). Returns the
 * number of failed tests, for main(). */
int contract_run(const struct contract_backend *backend);

#endif
