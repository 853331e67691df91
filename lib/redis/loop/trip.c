/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/loop/trip.h"

#include "redis/flow/counts.h"
#include "redis/line/deadline.h"

#include <jtiguard/status.h>
#include <string.h>

void jtgi_trip_begin(struct jtgi_trip *trip, struct jtgi_redis *redis, struct jtgi_loop_call *call,
                     bool *line_is_odd)
{
    memset(trip, 0, sizeof *trip);
    jtgi_chain_init(&trip->by_age);
    jtgi_chain_init(&trip->place);
    trip->call = call;
    call->under_way = trip;
    jtgi_attempt_init(&trip->attempt, redis, &call->key, call->owner, call->ttl_ms, &call->err);
    trip->attempt.request.line_is_odd = line_is_odd;
    if (call->kept_since_ms != JTG_KEPT_ANY)
        jtgi_attempt_need_kept(&trip->attempt, call->kept_since_ms);
    if (call->gives_back)
        jtgi_attempt_give_back(&trip->attempt);
    else
        jtgi_attempt_hold(&trip->attempt);
}

/* The words of its step are the same in each round of it. */
static void put_words(struct jtgi_trip *trip, struct jtgi_command *command)
{
    jtgi_command_clear(command);
    jtgi_attempt_put(&trip->attempt, command);
    trip->errand.bytes = command->failed ? NULL : command->bytes;
    trip->errand.len = command->len;
}

struct jtgi_exchange *jtgi_trip_ask(struct jtgi_trip *trip, struct jtgi_command *command)
{
    struct jtgi_errand *errand = &trip->errand;
    put_words(trip, command);
    errand->request = &trip->attempt.request;
    if (!trip->is_out)
        jtgi_errand_set_out(errand);
    trip->is_out = true;
    return jtgi_errand_find_way(errand) ? jtgi_errand_put(errand) : NULL;
}

void jtgi_trip_hear(struct jtgi_trip *trip, enum jtgi_fate fate, const jtg_error *why)
{
    jtgi_errand_take(&trip->errand, fate, why);
    if (fate == JTGI_FATE_UNKNOWN)
        jtgi_counters_add(trip->attempt.request.route->shared->counters, JTGI_COUNT_UNKNOWN);
}

static enum jtgi_trip_next next_of(const struct jtgi_trip *trip)
{
    if (trip->attempt.step == JTGI_STEP_DONE)
        return JTGI_TRIP_ENDS;
    return trip->attempt.step == JTGI_STEP_MARK ? JTGI_TRIP_MARKS : JTGI_TRIP_ASKS;
}

static void end_question(struct jtgi_trip *trip)
{
    redisReply *reply = trip->errand.reply;
    trip->is_out = false;
    trip->not_before_ns = 0;
    jtgi_attempt_hear(&trip->attempt, trip->errand.fate, reply);
    if (reply != NULL)
        freeReplyObject(reply);
    trip->errand.reply = NULL;
}

enum jtgi_trip_next jtgi_trip_go_on(struct jtgi_trip *trip, int64_t now_ns)
{
    struct jtgi_errand *errand = &trip->errand;
    bool pauses = errand->journey.under_way && jtgi_errand_look_onward(errand);
    if (jtgi_errand_end_round(errand)) {
        trip->not_before_ns = pauses ? now_ns + JTGI_REQUEST_PAUSE_NS : 0;
        return JTGI_TRIP_ASKS;
    }
    end_question(trip);
    return next_of(trip);
}

enum jtgi_trip_next jtgi_trip_marked(struct jtgi_trip *trip, jtg_status status,
                                     const jtg_error *why)
{
    if (status != JTG_OK)
        (void)jtg_error_set(&trip->call->err, status, why->system_errno, "%s", why->text);
    jtgi_attempt_marked(&trip->attempt, status);
    return next_of(trip);
}

/* Without time left no step has another behind it. */
void jtgi_trip_give_up(struct jtgi_trip *trip, enum jtgi_fate fate, const char *text)
{
    jtg_error why = JTG_ERROR_INIT;
    bool unknown = fate == JTGI_FATE_UNKNOWN;
    trip->attempt.request.deadline_ns = 0;
    why.status =
        jtg_error_set(&why, unknown ? JTG_ERR_TIMEOUT : JTG_ERR_UNAVAILABLE, 0, "redis: %s%s", text,
                      unknown ? ": whether it was done is unknown" : "");
    if (trip->attempt.step == JTGI_STEP_MARK) {
        (void)jtgi_trip_marked(trip, JTG_ERR_UNAVAILABLE, &why);
        return;
    }
    trip->errand.request = &trip->attempt.request;
    trip->attempt.request.answer.over = !unknown;
    jtgi_trip_hear(trip, fate, &why);
    trip->errand.journey.onward = JTGI_ONWARD_STOP;
    (void)jtgi_errand_end_round(&trip->errand);
    end_question(trip);
}

void jtgi_trip_end(struct jtgi_trip *trip)
{
    struct jtgi_loop_call *call = trip->call;
    call->status = jtgi_attempt_outcome(&trip->attempt);
    if (call->status == JTG_OK)
        call->err.text[0] = '\0';
    call->under_way = NULL;
}
