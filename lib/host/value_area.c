/* SPDX-License-Identifier: Apache-2.0 */
#include "host/value_area.h"

#include "core/alloc.h"
#include "host/value_lists.h"
#include "host/value_repair.h"

#include <jtiguard/backend.h>
#include <string.h>

enum {
    STEP_BUCKETS = 256, /* of a step; a bucket holds one key on average at most */
    RECLAIM_STEPS = 64  /* of the sweep, that one call makes when the store is full */
};

/* The pass of a caller that needs room now: begins whenever something may have ended. */
#define ANYWAY UINT64_C(0)

/* ---- life ---- */

struct jtgi_value_area *jtgi_value_area_open(void *memory, const struct jtgi_value_plan *plan,
                                             const struct jtgi_lock_party *party)
{
    struct jtgi_value_area *area = jtgi_alloc(sizeof *area);
    unsigned char *base = memory;
    if (area == NULL)
        return NULL;
    area->plan = *plan;
    area->party = *party;
    area->head = memory;
    memcpy(area->hash_key, area->head->hash_key, sizeof area->hash_key);
    area->marks = base + plan->marks_at;
    area->buckets = (void *)(base + plan->buckets_at);
    area->cells = (void *)(base + plan->cells_at);
    return area;
}

void jtgi_value_area_close(struct jtgi_value_area *area)
{
    if (area != NULL)
        jtgi_free_wiped(area, sizeof *area);
}

/* ---- under the lock ---- */

/* Time does not go back: see table/partition.c. */
static uint64_t settle_time(struct jtgi_value_head *head, uint64_t now)
{
    if (now > head->latest)
        head->latest = now;
    return head->latest;
}

/* False: blocked. *now is the time of the visit. */
static bool enter_as(struct jtgi_value_area *area, const struct jtgi_lock_party *party,
                     uint64_t *now)
{
    enum jtgi_lock_answer answer = jtgi_lock_take(&area->head->lock, party);
    if (answer == JTGI_LOCK_BLOCKED)
        return false;
    if (answer == JTGI_LOCK_INHERITED)
        (void)jtgi_value_repair_locked(area);
    if (area->head->moved != 0) {
        jtgi_lock_leave(&area->head->lock, &area->party);
        return false;
    }
    *now = settle_time(area->head, *now);
    return true;
}

static bool enter(struct jtgi_value_area *area, uint64_t *now)
{
    return enter_as(area, &area->party, now);
}

static void leave(struct jtgi_value_area *area)
{
    jtgi_lock_leave(&area->head->lock, &area->party);
}

bool jtgi_value_area_mend(struct jtgi_value_area *area)
{
    if (!jtgi_lock_take_over(&area->head->lock, &area->party))
        return true;
    bool kept = jtgi_value_repair_locked(area);
    leave(area);
    return kept;
}

/* ---- another file in its place ---- */

bool jtgi_value_area_hold(struct jtgi_value_area *area)
{
    uint64_t now = 0;
    return enter(area, &now);
}

void jtgi_value_area_let_go_locked(struct jtgi_value_area *area)
{
    leave(area);
}

/* The plan is the same, and so are the numbers. */
void jtgi_value_area_copy_locked(const struct jtgi_value_area *area, void *to)
{
    struct jtgi_value_head *head = to;
    memcpy(to, area->head, area->plan.bytes);
    atomic_store(&head->lock, 0);
}

void jtgi_value_area_mark_locked(struct jtgi_value_area *area, bool moved)
{
    area->head->moved = moved;
    jtgi_keep_order();
}

bool jtgi_value_area_unmark(struct jtgi_value_area *area)
{
    enum jtgi_lock_answer answer = jtgi_lock_take(&area->head->lock, &area->party);
    if (answer == JTGI_LOCK_BLOCKED)
        return false;
    if (answer == JTGI_LOCK_INHERITED)
        (void)jtgi_value_repair_locked(area);
    area->head->moved = 0;
    leave(area);
    return true;
}

/* ---- the sweep ---- */

static bool sweep_locked(struct jtgi_value_area *area, uint64_t now, uint64_t pass)
{
    struct jtgi_value_head *head = area->head;
    if (head->sweep_at == 0) {
        if ((pass != ANYWAY && head->sweep_pass == pass) || head->earliest > now)
            return false;
        head->sweep_pass = pass;
        head->sweep_earliest = JTGI_NEVER;
    }
    for (int i = 0; i < STEP_BUCKETS && head->sweep_at < area->plan.buckets; i++)
        jtgi_value_sweep_bucket_locked(area, &area->buckets[head->sweep_at++], now);
    if (head->sweep_at < area->plan.buckets)
        return true;
    head->earliest = head->sweep_earliest;
    head->sweep_at = 0;
    return false;
}

/* One step; what it removed is added to *removed. False also where it is blocked. */
static bool sweep_step(struct jtgi_value_area *area, uint64_t now, uint64_t *removed, bool *blocked)
{
    if (!enter(area, &now)) {
        *blocked = true;
        return false;
    }
    uint64_t swept = area->head->swept;
    bool more = sweep_locked(area, now, ANYWAY);
    *removed += area->head->swept - swept;
    leave(area);
    return more;
}

/* In a hurry: it is done beside a call that has waited as long as it may, and may have come for
 * something else. */
bool jtgi_value_area_sweep(struct jtgi_value_area *area, uint64_t now, uint64_t pass)
{
    const struct jtgi_lock_party hurried = jtgi_lock_hurried(&area->party);
    if (!enter_as(area, &hurried, &now))
        return false;
    bool more = sweep_locked(area, now, pass);
    leave(area);
    return more;
}

/* Twice: the first pass may be one that began before something ended behind it. */
static bool sweep_all(struct jtgi_value_area *area, uint64_t now, uint64_t steps, uint64_t *removed)
{
    bool blocked = false;
    for (int passes = 0; passes < 2 && steps > 0 && !blocked;)
        if (sweep_step(area, now, removed, &blocked))
            steps--;
        else
            passes++;
    return !blocked;
}

jtg_status jtgi_value_area_prune(struct jtgi_value_area *area, uint64_t now, uint64_t *removed)
{
    return sweep_all(area, now, UINT64_MAX, removed) ? JTG_OK : JTG_ERR_BLOCKED;
}

/* ---- put, swap ---- */

/* What is stored, and on which condition. */
struct change {
    const jtg_key *key;
    const void *expected;
    size_t expected_len;
    bool is_swap;
    struct jtgi_value_item item; /* without data: remove */
    uint64_t ttl_ms;
};

static bool is_expected(const struct jtgi_value_area *area, const struct jtgi_value_cell *newest,
                        const struct change *change)
{
    if (newest == NULL || change->expected == NULL)
        return newest == NULL && change->expected == NULL;
    return jtgi_value_cells_are_locked(area, newest, change->expected, change->expected_len);
}

static jtg_status change_locked(struct jtgi_value_area *area, struct change *change, uint64_t now)
{
    struct jtgi_value_found found = jtgi_value_find_locked(area, change->key, now);
    if (change->is_swap && !is_expected(area, jtgi_value_newest_locked(area, &found), change))
        return JTG_MISMATCH;
    if (change->item.data == NULL) {
        jtgi_value_drop_locked(area, found.link);
        return JTG_OK;
    }
    change->item.end = now + change->ttl_ms;
    return jtgi_value_push_locked(area, &found, change->key, &change->item);
}

static jtg_status change_once(struct jtgi_value_area *area, struct change *change, uint64_t now)
{
    if (!enter(area, &now))
        return JTG_ERR_BLOCKED;
    jtg_status status = change_locked(area, change, now);
    leave(area);
    return status;
}

/* Where there is no room, what has ended makes some. */
static jtg_status make_change(struct jtgi_value_area *area, struct change *change, uint64_t now)
{
    uint64_t removed = 0;
    jtg_status status = change_once(area, change, now);
    if (status != JTG_ERR_FULL)
        return status;
    return sweep_all(area, now, RECLAIM_STEPS, &removed) ? change_once(area, change, now)
                                                         : JTG_ERR_BLOCKED;
}

jtg_status jtgi_value_area_put(struct jtgi_value_area *area, const jtg_key *key, const void *value,
                               size_t value_len, uint64_t now, uint64_t ttl_ms, size_t keep)
{
    struct change change = {
        .key = key, .item = {.data = value, .len = value_len, .keep = keep}, .ttl_ms = ttl_ms};
    return make_change(area, &change, now);
}

jtg_status jtgi_value_area_swap(struct jtgi_value_area *area, const jtg_key *key,
                                const void *expected, size_t expected_len, const void *value,
                                size_t value_len, uint64_t now, uint64_t ttl_ms)
{
    struct change change = {.key = key,
                            .expected = expected,
                            .expected_len = expected_len,
                            .is_swap = true,
                            .item = {.data = value, .len = value_len, .keep = 1},
                            .ttl_ms = ttl_ms};
    return make_change(area, &change, now);
}

/* ---- get, take, drop ---- */

/* A value's life is at least 1 ms: what has ended was removed before. */
static jtg_status copy_out(const struct jtgi_value_area *area, const struct jtgi_value_cell *from,
                           uint64_t now, jtg_value *value)
{
    if (from->len == 0 || from->len > JTG_VALUE_MAX_BYTES)
        return JTG_ERR_UNSAFE;
    value->data = jtgi_alloc(from->len);
    if (value->data == NULL)
        return JTG_ERR_MEMORY;
    value->data_len = from->len;
    value->ttl_ms = from->end - now;
    if (jtgi_value_cells_read_locked(area, from, value->data))
        return JTG_OK;
    jtg_value_clear(value);
    return JTG_ERR_UNSAFE;
}

static jtg_status read_locked(struct jtgi_value_area *area, const jtg_key *key, uint64_t now,
                              bool takes, jtg_value *value)
{
    struct jtgi_value_found found = jtgi_value_find_locked(area, key, now);
    const struct jtgi_value_cell *newest = jtgi_value_newest_locked(area, &found);
    if (newest == NULL)
        return JTG_NOT_FOUND;
    jtg_status status = copy_out(area, newest, now, value);
    if (status == JTG_OK && takes)
        jtgi_value_pop_locked(area, &found);
    return status;
}

static jtg_status read_once(struct jtgi_value_area *area, const jtg_key *key, uint64_t now,
                            bool takes, jtg_value *value)
{
    if (!enter(area, &now))
        return JTG_ERR_BLOCKED;
    jtg_status status = read_locked(area, key, now, takes, value);
    leave(area);
    return status;
}

jtg_status jtgi_value_area_get(struct jtgi_value_area *area, const jtg_key *key, uint64_t now,
                               jtg_value *value)
{
    return read_once(area, key, now, false, value);
}

jtg_status jtgi_value_area_take(struct jtgi_value_area *area, const jtg_key *key, uint64_t now,
                                jtg_value *value)
{
    return read_once(area, key, now, true, value);
}

/* One store of one byte: whoever dies here has set it or has not. */
static jtg_status set_bit_locked(struct jtgi_value_area *area, const jtg_key *key, uint32_t bit,
                                 uint64_t now)
{
    struct jtgi_value_found found = jtgi_value_find_locked(area, key, now);
    struct jtgi_value_cell *newest = jtgi_value_newest_locked(area, &found);
    unsigned char mask = (unsigned char)(1U << (bit % 8));
    if (newest == NULL || bit / 8 >= newest->len)
        return JTG_NOT_FOUND;
    volatile unsigned char *byte = jtgi_value_cells_byte_locked(area, newest, bit / 8);
    if (byte == NULL)
        return JTG_ERR_UNSAFE;
    if ((*byte & mask) != 0)
        return JTG_REPLAYED;
    *byte = *byte | mask;
    return JTG_OK;
}

jtg_status jtgi_value_area_set_bit(struct jtgi_value_area *area, const jtg_key *key, uint32_t bit,
                                   uint64_t now)
{
    if (!enter(area, &now))
        return JTG_ERR_BLOCKED;
    jtg_status status = set_bit_locked(area, key, bit, now);
    leave(area);
    return status;
}

jtg_status jtgi_value_area_drop(struct jtgi_value_area *area, const jtg_key *key, uint64_t now)
{
    if (!enter(area, &now))
        return JTG_ERR_BLOCKED;
    struct jtgi_value_found found = jtgi_value_find_locked(area, key, now);
    if (found.key != NULL)
        jtgi_value_drop_locked(area, found.link);
    leave(area);
    return found.key != NULL ? JTG_OK : JTG_NOT_FOUND;
}

/* ---- all of it ---- */

jtg_status jtgi_value_area_clear(struct jtgi_value_area *area)
{
    for (uint32_t bucket = 0; bucket < area->plan.buckets;) {
        uint64_t now = 0;
        if (!enter(area, &now))
            return JTG_ERR_BLOCKED;
        for (int i = 0; i < STEP_BUCKETS && bucket < area->plan.buckets; i++)
            jtgi_value_empty_bucket_locked(area, &area->buckets[bucket++]);
        leave(area);
    }
    return JTG_OK;
}

jtg_status jtgi_value_area_stats(struct jtgi_value_area *area, struct jtgi_value_stats *stats)
{
    uint64_t now = 0;
    const struct jtgi_value_head *head = area->head;
    if (!enter(area, &now))
        return JTG_ERR_BLOCKED;
    *stats = (struct jtgi_value_stats){.keys = head->keys,
                                       .values = head->values,
                                       .bytes = head->bytes,
                                       .swept = head->swept,
                                       .repairs = head->repairs,
                                       .emptied = head->emptied};
    leave(area);
    return JTG_OK;
}
