/* SPDX-License-Identifier: Apache-2.0 */
/* A backend as a user of the library would write one: public headers only, one mutex, linked
 * lists, every entry looked at in every call. Slow and plain, so that it can be seen to be
 * right; the contract list is checked against it as it checks the others.
 *
 * Like a server it is in two parts: a store, and any number of caches on it. */
#ifndef TESTS_SUPPORT_FAKE_BACKEND_H
#define TESTS_SUPPORT_FAKE_BACKEND_H

#include <jtiguard/backend.h>
#include <jtiguard/clock.h>

struct fake_limits {
    uint64_t max_entries;           /* reservations; 0 = no bound */
    uint64_t max_entries_per_group; /* 0 = no share */
    uint64_t max_values;            /* 0 = no bound */
};

struct fake_store;

/* clock and limits are copied. NULL when out of memory. */
struct fake_store *fake_store_new(const jtg_clock *clock, const struct fake_limits *limits);

/* After the caches on it. */
void fake_store_free(struct fake_store *store);

/* The store loses all that it holds, as one that is restarted empty. The caches notice: until then
 * it had kept everything since it was made. */
void fake_store_forget(struct fake_store *store);

/* The store is restarted with older data: every bit of a bitmap is as when it was made. The caches
 * notice. */
void fake_store_rewind(struct fake_store *store);

/* A cache on the store. Caches with the same name_space see the same entries. */
jtg_status fake_cache_new(jtg_cache **cache, struct fake_store *store, unsigned name_space,
                          jtg_error *err);

#endif
