/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/store.h"

#include "core/fork.h"
#include "core/log.h"
#include "redis/deadline.h"
#include "redis/gate.h"
#include "redis/handshake.h"
#include "redis/socket.h"

#include <string.h>

/* Times that one operation is sent at most: each of them needs a server that took a connection
 * and lost it again. */
enum { SENDS_MAX = 4 };

/* ---- keys ---- */

static void stored_append(struct jtgi_stored_key *stored, const void *data, size_t len)
{
    memcpy(stored->bytes + stored->len, data, len);
    stored->len += len;
}

static void stored_key(struct jtgi_stored_key *stored, const struct jtgi_redis *redis,
                       const char *mark, const jtg_key *key)
{
    stored->len = 0;
    stored_append(stored, redis->config.options.prefix, redis->config.prefix_len);
    stored_append(stored, mark, strlen(mark));
    stored_append(stored, key->data, key->data_len);
}

void jtgi_stored_reservation(struct jtgi_stored_key *stored, const struct jtgi_redis *redis,
                             const jtg_key *key)
{
    bool marked = *(const unsigned char *)key->data == 0xff;
    stored_key(stored, redis, marked ? "\xffr:" : "", key);
}

void jtgi_stored_values(struct jtgi_stored_key *stored, const struct jtgi_redis *redis,
                        const jtg_key *key)
{
    stored_key(stored, redis, "\xffv:", key);
}

/* ---- connecting ---- */

/* On success the connection owns descriptor and session. */
static jtg_status open_connection(struct jtgi_redis *redis, int64_t deadline_ns,
                                  struct jtgi_connection **connection, jtg_error *err)
{
    struct jtgi_tls_session *session = NULL;
    struct jtgi_transport transport;
    int fd = -1;
    jtg_status status =
        jtgi_socket_connect(&redis->config, &redis->resolver, deadline_ns, &fd, err);
    if (status != JTG_OK)
        return status;
    if (redis->tls != NULL)
        status = jtgi_tls_connect(redis->tls, fd, deadline_ns, &session, err);
    jtgi_transport_init(&transport, fd, session);
    if (status == JTG_OK)
        status = jtgi_connection_new(connection, &transport, err);
    if (status != JTG_OK)
        jtgi_transport_close(&transport);
    return status;
}

static int64_t connect_deadline(const struct jtgi_redis *redis, int64_t deadline_ns)
{
    int64_t own = jtgi_deadline_in_ms(redis->config.options.connect_timeout_ms);
    return own < deadline_ns ? own : deadline_ns;
}

jtg_status jtgi_store_connect(struct jtgi_redis *redis, int64_t deadline_ns,
                              struct jtgi_connection **connection, jtg_redis_server *server,
                              jtg_error *err)
{
    int64_t until = connect_deadline(redis, deadline_ns);
    *connection = NULL;
    jtg_status status = open_connection(redis, until, connection, err);
    if (status != JTG_OK)
        return status;
    status = jtgi_handshake(*connection, &redis->config, until, server, err);
    if (status != JTG_OK) {
        jtgi_connection_free(*connection);
        *connection = NULL;
        return status;
    }
    server->tls = redis->tls != NULL;
    server->evicts = jtgi_gate_evicts(server);
    return jtgi_gate_judge(server, redis->config.options.allow_eviction != 0, err);
}

/* Out of memory, or of descriptors, says nothing about the store. */
static bool is_about_store(jtg_status status)
{
    return status != JTG_ERR_MEMORY;
}

static void report(const struct jtgi_redis *redis, jtg_status status,
                   const jtg_redis_server *server, const jtg_error *err)
{
    const jtg_logger *logger = &redis->config.logger;
    if (status != JTG_OK) {
        jtgi_log(logger, JTG_LOG_ERROR, "%s", err->text);
        return;
    }
    jtgi_log(logger, JTG_LOG_INFO, "redis: connected to %s %s", server->software, server->version);
    if (server->evicts)
        jtgi_log(logger, JTG_LOG_ERROR,
                 "redis: UNSAFE, allowed by allow_eviction: the server may evict live entries "
                 "(maxmemory-policy %s), and each of them can be admitted again",
                 server->policy[0] == '\0' ? "not stated" : server->policy);
}

jtg_status jtgi_store_connect_hook(void *context, int64_t deadline_ns,
                                   struct jtgi_connection **connection, jtg_error *err)
{
    struct jtgi_redis *redis = context;
    jtg_redis_server server = {0};
    jtg_status status = jtgi_health_begin(&redis->health, err);
    if (status != JTG_OK) {
        jtgi_counters_add(redis->counters, JTGI_COUNT_REFUSED_AT_ONCE);
        return status;
    }
    status = jtgi_store_connect(redis, deadline_ns, connection, &server, err);
    if (status != JTG_OK) {
        jtgi_connection_free(*connection);
        *connection = NULL;
    }
    jtgi_health_end(&redis->health, is_about_store(status) ? status : JTG_OK, err);
    jtgi_counters_add(redis->counters,
                      status == JTG_OK ? JTGI_COUNT_CONNECTS : JTGI_COUNT_CONNECT_FAILURES);
    report(redis, status, &server, err);
    return status;
}

jtg_status jtgi_store_known_down_hook(void *context, jtg_error *err)
{
    struct jtgi_redis *redis = context;
    jtg_status status = jtgi_health_check(&redis->health, err);
    if (status != JTG_OK)
        jtgi_counters_add(redis->counters, JTGI_COUNT_REFUSED_AT_ONCE);
    return status;
}

/* ---- requests ---- */

/* Threads spread over the connections and stay with theirs. */
static struct jtgi_pipeline *pipeline_of_this_thread(struct jtgi_redis *redis)
{
    static atomic_uint next_thread;
    static _Thread_local unsigned own_number; /* one more than the number; 0 = not yet drawn */
    if (own_number == 0)
        own_number = atomic_fetch_add_explicit(&next_thread, 1, memory_order_relaxed) % 65536 + 1;
    return &redis->pipelines[(own_number - 1) % redis->config.options.connections];
}

void jtgi_request_init(struct jtgi_request *request, struct jtgi_redis *redis, uint32_t timeout_ms,
                       jtg_error *err)
{
    request->redis = redis;
    request->pipeline = pipeline_of_this_thread(redis);
    request->deadline_ns = jtgi_deadline_in_ms(timeout_ms);
    request->err = err;
}

static bool has_time(const struct jtgi_request *request)
{
    return jtgi_now_ns() < request->deadline_ns;
}

static bool is_up(const struct jtgi_request *request)
{
    return !atomic_load(&request->redis->health.down);
}

/* An error reply of which the table says: the same again. NOSCRIPT has its own way. */
static bool asks_for_repeat(const redisReply *reply)
{
    const struct jtgi_error_row *row = jtgi_reply_error(reply);
    return row != NULL && row->retry && row->class != JTGI_CLASS_SCRIPT;
}

enum jtgi_fate jtgi_request_send(const struct jtgi_request *request,
                                 const struct jtgi_command *command, redisReply **reply)
{
    enum jtgi_fate fate = JTGI_FATE_NOT_SENT;
    if (command->failed) {
        request->err->status =
            jtg_error_set(request->err, JTG_ERR_MEMORY, 0, "redis: no memory for a command");
        return fate;
    }
    /* A second question must not go out when nobody has time for its answer: leaving it unread
     * costs all the others their connection. */
    if (!has_time(request)) {
        request->err->status = jtg_error_set(request->err, JTG_ERR_UNAVAILABLE, 0,
                                             "redis: no time was left to send it");
        return fate;
    }
    for (unsigned sends = 1;; sends++) {
        fate = jtgi_pipeline_call(request->pipeline, command->bytes, command->len,
                                  request->deadline_ns, reply, request->err);
        bool again = fate == JTGI_FATE_NOT_SENT && request->err->status == JTG_ERR_UNAVAILABLE &&
                     is_up(request);
        if (fate == JTGI_FATE_ANSWERED)
            again = asks_for_repeat(*reply);
        if (!again || sends == SENDS_MAX || !has_time(request))
            return fate;
        if (fate == JTGI_FATE_ANSWERED)
            freeReplyObject(*reply);
    }
}

bool jtgi_request_may_repeat(const struct jtgi_request *request)
{
    if (!has_time(request))
        return false;
    jtgi_counters_add(request->redis->counters, JTGI_COUNT_ASKED_AGAIN);
    return true;
}

void jtgi_words_add(struct jtgi_word_list *list, const void *data, size_t len)
{
    list->words[list->count].data = data;
    list->words[list->count++].len = len;
}

static enum jtgi_fate send_script(const struct jtgi_request *request, const char *verb,
                                  const char *script, const struct jtgi_stored_key *key,
                                  const struct jtgi_word_list *arguments, redisReply **reply)
{
    struct jtgi_command command;
    jtgi_command_init(&command);
    jtgi_command_begin(&command, 4 + arguments->count);
    jtgi_command_text(&command, verb);
    jtgi_command_text(&command, script);
    jtgi_command_number(&command, 1);
    jtgi_command_bytes(&command, key->bytes, key->len);
    for (size_t i = 0; i < arguments->count; i++)
        jtgi_command_bytes(&command, arguments->words[i].data, arguments->words[i].len);
    enum jtgi_fate fate = jtgi_request_send(request, &command, reply);
    jtgi_command_clear(&command);
    return fate;
}

enum jtgi_fate jtgi_request_script(const struct jtgi_request *request, enum jtgi_script script,
                                   const struct jtgi_stored_key *key,
                                   const struct jtgi_word_list *arguments, redisReply **reply)
{
    enum jtgi_fate fate =
        send_script(request, "EVALSHA", jtgi_script_sha1(script), key, arguments, reply);
    const struct jtgi_error_row *row = fate == JTGI_FATE_ANSWERED ? jtgi_reply_error(*reply) : NULL;
    if (row == NULL || row->class != JTGI_CLASS_SCRIPT)
        return fate;
    freeReplyObject(*reply);
    return send_script(request, "EVAL", jtgi_script_text(script), key, arguments, reply);
}

jtg_status jtgi_request_reject(const struct jtgi_request *request, const redisReply *reply,
                               jtg_status unexpected)
{
    const struct jtgi_error_row *row = jtgi_reply_error(reply);
    if (row != NULL)
        return jtg_error_set(request->err, row->status, 0, "redis: %s", row->text);
    jtgi_pipeline_poison(request->pipeline);
    return jtg_error_set(request->err, unexpected, 0,
                         "redis: the server answered with something that was not asked for");
}
