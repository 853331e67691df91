/* SPDX-License-Identifier: Apache-2.0 */
/* reserve, reserve_kept, release and ping. */
#include "redis/gate.h"
#include "redis/info.h"
#include "redis/late_marking.h"
#include "redis/store.h"

#include "core/clock.h"

#include <stdio.h>
#include <string.h>

/* What one question answered. */
enum answer {
    ANSWER_YES,
    ANSWER_NO,
    ANSWER_FREE,        /* release only: nobody holds it */
    ANSWER_UNKNOWN,     /* maybe done: only the same owner may ask again */
    ANSWER_DOUBTFUL,    /* maybe done, maybe forgotten since: likewise */
    ANSWER_FORGOTTEN,   /* the store has not kept what the caller needs */
    ANSWER_UNCONFIRMED, /* done, but too few replicas have it */
    ANSWER_FAILED       /* certainly not done; the status says why */
};

/* An attempt to hold one key. */
struct attempt {
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
    jtgi_request_init(&attempt->request, redis, redis->config.options.timeout_ms, err);
    jtgi_stored_reservation(&attempt->key, redis, key);
    jtgi_share_of(&attempt->share, &redis->shares, key, &attempt->key);
    jtgi_request_aim(&attempt->request, &attempt->key);
    attempt->request.repeatable = true; /* its owner decides, however often it is asked */
    attempt->owner = owner;
    attempt->ttl_ms = ttl_ms;
    attempt->kept_since_ms = JTGI_KEPT_ANY;
    attempt->maybe_done = false;
    attempt->failure = JTG_OK;
}

static bool needs_kept(const struct attempt *attempt)
{
    return attempt->kept_since_ms != JTGI_KEPT_ANY;
}

/* No reply came. */
static enum answer answer_of_fate(struct attempt *attempt, enum jtgi_fate fate)
{
    attempt->failure = attempt->request.err->status;
    return fate == JTGI_FATE_UNKNOWN ? ANSWER_UNKNOWN : ANSWER_FAILED;
}

/* A reply came that answers nothing. An error has done nothing; anything else leaves it open. */
static enum answer answer_of_reject(struct attempt *attempt, const redisReply *reply)
{
    const struct jtgi_error_row *row = jtgi_reply_error(reply);
    if (row != NULL && row->next == JTGI_NEXT_ASK && needs_kept(attempt)) {
        attempt->failure =
            jtg_error_set(attempt->request.err, JTG_ERR_CONTINUITY, 0,
                          "redis: the slot of the key is being moved, and whether all "
                          "of it was kept cannot be known");
        return ANSWER_FAILED;
    }
    attempt->failure = jtgi_request_reject(&attempt->request, reply, JTG_ERR_TIMEOUT);
    return row != NULL ? ANSWER_FAILED : ANSWER_UNKNOWN;
}

/* ---- what a yes is worth ---- */

static enum answer weigh_kept(struct attempt *attempt, bool acted)
{
    if (attempt->request.answer.since_ms > attempt->kept_since_ms)
        return ANSWER_FORGOTTEN;
    if (!acted) /* left out, by what was known before */
        return ANSWER_DOUBTFUL;
    return jtgi_request_is_confirmed(&attempt->request) ? ANSWER_YES : ANSWER_UNCONFIRMED;
}

static enum answer weigh_unmarked(struct attempt *attempt)
{
    if (attempt->request.detoured) /* it was another slot that was looked at */
        return ANSWER_DOUBTFUL;
    jtg_status status = jtgi_mark_late(&attempt->request, attempt->key.slot);
    if (status == JTG_OK)
        return ANSWER_DOUBTFUL;
    attempt->failure = status;
    return ANSWER_FAILED;
}

/* The marker, or INFO, could not be read: nothing is proven. What was left out is refused by what
 * the server said; what may be stored is asked for again, and then its owner may. */
static enum answer weigh_refused(struct attempt *attempt, bool acted)
{
    const struct jtgi_error_row *row = attempt->request.answer.refusal;
    attempt->failure =
        jtg_error_set(attempt->request.err, row->status, 0,
                      "redis: what the store has kept cannot be read: %s", row->text);
    return acted ? ANSWER_UNKNOWN : ANSWER_FAILED;
}

/* The contract has it that nothing is stored where the answer is JTG_ERR_UNSAFE. To give it back
 * here could take it from the same owner, who was admitted by an answer of a moment before: so it
 * stays, and whether it was done is unknown until its owner asks again. */
static enum answer weigh_unsafe(struct attempt *attempt, bool acted)
{
    attempt->failure = jtg_error_set(
        attempt->request.err, acted ? JTG_ERR_TIMEOUT : JTG_ERR_UNSAFE, 0,
        "redis: the server's configuration was changed: it may evict live entries, or has no "
        "append-only file any more%s",
        acted ? ": it is stored, and its owner may ask again when that is mended" : "");
    return ANSWER_FAILED;
}

/* The server said yes, or was not asked (then it has not acted). What does that prove? */
static enum answer weigh(struct attempt *attempt, bool acted)
{
    attempt->maybe_done = attempt->maybe_done || acted;
    switch (attempt->request.answer.sight) {
    case JTGI_SIGHT_LOST:
        return ANSWER_DOUBTFUL;
    case JTGI_SIGHT_UNSAFE:
        return weigh_unsafe(attempt, acted);
    case JTGI_SIGHT_REFUSED:
        if (needs_kept(attempt) || attempt->request.answer.refusal->class != JTGI_CLASS_CLUSTER)
            return weigh_refused(attempt, acted);
        break;
    case JTGI_SIGHT_UNMARKED:
        if (needs_kept(attempt))
            return weigh_unmarked(attempt);
        break;
    case JTGI_SIGHT_ELSEWHERE:
        if (needs_kept(attempt))
            return ANSWER_DOUBTFUL;
        break;
    case JTGI_SIGHT_KEPT:
        return weigh_kept(attempt, acted);
    case JTGI_SIGHT_NONE:
        break;
    }
    return jtgi_request_is_confirmed(&attempt->request) ? ANSWER_YES : ANSWER_UNCONFIRMED;
}

/* ---- reserve ---- */

static enum answer answer_of_set(struct attempt *attempt, const redisReply *reply)
{
    if (reply == NULL)
        return weigh(attempt, false);
    if (jtgi_reply_is_ok(reply))
        return weigh(attempt, true);
    return jtgi_reply_is_nil(reply) ? ANSWER_NO : answer_of_reject(attempt, reply);
}

static enum answer ask_set(struct attempt *attempt)
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
        return answer_of_fate(attempt, fate);
    enum answer answer = answer_of_set(attempt, reply);
    if (reply != NULL)
        freeReplyObject(reply);
    return answer;
}

/* An integer: 1 yes, 0 another's; from release also -1 for a free key. */
static enum answer answer_of_script(struct attempt *attempt, enum jtgi_script script,
                                    const redisReply *reply)
{
    long long number = 0;
    bool releases = script == JTGI_SCRIPT_RELEASE;
    if (!jtgi_reply_integer(reply, releases ? -1 : 0, 1, &number))
        return answer_of_reject(attempt, reply);
    if (number < 1)
        return number == 0 ? ANSWER_NO : ANSWER_FREE;
    if (!releases)
        return weigh(attempt, true);
    return jtgi_request_is_confirmed(&attempt->request) ? ANSWER_YES : ANSWER_UNCONFIRMED;
}

static size_t format_number(char text[24], uint64_t number)
{
    return (size_t)snprintf(text, 24, "%llu", (unsigned long long)number);
}

/* It is never left out: that another holds the key stands, whatever the store has forgotten. */
static enum answer ask_script(struct attempt *attempt, enum jtgi_script script)
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
    if (fate != JTGI_FATE_ANSWERED)
        return answer_of_fate(attempt, fate);
    enum answer answer = answer_of_script(attempt, script, reply);
    freeReplyObject(reply);
    return answer;
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
    jtgi_words_add(&words, most, format_number(most, attempt->request.redis->shares.limit));
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
    const struct jtgi_shares *shares = &attempt->request.redis->shares;
    return fate == JTGI_FATE_ANSWERED && reply != NULL && reply->type == REDIS_REPLY_STRING &&
           jtgi_share_rename(&attempt->share, shares, attempt->key.slot, reply->str, reply->len);
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

static enum answer answer_of_share(struct attempt *attempt, const redisReply *reply)
{
    long long number = 0;
    if (reply == NULL)
        return weigh(attempt, false);
    if (!jtgi_reply_integer(reply, -1, 1, &number))
        return answer_of_reject(attempt, reply);
    if (number >= 0)
        return number == 1 ? weigh(attempt, true) : ANSWER_NO;
    attempt->failure = jtg_error_set(attempt->request.err, JTG_ERR_GROUP_FULL, 0,
                                     "redis: the group has used up its share of the store");
    return ANSWER_FAILED;
}

/* One question in place of two: the script knows whose the key is when it is not free. */
static enum answer ask_share(struct attempt *attempt)
{
    redisReply *reply = NULL;
    enum jtgi_fate fate = ask_of_share(attempt, send_share, &reply);
    if (fate != JTGI_FATE_ANSWERED)
        return answer_of_fate(attempt, fate);
    enum answer answer = answer_of_share(attempt, reply);
    if (reply != NULL)
        freeReplyObject(reply);
    return answer;
}

/* With shares every release looks whether the reservation is counted, whatever group is given. */
static enum answer ask_release(struct attempt *attempt)
{
    redisReply *reply = NULL;
    if (attempt->request.redis->shares.limit == 0)
        return ask_script(attempt, JTGI_SCRIPT_RELEASE);
    enum jtgi_fate fate = ask_of_share(attempt, send_unshare, &reply);
    if (fate != JTGI_FATE_ANSWERED)
        return answer_of_fate(attempt, fate);
    enum answer answer = answer_of_script(attempt, JTGI_SCRIPT_RELEASE, reply);
    freeReplyObject(reply);
    return answer;
}

/* Free: take it. Held: by whom? It may be we, asked twice or after a lost reply. The second
 * question decides in any case: it takes a key that has become free meanwhile. */
static enum answer ask_once(struct attempt *attempt)
{
    if (attempt->share.key_len != 0)
        return ask_share(attempt);
    enum answer answer = ask_set(attempt);
    return answer == ANSWER_NO ? ask_script(attempt, JTGI_SCRIPT_HOLD) : answer;
}

static jtg_status say_forgotten(struct attempt *attempt, enum answer answer)
{
    char since[JTGI_MOMENT_BYTES];
    jtg_error *err = attempt->request.err;
    if (answer == ANSWER_DOUBTFUL)
        return jtg_error_set(err, JTG_ERR_CONTINUITY, 0,
                             "redis: the store may have forgotten reservations, just now");
    jtgi_marker_since_format(attempt->request.answer.since_ms, since);
    return jtg_error_set(err, JTG_ERR_CONTINUITY, 0,
                         "redis: the store has kept everything only since %s, and the key may "
                         "have been used before",
                         since);
}

/* Was one of the questions lost, the key may be ours: then no failure is certain. */
static jtg_status settle(struct attempt *attempt, enum answer answer)
{
    switch (answer) {
    case ANSWER_YES:
        return JTG_OK;
    case ANSWER_NO:
        return JTG_REPLAYED;
    case ANSWER_DOUBTFUL:
    case ANSWER_FORGOTTEN:
        return say_forgotten(attempt, answer);
    case ANSWER_UNCONFIRMED:
        return jtgi_request_say_unconfirmed(&attempt->request);
    default:
        break;
    }
    return attempt->maybe_done ? JTG_ERR_TIMEOUT : attempt->failure;
}

static jtg_status hold(struct attempt *attempt)
{
    enum { QUESTIONS_MAX = 4 };
    enum answer answer = ANSWER_FAILED;
    for (unsigned questions = 0; questions < QUESTIONS_MAX; questions++) {
        answer = ask_once(attempt);
        attempt->maybe_done = attempt->maybe_done || answer == ANSWER_UNKNOWN;
        bool again = answer == ANSWER_UNKNOWN || answer == ANSWER_DOUBTFUL;
        if (!again || !jtgi_request_may_repeat(&attempt->request))
            break;
    }
    return settle(attempt, answer);
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
    enum answer answer = ask_release(attempt);
    bool lost = answer == ANSWER_UNKNOWN;
    if (lost && attempt->request.answer.over && jtgi_request_may_repeat(&attempt->request))
        answer = ask_release(attempt);
    if (answer == ANSWER_YES)
        return JTG_OK;
    /* Gone, and we asked before: it was we, or its time ended. It is given back either way. */
    if (answer == ANSWER_FREE)
        return lost ? JTG_OK : JTG_NOT_FOUND;
    if (answer == ANSWER_NO)
        return JTG_NOT_OWNER;
    if (answer == ANSWER_UNCONFIRMED)
        return jtgi_request_say_unconfirmed(&attempt->request);
    return lost ? JTG_ERR_TIMEOUT : attempt->failure;
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
    struct jtgi_redis *redis = request->redis;
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
        jtgi_info_read(&server, reply->str, reply->len, jtgi_clock_wall_ms(&redis->config.clock));
        status = jtgi_gate_judge(&server, &redis->config.options, err);
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
        jtgi_stored_reservation(&stored, redis, &key);
        if (jtgi_slot_set_has(slots, stored.slot))
            return true;
        if (jtgi_slot_is_tagged(redis->config.options.prefix, redis->config.prefix_len))
            return false;
    }
    return false;
}

/* A real write: a full store still answers reads, and a replica still answers PING. */
static jtg_status ping_node(struct jtgi_redis *redis, struct jtgi_node *node, int64_t deadline_ns,
                            jtg_error *err)
{
    static const unsigned char mark[] = {0xff, 'p', ':'};
    unsigned char bytes[sizeof mark + JTG_OWNER_BYTES];
    jtg_key key = {bytes, sizeof bytes, NULL, 0};
    struct jtgi_slot_set slots;
    struct attempt attempt; /* one for all questions */
    jtg_owner owner;
    memcpy(bytes, mark, sizeof mark);
    jtgi_nodes_slots_of(&redis->nodes, node, &slots);
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
    struct jtgi_node *held[JTG_REDIS_NODES_LIMIT];
    unsigned count = 0;
    int64_t deadline_ns = jtgi_deadline_in_ms(redis->config.options.timeout_ms);
    jtg_status status = jtgi_redis_hold_primaries(redis, deadline_ns, held, &count, err);
    for (unsigned i = 0; i < count && status == JTG_OK; i++)
        status = ping_node(redis, held[i], deadline_ns, err);
    jtgi_nodes_let_go_all(&redis->nodes, held, count);
    return status;
}
