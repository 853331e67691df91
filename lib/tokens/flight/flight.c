/* SPDX-License-Identifier: Apache-2.0 */
#include "tokens/flight/flight.h"

#include "core/clock.h"
#include "core/options.h"
#include "core/range.h"

#include <jtiguard/status.h>
#include <stddef.h>
#include <string.h>

/* The sizes of the first release; a shorter struct was never ours. */
#define OPTIONS_OLDEST_SIZE sizeof(jtg_anti_replay_options)
#define FLIGHT_OLDEST_SIZE  offsetof(jtg_flight, apart_ms)

/* ---- options ---- */

void jtg_anti_replay_options_init(jtg_anti_replay_options *options)
{
    static const jtg_anti_replay_options defaults = JTG_ANTI_REPLAY_OPTIONS_INIT;
    if (options != NULL)
        *options = defaults;
}

static jtg_status check_zone(const char *zone, jtg_error *err)
{
    if (strnlen(zone, JTG_ANTI_REPLAY_ZONE_MAX_BYTES + 1) > JTG_ANTI_REPLAY_ZONE_MAX_BYTES)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "zone has more than %d bytes",
                             JTG_ANTI_REPLAY_ZONE_MAX_BYTES);
    return JTG_OK;
}

static jtg_status check_options(const jtg_anti_replay_options *options, jtg_error *err)
{
    const struct jtgi_range ranges[] = {
        {"mode", (uint32_t)options->mode, 0, JTG_ANTI_REPLAY_CLIENT_RANDOM},
        {"window_ms", options->window_ms, 100, JTG_ANTI_REPLAY_WINDOW_MS_LIMIT},
        {"margin_ms", options->margin_ms, 1000, JTG_ANTI_REPLAY_MARGIN_MS_LIMIT},
        {"start_rule", options->start_rule, 0, 1},
    };
    jtg_status status = jtgi_ranges_check(ranges, sizeof ranges / sizeof ranges[0], "", err);
    return status == JTG_OK ? check_zone(options->zone, err) : status;
}

jtg_status jtgi_anti_replay_options_read(jtg_anti_replay_options *options,
                                         const jtg_anti_replay_options *given, jtg_error *err)
{
    jtg_anti_replay_options_init(options);
    jtg_status status = jtg_struct_read(options, sizeof *options, OPTIONS_OLDEST_SIZE, given,
                                        "anti-replay options", err);
    if (options->zone == NULL)
        options->zone = "";
    return status == JTG_OK ? check_options(options, err) : status;
}

/* ---- flights ---- */

void jtg_flight_init(jtg_flight *flight)
{
    static const jtg_flight defaults = JTG_FLIGHT_INIT;
    if (flight != NULL)
        *flight = defaults;
}

uint64_t jtg_ticket_age_ms(uint32_t obfuscated_ticket_age, uint32_t ticket_age_add)
{
    return (uint32_t)(obfuscated_ticket_age - ticket_age_add);
}

static jtg_status check_age(const jtg_flight *flight, const jtg_anti_replay_options *options,
                            jtg_error *err)
{
    if (flight->age_ms == JTG_TICKET_AGE_ABSENT && options->mode != JTG_ANTI_REPLAY_SINGLE_USE)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "flight: age_ms is needed in this mode");
    if (flight->age_ms != JTG_TICKET_AGE_ABSENT && flight->age_ms > UINT32_MAX)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "flight: age_ms has more than 32 bits");
    if (flight->rtt_ms > options->window_ms)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "flight: rtt_ms is longer than the window");
    return JTG_OK;
}

jtg_status jtgi_flight_read(jtg_flight *flight, const jtg_flight *given,
                            const jtg_anti_replay_options *options, jtg_error *err)
{
    jtg_flight_init(flight);
    jtg_status status =
        jtg_struct_read(flight, sizeof *flight, FLIGHT_OLDEST_SIZE, given, "flight", err);
    if (status != JTG_OK)
        return status;
    if (flight->issued_ms < 0 || flight->issued_ms > JTGI_WALL_MAX_MS)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0,
                             "flight: issued_ms is outside the years 1970 to 9999");
    if (flight->lifetime_ms == 0 || flight->lifetime_ms > JTG_ANTI_REPLAY_LIFETIME_MS_LIMIT)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0,
                             "flight: lifetime_ms is not between 1 ms and seven days");
    if (flight->apart_ms > JTG_ANTI_REPLAY_LIFETIME_MS_LIMIT)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "flight: apart_ms is more than seven days");
    return check_age(flight, options, err);
}
