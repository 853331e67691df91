/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/redis/place.h"

#include <stdio.h>
#include <string.h>
#include <sys/time.h>

static bool complain(const char *text)
{
    fprintf(stderr, "jtiguard bench redis: %s\n", text);
    return false;
}

bool bench_place_open(struct bench_place *place, const char *uri, bool ours)
{
    jtg_error err = JTG_ERROR_INIT;
    memset(place, 0, sizeof *place);
    if (jtg_redis_uri_parse(&place->uri, uri, &err) != JTG_OK)
        return complain(err.text);
    place->options = jtg_redis_uri_options(place->uri);
    place->ours = ours;
    bool plain = !place->options->tls && place->options->password_file == NULL;
    if (!plain)
        bench_place_close(place);
    return plain || complain("the raw client here knows neither TLS nor password files");
}

void bench_place_close(struct bench_place *place)
{
    jtg_redis_uri_free(place->uri);
    place->uri = NULL;
}

static redisContext *connect_only(const jtg_redis_options *options)
{
    static const struct timeval patience = {5, 0};
    if (options->unix_path != NULL)
        return redisConnectUnixWithTimeout(options->unix_path, patience);
    const char *host = options->host != NULL ? options->host : JTG_REDIS_HOST_DEFAULT;
    return redisConnectWithTimeout(host, (int)options->port, patience);
}

static bool is_accepted(redisReply *reply)
{
    bool good = reply != NULL && reply->type == REDIS_REPLY_STATUS && strcmp(reply->str, "OK") == 0;
    if (reply != NULL)
        freeReplyObject(reply);
    return good;
}

static bool log_in(redisContext *context, const jtg_redis_options *options)
{
    bool good = true;
    if (options->password != NULL && options->user != NULL)
        good = is_accepted(redisCommand(context, "AUTH %s %s", options->user, options->password));
    else if (options->password != NULL)
        good = is_accepted(redisCommand(context, "AUTH %s", options->password));
    if (good && options->database != 0)
        good = is_accepted(redisCommand(context, "SELECT %u", (unsigned)options->database));
    return good;
}

redisContext *bench_place_connect(const struct bench_place *place)
{
    redisContext *context = connect_only(place->options);
    if (context != NULL && context->err == 0 && log_in(context, place->options))
        return context;
    (void)complain(context == NULL     ? "no memory for a connection"
                   : context->err != 0 ? context->errstr
                                       : "the store does not accept the login");
    if (context != NULL)
        redisFree(context);
    return NULL;
}

bool bench_place_empty(const struct bench_place *place)
{
    redisContext *context = bench_place_connect(place);
    if (context == NULL)
        return false;
    bool good = is_accepted(redisCommand(context, "FLUSHALL SYNC"));
    redisFree(context);
    return good || complain("the store cannot be emptied");
}

bool bench_place_count(const struct bench_place *place, uint64_t *count)
{
    redisContext *context = bench_place_connect(place);
    if (context == NULL)
        return false;
    redisReply *reply = redisCommand(context, "DBSIZE");
    bool good = reply != NULL && reply->type == REDIS_REPLY_INTEGER;
    if (good)
        *count = (uint64_t)reply->integer;
    if (reply != NULL)
        freeReplyObject(reply);
    redisFree(context);
    return good || complain("the store does not count its keys");
}
