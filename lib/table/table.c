/* SPDX-License-Identifier: Apache-2.0 */
#include "table/table.h"

#include "core/alloc.h"
#include "table/arena.h"
#include "table/growth.h"
#include "table/hash.h"
#include "table/partition.h"
#include "table/pool.h"

#include <sodium.h>

enum {
    RECLAIM_STEPS = 64, /* sweep steps that one call makes when the store is full */
    MANY = 32,          /* calls whose slots are on their way at once */
    PREFETCH_LINES = 4  /* what a search reads, nearly always */
};

/* ---- life ---- */

struct jtgi_table *jtgi_table_open(void *memory, const struct jtgi_table_plan *plan,
                                   const struct jtgi_lock_party *party)
{
    struct jtgi_table *table = jtgi_alloc(sizeof *table);
    if (table == NULL)
        return NULL;
    unsigned char *base = memory;
    table->plan = *plan;
    table->party = *party;
    table->head = memory;
    table->keys = table->head->keys;
    table->partitions = (void *)(base + plan->partitions_at);
    table->directories = (void *)(base + plan->directories_at);
    table->groups = plan->max_entries_per_group != 0 ? (void *)(base + plan->groups_at) : NULL;
    table->slots = (void *)(base + plan->slots_at);
    jtgi_arena_open(table);
    return table;
}

void jtgi_table_close(struct jtgi_table *table)
{
    jtgi_free_wiped(table, sizeof *table);
}

bool jtgi_table_can_be_shared(void)
{
    const _Atomic uint64_t wide = 0;
    const _Atomic uint32_t word = 0;
    return atomic_is_lock_free(&wide) && atomic_is_lock_free(&word);
}

void jtgi_table_wipe_keys(struct jtgi_table *table)
{
    sodium_memzero(&table->head->keys, sizeof table->head->keys);
}

void jtgi_table_set_exact(struct jtgi_table *table, uint64_t (*exact)(void *context), void *context)
{
    table->exact = exact;
    table->exact_context = context;
}

jtg_status jtgi_table_check_end(uint64_t now, uint64_t ttl_ms, jtg_error *err)
{
    if (now + ttl_ms >= (UINT64_C(1) << JTGI_END_BITS) - JTG_TTL_MAX_MS)
        return jtg_error_set(err, JTG_ERR_SYSTEM, 0, "the store is older than its table can tell");
    return JTG_OK;
}

void jtgi_table_set_listener(struct jtgi_table *table, void (*grown)(void *context), void *context)
{
    table->grown = grown;
    table->grown_context = context;
}

bool jtgi_table_settle(struct jtgi_table *table)
{
    return jtgi_arena_populate(table);
}

size_t jtgi_table_partitions(const struct jtgi_table *table)
{
    return table->plan.partitions;
}

/* ---- the sweep ---- */

/* How a partition is swept, and what came of it. */
struct sweep {
    uint64_t now;
    uint64_t pass;
    uint64_t keep_places; /* places that the partition does not give back to the pool */
    uint64_t removed;     /* entries removed so far because they had ended */
    bool blocked;         /* some partition could not be had */
};

/* hurried: an earlier one of the same call was blocked. The bound of a wait is one for the call, or
 * as many processes that were stopped would hold it for as many times as long. */
static bool enter(struct jtgi_visit *visit, struct jtgi_table *table,
                  struct jtgi_partition *partition, uint64_t now, bool hurried)
{
    return hurried ? jtgi_partition_enter_hurried(visit, table, partition, now)
                   : jtgi_partition_enter(visit, table, partition, now);
}

static struct sweep sweep_of(const struct jtgi_table *table, uint64_t now, uint64_t pass)
{
    return (struct sweep){.now = now, .pass = pass, .keep_places = 2 * (uint64_t)table->plan.batch};
}

static bool sweep_step(struct jtgi_table *table, size_t index, struct sweep *sweep)
{
    struct jtgi_partition *partition = &table->partitions[index];
    struct jtgi_visit visit;
    if (!enter(&visit, table, partition, sweep->now, sweep->blocked)) {
        sweep->blocked = true;
        return false;
    }
    uint64_t occupied = partition->occupied;
    uint64_t swept = partition->swept;
    bool more = jtgi_partition_sweep_locked(&visit, sweep->pass);
    sweep->removed += partition->swept - swept;
    jtgi_pool_return_locked(&visit, occupied - partition->occupied, sweep->keep_places);
    jtgi_partition_leave(&visit);
    return more;
}

bool jtgi_table_sweep(struct jtgi_table *table, size_t index, uint64_t now, uint64_t pass)
{
    struct sweep sweep = sweep_of(table, now, pass);
    return sweep_step(table, index, &sweep);
}

jtg_status jtgi_table_prune(struct jtgi_table *table, uint64_t now, uint64_t *removed)
{
    struct sweep sweep = sweep_of(table, now, JTGI_SWEEP_ANYWAY);
    for (size_t i = 0; i < table->plan.partitions; i++)
        /* Twice: the first pass may be one that began before something ended behind it. */
        for (int passes = 0; passes < 2;)
            passes += !sweep_step(table, i, &sweep);
    *removed = sweep.removed;
    return sweep.blocked ? JTG_ERR_BLOCKED : JTG_OK;
}

static bool clear_step(struct jtgi_table *table, struct jtgi_partition *partition, uint64_t *from,
                       bool *more)
{
    struct jtgi_visit visit;
    if (!jtgi_partition_enter(&visit, table, partition, 1))
        return false;
    uint64_t occupied = partition->occupied;
    *more = jtgi_partition_clear_locked(&visit, from);
    jtgi_pool_return_locked(&visit, occupied - partition->occupied,
                            2 * (uint64_t)table->plan.batch);
    jtgi_partition_leave(&visit);
    return true;
}

jtg_status jtgi_table_clear(struct jtgi_table *table)
{
    for (size_t i = 0; i < table->plan.partitions; i++) {
        uint64_t from = 0;
        bool more = true;
        while (more)
            if (!clear_step(table, &table->partitions[i], &from, &more))
                return JTG_ERR_BLOCKED;
    }
    return JTG_OK;
}

/* ---- reservations ---- */

struct request {
    struct jtgi_hashed hashed;
    uint64_t owner_tag;
    uint64_t now;
    uint64_t ttl_ms;
    uint64_t places; /* places that the request has of its own: 0 or 1 */
    uint32_t group;
    bool hurried; /* an earlier lock of the same call was blocked */
};

/* Ask for the memory that the search will read, while the owner is hashed and the lock taken. */
static void prefetch(const struct jtgi_table *table, const struct jtgi_hashed *hashed)
{
    __builtin_prefetch(hashed->partition, 1);
    struct jtgi_segment segment = jtgi_segment_of(table, hashed->partition, hashed->fingerprint);
    const unsigned char *at =
        (const unsigned char *)&segment.slots[jtgi_segment_home(&segment, hashed->fingerprint)];
    for (size_t line = 0; line < PREFETCH_LINES; line++)
        __builtin_prefetch(at + line * JTGI_LINE_BYTES, 1);
}

static void prepare(struct jtgi_table *table, struct request *request, const jtg_key *key,
                    const jtg_owner *owner)
{
    request->hashed = jtgi_hash_key(table, key);
    prefetch(table, &request->hashed);
    request->owner_tag = jtgi_hash_owner(table, owner);
}

/* A late clock may judge, but not make an end. To read the exact one takes a part of the time that
 * the memory needs, so it is read while that is on its way. */
static uint64_t exact_now(const struct jtgi_table *table, uint64_t now)
{
    return table->exact != NULL ? table->exact(table->exact_context) : now;
}

static enum jtgi_found find_locked(struct jtgi_visit *visit, const struct request *request)
{
    jtgi_partition_go_to_locked(visit, request->hashed.fingerprint);
    return jtgi_segment_find_locked(visit, request->hashed.fingerprint, request->owner_tag);
}

/* What the insertion needs, after the partition has grown where it is time to. */
static enum jtgi_room find_room_locked(struct jtgi_visit *visit, const struct request *request)
{
    uint64_t fingerprint = request->hashed.fingerprint;
    enum jtgi_room room = jtgi_segment_room_locked(visit, fingerprint);
    if (room != JTGI_ROOM_REUSES && jtgi_growth_step_locked(visit, fingerprint, room)) {
        (void)find_locked(visit, request);
        room = jtgi_segment_room_locked(visit, fingerprint);
    }
    return room;
}

static jtg_status insert_locked(struct jtgi_visit *visit, struct request *request)
{
    struct jtgi_groups *groups = visit->table->groups;
    enum jtgi_room room = find_room_locked(visit, request);
    if (room == JTGI_ROOM_NONE)
        return JTG_ERR_FULL;
    if (request->group != JTGI_GROUP_NONE && !jtgi_groups_join(groups, request->group))
        return JTG_ERR_GROUP_FULL;
    if (room == JTGI_ROOM_ADDS && request->places > 0) {
        request->places--;
    } else if (room == JTGI_ROOM_ADDS && !jtgi_pool_take_locked(visit)) {
        if (request->group != JTGI_GROUP_NONE)
            jtgi_groups_leave(groups, request->group);
        return JTG_ERR_FULL;
    }
    const struct jtgi_slot entry = {request->hashed.fingerprint, request->owner_tag,
                                    (visit->now + request->ttl_ms) | (uint64_t)request->group
                                                                         << JTGI_END_BITS};
    jtgi_segment_insert_locked(visit, &entry);
    return JTG_OK;
}

static jtg_status reserve_locked(struct jtgi_visit *visit, struct request *request)
{
    switch (find_locked(visit, request)) {
    case JTGI_OURS:
        jtgi_segment_extend_locked(visit, visit->now + request->ttl_ms);
        return JTG_OK;
    case JTGI_FREE:
        return insert_locked(visit, request);
    case JTGI_ANOTHERS:
        break;
    }
    return JTG_REPLAYED;
}

static jtg_status try_reserve(struct jtgi_table *table, struct request *request)
{
    struct jtgi_visit visit;
    if (!enter(&visit, table, request->hashed.partition, request->now, request->hurried))
        return JTG_ERR_BLOCKED;
    jtg_status status = reserve_locked(&visit, request);
    jtgi_partition_leave(&visit);
    return status;
}

/* The store, or a group's share, looks full. Collect what the partitions have drawn and not used,
 * and sweep those that hold something that has ended, until a place is ours (or, for a share, until
 * the steps are used up). A partition in which nothing has ended costs one look. Returns the place,
 * which nobody else can take any more. */
static uint64_t reclaim(struct jtgi_table *table, struct request *request, uint64_t now,
                        bool for_place)
{
    size_t begin = jtgi_partition_index(table, request->hashed.partition);
    struct sweep sweep = {.now = now, .pass = JTGI_SWEEP_ANYWAY, .blocked = request->hurried};
    int steps = RECLAIM_STEPS;
    uint64_t place = 0;
    for (size_t i = 0; i < table->plan.partitions && place == 0; i++) {
        size_t index = (begin + i) & (table->plan.partitions - 1);
        /* Twice: the first pass may be one that began before something ended behind it. */
        for (int passes = 0; passes < 2 && steps > 0 && place == 0;) {
            if (sweep_step(table, index, &sweep))
                steps--;
            else
                passes++;
            place = for_place ? jtgi_pool_draw(table, 1) : 0;
        }
    }
    request->hurried = sweep.blocked;
    return place;
}

static jtg_status finish(struct jtgi_table *table, struct request *request)
{
    jtg_status status = try_reserve(table, request);
    if (status == JTG_ERR_FULL || status == JTG_ERR_GROUP_FULL) {
        request->places =
            reclaim(table, request, exact_now(table, request->now), status == JTG_ERR_FULL);
        request->now = exact_now(table, request->now);
        status = try_reserve(table, request);
        jtgi_pool_give(table, request->places);
    }
    return status;
}

jtg_status jtgi_table_reserve(struct jtgi_table *table, const jtg_key *key, const jtg_owner *owner,
                              uint64_t now, uint64_t ttl_ms)
{
    struct request request = {.ttl_ms = ttl_ms};
    prepare(table, &request, key, owner);
    request.now = exact_now(table, now);
    request.group = jtgi_hash_group(table, key);
    return finish(table, &request);
}

void jtgi_table_reserve_many(struct jtgi_table *table, jtg_reserve_call *const *calls, size_t count,
                             uint64_t now)
{
    struct request requests[MANY];
    bool hurried = false;
    for (size_t done = 0; done < count; done += MANY) {
        size_t some = count - done < MANY ? count - done : MANY;
        for (size_t i = 0; i < some; i++) {
            const jtg_reserve_call *call = calls[done + i];
            requests[i] = (struct request){.ttl_ms = call->ttl_ms};
            prepare(table, &requests[i], &call->key, call->owner);
            requests[i].group = jtgi_hash_group(table, &call->key);
        }
        now = exact_now(table, now);
        for (size_t i = 0; i < some; i++) {
            requests[i].now = now;
            requests[i].hurried = hurried;
            calls[done + i]->status = finish(table, &requests[i]);
            hurried |= calls[done + i]->status == JTG_ERR_BLOCKED || requests[i].hurried;
        }
    }
}

jtg_status jtgi_table_release(struct jtgi_table *table, const jtg_key *key, const jtg_owner *owner,
                              uint64_t now)
{
    struct request request = {.now = now};
    struct jtgi_visit visit;
    prepare(table, &request, key, owner);
    if (!jtgi_partition_enter(&visit, table, request.hashed.partition, now))
        return JTG_ERR_BLOCKED;
    jtg_status status = JTG_NOT_FOUND;
    switch (find_locked(&visit, &request)) {
    case JTGI_OURS:
        jtgi_segment_remove_locked(&visit);
        jtgi_pool_return_locked(&visit, 1, 2 * (uint64_t)table->plan.batch);
        status = JTG_OK;
        break;
    case JTGI_ANOTHERS:
        status = JTG_NOT_OWNER;
        break;
    case JTGI_FREE:
        break;
    }
    jtgi_partition_leave(&visit);
    return status;
}

/* ---- numbers ---- */

/* Slots of the segments that a partition has. Those of the arena are counted at its frontier. */
static uint64_t first_slots(const struct jtgi_table *table, const struct jtgi_partition *partition)
{
    uint64_t slots = (uint64_t)jtgi_load(&partition->homes) + table->plan.overrun;
    return slots;
}

static void add_stats(struct jtgi_table_stats *stats, const struct jtgi_table *table,
                      const struct jtgi_partition *partition)
{
    stats->entries += partition->occupied;
    stats->slots += first_slots(table, partition);
    stats->swept += partition->swept;
    stats->growths += partition->growths;
    if (partition->max_step_slots > stats->max_step_slots)
        stats->max_step_slots = partition->max_step_slots;
}

jtg_status jtgi_table_stats_get(struct jtgi_table *table, struct jtgi_table_stats *stats)
{
    struct jtgi_table_head *head = table->head;
    *stats = (struct jtgi_table_stats){
        .slots = atomic_load(&head->frontier) - table->plan.arena_slot,
        .groups = table->groups != NULL ? jtgi_groups_count(table->groups) : 0,
        .repairs = atomic_load(&head->repairs),
        .losses = atomic_load(&head->losses)};
    for (size_t i = 0; i < table->plan.partitions; i++) {
        struct jtgi_visit visit;
        if (!jtgi_partition_enter(&visit, table, &table->partitions[i], 0))
            return JTG_ERR_BLOCKED;
        add_stats(stats, table, &table->partitions[i]);
        jtgi_partition_leave(&visit);
    }
    return JTG_OK;
}

jtg_status jtgi_table_count(struct jtgi_table *table, uint64_t *count)
{
    struct jtgi_table_stats stats;
    jtg_status status = jtgi_table_stats_get(table, &stats);
    *count = stats.entries;
    return status;
}

uint64_t jtgi_table_lost_at(const struct jtgi_table *table, const jtg_key *key)
{
    return atomic_load(&jtgi_hash_key(table, key).partition->lost_at);
}
