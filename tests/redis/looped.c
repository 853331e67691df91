/* SPDX-License-Identifier: Apache-2.0 */
/* What is tested of callers that block, tested of the front for event loops: linked into the same
 * programs with --wrap=jtg_redis_new and --wrap=jtg_cache_free, it makes each Redis cache one whose
 * reservations go through a loop. A call takes a loop that is idle, submits, and waits on its
 * descriptor as an event loop does, to the last. */
#include "redis/loop/queue.h"
#include "support/asserts.h"

#include <jtiguard/redis.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { LOOPS_MAX = 512, CALLS_MAX = JTG_MANY_MAX };

struct looped {
    jtg_cache *cache; /* NULL: the place is free */
    void *loop;
    bool busy;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct looped loops[LOOPS_MAX];

static const struct jtgi_loop_table *table;
static jtg_backend watching;
static jtg_backend unwatching;

/* ---- loops ---- */

static struct looped *find_idle(const jtg_cache *cache)
{
    struct looped *found = NULL;
    pthread_mutex_lock(&lock);
    for (unsigned i = 0; i < LOOPS_MAX && found == NULL; i++)
        if (loops[i].cache == cache && !loops[i].busy)
            found = &loops[i];
    for (unsigned i = 0; i < LOOPS_MAX && found == NULL; i++)
        if (loops[i].cache == NULL)
            found = &loops[i];
    assert_non_null(found);
    found->busy = true;
    if (found->cache == NULL)
        found->loop = NULL;
    found->cache = (jtg_cache *)(uintptr_t)cache; /* NOLINT(performance-no-int-to-ptr) */
    pthread_mutex_unlock(&lock);
    return found;
}

struct jtgi_connection *looped_connection(const jtg_cache *cache);
struct jtgi_connection *looped_connection(const jtg_cache *cache)
{
    struct looped *looped = find_idle(cache);
    struct jtgi_connection *connection = jtgi_redis_loop_connection(looped->loop);
    looped->busy = false;
    return connection;
}

static void let_go(struct looped *looped)
{
    pthread_mutex_lock(&lock);
    looped->busy = false;
    if (looped->loop == NULL)
        looped->cache = NULL;
    pthread_mutex_unlock(&lock);
}

static jtg_status take_loop(jtg_cache *cache, struct looped **looped, jtg_error *err)
{
    *looped = find_idle(cache);
    if ((*looped)->loop != NULL)
        return JTG_OK;
    jtg_status status = table->open(cache, &(*looped)->loop, err);
    if (status != JTG_OK)
        let_go(*looped);
    return status;
}

/* As a loop does that has nothing else to do. */
static void turn(const struct looped *looped)
{
    struct pollfd wait = {table->fd(looped->loop), POLLIN, 0};
    (void)poll(&wait, 1, -1);
    table->process(looped->loop);
}

static void run(const struct looped *looped, struct jtgi_loop_call *calls, size_t count)
{
    size_t ended = 0;
    for (size_t i = 0; i < count; i++)
        ended += table->submit(looped->loop, &calls[i]);
    while (ended < count) {
        turn(looped);
        while (table->next(looped->loop) != NULL)
            ended++;
    }
    assert_true(ended == count);
}

static jtg_status run_one(jtg_cache *self, struct jtgi_loop_call *call, jtg_error *err)
{
    struct looped *looped = NULL;
    jtg_status status = take_loop(self, &looped, err);
    if (status != JTG_OK)
        return status;
    run(looped, call, 1);
    let_go(looped);
    *err = call->err;
    return call->status;
}

/* ---- the slots ---- */

static jtg_status reserve_kept(jtg_cache *self, const jtg_key *key, const jtg_owner *owner,
                               uint64_t ttl_ms, int64_t kept_since_ms, jtg_error *err)
{
    struct jtgi_loop_call call = {.key = *key,
                                  .owner = owner,
                                  .ttl_ms = ttl_ms,
                                  .kept_since_ms = kept_since_ms == JTG_KEPT_ANY ? JTG_KEPT_ANY - 1
                                                                                 : kept_since_ms};
    return run_one(self, &call, err);
}

static jtg_status reserve(jtg_cache *self, const jtg_key *key, const jtg_owner *owner,
                          uint64_t ttl_ms, jtg_error *err)
{
    struct jtgi_loop_call call = {
        .key = *key, .owner = owner, .ttl_ms = ttl_ms, .kept_since_ms = JTG_KEPT_ANY};
    return run_one(self, &call, err);
}

static jtg_status release(jtg_cache *self, const jtg_key *key, const jtg_owner *owner,
                          jtg_error *err)
{
    struct jtgi_loop_call call = {
        .gives_back = true, .key = *key, .owner = owner, .kept_since_ms = JTG_KEPT_ANY};
    return run_one(self, &call, err);
}

static void reserve_many(jtg_cache *self, jtg_reserve_call *const *calls, size_t count)
{
    struct looped *looped = NULL;
    jtg_error err = JTG_ERROR_INIT;
    struct jtgi_loop_call *asked = calloc(count, sizeof *asked);
    assert_true(asked != NULL && count <= CALLS_MAX);
    jtg_status status = take_loop(self, &looped, &err);
    for (size_t i = 0; i < count; i++) {
        asked[i].key = calls[i]->key;
        asked[i].owner = calls[i]->owner;
        asked[i].ttl_ms = calls[i]->ttl_ms;
        asked[i].kept_since_ms = calls[i]->kept_since_ms;
        asked[i].status = status;
        asked[i].err = err;
    }
    if (status == JTG_OK)
        run(looped, asked, count);
    for (size_t i = 0; i < count; i++) {
        calls[i]->status = asked[i].status;
        if (calls[i]->err != NULL)
            *calls[i]->err = asked[i].err;
    }
    if (status == JTG_OK)
        let_go(looped);
    free(asked);
}

/* ---- in place of the making and the end ---- */

jtg_status __real_jtg_redis_new(jtg_cache **cache, const jtg_redis_options *options,
                                jtg_error *err);
jtg_status __wrap_jtg_redis_new(jtg_cache **cache, const jtg_redis_options *options,
                                jtg_error *err);
void __real_jtg_cache_free(jtg_cache *cache);
void __wrap_jtg_cache_free(jtg_cache *cache);

static void divert(jtg_cache *cache)
{
    bool watches = jtg_cache_watches(cache) != 0;
    jtg_backend *diverted = watches ? &watching : &unwatching;
    pthread_mutex_lock(&lock);
    if (diverted->struct_size == 0)
        *diverted = *cache->backend;
    table = diverted->loop;
    diverted->reserve = reserve;
    diverted->release = release;
    diverted->reserve_many = reserve_many;
    if (watches)
        diverted->reserve_kept = reserve_kept;
    cache->backend = diverted;
    pthread_mutex_unlock(&lock);
}

jtg_status __wrap_jtg_redis_new(jtg_cache **cache, const jtg_redis_options *options, jtg_error *err)
{
    jtg_status status = __real_jtg_redis_new(cache, options, err);
    bool is_single =
        options != NULL && options->sentinels == NULL && options->cluster_nodes == NULL;
    if (status == JTG_OK && is_single)
        divert(*cache);
    return status;
}

void __wrap_jtg_cache_free(jtg_cache *cache)
{
    pthread_mutex_lock(&lock);
    for (unsigned i = 0; i < LOOPS_MAX && cache != NULL; i++) {
        if (loops[i].cache != cache)
            continue;
        table->close(loops[i].loop, false);
        memset(&loops[i], 0, sizeof loops[i]);
    }
    pthread_mutex_unlock(&lock);
    __real_jtg_cache_free(cache);
}
