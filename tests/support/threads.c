/* SPDX-License-Identifier: Apache-2.0 */
#include "support/threads.h"

#include "support/asserts.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

struct one {
    struct threads *all;
    unsigned index;
    pthread_t id;
};

struct threads {
    unsigned count;
    threads_work work;
    void *context;
    pthread_barrier_t gate;
    struct one each[THREADS_MAX];
};

static void *run(void *context)
{
    struct one *one = context;
    (void)pthread_barrier_wait(&one->all->gate);
    one->all->work(one->all->context, one->index);
    return NULL;
}

struct threads *threads_start(unsigned count, threads_work work, void *context)
{
    assert_in_range(count, 1, THREADS_MAX);
    struct threads *threads = calloc(1, sizeof *threads);
    assert_non_null(threads);
    threads->count = count;
    threads->work = work;
    threads->context = context;
    assert_int_equal(pthread_barrier_init(&threads->gate, NULL, count), 0);
    for (unsigned i = 0; i < count; i++) {
        threads->each[i].all = threads;
        threads->each[i].index = i;
        assert_int_equal(pthread_create(&threads->each[i].id, NULL, run, &threads->each[i]), 0);
    }
    return threads;
}

void threads_join(struct threads *threads)
{
    for (unsigned i = 0; i < threads->count; i++)
        (void)pthread_join(threads->each[i].id, NULL);
    (void)pthread_barrier_destroy(&threads->gate);
    free(threads);
}

void threads_signal(struct threads *threads, int signal_number)
{
    for (unsigned i = 0; i < threads->count; i++)
        (void)pthread_kill(threads->each[i].id, signal_number);
}

void threads_run(unsigned count, threads_work work, void *context)
{
    threads_join(threads_start(count, work, context));
}
