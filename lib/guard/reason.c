/* SPDX-License-Identifier: Apache-2.0 */
#include <jtiguard/guard.h>

#define ROW_NAME(symbol, value, verdict, name, text)    [value] = (name),
#define ROW_TEXT(symbol, value, verdict, name, text)    [value] = (text),
#define ROW_VERDICT(symbol, value, verdict, name, text) [value] = JTG_VERDICT_##verdict,
static const char *const names[JTG_REASON_COUNT] = {JTG_REASON_MAP(ROW_NAME)};
static const char *const texts[JTG_REASON_COUNT] = {JTG_REASON_MAP(ROW_TEXT)};
static const jtg_verdict verdicts[JTG_REASON_COUNT] = {JTG_REASON_MAP(ROW_VERDICT)};

static jtg_reason known(jtg_reason reason)
{
    return (unsigned)reason < (unsigned)JTG_REASON_COUNT ? reason : JTG_REASON_INTERNAL;
}

const char *jtg_reason_name(jtg_reason reason)
{
    return names[known(reason)];
}

const char *jtg_reason_text(jtg_reason reason)
{
    return texts[known(reason)];
}

jtg_verdict jtg_reason_verdict(jtg_reason reason)
{
    return verdicts[known(reason)];
}

bool jtg_reason_is_trouble(jtg_reason reason)
{
    switch (known(reason)) {
    case JTG_REASON_UNDECIDED:
    case JTG_REASON_BAD_ARGUMENT:
    case JTG_REASON_CLOCK_SET_BACK:
    case JTG_REASON_STORE_FULL:
    case JTG_REASON_ISSUER_SHARE_FULL:
    case JTG_REASON_STORE_UNAVAILABLE:
    case JTG_REASON_OUTCOME_UNKNOWN:
    case JTG_REASON_STORE_UNSAFE:
    case JTG_REASON_CONTINUITY_LOST:
    case JTG_REASON_STORE_REFUSED:
    case JTG_REASON_STORE_PROTOCOL:
    case JTG_REASON_STORE_UNSUPPORTED:
    case JTG_REASON_STORE_BLOCKED:
    case JTG_REASON_TOO_FEW_REPLICAS:
    case JTG_REASON_OUT_OF_MEMORY:
    case JTG_REASON_FORKED:
    case JTG_REASON_INTERNAL:
        return true;
    default:
        return false;
    }
}

const char *jtg_verdict_name(jtg_verdict verdict)
{
    switch (verdict) {
    case JTG_VERDICT_ADMITTED:
        return "admitted";
    case JTG_VERDICT_REPLAYED:
        return "replayed";
    case JTG_VERDICT_REFUSED:
        break;
    }
    return "refused";
}

/* Statuses that a reserve never answers, and rows that a later version adds, stay 0 here: they
 * are read as INTERNAL, which refuses. */
static const jtg_reason from_status[JTG_STATUS_COUNT] = {
    [JTG_OK] = JTG_REASON_ADMITTED,
    [JTG_REPLAYED] = JTG_REASON_REPLAYED,
    [JTG_ERR_ARGUMENT] = JTG_REASON_BAD_ARGUMENT,
    [JTG_ERR_MEMORY] = JTG_REASON_OUT_OF_MEMORY,
    [JTG_ERR_FULL] = JTG_REASON_STORE_FULL,
    [JTG_ERR_GROUP_FULL] = JTG_REASON_ISSUER_SHARE_FULL,
    [JTG_ERR_UNAVAILABLE] = JTG_REASON_STORE_UNAVAILABLE,
    [JTG_ERR_TIMEOUT] = JTG_REASON_OUTCOME_UNKNOWN,
    [JTG_ERR_UNSAFE] = JTG_REASON_STORE_UNSAFE,
    [JTG_ERR_CONTINUITY] = JTG_REASON_CONTINUITY_LOST,
    [JTG_ERR_REFUSED] = JTG_REASON_STORE_REFUSED,
    [JTG_ERR_PROTOCOL] = JTG_REASON_STORE_PROTOCOL,
    [JTG_ERR_REPLICAS] = JTG_REASON_TOO_FEW_REPLICAS,
    [JTG_ERR_FORKED] = JTG_REASON_FORKED,
    [JTG_ERR_UNSUPPORTED] = JTG_REASON_STORE_UNSUPPORTED,
    [JTG_ERR_BLOCKED] = JTG_REASON_STORE_BLOCKED,
};

jtg_reason jtg_reason_from_status(jtg_status status)
{
    if ((unsigned)status >= (unsigned)JTG_STATUS_COUNT)
        return JTG_REASON_INTERNAL;
    jtg_reason reason = from_status[status];
    return reason == JTG_REASON_UNDECIDED ? JTG_REASON_INTERNAL : reason;
}
