/* SPDX-License-Identifier: Apache-2.0 */
/* count and clear: a walk over the keys of our prefix on every primary, SCAN page by page, so that
 * no server ever stops for it. Never KEYS, which would stop it, nor FLUSHDB, which knows no prefix.
 *
 * In a Cluster a key whose slot moves meanwhile may be seen twice, or fail the walk. */
#include "redis/ask/store.h"
#include "redis/line/deadline.h"

#include <string.h>

enum { PAGE_KEYS = 500, DELETE_KEYS = 100 };

struct walk {
    struct jtgi_redis *redis;
    bool deleting;
    uint64_t count;              /* of entries that were seen */
    struct jtgi_request request; /* its deadline is that of one page */
    int64_t deadline_ns;         /* of all */
    const struct jtgi_redis_config *config;
    const struct jtgi_marker_keys *markers; /* clear only */
    char pattern[2 * JTG_REDIS_PREFIX_MAX_BYTES + 2];
    size_t pattern_len;
};

/* The prefix as itself: what SCAN takes for wildcards is escaped. */
static void build_pattern(struct walk *walk, const char *prefix)
{
    for (; *prefix != '\0'; prefix++) {
        if (strchr("*?[]^-\\", *prefix) != NULL)
            walk->pattern[walk->pattern_len++] = '\\';
        walk->pattern[walk->pattern_len++] = *prefix;
    }
    walk->pattern[walk->pattern_len++] = '*';
}

static void walk_init(struct walk *walk, struct jtgi_redis *redis, jtg_error *err)
{
    jtgi_request_init(&walk->request, &redis->route, redis->shared.config.options.walk_timeout_ms,
                      err);
    walk->redis = redis;
    walk->deadline_ns = walk->request.deadline_ns;
    walk->config = &redis->shared.config;
    walk->markers = NULL;
    walk->count = 0;
    walk->pattern_len = 0;
    build_pattern(walk, redis->shared.config.options.prefix);
}

/* Each question has the time of an ordinary call: a walk that waited its own, longer time for a
 * server that hangs would keep the others' connection as long. */
static void begin_question(struct walk *walk)
{
    int64_t own = jtgi_deadline_in_ms(walk->config->options.timeout_ms);
    walk->request.deadline_ns = own < walk->deadline_ns ? own : walk->deadline_ns;
}

static jtg_status status_of(const struct walk *walk, enum jtgi_fate fate)
{
    return fate == JTGI_FATE_ANSWERED ? JTG_OK : walk->request.err->status;
}

static jtg_status ask_page(struct walk *walk, uint64_t cursor, redisReply **reply)
{
    struct jtgi_command command;
    jtgi_command_init(&command);
    jtgi_command_begin(&command, 6);
    jtgi_command_text(&command, "SCAN");
    jtgi_command_number(&command, cursor);
    jtgi_command_text(&command, "MATCH");
    jtgi_command_bytes(&command, walk->pattern, walk->pattern_len);
    jtgi_command_text(&command, "COUNT");
    jtgi_command_number(&command, PAGE_KEYS);
    begin_question(walk);
    /* A cursor is good at the server that gave it, and a new connection may lead to another. */
    enum jtgi_fate fate = cursor == 0 ? jtgi_request_read(&walk->request, &command, reply)
                                      : jtgi_request_send(&walk->request, &command, reply);
    jtgi_command_clear(&command);
    jtg_status status = status_of(walk, fate);
    return status == JTG_ERR_TIMEOUT ? JTG_ERR_UNAVAILABLE : status;
}

/* The marker of their slot goes with them, each time and in one step: while it stands nobody
 * notices that a reservation is gone, and others may write it anew at any moment of the walk. */
static void put_marker(struct jtgi_command *command, const struct walk *walk, const redisReply *key)
{
    unsigned char marker[JTGI_MARKER_KEY_MAX_BYTES];
    uint16_t slot = jtgi_stored_slot(walk->config, key->str, key->len);
    jtgi_command_bytes(command, marker, jtgi_marker_key(walk->markers, slot, marker));
}

static jtg_status delete_some(struct walk *walk, const redisReply *keys, size_t from, size_t count)
{
    struct jtgi_command command;
    redisReply *reply = NULL;
    long long deleted = 0;
    jtgi_command_init(&command);
    jtgi_command_begin(&command, 2 + count);
    jtgi_command_text(&command, "DEL");
    for (size_t i = from; i < from + count; i++)
        jtgi_command_bytes(&command, keys->element[i]->str, keys->element[i]->len);
    put_marker(&command, walk, keys->element[from]);
    begin_question(walk);
    jtg_status status = status_of(walk, jtgi_request_send(&walk->request, &command, &reply));
    jtgi_command_clear(&command);
    if (status != JTG_OK)
        return status;
    if (!jtgi_reply_integer(reply, 0, (long long)count + 1, &deleted))
        status = jtgi_request_reject(&walk->request, reply, JTG_ERR_TIMEOUT);
    freeReplyObject(reply);
    return status;
}

/* In a Cluster the keys of one command must lie in one slot. */
static jtg_status delete_page(struct walk *walk, const redisReply *keys)
{
    size_t at_once = walk->config->slots > 1 ? 1 : DELETE_KEYS;
    jtg_status status = JTG_OK;
    for (size_t from = 0; from < keys->elements && status == JTG_OK; from += at_once) {
        size_t left = keys->elements - from;
        status = delete_some(walk, keys, from, left < at_once ? left : at_once);
    }
    return status;
}

/* What is not ours is never deleted, whoever says that it matches. */
static bool are_ours(const struct walk *walk, const redisReply *keys)
{
    const char *prefix = walk->config->options.prefix;
    size_t len = walk->config->prefix_len;
    for (size_t i = 0; i < keys->elements; i++)
        if (keys->element[i]->len < len || memcmp(keys->element[i]->str, prefix, len) != 0)
            return false;
    return true;
}

/* The markers of the continuity and the shares of groups are the cache's own, and nobody's entries.
 */
static uint64_t count_entries(const struct walk *walk, const redisReply *keys)
{
    uint64_t entries = 0;
    for (size_t i = 0; i < keys->elements; i++) {
        const redisReply *key = keys->element[i];
        entries += !jtgi_marker_is_key(walk->config, key->str, key->len) &&
                   !jtgi_share_is_key(walk->config, key->str, key->len);
    }
    return entries;
}

/* One page; *cursor is 0 after the last one. */
static jtg_status step(struct walk *walk, uint64_t *cursor)
{
    redisReply *reply = NULL;
    const redisReply *keys = NULL;
    jtg_status status = ask_page(walk, *cursor, &reply);
    if (status != JTG_OK)
        return status;
    if (!jtgi_reply_scan(reply, cursor, &keys) || !are_ours(walk, keys)) {
        status = jtgi_request_reject(&walk->request, reply, JTG_ERR_PROTOCOL);
    } else {
        walk->count += count_entries(walk, keys);
        if (walk->deleting)
            status = delete_page(walk, keys);
    }
    freeReplyObject(reply);
    return status;
}

static jtg_status run_node(void *context, struct jtgi_node *node, int64_t deadline_ns,
                           jtg_error *err)
{
    struct walk *walk = context;
    uint64_t cursor = 0;
    jtg_status status = JTG_OK;
    (void)deadline_ns; /* the walk has it, and err */
    (void)err;
    walk->request.node = node;
    do {
        status = step(walk, &cursor);
    } while (status == JTG_OK && cursor != 0);
    return status;
}

static jtg_status run(struct walk *walk, bool deleting)
{
    walk->deleting = deleting;
    return jtgi_route_each(&walk->redis->route, walk->deadline_ns, run_node, walk,
                           walk->request.err);
}

jtg_status jtgi_redis_count(jtg_cache *self, uint64_t *count, jtg_error *err)
{
    struct walk walk;
    walk_init(&walk, (struct jtgi_redis *)(void *)self, err);
    jtg_status status = run(&walk, false);
    if (status == JTG_OK)
        *count = walk.count;
    return status;
}

/* A cache that does not watch the store itself has markers to delete all the same: other caches of
 * its prefix may watch. */
static jtg_status clear_all(struct walk *walk, jtg_error *err)
{
    struct jtgi_redis *redis = walk->redis;
    struct jtgi_marker_keys own;
    walk->markers = &redis->shared.watch.keys;
    if (jtgi_config_watches(&redis->shared.config))
        return run(walk, true);
    jtg_status status = jtgi_marker_keys_init(&own, &redis->shared.config, err);
    if (status != JTG_OK)
        return status;
    walk->markers = &own;
    status = run(walk, true);
    walk->markers = NULL;
    jtgi_marker_keys_clear(&own);
    return status;
}

jtg_status jtgi_redis_clear(jtg_cache *self, jtg_error *err)
{
    struct jtgi_redis *redis = (struct jtgi_redis *)(void *)self;
    struct walk walk;
    if (redis->shared.config.prefix_len == 0)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0,
                             "redis: a cache without a prefix owns the whole database and is "
                             "not cleared");
    walk_init(&walk, redis, err);
    return clear_all(&walk, err);
}
