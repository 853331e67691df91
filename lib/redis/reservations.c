/* SPDX-License-Identifier: Apache-2.0 */
/* reserve, release and ping. */
#include "redis/gate.h"
#include "redis/info.h"
#include "redis/store.h"

#include "core/clock.h"

#include <stdio.h>
#include <string.h>

/* What one question answered. */
enum answer {
    ANSWER_YES,
    ANSWER_NO,
    ANSWER_FREE,    /* release only: nobody holds it */
    ANSWER_UNKNOWN, /* maybe done: only the same owner may ask again */
    ANSWER_FAILED   /* certainly not done; the status says why */
};

/* An attempt to hold one key. */
struct attempt {
    struct jtgi_request request;
    struct jtgi_stored_key key;
    const jtg_owner *owner;
    uint64_t ttl_ms;
    jtg_status failure;
};

static void attempt_init(struct attempt *attempt, struct jtgi_redis *redis, const jtg_key *key,
                         const jtg_owner *owner, uint64_t ttl_ms, jtg_error *err)
{
    jtgi_request_init(&attempt->request, redis, redis->config.options.timeout_ms, err);
    jtgi_stored_reservation(&attempt->key, redis, key);
    attempt->owner = owner;
    attempt->ttl_ms = ttl_ms;
    attempt->failure = JTG_OK;
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
    attempt->failure = jtgi_request_reject(&attempt->request, reply, JTG_ERR_TIMEOUT);
    return jtgi_reply_error(reply) != NULL ? ANSWER_FAILED : ANSWER_UNKNOWN;
}

/* ---- reserve ---- */

static enum answer ask_set(struct attempt *attempt)
{
    struct jtgi_command command;
    redisReply *reply = NULL;
    jtgi_command_init(&command);
    jtgi_command_reserve(&command, attempt->key.bytes, attempt->key.len, attempt->owner,
                         attempt->ttl_ms);
    enum jtgi_fate fate = jtgi_request_send(&attempt->request, &command, &reply);
    jtgi_command_clear(&command);
    if (fate != JTGI_FATE_ANSWERED)
        return answer_of_fate(attempt, fate);
    enum answer answer = jtgi_reply_is_ok(reply)    ? ANSWER_YES
                         : jtgi_reply_is_nil(reply) ? ANSWER_NO
                                                    : answer_of_reject(attempt, reply);
    freeReplyObject(reply);
    return answer;
}

/* hold and release answer alike: 1 yes, 0 another's; release also -1 for a free key. */
static enum answer ask_script(struct attempt *attempt, enum jtgi_script script)
{
    char ttl[24];
    struct jtgi_word_list words = {.count = 0};
    redisReply *reply = NULL;
    long long number = 0;
    long long lowest = script == JTGI_SCRIPT_RELEASE ? -1 : 0;
    jtgi_words_add(&words, attempt->owner->bytes, sizeof attempt->owner->bytes);
    if (script == JTGI_SCRIPT_HOLD) {
        int len = snprintf(ttl, sizeof ttl, "%llu", (unsigned long long)attempt->ttl_ms);
        jtgi_words_add(&words, ttl, (size_t)len);
    }
    enum jtgi_fate fate =
        jtgi_request_script(&attempt->request, script, &attempt->key, &words, &reply);
    if (fate != JTGI_FATE_ANSWERED)
        return answer_of_fate(attempt, fate);
    enum answer answer = !jtgi_reply_integer(reply, lowest, 1, &number)
                             ? answer_of_reject(attempt, reply)
                         : number == 1 ? ANSWER_YES
                         : number == 0 ? ANSWER_NO
                                       : ANSWER_FREE;
    freeReplyObject(reply);
    return answer;
}

/* Free: take it. Held: by whom? It may be we, asked twice or after a lost reply. The second
 * question decides in any case: it takes a key that has become free meanwhile. */
static enum answer ask_once(struct attempt *attempt)
{
    enum answer answer = ask_set(attempt);
    return answer == ANSWER_NO ? ask_script(attempt, JTGI_SCRIPT_HOLD) : answer;
}

/* Was one of the questions lost, the key may be ours: then no failure is certain. */
static jtg_status settle(struct attempt *attempt, enum answer answer, bool lost)
{
    if (answer == ANSWER_YES)
        return JTG_OK;
    if (answer == ANSWER_NO)
        return JTG_REPLAYED;
    return lost ? JTG_ERR_TIMEOUT : attempt->failure;
}

static jtg_status hold(struct attempt *attempt)
{
    enum { QUESTIONS_MAX = 4 };
    bool lost = false;
    enum answer answer = ANSWER_FAILED;
    for (unsigned questions = 0; questions < QUESTIONS_MAX; questions++) {
        answer = ask_once(attempt);
        lost = lost || answer == ANSWER_UNKNOWN;
        if (answer != ANSWER_UNKNOWN || !jtgi_request_may_repeat(&attempt->request))
            break;
    }
    return settle(attempt, answer, lost);
}

jtg_status jtgi_redis_reserve(jtg_cache *self, const jtg_key *key, const jtg_owner *owner,
                              uint64_t ttl_ms, jtg_error *err)
{
    struct attempt attempt;
    attempt_init(&attempt, (struct jtgi_redis *)(void *)self, key, owner, ttl_ms, err);
    return hold(&attempt);
}

/* ---- release ---- */

static jtg_status give_back(struct attempt *attempt)
{
    enum answer answer = ask_script(attempt, JTGI_SCRIPT_RELEASE);
    bool lost = answer == ANSWER_UNKNOWN;
    if (lost && jtgi_request_may_repeat(&attempt->request))
        answer = ask_script(attempt, JTGI_SCRIPT_RELEASE);
    if (answer == ANSWER_YES)
        return JTG_OK;
    /* Gone, and we asked before: it was we, or its time ended. It is given back either way. */
    if (answer == ANSWER_FREE)
        return lost ? JTG_OK : JTG_NOT_FOUND;
    if (answer == ANSWER_NO)
        return JTG_NOT_OWNER;
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
static jtg_status check_gate(const struct jtgi_request *request)
{
    struct jtgi_redis *redis = request->redis;
    jtg_error *err = request->err;
    struct jtgi_command command;
    jtg_redis_server server = {0};
    redisReply *reply = NULL;
    jtgi_command_init(&command);
    jtgi_command_begin(&command, 1);
    jtgi_command_text(&command, "INFO");
    enum jtgi_fate fate = jtgi_request_send(request, &command, &reply);
    jtgi_command_clear(&command);
    if (fate != JTGI_FATE_ANSWERED)
        return fate == JTGI_FATE_UNKNOWN ? JTG_ERR_UNAVAILABLE : err->status;
    jtg_status status = JTG_OK;
    if (reply->type == REDIS_REPLY_STRING) {
        jtgi_info_read(&server, reply->str, reply->len, jtgi_clock_wall_ms(&redis->config.clock));
        status = jtgi_gate_judge(&server, redis->config.options.allow_eviction != 0, err);
    } else {
        status = jtgi_request_reject(request, reply, JTG_ERR_PROTOCOL);
    }
    freeReplyObject(reply);
    return status;
}

/* A real write: a full store still answers reads, and a replica still answers PING. The probe is
 * a reservation under a key of its own that no caller's key can be. */
jtg_status jtgi_redis_ping(jtg_cache *self, jtg_error *err)
{
    enum { PROBE_TTL_MS = 1000 };
    static const unsigned char mark[] = {0xff, 'p', ':'};
    unsigned char bytes[sizeof mark + JTG_OWNER_BYTES];
    jtg_key key = {bytes, sizeof bytes, NULL, 0};
    struct attempt attempt; /* one for all questions: they share a deadline */
    jtg_owner owner;
    jtg_owner_generate(&owner);
    memcpy(bytes, mark, sizeof mark);
    memcpy(bytes + sizeof mark, owner.bytes, sizeof owner.bytes);

    attempt_init(&attempt, (struct jtgi_redis *)(void *)self, &key, &owner, PROBE_TTL_MS, err);
    jtg_status status = check_gate(&attempt.request);
    if (status == JTG_OK)
        status = hold(&attempt);
    if (status == JTG_OK)
        status = give_back(&attempt);
    return status == JTG_NOT_FOUND ? JTG_OK : status;
}
