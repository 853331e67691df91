/* SPDX-License-Identifier: Apache-2.0 */
/* The decision: what one question about a reservation has come to, and what its caller is told.
 * All of it is here, apart from the asking: it depends on the arguments alone. No I/O, no locks. */
#ifndef JTGI_REDIS_VERDICT_H
#define JTGI_REDIS_VERDICT_H

#include "redis/flow/question.h"

/* What the server said to the command itself. */
enum jtgi_said {
    JTGI_SAID_NOTHING,    /* it was not asked: the command was left out, by what was known before */
    JTGI_SAID_YES,        /* it is the owner's; or, of a release, it was and is given back */
    JTGI_SAID_NO,         /* it is another's */
    JTGI_SAID_FREE,       /* a release only: it is nobody's */
    JTGI_SAID_SHARE_FULL, /* with shares only: the group has as many as it may */
    JTGI_SAID_ERROR,      /* refused, before it has acted */
    JTGI_SAID_ASK,        /* the same, because the slot is being moved */
    JTGI_SAID_NONSENSE    /* nothing that was asked for: it may have acted */
};

/* To SET NX. NULL: it was left out. */
enum jtgi_said jtgi_said_to_set(const redisReply *reply);

/* To a script, which answers 1 for yes and 0 for no. What -1 means is its own: FREE or SHARE_FULL,
 * and NONSENSE where it has no meaning. */
enum jtgi_said jtgi_said_by_script(const redisReply *reply, enum jtgi_said minus_one);

/* All that is known when the question is over. */
struct jtgi_heard {
    enum jtgi_fate fate;
    enum jtgi_said said;   /* ANSWERED only, as all below */
    enum jtgi_sight sight; /* at the marker */
    int64_t since_ms;      /* KEPT only: since when the store has kept everything */
    int64_t needed_ms;     /* since when it must have; JTGI_KEPT_ANY: nothing is needed */
    bool by_cluster;       /* REFUSED only: by what the Cluster is doing with the slot */
    bool detoured;         /* it was answered by a node that is taking the slot over */
    bool confirmed;        /* by as many replicas as are asked for */
};

enum jtgi_verdict {
    JTGI_VERDICT_YES,
    JTGI_VERDICT_NO,
    JTGI_VERDICT_FREE,
    JTGI_VERDICT_UNCONFIRMED, /* done, but too few replicas have it */
    JTGI_VERDICT_FORGOTTEN,   /* the store has not kept what is needed */
    JTGI_VERDICT_DOUBTFUL,    /* it may have forgotten just now */
    JTGI_VERDICT_UNMARKED,    /* likewise, and nobody will know better before the slot is marked */
    JTGI_VERDICT_LOST,        /* no answer came: maybe done */
    JTGI_VERDICT_NONSENSE,    /* an answer that is none: likewise */
    JTGI_VERDICT_UNREAD,      /* done, and what the server has kept cannot be read */
    JTGI_VERDICT_UNREADABLE,  /* left out, likewise */
    JTGI_VERDICT_STORED,      /* done, on a server that the gate refuses by now */
    JTGI_VERDICT_UNSAFE,      /* left out, likewise */
    JTGI_VERDICT_UNSENT,      /* as all below: certainly not done */
    JTGI_VERDICT_REFUSED,
    JTGI_VERDICT_MOVING,
    JTGI_VERDICT_SHARE_FULL
};

enum jtgi_verdict jtgi_verdict_of(const struct jtgi_heard *heard);

/* May this question have done what it asked for, so that a refusal of it, or of a later one of the
 * same owner, is no proof that the key is free? */
bool jtgi_verdict_maybe_done(const struct jtgi_heard *heard);

/* Is it worth asking again, with the same owner? */
bool jtgi_verdict_asks_again(enum jtgi_verdict verdict);

/* What the caller of a reserve is told in the end. maybe_done: any of its questions may have been
 * done; failure: what was said of the last one, for the verdicts that have no status of their
 * own. */
jtg_status jtgi_verdict_reserved(enum jtgi_verdict verdict, bool maybe_done, jtg_status failure);

/* The same of a release. lost: no answer came to the question before, or to the last one. */
jtg_status jtgi_verdict_released(enum jtgi_verdict verdict, bool lost, jtg_status failure);

#endif
