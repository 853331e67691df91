/* SPDX-License-Identifier: Apache-2.0 */
/* reserve, reserve_kept and reserve_many, release and ping: what is asked and said. What an answer
 * means is decided in verdict.c. */
#include "redis/ask/late_marking.h"
#include "redis/ask/store.h"
#include "redis/ask/verdict.h"
#include "redis/say/server/gate.h"
#include "redis/say/server/info.h"

#include "core/alloc.h"
#include "core/clock.h"

#include <stdio.h>
#include <string.h>

/* What an attempt asks next. */
enum step {
    STEP_SET,   /* is the key free? Then it is taken */
    STEP_HOLD,  /* whose is it? If ours, or free by now, it is held */
    STEP_SHARE, /* both at once, and counted for its group */
    STEP_DONE
};

/* What was learnt while the answers of one round were looked at. */
struct learnt {
    bool marked; /* a slot was marked: */
    uint16_t slot;
};

/* An attempt to hold one key. */
struct attempt {
    const struct jtgi_shares *shares;
    struct jtgi_request request;
    struct jtgi_stored_key key;
    struct jtgi_share share; /* that it is counted for */
    const jtg_owner *owner;
    uint64_t ttl_ms;
    int64_t kept_since_ms; /* what the caller needs; JTGI_KEPT_ANY: nothing */
    bool maybe_done;
    jtg_status failure;

    enum step step;
    bool in_full;       /* the script of the step, for a server that does not know it */
    bool renamed;       /* it is asked again, with the group that the reservation names */
    unsigned questions; /* that have come to a verdict, and this is the last one: */
    enum jtgi_verdict verdict;
    struct learnt *learnt; /* NULL: nobody looks at others with it */
    jtg_error unasked;     /* of many: where the caller asks for none */
};

static void attempt_init(struct attempt *attempt, struct jtgi_redis *redis, const jtg_key *key,
                         const jtg_owner *owner, uint64_t ttl_ms, jtg_error *err)
{
    jtgi_request_init(&attempt->request, &redis->route, redis->shared.config.options.timeout_ms,
                      err);
    jtgi_stored_reservation(&attempt->key, &redis->shared.config, key);
    attempt->shares = &redis->shares;
    jtgi_share_of(&attempt->share, attempt->shares, key, &attempt->key);
    jtgi_request_aim(&attempt->request, &attempt->key);
    attempt->request.repeatable = true; /* its owner decides, however often it is asked */
    attempt->owner = owner;
    attempt->ttl_ms = ttl_ms;
    attempt->kept_since_ms = JTGI_KEPT_ANY;
    attempt->maybe_done = false;
    attempt->failure = JTG_ERR_UNAVAILABLE;
    attempt->learnt = NULL;
}

/* ---- what an answer comes to ---- */

/* The contract has it that nothing is stored where the answer is JTG_ERR_UNSAFE. To give it back
 * here could take it from the same owner, who was admitted by an answer of a moment before: so it
 * stays, and whether it was done is unknown until its owner asks again. */
static jtg_status say_unsafe(const struct attempt *attempt, bool stored)
{
    return jtg_error_set(
        attempt->request.err, stored ? JTG_ERR_TIMEOUT : JTG_ERR_UNSAFE, 0,
        "redis: the server's configuration was changed: it may evict live entries, or has no "
        "append-only file any more%s",
        stored ? ": it is stored, and its owner may ask again when that is mended" : "");
}

static jtg_status say_share_full(const struct attempt *attempt)
{
    return jtg_error_set(attempt->request.err, JTG_ERR_GROUP_FULL, 0,
                         "redis: the group has used up its share of the store");
}

/* Of those whose answers came together one marks their slot: what the others heard is of before,
 * too. */
static jtg_status mark(const struct attempt *attempt)
{
    struct learnt *learnt = attempt->learnt;
    if (learnt != NULL && learnt->marked && learnt->slot == attempt->key.slot)
        return JTG_OK;
    jtg_status status = jtgi_mark_late(&attempt->request, attempt->key.slot);
    if (learnt != NULL && status == JTG_OK)
        *learnt = (struct learnt){true, attempt->key.slot};
    return status;
}

/* What there is to say at once, before it is asked again. */
static jtg_status say_failure(const struct attempt *attempt, enum jtgi_verdict verdict,
                              const redisReply *reply)
{
    switch (verdict) {
    case JTGI_VERDICT_UNSENT:
    case JTGI_VERDICT_LOST:
        return attempt->request.err->status;
    case JTGI_VERDICT_REFUSED:
    case JTGI_VERDICT_NONSENSE:
        return jtgi_request_reject(&attempt->request, reply, JTG_ERR_TIMEOUT);
    case JTGI_VERDICT_UNREAD:
    case JTGI_VERDICT_UNREADABLE:
        return jtgi_request_say_unreadable(&attempt->request);
    case JTGI_VERDICT_STORED:
    case JTGI_VERDICT_UNSAFE:
        return say_unsafe(attempt, verdict == JTGI_VERDICT_STORED);
    case JTGI_VERDICT_MOVING:
        return jtgi_request_say_moving(&attempt->request);
    case JTGI_VERDICT_SHARE_FULL:
        return say_share_full(attempt);
    case JTGI_VERDICT_UNMARKED:
        return mark(attempt);
    default:
        return attempt->failure;
    }
}

static enum jtgi_verdict judge(struct attempt *attempt, enum jtgi_fate fate, enum jtgi_said said,
                               const redisReply *reply)
{
    const struct jtgi_answer *answer = &attempt->request.answer;
    struct jtgi_heard heard = {.fate = fate,
                               .said = said,
                               .sight = answer->sight,
                               .since_ms = answer->since_ms,
                               .needed_ms = attempt->kept_since_ms,
                               .by_cluster = answer->sight == JTGI_SIGHT_REFUSED &&
                                             answer->refusal->class == JTGI_CLASS_CLUSTER,
                               .detoured = attempt->request.detoured,
                               .confirmed = jtgi_request_is_confirmed(&attempt->request)};
    enum jtgi_verdict verdict = jtgi_verdict_of(&heard);
    attempt->maybe_done = attempt->maybe_done || jtgi_verdict_maybe_done(&heard);
    jtg_status failure = say_failure(attempt, verdict, reply);
    if (failure == JTG_OK) /* it is marked now: only what was before is in doubt */
        return JTGI_VERDICT_DOUBTFUL;
    attempt->failure = failure;
    return verdict;
}

/* ---- what is asked ---- */

static void expect_kept(struct attempt *attempt, bool watched, int64_t kept_since_ms)
{
    attempt->request.writes = true;
    attempt->request.watched = watched;
    attempt->request.kept_since_ms = kept_since_ms;
}

static size_t format_number(char text[24], uint64_t number)
{
    return (size_t)snprintf(text, 24, "%llu", (unsigned long long)number);
}

static void put_set(struct attempt *attempt, struct jtgi_command *command)
{
    expect_kept(attempt, true, attempt->kept_since_ms);
    jtgi_command_reserve(command, attempt->key.bytes, attempt->key.len, attempt->owner,
                         attempt->ttl_ms);
}

/* It is never left out: that another holds the key stands, whatever the store has forgotten. */
static void put_hold(struct attempt *attempt, struct jtgi_command *command)
{
    char ttl[24];
    struct jtgi_word_list words = {.count = 0};
    expect_kept(attempt, true, JTGI_KEPT_ANY);
    jtgi_words_add(&words, attempt->owner->bytes, sizeof attempt->owner->bytes);
    jtgi_words_add(&words, ttl, format_number(ttl, attempt->ttl_ms));
    jtgi_script_command(command, JTGI_SCRIPT_HOLD, attempt->in_full, &attempt->key, &words);
}

/* One question in place of two: the script knows whose the key is when it is not free. */
static void put_share(struct attempt *attempt, struct jtgi_command *command)
{
    char ttl[24];
    char most[24];
    struct jtgi_share *share = &attempt->share;
    struct jtgi_word_list words = {.keys = 1};
    expect_kept(attempt, true, attempt->kept_since_ms);
    jtgi_words_add(&words, share->key, share->key_len);
    jtgi_words_add(&words, attempt->owner->bytes, sizeof attempt->owner->bytes);
    jtgi_words_add(&words, ttl, format_number(ttl, attempt->ttl_ms));
    jtgi_words_add(&words, share->member, sizeof share->member);
    jtgi_words_add(&words, share->group, sizeof share->group);
    jtgi_words_add(&words, most, format_number(most, attempt->shares->limit));
    jtgi_script_command(command, JTGI_SCRIPT_SHARE, attempt->in_full, &attempt->key, &words);
}

static void put_question(struct attempt *attempt, struct jtgi_command *command)
{
    if (attempt->step == STEP_SET)
        put_set(attempt, command);
    else if (attempt->step == STEP_HOLD)
        put_hold(attempt, command);
    else
        put_share(attempt, command);
}

/* The reservation is ours, and names the group that it is counted for: another than the one that is
 * given now. Then it is done again with that one. */
static bool is_of_another_share(struct attempt *attempt, enum jtgi_fate fate,
                                const redisReply *reply)
{
    return fate == JTGI_FATE_ANSWERED && reply != NULL && reply->type == REDIS_REPLY_STRING &&
           jtgi_share_rename(&attempt->share, attempt->shares, attempt->key.slot, reply->str,
                             reply->len);
}

/* ---- reserve ---- */

/* Free: take it. Held: by whom? It may be we, asked twice or after a lost reply. The second
 * question decides in any case: it takes a key that has become free meanwhile. */
static void begin_step(struct attempt *attempt, enum step step)
{
    attempt->step = step;
    attempt->in_full = false;
    attempt->renamed = false;
}

static void begin_question(struct attempt *attempt)
{
    begin_step(attempt, attempt->share.key_len != 0 ? STEP_SHARE : STEP_SET);
}

/* The same once more, in other words? */
static bool is_put_otherwise(struct attempt *attempt, enum jtgi_fate fate, const redisReply *reply)
{
    if (attempt->step == STEP_SET)
        return false;
    if (!attempt->in_full && jtgi_script_is_unknown(fate, reply)) {
        attempt->in_full = true;
        return true;
    }
    if (attempt->step != STEP_SHARE || attempt->renamed ||
        !is_of_another_share(attempt, fate, reply))
        return false;
    attempt->renamed = true;
    attempt->in_full = false;
    return true;
}

static enum jtgi_verdict judge_step(struct attempt *attempt, enum jtgi_fate fate,
                                    const redisReply *reply)
{
    if (fate != JTGI_FATE_ANSWERED)
        return judge(attempt, fate, JTGI_SAID_NOTHING, NULL);
    if (attempt->step == STEP_SET)
        return judge(attempt, fate, jtgi_said_to_set(reply), reply);
    enum jtgi_said minus_one =
        attempt->step == STEP_SHARE ? JTGI_SAID_SHARE_FULL : JTGI_SAID_NONSENSE;
    return judge(attempt, fate, jtgi_said_by_script(reply, minus_one), reply);
}

static void hear(struct attempt *attempt, enum jtgi_fate fate, const redisReply *reply)
{
    enum { QUESTIONS_MAX = 4 };
    if (is_put_otherwise(attempt, fate, reply))
        return;
    attempt->verdict = judge_step(attempt, fate, reply);
    if (attempt->verdict == JTGI_VERDICT_NO && attempt->step == STEP_SET)
        begin_step(attempt, STEP_HOLD);
    else if (jtgi_verdict_asks_again(attempt->verdict) &&
             jtgi_request_may_repeat(&attempt->request) && ++attempt->questions < QUESTIONS_MAX)
        begin_question(attempt);
    else
        attempt->step = STEP_DONE;
}

/* What is said only when it is the last word. */
static void say_last(const struct attempt *attempt, enum jtgi_verdict verdict)
{
    if (verdict == JTGI_VERDICT_UNCONFIRMED)
        (void)jtgi_request_say_unconfirmed(&attempt->request);
    else if (verdict == JTGI_VERDICT_FORGOTTEN)
        (void)jtgi_request_say_forgotten(&attempt->request);
    else if (verdict == JTGI_VERDICT_DOUBTFUL)
        (void)jtg_error_set(attempt->request.err, JTG_ERR_CONTINUITY, 0,
                            "redis: the store may have forgotten reservations, just now");
}

/* The questions of a round stand in one row of bytes, which may move while it grows. */
static void put_questions(struct attempt *attempts, struct jtgi_errand *errands, size_t count,
                          struct jtgi_command *row)
{
    for (size_t i = 0; i < count; i++) {
        bool asks = attempts[i].step != STEP_DONE;
        size_t begin = row->len;
        if (asks)
            put_question(&attempts[i], row);
        errands[i].request = asks ? &attempts[i].request : NULL;
        errands[i].len = row->len - begin;
    }
    const unsigned char *at = row->bytes;
    for (size_t i = 0; i < count; i++) {
        errands[i].bytes = row->failed ? NULL : at;
        at += errands[i].len;
    }
}

static void ask(struct attempt *attempts, struct jtgi_errand *errands, size_t count)
{
    struct jtgi_command row;
    struct learnt learnt = {.marked = false};
    jtgi_command_init(&row);
    put_questions(attempts, errands, count, &row);
    jtgi_request_send_all(errands, count);
    jtgi_command_clear(&row);
    for (size_t i = 0; i < count; i++) {
        redisReply *reply = errands[i].reply;
        if (errands[i].request == NULL)
            continue;
        attempts[i].learnt = &learnt;
        hear(&attempts[i], errands[i].fate, reply);
        attempts[i].learnt = NULL;
        if (reply != NULL)
            freeReplyObject(reply);
    }
}

static bool is_done(const struct attempt *attempts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (attempts[i].step != STEP_DONE)
            return false;
    return true;
}

/* In rounds: what all of them ask next goes out together. */
static void hold_all(struct attempt *attempts, struct jtgi_errand *errands, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        attempts[i].questions = 0;
        begin_question(&attempts[i]);
    }
    while (!is_done(attempts, count))
        ask(attempts, errands, count);
}

static jtg_status outcome_of(const struct attempt *attempt)
{
    say_last(attempt, attempt->verdict);
    return jtgi_verdict_reserved(attempt->verdict, attempt->maybe_done, attempt->failure);
}

static jtg_status hold(struct attempt *attempt)
{
    struct jtgi_errand errand;
    hold_all(attempt, &errand, 1);
    return outcome_of(attempt);
}

jtg_status jtgi_redis_reserve(jtg_cache *self, const jtg_key *key, const jtg_owner *owner,
                              uint64_t ttl_ms, jtg_error *err)
{
    struct attempt attempt;
    attempt_init(&attempt, (struct jtgi_redis *)(void *)self, key, owner, ttl_ms, err);
    return hold(&attempt);
}

jtg_status jtgi_redis_reserve_kept(jtg_cache *self, const jtg_key *key, const jtg_owner *owner,
                                   uint64_t ttl_ms, int64_t kept_since_ms, jtg_error *err)
{
    struct attempt attempt;
    attempt_init(&attempt, (struct jtgi_redis *)(void *)self, key, owner, ttl_ms, err);
    /* The latest time that there is would read as "whatever it has forgotten". */
    attempt.kept_since_ms = kept_since_ms == JTGI_KEPT_ANY ? JTGI_KEPT_ANY - 1 : kept_since_ms;
    return hold(&attempt);
}

/* ---- many at once ---- */

static void begin_attempt(struct attempt *attempt, struct jtgi_redis *redis,
                          const jtg_reserve_call *call, int64_t deadline_ns)
{
    jtg_error *err = call->err != NULL ? call->err : &attempt->unasked;
    attempt_init(attempt, redis, &call->key, call->owner, call->ttl_ms, err);
    attempt->kept_since_ms = call->kept_since_ms;
    attempt->request.deadline_ns = deadline_ns;
}

static void refuse_all(jtg_reserve_call *const *calls, size_t count)
{
    for (size_t i = 0; i < count; i++)
        calls[i]->status =
            jtg_error_set(calls[i]->err, JTG_ERR_MEMORY, 0, "redis: no memory for so many at once");
}

void jtgi_redis_reserve_many(jtg_cache *self, jtg_reserve_call *const *calls, size_t count)
{
    struct jtgi_redis *redis = (struct jtgi_redis *)(void *)self;
    int64_t deadline_ns = jtgi_deadline_in_ms(redis->shared.config.options.timeout_ms);
    struct attempt *attempts = jtgi_alloc(count * (sizeof *attempts + sizeof(struct jtgi_errand)));
    if (attempts == NULL) {
        refuse_all(calls, count);
        return;
    }
    for (size_t i = 0; i < count; i++)
        begin_attempt(&attempts[i], redis, calls[i], deadline_ns);
    hold_all(attempts, (void *)(attempts + count), count);
    for (size_t i = 0; i < count; i++)
        calls[i]->status = outcome_of(&attempts[i]);
    jtgi_free(attempts);
}

/* ---- release ---- */

static enum jtgi_verdict judge_release(struct attempt *attempt, enum jtgi_fate fate,
                                       redisReply *reply)
{
    if (fate != JTGI_FATE_ANSWERED)
        return judge(attempt, fate, JTGI_SAID_NOTHING, NULL);
    enum jtgi_verdict verdict =
        judge(attempt, fate, jtgi_said_by_script(reply, JTGI_SAID_FREE), reply);
    if (reply != NULL)
        freeReplyObject(reply);
    return verdict;
}

static enum jtgi_fate send_release(struct attempt *attempt, redisReply **reply)
{
    struct jtgi_word_list words = {.count = 0};
    expect_kept(attempt, false, JTGI_KEPT_ANY);
    jtgi_words_add(&words, attempt->owner->bytes, sizeof attempt->owner->bytes);
    return jtgi_request_script(&attempt->request, JTGI_SCRIPT_RELEASE, &attempt->key, &words,
                               reply);
}

static enum jtgi_fate send_unshare(struct attempt *attempt, redisReply **reply)
{
    struct jtgi_share *share = &attempt->share;
    struct jtgi_word_list words = {.keys = share->key_len != 0};
    attempt->request.writes = true;
    attempt->request.watched = false;
    attempt->request.kept_since_ms = JTGI_KEPT_ANY;
    if (share->key_len != 0)
        jtgi_words_add(&words, share->key, share->key_len);
    jtgi_words_add(&words, attempt->owner->bytes, sizeof attempt->owner->bytes);
    jtgi_words_add(&words, share->member, sizeof share->member);
    jtgi_words_add(&words, share->group, share->key_len != 0 ? sizeof share->group : 0);
    return jtgi_request_script(&attempt->request, JTGI_SCRIPT_UNSHARE, &attempt->key, &words,
                               reply);
}

/* With shares every release looks whether the reservation is counted, whatever group is given. */
static enum jtgi_verdict ask_release(struct attempt *attempt)
{
    redisReply *reply = NULL;
    bool shared = attempt->shares->limit != 0;
    enum jtgi_fate fate = shared ? send_unshare(attempt, &reply) : send_release(attempt, &reply);
    if (shared && is_of_another_share(attempt, fate, reply)) {
        freeReplyObject(reply);
        reply = NULL;
        fate = send_unshare(attempt, &reply);
    }
    return judge_release(attempt, fate, reply);
}

/* A copy that comes late would delete what the same owner has reserved since, and the next owner
 * would be admitted. So it is not asked again while one may be under way: it has all of its time on
 * an idle connection, and when that is up its outcome is unknown. */
static jtg_status give_back(struct attempt *attempt)
{
    attempt->request.repeatable = false;
    enum jtgi_verdict verdict = ask_release(attempt);
    bool lost = verdict == JTGI_VERDICT_LOST || verdict == JTGI_VERDICT_NONSENSE;
    if (lost && attempt->request.answer.over && jtgi_request_may_repeat(&attempt->request))
        verdict = ask_release(attempt);
    say_last(attempt, verdict);
    return jtgi_verdict_released(verdict, lost, attempt->failure);
}

jtg_status jtgi_redis_release(jtg_cache *self, const jtg_key *key, const jtg_owner *owner,
                              jtg_error *err)
{
    struct attempt attempt;
    attempt_init(&attempt, (struct jtgi_redis *)(void *)self, key, owner, 0, err);
    return give_back(&attempt);
}

/* ---- ping ---- */

/* The policy may have been changed since the connection was made. */
static jtg_status check_gate(struct jtgi_request *request)
{
    const struct jtgi_redis_config *config = &request->route->shared->config;
    jtg_error *err = request->err;
    struct jtgi_command command;
    jtg_redis_server server = {0};
    redisReply *reply = NULL;
    jtgi_command_init(&command);
    jtgi_command_begin(&command, 1);
    jtgi_command_text(&command, "INFO");
    enum jtgi_fate fate = jtgi_request_read(request, &command, &reply);
    request->repeatable = true;
    jtgi_command_clear(&command);
    if (fate != JTGI_FATE_ANSWERED)
        return fate == JTGI_FATE_UNKNOWN ? JTG_ERR_UNAVAILABLE : err->status;
    jtg_status status = JTG_OK;
    if (reply->type == REDIS_REPLY_STRING) {
        jtgi_info_read(&server, reply->str, reply->len, jtgi_clock_wall_ms(&config->clock));
        status = jtgi_gate_judge(&server, config, err);
    } else {
        status = jtgi_request_reject(request, reply, JTG_ERR_PROTOCOL);
    }
    freeReplyObject(reply);
    return status;
}

enum { PROBE_TTL_MS = 1000 };

/* A key of its own that no caller's key can be, in a slot of these; false if no key of the cache
 * lies there (its prefix holds a hash tag). Random: where few slots are wanted it takes as many
 * tries. */
static bool find_probe(struct jtgi_redis *redis, const struct jtgi_slot_set *slots,
                       unsigned char bytes[], size_t mark_len, jtg_owner *owner)
{
    enum { TRIES_MAX = 8 * JTGI_SLOTS };
    jtg_key key = {bytes, mark_len + JTG_OWNER_BYTES, NULL, 0};
    struct jtgi_stored_key stored;
    for (unsigned tries = 0; tries < TRIES_MAX; tries++) {
        jtg_owner_generate(owner);
        memcpy(bytes + mark_len, owner->bytes, sizeof owner->bytes);
        jtgi_stored_reservation(&stored, &redis->shared.config, &key);
        if (jtgi_slot_set_has(slots, stored.slot))
            return true;
        if (jtgi_slot_is_tagged(redis->shared.config.options.prefix,
                                redis->shared.config.prefix_len))
            return false;
    }
    return false;
}

/* A real write: a full store still answers reads, and a replica still answers PING. */
static jtg_status ping_node(void *context, struct jtgi_node *node, int64_t deadline_ns,
                            jtg_error *err)
{
    struct jtgi_redis *redis = context;
    static const unsigned char mark[] = {0xff, 'p', ':'};
    unsigned char bytes[sizeof mark + JTG_OWNER_BYTES];
    jtg_key key = {bytes, sizeof bytes, NULL, 0};
    struct jtgi_slot_set slots;
    struct attempt attempt; /* one for all questions */
    jtg_owner owner;
    memcpy(bytes, mark, sizeof mark);
    jtgi_nodes_slots_of(&redis->route.nodes, node, &slots);
    if (!find_probe(redis, &slots, bytes, sizeof mark, &owner))
        return JTG_OK;
    attempt_init(&attempt, redis, &key, &owner, PROBE_TTL_MS, err);
    attempt.request.deadline_ns = deadline_ns;
    attempt.request.node = node;
    jtg_status status = check_gate(&attempt.request);
    if (status == JTG_OK)
        status = hold(&attempt);
    if (status == JTG_OK)
        status = give_back(&attempt);
    return status == JTG_NOT_FOUND ? JTG_OK : status;
}

/* Every primary, for a key may lie on any of them; within one deadline. */
jtg_status jtgi_redis_ping(jtg_cache *self, jtg_error *err)
{
    struct jtgi_redis *redis = (struct jtgi_redis *)(void *)self;
    int64_t deadline_ns = jtgi_deadline_in_ms(redis->shared.config.options.timeout_ms);
    return jtgi_route_each(&redis->route, deadline_ns, ping_node, redis, err);
}
