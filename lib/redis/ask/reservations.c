/* SPDX-License-Identifier: Apache-2.0 */
/* reserve, reserve_kept, release and ping: what is asked and said. What an answer means is decided
 * in verdict.c. */
#include "redis/ask/late_marking.h"
#include "redis/ask/store.h"
#include "redis/ask/verdict.h"
#include "redis/say/server/gate.h"
#include "redis/say/server/info.h"

#include "core/clock.h"

#include <stdio.h>
#include <string.h>

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
}

/* ---- what an answer comes to ---- */

static jtg_status say_unreadable(const struct attempt *attempt)
{
    const struct jtgi_error_row *row = attempt->request.answer.refusal;
    return jtg_error_set(attempt->request.err, row->status, 0,
                         "redis: what the store has kept cannot be read: %s", row->text);
}

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

static jtg_status say_moving(const struct attempt *attempt)
{
    return jtg_error_set(attempt->request.err, JTG_ERR_CONTINUITY, 0,
                         "redis: the slot of the key is being moved, and whether all of it was "
                         "kept cannot be known");
}

static jtg_status say_share_full(const struct attempt *attempt)
{
    return jtg_error_set(attempt->request.err, JTG_ERR_GROUP_FULL, 0,
                         "redis: the group has used up its share of the store");
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
        return say_unreadable(attempt);
    case JTGI_VERDICT_STORED:
    case JTGI_VERDICT_UNSAFE:
        return say_unsafe(attempt, verdict == JTGI_VERDICT_STORED);
    case JTGI_VERDICT_MOVING:
        return say_moving(attempt);
    case JTGI_VERDICT_SHARE_FULL:
        return say_share_full(attempt);
    case JTGI_VERDICT_UNMARKED:
        return jtgi_mark_late(&attempt->request, attempt->key.slot);
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

/* The reply is used up. */
static enum jtgi_verdict judge_script(struct attempt *attempt, enum jtgi_fate fate,
                                      redisReply *reply, enum jtgi_said minus_one)
{
    if (fate != JTGI_FATE_ANSWERED)
        return judge(attempt, fate, JTGI_SAID_NOTHING, NULL);
    enum jtgi_verdict verdict = judge(attempt, fate, jtgi_said_by_script(reply, minus_one), reply);
    if (reply != NULL)
        freeReplyObject(reply);
    return verdict;
}

/* ---- reserve ---- */

static enum jtgi_verdict ask_set(struct attempt *attempt)
{
    struct jtgi_command command;
    redisReply *reply = NULL;
    attempt->request.writes = true;
    attempt->request.watched = true;
    attempt->request.kept_since_ms = attempt->kept_since_ms;
    jtgi_command_init(&command);
    jtgi_command_reserve(&command, attempt->key.bytes, attempt->key.len, attempt->owner,
                         attempt->ttl_ms);
    enum jtgi_fate fate = jtgi_request_send(&attempt->request, &command, &reply);
    jtgi_command_clear(&command);
    if (fate != JTGI_FATE_ANSWERED)
        return judge(attempt, fate, JTGI_SAID_NOTHING, NULL);
    enum jtgi_verdict verdict = judge(attempt, fate, jtgi_said_to_set(reply), reply);
    if (reply != NULL)
        freeReplyObject(reply);
    return verdict;
}

static size_t format_number(char text[24], uint64_t number)
{
    return (size_t)snprintf(text, 24, "%llu", (unsigned long long)number);
}

/* It is never left out: that another holds the key stands, whatever the store has forgotten. */
static enum jtgi_verdict ask_script(struct attempt *attempt, enum jtgi_script script)
{
    char ttl[24];
    struct jtgi_word_list words = {.count = 0};
    redisReply *reply = NULL;
    attempt->request.writes = true;
    attempt->request.watched = script == JTGI_SCRIPT_HOLD;
    attempt->request.kept_since_ms = JTGI_KEPT_ANY;
    jtgi_words_add(&words, attempt->owner->bytes, sizeof attempt->owner->bytes);
    if (script == JTGI_SCRIPT_HOLD) {
        jtgi_words_add(&words, ttl, format_number(ttl, attempt->ttl_ms));
    }
    enum jtgi_fate fate =
        jtgi_request_script(&attempt->request, script, &attempt->key, &words, &reply);
    return judge_script(attempt, fate, reply,
                        script == JTGI_SCRIPT_RELEASE ? JTGI_SAID_FREE : JTGI_SAID_NONSENSE);
}

/* ---- with a share of the group ---- */

static enum jtgi_fate send_share(struct attempt *attempt, redisReply **reply)
{
    char ttl[24];
    char most[24];
    struct jtgi_share *share = &attempt->share;
    struct jtgi_word_list words = {.keys = 1};
    attempt->request.writes = true;
    attempt->request.watched = true;
    attempt->request.kept_since_ms = attempt->kept_since_ms;
    jtgi_words_add(&words, share->key, share->key_len);
    jtgi_words_add(&words, attempt->owner->bytes, sizeof attempt->owner->bytes);
    jtgi_words_add(&words, ttl, format_number(ttl, attempt->ttl_ms));
    jtgi_words_add(&words, share->member, sizeof share->member);
    jtgi_words_add(&words, share->group, sizeof share->group);
    jtgi_words_add(&words, most, format_number(most, attempt->shares->limit));
    return jtgi_request_script(&attempt->request, JTGI_SCRIPT_SHARE, &attempt->key, &words, reply);
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

/* The reservation is ours, and names the group that it is counted for: another than the one that is
 * given now. Then it is done again with that one. */
static bool is_of_another_share(struct attempt *attempt, enum jtgi_fate fate,
                                const redisReply *reply)
{
    return fate == JTGI_FATE_ANSWERED && reply != NULL && reply->type == REDIS_REPLY_STRING &&
           jtgi_share_rename(&attempt->share, attempt->shares, attempt->key.slot, reply->str,
                             reply->len);
}

static enum jtgi_fate ask_of_share(struct attempt *attempt,
                                   enum jtgi_fate (*send)(struct attempt *, redisReply **),
                                   redisReply **reply)
{
    enum jtgi_fate fate = send(attempt, reply);
    if (!is_of_another_share(attempt, fate, *reply))
        return fate;
    freeReplyObject(*reply);
    *reply = NULL;
    return send(attempt, reply);
}

/* One question in place of two: the script knows whose the key is when it is not free. */
static enum jtgi_verdict ask_share(struct attempt *attempt)
{
    redisReply *reply = NULL;
    enum jtgi_fate fate = ask_of_share(attempt, send_share, &reply);
    return judge_script(attempt, fate, reply, JTGI_SAID_SHARE_FULL);
}

/* With shares every release looks whether the reservation is counted, whatever group is given. */
static enum jtgi_verdict ask_release(struct attempt *attempt)
{
    redisReply *reply = NULL;
    if (attempt->shares->limit == 0)
        return ask_script(attempt, JTGI_SCRIPT_RELEASE);
    enum jtgi_fate fate = ask_of_share(attempt, send_unshare, &reply);
    return judge_script(attempt, fate, reply, JTGI_SAID_FREE);
}

static void say_forgotten(const struct attempt *attempt)
{
    char since[JTGI_MOMENT_BYTES];
    jtgi_marker_since_format(attempt->request.answer.since_ms, since);
    (void)jtg_error_set(attempt->request.err, JTG_ERR_CONTINUITY, 0,
                        "redis: the store has kept everything only since %s, and the key may "
                        "have been used before",
                        since);
}

/* What is said only when it is the last word. */
static void say_last(const struct attempt *attempt, enum jtgi_verdict verdict)
{
    if (verdict == JTGI_VERDICT_UNCONFIRMED)
        (void)jtgi_request_say_unconfirmed(&attempt->request);
    else if (verdict == JTGI_VERDICT_FORGOTTEN)
        say_forgotten(attempt);
    else if (verdict == JTGI_VERDICT_DOUBTFUL)
        (void)jtg_error_set(attempt->request.err, JTG_ERR_CONTINUITY, 0,
                            "redis: the store may have forgotten reservations, just now");
}

/* Free: take it. Held: by whom? It may be we, asked twice or after a lost reply. The second
 * question decides in any case: it takes a key that has become free meanwhile. */
static jtg_status hold(struct attempt *attempt)
{
    enum { QUESTIONS_MAX = 4 };
    enum jtgi_verdict verdict = JTGI_VERDICT_UNSENT;
    for (unsigned questions = 0; questions < QUESTIONS_MAX; questions++) {
        verdict = attempt->share.key_len != 0 ? ask_share(attempt) : ask_set(attempt);
        if (verdict == JTGI_VERDICT_NO && attempt->share.key_len == 0)
            verdict = ask_script(attempt, JTGI_SCRIPT_HOLD);
        if (!jtgi_verdict_asks_again(verdict) || !jtgi_request_may_repeat(&attempt->request))
            break;
    }
    say_last(attempt, verdict);
    return jtgi_verdict_reserved(verdict, attempt->maybe_done, attempt->failure);
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

/* ---- release ---- */

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
