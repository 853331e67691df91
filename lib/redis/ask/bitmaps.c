/* SPDX-License-Identifier: Apache-2.0 */
/* bitmap_put and bitmap_take_many. A bitmap is one string, and a bit is taken by one script, which
 * answers for as many bits of it as are asked for at once.
 *
 * A bit has no room for an owner. So none of these is asked again once it may have been done: the
 * second answer would be that of a stranger. What an answer is worth is decided in verdict.c, as of
 * a reservation. */
#include "redis/ask/late_marking.h"
#include "redis/ask/store.h"
#include "redis/ask/verdict.h"

#include "core/alloc.h"
#include "redis/line/deadline.h"

#include <string.h>

/* What every bitmap begins as. Never written; it takes no place in the file of the library. */
static unsigned char none_taken[JTG_BITMAP_MAX_BITS / 8];

/* One question: a bitmap that is made, or those of the calls that take bits of one bitmap and need
 * the same past. */
struct ask {
    struct jtgi_request request;
    struct jtgi_stored_key key;
    int64_t kept_since_ms;
    const jtg_bitmap_call *first;
    size_t count;
    uint32_t greatest; /* bit of them */
    bool in_full;      /* the script, for a server that does not know it */
    bool over;
    unsigned questions;
    jtg_status status; /* of all whose bit is said to be taken now, or of all if none is */
    jtg_error err;     /* the same */
};

static void ask_init(struct ask *ask, struct jtgi_redis *redis, const jtg_key *key,
                     int64_t kept_since_ms)
{
    static const jtg_error none = JTG_ERROR_INIT;
    memset(ask, 0, sizeof *ask);
    ask->err = none;
    jtgi_request_init(&ask->request, &redis->route, redis->shared.config.options.timeout_ms,
                      &ask->err);
    jtgi_stored_bitmap(&ask->key, &redis->shared.config, key);
    jtgi_request_aim(&ask->request, &ask->key);
    ask->kept_since_ms = kept_since_ms;
    ask->request.writes = true;
    ask->request.watched = true;
    ask->request.kept_since_ms = kept_since_ms;
}

/* ---- what an answer comes to ---- */

static enum jtgi_verdict weigh(const struct ask *ask, enum jtgi_fate fate, enum jtgi_said said,
                               bool *maybe_done)
{
    const struct jtgi_answer *answer = &ask->request.answer;
    struct jtgi_heard heard = {.fate = fate,
                               .said = said,
                               .sight = answer->sight,
                               .since_ms = answer->since_ms,
                               .needed_ms = ask->kept_since_ms,
                               .by_cluster = answer->sight == JTGI_SIGHT_REFUSED &&
                                             answer->refusal->class == JTGI_CLASS_CLUSTER,
                               .detoured = ask->request.detoured,
                               .confirmed = jtgi_request_is_confirmed(&ask->request)};
    *maybe_done = jtgi_verdict_maybe_done(&heard);
    return jtgi_verdict_of(&heard);
}

/* What is said of a verdict, where it has no status of its own. */
static jtg_status tell(struct ask *ask, enum jtgi_verdict verdict, const redisReply *reply)
{
    struct jtgi_request *request = &ask->request;
    switch (verdict) {
    case JTGI_VERDICT_REFUSED:
    case JTGI_VERDICT_NONSENSE:
        return jtgi_request_reject(request, reply, JTG_ERR_TIMEOUT);
    case JTGI_VERDICT_UNREAD:
    case JTGI_VERDICT_UNREADABLE:
        return jtgi_request_say_unreadable(request);
    case JTGI_VERDICT_STORED:
    case JTGI_VERDICT_UNSAFE:
        return jtg_error_set(request->err, JTG_ERR_UNSAFE, 0,
                             "redis: the server's configuration was changed: it may evict live "
                             "entries, or has no append-only file any more");
    case JTGI_VERDICT_MOVING:
        return jtgi_request_say_moving(request);
    case JTGI_VERDICT_UNCONFIRMED:
        return jtgi_request_say_unconfirmed(request);
    case JTGI_VERDICT_FORGOTTEN:
        return jtgi_request_say_forgotten(request);
    case JTGI_VERDICT_DOUBTFUL:
        return jtg_error_set(request->err, JTG_ERR_CONTINUITY, 0,
                             "redis: the store may have forgotten what was used, just now");
    case JTGI_VERDICT_FREE:
        return JTG_NOT_FOUND;
    default:
        return request->err->status;
    }
}

/* A command that was left out was certainly not done: it may be asked again, and the connection
 * that comes next has marked the store. */
static bool may_ask_again(struct ask *ask, enum jtgi_said said, enum jtgi_verdict verdict)
{
    enum { QUESTIONS_MAX = 4 };
    return said == JTGI_SAID_NOTHING && verdict == JTGI_VERDICT_DOUBTFUL &&
           ++ask->questions < QUESTIONS_MAX && jtgi_request_may_repeat(&ask->request);
}

static void judge(struct ask *ask, enum jtgi_fate fate, enum jtgi_said said,
                  const redisReply *reply)
{
    bool maybe_done = false;
    enum jtgi_verdict verdict = weigh(ask, fate, said, &maybe_done);
    jtg_status failure = JTG_ERR_UNAVAILABLE;
    if (verdict == JTGI_VERDICT_UNMARKED) {
        failure = jtgi_mark_late(&ask->request, ask->key.slot);
        verdict = failure == JTG_OK ? JTGI_VERDICT_DOUBTFUL : verdict;
    }
    if (fate == JTGI_FATE_ANSWERED && may_ask_again(ask, said, verdict))
        return;
    if (verdict != JTGI_VERDICT_YES && verdict != JTGI_VERDICT_NO &&
        verdict != JTGI_VERDICT_UNMARKED)
        failure = tell(ask, verdict, reply);
    ask->status = jtgi_verdict_reserved(verdict, maybe_done, failure);
    ask->over = true;
}

/* ---- put ---- */

static void put_set(struct jtgi_command *command, const struct ask *ask, uint32_t bits,
                    uint64_t ttl_ms)
{
    jtgi_command_begin(command, 6);
    jtgi_command_text(command, "SET");
    jtgi_command_bytes(command, ask->key.bytes, ask->key.len);
    jtgi_command_bytes(command, none_taken, ((size_t)bits + 7) / 8);
    jtgi_command_text(command, "NX");
    jtgi_command_text(command, "PX");
    jtgi_command_number(command, ttl_ms);
}

/* Asked again, it would meet what it has made itself and take that for another's. */
static jtg_status put_once(struct ask *ask, const struct jtgi_command *command)
{
    while (!ask->over) {
        redisReply *reply = NULL;
        enum jtgi_fate fate = jtgi_request_send(&ask->request, command, &reply);
        judge(ask, fate, fate == JTGI_FATE_ANSWERED ? jtgi_said_to_set(reply) : JTGI_SAID_NOTHING,
              reply);
        if (reply != NULL)
            freeReplyObject(reply);
    }
    return ask->status;
}

static jtg_status give_error(const struct ask *ask, jtg_status status, jtg_error *err)
{
    return status == JTG_OK
               ? JTG_OK
               : jtg_error_set(err, status, ask->err.system_errno, "%s", ask->err.text);
}

jtg_status jtgi_redis_bitmap_put(jtg_cache *self, const jtg_key *key, uint32_t bits,
                                 uint64_t ttl_ms, int64_t kept_since_ms, jtg_error *err)
{
    struct ask ask;
    struct jtgi_command command;
    ask_init(&ask, (struct jtgi_redis *)(void *)self, key, kept_since_ms);
    jtgi_command_init(&command);
    put_set(&command, &ask, bits, ttl_ms);
    jtg_status status = put_once(&ask, &command);
    jtgi_command_clear(&command);
    return give_error(&ask, status, err);
}

/* ---- take ---- */

/* All that one call of bitmap_take_many comes to. */
struct taking {
    jtg_bitmap_call *const *calls;
    size_t count;
    struct ask *asks;
    struct jtgi_errand *errands;
    size_t asks_count;
    uint16_t ask_of[JTG_MANY_MAX]; /* of each call */
};

static bool belongs_to(const struct ask *ask, const jtg_bitmap_call *call)
{
    const jtg_key *key = &ask->first->key;
    return ask->kept_since_ms == call->kept_since_ms && key->data_len == call->key.data_len &&
           memcmp(key->data, call->key.data, key->data_len) == 0;
}

/* Bits of one bitmap follow each other, as a rule. */
static size_t find_ask(const struct taking *taking, const jtg_bitmap_call *call)
{
    for (size_t i = taking->asks_count; i > 0; i--)
        if (belongs_to(&taking->asks[i - 1], call))
            return i - 1;
    return taking->asks_count;
}

static void sort_into_asks(struct taking *taking, struct jtgi_redis *redis)
{
    int64_t deadline_ns = jtgi_deadline_in_ms(redis->shared.config.options.timeout_ms);
    for (size_t i = 0; i < taking->count; i++) {
        const jtg_bitmap_call *call = taking->calls[i];
        size_t at = find_ask(taking, call);
        if (at == taking->asks_count) {
            ask_init(&taking->asks[at], redis, &call->key, call->kept_since_ms);
            taking->asks[at].request.deadline_ns = deadline_ns;
            taking->asks[at].first = call;
            taking->asks_count++;
        }
        taking->asks[at].count++;
        if (call->bit > taking->asks[at].greatest)
            taking->asks[at].greatest = call->bit;
        taking->ask_of[i] = (uint16_t)at;
    }
}

static void put_bits(struct jtgi_command *row, const struct taking *taking, size_t at)
{
    const struct ask *ask = &taking->asks[at];
    jtgi_script_begin(row, JTGI_SCRIPT_BITS, ask->in_full, &ask->key, 1 + ask->count);
    jtgi_command_number(row, ask->greatest);
    for (size_t i = 0; i < taking->count; i++)
        if (taking->ask_of[i] == at)
            jtgi_command_number(row, taking->calls[i]->bit);
}

/* The questions of a round stand in one row of bytes, which may move while it grows. */
static void put_questions(struct taking *taking, struct jtgi_command *row)
{
    for (size_t i = 0; i < taking->asks_count; i++) {
        size_t begin = row->len;
        if (!taking->asks[i].over)
            put_bits(row, taking, i);
        taking->errands[i].request = taking->asks[i].over ? NULL : &taking->asks[i].request;
        taking->errands[i].len = row->len - begin;
    }
    const unsigned char *at = row->bytes;
    for (size_t i = 0; i < taking->asks_count; i++) {
        taking->errands[i].bytes = row->failed ? NULL : at;
        at += taking->errands[i].len;
    }
}

/* A letter for each bit, and no other. */
static bool is_letters(const redisReply *reply, size_t count)
{
    if (reply == NULL || reply->type != REDIS_REPLY_STRING || reply->len != count)
        return false;
    for (size_t i = 0; i < count; i++)
        if (reply->str[i] != '0' && reply->str[i] != '1' && reply->str[i] != '-')
            return false;
    return true;
}

/* Those whose bit was taken before, or is none, are told so whatever the store has forgotten; the
 * others by what the answer is worth. */
static void give_letters(struct taking *taking, size_t at, const char *letters)
{
    for (size_t i = 0; i < taking->count; i++) {
        if (taking->ask_of[i] != at)
            continue;
        char letter = *letters++;
        if (letter == '1')
            taking->calls[i]->status =
                give_error(&taking->asks[at], taking->asks[at].status, taking->calls[i]->err);
        else
            taking->calls[i]->status = letter == '0' ? JTG_REPLAYED : JTG_NOT_FOUND;
    }
}

static void give_one_answer(struct taking *taking, size_t at)
{
    const struct ask *ask = &taking->asks[at];
    for (size_t i = 0; i < taking->count; i++)
        if (taking->ask_of[i] == at)
            taking->calls[i]->status = give_error(ask, ask->status, taking->calls[i]->err);
}

/* Not a text: the one number that has a meaning, or an error, or nonsense. */
static enum jtgi_said said_instead(const redisReply *reply)
{
    enum jtgi_said said = jtgi_said_by_script(reply, JTGI_SAID_FREE);
    return said == JTGI_SAID_YES || said == JTGI_SAID_NO ? JTGI_SAID_NONSENSE : said;
}

static void hear(struct taking *taking, size_t at, enum jtgi_fate fate, const redisReply *reply)
{
    struct ask *ask = &taking->asks[at];
    if (!ask->in_full && jtgi_script_is_unknown(fate, reply)) {
        ask->in_full = true;
        return;
    }
    if (fate == JTGI_FATE_ANSWERED && is_letters(reply, ask->count)) {
        judge(ask, fate, JTGI_SAID_YES, reply);
        give_letters(taking, at, reply->str);
        return;
    }
    judge(ask, fate, fate == JTGI_FATE_ANSWERED ? said_instead(reply) : JTGI_SAID_NOTHING, reply);
    if (ask->over)
        give_one_answer(taking, at);
}

static bool ask_round(struct taking *taking)
{
    bool over = true;
    struct jtgi_command row;
    jtgi_command_init(&row);
    put_questions(taking, &row);
    jtgi_request_send_all(taking->errands, taking->asks_count);
    jtgi_command_clear(&row);
    for (size_t i = 0; i < taking->asks_count; i++) {
        struct jtgi_errand *errand = &taking->errands[i];
        if (errand->request == NULL)
            continue;
        hear(taking, i, errand->fate, errand->reply);
        if (errand->reply != NULL)
            freeReplyObject(errand->reply);
        over = over && taking->asks[i].over;
    }
    return over;
}

static void refuse_all(jtg_bitmap_call *const *calls, size_t count)
{
    for (size_t i = 0; i < count; i++)
        calls[i]->status =
            jtg_error_set(calls[i]->err, JTG_ERR_MEMORY, 0, "redis: no memory for so many at once");
}

void jtgi_redis_bitmap_take_many(jtg_cache *self, jtg_bitmap_call *const *calls, size_t count)
{
    struct taking taking = {.calls = calls, .count = count};
    taking.asks = jtgi_alloc(count * (sizeof *taking.asks + sizeof *taking.errands));
    if (taking.asks == NULL) {
        refuse_all(calls, count);
        return;
    }
    taking.errands = (void *)(taking.asks + count);
    sort_into_asks(&taking, (struct jtgi_redis *)(void *)self);
    while (!ask_round(&taking))
        ;
    jtgi_free(taking.asks);
}
