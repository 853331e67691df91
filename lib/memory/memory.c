/* SPDX-License-Identifier: Apache-2.0 */
/* The memory backend: options, the table of operations, and the clock of the cache. */
#include <jtiguard/memory.h>

#include "core/alloc.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/fork.h"
#include "core/options.h"
#include "core/probe.h"
#include "core/range.h"
#include "memory/bitmaps.h"
#include "memory/lent_pieces.h"
#include "memory/sweeper.h"
#include "memory/values.h"
#include "table/slot.h"
#include "table/table.h"

#include <jtiguard/backend.h>
#include <string.h>

#define OPTIONS_OLDEST_SIZE sizeof(jtg_memory_options)
#define STATS_OLDEST_SIZE   sizeof(jtg_memory_stats)

struct memory_cache {
    jtg_cache base;
    jtg_clock clock;
    int64_t made_at_ms; /* by the monotonic clock */
    bool has_system_clock;
    uint64_t max_entries;
    void *pages; /* the table's memory, and what its alignment takes */
    size_t pages_len;
    struct jtgi_table *table;
    struct jtgi_values *values;
    struct jtgi_sweeper *sweeper;
    struct jtgi_lent_pieces *lent;
};

static struct memory_cache *of(jtg_cache *cache)
{
    return (struct memory_cache *)cache;
}

/* ---- time ---- */

/* Ms since the cache was made, from 1: an end of 0 means "no entry". A clock that went back,
 * against its contract, must not turn into a far future. */
static uint64_t since_made(const struct memory_cache *memory, int64_t at_ms)
{
    int64_t elapsed_ms = at_ms - memory->made_at_ms;
    return elapsed_ms < 0 ? 1 : (uint64_t)elapsed_ms + 1;
}

static uint64_t now_of(const struct memory_cache *memory)
{
    return since_made(memory, jtgi_clock_monotonic_ms(&memory->clock));
}

static uint64_t exact_now(void *context)
{
    return now_of(context);
}

/* Whether an entry has ended may be judged by a clock that is late: the entry lives a little
 * longer, and a token is refused. The table asks for the exact time before it makes an end, which
 * must not be early, and does so while it waits for its memory. */
static uint64_t late_now_of(const struct memory_cache *memory)
{
    return memory->has_system_clock ? since_made(memory, jtgi_clock_coarse_ms()) : now_of(memory);
}

/* ---- the operations ---- */

static jtg_status reserve(jtg_cache *self, const jtg_key *key, const jtg_owner *owner,
                          uint64_t ttl_ms, jtg_error *err)
{
    uint64_t now = late_now_of(of(self));
    jtg_status status = jtgi_table_check_end(now, ttl_ms, err);
    return status == JTG_OK ? jtgi_table_reserve(of(self)->table, key, owner, now, ttl_ms) : status;
}

/* What the table answers replaces the refusals that the calls came with. */
static void reserve_many(jtg_cache *self, jtg_reserve_call *const *calls, size_t count)
{
    uint64_t now = late_now_of(of(self));
    jtg_status status = JTG_OK;
    for (size_t i = 0; i < count; i++) {
        status = jtgi_table_check_end(now, JTG_TTL_MAX_MS, calls[i]->err);
        if (status != JTG_OK)
            calls[i]->status = status;
    }
    if (status == JTG_OK)
        jtgi_table_reserve_many(of(self)->table, calls, count, now);
}

static jtg_status release(jtg_cache *self, const jtg_key *key, const jtg_owner *owner,
                          jtg_error *err)
{
    (void)err;
    return jtgi_table_release(of(self)->table, key, owner, late_now_of(of(self)));
}

static jtg_status put(jtg_cache *self, const jtg_key *key, const void *value, size_t value_len,
                      uint64_t ttl_ms, size_t keep, jtg_error *err)
{
    uint64_t now = now_of(of(self));
    jtg_status status = jtgi_table_check_end(now, ttl_ms, err);
    return status == JTG_OK
               ? jtgi_values_put(of(self)->values, key, value, value_len, now, ttl_ms, keep)
               : status;
}

static jtg_status get(jtg_cache *self, const jtg_key *key, jtg_value *value, jtg_error *err)
{
    (void)err;
    return jtgi_values_get(of(self)->values, key, now_of(of(self)), value);
}

static jtg_status take(jtg_cache *self, const jtg_key *key, jtg_value *value, jtg_error *err)
{
    (void)err;
    return jtgi_values_take(of(self)->values, key, now_of(of(self)), value);
}

static jtg_status swap(jtg_cache *self, const jtg_key *key, const void *expected,
                       size_t expected_len, const void *value, size_t value_len, uint64_t ttl_ms,
                       jtg_error *err)
{
    uint64_t now = now_of(of(self));
    jtg_status status = jtgi_table_check_end(now, ttl_ms, err);
    return status == JTG_OK ? jtgi_values_swap(of(self)->values, key, expected, expected_len, value,
                                               value_len, now, ttl_ms)
                            : status;
}

static jtg_status drop(jtg_cache *self, const jtg_key *key, jtg_error *err)
{
    (void)err;
    return jtgi_values_drop(of(self)->values, key, now_of(of(self)));
}

/* This cache watches nothing: kept_since_ms is JTG_KEPT_ANY. */
static jtg_status bitmap_put(jtg_cache *self, const jtg_key *key, uint32_t bits, uint64_t ttl_ms,
                             int64_t kept_since_ms, jtg_error *err)
{
    uint64_t now = now_of(of(self));
    jtg_status status = jtgi_table_check_end(now, ttl_ms, err);
    (void)kept_since_ms;
    return status == JTG_OK ? jtgi_bitmaps_put(of(self)->values, key, bits, now, ttl_ms) : status;
}

static void bitmap_take_many(jtg_cache *self, jtg_bitmap_call *const *calls, size_t count)
{
    jtgi_bitmaps_take_many(of(self)->values, calls, count, now_of(of(self)));
}

static jtg_status count(jtg_cache *self, uint64_t *counted, jtg_error *err)
{
    struct jtgi_values_stats values;
    (void)err;
    jtgi_values_stats_get(of(self)->values, &values);
    jtg_status status = jtgi_table_count(of(self)->table, counted);
    *counted += values.keys;
    return status;
}

static jtg_status clear(jtg_cache *self, jtg_error *err)
{
    (void)err;
    jtg_status status = jtgi_table_clear(of(self)->table);
    jtgi_values_clear(of(self)->values);
    return status;
}

static jtg_status prune(jtg_cache *self, uint64_t *removed, jtg_error *err)
{
    uint64_t now = now_of(of(self));
    (void)err;
    jtg_status status = jtgi_table_prune(of(self)->table, now, removed);
    *removed += jtgi_values_prune(of(self)->values, now);
    return status;
}

/* ---- memory that is lent ---- */

static jtg_status lend(jtg_cache *self, jtg_borrower borrower, void **memory, jtg_error *err)
{
    *memory = jtgi_lent_pieces_find(of(self)->lent, borrower);
    if (*memory == NULL)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "nothing is lent to this borrower");
    return JTG_OK;
}

static jtg_status lock_lent(jtg_cache *self, void *memory, jtg_error *err)
{
    (void)err;
    jtgi_lent_pieces_lock(of(self)->lent, memory);
    return JTG_OK;
}

static void unlock_lent(jtg_cache *self, void *memory)
{
    jtgi_lent_pieces_unlock(of(self)->lent, memory);
}

/* ---- the table of operations ---- */

static void destroy(jtg_cache *self)
{
    struct memory_cache *memory = of(self);
    bool in_child = self->fork_generation != jtgi_fork_generation();
    jtgi_sweeper_free(memory->sweeper, in_child);
    jtgi_values_free(memory->values, in_child);
    if (memory->table != NULL)
        jtgi_table_wipe_keys(memory->table);
    jtgi_table_close(memory->table);
    if (memory->pages != NULL)
        jtgi_unmap(memory->pages, memory->pages_len);
    jtgi_lent_pieces_free(memory->lent, in_child);
    jtg_cache_clear_base(self);
    jtgi_free(memory);
}

static const jtg_backend backend = {
    .struct_size = sizeof(jtg_backend),
    .name = "memory",
    .reserve = reserve,
    .release = release,
    .count = count,
    .clear = clear,
    .ping = jtgi_probe,
    .destroy = destroy,
    .put = put,
    .get = get,
    .take = take,
    .swap = swap,
    .drop = drop,
    .prune = prune,
    .lend = lend,
    .lock_lent = lock_lent,
    .unlock_lent = unlock_lent,
    .reserve_many = reserve_many,
    .bitmap_put = bitmap_put,
    .bitmap_take_many = bitmap_take_many,
};

/* ---- options ---- */

void jtg_memory_options_init(jtg_memory_options *options)
{
    const jtg_memory_options defaults = JTG_MEMORY_OPTIONS_INIT;
    *options = defaults;
}

static jtg_status check_ranges(const jtg_memory_options *options, jtg_error *err)
{
    const struct jtgi_range ranges[] = {
        {"max_entries", options->max_entries, 1, JTG_MEMORY_MAX_ENTRIES_LIMIT},
        {"max_entries_per_group", options->max_entries_per_group, 0, options->max_entries},
        {"sweep_interval_ms", options->sweep_interval_ms, 0, JTG_MEMORY_SWEEP_INTERVAL_MS_LIMIT},
        {"max_values", options->max_values, 1, JTG_MEMORY_MAX_VALUES_LIMIT},
        {"max_value_bytes", options->max_value_bytes, 1, JTG_MEMORY_MAX_VALUE_BYTES_LIMIT},
    };
    return jtgi_ranges_check(ranges, sizeof ranges / sizeof ranges[0], "memory options: ", err);
}

static jtg_status read_options(jtg_memory_options *known, const jtg_memory_options *given,
                               jtg_error *err)
{
    jtg_memory_options_init(known);
    jtg_status status =
        jtg_struct_read(known, sizeof *known, OPTIONS_OLDEST_SIZE, given, "memory options", err);
    return status == JTG_OK ? check_ranges(known, err) : status;
}

/* ---- life ---- */

/* The one process of this store: it waits as long as it takes, and nobody dies alone. */
static const struct jtgi_lock_party party = {.word = 1};

/* Pages of our own, in which the table grows. What it does not use costs address space only. */
static bool build_table(struct memory_cache *memory, const jtg_memory_options *options)
{
    struct jtgi_table_plan plan;
    jtgi_table_plan(&plan, options->max_entries, options->max_entries_per_group, true);
    memory->pages_len = plan.bytes + (plan.huge ? JTGI_HUGE_BYTES : 0);
    memory->pages = jtgi_map(memory->pages_len);
    if (memory->pages == NULL)
        return false;
    unsigned char *base = memory->pages;
    if (plan.huge)
        base += (JTGI_HUGE_BYTES - (uintptr_t)base % JTGI_HUGE_BYTES) % JTGI_HUGE_BYTES;
    jtgi_table_format(base, &plan);
    memory->table = jtgi_table_open(base, &plan, &party);
    if (memory->table != NULL && memory->has_system_clock)
        jtgi_table_set_exact(memory->table, exact_now, memory);
    return memory->table != NULL;
}

static jtg_status build(struct memory_cache *memory, const jtg_memory_options *options,
                        jtg_error *err)
{
    jtg_status status = jtgi_clock_read_option(&memory->clock, options->clock, err);
    if (status != JTG_OK)
        return status;
    memory->made_at_ms = jtgi_clock_monotonic_ms(&memory->clock);
    memory->max_entries = options->max_entries;
    memory->has_system_clock = jtgi_clock_is_system(&memory->clock);
    memory->values = jtgi_values_new(options->max_values, options->max_value_bytes);
    memory->lent = jtgi_lent_pieces_new();
    if (!build_table(memory, options) || memory->values == NULL || memory->lent == NULL)
        return jtg_error_set(err, JTG_ERR_MEMORY, 0, "no memory for the tables");

    const struct jtgi_sweeper_target target = {memory->table, memory->values, exact_now, memory};
    memory->sweeper = jtgi_sweeper_new(&target, options->sweep_interval_ms, &status);
    if (memory->sweeper == NULL)
        return jtg_error_set(err, status, 0, "the sweeper could not be started");
    return JTG_OK;
}

jtg_status jtg_memory_new(jtg_cache **cache, const jtg_memory_options *options, jtg_error *err)
{
    jtg_memory_options known;
    jtgi_error_begin(err);
    if (cache == NULL)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "no place for the cache");
    *cache = NULL;
    jtg_status status = read_options(&known, options, err);
    if (status != JTG_OK)
        return status;

    struct memory_cache *memory = jtgi_alloc(sizeof *memory);
    if (memory == NULL)
        return jtg_error_set(err, JTG_ERR_MEMORY, 0, "no memory for the cache");
    status = jtg_cache_init(&memory->base, &backend, err);
    if (status != JTG_OK) {
        jtgi_free(memory);
        return status;
    }
    status = build(memory, &known, err);
    if (status != JTG_OK) {
        destroy(&memory->base);
        return status;
    }
    *cache = &memory->base;
    return JTG_OK;
}

/* ---- what only this backend has ---- */

static jtg_status check_is_memory(const jtg_cache *cache, jtg_error *err)
{
    jtgi_error_begin(err);
    if (cache == NULL || cache->backend != &backend)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "not a memory cache");
    if (cache->fork_generation != jtgi_fork_generation())
        return jtg_error_set(err, JTG_ERR_FORKED, 0, "the cache was made before fork");
    return JTG_OK;
}

jtg_status jtg_memory_sweep_step(jtg_cache *cache, bool *more, jtg_error *err)
{
    jtg_status status = check_is_memory(cache, err);
    if (status != JTG_OK)
        return status;
    if (more == NULL)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "no place for more");
    *more = jtgi_sweeper_step(of(cache)->sweeper);
    return JTG_OK;
}

jtg_status jtg_memory_stats_get(jtg_cache *cache, jtg_memory_stats *stats, jtg_error *err)
{
    jtg_status status = check_is_memory(cache, err);
    if (status != JTG_OK)
        return status;
    if (stats == NULL || !jtgi_struct_size_ok(stats->struct_size, STATS_OLDEST_SIZE))
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "stats: struct_size is not set");

    struct jtgi_table_stats table;
    struct jtgi_values_stats values;
    status = jtgi_table_stats_get(of(cache)->table, &table);
    if (status != JTG_OK)
        return jtg_error_set(err, status, 0, "the table");
    jtgi_values_stats_get(of(cache)->values, &values);
    const jtg_memory_stats now = {
        .struct_size = sizeof now,
        .entries = table.entries,
        .max_entries = of(cache)->max_entries,
        .slots = table.slots,
        .table_bytes = table.slots * sizeof(struct jtgi_slot),
        .groups = table.groups,
        .values = values.values,
        .value_bytes = values.bytes,
        .swept = table.swept + values.swept,
        .sweep_passes = jtgi_sweeper_passes(of(cache)->sweeper),
        .growths = table.growths,
        .max_step_slots = table.max_step_slots,
    };
    jtgi_struct_give(stats, &now, sizeof now);
    return JTG_OK;
}
