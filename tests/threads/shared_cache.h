/* SPDX-License-Identifier: Apache-2.0 */
/* What these tests share: a memory cache under a moved clock, and counts that threads may add
 * to. */
#ifndef TESTS_THREADS_SHARED_CACHE_H
#define TESTS_THREADS_SHARED_CACHE_H

#include "support/asserts.h"
#include "support/test_clock.h"
#include "support/threads.h"

#include <jtiguard/memory.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

enum { THREADS = 8 };

#define LIFE_MS UINT64_C(10000)

struct shared {
    struct test_clock clock;
    jtg_cache *cache;
    atomic_uint done;  /* threads that have finished */
    atomic_uint wrong; /* answers that no order of the calls explains */
    void *more;        /* the test's own */
};

/* Uses the shared clock unless the options have one. shared is static: where an assert fails, the
 * sweeper goes on with the clock while the next test runs. */
void shared_open(struct shared *shared, jtg_memory_options options);

/* Also asserts that nothing was wrong. */
void shared_close(struct shared *shared);

/* A key that is a number; *number must live as long as the key is used. */
static inline jtg_key key_of(const uint64_t *number)
{
    jtg_key key = {number, sizeof *number, NULL, 0};
    return key;
}

static inline jtg_owner owner_of(unsigned number)
{
    jtg_owner owner = {"owner of a test"};
    memcpy(owner.bytes, &number, sizeof number);
    return owner;
}

/* Count an answer that must not be. */
static inline void expect(struct shared *shared, bool right)
{
    if (!right)
        atomic_fetch_add(&shared->wrong, 1);
}

jtg_memory_stats shared_stats(const struct shared *shared);

#endif
