/* SPDX-License-Identifier: Apache-2.0 */
#include "host/value_lists.h"

/* ---- one away ---- */

/* The value that the link leads to. */
static void remove_value(struct jtgi_value_area *area, uint32_t *link)
{
    uint32_t number = *link;
    const struct jtgi_value_cell *value = jtgi_value_cell(area, number);
    if (value == NULL)
        return;
    uint32_t len = value->len;
    jtgi_value_lead(link, value->behind);
    jtgi_value_cells_wipe_locked(area, number);
    area->head->values--;
    area->head->bytes -= len;
}

/* The key that the link leads to, which has no values. */
static void remove_key(struct jtgi_value_area *area, uint32_t *link)
{
    uint32_t number = *link;
    const struct jtgi_value_cell *key = jtgi_value_cell(area, number);
    if (key == NULL)
        return;
    uint32_t len = key->len;
    jtgi_value_lead(link, key->behind);
    jtgi_value_cells_wipe_locked(area, number);
    area->head->keys--;
    area->head->bytes -= len;
}

/* All of a list to which nothing leads any more. */
static void remove_values(struct jtgi_value_area *area, uint32_t newest)
{
    for (uint32_t i = 0; i < area->plan.cells; i++) {
        if (jtgi_value_cell_of(area, newest, JTGI_VALUE_DATA) == NULL)
            return;
        remove_value(area, &newest);
    }
}

/* One store takes them all; what they led to is removed after it. */
void jtgi_value_drop_locked(struct jtgi_value_area *area, uint32_t *link)
{
    struct jtgi_value_cell *key = jtgi_value_cell(area, *link);
    if (key == NULL)
        return;
    uint32_t newest = key->newest;
    remove_key(area, link);
    remove_values(area, newest);
}

void jtgi_value_pop_locked(struct jtgi_value_area *area, const struct jtgi_value_found *found)
{
    const struct jtgi_value_cell *newest = jtgi_value_newest_locked(area, found);
    if (newest != NULL && newest->behind != 0)
        remove_value(area, &found->key->newest);
    else
        jtgi_value_drop_locked(area, found->link);
}

/* ---- what has ended ---- */

/* Each value has a life of its own, so those that have ended may stand anywhere in the list. The
 * last one goes with its key. */
static void purge(struct jtgi_value_area *area, struct jtgi_value_cell *key, uint64_t now)
{
    uint32_t *link = &key->newest;
    for (uint32_t i = 0; i < area->plan.cells; i++) {
        struct jtgi_value_cell *value = jtgi_value_cell_of(area, *link, JTGI_VALUE_DATA);
        if (value == NULL)
            return;
        if (value->end > now) {
            link = &value->behind;
            continue;
        }
        remove_value(area, link);
        area->head->swept++;
    }
}

/* True: the key has live values. Else it is gone. */
static bool purge_key(struct jtgi_value_area *area, uint32_t *link, uint64_t now)
{
    struct jtgi_value_cell *key = jtgi_value_cell(area, *link);
    if (key == NULL)
        return false;
    purge(area, key, now);
    if (key->newest != 0)
        return true;
    remove_key(area, link);
    return false;
}

static void note_end(struct jtgi_value_head *head, uint64_t end)
{
    if (end < head->earliest)
        head->earliest = end;
    if (end < head->sweep_earliest)
        head->sweep_earliest = end;
}

static void note_ends(struct jtgi_value_area *area, const struct jtgi_value_cell *key)
{
    const struct jtgi_value_cell *value = jtgi_value_cell_of(area, key->newest, JTGI_VALUE_DATA);
    for (uint32_t i = 0; value != NULL && i < area->plan.cells; i++) {
        note_end(area->head, value->end);
        value = jtgi_value_cell_of(area, value->behind, JTGI_VALUE_DATA);
    }
}

void jtgi_value_sweep_bucket_locked(struct jtgi_value_area *area, uint32_t *bucket, uint64_t now)
{
    uint32_t *link = bucket;
    for (uint32_t i = 0; i < area->plan.cells; i++) {
        struct jtgi_value_cell *key = jtgi_value_cell_of(area, *link, JTGI_VALUE_KEY);
        if (key == NULL)
            return;
        if (!purge_key(area, link, now))
            continue;
        note_ends(area, key);
        link = &key->behind;
    }
}

void jtgi_value_empty_bucket_locked(struct jtgi_value_area *area, uint32_t *bucket)
{
    for (uint32_t i = 0; i < area->plan.cells; i++) {
        if (jtgi_value_cell_of(area, *bucket, JTGI_VALUE_KEY) == NULL)
            return;
        jtgi_value_drop_locked(area, bucket);
    }
}

/* ---- finding ---- */

/* What leads to the key; NULL where it is not there. */
static uint32_t *find_link(const struct jtgi_value_area *area, uint32_t *bucket, const jtg_key *key)
{
    uint32_t *link = bucket;
    for (uint32_t i = 0; i < area->plan.cells; i++) {
        struct jtgi_value_cell *cell = jtgi_value_cell_of(area, *link, JTGI_VALUE_KEY);
        if (cell == NULL)
            return NULL;
        if (jtgi_value_cells_are_locked(area, cell, key->data, key->data_len))
            return link;
        link = &cell->behind;
    }
    return NULL;
}

struct jtgi_value_found jtgi_value_find_locked(struct jtgi_value_area *area, const jtg_key *key,
                                               uint64_t now)
{
    uint32_t *bucket = jtgi_value_bucket(area, key->data, key->data_len);
    uint32_t *link = find_link(area, bucket, key);
    if (link == NULL || !purge_key(area, link, now))
        return (struct jtgi_value_found){.link = bucket};
    return (struct jtgi_value_found){.link = link, .key = jtgi_value_cell(area, *link)};
}

struct jtgi_value_cell *jtgi_value_newest_locked(const struct jtgi_value_area *area,
                                                 const struct jtgi_value_found *found)
{
    return found->key != NULL ? jtgi_value_cell_of(area, found->key->newest, JTGI_VALUE_DATA)
                              : NULL;
}

/* ---- pushing ---- */

/* The link behind the newest `keep` values. */
static uint32_t *link_after(const struct jtgi_value_area *area, uint32_t *link, size_t keep)
{
    for (; keep > 0; keep--) {
        struct jtgi_value_cell *value = jtgi_value_cell_of(area, *link, JTGI_VALUE_DATA);
        if (value == NULL)
            break;
        link = &value->behind;
    }
    return link;
}

/* What goes when a value is pushed: how many, and how many bytes. */
struct leaving {
    uint64_t values;
    uint64_t bytes;
};

static struct leaving leaving_with(struct jtgi_value_area *area,
                                   const struct jtgi_value_found *found, size_t keep)
{
    struct leaving leaving = {0, 0};
    if (found->key == NULL)
        return leaving;
    const struct jtgi_value_cell *value =
        jtgi_value_cell_of(area, *link_after(area, &found->key->newest, keep), JTGI_VALUE_DATA);
    for (; value != NULL && leaving.values < area->plan.cells; leaving.values++) {
        leaving.bytes += value->len;
        value = jtgi_value_cell_of(area, value->behind, JTGI_VALUE_DATA);
    }
    return leaving;
}

static bool has_room(struct jtgi_value_area *area, const struct jtgi_value_found *found,
                     const jtg_key *key, const struct jtgi_value_item *item)
{
    const struct jtgi_value_head *head = area->head;
    const struct leaving leaving = leaving_with(area, found, item->keep - 1);
    uint64_t bytes = item->len + (found->key == NULL ? key->data_len : 0);
    return head->values + 1 <= area->plan.max_values + leaving.values &&
           head->bytes + bytes <= area->plan.max_bytes + leaving.bytes;
}

static uint32_t make_value(struct jtgi_value_area *area, const struct jtgi_value_item *item)
{
    uint32_t number = jtgi_value_cells_fill_locked(area, JTGI_VALUE_DATA, item->data, item->len);
    struct jtgi_value_cell *value = jtgi_value_cell(area, number);
    if (value == NULL)
        return 0;
    value->keep = (uint32_t)item->keep;
    value->end = item->end;
    return number;
}

/* Where only one value stays, the one store that brings the new takes the old ones. Where several
 * do, the list is a value too long between two stores; whoever dies there leaves in the newest how
 * many stay, and the repair cuts it. */
static void push_on(struct jtgi_value_area *area, struct jtgi_value_cell *key, uint32_t number,
                    size_t keep)
{
    struct jtgi_value_cell *value = jtgi_value_cell(area, number);
    if (value == NULL)
        return;
    uint32_t *end = link_after(area, &key->newest, keep - 1);
    uint32_t leaving = *end;
    value->behind = keep > 1 ? key->newest : 0;
    jtgi_value_lead(&key->newest, number);
    if (keep > 1 && leaving != 0)
        jtgi_value_lead(end, 0);
    remove_values(area, leaving);
}

/* The key is there from one store on, with its value. */
static bool push_first(struct jtgi_value_area *area, struct jtgi_value_found *found,
                       const jtg_key *key, uint32_t number)
{
    uint32_t made = jtgi_value_cells_fill_locked(area, JTGI_VALUE_KEY, key->data, key->data_len);
    found->key = jtgi_value_cell(area, made);
    if (found->key == NULL)
        return false;
    found->key->newest = number;
    found->key->behind = *found->link;
    jtgi_value_lead(found->link, made);
    area->head->keys++;
    area->head->bytes += key->data_len;
    return true;
}

jtg_status jtgi_value_push_locked(struct jtgi_value_area *area, struct jtgi_value_found *found,
                                  const jtg_key *key, const struct jtgi_value_item *item)
{
    if (!has_room(area, found, key, item))
        return JTG_ERR_FULL;
    uint32_t number = make_value(area, item);
    if (number == 0)
        return JTG_ERR_FULL;
    if (found->key != NULL) {
        push_on(area, found->key, number, item->keep);
    } else if (!push_first(area, found, key, number)) {
        jtgi_value_cells_wipe_locked(area, number);
        return JTG_ERR_FULL;
    }
    area->head->values++;
    area->head->bytes += item->len;
    note_end(area->head, item->end);
    return JTG_OK;
}
