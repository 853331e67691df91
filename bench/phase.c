/* SPDX-License-Identifier: Apache-2.0 */
/* All threads make a block of items, start together, are timed until the last one is through
 * its block, and so on: the making is not in the figure, and no thread is timed while another
 * is not calling. */
#include "phase.h"

#include "gate.h"
#include "isolate.h"
#include "options.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct phase {
    const struct bench_subject *subject;
    void *self;
    enum bench_call call;
    const struct bench_range *range;
    unsigned threads;
    struct bench_gate gate;
};

struct worker {
    struct phase *phase;
    unsigned number;
    pthread_t thread;
    uint64_t timed_ns; /* what the first worker measured */
    uint64_t wrong;    /* answers that were not what they must be */
};

struct bench_item *bench_block_new(void)
{
    size_t bytes = BENCH_BLOCK_ITEMS * sizeof(struct bench_item);
    struct bench_item *items = aligned_alloc(sizeof(struct bench_item), bytes);
    if (items == NULL)
        bench_die("no memory for the keys");
    memset(items, 0, bytes);
    return items;
}

/* Where the share of a worker begins; the share of the last ends at worker number `threads`. */
static uint64_t share_begin(const struct phase *phase, unsigned number)
{
    return phase->range->count * number / phase->threads;
}

static uint64_t rounds_of(const struct phase *phase)
{
    uint64_t largest_share = (phase->range->count + phase->threads - 1) / phase->threads;
    return (largest_share + BENCH_BLOCK_ITEMS - 1) / BENCH_BLOCK_ITEMS;
}

static bool is_of_held_keys(enum bench_call call)
{
    return call == BENCH_RESERVE_HELD || call == BENCH_RESERVE_TOLD ||
           call == BENCH_RESERVE_HELD_BATCH;
}

static jtg_status expected_of(enum bench_call call)
{
    return is_of_held_keys(call) ? JTG_REPLAYED : JTG_OK;
}

static uint64_t reserve_batches(const struct phase *phase, const struct bench_item *items,
                                size_t count)
{
    jtg_status expected = expected_of(phase->call);
    uint64_t wrong = 0;
    for (size_t i = 0; i < count; i += BENCH_BATCH)
        wrong += phase->subject->reserve_many(phase->self, &items[i],
                                              count - i < BENCH_BATCH ? count - i : BENCH_BATCH,
                                              BENCH_TTL_MS, expected);
    return wrong;
}

static uint64_t reserve_all(const struct phase *phase, const struct bench_item *items, size_t count)
{
    jtg_status (*reserve)(void *, const struct bench_item *, uint64_t) =
        phase->call == BENCH_RESERVE_TOLD ? phase->subject->reserve_told : phase->subject->reserve;
    jtg_status expected = expected_of(phase->call);
    uint64_t wrong = 0;
    for (size_t i = 0; i < count; i++)
        wrong += reserve(phase->self, &items[i], BENCH_TTL_MS) != expected;
    return wrong;
}

static uint64_t release_all(const struct phase *phase, const struct bench_item *items, size_t count)
{
    uint64_t wrong = 0;
    for (size_t i = 0; i < count; i++)
        wrong += phase->subject->release(phase->self, &items[i]) != JTG_OK;
    return wrong;
}

static uint64_t call_all(const struct phase *phase, const struct bench_item *items, size_t count)
{
    switch (phase->call) {
    case BENCH_RELEASE:
        return release_all(phase, items, count);
    case BENCH_RESERVE_FRESH_BATCH:
    case BENCH_RESERVE_HELD_BATCH:
        return reserve_batches(phase, items, count);
    default:
        return reserve_all(phase, items, count);
    }
}

static void run_round(struct worker *worker, struct bench_item *items, size_t count)
{
    struct phase *phase = worker->phase;
    bench_gate_pass(&phase->gate);
    uint64_t begin = bench_now_ns();
    worker->wrong += call_all(phase, items, count);
    bench_gate_pass(&phase->gate);
    worker->timed_ns += bench_now_ns() - begin;
    if (phase->call == BENCH_RESERVE_TURNOVER)
        worker->wrong += release_all(phase, items, count);
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    struct phase *phase = worker->phase;
    uint64_t at = share_begin(phase, worker->number);
    uint64_t end = share_begin(phase, worker->number + 1);
    enum bench_role role = is_of_held_keys(phase->call) ? BENCH_REPLAYER : BENCH_HOLDER;
    struct bench_item *items = bench_block_new();

    for (uint64_t round = rounds_of(phase); round > 0; round--) {
        size_t count = end - at < BENCH_BLOCK_ITEMS ? (size_t)(end - at) : BENCH_BLOCK_ITEMS;
        bench_items_fill(items, count, phase->range, at, role);
        run_round(worker, items, count);
        at += count;
    }
    free(items);
    return NULL;
}

static double finish(const struct phase *phase, struct worker *workers)
{
    uint64_t wrong = 0;
    for (unsigned i = 0; i < phase->threads; i++) {
        (void)pthread_join(workers[i].thread, NULL);
        wrong += workers[i].wrong;
    }
    if (wrong != 0)
        bench_die("%s table: %llu answers were wrong", phase->subject->name,
                  (unsigned long long)wrong);
    return (double)workers[0].timed_ns / (double)phase->range->count;
}

double bench_phase_run(const struct bench_subject *subject, void *self, enum bench_call call,
                       const struct bench_range *range, unsigned threads)
{
    struct phase phase = {
        .subject = subject, .self = self, .call = call, .range = range, .threads = threads};
    struct worker workers[BENCH_THREADS_MAX] = {0};
    bench_gate_init(&phase.gate, threads);
    for (unsigned i = 0; i < threads; i++) {
        workers[i].phase = &phase;
        workers[i].number = i;
        if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0)
            bench_die("cannot start a thread");
    }
    return finish(&phase, workers);
}
