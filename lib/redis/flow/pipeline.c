/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/flow/pipeline.h"

#include "core/brief_lock.h"
#include "redis/flow/counts.h"
#include "redis/flow/flight.h"
#include "redis/flow/schedule.h"
#include "redis/line/deadline.h"

#include <jtiguard/status.h>
#include <string.h>
#include <unistd.h>

/* ---- a caller ---- */

enum role {
    ROLE_NONE,
    ROLE_SENDER, /* connects or sends, and then receives if its turn has come */
    ROLE_RECEIVER
};

struct call {
    struct jtgi_exchange *first;
    struct jtgi_batch *batch; /* that it is in; NULL: none yet, or no more */
    enum role role;
    enum jtgi_fate fate; /* once it has left its batch */
};

static enum role send_locked(struct jtgi_pipeline *pipeline, struct jtgi_batch *batch)
{
    jtgi_take_driver_role_locked(pipeline, batch);
    jtgi_flight_board_locked(pipeline, batch);
    return ROLE_SENDER;
}

static jtg_status join(struct jtgi_pipeline *pipeline, struct call *call, int64_t deadline_ns,
                       bool queue_behind_connect)
{
    struct jtgi_endings endings;
    jtg_status status = JTG_ERR_MEMORY;
    jtgi_schedule_lock(pipeline, &endings);
    if (pipeline->connection == NULL && pipeline->sending && !queue_behind_connect) {
        jtgi_schedule_unlock(pipeline, &endings);
        return JTG_ERR_UNAVAILABLE;
    }
    struct jtgi_batch *batch = jtgi_open_batch_locked(pipeline);
    if (batch != NULL && jtgi_batch_add(batch, call->first)) {
        status = JTG_OK;
        call->batch = batch;
        batch->waiting++;
        if (deadline_ns < batch->earliest_ns)
            batch->earliest_ns = deadline_ns;
        atomic_fetch_add_explicit(&batch->refs, 1, memory_order_relaxed);
        if (!batch->driven && jtgi_may_send_locked(pipeline))
            call->role = send_locked(pipeline, batch);
    }
    jtgi_schedule_unlock(pipeline, &endings);
    return status;
}

/* While one caller tries a store that is known to be down, the others do not queue behind it.
 * The owner is asked outside the lock, and only then. */
static jtg_status join_unless_down(struct jtgi_pipeline *pipeline, struct call *call,
                                   int64_t deadline_ns, jtg_error *err)
{
    jtg_status status = join(pipeline, call, deadline_ns, false);
    if (status != JTG_ERR_UNAVAILABLE)
        return status;
    status = pipeline->hooks.known_down(pipeline->hooks.context, err);
    return status == JTG_OK ? join(pipeline, call, deadline_ns, true) : status;
}

/* A driver is wanted: is the role free? If not, whoever is in the way calls again when he leaves.
 */
static enum role claim(struct jtgi_pipeline *pipeline, struct jtgi_batch *batch)
{
    struct jtgi_endings endings;
    enum role role = ROLE_NONE;
    jtgi_schedule_lock(pipeline, &endings);
    bool wanted =
        atomic_load_explicit(&batch->word, memory_order_relaxed) == JTGI_BATCH_DRIVER_WANTED;
    bool flies = batch->life == JTGI_LIFE_FLYING;
    if (wanted && flies && jtgi_is_turn_locked(pipeline, batch)) {
        jtgi_take_driver_role_locked(pipeline, batch);
        role = ROLE_RECEIVER;
    } else if (wanted && !flies && jtgi_may_send_locked(pipeline)) {
        role = send_locked(pipeline, batch);
    } else if (wanted) {
        atomic_store_explicit(&batch->word, JTGI_BATCH_WAITING, memory_order_relaxed);
    }
    jtgi_schedule_unlock(pipeline, &endings);
    return role;
}

static void set_over(const struct call *call, bool over)
{
    for (const struct jtgi_exchange *at = call->first; at != NULL; at = at->next)
        at->answer->over = over;
}

static enum jtgi_fate collect(struct jtgi_pipeline *pipeline, const struct call *call,
                              jtg_error *err)
{
    struct jtgi_batch *batch = call->batch;
    enum jtgi_fate fate = batch->fate;
    if (fate == JTGI_FATE_ANSWERED) {
        jtgi_batch_take(batch, call->first);
    } else {
        set_over(call, fate == JTGI_FATE_NOT_SENT || batch->ended);
        (void)jtg_error_set(err, batch->error.status, batch->error.system_errno, "%s",
                            batch->error.text);
        err->status = batch->error.status;
    }
    jtgi_let_go(pipeline, batch);
    return fate;
}

static size_t count_of(const struct call *call)
{
    size_t count = 0;
    for (const struct jtgi_exchange *at = call->first; at != NULL; at = at->next)
        count++;
    return count;
}

/* Its time is up before it was sent: its commands are taken out again, so they certainly are not
 * done later. */
static void leave_open_locked(struct jtgi_pipeline *pipeline, const struct call *call,
                              struct jtgi_endings *endings)
{
    struct jtgi_batch *batch = call->batch;
    jtgi_batch_remove(batch, call->first->place, count_of(call));
    if (batch->waiting == 0) {
        pipeline->open = NULL;
        jtgi_let_go_locked(pipeline, batch);
    } else if (atomic_load_explicit(&batch->word, memory_order_relaxed) ==
               JTGI_BATCH_DRIVER_WANTED) {
        jtgi_want_driver_locked(batch, endings);
    }
}

static void break_orphaned(struct jtgi_pipeline *pipeline, struct jtgi_connection *connection)
{
    static const struct jtgi_fault fault = {JTGI_IO_TIMEOUT, 0, "the server did not answer in time",
                                            false};
    struct jtgi_endings endings;
    jtgi_connection_break(connection, fault.text);
    jtgi_schedule_lock(pipeline, &endings);
    jtgi_lose_locked(pipeline, connection, &fault, &endings);
    jtgi_unref_connection_locked(connection, &endings);
    jtgi_call_next_locked(pipeline, &endings);
    jtgi_schedule_unlock(pipeline, &endings);
}

/* Leave a batch in flight. The last one to leave breaks the connection: nobody would take the
 * replies, and the next batch's would come behind them. */
static struct jtgi_connection *leave_flying_locked(struct jtgi_batch *batch,
                                                   struct jtgi_endings *endings)
{
    if (batch->waiting == 0 && !batch->driven) {
        batch->connection->use.refs++;
        return batch->connection;
    }
    if (atomic_load_explicit(&batch->word, memory_order_relaxed) == JTGI_BATCH_DRIVER_WANTED)
        jtgi_want_driver_locked(batch, endings);
    return NULL;
}

/* The deadline has passed. False if the batch has ended meanwhile after all. */
static bool give_up(struct jtgi_pipeline *pipeline, const struct call *call, enum jtgi_fate *fate)
{
    struct jtgi_endings endings;
    struct jtgi_connection *orphaned = NULL;
    struct jtgi_batch *batch = call->batch;
    jtgi_schedule_lock(pipeline, &endings);
    bool done = batch->life == JTGI_LIFE_DONE;
    bool flies = batch->life == JTGI_LIFE_FLYING;
    if (!done) {
        batch->waiting--;
        *fate = flies ? JTGI_FATE_UNKNOWN : JTGI_FATE_NOT_SENT;
        if (flies)
            orphaned = leave_flying_locked(batch, &endings);
        else
            leave_open_locked(pipeline, call, &endings);
    }
    jtgi_schedule_unlock(pipeline, &endings);
    if (orphaned != NULL)
        break_orphaned(pipeline, orphaned);
    if (!done)
        jtgi_let_go(pipeline, batch);
    return !done;
}

static void describe_expiry(struct jtgi_pipeline *pipeline, enum jtgi_fate fate, jtg_error *err)
{
    jtgi_schedule_count(pipeline, JTGI_COUNT_EXPIRED);
    bool unknown = fate == JTGI_FATE_UNKNOWN;
    err->status = unknown ? JTG_ERR_TIMEOUT : JTG_ERR_UNAVAILABLE;
    (void)jtg_error_set(err, err->status, 0,
                        unknown ? "redis: no answer in time: whether it was done is unknown"
                                : "redis: no time was left to send it");
}

/* One step of a caller's wait, without a role or with one that is free. At its end it has left the
 * batch. */
static void wait_on(struct jtgi_pipeline *pipeline, struct call *call, int64_t deadline_ns,
                    jtg_error *err)
{
    struct jtgi_batch *batch = call->batch;
    uint32_t word = atomic_load_explicit(&batch->word, memory_order_acquire);
    call->role = ROLE_NONE;
    if (word == JTGI_BATCH_DONE) {
        call->fate = collect(pipeline, call, err);
        call->batch = NULL;
    } else if (jtgi_now_ns() >= deadline_ns) {
        if (!give_up(pipeline, call, &call->fate))
            return;
        describe_expiry(pipeline, call->fate, err);
        call->batch = NULL;
    } else if (word == JTGI_BATCH_DRIVER_WANTED) {
        call->role = claim(pipeline, batch);
    } else {
        jtgi_word_wait(&batch->word, JTGI_BATCH_WAITING, deadline_ns);
    }
}

/* A thread that is cancelled in a role would take it along, and the others would wait for it
 * for ever: it is cancelled when it is back. */
enum jtgi_fate jtgi_pipeline_call(struct jtgi_pipeline *pipeline, struct jtgi_exchange *first,
                                  int64_t deadline_ns, jtg_error *err)
{
    struct call call = {.first = first, .role = ROLE_NONE, .fate = JTGI_FATE_NOT_SENT};
    int before = PTHREAD_CANCEL_ENABLE;
    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
    set_over(&call, false);
    jtg_status status = join_unless_down(pipeline, &call, deadline_ns, err);
    if (status != JTG_OK)
        err->status = jtg_error_set(err, status, 0, "redis: no memory for a command");
    while (call.batch != NULL) {
        bool turn = call.role == ROLE_RECEIVER;
        if (call.role == ROLE_SENDER)
            turn = jtgi_flight_launch(pipeline, call.batch, deadline_ns);
        if (turn)
            jtgi_flight_land(pipeline, call.batch, deadline_ns);
        wait_on(pipeline, &call, deadline_ns, err);
    }
    if (call.fate == JTGI_FATE_UNKNOWN)
        jtgi_schedule_count(pipeline, JTGI_COUNT_UNKNOWN);
    (void)pthread_setcancelstate(before, &before);
    return call.fate;
}

/* ---- life ---- */

void jtgi_pipeline_retire(struct jtgi_pipeline *pipeline)
{
    struct jtgi_endings endings;
    jtgi_schedule_lock(pipeline, &endings);
    if (pipeline->connection != NULL)
        jtgi_retire_locked(pipeline, pipeline->connection, &endings);
    jtgi_schedule_unlock(pipeline, &endings);
}

void jtgi_pipeline_init(struct jtgi_pipeline *pipeline, const struct jtgi_pipeline_hooks *hooks)
{
    memset(pipeline, 0, sizeof *pipeline);
    jtgi_brief_lock_init(&pipeline->lock);
    pipeline->hooks = *hooks;
}

void jtgi_pipeline_clear(struct jtgi_pipeline *pipeline)
{
    jtgi_batch_free(atomic_exchange(&pipeline->at_hand, NULL));
    while (pipeline->spare != NULL) {
        struct jtgi_batch *next = pipeline->spare->next;
        jtgi_batch_free(pipeline->spare);
        pipeline->spare = next;
    }
    jtgi_batch_free(pipeline->open);
    jtgi_connection_free(pipeline->connection);
    pipeline->open = NULL;
    pipeline->connection = NULL;
}

/* Was a call under way when the process forked? One that holds neither the lock nor a batch has
 * not begun or is as good as over. The lock is a copy, and nobody else has it. */
static bool is_in_use(struct jtgi_pipeline *pipeline)
{
    if (pthread_mutex_trylock(&pipeline->lock) != 0)
        return true;
    bool in_use = pipeline->sending || pipeline->flying != NULL || pipeline->open != NULL;
    pthread_mutex_unlock(&pipeline->lock);
    return in_use;
}

/* A connection can be parsing or ciphering, and a batch growing: to free them then is to free what
 * is no longer theirs. */
void jtgi_pipeline_clear_in_child(struct jtgi_pipeline *pipeline)
{
    if (!is_in_use(pipeline))
        jtgi_pipeline_clear(pipeline);
    else if (pipeline->connection != NULL)
        (void)close(pipeline->connection->transport.fd);
}
