/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/scripted_cache.h"

#include "redis/ask/store.h"

#include "support/stalls.h"

#include <string.h>
#include <time.h>

uint32_t scripted_timeout_ms = SCRIPTED_LONG_MS;

int scripted_patient(void **state)
{
    (void)state;
    scripted_timeout_ms = SCRIPTED_LONG_MS;
    return 0;
}

int scripted_impatient(void **state)
{
    (void)state;
    scripted_timeout_ms = SCRIPTED_SHORT_MS;
    return 0;
}

static int64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void scripted_cache_open_with(struct scripted_cache *scripted, const jtg_redis_options *wanted,
                              const struct script_step *steps, size_t count)
{
    jtg_redis_options options = *wanted;
    memset(scripted, 0, sizeof *scripted);
    jtg_owner_generate(&scripted->owner);
    scripted_server_start(&scripted->server, steps, count);
    options.port = scripted->server.port;
    options.timeout_ms = scripted_timeout_ms;
    options.prefix = "t:";
    assert_status(jtg_redis_new(&scripted->cache, &options, &scripted->err), JTG_OK);
}

/* Without continuity: a script has only what it is about. */
void scripted_cache_open_steps(struct scripted_cache *scripted, const struct script_step *steps,
                               size_t count)
{
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    options.continuity = 0;
    scripted_cache_open_with(scripted, &options, steps, count);
}

void scripted_cache_close(struct scripted_cache *scripted)
{
    jtg_cache_free(scripted->cache);
    assert_null(scripted_server_end(&scripted->server));
}

typedef jtg_status (*operation)(struct scripted_cache *scripted, const jtg_key *key);

static jtg_status timed(struct scripted_cache *scripted, const char *key, operation run)
{
    jtg_key wanted = {key, strlen(key), NULL, 0};
    struct stalls stalls;
    stalls_begin(&stalls);
    int64_t start = now_ms();
    jtg_status status = run(scripted, &wanted);
    scripted->took_ms = now_ms() - start;
    int64_t stalled_ms = stalls_end_ms(&stalls);
    if (scripted->took_ms > scripted_timeout_ms + SCRIPTED_SLACK_MS + stalled_ms)
        fail_msg("%lld ms of %u, and %lld ms without the processor", (long long)scripted->took_ms,
                 scripted_timeout_ms, (long long)stalled_ms);
    return status;
}

static jtg_status reserve(struct scripted_cache *scripted, const jtg_key *key)
{
    return jtg_cache_reserve(scripted->cache, key, &scripted->owner, 60000, &scripted->err);
}

static int64_t wanted_since_ms;

static jtg_status reserve_kept(struct scripted_cache *scripted, const jtg_key *key)
{
    return jtg_cache_reserve_kept(scripted->cache, key, &scripted->owner, 60000, wanted_since_ms,
                                  &scripted->err);
}

static jtg_status release(struct scripted_cache *scripted, const jtg_key *key)
{
    return jtg_cache_release(scripted->cache, key, &scripted->owner, &scripted->err);
}

jtg_status scripted_reserve(struct scripted_cache *scripted, const char *key)
{
    return timed(scripted, key, reserve);
}

jtg_status scripted_reserve_kept(struct scripted_cache *scripted, const char *key,
                                 int64_t kept_since_ms)
{
    wanted_since_ms = kept_since_ms;
    return timed(scripted, key, reserve_kept);
}

static jtg_reserve_call *wanted_calls;
static size_t wanted_count;

static jtg_status reserve_many(struct scripted_cache *scripted, const jtg_key *key)
{
    (void)key;
    jtg_cache_reserve_many(scripted->cache, wanted_calls, wanted_count);
    return JTG_OK;
}

void scripted_reserve_many(struct scripted_cache *scripted, jtg_reserve_call *calls, size_t count)
{
    wanted_calls = calls;
    wanted_count = count;
    (void)timed(scripted, "", reserve_many);
}

jtg_status scripted_release(struct scripted_cache *scripted, const char *key)
{
    return timed(scripted, key, release);
}

static jtg_status count(struct scripted_cache *scripted, const jtg_key *key)
{
    uint64_t counted = 0;
    (void)key;
    return jtg_cache_count(scripted->cache, &counted, &scripted->err);
}

jtg_status scripted_count(struct scripted_cache *scripted)
{
    return timed(scripted, "", count);
}

/* Only where looped.c is linked. */
__attribute__((weak)) struct jtgi_connection *looped_connection(const jtg_cache *cache);

bool scripted_is_looped(void)
{
    return looped_connection != NULL;
}

struct jtgi_connection *scripted_connection(const struct scripted_cache *scripted)
{
    const struct jtgi_redis *redis = (const struct jtgi_redis *)(const void *)scripted->cache;
    if (looped_connection != NULL)
        return looped_connection(scripted->cache);
    return redis->route.nodes.list[0]->pipelines[0].connection;
}

jtg_redis_stats scripted_stats(const struct scripted_cache *scripted)
{
    jtg_redis_stats stats = {.struct_size = sizeof stats};
    assert_status(jtg_redis_stats_get(scripted->cache, &stats, NULL), JTG_OK);
    return stats;
}

static jtg_status ping_once(struct scripted_cache *scripted, const jtg_key *key)
{
    (void)key;
    return jtg_cache_ping(scripted->cache, &scripted->err);
}

jtg_status scripted_ping(struct scripted_cache *scripted)
{
    return timed(scripted, "", ping_once);
}
