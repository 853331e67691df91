/* SPDX-License-Identifier: Apache-2.0 */
/* What a program does without the library: a hiredis connection a thread, one plain SET NX PX on
 * it. No deadline, no gate, no check that a reply belongs to its request. */
#include "bench/redis/client.h"

#include "bench/isolate.h"

#include <stdlib.h>
#include <string.h>

struct raw {
    unsigned callers;
    char *prefix;
    size_t prefix_len;
    redisContext *contexts[];
};

static void *open_connections(const struct bench_place *place, unsigned callers)
{
    struct raw *raw = calloc(1, sizeof *raw + callers * sizeof raw->contexts[0]);
    if (raw == NULL)
        bench_die("no memory");
    raw->callers = callers;
    raw->prefix = strdup(place->options->prefix != NULL ? place->options->prefix : "");
    if (raw->prefix == NULL)
        bench_die("no memory");
    raw->prefix_len = strlen(raw->prefix);
    for (unsigned i = 0; i < callers; i++) {
        raw->contexts[i] = bench_place_connect(place);
        if (raw->contexts[i] == NULL)
            bench_die("hiredis: connection %u of %u cannot be had", i + 1, callers);
    }
    return raw;
}

static void check(const redisContext *context, const redisReply *reply)
{
    if (reply == NULL)
        bench_die("hiredis: %s", context->errstr);
    if (reply->type == REDIS_REPLY_ERROR)
        bench_die("hiredis: %s", reply->str);
    if (reply->type != REDIS_REPLY_STATUS || strcmp(reply->str, "OK") != 0)
        bench_die("hiredis: a fresh key was refused");
}

static void reserve(void *self, unsigned caller, const struct bench_fresh *fresh)
{
    const struct raw *raw = self;
    redisContext *context = raw->contexts[caller];
    char key[JTG_REDIS_PREFIX_MAX_BYTES + sizeof fresh->key];
    memcpy(key, raw->prefix, raw->prefix_len);
    memcpy(key + raw->prefix_len, fresh->key, sizeof fresh->key);
    const char *words[] = {"SET", key,  (const char *)fresh->owner.bytes,
                           "NX",  "PX", BENCH_REDIS_TTL};
    const size_t lens[] = {3, raw->prefix_len + sizeof fresh->key, sizeof fresh->owner.bytes, 2,
                           2, sizeof BENCH_REDIS_TTL - 1};
    redisReply *reply = redisCommandArgv(context, 6, words, lens);
    check(context, reply);
    freeReplyObject(reply);
}

static struct bench_batches close_connections(void *self)
{
    struct raw *raw = self;
    for (unsigned i = 0; i < raw->callers; i++)
        redisFree(raw->contexts[i]);
    free(raw->prefix);
    free(raw);
    struct bench_batches single = {1, 1};
    return single;
}

const struct bench_client bench_client_hiredis = {"hiredis", open_connections, reserve,
                                                  close_connections, false};
