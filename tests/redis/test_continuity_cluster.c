/* SPDX-License-Identifier: Apache-2.0 */
/* A Cluster of three that forgets in part, and slots that move: each slot has kept by itself. */
#include "redis/live_server.h"
#include "support/asserts.h"

#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Slots of {foo}, in the last third, and of {bar}, in the first. */
enum {
    FOO_SLOT = 12182,
    FOO_NODE = 2,
    BAR_NODE = 0,
    TTL_MS = 600000,
    KEYS = 200,
    PATIENCE_MS = 30000
};

static struct redis_cluster topology;
static jtg_cache *one;
static jtg_cache *other;
static int64_t since_ms; /* the whole Cluster has kept */

static int64_t wall_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static jtg_cache *open_cache_that(bool watches)
{
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    jtg_cache *cache = NULL;
    options.cluster_nodes = topology.addresses;
    options.timeout_ms = 10000;
    options.prefix = "t:";
    options.continuity = watches;
    assert_status(jtg_redis_new(&cache, &options, NULL), JTG_OK);
    return cache;
}

static jtg_cache *open_cache(void)
{
    return open_cache_that(true);
}

static int64_t kept_since(jtg_cache *cache)
{
    int64_t since = 0;
    jtg_error err = JTG_ERROR_INIT;
    jtg_status status = jtg_cache_kept_since(cache, &since, &err);
    if (status != JTG_OK)
        fail_msg("kept_since: %s", err.text);
    return since;
}

/* Each test has a Cluster that has just kept everything, and a millisecond behind it. */
static int open_both(void **state)
{
    (void)state;
    redis_cluster_start(&topology);
    one = open_cache();
    other = open_cache();
    since_ms = kept_since(one);
    assert_int_equal(kept_since(other), since_ms);
    while (wall_ms() <= since_ms + 1)
        (void)poll(NULL, 0, 1);
    return 0;
}

static int close_both(void **state)
{
    (void)state;
    jtg_cache_free(one);
    jtg_cache_free(other);
    redis_cluster_stop(&topology);
    return 0;
}

static jtg_status reserve(jtg_cache *cache, const char *key, int64_t needed_ms)
{
    jtg_key wanted = {key, strlen(key), NULL, 0};
    jtg_owner owner;
    jtg_error err = JTG_ERROR_INIT;
    jtg_owner_generate(&owner);
    jtg_status status = jtg_cache_reserve_kept(cache, &wanted, &owner, TTL_MS, needed_ms, &err);
    assert_err_tells(&err, status);
    return status;
}

/* ---- a node forgets ---- */

static void every_slot_is_kept_from_the_start(void **state)
{
    char key[32];
    (void)state;
    for (unsigned i = 0; i < KEYS; i++) {
        (void)snprintf(key, sizeof key, "key-%u", i);
        assert_status(reserve(i % 2 == 0 ? one : other, key, since_ms), JTG_OK);
        assert_status(reserve(i % 2 == 0 ? other : one, key, since_ms), JTG_REPLAYED);
    }
    assert_status(reserve(one, "too early", 0), JTG_ERR_CONTINUITY);
    assert_int_equal(live_stats(one).kept_since_ms, since_ms);
    assert_int_equal(live_stats(other).losses, 0);
}

static void a_flushed_node_is_noticed_alone(void **state)
{
    (void)state;
    assert_status(reserve(one, "{foo}used", since_ms), JTG_OK);
    assert_status(reserve(one, "{bar}used", since_ms), JTG_OK);
    live_tell(&topology.nodes[FOO_NODE], "FLUSHALL");
    assert_status(reserve(other, "{foo}used", since_ms), JTG_ERR_CONTINUITY);
    assert_status(reserve(one, "{foo}fresh", since_ms), JTG_ERR_CONTINUITY);
    assert_status(reserve(other, "{bar}used", since_ms), JTG_REPLAYED);
    assert_status(reserve(other, "{bar}fresh", since_ms), JTG_OK);
    int64_t now_ms = kept_since(one);
    assert_true(now_ms > since_ms);
    assert_int_equal(kept_since(other), now_ms);
    assert_status(reserve(one, "{foo}new", now_ms), JTG_OK);
    assert_int_equal(live_stats(one).last_loss, JTG_REDIS_LOSS_FLUSHED);
}

static uint16_t slot_of(const char *key)
{
    char line[64];
    char reply[64] = "";
    int len = snprintf(line, sizeof line, "CLUSTER KEYSLOT t:%s", key);
    assert_in_range(len, 1, sizeof line - 1);
    assert_true(redis_server_ask(&topology.nodes[0], line, reply, sizeof reply));
    return (uint16_t)strtoul(reply + 1, NULL, 10);
}

/* Of many at once those that lie on the node that was flushed are refused, used before or not. */
static void a_flushed_node_is_noticed_by_its_own_of_many(void **state)
{
    enum { MANY = 60 };
    static jtg_reserve_call calls[MANY];
    static char keys[MANY][16];
    jtg_owner owners[2];
    (void)state;
    for (unsigned round = 0; round < 2; round++) {
        jtg_owner_generate(&owners[round]);
        for (unsigned i = 0; i < MANY; i++) {
            int len = snprintf(keys[i], sizeof keys[i], "of-many-%u", i + round * (MANY / 2));
            calls[i] = (jtg_reserve_call){.key = {keys[i], (size_t)len, NULL, 0},
                                          .owner = &owners[round],
                                          .ttl_ms = TTL_MS,
                                          .kept_since_ms = since_ms,
                                          .reserved = true};
        }
        jtg_cache_reserve_many(round == 0 ? one : other, calls, MANY);
        for (unsigned i = 0; i < MANY; i++) {
            bool forgotten = round == 1 && slot_of(keys[i]) > 10922; /* the last third */
            bool used = round == 1 && i < MANY / 2;
            jtg_status expected = forgotten ? JTG_ERR_CONTINUITY : used ? JTG_REPLAYED : JTG_OK;
            assert_status(calls[i].status, expected);
            assert_int_equal(calls[i].reserved, expected == JTG_OK);
        }
        live_tell(&topology.nodes[FOO_NODE], "FLUSHALL");
    }
}

static void a_restarted_node_is_noticed(void **state)
{
    (void)state;
    assert_status(reserve(one, "{foo}used", since_ms), JTG_OK);
    redis_server_kill(&topology.nodes[FOO_NODE]);
    redis_server_start_again(&topology.nodes[FOO_NODE]);
    assert_true(redis_server_comes_to_say(&topology.nodes[FOO_NODE], "SET {foo}probe 1", "+OK"));
    assert_status(reserve(other, "{foo}used", since_ms), JTG_ERR_CONTINUITY);
    assert_status(reserve(one, "{foo}fresh", since_ms), JTG_ERR_CONTINUITY);
    assert_status(reserve(one, "{foo}fresh", kept_since(one)), JTG_OK);
}

/* Until the new Cluster is found. Never is a token that was used on the old one admitted. */
static jtg_status reserve_when_found(jtg_cache *cache, const char *key, int64_t needed_ms)
{
    int64_t end_ms = wall_ms() + PATIENCE_MS;
    jtg_status status = reserve(cache, key, needed_ms);
    while ((status == JTG_ERR_UNAVAILABLE || status == JTG_ERR_TIMEOUT) && wall_ms() < end_ms) {
        (void)poll(NULL, 0, 1);
        status = reserve(cache, key, needed_ms);
    }
    return status;
}

/* As after a disaster: the addresses are the same, and nothing else is. That it is found and used
 * is no reason to forget what was used before: by those who used it, and by those who come later.
 */
static void one_whose_nodes_were_all_replaced_has_forgotten(void **state)
{
    static const char *const used[] = {"{foo}used", "{bar}used"};
    (void)state;
    for (unsigned i = 0; i < 2; i++)
        assert_status(reserve(one, used[i], since_ms), JTG_OK);
    redis_cluster_exchange(&topology);
    jtg_cache *late = open_cache();
    jtg_cache *caches[] = {one, other, late};
    for (unsigned i = 0; i < 6; i++)
        assert_status(reserve_when_found(caches[i / 2], used[i % 2], since_ms), JTG_ERR_CONTINUITY);
    assert_true(live_stats(one).losses > 0);
    int64_t now_ms = kept_since(late);
    assert_true(now_ms > since_ms);
    assert_status(reserve(one, "{foo}new", now_ms), JTG_OK);
    assert_status(reserve(other, "{foo}new", now_ms), JTG_REPLAYED);
    assert_status(reserve(late, "{bar}used", since_ms), JTG_ERR_CONTINUITY);
    assert_status(jtg_redis_vouch(one, since_ms, NULL), JTG_OK);
    assert_status(reserve(other, "{foo}vouched", since_ms), JTG_OK);
    assert_status(reserve(late, "{bar}vouched", since_ms), JTG_OK);
    jtg_cache_free(late);
}

/* No loss, and nothing was stored: also for one that comes while it is down, and has marked
 * nothing. */
static void a_cluster_that_is_down_is_told_as_that(void **state)
{
    jtg_key key = {"{foo}down", 9, NULL, 0};
    jtg_owner owner;
    (void)state;
    jtg_owner_generate(&owner);
    assert_status(reserve(one, "{foo}used", since_ms), JTG_OK);
    live_tell(&topology.nodes[BAR_NODE], "CLUSTER DELSLOTS 0"); /* its own, and what they know */
    live_tell(&topology.nodes[FOO_NODE], "CLUSTER DELSLOTS 0");
    assert_true(redis_server_comes_to_say(&topology.nodes[FOO_NODE], "GET {foo}", "-CLUSTERDOWN"));
    jtg_cache *late = open_cache();
    jtg_cache *caches[] = {one, late};
    for (unsigned i = 0; i < 2; i++) {
        jtg_error err = JTG_ERROR_INIT;
        uint64_t losses = live_stats(caches[i]).losses;
        assert_status(jtg_cache_reserve_kept(caches[i], &key, &owner, TTL_MS, since_ms, &err),
                      JTG_ERR_UNAVAILABLE);
        assert_non_null(strstr(err.text, "the cluster is down"));
        assert_int_equal(live_stats(caches[i]).losses, losses);
    }
    live_tell(&topology.nodes[BAR_NODE], "CLUSTER ADDSLOTS 0");
    assert_true(redis_server_comes_to_say(&topology.nodes[FOO_NODE], "GET {foo}", "$-1"));
    assert_status(reserve(late, "{foo}used", since_ms), JTG_REPLAYED);
    assert_status(reserve(late, "{foo}down", since_ms), JTG_OK);
    jtg_cache_free(late);
}

static void an_operator_vouches_for_all_of_it(void **state)
{
    char key[32];
    (void)state;
    assert_status(jtg_redis_vouch(one, 0, NULL), JTG_OK);
    for (unsigned i = 0; i < KEYS; i++) {
        (void)snprintf(key, sizeof key, "key-%u", i);
        assert_status(reserve(other, key, INT64_MIN), JTG_OK);
    }
    assert_int_equal(kept_since(other), INT64_MIN);
}

/* Each key takes the marker of its slot along, though its own cache has none. */
static void what_one_that_does_not_watch_clears_is_noticed(void **state)
{
    jtg_cache *unwatching = open_cache_that(false);
    jtg_error err = JTG_ERROR_INIT;
    char key[32];
    (void)state;
    for (unsigned i = 0; i < KEYS; i++) {
        (void)snprintf(key, sizeof key, "key-%u", i);
        assert_status(reserve(one, key, since_ms), JTG_OK);
    }
    if (jtg_cache_clear(unwatching, &err) != JTG_OK)
        fail_msg("clear: %s", err.text);
    for (unsigned i = 0; i < KEYS; i++) {
        (void)snprintf(key, sizeof key, "key-%u", i);
        assert_status(reserve(other, key, since_ms), JTG_ERR_CONTINUITY);
    }
    jtg_cache_free(unwatching);
}

/* ---- a slot moves ---- */

/* Both nodes have kept: as long as the marker is on the old one, that can be known. Then not, until
 * the slot has arrived, and is marked as kept from then on. */
static void a_slot_that_moves_is_marked_anew(void **state)
{
    struct moving_slot move;
    (void)state;
    assert_status(reserve(one, "{foo}used", since_ms), JTG_OK);
    moving_slot_begin(&move, FOO_SLOT, &topology.nodes[FOO_NODE], &topology.nodes[BAR_NODE]);
    assert_status(reserve(other, "{foo}used", since_ms), JTG_REPLAYED);
    assert_status(reserve(one, "{foo}early", since_ms), JTG_OK);
    assert_status(reserve(other, "{foo}early", since_ms), JTG_REPLAYED);
    moving_slot_carry(&move);
    assert_status(reserve(one, "{foo}between", since_ms), JTG_ERR_CONTINUITY);
    moving_slot_end(&move);
    assert_status(reserve(other, "{foo}after", since_ms), JTG_ERR_CONTINUITY);
    int64_t now_ms = wall_ms() + 2;
    assert_status(reserve(one, "{foo}used", now_ms), JTG_REPLAYED);
    assert_status(reserve(one, "{foo}early", now_ms), JTG_REPLAYED);
    assert_status(reserve(one, "{foo}after", now_ms), JTG_OK);
    assert_status(reserve(other, "{foo}after", now_ms), JTG_REPLAYED);
    assert_status(reserve(other, "{bar}fresh", since_ms), JTG_OK);
}

/* The node that takes it over forgot meanwhile: what it was given there may be gone. */
static void a_loss_on_the_way_is_noticed(void **state)
{
    struct moving_slot move;
    (void)state;
    assert_status(reserve(one, "{foo}warm", since_ms), JTG_OK);
    assert_status(reserve(one, "{bar}warm", since_ms), JTG_OK);
    moving_slot_begin(&move, FOO_SLOT, &topology.nodes[FOO_NODE], &topology.nodes[BAR_NODE]);
    assert_status(reserve(one, "{foo}used", since_ms), JTG_OK);
    live_tell(&topology.nodes[BAR_NODE], "FLUSHALL");
    assert_status(reserve(other, "{foo}used", since_ms), JTG_ERR_CONTINUITY);
    assert_status(reserve(one, "{foo}another", since_ms), JTG_ERR_CONTINUITY);
    moving_slot_carry(&move);
    moving_slot_end(&move);
    assert_status(reserve(one, "{foo}fresh", since_ms), JTG_ERR_CONTINUITY);
}

#define WITH_BOTH(test) cmocka_unit_test_setup_teardown(test, open_both, close_both)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_BOTH(every_slot_is_kept_from_the_start),
        WITH_BOTH(a_flushed_node_is_noticed_alone),
        WITH_BOTH(a_flushed_node_is_noticed_by_its_own_of_many),
        WITH_BOTH(a_restarted_node_is_noticed),
        WITH_BOTH(one_whose_nodes_were_all_replaced_has_forgotten),
        WITH_BOTH(a_cluster_that_is_down_is_told_as_that),
        WITH_BOTH(an_operator_vouches_for_all_of_it),
        WITH_BOTH(what_one_that_does_not_watch_clears_is_noticed),
        WITH_BOTH(a_slot_that_moves_is_marked_anew),
        WITH_BOTH(a_loss_on_the_way_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
