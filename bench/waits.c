/* SPDX-License-Identifier: Apache-2.0 */
#include "waits.h"

#include "isolate.h"
#include "options.h"
#include "phase.h"
#include "warm.h"
#include "watch.h"

#include <stdatomic.h>
#include <stdlib.h>

/* One entry in so many ends early: enough for every stripe to have some, few enough for a pass to
 * be nearly all looking. Without any, a table that knows its earliest end need not look at all. */
enum { ENTRIES_A_SHORT_LIVED = 1024, SHORT_TTL_MS = 1000 };

enum { LIVES_MAX = 10 };

/* ---- a clock that is moved by hand ---- */

static int64_t read_moved_clock(void *context)
{
    return atomic_load_explicit((_Atomic int64_t *)context, memory_order_relaxed);
}

static jtg_clock moved_clock(_Atomic int64_t *now_ms)
{
    jtg_clock clock = {sizeof clock, now_ms, read_moved_clock, read_moved_clock};
    return clock;
}

/* ---- the lives of the table ---- */

static void check_swept(const struct bench_waits_input *input, void *self,
                        struct bench_waits *waits)
{
    if (input->subject != &bench_subject_memory)
        return;
    jtg_memory_stats stats = bench_memory_stats(self);
    if (stats.entries > input->entries / 100)
        bench_die("the sweep left %llu of %llu entries", (unsigned long long)stats.entries,
                  (unsigned long long)input->entries);
    waits->max_step_slots = stats.max_step_slots;
}

/* The keys after those of the callers. */
static void reserve_short_lived(const struct bench_waits_input *input, void *self)
{
    struct bench_range range = {input->entries + (uint64_t)BENCH_THREADS_MAX * BENCH_BLOCK_ITEMS,
                                input->entries / ENTRIES_A_SHORT_LIVED + 1, 0};
    struct bench_item *item = bench_block_new();
    for (uint64_t i = 0; i < range.count; i++) {
        bench_items_fill(item, 1, &range, i, BENCH_HOLDER);
        if (input->subject->reserve(self, item, SHORT_TTL_MS) != JTG_OK)
            bench_die("%s table: a fresh key was refused", input->subject->name);
    }
    free(item);
}

struct tallies {
    struct bench_tally quiet, none, few, all;
};

/* Fill the table and let it end, first a little, then everything. */
static void watch_one_life(const struct bench_waits_input *input, void *self,
                           _Atomic int64_t *now_ms, struct tallies *tallies)
{
    struct bench_range all = {0, input->entries, 0};
    (void)bench_phase_run(input->subject, self, BENCH_RESERVE_FRESH, &all, input->callers);
    reserve_short_lived(input, self);
    struct bench_watched watched = {input->subject, self, input->callers, input->entries};
    if (tallies->none.calls.count == 0) {
        bench_watch_callers(&watched, BENCH_SWEEP_NEVER, &tallies->quiet);
        bench_watch_callers(&watched, BENCH_SWEEP_AGAIN_AND_AGAIN, &tallies->none);
    }
    atomic_fetch_add(now_ms, (int64_t)SHORT_TTL_MS);
    bench_watch_callers(&watched, BENCH_SWEEP_ONCE, &tallies->few);
    atomic_fetch_add(now_ms, (int64_t)BENCH_TTL_MS);
    bench_watch_callers(&watched, BENCH_SWEEP_ONCE, &tallies->all);
}

static struct bench_wait wait_of(const struct bench_tally *tally)
{
    struct bench_wait wait = {bench_histogram_quantile_us(&tally->calls, 0.999),
                              bench_histogram_max_us(&tally->calls), tally->pass_ms};
    return wait;
}

/* A pass over a small table is too short to see much: then there are more lives than one. */
static void watch_lives(const struct bench_waits_input *input, void *self, _Atomic int64_t *now_ms,
                        struct bench_waits *waits)
{
    static struct tallies tallies;
    double pass_ms = 0;
    for (int life = 0; life < LIVES_MAX && pass_ms < (double)BENCH_WATCH_NS / 1e6; life++) {
        watch_one_life(input, self, now_ms, &tallies);
        check_swept(input, self, waits);
        pass_ms += tallies.all.pass_ms;
    }
    waits->quiet = wait_of(&tallies.quiet);
    waits->none = wait_of(&tallies.none);
    waits->few = wait_of(&tallies.few);
    waits->all = wait_of(&tallies.all);
}

void bench_waits_measure(const void *input, void *result)
{
    const struct bench_waits_input *of = input;
    _Atomic int64_t now_ms = 1;
    jtg_clock clock = moved_clock(&now_ms);
    struct bench_setup setup = {.max_entries = of->entries * 2 + BENCH_THREADS_MAX,
                                .clock = &clock};
    bench_warm_memory(of->entries);
    void *self = of->subject->make(&setup);
    watch_lives(of, self, &now_ms, result);
}
