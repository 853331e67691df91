/* SPDX-License-Identifier: Apache-2.0 */
/* Three counters go round the ring: given_back <= begun <= submitted <= given_back + its size.
 * The lock is held to move them and never while a batch is judged. */
#include "pipeline.h"

#include <pthread.h>
#include <stdlib.h>

/* So many batches a worker, and two for the caller: one being filled, one being written. */
enum { BATCHES_PER_WORKER = 2, BATCHES_OF_CALLER = 2 };

struct slot {
    struct batch batch;
    bool done;
};

struct pipeline {
    const struct judge *judge;
    pthread_mutex_t lock;
    pthread_cond_t work; /* A batch was submitted, or closing. */
    pthread_cond_t done; /* A batch was judged. */
    struct slot *ring;
    size_t ring_size;
    uint64_t submitted;
    uint64_t begun;
    uint64_t given_back;
    bool closing;
    pthread_t *workers;
    unsigned worker_count;
};

static struct slot *slot_of(struct pipeline *pipeline, uint64_t number)
{
    return &pipeline->ring[number % pipeline->ring_size];
}

static struct slot *begin_locked(struct pipeline *pipeline)
{
    while (!pipeline->closing && pipeline->begun == pipeline->submitted)
        (void)pthread_cond_wait(&pipeline->work, &pipeline->lock);
    return pipeline->closing ? NULL : slot_of(pipeline, pipeline->begun++);
}

static void *work(void *argument)
{
    struct pipeline *pipeline = argument;
    (void)pthread_mutex_lock(&pipeline->lock);
    for (struct slot *slot; (slot = begin_locked(pipeline)) != NULL;) {
        (void)pthread_mutex_unlock(&pipeline->lock);
        judge_batch(pipeline->judge, &slot->batch);
        (void)pthread_mutex_lock(&pipeline->lock);
        slot->done = true;
        (void)pthread_cond_signal(&pipeline->done);
    }
    (void)pthread_mutex_unlock(&pipeline->lock);
    return NULL;
}

static bool start_workers(struct pipeline *pipeline, unsigned threads)
{
    for (; pipeline->worker_count < threads; pipeline->worker_count++)
        if (pthread_create(&pipeline->workers[pipeline->worker_count], NULL, work, pipeline) != 0)
            return false;
    return true;
}

struct pipeline *pipeline_new(const struct judge *judge, unsigned threads)
{
    struct pipeline *pipeline = calloc(1, sizeof *pipeline);
    if (pipeline == NULL)
        return NULL;
    pipeline->judge = judge;
    pipeline->ring_size = (size_t)threads * BATCHES_PER_WORKER + BATCHES_OF_CALLER;
    (void)pthread_mutex_init(&pipeline->lock, NULL);
    (void)pthread_cond_init(&pipeline->work, NULL);
    (void)pthread_cond_init(&pipeline->done, NULL);
    pipeline->ring = calloc(pipeline->ring_size, sizeof *pipeline->ring);
    pipeline->workers = calloc(threads, sizeof *pipeline->workers);
    if (pipeline->ring != NULL && pipeline->workers != NULL && start_workers(pipeline, threads))
        return pipeline;
    pipeline_free(pipeline);
    return NULL;
}

/* Only the caller's thread moves submitted and given_back, so it reads them without the lock. */
struct batch *pipeline_next_free(struct pipeline *pipeline)
{
    if (pipeline->submitted - pipeline->given_back == pipeline->ring_size)
        return NULL;
    return &slot_of(pipeline, pipeline->submitted)->batch;
}

void pipeline_submit(struct pipeline *pipeline)
{
    (void)pthread_mutex_lock(&pipeline->lock);
    slot_of(pipeline, pipeline->submitted)->done = false;
    pipeline->submitted++;
    (void)pthread_cond_signal(&pipeline->work);
    (void)pthread_mutex_unlock(&pipeline->lock);
}

struct batch *pipeline_oldest_done(struct pipeline *pipeline)
{
    if (pipeline->given_back == pipeline->submitted)
        return NULL;
    struct slot *oldest = slot_of(pipeline, pipeline->given_back);
    (void)pthread_mutex_lock(&pipeline->lock);
    while (!oldest->done)
        (void)pthread_cond_wait(&pipeline->done, &pipeline->lock);
    (void)pthread_mutex_unlock(&pipeline->lock);
    return &oldest->batch;
}

void pipeline_give_back(struct pipeline *pipeline)
{
    batch_reset(&slot_of(pipeline, pipeline->given_back)->batch);
    pipeline->given_back++;
}

static void join_workers(struct pipeline *pipeline)
{
    (void)pthread_mutex_lock(&pipeline->lock);
    pipeline->closing = true;
    (void)pthread_cond_broadcast(&pipeline->work);
    (void)pthread_mutex_unlock(&pipeline->lock);
    for (unsigned i = 0; i < pipeline->worker_count; i++)
        (void)pthread_join(pipeline->workers[i], NULL);
}

void pipeline_free(struct pipeline *pipeline)
{
    if (pipeline == NULL)
        return;
    join_workers(pipeline);
    for (size_t i = 0; pipeline->ring != NULL && i < pipeline->ring_size; i++)
        batch_clear(&pipeline->ring[i].batch);
    (void)pthread_cond_destroy(&pipeline->done);
    (void)pthread_cond_destroy(&pipeline->work);
    (void)pthread_mutex_destroy(&pipeline->lock);
    free(pipeline->ring);
    free(pipeline->workers);
    free(pipeline);
}
