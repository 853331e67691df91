/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of a store's values, and the list of each. All under the lock. */
#ifndef JTGI_HOST_VALUE_LISTS_H
#define JTGI_HOST_VALUE_LISTS_H

#include "host/value_cells.h"

/* A key that has live values. */
struct jtgi_value_found {
    uint32_t *link;              /* what leads to it */
    struct jtgi_value_cell *key; /* NULL: there is none; link is then its bucket */
};

/* Find a key, with what has ended removed from its list. */
struct jtgi_value_found jtgi_value_find_locked(struct jtgi_value_area *area, const jtg_key *key,
                                               uint64_t now);

/* Its newest value. NULL where it has none. */
struct jtgi_value_cell *jtgi_value_newest_locked(const struct jtgi_value_area *area,
                                                 const struct jtgi_value_found *found);

/* What is put under a key. */
struct jtgi_value_item {
    const void *data;
    size_t len;
    uint64_t end;
    size_t keep;
};

/* Push it on the list of the key, which find has answered for. JTG_OK, or JTG_ERR_FULL: then
 * nothing has changed. */
jtg_status jtgi_value_push_locked(struct jtgi_value_area *area, struct jtgi_value_found *found,
                                  const jtg_key *key, const struct jtgi_value_item *item);

/* Remove the newest value, and the key with its last one. */
void jtgi_value_pop_locked(struct jtgi_value_area *area, const struct jtgi_value_found *found);

/* Remove the key that the link leads to, with all its values. */
void jtgi_value_drop_locked(struct jtgi_value_area *area, uint32_t *link);

/* Remove all keys of a bucket. */
void jtgi_value_empty_bucket_locked(struct jtgi_value_area *area, uint32_t *bucket);

/* Remove what has ended from a bucket, and note the earliest end of what stays. */
void jtgi_value_sweep_bucket_locked(struct jtgi_value_area *area, uint32_t *bucket, uint64_t now);

#endif
