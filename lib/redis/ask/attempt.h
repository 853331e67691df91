/* SPDX-License-Identifier: Apache-2.0 */
/* An attempt to hold one key, or to give it back: what is asked next, and what an answer comes to.
 * It asks nobody itself. Whoever has it asked, and how they wait, is theirs (reservations.c); what
 * an answer is worth is decided in verdict.c. */
#ifndef JTGI_REDIS_ATTEMPT_H
#define JTGI_REDIS_ATTEMPT_H

#include "redis/ask/request.h"
#include "redis/ask/store.h"
#include "redis/ask/verdict.h"
#include "redis/say/keys/share.h"

/* What an attempt asks next. */
enum jtgi_step {
    JTGI_STEP_SET,       /* is the key free? Then it is taken */
    JTGI_STEP_HOLD,      /* whose is it? If ours, or free by now, it is held */
    JTGI_STEP_SHARE,     /* both at once, and counted for its group */
    JTGI_STEP_GIVE_BACK, /* it is ours no more */
    JTGI_STEP_MARK,      /* nothing: its slot is to be marked first (jtgi_attempt_marked()) */
    JTGI_STEP_DONE
};

struct jtgi_attempt {
    const struct jtgi_shares *shares;
    struct jtgi_request request;
    struct jtgi_stored_key key;
    struct jtgi_share share; /* that it is counted for */
    const jtg_owner *owner;  /* borrowed */
    uint64_t ttl_ms;
    int64_t kept_since_ms; /* what the caller needs; JTGI_KEPT_ANY: nothing */
    bool maybe_done;
    jtg_status failure;

    enum jtgi_step step;
    bool gives_back;
    bool in_full;       /* the script of the step, for a server that does not know it */
    bool renamed;       /* it is asked again, with the group that the reservation names */
    bool lost;          /* of one that gives back: no answer came to the first question */
    unsigned questions; /* that have come to a verdict, and this is the last one: */
    enum jtgi_verdict verdict;
    jtg_error unasked; /* where the caller asks for none */
};

/* To hold a key, or to give it back; then what it asks first is its step. err is where its request
 * says what hinders it, or NULL. It must stay where it is. */
void jtgi_attempt_init(struct jtgi_attempt *attempt, struct jtgi_redis *redis, const jtg_key *key,
                       const jtg_owner *owner, uint64_t ttl_ms, jtg_error *err);
void jtgi_attempt_need_kept(struct jtgi_attempt *attempt, int64_t kept_since_ms);
void jtgi_attempt_hold(struct jtgi_attempt *attempt);
void jtgi_attempt_give_back(struct jtgi_attempt *attempt);

/* The command of its step, behind what is there already. */
void jtgi_attempt_put(struct jtgi_attempt *attempt, struct jtgi_command *command);

/* What came of it; reply is borrowed, NULL unless ANSWERED. Then it has its next step. */
void jtgi_attempt_hear(struct jtgi_attempt *attempt, enum jtgi_fate fate, const redisReply *reply);

/* Its slot was marked, or could not be, and why (then its request's err says so). */
void jtgi_attempt_marked(struct jtgi_attempt *attempt, jtg_status status);

/* Of one that is done: what its caller is told. */
jtg_status jtgi_attempt_outcome(const struct jtgi_attempt *attempt);

#endif
