/* SPDX-License-Identifier: Apache-2.0 */
/* All threads make a block of items, start together, are timed until the last one is through
 * its block, and so on: the making is not in the figure, and no thread is timed while another
 * is not calling. */
#include "phase.h"

#include "bench.h"
#include "gate.h"
#include "isolate.h"
#include "options.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

struct phase {
    const struct bench_subject *subject;
    enum bench_call call;
    const struct bench_range *range;
    unsigned threads;
    struct bench_gate gate;
};

struct worker {
    struct phase *phase;
    void *self; /* the subject */
    unsigned number;
    union {
        pthread_t thread;
        pid_t process;
    };
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

static uint64_t reserve_batches(const struct worker *worker, const struct bench_item *items,
                                size_t count)
{
    const struct phase *phase = worker->phase;
    jtg_status expected = expected_of(phase->call);
    uint64_t wrong = 0;
    for (size_t i = 0; i < count; i += BENCH_BATCH)
        wrong += phase->subject->reserve_many(worker->self, &items[i],
                                              count - i < BENCH_BATCH ? count - i : BENCH_BATCH,
                                              BENCH_TTL_MS, expected);
    return wrong;
}

static uint64_t reserve_all(const struct worker *worker, const struct bench_item *items,
                            size_t count)
{
    const struct phase *phase = worker->phase;
    jtg_status (*reserve)(void *, const struct bench_item *, uint64_t) =
        phase->call == BENCH_RESERVE_TOLD ? phase->subject->reserve_told : phase->subject->reserve;
    jtg_status expected = expected_of(phase->call);
    uint64_t wrong = 0;
    for (size_t i = 0; i < count; i++)
        wrong += reserve(worker->self, &items[i], BENCH_TTL_MS) != expected;
    return wrong;
}

static uint64_t release_all(const struct worker *worker, const struct bench_item *items,
                            size_t count)
{
    uint64_t wrong = 0;
    for (size_t i = 0; i < count; i++)
        wrong += worker->phase->subject->release(worker->self, &items[i]) != JTG_OK;
    return wrong;
}

static uint64_t call_all(const struct worker *worker, const struct bench_item *items, size_t count)
{
    switch (worker->phase->call) {
    case BENCH_RELEASE:
        return release_all(worker, items, count);
    case BENCH_RESERVE_FRESH_BATCH:
    case BENCH_RESERVE_HELD_BATCH:
        return reserve_batches(worker, items, count);
    default:
        return reserve_all(worker, items, count);
    }
}

static void run_round(struct worker *worker, struct bench_item *items, size_t count)
{
    struct phase *phase = worker->phase;
    bench_gate_pass(&phase->gate);
    uint64_t begin = bench_now_ns();
    worker->wrong += call_all(worker, items, count);
    bench_gate_pass(&phase->gate);
    worker->timed_ns += bench_now_ns() - begin;
    if (phase->call == BENCH_RESERVE_TURNOVER)
        worker->wrong += release_all(worker, items, count);
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

static double finish(const struct phase *phase, const struct worker *workers)
{
    uint64_t wrong = 0;
    for (unsigned i = 0; i < phase->threads; i++)
        wrong += workers[i].wrong;
    if (wrong != 0)
        bench_die("%s table: %llu answers were wrong", phase->subject->name,
                  (unsigned long long)wrong);
    return (double)workers[0].timed_ns / (double)phase->range->count;
}

double bench_phase_run(const struct bench_subject *subject, void *self, enum bench_call call,
                       const struct bench_range *range, unsigned threads)
{
    struct phase phase = {.subject = subject, .call = call, .range = range, .threads = threads};
    struct worker workers[BENCH_THREADS_MAX] = {0};
    bench_gate_init(&phase.gate, threads);
    for (unsigned i = 0; i < threads; i++) {
        workers[i].phase = &phase;
        workers[i].self = self;
        workers[i].number = i;
        if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0)
            bench_die("cannot start a thread");
    }
    for (unsigned i = 0; i < threads; i++)
        (void)pthread_join(workers[i].thread, NULL);
    return finish(&phase, workers);
}

/* ---- processes ---- */

/* In memory that all of them see. */
struct crew {
    struct phase phase;
    struct worker workers[BENCH_THREADS_MAX];
};

static struct crew *crew_new(void)
{
    void *memory =
        mmap(NULL, sizeof(struct crew), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        bench_die("no memory that processes share");
    return memory;
}

static void start_apart(struct worker *worker, const struct bench_setup *setup)
{
    worker->process = fork();
    if (worker->process < 0)
        bench_die("cannot start a process");
    if (worker->process > 0)
        return;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* else it waits at the gate when another has failed */
    worker->self = worker->phase->subject->make(setup);
    (void)work(worker);
    _exit(BENCH_DONE);
}

static void wait_for_all(const struct crew *crew)
{
    for (unsigned left = crew->phase.threads; left > 0; left--) {
        int how = 0;
        if (wait(&how) < 0 || !WIFEXITED(how) || WEXITSTATUS(how) != BENCH_DONE)
            bench_die("%s table: a process failed", crew->phase.subject->name);
    }
}

double bench_phase_run_apart(const struct bench_subject *subject, const struct bench_setup *setup,
                             enum bench_call call, const struct bench_range *range,
                             unsigned processes)
{
    struct crew *crew = crew_new();
    crew->phase =
        (struct phase){.subject = subject, .call = call, .range = range, .threads = processes};
    bench_gate_init(&crew->phase.gate, processes);
    for (unsigned i = 0; i < processes; i++) {
        crew->workers[i].phase = &crew->phase;
        crew->workers[i].number = i;
        start_apart(&crew->workers[i], setup);
    }
    wait_for_all(crew);
    double ns = finish(&crew->phase, crew->workers);
    (void)munmap(crew, sizeof *crew);
    return ns;
}
