/* SPDX-License-Identifier: Apache-2.0 */
/* The share of an issuer on real servers: exact among threads and processes that do not know one
 * another, without a second count of one token, and gone with what it counts. */
#include "redis/live_server.h"
#include "redis/say/keys/share.h"
#include "support/asserts.h"
#include "support/redis_topology.h"
#include "support/threads.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

enum { SHARE = 5, TTL_MS = 600000, THREADS = 6, TRIES = 40 };

static struct redis_server server;
static redisContext *side;

static int start(void **state)
{
    (void)state;
    redis_server_start(&server, NULL);
    side = live_connect(&server);
    return 0;
}

static int halt(void **state)
{
    (void)state;
    redisFree(side);
    redis_server_stop(&server);
    return 0;
}

static int flush(void **state)
{
    (void)state;
    live_tell(&server, "FLUSHALL");
    return 0;
}

static jtg_cache *open_with(uint64_t share)
{
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    jtg_cache *cache = NULL;
    options.port = server.port;
    options.prefix = "p:";
    options.timeout_ms = 10000;
    options.continuity = 0;
    options.max_entries_per_group = share;
    assert_status(jtg_redis_new(&cache, &options, NULL), JTG_OK);
    return cache;
}

static jtg_owner owner_of(unsigned number)
{
    jtg_owner owner = {{0}};
    memcpy(owner.bytes, &number, sizeof number);
    return owner;
}

static jtg_key key_of(const char *name)
{
    jtg_key key = {name, strlen(name), "issuer", 6};
    return key;
}

static jtg_status reserve_for(jtg_cache *cache, const char *name, unsigned number, uint64_t ttl_ms)
{
    jtg_key key = key_of(name);
    jtg_owner owner = owner_of(number);
    return jtg_cache_reserve(cache, &key, &owner, ttl_ms, NULL);
}

static jtg_status reserve(jtg_cache *cache, const char *name, unsigned number)
{
    return reserve_for(cache, name, number, TTL_MS);
}

static jtg_status release(jtg_cache *cache, const char *name, unsigned number)
{
    jtg_key key = key_of(name);
    jtg_owner owner = owner_of(number);
    return jtg_cache_release(cache, &key, &owner, NULL);
}

static void fill(jtg_cache *cache, unsigned count, uint64_t ttl_ms)
{
    char name[16];
    for (unsigned i = 0; i < count; i++) {
        (void)snprintf(name, sizeof name, "held-%u", i);
        assert_status(reserve_for(cache, name, i, ttl_ms), JTG_OK);
    }
}

static long long number_of(const char *line)
{
    redisReply *reply = live_ask(side, line);
    assert_int_equal(reply->type, REDIS_REPLY_INTEGER);
    long long number = reply->integer;
    freeReplyObject(reply);
    return number;
}

/* How many members the one share has; 0 if there is none. */
static long long members(void)
{
    redisReply *keys = live_ask(side, "KEYS p:\xff"
                                      "cg*");
    long long count = 0;
    assert_true(keys->elements <= 1);
    if (keys->elements == 1) {
        redisReply *reply =
            live_ask(side, "ZCARD %b", keys->element[0]->str, keys->element[0]->len);
        count = reply->integer;
        freeReplyObject(reply);
    }
    freeReplyObject(keys);
    return count;
}

struct race {
    jtg_cache *caches[2]; /* as two processes have them */
    atomic_uint admitted;
    atomic_uint refused;
    atomic_uint others;
};

static void race_for_the_share(void *context, unsigned index)
{
    struct race *race = context;
    char name[32];
    for (unsigned i = 0; i < TRIES; i++) {
        (void)snprintf(name, sizeof name, "key-%u-%u", index, i);
        jtg_status status = reserve(race->caches[index % 2], name, index);
        atomic_fetch_add(status == JTG_OK               ? &race->admitted
                         : status == JTG_ERR_GROUP_FULL ? &race->refused
                                                        : &race->others,
                         1);
    }
}

static void the_last_place_is_given_once(void **state)
{
    struct race race = {.caches = {open_with(THREADS * TRIES / 2), open_with(THREADS * TRIES / 2)}};
    (void)state;
    threads_run(THREADS, race_for_the_share, &race);
    assert_int_equal(atomic_load(&race.admitted), THREADS * TRIES / 2);
    assert_int_equal(atomic_load(&race.refused), THREADS * TRIES / 2);
    assert_int_equal(members(), THREADS * TRIES / 2);
    jtg_cache_free(race.caches[0]);
    jtg_cache_free(race.caches[1]);
}

static void a_token_is_counted_once(void **state)
{
    jtg_cache *cache = open_with(SHARE);
    jtg_cache *other = open_with(SHARE);
    (void)state;
    fill(cache, SHARE, TTL_MS);
    fill(other, SHARE, TTL_MS); /* the same owners ask again */
    assert_int_equal(members(), SHARE);
    assert_status(reserve(cache, "held-0", 77), JTG_REPLAYED);
    assert_status(reserve(cache, "more", 77), JTG_ERR_GROUP_FULL);
    /* Deleted by a stranger: the place is held until its end, for that key too. */
    live_tell(&server, "DEL p:held-0");
    assert_status(reserve(cache, "more", 77), JTG_ERR_GROUP_FULL);
    assert_status(reserve(cache, "held-0", 78), JTG_OK);
    assert_int_equal(members(), SHARE);
    jtg_cache_free(cache);
    jtg_cache_free(other);
}

static void a_place_comes_back_once(void **state)
{
    jtg_cache *cache = open_with(SHARE);
    (void)state;
    fill(cache, SHARE, TTL_MS);
    assert_status(release(cache, "held-1", 77), JTG_NOT_OWNER);
    assert_int_equal(members(), SHARE);
    assert_status(release(cache, "held-1", 1), JTG_OK);
    assert_status(release(cache, "held-1", 1), JTG_NOT_FOUND);
    assert_int_equal(members(), SHARE - 1);
    assert_status(reserve(cache, "new", 1), JTG_OK);
    assert_status(reserve(cache, "newer", 1), JTG_ERR_GROUP_FULL);
    jtg_cache_free(cache);
}

/* Time on the server is moved by making the ends earlier. */
static void end_all_members(void)
{
    freeReplyObject(
        live_ask(side, "EVAL %s 0",
                 "local share = redis.call('KEYS', 'p:\\255cg*')[1]\n"
                 "for _, m in ipairs(redis.call('ZRANGE', share, 0, -1)) do\n"
                 "  redis.call('ZADD', share, 'XX', 1, m) end\n"
                 "for _, k in ipairs(redis.call('KEYS', 'p:held-*')) do redis.call('DEL', k) end\n"
                 "return 1"));
}

static void what_has_ended_is_not_counted_and_goes(void **state)
{
    enum { MANY = 40 };
    jtg_cache *cache = open_with(MANY);
    char name[16];
    (void)state;
    fill(cache, MANY, TTL_MS);
    end_all_members();
    for (unsigned i = 0; i < MANY; i++) {
        (void)snprintf(name, sizeof name, "new-%u", i);
        assert_status(reserve(cache, name, i), JTG_OK);
        assert_true(members() <= MANY); /* it never grows beyond the share */
    }
    assert_int_equal(members(), MANY);
    assert_status(reserve(cache, "more", 1), JTG_ERR_GROUP_FULL);
    jtg_cache_free(cache);
}

/* Nobody has to come by for it to go. */
static void a_share_ends_with_its_last_reservation(void **state)
{
    jtg_cache *cache = open_with(SHARE);
    (void)state;
    assert_status(reserve_for(cache, "long", 1, 500000), JTG_OK);
    assert_status(reserve_for(cache, "short", 2, 1000), JTG_OK);
    redisReply *keys = live_ask(side, "KEYS p:\xff"
                                      "cg*");
    assert_int_equal(keys->elements, 1);
    redisReply *left = live_ask(side, "PTTL %b", keys->element[0]->str, keys->element[0]->len);
    assert_true(left->integer > 400000 && left->integer <= 500000);
    freeReplyObject(left);
    freeReplyObject(keys);
    jtg_cache_free(cache);
}

static void it_is_no_entry_and_is_cleared(void **state)
{
    jtg_cache *cache = open_with(SHARE);
    uint64_t count = 0;
    (void)state;
    fill(cache, SHARE, TTL_MS);
    assert_status(jtg_cache_count(cache, &count, NULL), JTG_OK);
    assert_int_equal(count, SHARE);
    assert_status(jtg_cache_clear(cache, NULL), JTG_OK);
    assert_int_equal(number_of("DBSIZE"), 0);
    fill(cache, SHARE, TTL_MS);
    jtg_cache_free(cache);
}

/* One instance has the option, the other not yet: neither admits what the other holds, and the
 * owner is known to both. */
static void instances_with_and_without_understand_each_other(void **state)
{
    jtg_cache *with = open_with(SHARE);
    jtg_cache *without = open_with(0);
    (void)state;
    assert_status(reserve(with, "one", 1), JTG_OK);
    assert_status(reserve(without, "one", 2), JTG_REPLAYED);
    assert_status(reserve(without, "one", 1), JTG_OK);
    assert_status(reserve(without, "two", 2), JTG_OK);
    assert_status(reserve(with, "two", 1), JTG_REPLAYED);
    assert_status(reserve(with, "two", 2), JTG_OK);
    assert_int_equal(members(), 1); /* what was reserved without it is not counted */
    assert_status(release(without, "one", 2), JTG_NOT_OWNER);
    assert_status(release(without, "one", 1), JTG_OK);
    assert_status(release(with, "two", 2), JTG_OK);
    jtg_cache_free(with);
    jtg_cache_free(without);
}

static void something_foreign_in_its_place_refuses(void **state)
{
    jtg_cache *cache = open_with(SHARE);
    (void)state;
    fill(cache, 1, TTL_MS);
    freeReplyObject(live_ask(side, "EVAL %s 0",
                             "local share = redis.call('KEYS', 'p:\\255cg*')[1]\n"
                             "redis.call('SET', share, 'x') return 1"));
    assert_status(reserve(cache, "more", 1), JTG_ERR_REFUSED);
    assert_int_equal(number_of("EXISTS p:more"), 0);
    assert_status(release(cache, "held-0", 0), JTG_ERR_REFUSED);
    assert_int_equal(number_of("EXISTS p:held-0"), 1);
    jtg_cache_free(cache);
}

/* ---- in a Cluster ---- */

/* Each slot has a share of its own: here of one, and its keys and its share are on one node. */
static void in_a_cluster_each_slot_has_its_share(void **state)
{
    struct redis_cluster cluster;
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    jtg_cache *cache = NULL;
    uint64_t count = 0;
    (void)state;
    redis_cluster_start(&cluster);
    options.cluster_nodes = cluster.addresses;
    options.prefix = "p:";
    options.timeout_ms = 10000;
    options.continuity = 0;
    options.max_entries_per_group = 1;
    assert_status(jtg_redis_new(&cache, &options, NULL), JTG_OK);
    assert_status(reserve(cache, "{foo}one", 1), JTG_OK);
    assert_status(reserve(cache, "{foo}two", 1), JTG_ERR_GROUP_FULL);
    assert_status(reserve(cache, "{bar}one", 1), JTG_OK);
    assert_status(reserve(cache, "{bar}two", 1), JTG_ERR_GROUP_FULL);
    assert_status(release(cache, "{foo}one", 1), JTG_OK);
    assert_status(reserve(cache, "{foo}two", 1), JTG_OK);
    assert_status(jtg_cache_count(cache, &count, NULL), JTG_OK);
    assert_int_equal(count, 2);
    jtg_cache_free(cache);
    redis_cluster_stop(&cluster);
}

#define CASE(name) cmocka_unit_test_setup(name, flush)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(the_last_place_is_given_once),
        CASE(a_token_is_counted_once),
        CASE(a_place_comes_back_once),
        CASE(what_has_ended_is_not_counted_and_goes),
        CASE(a_share_ends_with_its_last_reservation),
        CASE(it_is_no_entry_and_is_cleared),
        CASE(instances_with_and_without_understand_each_other),
        CASE(something_foreign_in_its_place_refuses),
        cmocka_unit_test(in_a_cluster_each_slot_has_its_share),
    };
    return cmocka_run_group_tests(tests, start, halt);
}
