/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/ask/verdict.h"

#include "redis/say/resp/reply.h"

/* ---- what was said ---- */

static enum jtgi_said said_else(const redisReply *reply)
{
    const struct jtgi_error_row *row = jtgi_reply_error(reply);
    if (row == NULL)
        return JTGI_SAID_NONSENSE;
    return row->next == JTGI_NEXT_ASK ? JTGI_SAID_ASK : JTGI_SAID_ERROR;
}

enum jtgi_said jtgi_said_to_set(const redisReply *reply)
{
    if (reply == NULL)
        return JTGI_SAID_NOTHING;
    if (jtgi_reply_is_ok(reply))
        return JTGI_SAID_YES;
    return jtgi_reply_is_nil(reply) ? JTGI_SAID_NO : said_else(reply);
}

enum jtgi_said jtgi_said_by_script(const redisReply *reply, enum jtgi_said minus_one)
{
    long long number = 0;
    if (reply == NULL)
        return JTGI_SAID_NOTHING;
    if (!jtgi_reply_integer(reply, -1, 1, &number))
        return said_else(reply);
    if (number == -1)
        return minus_one;
    return number == 1 ? JTGI_SAID_YES : JTGI_SAID_NO;
}

/* ---- what it is worth ---- */

/* The look proves nothing, and nothing speaks against: enough for who needs nothing kept. */
static bool proves_enough(const struct jtgi_heard *heard)
{
    return heard->sight == JTGI_SIGHT_KEPT || heard->needed_ms == JTGI_KEPT_ANY;
}

/* The server said yes, or was not asked. What does that prove? */
static enum jtgi_verdict weigh(const struct jtgi_heard *heard, bool acted)
{
    bool needs_kept = heard->needed_ms != JTGI_KEPT_ANY;
    switch (heard->sight) {
    case JTGI_SIGHT_LOST:
        return JTGI_VERDICT_DOUBTFUL;
    case JTGI_SIGHT_UNSAFE:
        return acted ? JTGI_VERDICT_STORED : JTGI_VERDICT_UNSAFE;
    case JTGI_SIGHT_REFUSED:
        if (needs_kept || !heard->by_cluster)
            return acted ? JTGI_VERDICT_UNREAD : JTGI_VERDICT_UNREADABLE;
        break;
    case JTGI_SIGHT_UNMARKED:
        /* After a detour it was another slot that was looked at. */
        if (needs_kept && !heard->detoured)
            return JTGI_VERDICT_UNMARKED;
        break;
    case JTGI_SIGHT_KEPT:
        if (heard->since_ms > heard->needed_ms)
            return JTGI_VERDICT_FORGOTTEN;
        break;
    case JTGI_SIGHT_ELSEWHERE:
    case JTGI_SIGHT_NONE:
        break;
    }
    if (!acted || !proves_enough(heard))
        return JTGI_VERDICT_DOUBTFUL;
    return heard->confirmed ? JTGI_VERDICT_YES : JTGI_VERDICT_UNCONFIRMED;
}

static enum jtgi_verdict verdict_of_answer(const struct jtgi_heard *heard)
{
    switch (heard->said) {
    case JTGI_SAID_NOTHING:
        return weigh(heard, false);
    case JTGI_SAID_YES:
        return weigh(heard, true);
    case JTGI_SAID_NO:
        return JTGI_VERDICT_NO; /* that another holds it stands, whatever the store has forgotten */
    case JTGI_SAID_FREE:
        return JTGI_VERDICT_FREE;
    case JTGI_SAID_SHARE_FULL:
        return JTGI_VERDICT_SHARE_FULL;
    case JTGI_SAID_ASK:
        return heard->needed_ms != JTGI_KEPT_ANY ? JTGI_VERDICT_MOVING : JTGI_VERDICT_REFUSED;
    case JTGI_SAID_ERROR:
        return JTGI_VERDICT_REFUSED;
    case JTGI_SAID_NONSENSE:
        break;
    }
    return JTGI_VERDICT_NONSENSE;
}

enum jtgi_verdict jtgi_verdict_of(const struct jtgi_heard *heard)
{
    if (heard->fate == JTGI_FATE_ANSWERED)
        return verdict_of_answer(heard);
    return heard->fate == JTGI_FATE_NOT_SENT ? JTGI_VERDICT_UNSENT : JTGI_VERDICT_LOST;
}

bool jtgi_verdict_maybe_done(const struct jtgi_heard *heard)
{
    if (heard->fate != JTGI_FATE_ANSWERED)
        return heard->fate != JTGI_FATE_NOT_SENT;
    return heard->said == JTGI_SAID_YES || heard->said == JTGI_SAID_NONSENSE;
}

/* ---- what follows ---- */

bool jtgi_verdict_asks_again(enum jtgi_verdict verdict)
{
    return verdict == JTGI_VERDICT_LOST || verdict == JTGI_VERDICT_NONSENSE ||
           verdict == JTGI_VERDICT_UNREAD || verdict == JTGI_VERDICT_DOUBTFUL;
}

jtg_status jtgi_verdict_reserved(enum jtgi_verdict verdict, bool maybe_done, jtg_status failure)
{
    switch (verdict) {
    case JTGI_VERDICT_YES:
        return JTG_OK;
    case JTGI_VERDICT_NO:
        return JTG_REPLAYED;
    case JTGI_VERDICT_DOUBTFUL:
    case JTGI_VERDICT_FORGOTTEN:
        return JTG_ERR_CONTINUITY;
    case JTGI_VERDICT_UNCONFIRMED:
        return JTG_ERR_REPLICAS;
    default:
        return maybe_done ? JTG_ERR_TIMEOUT : failure;
    }
}

jtg_status jtgi_verdict_released(enum jtgi_verdict verdict, bool lost, jtg_status failure)
{
    switch (verdict) {
    case JTGI_VERDICT_YES:
        return JTG_OK;
    case JTGI_VERDICT_FREE: /* gone, and asked for before: by us, or its time ended */
        return lost ? JTG_OK : JTG_NOT_FOUND;
    case JTGI_VERDICT_NO:
        return JTG_NOT_OWNER;
    case JTGI_VERDICT_UNCONFIRMED:
        return JTG_ERR_REPLICAS;
    default:
        return lost ? JTG_ERR_TIMEOUT : failure;
    }
}
