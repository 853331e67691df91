/* SPDX-License-Identifier: Apache-2.0 */
/* Who is in which list and has which role: all that happens under the pipeline's lock. What takes
 * a system call is noted meanwhile, and done when the lock is let go. */
#ifndef JTGI_REDIS_SCHEDULE_H
#define JTGI_REDIS_SCHEDULE_H

#include "core/counters.h"
#include "redis/flow/batch.h"

#include <pthread.h>

/* What a pipeline needs of its owner. None is called under the lock. */
struct jtgi_pipeline_hooks {
    void *context;
    /* Make a connection that is ready for commands. On failure nothing was sent. */
    jtg_status (*connect)(void *context, int64_t deadline_ns, struct jtgi_connection **connection,
                          jtg_error *err);
    /* JTG_OK, or why a call must fail at once although a connection is being tried. */
    jtg_status (*known_down)(void *context, jtg_error *err);
    /* Twice a second, before a connection is used: is its server still the one to ask? Anything but
     * JTG_OK retires it. NULL: always. */
    jtg_status (*still_right)(void *context, const struct jtgi_connection *connection,
                              int64_t deadline_ns);
    struct jtgi_counters *counters;
    struct jtgi_watch *watch; /* NULL: the store is not watched */
    struct jtgi_durability durability;
    /* Changes when the server is given slots that a connection made before has not marked: then
     * the next one is made, which marks them all at once. NULL: never. */
    const _Atomic uint64_t *gains;
    /* The connection in use was lost. NULL: nobody wants to know. */
    void (*lost)(void *context, const struct jtgi_fault *why);
};

struct jtgi_pipeline {
    pthread_mutex_t lock;
    struct jtgi_pipeline_hooks hooks;
    struct jtgi_connection *connection; /* NULL: none yet, or the last one broke */
    struct jtgi_batch *open;            /* fills; NULL: the next caller makes it */
    struct jtgi_batch *flying;          /* in flight, oldest first */
    unsigned flying_count;
    unsigned crowd; /* see schedule.c */
    bool sending;   /* somebody connects or sends */
    /* For use again: one that is taken without the lock, and others under it. */
    _Atomic(struct jtgi_batch *) at_hand;
    struct jtgi_batch *spare;
    unsigned spare_count;
    uint64_t requests;
    uint64_t max_batch;
};

enum { JTGI_ENDINGS_MAX = 20 /* what one pass through the lock can leave to be done after it */ };

/* What must happen after the lock is let go: system calls, and frees. */
struct jtgi_endings {
    struct {
        jtgi_word *word;
        int count;
    } wakes[JTGI_ENDINGS_MAX];
    unsigned wake_count;
    struct jtgi_connection *closed[JTGI_ENDINGS_MAX];
    unsigned closed_count;
    bool lost; /* the connection in use was, and why: */
    struct jtgi_fault why;
};

/* Both sides of a pass through the lock; the second does what was noted. */
void jtgi_schedule_lock(struct jtgi_pipeline *pipeline, struct jtgi_endings *endings);
void jtgi_schedule_unlock(struct jtgi_pipeline *pipeline, const struct jtgi_endings *endings);

/* Raise one of the counters; needs no lock. */
void jtgi_schedule_count(const struct jtgi_pipeline *pipeline, size_t what);

/* ---- batches ---- */

/* Let go of a batch; the last one puts it away for use again. */
void jtgi_let_go(struct jtgi_pipeline *pipeline, struct jtgi_batch *batch);
void jtgi_let_go_locked(struct jtgi_pipeline *pipeline, struct jtgi_batch *batch);

/* The batch that fills, for a caller who joins; NULL when out of memory. */
struct jtgi_batch *jtgi_open_batch_locked(struct jtgi_pipeline *pipeline);

/* Make it final, wake its callers, and let go of it. Its error is already set. */
void jtgi_end_batch_locked(struct jtgi_pipeline *pipeline, struct jtgi_batch *batch,
                           enum jtgi_fate fate, struct jtgi_endings *endings);

/* Why nothing is known of a batch. */
void jtgi_describe_unknown(struct jtgi_batch *batch, const struct jtgi_fault *fault);

/* ---- roles ---- */

/* May the open batch, which is not empty, go out now? */
bool jtgi_may_send_locked(const struct jtgi_pipeline *pipeline);

/* May the batch in flight be received now? */
bool jtgi_is_turn_locked(const struct jtgi_pipeline *pipeline, const struct jtgi_batch *batch);

void jtgi_take_driver_role_locked(struct jtgi_pipeline *pipeline, struct jtgi_batch *batch);
void jtgi_want_driver_locked(struct jtgi_batch *batch, struct jtgi_endings *endings);

/* Somebody left a role: call the next for each that is free. */
void jtgi_call_next_locked(struct jtgi_pipeline *pipeline, struct jtgi_endings *endings);

/* ---- the connection ---- */

void jtgi_unref_connection_locked(struct jtgi_connection *connection, struct jtgi_endings *endings);

/* No new batch goes out on it; what is in flight may still come home. */
void jtgi_retire_locked(struct jtgi_pipeline *pipeline, struct jtgi_connection *connection,
                        struct jtgi_endings *endings);

/* Take a batch out of the list of those in flight, and its connection from it. */
void jtgi_leave_flight_locked(struct jtgi_pipeline *pipeline, struct jtgi_batch *batch,
                              struct jtgi_endings *endings);

/* The connection is broken: retire it and end what flies on it. A batch that has a driver is
 * ended by that one, who may be in a system call with it. */
void jtgi_lose_locked(struct jtgi_pipeline *pipeline, struct jtgi_connection *connection,
                      const struct jtgi_fault *fault, struct jtgi_endings *endings);

#endif
