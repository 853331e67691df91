/* SPDX-License-Identifier: Apache-2.0 */
/* Commands as bytes for the wire (RESP arrays of bulk strings). No I/O, no locks. */
#ifndef JTGI_REDIS_COMMAND_H
#define JTGI_REDIS_COMMAND_H

#include <jtiguard/cache.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Everything that this backend sends, and what its scripts run: name, and the rules of an ACL that
 * allow it. Without a rule: a Sentinel's, what needs none, and what only some options make it send.
 * A server that does not know WAITAOF would refuse the whole line. */
#define JTGI_COMMANDS(X)                                                                           \
    X("PING", " +ping")                                                                            \
    X("INFO", " +info")                                                                            \
    X("SET", " +set")                                                                              \
    X("GET", " +get")                                                                              \
    X("DEL", " +del")                                                                              \
    X("PTTL", " +pttl")                                                                            \
    X("PEXPIRE", " +pexpire")                                                                      \
    X("TIME", " +time")                                                                            \
    X("HGET", " +hget")                                                                            \
    X("HSET", " +hset")                                                                            \
    X("HDEL", " +hdel")                                                                            \
    X("STRLEN", " +strlen")                                                                        \
    X("BITFIELD", " +bitfield")                                                                    \
    X("ZADD", " +zadd")                                                                            \
    X("ZCOUNT", " +zcount")                                                                        \
    X("ZSCORE", " +zscore")                                                                        \
    X("ZRANGEBYSCORE", " +zrangebyscore")                                                          \
    X("ZREM", " +zrem")                                                                            \
    X("SCAN", " +scan")                                                                            \
    X("EVAL", " +eval")                                                                            \
    X("EVALSHA", " +evalsha")                                                                      \
    X("WAIT", " +wait")                                                                            \
    X("ASKING", " +asking")                                                                        \
    X("CLUSTER", " +cluster|slots +cluster|myid")                                                  \
    X("AUTH", "")                                                                                  \
    X("SELECT", "")                                                                                \
    X("CLIENT", "")                                                                                \
    X("WAITAOF", "")                                                                               \
    X("SENTINEL", "")

enum {
    /* A reserve fits without an allocation: key, prefix and owner at their longest are less. */
    JTGI_COMMAND_INLINE_BYTES = 832
};

/* One command, or several in a row. Plain data of the caller's; clear it after use. */
struct jtgi_command {
    unsigned char *bytes; /* inline_bytes, or allocated when larger */
    size_t len;
    size_t capacity;
    bool failed; /* out of memory; the bytes are then incomplete and must not be sent */
    unsigned char inline_bytes[JTGI_COMMAND_INLINE_BYTES];
};

void jtgi_command_init(struct jtgi_command *command);
void jtgi_command_clear(struct jtgi_command *command);

/* Start a command of count words; exactly that many must follow. */
void jtgi_command_begin(struct jtgi_command *command, size_t count);
void jtgi_command_bytes(struct jtgi_command *command, const void *data, size_t data_len);
void jtgi_command_text(struct jtgi_command *command, const char *text);
void jtgi_command_number(struct jtgi_command *command, uint64_t number);

/* A word of two parts, e.g. prefix and key. */
void jtgi_command_joined(struct jtgi_command *command, const void *head, size_t head_len,
                         const void *tail, size_t tail_len);

/* SET key owner NX PX ttl: the one command that admits.
 * PX and never PXAT: a PXAT in the past answers OK and stores nothing. */
void jtgi_command_reserve(struct jtgi_command *command, const void *key, size_t key_len,
                          const jtg_owner *owner, uint64_t ttl_ms);

#endif
