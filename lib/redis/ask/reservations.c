/* SPDX-License-Identifier: Apache-2.0 */
/* reserve, reserve_kept and reserve_many, release and ping, for callers that wait: attempts are
 * asked in rounds. What is asked, and what an answer comes to, is attempt.c's. */
#include "redis/ask/attempt.h"
#include "redis/ask/late_marking.h"
#include "redis/ask/store.h"
#include "redis/say/server/gate.h"
#include "redis/say/server/info.h"

#include "core/alloc.h"
#include "core/clock.h"

#include <string.h>

/* What was learnt while the answers of one round were looked at. */
struct learnt {
    bool marked; /* a slot was marked: */
    uint16_t slot;
};

/* ---- in rounds ---- */

/* The questions of a round stand in one row of bytes, which may move while it grows. */
static void put_questions(struct jtgi_attempt *attempts, struct jtgi_errand *errands, size_t count,
                          struct jtgi_command *row)
{
    for (size_t i = 0; i < count; i++) {
        bool asks = attempts[i].step != JTGI_STEP_DONE;
        size_t begin = row->len;
        if (asks)
            jtgi_attempt_put(&attempts[i], row);
        errands[i].request = asks ? &attempts[i].request : NULL;
        errands[i].len = row->len - begin;
    }
    const unsigned char *at = row->bytes;
    for (size_t i = 0; i < count; i++) {
        errands[i].bytes = row->failed ? NULL : at;
        at += errands[i].len;
    }
}

/* Of those whose answers came together one marks their slot: what the others heard is of before,
 * too. */
static void mark(struct jtgi_attempt *attempt, struct learnt *learnt)
{
    if (!learnt->marked || learnt->slot != attempt->key.slot) {
        jtg_status status = jtgi_mark_late(&attempt->request, attempt->key.slot);
        if (status == JTG_OK)
            *learnt = (struct learnt){true, attempt->key.slot};
        jtgi_attempt_marked(attempt, status);
    } else {
        jtgi_attempt_marked(attempt, JTG_OK);
    }
}

static void ask(struct jtgi_attempt *attempts, struct jtgi_errand *errands, size_t count)
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
        jtgi_attempt_hear(&attempts[i], errands[i].fate, reply);
        if (attempts[i].step == JTGI_STEP_MARK)
            mark(&attempts[i], &learnt);
        if (reply != NULL)
            freeReplyObject(reply);
    }
}

static bool is_done(const struct jtgi_attempt *attempts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (attempts[i].step != JTGI_STEP_DONE)
            return false;
    return true;
}

/* What all of them ask next goes out together. */
static void ask_all(struct jtgi_attempt *attempts, struct jtgi_errand *errands, size_t count)
{
    while (!is_done(attempts, count))
        ask(attempts, errands, count);
}

static jtg_status carry_out(struct jtgi_attempt *attempt)
{
    struct jtgi_errand errand;
    ask_all(attempt, &errand, 1);
    return jtgi_attempt_outcome(attempt);
}

static jtg_status hold(struct jtgi_attempt *attempt)
{
    jtgi_attempt_hold(attempt);
    return carry_out(attempt);
}

static jtg_status give_back(struct jtgi_attempt *attempt)
{
    jtgi_attempt_give_back(attempt);
    return carry_out(attempt);
}

/* ---- one ---- */

jtg_status jtgi_redis_reserve(jtg_cache *self, const jtg_key *key, const jtg_owner *owner,
                              uint64_t ttl_ms, jtg_error *err)
{
    struct jtgi_attempt attempt;
    jtgi_attempt_init(&attempt, (struct jtgi_redis *)(void *)self, key, owner, ttl_ms, err);
    return hold(&attempt);
}

jtg_status jtgi_redis_reserve_kept(jtg_cache *self, const jtg_key *key, const jtg_owner *owner,
                                   uint64_t ttl_ms, int64_t kept_since_ms, jtg_error *err)
{
    struct jtgi_attempt attempt;
    jtgi_attempt_init(&attempt, (struct jtgi_redis *)(void *)self, key, owner, ttl_ms, err);
    jtgi_attempt_need_kept(&attempt, kept_since_ms);
    return hold(&attempt);
}

jtg_status jtgi_redis_release(jtg_cache *self, const jtg_key *key, const jtg_owner *owner,
                              jtg_error *err)
{
    struct jtgi_attempt attempt;
    jtgi_attempt_init(&attempt, (struct jtgi_redis *)(void *)self, key, owner, 0, err);
    return give_back(&attempt);
}

/* ---- many at once ---- */

static void begin_attempt(struct jtgi_attempt *attempt, struct jtgi_redis *redis,
                          const jtg_reserve_call *call, int64_t deadline_ns)
{
    jtgi_attempt_init(attempt, redis, &call->key, call->owner, call->ttl_ms, call->err);
    attempt->kept_since_ms = call->kept_since_ms;
    attempt->request.deadline_ns = deadline_ns;
    jtgi_attempt_hold(attempt);
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
    struct jtgi_attempt *attempts =
        jtgi_alloc(count * (sizeof *attempts + sizeof(struct jtgi_errand)));
    if (attempts == NULL) {
        refuse_all(calls, count);
        return;
    }
    for (size_t i = 0; i < count; i++)
        begin_attempt(&attempts[i], redis, calls[i], deadline_ns);
    ask_all(attempts, (void *)(attempts + count), count);
    for (size_t i = 0; i < count; i++)
        calls[i]->status = jtgi_attempt_outcome(&attempts[i]);
    jtgi_free(attempts);
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
    struct jtgi_attempt attempt; /* one for all questions */
    jtg_owner owner;
    memcpy(bytes, mark, sizeof mark);
    jtgi_nodes_slots_of(&redis->route.nodes, node, &slots);
    if (!find_probe(redis, &slots, bytes, sizeof mark, &owner))
        return JTG_OK;
    jtgi_attempt_init(&attempt, redis, &key, &owner, PROBE_TTL_MS, err);
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
