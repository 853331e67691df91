/* SPDX-License-Identifier: Apache-2.0 */
/* Judges replies. Every question has a yes, and everything else is a no: a reply that is not
 * exactly what was expected is never taken for it. No I/O, no locks. */
#ifndef JTGI_REDIS_REPLY_H
#define JTGI_REDIS_REPLY_H

#include "redis/say/resp/error_table.h"

#include <hiredis/hiredis.h>
#include <stdint.h>

/* The status +OK and nothing else. */
bool jtgi_reply_is_ok(const redisReply *reply);

bool jtgi_reply_is_nil(const redisReply *reply);

/* A bulk string of exactly these bytes. */
bool jtgi_reply_is_bytes(const redisReply *reply, const void *data, size_t data_len);

/* An integer between lowest and highest. */
bool jtgi_reply_integer(const redisReply *reply, long long lowest, long long highest,
                        long long *number);

/* A pair of a value and the milliseconds that it has left. */
bool jtgi_reply_value(const redisReply *reply, const redisReply **value, uint64_t *ttl_ms);

/* A pair of a cursor and an array of keys. */
bool jtgi_reply_scan(const redisReply *reply, uint64_t *cursor, const redisReply **keys);

/* The row of an error reply; NULL when it is no error. */
const struct jtgi_error_row *jtgi_reply_error(const redisReply *reply);

/* What it means, for people: the text of its row, and the command if it names one of ours. */
void jtgi_reply_explain(const redisReply *error, char text[JTGI_REFUSAL_BYTES]);

/* RESP2 has six types. Anything else (a push, a RESP3 type) was not asked for. */
bool jtgi_reply_type_known(const redisReply *reply);

#endif
