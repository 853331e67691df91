/* SPDX-License-Identifier: Apache-2.0 */
/* One thread watches the time and sets the stage; the callers look at it after every call. A call
 * counts when it ends while the stage is MEASURED, and one reading of the clock ends a call and
 * begins the next. */
#include "bench/redis/load.h"

#include "bench/histogram.h"
#include "bench/isolate.h"
#include "bench/phase.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>

enum stage { WARM_UP, MEASURED, OVER };

struct run {
    const struct bench_load *load;
    void *client;
    uint64_t nonce; /* no two measurements share a key */
    pthread_barrier_t start;
    atomic_int stage;
};

struct caller {
    struct run *run;
    unsigned number;
    pthread_t thread;
    uint64_t stored;
    struct bench_histogram calls;
};

/* ---- fresh keys ---- */

static void write_hex(char *into, size_t digits, uint64_t number)
{
    for (size_t i = digits; i-- > 0; number >>= 4)
        into[i] = "0123456789abcdef"[number & 15];
}

/* "jtg:bench:", nonce, caller, and the number of the call. */
static void begin_keys(struct bench_fresh *fresh, const struct caller *caller)
{
    memset(fresh, 0, sizeof *fresh);
    memcpy(fresh->key, "jtg:bench:", 10);
    write_hex(fresh->key + 10, 16, caller->run->nonce);
    write_hex(fresh->key + 26, 6, caller->number);
    memcpy(fresh->owner.bytes, &caller->run->nonce, 8);
}

static void next_key(struct bench_fresh *fresh, uint64_t number)
{
    write_hex(fresh->key + 32, 16, number);
    memcpy(fresh->owner.bytes + 8, &number, 8);
}

/* ---- callers ---- */

static void *call_until_over(void *argument)
{
    struct caller *caller = argument;
    struct run *run = caller->run;
    const struct bench_client *client = run->load->client;
    struct bench_fresh fresh;
    int stage = WARM_UP;
    begin_keys(&fresh, caller);
    (void)pthread_barrier_wait(&run->start);
    for (uint64_t begin = bench_now_ns(); stage != OVER;) {
        next_key(&fresh, caller->stored++);
        client->reserve(run->client, caller->number, &fresh);
        uint64_t end = bench_now_ns();
        stage = atomic_load_explicit(&run->stage, memory_order_relaxed);
        if (stage == MEASURED)
            bench_histogram_add(&caller->calls, end - begin);
        begin = end;
    }
    return NULL;
}

static void start(struct run *run, struct caller *callers)
{
    for (unsigned i = 0; i < run->load->callers; i++) {
        callers[i].run = run;
        callers[i].number = i;
        if (pthread_create(&callers[i].thread, NULL, call_until_over, &callers[i]) != 0)
            bench_die("cannot start %u threads", run->load->callers);
    }
}

/* ---- the one that watches ---- */

struct mark {
    uint64_t time_ns;
    double cpu_us;
};

static struct mark set_stage(struct run *run, int stage)
{
    struct rusage usage;
    struct mark mark = {bench_now_ns(), 0};
    atomic_store(&run->stage, stage);
    (void)getrusage(RUSAGE_SELF, &usage);
    mark.cpu_us = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
                  (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
    return mark;
}

static void rest(double seconds)
{
    struct timespec pause = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
    (void)nanosleep(&pause, NULL);
}

static void summarize(struct bench_load_result *result, const struct bench_histogram *calls,
                      const struct mark *from, const struct mark *to)
{
    if (calls->count == 0)
        bench_die("no call ended in time: take more --seconds");
    double count = (double)calls->count;
    result->ops_per_s = count * 1e9 / (double)(to->time_ns - from->time_ns);
    result->cpu_us_per_op = (to->cpu_us - from->cpu_us) / count;
    result->p50_us = bench_histogram_quantile_us(calls, 0.5);
    result->p99_us = bench_histogram_quantile_us(calls, 0.99);
}

static void watch(struct run *run, struct caller *callers, struct bench_load_result *result)
{
    static struct bench_histogram calls;
    (void)pthread_barrier_wait(&run->start);
    rest(run->load->seconds / 10);
    struct mark from = set_stage(run, MEASURED);
    rest(run->load->seconds);
    struct mark to = set_stage(run, OVER);
    for (unsigned i = 0; i < run->load->callers; i++) {
        (void)pthread_join(callers[i].thread, NULL);
        bench_histogram_merge(&calls, &callers[i].calls);
        result->stored += callers[i].stored;
    }
    summarize(result, &calls, &from, &to);
}

void bench_load_measure(const void *input, void *result)
{
    const struct bench_load *load = input;
    struct bench_load_result *measured = result;
    struct run run = {.load = load};
    struct caller *callers = calloc(load->callers, sizeof *callers);
    if (callers == NULL || getrandom(&run.nonce, sizeof run.nonce, 0) != sizeof run.nonce)
        bench_die("no memory, or no randomness");
    (void)signal(SIGPIPE, SIG_IGN); /* hiredis writes without MSG_NOSIGNAL */
    (void)pthread_barrier_init(&run.start, NULL, load->callers + 1);
    run.client = load->client->open(load->place, load->callers);
    start(&run, callers);
    watch(&run, callers, measured);
    measured->batches = load->client->close(run.client);
    (void)pthread_barrier_destroy(&run.start);
    free(callers);
}
