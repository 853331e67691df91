/* SPDX-License-Identifier: Apache-2.0 */
/* A flight is judged by its times, recorded by one reserve under a fresh owner, and judged again by
 * the time of the answer: a thread can be stopped, and a store can be slow, for long enough that
 * the record of an earlier use ends between the two. */
#include "tokens/flight/flight.h"
#include "tokens/flight/flight_key.h"
#include "tokens/flight/flight_reason.h"
#include "tokens/flight/freshness.h"

#include "core/alloc.h"
#include "core/error.h"
#include "core/object.h"
#include "core/options.h"

#include <jtiguard/status.h>
#include <string.h>

#define DECISION_OLDEST_SIZE sizeof(jtg_flight_decision)

struct jtg_anti_replay {
    struct jtgi_object base;
    jtg_cache *cache;                /* borrowed */
    jtg_anti_replay_options options; /* its zone is the array below */
    struct jtgi_wall_clock wall_clock;
    bool watches; /* the store itself says what it may have forgotten */
    char zone[JTG_ANTI_REPLAY_ZONE_MAX_BYTES + 1];
};

/* ---- life ---- */

static jtg_status take_options(jtg_anti_replay *anti_replay, const jtg_anti_replay_options *given,
                               jtg_error *err)
{
    jtg_anti_replay_options *options = &anti_replay->options;
    jtg_status status = jtgi_anti_replay_options_read(options, given, err);
    if (status == JTG_OK)
        status = jtgi_object_begin(&anti_replay->base, options->clock, options->logger,
                                   JTG_FLIGHT_REASON_COUNT, err);
    if (status != JTG_OK)
        return status;
    memcpy(anti_replay->zone, options->zone, strlen(options->zone));
    options->zone = anti_replay->zone;
    options->clock = &anti_replay->base.clock;
    options->logger = &anti_replay->base.logger;
    return JTG_OK;
}

static jtg_status set_up(jtg_anti_replay *anti_replay, const jtg_anti_replay_options *given,
                         jtg_error *err)
{
    jtg_status status = take_options(anti_replay, given, err);
    if (status != JTG_OK)
        return status;
    anti_replay->watches = jtg_cache_watches(anti_replay->cache) != 0;
    const struct jtgi_wall_clock_of of = {
        &anti_replay->base.clock,       &anti_replay->base.logger, "flights",
        anti_replay->options.margin_ms, anti_replay->cache,        JTG_BORROWER_ANTI_REPLAY};
    return jtgi_wall_clock_init(&anti_replay->wall_clock, &of, err);
}

jtg_status jtg_anti_replay_new(jtg_anti_replay **anti_replay, jtg_cache *cache,
                               const jtg_anti_replay_options *options, jtg_error *err)
{
    jtgi_error_begin(err);
    if (anti_replay == NULL)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "no place for the object");
    *anti_replay = NULL;
    if (cache == NULL)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "cache is NULL");
    jtg_anti_replay *made = jtgi_alloc(sizeof *made);
    if (made == NULL)
        return jtg_error_set(err, JTG_ERR_MEMORY, 0, "no memory for the object");
    made->cache = cache;
    jtg_status status = set_up(made, options, err);
    if (status != JTG_OK) {
        jtgi_object_end(&made->base);
        jtgi_free(made);
        return status;
    }
    *anti_replay = made;
    return JTG_OK;
}

void jtg_anti_replay_free(jtg_anti_replay *anti_replay)
{
    if (anti_replay == NULL)
        return;
    jtgi_wall_clock_clear(&anti_replay->wall_clock);
    jtgi_object_end(&anti_replay->base);
    jtgi_free(anti_replay);
}

jtg_anti_replay_mode jtg_anti_replay_mode_get(const jtg_anti_replay *anti_replay)
{
    return anti_replay == NULL ? JTG_ANTI_REPLAY_SINGLE_USE : anti_replay->options.mode;
}

/* ---- deciding ---- */

/* By the times alone: JTG_FLIGHT_FIRST unless the flight is to be refused whatever the store knows.
 * ttl_ms: how long it is to be remembered then. */
static jtg_flight_reason judge(jtg_anti_replay *anti_replay, const jtg_flight *flight,
                               struct jtgi_reading *now, struct jtgi_span *span, uint64_t *ttl_ms,
                               jtg_error *err)
{
    jtg_status status = jtgi_wall_clock_now(&anti_replay->wall_clock, now, err);
    if (status != JTG_OK)
        return jtgi_flight_reason_from_status(status);
    jtg_flight_reason reason =
        jtgi_freshness_judge(&anti_replay->options, flight, now->wall_ms, span, ttl_ms);
    if (reason != JTG_FLIGHT_FIRST)
        return reason;
    if (!anti_replay->watches && anti_replay->options.start_rule != 0 &&
        jtgi_wall_clock_may_predate(&anti_replay->wall_clock, span))
        return JTG_FLIGHT_BEFORE_START;
    return jtgi_wall_clock_may_have_lost(&anti_replay->wall_clock, span, now, now->monotonic_ms)
               ? JTG_FLIGHT_CLOCK_SET_BACK
               : JTG_FLIGHT_FIRST;
}

/* A flight that was accepted under a clock that was ahead was so earlier than its times say, by as
 * much; and a loss is dated by clocks that are right. */
static jtg_status record(const jtg_anti_replay *anti_replay, const unsigned char *key,
                         const struct jtgi_span *span, const struct jtgi_reading *now,
                         uint64_t ttl_ms, jtg_error *err)
{
    jtg_owner owner;
    size_t zone_len = strlen(anti_replay->zone);
    jtg_key stored = {key, JTGI_FLIGHT_KEY_BYTES, zone_len != 0 ? anti_replay->zone : NULL,
                      zone_len};
    jtg_owner_generate(&owner);
    if (anti_replay->watches)
        return jtg_cache_reserve_kept(
            anti_replay->cache, &stored, &owner, ttl_ms,
            span->earliest_ms - jtgi_wall_clock_ahead(&anti_replay->wall_clock, span, now), err);
    return jtg_cache_reserve(anti_replay->cache, &stored, &owner, ttl_ms, err);
}

/* The store has answered, and had no record: judged once more, by the time of the answer, for it
 * may have waited until the record of an earlier use had ended. */
static jtg_flight_reason settle(jtg_anti_replay *anti_replay, const jtg_flight *flight,
                                const struct jtgi_reading *asked, jtg_error *err)
{
    struct jtgi_reading now = {0};
    struct jtgi_span span = {0};
    uint64_t ttl_ms = 0;
    jtg_flight_reason reason = judge(anti_replay, flight, &now, &span, &ttl_ms, err);
    if (reason != JTG_FLIGHT_FIRST ||
        !jtgi_wall_clock_is_late(&anti_replay->wall_clock, asked, now.monotonic_ms))
        return reason;
    (void)jtg_error_set(err, JTG_ERR_TIMEOUT, 0, "the answer came too late to be relied on");
    return JTG_FLIGHT_OUTCOME_UNKNOWN;
}

static jtg_status check_process(const jtg_anti_replay *anti_replay, jtg_error *err)
{
    return jtgi_object_check(&anti_replay->base, "the object was", err);
}

static jtg_flight_reason decide(jtg_anti_replay *anti_replay, const jtg_flight *given,
                                jtg_flight_decision *decision, jtg_error *err)
{
    jtg_flight flight;
    unsigned char key[JTGI_FLIGHT_KEY_BYTES];
    struct jtgi_reading now = {0};
    struct jtgi_span span = {0};
    if (check_process(anti_replay, err) != JTG_OK)
        return JTG_FLIGHT_FORKED;
    if (jtgi_flight_read(&flight, given, &anti_replay->options, err) != JTG_OK ||
        jtgi_flight_key_make(key, anti_replay->zone, anti_replay->options.mode, &flight, err) !=
            JTG_OK)
        return JTG_FLIGHT_BAD_ARGUMENT;

    uint64_t ttl_ms = 0;
    jtg_flight_reason reason = judge(anti_replay, &flight, &now, &span, &ttl_ms, err);
    if (reason != JTG_FLIGHT_FIRST)
        return reason;
    decision->ttl_ms = ttl_ms;
    reason = jtgi_flight_reason_from_status(record(anti_replay, key, &span, &now, ttl_ms, err));
    return reason == JTG_FLIGHT_FIRST ? settle(anti_replay, &flight, &now, err) : reason;
}

bool jtg_anti_replay_accept(jtg_anti_replay *anti_replay, const jtg_flight *flight,
                            jtg_flight_decision *decision, jtg_error *err)
{
    jtg_flight_decision made = JTG_FLIGHT_DECISION_INIT;
    bool decision_ok =
        decision == NULL || jtgi_struct_size_ok(decision->struct_size, DECISION_OLDEST_SIZE);
    jtgi_error_begin(err);
    if (anti_replay == NULL || flight == NULL || !decision_ok) {
        (void)jtg_error_set(err, JTG_ERR_ARGUMENT, 0,
                            decision_ok ? "anti_replay or flight is NULL"
                                        : "decision: struct_size is not set");
        made.reason = JTG_FLIGHT_BAD_ARGUMENT;
    } else {
        made.reason = decide(anti_replay, flight, &made, err);
    }
    made.seen = jtg_flight_reason_seen(made.reason);
    if (decision != NULL && decision_ok)
        jtgi_struct_give(decision, &made, sizeof made);
    if (anti_replay != NULL)
        jtgi_counters_add(anti_replay->base.counters, (size_t)made.reason);
    return made.reason == JTG_FLIGHT_FIRST;
}

/* ---- the rest ---- */

jtg_status jtg_anti_replay_prune(jtg_anti_replay *anti_replay, uint64_t *removed, jtg_error *err)
{
    jtgi_error_begin(err);
    if (anti_replay == NULL)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "anti_replay is NULL");
    jtg_status status = check_process(anti_replay, err);
    return status == JTG_OK ? jtg_cache_prune(anti_replay->cache, removed, err) : status;
}

uint64_t jtg_anti_replay_counter(const jtg_anti_replay *anti_replay, jtg_flight_reason reason)
{
    return anti_replay == NULL ? 0 : jtgi_counters_read(anti_replay->base.counters, (size_t)reason);
}
