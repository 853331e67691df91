/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/say/resp/reply.h"

#include "core/digits.h"

#include <jtiguard/cache.h>
#include <string.h>

bool jtgi_reply_is_ok(const redisReply *reply)
{
    return reply->type == REDIS_REPLY_STATUS && reply->len == 2 && memcmp(reply->str, "OK", 2) == 0;
}

bool jtgi_reply_is_nil(const redisReply *reply)
{
    return reply->type == REDIS_REPLY_NIL;
}

bool jtgi_reply_is_bytes(const redisReply *reply, const void *data, size_t data_len)
{
    return reply->type == REDIS_REPLY_STRING && reply->len == data_len &&
           memcmp(reply->str, data, data_len) == 0;
}

bool jtgi_reply_integer(const redisReply *reply, long long lowest, long long highest,
                        long long *number)
{
    if (reply->type != REDIS_REPLY_INTEGER || reply->integer < lowest || reply->integer > highest)
        return false;
    *number = reply->integer;
    return true;
}

static bool is_pair(const redisReply *reply)
{
    return reply->type == REDIS_REPLY_ARRAY && reply->elements == 2;
}

bool jtgi_reply_value(const redisReply *reply, const redisReply **value, uint64_t *ttl_ms)
{
    long long left = 0;
    if (!is_pair(reply) || reply->element[0]->type != REDIS_REPLY_STRING ||
        !jtgi_reply_integer(reply->element[1], 1, (long long)JTG_TTL_MAX_MS, &left))
        return false;
    const redisReply *bytes = reply->element[0];
    if (bytes->len == 0 || bytes->len > JTG_VALUE_MAX_BYTES)
        return false;
    *value = bytes;
    *ttl_ms = (uint64_t)left;
    return true;
}

static bool read_cursor(const redisReply *reply, uint64_t *cursor)
{
    return reply->type == REDIS_REPLY_STRING &&
           jtgi_digits_read(reply->str, reply->len, UINT64_MAX, cursor);
}

bool jtgi_reply_scan(const redisReply *reply, uint64_t *cursor, const redisReply **keys)
{
    if (!is_pair(reply) || !read_cursor(reply->element[0], cursor) ||
        reply->element[1]->type != REDIS_REPLY_ARRAY)
        return false;
    const redisReply *list = reply->element[1];
    for (size_t i = 0; i < list->elements; i++)
        if (list->element[i]->type != REDIS_REPLY_STRING)
            return false;
    *keys = list;
    return true;
}

const struct jtgi_error_row *jtgi_reply_error(const redisReply *reply)
{
    return reply->type == REDIS_REPLY_ERROR ? jtgi_error_row_of(reply->str, reply->len) : NULL;
}

void jtgi_reply_explain(const redisReply *error, char text[JTGI_REFUSAL_BYTES])
{
    const struct jtgi_error_row *row = jtgi_error_row_of(error->str, error->len);
    jtgi_error_explain(row, jtgi_error_command_of(error->str, error->len), text);
}

bool jtgi_reply_type_known(const redisReply *reply)
{
    return reply->type >= REDIS_REPLY_STRING && reply->type <= REDIS_REPLY_ERROR;
}
