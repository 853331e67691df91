/* SPDX-License-Identifier: Apache-2.0 */
#include "tokens/flight/flight_reason.h"

#define ROW_NAME(symbol, value, seen, name, text) [value] = (name),
#define ROW_TEXT(symbol, value, seen, name, text) [value] = (text),
#define ROW_SEEN(symbol, value, seen, name, text) [value] = JTG_SEEN_##seen,
static const char *const names[JTG_FLIGHT_REASON_COUNT] = {JTG_FLIGHT_REASON_MAP(ROW_NAME)};
static const char *const texts[JTG_FLIGHT_REASON_COUNT] = {JTG_FLIGHT_REASON_MAP(ROW_TEXT)};
static const jtg_seen seens[JTG_FLIGHT_REASON_COUNT] = {JTG_FLIGHT_REASON_MAP(ROW_SEEN)};

static jtg_flight_reason known(jtg_flight_reason reason)
{
    return (unsigned)reason < (unsigned)JTG_FLIGHT_REASON_COUNT ? reason : JTG_FLIGHT_INTERNAL;
}

const char *jtg_flight_reason_name(jtg_flight_reason reason)
{
    return names[known(reason)];
}

const char *jtg_flight_reason_text(jtg_flight_reason reason)
{
    return texts[known(reason)];
}

jtg_seen jtg_flight_reason_seen(jtg_flight_reason reason)
{
    return seens[known(reason)];
}

const char *jtg_seen_name(jtg_seen seen)
{
    switch (seen) {
    case JTG_SEEN_NOT:
        return "not_seen";
    case JTG_SEEN_BEFORE:
        return "seen";
    case JTG_SEEN_UNSURE:
        break;
    }
    return "unsure";
}

const char *jtg_anti_replay_mode_name(jtg_anti_replay_mode mode)
{
    switch (mode) {
    case JTG_ANTI_REPLAY_SINGLE_USE:
        return "single_use";
    case JTG_ANTI_REPLAY_TIME_WINDOWED:
        return "time_windowed";
    case JTG_ANTI_REPLAY_BINDER:
        return "binder";
    case JTG_ANTI_REPLAY_CLIENT_RANDOM:
        return "client_random";
    }
    return "unknown";
}

/* Statuses that a reserve never answers, and rows that a later version adds, stay 0 here: they are
 * read as INTERNAL, which refuses. */
static const jtg_flight_reason from_status[JTG_STATUS_COUNT] = {
    [JTG_OK] = JTG_FLIGHT_FIRST,
    [JTG_REPLAYED] = JTG_FLIGHT_REPLAYED,
    [JTG_ERR_ARGUMENT] = JTG_FLIGHT_BAD_ARGUMENT,
    [JTG_ERR_MEMORY] = JTG_FLIGHT_OUT_OF_MEMORY,
    [JTG_ERR_FULL] = JTG_FLIGHT_STORE_FULL,
    [JTG_ERR_GROUP_FULL] = JTG_FLIGHT_ZONE_SHARE_FULL,
    [JTG_ERR_UNAVAILABLE] = JTG_FLIGHT_STORE_UNAVAILABLE,
    [JTG_ERR_TIMEOUT] = JTG_FLIGHT_OUTCOME_UNKNOWN,
    [JTG_ERR_UNSAFE] = JTG_FLIGHT_STORE_UNSAFE,
    [JTG_ERR_CONTINUITY] = JTG_FLIGHT_CONTINUITY_LOST,
    [JTG_ERR_REFUSED] = JTG_FLIGHT_STORE_REFUSED,
    [JTG_ERR_PROTOCOL] = JTG_FLIGHT_STORE_PROTOCOL,
    [JTG_ERR_REPLICAS] = JTG_FLIGHT_TOO_FEW_REPLICAS,
    [JTG_ERR_FORKED] = JTG_FLIGHT_FORKED,
    [JTG_ERR_UNSUPPORTED] = JTG_FLIGHT_STORE_UNSUPPORTED,
    [JTG_ERR_BLOCKED] = JTG_FLIGHT_STORE_BLOCKED,
};

jtg_flight_reason jtgi_flight_reason_from_status(jtg_status status)
{
    if ((unsigned)status >= (unsigned)JTG_STATUS_COUNT)
        return JTG_FLIGHT_INTERNAL;
    jtg_flight_reason reason = from_status[status];
    return reason == JTG_FLIGHT_UNDECIDED ? JTG_FLIGHT_INTERNAL : reason;
}
