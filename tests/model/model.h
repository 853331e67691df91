/* SPDX-License-Identifier: Apache-2.0 */
/* A bounded cache of a few keys as an array that one can read at a glance. Everything that
 * cache.h says of one caller follows from it. Time is a number; nothing is ever swept. */
#ifndef TESTS_MODEL_MODEL_H
#define TESTS_MODEL_MODEL_H

#include <jtiguard/cache.h>
#include <stdbool.h>

enum { MODEL_KEYS = 24, MODEL_GROUPS = 4, MODEL_VALUE_MAX_BYTES = 64 };

/* A value is known by its number, from 1; its bytes follow from that. 0 = none. */
struct model_value {
    unsigned number;
    int64_t end_ms;
};

struct model_key {
    bool held;
    unsigned owner;
    unsigned group; /* 0 = none */
    int64_t end_ms;
    unsigned value_count;
    struct model_value values[JTG_KEEP_MAX + 1]; /* newest first; one to spare while pushing */
};

struct model {
    int64_t now_ms;
    uint64_t max_entries;
    uint64_t max_entries_per_group; /* 0 = no share */
    uint64_t max_values;
    uint64_t max_value_bytes;
    struct model_key keys[MODEL_KEYS];
};

/* The key number i: i + 1 NULs, so that each is the start of the next. */
jtg_key model_key(unsigned key, unsigned group);
jtg_owner model_owner(unsigned owner);
size_t model_value_bytes(unsigned number, unsigned char bytes[MODEL_VALUE_MAX_BYTES]);

jtg_status model_reserve(struct model *model, unsigned key, unsigned group, unsigned owner,
                         uint64_t ttl_ms);
jtg_status model_release(struct model *model, unsigned key, unsigned owner);
jtg_status model_put(struct model *model, unsigned key, unsigned number, uint64_t ttl_ms,
                     size_t keep);
/* The newest value; number 0 where there is none. */
struct model_value model_get(struct model *model, unsigned key);
struct model_value model_take(struct model *model, unsigned key);
jtg_status model_swap(struct model *model, unsigned key, unsigned expected, unsigned number,
                      uint64_t ttl_ms);
jtg_status model_drop(struct model *model, unsigned key);
jtg_status model_ping(struct model *model);
void model_clear(struct model *model);

/* What is live. */
uint64_t model_reservations(struct model *model);
uint64_t model_values(struct model *model);
uint64_t model_bytes(struct model *model); /* of values, and of the keys that hold some */
uint64_t model_count(struct model *model);

#endif
