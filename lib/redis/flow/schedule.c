/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/flow/schedule.h"
#include "redis/flow/counts.h"

#include <jtiguard/status.h>

/* How many batches fly, by the crowd: the most callers that were there at once of late. Few callers
 * gain by going out at once, for a wake-up takes longer than a round trip; a middling crowd by
 * shorter waits; a large one by large batches, of which the server works on one while the other
 * travels. Measured: docs/decisions/0005-group-commit.md. */
enum {
    FEW_CALLERS = 8, /* up to so many: a batch goes out at once */
    FEW_FLIGHTS = 8,
    SOME_CALLERS = 31, /* up to so many: with a third of those in flight */
    SOME_FLIGHTS = 4,
    MANY_FLIGHTS = 2,
    CROWD_UNIT = 64, /* the crowd is kept in parts of a caller, and loses one in 64 a batch */
    SPARE_MAX = FEW_FLIGHTS + 2 /* batches kept for use again */
};
_Static_assert(JTGI_ENDINGS_MAX >= 2 * FEW_FLIGHTS + 4,
               "each batch in flight can leave a wake-up, and two roles and the open batch more");

void jtgi_schedule_lock(struct jtgi_pipeline *pipeline, struct jtgi_endings *endings)
{
    endings->wake_count = 0;
    endings->closed_count = 0;
    endings->lost = false;
    pthread_mutex_lock(&pipeline->lock);
}

/* A word may be gone when it is woken: the kernel looks at its address only, and a caller that
 * is woken for nothing looks again and sleeps on. */
void jtgi_schedule_unlock(struct jtgi_pipeline *pipeline, const struct jtgi_endings *endings)
{
    pthread_mutex_unlock(&pipeline->lock);
    for (unsigned i = 0; i < endings->wake_count; i++)
        jtgi_word_wake(endings->wakes[i].word, endings->wakes[i].count);
    for (unsigned i = 0; i < endings->closed_count; i++)
        jtgi_connection_free(endings->closed[i]);
    if (endings->lost && pipeline->hooks.lost != NULL)
        pipeline->hooks.lost(pipeline->hooks.context, &endings->why);
}

static void wake_locked(struct jtgi_endings *endings, jtgi_word *word, int count)
{
    endings->wakes[endings->wake_count].word = word;
    endings->wakes[endings->wake_count++].count = count;
}

void jtgi_schedule_count(const struct jtgi_pipeline *pipeline, size_t what)
{
    jtgi_counters_add(pipeline->hooks.counters, what);
}

/* ---- life of a batch ---- */

static void keep_spare_locked(struct jtgi_pipeline *pipeline, struct jtgi_batch *batch)
{
    if (pipeline->spare_count == SPARE_MAX) {
        jtgi_batch_free(batch);
        return;
    }
    batch->next = pipeline->spare;
    pipeline->spare = batch;
    pipeline->spare_count++;
}

static bool is_last_ref(struct jtgi_batch *batch)
{
    return atomic_fetch_sub_explicit(&batch->refs, 1, memory_order_acq_rel) == 1;
}

void jtgi_let_go(struct jtgi_pipeline *pipeline, struct jtgi_batch *batch)
{
    if (!is_last_ref(batch))
        return;
    jtgi_batch_reset(batch);
    struct jtgi_batch *none = NULL;
    if (atomic_compare_exchange_strong(&pipeline->at_hand, &none, batch))
        return;
    pthread_mutex_lock(&pipeline->lock);
    keep_spare_locked(pipeline, batch);
    pthread_mutex_unlock(&pipeline->lock);
}

void jtgi_let_go_locked(struct jtgi_pipeline *pipeline, struct jtgi_batch *batch)
{
    if (!is_last_ref(batch))
        return;
    jtgi_batch_reset(batch);
    keep_spare_locked(pipeline, batch);
}

static unsigned callers_in_flight_locked(const struct jtgi_pipeline *pipeline)
{
    unsigned callers = 0;
    for (const struct jtgi_batch *at = pipeline->flying; at != NULL; at = at->next)
        callers += at->waiting;
    return callers;
}

static void note_crowd_locked(struct jtgi_pipeline *pipeline)
{
    unsigned callers = callers_in_flight_locked(pipeline) + 1;
    if (pipeline->open != NULL)
        callers += pipeline->open->waiting;
    if (callers * CROWD_UNIT > pipeline->crowd)
        pipeline->crowd = callers * CROWD_UNIT;
}

struct jtgi_batch *jtgi_open_batch_locked(struct jtgi_pipeline *pipeline)
{
    note_crowd_locked(pipeline);
    if (pipeline->open != NULL)
        return pipeline->open;
    struct jtgi_batch *batch = atomic_exchange(&pipeline->at_hand, NULL);
    if (batch == NULL && pipeline->spare != NULL) {
        batch = pipeline->spare;
        pipeline->spare = batch->next;
        pipeline->spare_count--;
        batch->next = NULL;
    }
    pipeline->open = batch != NULL ? batch : jtgi_batch_new();
    return pipeline->open;
}

/* Fate and error are set. A driver that ends its own batch is awake already. */
void jtgi_end_batch_locked(struct jtgi_pipeline *pipeline, struct jtgi_batch *batch,
                           enum jtgi_fate fate, struct jtgi_endings *endings)
{
    unsigned asleep = batch->waiting - (batch->driven ? 1 : 0);
    pipeline->crowd -= pipeline->crowd / CROWD_UNIT;
    batch->fate = fate;
    batch->life = JTGI_LIFE_DONE;
    atomic_store_explicit(&batch->word, JTGI_BATCH_DONE, memory_order_release);
    if (asleep > 0)
        wake_locked(endings, &batch->word, INT_MAX);
    jtgi_let_go_locked(pipeline, batch);
}

void jtgi_want_driver_locked(struct jtgi_batch *batch, struct jtgi_endings *endings)
{
    atomic_store_explicit(&batch->word, JTGI_BATCH_DRIVER_WANTED, memory_order_release);
    wake_locked(endings, &batch->word, 1);
}

void jtgi_take_driver_role_locked(struct jtgi_pipeline *pipeline, struct jtgi_batch *batch)
{
    batch->driven = true;
    atomic_store_explicit(&batch->word, JTGI_BATCH_WAITING, memory_order_relaxed);
    if (batch->life == JTGI_LIFE_FILLING)
        pipeline->sending = true;
}

/* WAIT holds up all that comes behind it on the connection: what goes out meanwhile only grows old
 * there, where its callers cannot take it back. */
static bool waits_for_replicas(const struct jtgi_pipeline *pipeline)
{
    return pipeline->hooks.durability.replicas != 0 || pipeline->hooks.durability.fsync;
}

/* With nothing in flight a batch goes out at once. Another one waits until it is worth a round trip
 * of its own: else the callers of a batch that has just ended would go out one by one, and each
 * round trip would carry a few. */
bool jtgi_may_send_locked(const struct jtgi_pipeline *pipeline)
{
    if (pipeline->sending)
        return false;
    if (pipeline->flying == NULL)
        return true;
    if (waits_for_replicas(pipeline))
        return false;
    if (pipeline->crowd <= FEW_CALLERS * CROWD_UNIT)
        return pipeline->flying_count < FEW_FLIGHTS;
    if (pipeline->crowd <= SOME_CALLERS * CROWD_UNIT)
        return pipeline->flying_count < SOME_FLIGHTS &&
               pipeline->open->waiting * 3 >= callers_in_flight_locked(pipeline);
    return pipeline->flying_count < MANY_FLIGHTS &&
           pipeline->open->waiting >= pipeline->flying->waiting;
}

/* The first on its connection. One that was retired may still have batches in flight beside those
 * of the next, and ends none of them sooner. */
bool jtgi_is_turn_locked(const struct jtgi_pipeline *pipeline, const struct jtgi_batch *batch)
{
    const struct jtgi_batch *at = pipeline->flying;
    while (at != batch && at->connection != batch->connection)
        at = at->next;
    return at == batch;
}

void jtgi_call_next_locked(struct jtgi_pipeline *pipeline, struct jtgi_endings *endings)
{
    for (struct jtgi_batch *at = pipeline->flying; at != NULL; at = at->next)
        if (!at->driven && jtgi_is_turn_locked(pipeline, at))
            jtgi_want_driver_locked(at, endings);
    struct jtgi_batch *open = pipeline->open;
    if (open != NULL && open->waiting > 0 && !open->driven && jtgi_may_send_locked(pipeline))
        jtgi_want_driver_locked(open, endings);
}

/* ---- the connection ---- */

void jtgi_unref_connection_locked(struct jtgi_connection *connection, struct jtgi_endings *endings)
{
    if (--connection->use.refs == 0)
        endings->closed[endings->closed_count++] = connection;
}

void jtgi_retire_locked(struct jtgi_pipeline *pipeline, struct jtgi_connection *connection,
                        struct jtgi_endings *endings)
{
    if (pipeline->connection != connection)
        return;
    pipeline->connection = NULL;
    jtgi_schedule_count(pipeline, JTGI_COUNT_POISONED);
    jtgi_unref_connection_locked(connection, endings);
}

void jtgi_leave_flight_locked(struct jtgi_pipeline *pipeline, struct jtgi_batch *batch,
                              struct jtgi_endings *endings)
{
    struct jtgi_batch **at = &pipeline->flying;
    while (*at != batch)
        at = &(*at)->next;
    *at = batch->next;
    batch->next = NULL;
    pipeline->flying_count--;
    jtgi_unref_connection_locked(batch->connection, endings);
    batch->connection = NULL;
}

void jtgi_describe_unknown(struct jtgi_batch *batch, const struct jtgi_fault *fault)
{
    batch->ended = fault->ended;
    (void)jtg_error_set(&batch->error, JTG_ERR_TIMEOUT, fault->cause,
                        "redis: %s: whether it was done is unknown", fault->text);
}

void jtgi_lose_locked(struct jtgi_pipeline *pipeline, struct jtgi_connection *connection,
                      const struct jtgi_fault *fault, struct jtgi_endings *endings)
{
    if (pipeline->connection == connection) {
        endings->lost = true;
        endings->why = *fault;
    }
    jtgi_retire_locked(pipeline, connection, endings);
    for (struct jtgi_batch *at = pipeline->flying, *next = NULL; at != NULL; at = next) {
        next = at->next;
        if (at->connection != connection || at->driven)
            continue;
        jtgi_describe_unknown(at, fault);
        jtgi_leave_flight_locked(pipeline, at, endings);
        jtgi_end_batch_locked(pipeline, at, JTGI_FATE_UNKNOWN, endings);
    }
}
