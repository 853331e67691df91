/* SPDX-License-Identifier: Apache-2.0 */
/* What the cases of the contract list share. A case is `static void name(void **state)` and a
 * row in its file's table. */
#ifndef TESTS_CONTRACT_CONTRACT_CASE_H
#define TESTS_CONTRACT_CONTRACT_CASE_H

#include "contract/contract.h"
#include "support/asserts.h"

#include <stdbool.h>

struct contract_case {
    const char *name;
    void (*run)(void **state);
    unsigned needs; /* CONTRACT_… */
    struct contract_limits limits;
};

/* The start of a row. */
#define CONTRACT_CASE(function) .name = #function, .run = (function)

/* A file's cases; the row without a name ends them. */
extern const struct contract_case contract_reservations[];
extern const struct contract_case contract_keys[];
extern const struct contract_case contract_values[];
extern const struct contract_case contract_swaps[];
extern const struct contract_case contract_bounds[];
extern const struct contract_case contract_whole[];
extern const struct contract_case contract_arguments[];
extern const struct contract_case contract_counters[];
extern const struct contract_case contract_races[];
extern const struct contract_case contract_holes[];
extern const struct contract_case contract_continuity[];
extern const struct contract_case contract_lending[];
extern const struct contract_case contract_many[];
extern const struct contract_case contract_bitmaps[];

/* One test under way. */
struct fixture {
    const struct contract_backend *backend;
    const struct contract_case *row;
    void *store;
    jtg_cache *cache;
};

/* A life that is long beside every slack. */
#define LIFE_MS UINT64_C(10000)

jtg_key key_of(const char *text);
jtg_key key_of_bytes(const void *data, size_t data_len);
jtg_key key_in_group(const char *text, const char *group);
jtg_owner owner_of(unsigned number);

/* The calls of cache.h, on the fixture's cache. Each also asserts that err tells the answer, and
 * that it holds nothing of the key. */
jtg_status reserve(const struct fixture *f, jtg_key key, unsigned owner, uint64_t ttl_ms);
jtg_status release(const struct fixture *f, jtg_key key, unsigned owner);
jtg_status put(const struct fixture *f, jtg_key key, const char *value, uint64_t ttl_ms,
               size_t keep);
jtg_status swap(const struct fixture *f, jtg_key key, const char *expected, const char *value,
                uint64_t ttl_ms);
jtg_status drop(const struct fixture *f, jtg_key key);
jtg_status ping(const struct fixture *f);
jtg_status clear(const struct fixture *f);
uint64_t count(const struct fixture *f);
/* How much was removed. */
uint64_t prune(const struct fixture *f);

/* The newest value is this text; or, with NULL, there is none. take_is also takes it. */
void get_is(const struct fixture *f, jtg_key key, const char *value);
void take_is(const struct fixture *f, jtg_key key, const char *value);

/* Let time pass: any; until an entry that lives life_ms is about to end (still live); and from
 * there until it has just ended. */
void advance(const struct fixture *f, uint64_t ms);
void advance_to_last_moment(const struct fixture *f, uint64_t life_ms);
void advance_past_end(const struct fixture *f);

/* Time is told in milliseconds, and a second loss in the same one would move nothing. A clock that
 * only advance() moves is moved, any other goes by itself. */
void let_time_pass(const struct fixture *f, int64_t since_ms);

/* The store, which had kept everything since then, forgets it. */
void forget(const struct fixture *f, int64_t since_ms);

/* Reserve `prefix` followed by 0 … number-1, for owners of the same numbers. */
void reserve_many(const struct fixture *f, const char *prefix, unsigned number, uint64_t ttl_ms);

/* How many of these are held by the owner that reserve_many() gave them. */
unsigned count_held(const struct fixture *f, const char *prefix, unsigned number);

#endif
