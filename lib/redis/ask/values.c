/* SPDX-License-Identifier: Apache-2.0 */
/* put, get, take, swap and drop: one script each, on one key each. Only get may be repeated: to
 * do any of the others twice is to do something else. */
#include "redis/ask/store.h"

#include <stdio.h>

/* One call. */
struct call {
    struct jtgi_request request;
    struct jtgi_stored_key key;
    struct jtgi_word_list words;
    char numbers[2][24];
    redisReply *reply;
};

static void call_init(struct call *call, jtg_cache *self, const jtg_key *key, jtg_error *err)
{
    struct jtgi_redis *redis = (struct jtgi_redis *)(void *)self;
    jtgi_request_init(&call->request, &redis->route, redis->shared.config.options.timeout_ms, err);
    jtgi_stored_values(&call->key, &redis->shared.config, key);
    jtgi_request_aim(&call->request, &call->key);
    call->words.count = 0;
    call->words.keys = 0;
    call->reply = NULL;
}

static void add_number(struct call *call, size_t place, uint64_t number)
{
    int len = snprintf(call->numbers[place], sizeof call->numbers[place], "%llu",
                       (unsigned long long)number);
    jtgi_words_add(&call->words, call->numbers[place], (size_t)len);
}

static jtg_status run(struct call *call, enum jtgi_script script)
{
    call->request.writes = script != JTGI_SCRIPT_GET;
    call->request.repeatable = script == JTGI_SCRIPT_GET;
    enum jtgi_fate fate =
        jtgi_request_script(&call->request, script, &call->key, &call->words, &call->reply);
    return fate == JTGI_FATE_ANSWERED ? JTG_OK : call->request.err->status;
}

/* An integer decides: 1 is yes, 0 is `no`. Anything else leaves open what was done. */
static jtg_status judge(struct call *call, jtg_status no)
{
    long long number = 0;
    jtg_status status = JTG_OK;
    if (!jtgi_reply_integer(call->reply, 0, 1, &number))
        status = jtgi_request_reject(&call->request, call->reply, JTG_ERR_TIMEOUT);
    else if (number == 0)
        status = no;
    else if (!jtgi_request_is_confirmed(&call->request))
        status = jtgi_request_say_unconfirmed(&call->request);
    freeReplyObject(call->reply);
    return status;
}

jtg_status jtgi_redis_put(jtg_cache *self, const jtg_key *key, const void *value, size_t value_len,
                          uint64_t ttl_ms, size_t keep, jtg_error *err)
{
    struct call call;
    call_init(&call, self, key, err);
    jtgi_words_add(&call.words, value, value_len);
    add_number(&call, 0, ttl_ms);
    add_number(&call, 1, keep);
    jtg_status status = run(&call, JTGI_SCRIPT_PUT);
    return status == JTG_OK ? judge(&call, JTG_ERR_TIMEOUT) : status;
}

jtg_status jtgi_redis_swap(jtg_cache *self, const jtg_key *key, const void *expected,
                           size_t expected_len, const void *value, size_t value_len,
                           uint64_t ttl_ms, jtg_error *err)
{
    struct call call;
    call_init(&call, self, key, err);
    jtgi_words_add(&call.words, expected, expected_len);
    jtgi_words_add(&call.words, value, value_len);
    add_number(&call, 0, ttl_ms);
    jtg_status status = run(&call, JTGI_SCRIPT_SWAP);
    return status == JTG_OK ? judge(&call, JTG_MISMATCH) : status;
}

jtg_status jtgi_redis_drop(jtg_cache *self, const jtg_key *key, jtg_error *err)
{
    struct call call;
    call_init(&call, self, key, err);
    jtg_status status = run(&call, JTGI_SCRIPT_DROP);
    return status == JTG_OK ? judge(&call, JTG_NOT_FOUND) : status;
}

/* The reply as a value of the caller's. The last two: what to answer for a reply that is none, and
 * when there is no memory for the copy. */
static jtg_status hand_out(struct call *call, jtg_value *value, jtg_status unexpected,
                           jtg_status no_memory)
{
    const redisReply *bytes = NULL;
    uint64_t ttl_ms = 0;
    jtg_status status = JTG_OK;
    if (jtgi_reply_is_nil(call->reply))
        status = JTG_NOT_FOUND;
    else if (!jtgi_reply_value(call->reply, &bytes, &ttl_ms))
        status = jtgi_request_reject(&call->request, call->reply, unexpected);
    else if (!jtgi_request_is_confirmed(&call->request))
        status = jtgi_request_say_unconfirmed(&call->request);
    else if (jtg_value_set(value, bytes->str, bytes->len, ttl_ms) != JTG_OK)
        status = jtg_error_set(call->request.err, no_memory, 0, "no memory for the value");
    freeReplyObject(call->reply);
    return status;
}

jtg_status jtgi_redis_get(jtg_cache *self, const jtg_key *key, jtg_value *value, jtg_error *err)
{
    struct call call;
    call_init(&call, self, key, err);
    jtg_status status = run(&call, JTGI_SCRIPT_GET);
    if (status == JTG_ERR_TIMEOUT && jtgi_request_may_repeat(&call.request))
        status = run(&call, JTGI_SCRIPT_GET);
    if (status == JTG_ERR_TIMEOUT) /* a read has no outcome that could be unknown */
        status = JTG_ERR_UNAVAILABLE;
    return status == JTG_OK ? hand_out(&call, value, JTG_ERR_PROTOCOL, JTG_ERR_MEMORY) : status;
}

/* A value that a replica may still hold is not handed out: after a failover it would be a second
 * time. The value is gone from the store when its copy cannot be made: that is no JTG_ERR_MEMORY,
 * which promises that it is still there. */
jtg_status jtgi_redis_take(jtg_cache *self, const jtg_key *key, jtg_value *value, jtg_error *err)
{
    struct call call;
    call_init(&call, self, key, err);
    jtg_status status = run(&call, JTGI_SCRIPT_TAKE);
    return status == JTG_OK ? hand_out(&call, value, JTG_ERR_TIMEOUT, JTG_ERR_TIMEOUT) : status;
}
