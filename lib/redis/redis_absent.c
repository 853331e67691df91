/* SPDX-License-Identifier: Apache-2.0 */
/* A build without the Redis backend: the same functions, which say so. A program links either way,
 * and never takes another store for the one that it asked for. */
#include <jtiguard/redis.h>

#include <jtiguard/status.h>
#include <stddef.h>

static jtg_status say_absent(jtg_error *err)
{
    return jtg_error_set(err, JTG_ERR_UNSUPPORTED, 0,
                         "redis: this build has no Redis backend (libhiredis-dev was missing)");
}

void jtg_redis_options_init(jtg_redis_options *options)
{
    const jtg_redis_options defaults = JTG_REDIS_OPTIONS_INIT;
    if (options != NULL)
        *options = defaults;
}

jtg_status jtg_redis_new(jtg_cache **cache, const jtg_redis_options *options, jtg_error *err)
{
    (void)options;
    if (cache != NULL)
        *cache = NULL;
    return say_absent(err);
}

jtg_status jtg_redis_new_uri(jtg_cache **cache, const char *uri, jtg_error *err)
{
    (void)uri;
    return jtg_redis_new(cache, NULL, err);
}

jtg_status jtg_redis_uri_parse(jtg_redis_uri **uri, const char *text, jtg_error *err)
{
    (void)text;
    if (uri != NULL)
        *uri = NULL;
    return say_absent(err);
}

const jtg_redis_options *jtg_redis_uri_options(const jtg_redis_uri *uri)
{
    (void)uri;
    return NULL;
}

jtg_redis_keys jtg_redis_uri_keys(const jtg_redis_uri *uri)
{
    (void)uri;
    return JTG_REDIS_KEYS_UNSET;
}

void jtg_redis_uri_free(jtg_redis_uri *uri)
{
    (void)uri;
}

int jtg_redis_has_tls(void)
{
    return 0;
}

jtg_status jtg_redis_stats_get(jtg_cache *cache, jtg_redis_stats *stats, jtg_error *err)
{
    (void)cache;
    (void)stats;
    return say_absent(err);
}

jtg_status jtg_redis_server_get(jtg_cache *cache, jtg_redis_server *server, jtg_error *err)
{
    (void)cache;
    (void)server;
    return say_absent(err);
}

jtg_status jtg_redis_vouch(jtg_cache *cache, int64_t since_ms, jtg_error *err)
{
    (void)cache;
    (void)since_ms;
    return say_absent(err);
}

const char *jtg_redis_loss_name(jtg_redis_loss loss)
{
    return loss == JTG_REDIS_LOSS_NONE ? "none" : "unknown";
}

const char *jtg_redis_acl_commands(void)
{
    return "";
}
