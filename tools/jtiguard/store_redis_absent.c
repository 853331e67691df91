/* SPDX-License-Identifier: Apache-2.0 */
/* A build without Redis. No cache of it is ever made, so nothing else is reached. */
#include "store_redis.h"

#include "message.h"

#include <stdio.h>

bool store_redis_is_built(void)
{
    return false;
}

static enum exit_code refuse(void)
{
    complain("this build has no Redis: it was made with -DJTIGUARD_REDIS=OFF");
    return EXIT_USAGE;
}

enum exit_code store_redis_settle(struct settings *settings)
{
    (void)settings;
    return refuse();
}

void store_redis_name(const struct settings *settings, char *text, size_t size)
{
    (void)settings;
    (void)snprintf(text, size, "none");
}

void store_redis_forget(struct settings *settings)
{
    (void)settings;
}

enum exit_code store_redis_open(jtg_cache **cache, const struct settings *settings,
                                const char *prefix, const jtg_clock *clock)
{
    (void)cache;
    (void)settings;
    (void)prefix;
    (void)clock;
    return refuse();
}

enum exit_code store_redis_open_unwatched(jtg_cache **cache, const struct settings *settings,
                                          const char *prefix)
{
    return store_redis_open(cache, settings, prefix, NULL);
}

const jtg_redis_options *store_redis_options(const struct settings *settings)
{
    (void)settings;
    return NULL;
}

jtg_status store_redis_describe(jtg_cache *cache, jtg_redis_server *server, jtg_error *err)
{
    (void)cache;
    (void)server;
    (void)err;
    return JTG_ERR_UNSUPPORTED;
}

jtg_status store_redis_count(jtg_cache *cache, jtg_redis_stats *stats, jtg_error *err)
{
    (void)cache;
    (void)stats;
    (void)err;
    return JTG_ERR_UNSUPPORTED;
}

jtg_status store_redis_vouch(jtg_cache *cache, int64_t since_ms, jtg_error *err)
{
    (void)cache;
    (void)since_ms;
    (void)err;
    return JTG_ERR_UNSUPPORTED;
}

const char *store_redis_loss_name(jtg_redis_loss loss)
{
    (void)loss;
    return "none";
}

const char *store_redis_acl_commands(void)
{
    return NULL;
}
