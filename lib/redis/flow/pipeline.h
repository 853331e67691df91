/* SPDX-License-Identifier: Apache-2.0 */
/* Group commit: any number of threads share one connection.
 *
 * Callers put their commands into the open batch. One of them drives it: sends it, and later
 * receives its replies. While a batch is on its way the next one fills; several can be in flight.
 * There is no thread of its own: whoever leaves a role hands it to a caller who waits.
 *
 *      open ──(driver connects if need be, seals, sends)──> in flight ──(turn, receive)──> done
 *
 * Roles. One thread at a time connects or sends (`sending`); one at a time receives: the driver
 * of the oldest batch in flight on a connection. A driver whose own deadline passes hands its batch
 * to another of its callers, and breaks the connection when there is none.
 *
 * Lock. `lock` guards the lists and every batch's roles; it is held for short copies and never
 * across a wait. Waiters sleep on the word of their batch, so that one system call wakes
 * all of them. */
#ifndef JTGI_REDIS_PIPELINE_H
#define JTGI_REDIS_PIPELINE_H

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

void jtgi_pipeline_init(struct jtgi_pipeline *pipeline, const struct jtgi_pipeline_hooks *hooks);

/* No call may be under way. Neither locks nor talks. */
void jtgi_pipeline_clear(struct jtgi_pipeline *pipeline);

/* The same in a child of fork(). What threads of the parent may have been changing at that moment
 * is left as it is, but for its descriptor. */
void jtgi_pipeline_clear_in_child(struct jtgi_pipeline *pipeline);

/* Send one command and wait for its reply, until the deadline at most.
 *
 * ANSWERED: *answer says what came. Else err says why, with the status that fits:
 * JTG_ERR_TIMEOUT for UNKNOWN, the cause for NOT_SENT. */
enum jtgi_fate jtgi_pipeline_call(struct jtgi_pipeline *pipeline,
                                  const struct jtgi_question *question, int64_t deadline_ns,
                                  struct jtgi_answer *answer, jtg_error *err);

/* Let go of the connection, if there is one: its next user connects anew. */
void jtgi_pipeline_retire(struct jtgi_pipeline *pipeline);

#endif
