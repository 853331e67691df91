/* SPDX-License-Identifier: Apache-2.0 */
/* The single use of anti_replay.c, for tokens in place of tickets. */
#include <jtiguard/quic_reuse.h>

#include "core/alloc.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/options.h"

#include <jtiguard/status.h>
#include <stdio.h>
#include <string.h>

/* The sizes of the first release; a shorter struct was never ours. */
#define OPTIONS_OLDEST_SIZE   sizeof(jtg_quic_reuse_options)
#define PRESENTED_OLDEST_SIZE sizeof(jtg_quic_presented)

/* Before every zone: no TLS ticket and no token ever share a record. */
#define ZONE_PREFIX "quic-token:"

struct jtg_quic_reuse {
    jtg_anti_replay *flights;
    jtg_clock clock;
};

void jtg_quic_reuse_options_init(jtg_quic_reuse_options *options)
{
    static const jtg_quic_reuse_options defaults = JTG_QUIC_REUSE_OPTIONS_INIT;
    if (options != NULL)
        *options = defaults;
}

/* ---- life ---- */

static jtg_status read_options(jtg_quic_reuse_options *options, const jtg_quic_reuse_options *given,
                               jtg_error *err)
{
    jtg_quic_reuse_options_init(options);
    jtg_status status = jtg_struct_read(options, sizeof *options, OPTIONS_OLDEST_SIZE, given,
                                        "quic reuse options", err);
    if (options->zone == NULL)
        options->zone = "";
    if (status == JTG_OK &&
        strnlen(options->zone, JTG_QUIC_REUSE_ZONE_MAX_BYTES + 1) > JTG_QUIC_REUSE_ZONE_MAX_BYTES)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "zone has more than %d bytes",
                             JTG_QUIC_REUSE_ZONE_MAX_BYTES);
    return status;
}

static jtg_status set_up(jtg_quic_reuse *reuse, jtg_cache *cache,
                         const jtg_quic_reuse_options *given, jtg_error *err)
{
    jtg_quic_reuse_options options;
    jtg_anti_replay_options flight_options = JTG_ANTI_REPLAY_OPTIONS_INIT;
    char zone[sizeof ZONE_PREFIX + JTG_QUIC_REUSE_ZONE_MAX_BYTES];
    jtg_status status = read_options(&options, given, err);
    if (status == JTG_OK)
        status = jtgi_clock_read_option(&reuse->clock, options.clock, err);
    if (status != JTG_OK)
        return status;
    (void)snprintf(zone, sizeof zone, ZONE_PREFIX "%s", options.zone);
    flight_options.zone = zone;
    flight_options.margin_ms = options.margin_ms;
    flight_options.start_rule = options.start_rule;
    flight_options.clock = &reuse->clock;
    flight_options.logger = options.logger;
    return jtg_anti_replay_new(&reuse->flights, cache, &flight_options, err);
}

jtg_status jtg_quic_reuse_new(jtg_quic_reuse **reuse, jtg_cache *cache,
                              const jtg_quic_reuse_options *options, jtg_error *err)
{
    jtgi_error_begin(err);
    if (reuse == NULL)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "no place for the object");
    *reuse = NULL;
    jtg_quic_reuse *made = jtgi_alloc(sizeof *made);
    if (made == NULL)
        return jtg_error_set(err, JTG_ERR_MEMORY, 0, "no memory for the object");
    jtg_status status = set_up(made, cache, options, err);
    if (status != JTG_OK) {
        jtgi_free(made);
        return status;
    }
    *reuse = made;
    return JTG_OK;
}

void jtg_quic_reuse_free(jtg_quic_reuse *reuse)
{
    if (reuse == NULL)
        return;
    jtg_anti_replay_free(reuse->flights);
    jtgi_free(reuse);
}

/* ---- asking ---- */

/* A token whose time of issue is not known lives for at most its lifetime from now on, and can have
 * been used since as long ago: so it is a flight of twice that life, in the middle of it. What was
 * said of an earlier use was said as much as a life earlier. */
static jtg_status spread(const jtg_quic_reuse *reuse, jtg_flight *flight, jtg_error *err)
{
    if (flight->lifetime_ms > JTG_ANTI_REPLAY_LIFETIME_MS_LIMIT / 2)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0,
                             "presented: lifetime_ms is more than three and a half days, and the "
                             "time of issue is not known");
    int64_t now_ms = jtgi_clock_wall_ms(&reuse->clock);
    flight->issued_ms = now_ms < 0 ? now_ms : now_ms - (int64_t)flight->lifetime_ms;
    flight->apart_ms = flight->lifetime_ms;
    flight->lifetime_ms *= 2;
    return JTG_OK;
}

static jtg_status flight_of(const jtg_quic_reuse *reuse, const jtg_quic_presented *given,
                            jtg_flight *flight, jtg_error *err)
{
    jtg_quic_presented presented = JTG_QUIC_PRESENTED_INIT;
    jtg_flight_init(flight);
    if (given == NULL)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "presented is NULL");
    jtg_status status = jtg_struct_read(&presented, sizeof presented, PRESENTED_OLDEST_SIZE, given,
                                        "presented", err);
    flight->ticket = presented.token;
    flight->ticket_len = presented.token_len;
    flight->issued_ms = presented.issued_ms;
    flight->lifetime_ms = presented.lifetime_ms;
    if (status == JTG_OK && presented.issued_ms == JTG_QUIC_ISSUED_UNKNOWN)
        status = spread(reuse, flight, err);
    return status;
}

bool jtg_quic_reuse_first(jtg_quic_reuse *reuse, const jtg_quic_presented *presented,
                          jtg_flight_decision *decision, jtg_error *err)
{
    jtg_flight flight;
    jtg_error cause = JTG_ERROR_INIT;
    bool readable = reuse != NULL && flight_of(reuse, presented, &flight, &cause) == JTG_OK;
    bool first = jtg_anti_replay_accept(reuse == NULL ? NULL : reuse->flights,
                                        readable ? &flight : NULL, decision, err);
    if (err != NULL && cause.status != JTG_OK)
        *err = cause;
    return first;
}

uint64_t jtg_quic_reuse_counter(const jtg_quic_reuse *reuse, jtg_flight_reason reason)
{
    return jtg_anti_replay_counter(reuse == NULL ? NULL : reuse->flights, reason);
}
