/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/live_server.h"

#include "support/asserts.h"

#include <stdarg.h>
#include <stdio.h>

redisContext *live_connect(const struct redis_server *server)
{
    redisContext *context = redisConnect("127.0.0.1", server->port);
    assert_non_null(context);
    assert_int_equal(context->err, 0);
    return context;
}

redisReply *live_ask(redisContext *context, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    redisReply *reply = redisvCommand(context, format, arguments);
    va_end(arguments);
    assert_non_null(reply);
    if (reply->type == REDIS_REPLY_ERROR)
        fail_msg("%s: %s", format, reply->str);
    return reply;
}

void live_tell(const struct redis_server *server, const char *line)
{
    redisContext *context = live_connect(server);
    freeReplyObject(live_ask(context, line));
    redisFree(context);
}

jtg_redis_stats live_stats(jtg_cache *cache)
{
    jtg_redis_stats stats = {.struct_size = sizeof stats};
    assert_status(jtg_redis_stats_get(cache, &stats, NULL), JTG_OK);
    return stats;
}

/* ---- a slot moves ---- */

static void read_id(redisContext *context, char id[64])
{
    redisReply *reply = live_ask(context, "CLUSTER MYID");
    (void)snprintf(id, 64, "%s", reply->str);
    freeReplyObject(reply);
}

static void set_slot(redisContext *context, const char *format, int slot, const char *id)
{
    freeReplyObject(live_ask(context, format, slot, id));
}

void moving_slot_begin(struct moving_slot *move, int slot, const struct redis_server *from,
                       const struct redis_server *to)
{
    move->slot = slot;
    move->to_port = to->port;
    move->from = live_connect(from);
    move->to = live_connect(to);
    read_id(move->from, move->from_id);
    read_id(move->to, move->to_id);
    set_slot(move->to, "CLUSTER SETSLOT %d IMPORTING %s", slot, move->from_id);
    set_slot(move->from, "CLUSTER SETSLOT %d MIGRATING %s", slot, move->to_id);
}

void moving_slot_carry(struct moving_slot *move)
{
    redisReply *keys = live_ask(move->from, "CLUSTER GETKEYSINSLOT %d 1000", move->slot);
    for (size_t i = 0; i < keys->elements; i++)
        freeReplyObject(live_ask(move->from, "MIGRATE 127.0.0.1 %d %b 0 5000", (int)move->to_port,
                                 keys->element[i]->str, keys->element[i]->len));
    freeReplyObject(keys);
}

long long moving_slot_left(struct moving_slot *move)
{
    redisReply *reply = live_ask(move->from, "CLUSTER COUNTKEYSINSLOT %d", move->slot);
    long long left = reply->integer;
    freeReplyObject(reply);
    return left;
}

void moving_slot_end(struct moving_slot *move)
{
    set_slot(move->to, "CLUSTER SETSLOT %d NODE %s", move->slot, move->to_id);
    set_slot(move->from, "CLUSTER SETSLOT %d NODE %s", move->slot, move->to_id);
    redisFree(move->from);
    redisFree(move->to);
}
