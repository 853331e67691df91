/* SPDX-License-Identifier: Apache-2.0 */
/* The Redis cache itself, and how its operations reach the server. */
#ifndef JTGI_REDIS_STORE_H
#define JTGI_REDIS_STORE_H

#include "redis/command.h"
#include "redis/config.h"
#include "redis/health.h"
#include "redis/pipeline.h"
#include "redis/resolver.h"
#include "redis/scripts.h"
#include "redis/tls.h"

#include <jtiguard/backend.h>

struct jtgi_redis {
    jtg_cache base;
    struct jtgi_redis_config config;
    struct jtgi_counters *counters;
    struct jtgi_resolver resolver;
    struct jtgi_health health;
    struct jtgi_tls *tls;
    struct jtgi_pipeline pipelines[JTG_REDIS_CONNECTIONS_LIMIT];
};

/* A key as the server knows it. */
struct jtgi_stored_key {
    unsigned char bytes[JTG_REDIS_PREFIX_MAX_BYTES + JTG_KEY_MAX_BYTES + 8];
    size_t len;
};

/* Reservations lie at exactly prefix + key, where a foreign verifier finds them; values at
 * prefix + 0xff "v:" + key. 0xff never occurs in UTF-8, so no jti is affected; a binary key that
 * begins with it is set apart as prefix + 0xff "r:" + key, and the two can never meet. */
void jtgi_stored_reservation(struct jtgi_stored_key *stored, const struct jtgi_redis *redis,
                             const jtg_key *key);
void jtgi_stored_values(struct jtgi_stored_key *stored, const struct jtgi_redis *redis,
                        const jtg_key *key);

/* One operation of a caller on its way: its deadline and the connection that it stays with. */
struct jtgi_request {
    struct jtgi_redis *redis;
    struct jtgi_pipeline *pipeline;
    int64_t deadline_ns;
    jtg_error *err;
};

void jtgi_request_init(struct jtgi_request *request, struct jtgi_redis *redis, uint32_t timeout_ms,
                       jtg_error *err);

/* One round trip. What was certainly not sent is sent again while there is time, unless the
 * store is down. ANSWERED: *reply is the caller's. */
enum jtgi_fate jtgi_request_send(const struct jtgi_request *request,
                                 const struct jtgi_command *command, redisReply **reply);

/* The words of a script after its keys. */
struct jtgi_word_list {
    struct {
        const void *data;
        size_t len;
    } words[4];
    size_t count;
};

void jtgi_words_add(struct jtgi_word_list *list, const void *data, size_t len);

/* EVALSHA, and EVAL where the server does not know the script. */
enum jtgi_fate jtgi_request_script(const struct jtgi_request *request, enum jtgi_script script,
                                   const struct jtgi_stored_key *key,
                                   const struct jtgi_word_list *arguments, redisReply **reply);

/* May an operation whose outcome is unknown be asked again now? Counts it. */
bool jtgi_request_may_repeat(const struct jtgi_request *request);

/* What to answer for a reply that is an error, or is not what was asked for (then the connection
 * is closed, and `unexpected` is the status). */
jtg_status jtgi_request_reject(const struct jtgi_request *request, const redisReply *reply,
                               jtg_status unexpected);

/* A connection of its own, gate passed, outside the pipelines: for the doctor. On a failure of
 * the gate *connection is set all the same. */
jtg_status jtgi_store_connect(struct jtgi_redis *redis, int64_t deadline_ns,
                              struct jtgi_connection **connection, jtg_redis_server *server,
                              jtg_error *err);

/* What a pipeline calls. */
jtg_status jtgi_store_connect_hook(void *context, int64_t deadline_ns,
                                   struct jtgi_connection **connection, jtg_error *err);
jtg_status jtgi_store_known_down_hook(void *context, jtg_error *err);

/* The slots of the table. */
jtg_status jtgi_redis_reserve(jtg_cache *self, const jtg_key *key, const jtg_owner *owner,
                              uint64_t ttl_ms, jtg_error *err);
jtg_status jtgi_redis_release(jtg_cache *self, const jtg_key *key, const jtg_owner *owner,
                              jtg_error *err);
jtg_status jtgi_redis_ping(jtg_cache *self, jtg_error *err);
jtg_status jtgi_redis_count(jtg_cache *self, uint64_t *count, jtg_error *err);
jtg_status jtgi_redis_clear(jtg_cache *self, jtg_error *err);
jtg_status jtgi_redis_put(jtg_cache *self, const jtg_key *key, const void *value, size_t value_len,
                          uint64_t ttl_ms, size_t keep, jtg_error *err);
jtg_status jtgi_redis_get(jtg_cache *self, const jtg_key *key, jtg_value *value, jtg_error *err);
jtg_status jtgi_redis_take(jtg_cache *self, const jtg_key *key, jtg_value *value, jtg_error *err);
jtg_status jtgi_redis_swap(jtg_cache *self, const jtg_key *key, const void *expected,
                           size_t expected_len, const void *value, size_t value_len,
                           uint64_t ttl_ms, jtg_error *err);
jtg_status jtgi_redis_drop(jtg_cache *self, const jtg_key *key, jtg_error *err);

/* The cache as ours; NULL (and err) if it is of another backend or of another process. */
struct jtgi_redis *jtgi_redis_of(jtg_cache *cache, jtg_status *status, jtg_error *err);

#endif
