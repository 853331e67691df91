/* SPDX-License-Identifier: Apache-2.0 */
/* What tests say to a real server themselves, beside the cache under test, and what that cache says
 * of its server. Failures assert. */
#ifndef TESTS_REDIS_LIVE_SERVER_H
#define TESTS_REDIS_LIVE_SERVER_H

#include "support/redis_topology.h"

#include <hiredis/hiredis.h>
#include <jtiguard/redis.h>

/* redisFree() it. */
redisContext *live_connect(const struct redis_server *server);

/* A command as redisCommand() takes it; an error for an answer fails the test. freeReplyObject()
 * it. */
redisReply *live_ask(redisContext *context, const char *format, ...);

/* One command on a connection of its own. */
void live_tell(const struct redis_server *server, const char *line);

jtg_redis_stats live_stats(jtg_cache *cache);

/* A slot of a Cluster that goes from one node to another, step by step, as redis-cli does it. */
struct moving_slot {
    redisContext *from;
    redisContext *to;
    uint16_t to_port;
    int slot;
    char from_id[64];
    char to_id[64];
};

void moving_slot_begin(struct moving_slot *move, int slot, const struct redis_server *from,
                       const struct redis_server *to);
/* At most a thousand keys. */
void moving_slot_carry(struct moving_slot *move);
/* Keys that are still there. */
long long moving_slot_left(struct moving_slot *move);
void moving_slot_end(struct moving_slot *move);

#endif
