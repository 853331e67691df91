/* SPDX-License-Identifier: Apache-2.0 */
/* What one caller asks of a server, and what it learns. */
#ifndef JTGI_REDIS_QUESTION_H
#define JTGI_REDIS_QUESTION_H

#include "redis/flow/watch.h"

/* Whatever the store has forgotten. */
#define JTGI_KEPT_ANY INT64_MAX

struct jtgi_question {
    const void *bytes; /* one command; borrowed */
    size_t len;
    bool asking;     /* a Cluster said ASK: ASKING goes right before it */
    bool repeatable; /* its caller asks again, with the same effect, when no answer comes */
    bool writes;     /* counts only when the replicas have it, where that is asked for */
    bool watched;    /* a reservation: look at the marker behind it */
    uint16_t slot;   /* whose marker */

    /* A watched command is left out, and the marker looked at alone, when what is known says that
     * the store has not kept everything since then. JTGI_KEPT_ANY: it always goes out. */
    int64_t kept_since_ms;
};

/* What became of questions that went out together. */
enum jtgi_fate {
    JTGI_FATE_ANSWERED,
    JTGI_FATE_NOT_SENT, /* no byte of it left: certainly not done */
    JTGI_FATE_UNKNOWN   /* maybe done, maybe not */
};

struct jtgi_answer {
    redisReply *reply; /* the caller's; NULL when it was left out */
    bool over;         /* answered or not, nothing of the question can come to the server later */
    bool confirmed;    /* by as many replicas as are asked for */
    enum jtgi_sight sight;
    int64_t since_ms;                     /* KEPT only */
    const struct jtgi_error_row *refusal; /* REFUSED only */
    struct jtgi_identity identity;        /* UNMARKED only: of the server that is to be marked */
};

/* A question, and where its answer goes. Those that one caller asks at once are a list: in this
 * order they go out, all in one batch, and they have one fate. */
struct jtgi_exchange {
    struct jtgi_question question;
    struct jtgi_answer *answer;
    size_t place; /* of the first: in its batch; the others lie behind it */
    struct jtgi_exchange *next;
};

#endif
