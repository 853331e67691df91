/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/ask/attempt.h"

#include <jtiguard/status.h>
#include <stdio.h>

void jtgi_attempt_init(struct jtgi_attempt *attempt, struct jtgi_redis *redis, const jtg_key *key,
                       const jtg_owner *owner, uint64_t ttl_ms, jtg_error *err)
{
    attempt->unasked = (jtg_error)JTG_ERROR_INIT;
    jtgi_request_init(&attempt->request, &redis->route, redis->shared.config.options.timeout_ms,
                      err != NULL ? err : &attempt->unasked);
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
    attempt->gives_back = false;
    attempt->step = JTGI_STEP_DONE;
}

/* The latest time that there is would read as "whatever it has forgotten". */
void jtgi_attempt_need_kept(struct jtgi_attempt *attempt, int64_t kept_since_ms)
{
    attempt->kept_since_ms = kept_since_ms == JTGI_KEPT_ANY ? JTGI_KEPT_ANY - 1 : kept_since_ms;
}

/* ---- what an answer comes to ---- */

/* The contract has it that nothing is stored where the answer is JTG_ERR_UNSAFE. To give it back
 * here could take it from the same owner, who was admitted by an answer of a moment before: so it
 * stays, and whether it was done is unknown until its owner asks again. */
static jtg_status say_unsafe(const struct jtgi_attempt *attempt, bool stored)
{
    return jtg_error_set(
        attempt->request.err, stored ? JTG_ERR_TIMEOUT : JTG_ERR_UNSAFE, 0,
        "redis: the server's configuration was changed: it may evict live entries, or has no "
        "append-only file any more%s",
        stored ? ": it is stored, and its owner may ask again when that is mended" : "");
}

static jtg_status say_share_full(const struct jtgi_attempt *attempt)
{
    return jtg_error_set(attempt->request.err, JTG_ERR_GROUP_FULL, 0,
                         "redis: the group has used up its share of the store");
}

/* What there is to say at once, before it is asked again. */
static jtg_status say_failure(const struct jtgi_attempt *attempt, enum jtgi_verdict verdict,
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
    default:
        return attempt->failure;
    }
}

static enum jtgi_verdict judge(struct jtgi_attempt *attempt, enum jtgi_fate fate,
                               enum jtgi_said said, const redisReply *reply)
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
    attempt->failure = say_failure(attempt, verdict, reply);
    return verdict;
}

/* ---- what is asked ---- */

static void expect_kept(struct jtgi_attempt *attempt, bool watched, int64_t kept_since_ms)
{
    attempt->request.writes = true;
    attempt->request.watched = watched;
    attempt->request.kept_since_ms = kept_since_ms;
}

static size_t format_number(char text[24], uint64_t number)
{
    return (size_t)snprintf(text, 24, "%llu", (unsigned long long)number);
}

static void put_set(struct jtgi_attempt *attempt, struct jtgi_command *command)
{
    expect_kept(attempt, true, attempt->kept_since_ms);
    jtgi_command_reserve(command, attempt->key.bytes, attempt->key.len, attempt->owner,
                         attempt->ttl_ms);
}

/* It is never left out: that another holds the key stands, whatever the store has forgotten. */
static void put_hold(struct jtgi_attempt *attempt, struct jtgi_command *command)
{
    char ttl[24];
    struct jtgi_word_list words = {.count = 0};
    expect_kept(attempt, true, JTGI_KEPT_ANY);
    jtgi_words_add(&words, attempt->owner->bytes, sizeof attempt->owner->bytes);
    jtgi_words_add(&words, ttl, format_number(ttl, attempt->ttl_ms));
    jtgi_script_command(command, JTGI_SCRIPT_HOLD, attempt->in_full, &attempt->key, &words);
}

/* One question in place of two: the script knows whose the key is when it is not free. */
static void put_share(struct jtgi_attempt *attempt, struct jtgi_command *command)
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

/* Back to nobody: a script too, for it must be ours. */
static void put_release(struct jtgi_attempt *attempt, struct jtgi_command *command)
{
    struct jtgi_word_list words = {.count = 0};
    expect_kept(attempt, false, JTGI_KEPT_ANY);
    jtgi_words_add(&words, attempt->owner->bytes, sizeof attempt->owner->bytes);
    jtgi_script_command(command, JTGI_SCRIPT_RELEASE, attempt->in_full, &attempt->key, &words);
}

/* With shares every release looks whether the reservation is counted, whatever group is given. */
static void put_unshare(struct jtgi_attempt *attempt, struct jtgi_command *command)
{
    struct jtgi_share *share = &attempt->share;
    struct jtgi_word_list words = {.keys = share->key_len != 0};
    expect_kept(attempt, false, JTGI_KEPT_ANY);
    if (share->key_len != 0)
        jtgi_words_add(&words, share->key, share->key_len);
    jtgi_words_add(&words, attempt->owner->bytes, sizeof attempt->owner->bytes);
    jtgi_words_add(&words, share->member, sizeof share->member);
    jtgi_words_add(&words, share->group, share->key_len != 0 ? sizeof share->group : 0);
    jtgi_script_command(command, JTGI_SCRIPT_UNSHARE, attempt->in_full, &attempt->key, &words);
}

void jtgi_attempt_put(struct jtgi_attempt *attempt, struct jtgi_command *command)
{
    if (attempt->step == JTGI_STEP_SET)
        put_set(attempt, command);
    else if (attempt->step == JTGI_STEP_HOLD)
        put_hold(attempt, command);
    else if (attempt->step == JTGI_STEP_SHARE)
        put_share(attempt, command);
    else if (attempt->shares->limit != 0)
        put_unshare(attempt, command);
    else
        put_release(attempt, command);
}

/* ---- what is asked next ---- */

/* The reservation is ours, and names the group that it is counted for: another than the one that is
 * given now. Then it is done again with that one. */
static bool is_of_another_share(struct jtgi_attempt *attempt, enum jtgi_fate fate,
                                const redisReply *reply)
{
    return attempt->shares->limit != 0 && fate == JTGI_FATE_ANSWERED && reply != NULL &&
           reply->type == REDIS_REPLY_STRING &&
           jtgi_share_rename(&attempt->share, attempt->shares, attempt->key.slot, reply->str,
                             reply->len);
}

/* Free: take it. Held: by whom? It may be we, asked twice or after a lost reply. The second
 * question decides in any case: it takes a key that has become free meanwhile. */
static void begin_step(struct jtgi_attempt *attempt, enum jtgi_step step)
{
    attempt->step = step;
    attempt->in_full = false;
    attempt->renamed = false;
}

static void begin_question(struct jtgi_attempt *attempt)
{
    begin_step(attempt, attempt->share.key_len != 0 ? JTGI_STEP_SHARE : JTGI_STEP_SET);
}

/* To hold it, until it is. */
void jtgi_attempt_hold(struct jtgi_attempt *attempt)
{
    attempt->questions = 0;
    begin_question(attempt);
}

/* A copy that comes late would delete what the same owner has reserved since, and the next owner
 * would be admitted. So it is not asked again while one may be under way: it has all of its time on
 * an idle connection, and when that is up its outcome is unknown. */
void jtgi_attempt_give_back(struct jtgi_attempt *attempt)
{
    attempt->request.repeatable = false;
    attempt->gives_back = true;
    attempt->lost = false;
    attempt->questions = 0;
    begin_step(attempt, JTGI_STEP_GIVE_BACK);
}

/* The same once more, in other words? */
static bool is_put_otherwise(struct jtgi_attempt *attempt, enum jtgi_fate fate,
                             const redisReply *reply)
{
    if (attempt->step == JTGI_STEP_SET)
        return false;
    if (!attempt->in_full && jtgi_script_is_unknown(fate, reply)) {
        attempt->in_full = true;
        return true;
    }
    if (attempt->step == JTGI_STEP_HOLD || attempt->renamed ||
        !is_of_another_share(attempt, fate, reply))
        return false;
    attempt->renamed = true;
    attempt->in_full = false;
    return true;
}

/* What -1 of a step's script says. */
static enum jtgi_said minus_one_of(enum jtgi_step step)
{
    if (step == JTGI_STEP_SHARE)
        return JTGI_SAID_SHARE_FULL;
    return step == JTGI_STEP_GIVE_BACK ? JTGI_SAID_FREE : JTGI_SAID_NONSENSE;
}

static enum jtgi_verdict judge_step(struct jtgi_attempt *attempt, enum jtgi_fate fate,
                                    const redisReply *reply)
{
    if (fate != JTGI_FATE_ANSWERED)
        return judge(attempt, fate, JTGI_SAID_NOTHING, NULL);
    if (attempt->step == JTGI_STEP_SET)
        return judge(attempt, fate, jtgi_said_to_set(reply), reply);
    return judge(attempt, fate, jtgi_said_by_script(reply, minus_one_of(attempt->step)), reply);
}

static void go_on_holding(struct jtgi_attempt *attempt)
{
    enum { QUESTIONS_MAX = 4 };
    if (attempt->verdict == JTGI_VERDICT_NO && attempt->step == JTGI_STEP_SET)
        begin_step(attempt, JTGI_STEP_HOLD);
    else if (jtgi_verdict_asks_again(attempt->verdict) &&
             jtgi_request_may_repeat(&attempt->request) && ++attempt->questions < QUESTIONS_MAX)
        begin_question(attempt);
    else
        attempt->step = JTGI_STEP_DONE;
}

static void go_on_giving_back(struct jtgi_attempt *attempt)
{
    bool first = attempt->questions++ == 0;
    bool lost = attempt->verdict == JTGI_VERDICT_LOST || attempt->verdict == JTGI_VERDICT_NONSENSE;
    if (first)
        attempt->lost = lost;
    if (first && lost && attempt->request.answer.over && jtgi_request_may_repeat(&attempt->request))
        begin_step(attempt, JTGI_STEP_GIVE_BACK);
    else
        attempt->step = JTGI_STEP_DONE;
}

void jtgi_attempt_hear(struct jtgi_attempt *attempt, enum jtgi_fate fate, const redisReply *reply)
{
    if (is_put_otherwise(attempt, fate, reply))
        return;
    attempt->verdict = judge_step(attempt, fate, reply);
    if (attempt->gives_back)
        go_on_giving_back(attempt);
    else if (attempt->verdict == JTGI_VERDICT_UNMARKED)
        attempt->step = JTGI_STEP_MARK;
    else
        go_on_holding(attempt);
}

/* It is marked now: only what was before is in doubt. */
void jtgi_attempt_marked(struct jtgi_attempt *attempt, jtg_status status)
{
    if (status == JTG_OK)
        attempt->verdict = JTGI_VERDICT_DOUBTFUL;
    else
        attempt->failure = status;
    go_on_holding(attempt);
}

/* ---- the last word ---- */

/* What is said only when it is the last word. */
static void say_last(const struct jtgi_attempt *attempt, enum jtgi_verdict verdict)
{
    if (verdict == JTGI_VERDICT_UNCONFIRMED)
        (void)jtgi_request_say_unconfirmed(&attempt->request);
    else if (verdict == JTGI_VERDICT_FORGOTTEN)
        (void)jtgi_request_say_forgotten(&attempt->request);
    else if (verdict == JTGI_VERDICT_DOUBTFUL)
        (void)jtg_error_set(attempt->request.err, JTG_ERR_CONTINUITY, 0,
                            "redis: the store may have forgotten reservations, just now");
}

jtg_status jtgi_attempt_outcome(const struct jtgi_attempt *attempt)
{
    say_last(attempt, attempt->verdict);
    return attempt->gives_back
               ? jtgi_verdict_released(attempt->verdict, attempt->lost, attempt->failure)
               : jtgi_verdict_reserved(attempt->verdict, attempt->maybe_done, attempt->failure);
}
