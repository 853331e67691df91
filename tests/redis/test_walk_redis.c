/* SPDX-License-Identifier: Apache-2.0 */
/* A Redis cache with each acquisition of memory failing in turn: it is not made, or a call is
 * refused; nothing stays behind, nothing is stored, and what is there works on. */
#include "support/alloc_walk.h"
#include "support/asserts.h"
#include "support/redis_server.h"

#include <jtiguard/redis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NTH_MAX = 300 };

/* ---- making one, which talks to nobody ---- */

static char password_file[] = "/tmp/jtiguard-walk-XXXXXX";

/* Not made, or made; true at the end of the walk. */
static bool make_with_nth(const jtg_redis_options *options, unsigned nth)
{
    jtg_cache *cache = (jtg_cache *)(void *)password_file;
    jtg_error err = JTG_ERROR_INIT;
    alloc_walk_fail_nth(nth);
    jtg_status status = jtg_redis_new(&cache, options, &err);
    bool failed = alloc_walk_end();
    assert_status(status, failed ? JTG_ERR_MEMORY : JTG_OK);
    assert_err_tells(&err, status);
    assert_int_equal(cache != NULL, status == JTG_OK);
    jtg_cache_free(cache);
    return !failed;
}

static void walk_through_making(const jtg_redis_options *options)
{
    unsigned nth = 1;
    while (!make_with_nth(options, nth))
        assert_true(++nth < NTH_MAX);
    assert_true(nth > 1);
}

/* With all that takes memory, and with as little as there can be. */
static void walk_through_kinds(jtg_redis_options *options)
{
    jtg_cache *cache = NULL;
    walk_through_making(options);
    options->continuity = 0;
    walk_through_making(options);
    options->max_entries_per_group = 10;
    walk_through_making(options);
    options->continuity = 1;
    options->user = "somebody";
    options->password_file = password_file;
    walk_through_making(options);
    options->tls = 1;
    if (jtg_redis_new(&cache, options, NULL) == JTG_ERR_UNSUPPORTED)
        return;
    jtg_cache_free(cache);
    walk_through_making(options);
}

static void one_server(void **state)
{
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    (void)state;
    walk_through_kinds(&options);
}

static void one_that_sentinels_name(void **state)
{
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    (void)state;
    options.sentinels = "one,two:26380,three";
    options.sentinel_primary = "tokens";
    options.sentinel_password_file = password_file;
    walk_through_kinds(&options);
}

static void a_cluster(void **state)
{
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    (void)state;
    options.cluster_nodes = "one,two:7001";
    options.address_map = "one=three";
    walk_through_kinds(&options);
}

/* ---- its calls ---- */

static struct redis_server server;

static jtg_cache *open_cache(uint64_t per_group)
{
    jtg_cache *cache = NULL;
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    options.port = server.port;
    options.prefix = "walk:";
    options.timeout_ms = 5000;
    options.max_entries_per_group = per_group;
    assert_status(jtg_redis_new(&cache, &options, NULL), JTG_OK);
    return cache;
}

static jtg_key numbered_key(char text[32], unsigned number)
{
    jtg_key key = {text, (size_t)snprintf(text, 32, "key-%u", number), "group", 5};
    return key;
}

/* One call on a cache that has no connection yet. */
typedef jtg_status (*step)(jtg_cache *cache, const jtg_key *key, jtg_error *err);

static const jtg_owner owner = {"0123456789abcde"};
static const jtg_owner other = {"fedcba987654321"};

static jtg_status reserve(jtg_cache *cache, const jtg_key *key, jtg_error *err)
{
    return jtg_cache_reserve(cache, key, &owner, 60000, err);
}

static jtg_status release(jtg_cache *cache, const jtg_key *key, jtg_error *err)
{
    return jtg_cache_release(cache, key, &owner, err);
}

static jtg_status ping(jtg_cache *cache, const jtg_key *key, jtg_error *err)
{
    (void)key;
    return jtg_cache_ping(cache, err);
}

static jtg_status count(jtg_cache *cache, const jtg_key *key, jtg_error *err)
{
    uint64_t counted = 0;
    (void)key;
    return jtg_cache_count(cache, &counted, err);
}

static jtg_status describe(jtg_cache *cache, const jtg_key *key, jtg_error *err)
{
    jtg_redis_server told = {.struct_size = sizeof told};
    (void)key;
    return jtg_redis_server_get(cache, &told, err);
}

/* A socket that cannot be had is a server that is not reached. */
static bool is_refusal(jtg_status status)
{
    return status == JTG_ERR_MEMORY || status == JTG_ERR_UNAVAILABLE;
}

/* Whoever was refused has changed nothing: a key is held as before. */
static void assert_held(jtg_cache *elsewhere, const jtg_key *key, bool held)
{
    assert_status(jtg_cache_reserve(elsewhere, key, &other, 60000, NULL),
                  held ? JTG_REPLAYED : JTG_OK);
    assert_status(jtg_cache_release(elsewhere, key, held ? &owner : &other, NULL), JTG_OK);
}

/* True at the end of the walk. */
static bool call_with_nth(jtg_cache *elsewhere, step call, uint64_t per_group, unsigned nth)
{
    char text[32];
    jtg_key key = numbered_key(text, nth);
    jtg_error err = JTG_ERROR_INIT;
    jtg_cache *cache = open_cache(per_group);
    if (call == release)
        assert_status(reserve(elsewhere, &key, NULL), JTG_OK);
    alloc_walk_fail_nth(nth);
    jtg_status status = call(cache, &key, &err);
    bool failed = alloc_walk_end();
    assert_true(status == JTG_OK || (failed && is_refusal(status)));
    assert_err_tells(&err, status);
    assert_held(elsewhere, &key,
                call == release ? status != JTG_OK : call == reserve && status == JTG_OK);
    jtg_cache_free(cache);
    return !failed;
}

/* On a cache that has no connection yet. */
static void walk_through(step call, uint64_t per_group)
{
    jtg_cache *elsewhere = open_cache(per_group);
    unsigned nth = 1;
    while (!call_with_nth(elsewhere, call, per_group, nth))
        assert_true(++nth < NTH_MAX);
    assert_true(nth > 1);
    jtg_cache_free(elsewhere);
}

static void every_call(void **state)
{
    (void)state;
    walk_through(reserve, 0);
    walk_through(reserve, 100);
    walk_through(release, 0);
    walk_through(release, 100);
    walk_through(ping, 0);
    walk_through(count, 0);
    walk_through(describe, 0);
}

/* ---- many at once ---- */

enum { MANY = 40 /* more than a new batch has room for */ };

struct many {
    jtg_reserve_call calls[MANY];
    char texts[MANY][32];
    jtg_error errs[MANY];
};

static void prepare_many(struct many *many)
{
    static unsigned used = 1000000;
    for (unsigned i = 0; i < MANY; i++)
        many->calls[i] = (jtg_reserve_call){.key = numbered_key(many->texts[i], used++),
                                            .owner = &owner,
                                            .ttl_ms = 60000,
                                            .kept_since_ms = JTG_KEPT_ANY,
                                            .err = &many->errs[i],
                                            .reserved = true};
}

/* Each is refused and its key free, or admitted and its key held. */
static bool many_with_nth(jtg_cache *elsewhere, uint64_t per_group, bool held, unsigned nth)
{
    struct many many;
    jtg_cache *cache = open_cache(per_group);
    prepare_many(&many);
    if (held)
        jtg_cache_reserve_many(elsewhere, many.calls, MANY);
    alloc_walk_fail_nth(nth);
    jtg_cache_reserve_many(cache, many.calls, MANY);
    bool failed = alloc_walk_end();
    for (unsigned i = 0; i < MANY; i++) {
        jtg_status status = many.calls[i].status;
        assert_true(status == JTG_OK || (failed && is_refusal(status)));
        assert_int_equal(many.calls[i].reserved, status == JTG_OK);
        assert_err_tells(&many.errs[i], status);
        assert_held(elsewhere, &many.calls[i].key, held || status == JTG_OK);
    }
    jtg_cache_free(cache);
    return !failed;
}

static void walk_through_many(uint64_t per_group, bool held)
{
    jtg_cache *elsewhere = open_cache(per_group);
    unsigned nth = 1;
    while (!many_with_nth(elsewhere, per_group, held, nth))
        assert_true(++nth < NTH_MAX);
    assert_true(nth > 1);
    jtg_cache_free(elsewhere);
}

static void many_at_once(void **state)
{
    (void)state;
    walk_through_many(0, false);
    walk_through_many(0, true);
    walk_through_many(1000, false);
}

static int start(void **state)
{
    (void)state;
    int fd = mkstemp(password_file);
    bool written = fd >= 0 && write(fd, "secret\n", 7) == 7;
    if (fd >= 0)
        (void)close(fd);
    redis_server_start(&server, NULL);
    return written ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    redis_server_stop(&server);
    return unlink(password_file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_server),   cmocka_unit_test(one_that_sentinels_name),
        cmocka_unit_test(a_cluster),    cmocka_unit_test(every_call),
        cmocka_unit_test(many_at_once),
    };
    return cmocka_run_group_tests(tests, start, end);
}
