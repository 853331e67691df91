/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/flow/flight.h"

#include "redis/flow/counts.h"
#include "redis/flow/schedule.h"
#include "redis/flow/usage.h"
#include "redis/line/deadline.h"

#include <jtiguard/status.h>

/* After this long its server may have lost its role without knowing: one that was frozen, and
 * thawed after another took over; and after SENTINEL FAILOVER the old primary goes on as one for
 * ten seconds and more. So a busy connection is asked about too: whoever stayed on it would admit
 * what others have used at the new primary. Less than the smallest margin of a guard, so that a
 * token which it admits there was issued too early for the new one. */
#define ROLE_NS (500 * JTGI_NS_PER_MS)

/* ---- a driver's work: send ---- */

static void fail_flight(struct jtgi_pipeline *pipeline, struct jtgi_batch *batch, bool was_sending,
                        enum jtgi_fate fate, const struct jtgi_fault *fault)
{
    struct jtgi_endings endings;
    jtgi_connection_break(batch->connection, fault->text);
    jtgi_schedule_lock(pipeline, &endings);
    if (was_sending)
        pipeline->sending = false;
    if (fate == JTGI_FATE_UNKNOWN)
        jtgi_describe_unknown(batch, fault);
    else
        (void)jtg_error_set(&batch->error, JTG_ERR_UNAVAILABLE, fault->cause, "redis: %s",
                            fault->text);
    jtgi_lose_locked(pipeline, batch->connection, fault, &endings);
    jtgi_leave_flight_locked(pipeline, batch, &endings);
    jtgi_end_batch_locked(pipeline, batch, fate, &endings);
    jtgi_call_next_locked(pipeline, &endings);
    jtgi_schedule_unlock(pipeline, &endings);
}

static void fail_open(struct jtgi_pipeline *pipeline, struct jtgi_batch *batch,
                      const jtg_error *error)
{
    struct jtgi_endings endings;
    jtgi_schedule_lock(pipeline, &endings);
    pipeline->sending = false;
    pipeline->open = NULL;
    batch->error = *error;
    jtgi_end_batch_locked(pipeline, batch, JTGI_FATE_NOT_SENT, &endings);
    jtgi_call_next_locked(pipeline, &endings);
    jtgi_schedule_unlock(pipeline, &endings);
}

static uint64_t gains_of(const struct jtgi_pipeline *pipeline)
{
    return pipeline->hooks.gains == NULL ? 0 : atomic_load(pipeline->hooks.gains);
}

/* Only the sender asks. */
static bool is_still_right(const struct jtgi_pipeline *pipeline, struct jtgi_connection *connection,
                           int64_t now_ns, int64_t deadline_ns)
{
    if (pipeline->hooks.still_right == NULL || now_ns - connection->use.named_ns < ROLE_NS)
        return true;
    if (pipeline->hooks.still_right(pipeline->hooks.context, connection, deadline_ns) != JTG_OK)
        return false;
    connection->use.named_ns = now_ns;
    return true;
}

static bool is_sound(const struct jtgi_pipeline *pipeline, const struct jtgi_connection *connection,
                     bool alone, int64_t now_ns)
{
    return jtgi_usage_is_sound(connection, alone, gains_of(pipeline), now_ns);
}

static bool is_usable(const struct jtgi_pipeline *pipeline, struct jtgi_connection *connection,
                      bool alone, int64_t deadline_ns)
{
    int64_t now_ns = jtgi_now_ns();
    if (!is_sound(pipeline, connection, alone, now_ns))
        return false;
    if (now_ns >= connection->residence.due_ns &&
        jtgi_residence_is_left(&connection->residence, now_ns, deadline_ns))
        return false;
    return is_still_right(pipeline, connection, now_ns, deadline_ns);
}

/* The one that was taken with the role, if it may be used; else NULL. Only the sender asks, and
 * only the sender makes a new one. */
static struct jtgi_connection *use_taken(struct jtgi_pipeline *pipeline, struct jtgi_batch *batch,
                                         int64_t deadline_ns)
{
    struct jtgi_endings endings;
    struct jtgi_connection *connection = batch->connection;
    batch->connection = NULL;
    if (connection == NULL || is_usable(pipeline, connection, batch->alone, deadline_ns))
        return connection;
    jtgi_schedule_lock(pipeline, &endings);
    jtgi_retire_locked(pipeline, connection, &endings);
    jtgi_unref_connection_locked(connection, &endings);
    jtgi_schedule_unlock(pipeline, &endings);
    return NULL;
}

/* Connecting to a server that is frozen takes as long as the freeze: by its end another may have
 * been named, and used. What waits to be sent may have been asked for since. */
static bool is_right_by_now(struct jtgi_pipeline *pipeline, struct jtgi_connection *connection,
                            int64_t deadline_ns, jtg_error *err)
{
    if (is_still_right(pipeline, connection, jtgi_now_ns(), deadline_ns))
        return true;
    jtgi_connection_free(connection);
    err->status = jtg_error_set(err, JTG_ERR_UNAVAILABLE, 0,
                                "redis: connecting took so long that the server had to be named "
                                "anew, and it was not");
    return false;
}

static struct jtgi_connection *connect_anew(struct jtgi_pipeline *pipeline, int64_t deadline_ns,
                                            jtg_error *err)
{
    struct jtgi_connection *connection = NULL;
    struct jtgi_endings endings;
    int64_t asked_ns = jtgi_now_ns();
    uint64_t gains = gains_of(pipeline);
    err->status = pipeline->hooks.connect(pipeline->hooks.context, deadline_ns, &connection, err);
    if (connection == NULL)
        return NULL;
    connection->use.named_ns = asked_ns;
    connection->use.used_ns = jtgi_now_ns();
    connection->use.gains = gains;
    if (!is_right_by_now(pipeline, connection, deadline_ns, err))
        return NULL;
    jtgi_schedule_lock(pipeline, &endings);
    pipeline->connection = connection;
    connection->use.refs++;
    jtgi_schedule_unlock(pipeline, &endings);
    return connection;
}

/* From here on the batch takes no more commands, and has the reference to its connection. */
static void take_off_locked(struct jtgi_pipeline *pipeline, struct jtgi_batch *batch,
                            struct jtgi_connection *connection, int64_t now_ns)
{
    struct jtgi_use *use = &connection->use;
    pipeline->open = NULL;
    jtgi_batch_finish(batch, pipeline->hooks.watch, &pipeline->hooks.durability, connection,
                      now_ns);
    batch->doubt_ns = jtgi_usage_doubt(batch, connection, pipeline->flying == NULL, now_ns);
    batch->connection = connection;
    batch->life = JTGI_LIFE_FLYING;
    struct jtgi_batch **last = &pipeline->flying;
    while (*last != NULL)
        last = &(*last)->next;
    *last = batch;
    pipeline->flying_count++;
    pipeline->requests += batch->commands;
    if (batch->commands > pipeline->max_batch)
        pipeline->max_batch = batch->commands;
    use->used_ns = now_ns;
    jtgi_schedule_count(pipeline, JTGI_COUNT_BATCHES);
}

/* Nobody has to be asked. The look at an idle one is a system call that never waits. */
static bool is_at_hand(const struct jtgi_pipeline *pipeline,
                       const struct jtgi_connection *connection, bool alone, int64_t now_ns)
{
    bool asks_role =
        pipeline->hooks.still_right != NULL && now_ns - connection->use.named_ns >= ROLE_NS;
    return !asks_role && now_ns < connection->residence.due_ns &&
           is_sound(pipeline, connection, alone, now_ns);
}

void jtgi_flight_board_locked(struct jtgi_pipeline *pipeline, struct jtgi_batch *batch)
{
    int64_t now_ns = jtgi_now_ns();
    struct jtgi_connection *connection = pipeline->connection;
    if (connection == NULL)
        return;
    connection->use.refs++;
    batch->connection = connection;
    batch->alone = pipeline->flying_count == 0;
    if (is_at_hand(pipeline, connection, batch->alone, now_ns))
        take_off_locked(pipeline, batch, connection, now_ns);
}

static bool take_off(struct jtgi_pipeline *pipeline, struct jtgi_batch *batch, int64_t deadline_ns)
{
    jtg_error err = JTG_ERROR_INIT;
    struct jtgi_endings endings;
    struct jtgi_connection *connection = use_taken(pipeline, batch, deadline_ns);
    if (connection == NULL)
        connection = connect_anew(pipeline, deadline_ns, &err);
    if (connection == NULL) {
        fail_open(pipeline, batch, &err);
        return false;
    }
    int64_t now_ns = jtgi_now_ns();
    jtgi_schedule_lock(pipeline, &endings);
    take_off_locked(pipeline, batch, connection, now_ns);
    jtgi_schedule_unlock(pipeline, &endings);
    return true;
}

/* The next one may send. Is it this one's turn to receive? If not, whoever ends the batch before it
 * calls a driver again. */
static bool stop_sending(struct jtgi_pipeline *pipeline, struct jtgi_batch *batch)
{
    struct jtgi_endings endings;
    jtgi_schedule_lock(pipeline, &endings);
    pipeline->sending = false;
    batch->driven = jtgi_is_turn_locked(pipeline, batch);
    bool turn = batch->driven;
    jtgi_call_next_locked(pipeline, &endings);
    jtgi_schedule_unlock(pipeline, &endings);
    return turn;
}

bool jtgi_flight_launch(struct jtgi_pipeline *pipeline, struct jtgi_batch *batch,
                        int64_t deadline_ns)
{
    struct jtgi_fault fault;
    size_t sent = 0;
    if (batch->life == JTGI_LIFE_FILLING && !take_off(pipeline, batch, deadline_ns))
        return false;
    if (jtgi_connection_send(batch->connection, batch->bytes, batch->len, &sent, deadline_ns,
                             &fault))
        return stop_sending(pipeline, batch);
    fail_flight(pipeline, batch, true, sent == 0 ? JTGI_FATE_NOT_SENT : JTGI_FATE_UNKNOWN, &fault);
    return false;
}

/* ---- a driver's work: receive ---- */

static bool flies_alone_locked(const struct jtgi_pipeline *pipeline,
                               const struct jtgi_connection *connection)
{
    const struct jtgi_batch *at = pipeline->flying;
    while (at != NULL && at->connection != connection)
        at = at->next;
    return at == NULL;
}

/* The seal came back, so the replies are ours. Bytes that nobody asked for condemn only what
 * would come after them. */
static void end_flight(struct jtgi_pipeline *pipeline, struct jtgi_batch *batch)
{
    struct jtgi_endings endings;
    jtgi_batch_judge(batch, pipeline->hooks.watch, batch->connection);
    jtgi_schedule_lock(pipeline, &endings);
    struct jtgi_connection *connection = batch->connection;
    connection->use.refs++;
    jtgi_leave_flight_locked(pipeline, batch, &endings);
    if (batch->unhealthy ||
        (flies_alone_locked(pipeline, connection) && !jtgi_connection_is_empty(connection)))
        jtgi_retire_locked(pipeline, connection, &endings);
    jtgi_unref_connection_locked(connection, &endings);
    jtgi_call_next_locked(pipeline, &endings);
    jtgi_end_batch_locked(pipeline, batch, JTGI_FATE_ANSWERED, &endings);
    jtgi_schedule_unlock(pipeline, &endings);
}

/* The driver's time is up. True if another caller goes on with the batch. */
static bool hand_over(struct jtgi_pipeline *pipeline, struct jtgi_batch *batch)
{
    struct jtgi_endings endings;
    jtgi_schedule_lock(pipeline, &endings);
    bool others = batch->waiting > 1;
    if (others) {
        batch->driven = false;
        jtgi_want_driver_locked(batch, &endings);
    }
    jtgi_schedule_unlock(pipeline, &endings);
    return others;
}

/* Nothing came on a line that was in doubt: is it given up? Not when something else flies on it
 * that must not be asked twice: it keeps all of its time. */
static bool is_silent(struct jtgi_pipeline *pipeline, const struct jtgi_batch *batch)
{
    struct jtgi_endings endings;
    const struct jtgi_connection *connection = batch->connection;
    bool silent = jtgi_usage_is_silent(batch, connection);
    jtgi_schedule_lock(pipeline, &endings);
    for (const struct jtgi_batch *at = pipeline->flying; at != NULL; at = at->next)
        silent = silent && (at->connection != connection || at->repeatable);
    jtgi_schedule_unlock(pipeline, &endings);
    return silent;
}

/* On a line in doubt no longer than that allows. */
static bool receive(struct jtgi_pipeline *pipeline, struct jtgi_batch *batch, int64_t deadline_ns,
                    struct jtgi_fault *fault)
{
    const struct jtgi_durability *durability = &pipeline->hooks.durability;
    if (batch->doubt_ns != 0 && batch->doubt_ns < deadline_ns) {
        if (jtgi_batch_receive(batch, durability, batch->connection, batch->doubt_ns, fault))
            return true;
        if (fault->io != JTGI_IO_TIMEOUT)
            return false;
        if (is_silent(pipeline, batch)) {
            fault->io = JTGI_IO_FAILED;
            fault->text = "nothing came on a connection that had been idle";
            return false;
        }
        batch->doubt_ns = 0;
    }
    return jtgi_batch_receive(batch, durability, batch->connection, deadline_ns, fault);
}

void jtgi_flight_land(struct jtgi_pipeline *pipeline, struct jtgi_batch *batch, int64_t deadline_ns)
{
    struct jtgi_fault fault;
    if (receive(pipeline, batch, deadline_ns, &fault))
        end_flight(pipeline, batch);
    else if (fault.io != JTGI_IO_TIMEOUT || !hand_over(pipeline, batch))
        fail_flight(pipeline, batch, false, JTGI_FATE_UNKNOWN, &fault);
}
