/* SPDX-License-Identifier: Apache-2.0 */
/* A pass of the sweep goes step after step without a pause, as the harshest sweeper would. The
 * callers reserve fresh keys and give each back at once, so that the table neither grows nor fills
 * meanwhile, and time every one of these calls. */
#include "watch.h"

#include "gate.h"
#include "isolate.h"
#include "phase.h"

#include <pthread.h>
#include <stdlib.h>

/* What the sweeper rests between two passes. Without it the chained table's only mutex would be
 * taken again before any caller wakes up, and callers would starve for pass after pass. */
#define REST_NS UINT64_C(1000000)

struct watch {
    const struct bench_watched *watched;
    enum bench_sweeping sweeping;
    struct bench_gate gate;
    atomic_bool over;
};

struct caller {
    struct watch *watch;
    unsigned number;
    pthread_t thread;
    struct bench_histogram calls;
};

/* ---- the callers ---- */

static void time_calls(struct caller *caller, const struct bench_item *item)
{
    const struct bench_subject *subject = caller->watch->watched->subject;
    uint64_t begin = bench_now_ns();
    jtg_status reserved = subject->reserve(caller->watch->watched->self, item, BENCH_TTL_MS);
    uint64_t middle = bench_now_ns();
    jtg_status released = subject->release(caller->watch->watched->self, item);
    bench_histogram_add(&caller->calls, bench_now_ns() - middle);
    bench_histogram_add(&caller->calls, middle - begin);
    if (reserved != JTG_OK || released != JTG_OK)
        bench_die("%s table: a wrong answer during a sweep", subject->name);
}

static void *call_until_over(void *argument)
{
    struct caller *caller = argument;
    struct watch *watch = caller->watch;
    struct bench_range range = {watch->watched->first_key +
                                    (uint64_t)caller->number * BENCH_BLOCK_ITEMS,
                                BENCH_BLOCK_ITEMS, 0};
    struct bench_item *items = bench_block_new();
    bench_items_fill(items, BENCH_BLOCK_ITEMS, &range, 0, BENCH_HOLDER);

    bench_gate_pass(&watch->gate);
    for (size_t i = 0; i == 0 || !atomic_load_explicit(&watch->over, memory_order_relaxed); i++)
        time_calls(caller, &items[i % BENCH_BLOCK_ITEMS]);
    free(items);
    return NULL;
}

/* ---- the sweeper ---- */

static double sweep_pass_ms(const struct watch *watch)
{
    uint64_t begin = bench_now_ns();
    while (watch->watched->subject->sweep(watch->watched->self)) {
    }
    return (double)(bench_now_ns() - begin) / 1e6;
}

static void rest(uint64_t ns)
{
    struct timespec pause = {(time_t)(ns / 1000000000U), (long)(ns % 1000000000U)};
    (void)nanosleep(&pause, NULL);
}

/* The longest pass. */
static double sweep_again_and_again(const struct watch *watch)
{
    uint64_t begin = bench_now_ns();
    double longest_ms = 0;
    while (bench_now_ns() - begin < BENCH_WATCH_NS) {
        double pass_ms = sweep_pass_ms(watch);
        longest_ms = pass_ms > longest_ms ? pass_ms : longest_ms;
        rest(REST_NS);
    }
    return longest_ms;
}

static double sweep_while_watched(const struct watch *watch)
{
    switch (watch->sweeping) {
    case BENCH_SWEEP_AGAIN_AND_AGAIN:
        return sweep_again_and_again(watch);
    case BENCH_SWEEP_ONCE:
        return sweep_pass_ms(watch);
    case BENCH_SWEEP_NEVER:
    default:
        rest(BENCH_WATCH_NS);
        return 0;
    }
}

static void start(struct watch *watch, struct caller *callers)
{
    for (unsigned i = 0; i < watch->watched->callers; i++) {
        callers[i].watch = watch;
        callers[i].number = i;
        if (pthread_create(&callers[i].thread, NULL, call_until_over, &callers[i]) != 0)
            bench_die("cannot start a thread");
    }
}

void bench_watch_callers(const struct bench_watched *watched, enum bench_sweeping sweeping,
                         struct bench_tally *tally)
{
    struct watch watch = {.watched = watched, .sweeping = sweeping};
    struct caller *callers = calloc(watched->callers, sizeof *callers);
    if (callers == NULL)
        bench_die("no memory for the callers");
    bench_gate_init(&watch.gate, watched->callers + 1);
    start(&watch, callers);
    bench_gate_pass(&watch.gate);
    double pass_ms = sweep_while_watched(&watch);
    atomic_store(&watch.over, true);

    tally->pass_ms = pass_ms > tally->pass_ms ? pass_ms : tally->pass_ms;
    for (unsigned i = 0; i < watched->callers; i++) {
        (void)pthread_join(callers[i].thread, NULL);
        bench_histogram_merge(&tally->calls, &callers[i].calls);
    }
    free(callers);
}
