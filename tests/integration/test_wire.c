/* SPDX-License-Identifier: Apache-2.0 */
/* A mixed fleet: a Go verifier that does `SET sts:jti:<jti> 1 NX PX <ms>` and a guard with plain
 * keys on one Redis refuse each other's replays. The verifier is played with hiredis. */
#include "integration/store.h"
#include "support/asserts.h"
#include "support/redis_vouch.h"

#include <hiredis.h>
#include <jtiguard/guard.h>
#include <jtiguard/redis.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static redisContext *go_verifier;
static jtg_cache *cache;
static jtg_guard *guard;
static char run_name[STORE_NAME_BYTES];

static int start(void **state)
{
    (void)state;
    char host[128];
    uint16_t port;
    jtg_guard_options options = JTG_GUARD_OPTIONS_INIT;
    options.key_form = JTG_KEY_PLAIN;
    store_address(host, sizeof host, &port);
    store_prefix(run_name, "wire");
    go_verifier = redisConnect(host, port);
    assert_true(go_verifier != NULL && go_verifier->err == 0);
    redis_vouch(store_uri());
    cache = store_open(store_uri());
    assert_status(jtg_guard_new(&guard, cache, &options, NULL), JTG_OK);
    return 0;
}

static int halt(void **state)
{
    (void)state;
    jtg_guard_free(guard);
    jtg_cache_free(cache);
    redisFree(go_verifier);
    return 0;
}

/* A jti of this run, so that runs on one server do not meet. */
static const char *jti_of(const char *name)
{
    static char jti[2 * STORE_NAME_BYTES];
    snprintf(jti, sizeof jti, "%s%s", run_name, name);
    return jti;
}

/* Whether the verifier takes the token for new. */
static bool go_admits(const char *jti, int ttl_ms)
{
    redisReply *reply = redisCommand(go_verifier, "SET sts:jti:%s 1 NX PX %d", jti, ttl_ms);
    assert_non_null(reply);
    assert_true(reply->type == REDIS_REPLY_STATUS || reply->type == REDIS_REPLY_NIL);
    bool is_new = reply->type == REDIS_REPLY_STATUS;
    freeReplyObject(reply);
    return is_new;
}

static bool go_deletes(const char *jti)
{
    redisReply *reply = redisCommand(go_verifier, "DEL sts:jti:%s", jti);
    assert_non_null(reply);
    bool was_there = reply->type == REDIS_REPLY_INTEGER && reply->integer == 1;
    freeReplyObject(reply);
    return was_there;
}

static jtg_reason guard_says(const char *jti, jtg_decision *decision)
{
    jtg_claims claims = JTG_CLAIMS_INIT;
    claims.kind = JTG_KIND_ID_TOKEN;
    claims.issuer = (jtg_text){"https://issuer.example", 22};
    claims.audience = (jtg_text){"sts", 3};
    claims.jti = (jtg_text){jti, strlen(jti)};
    claims.exp_ms = ((int64_t)time(NULL) + 300) * 1000;
    bool admitted = jtg_guard_admit(guard, &claims, decision, NULL);
    assert_int_equal(admitted, decision->reason == JTG_REASON_ADMITTED);
    return decision->reason;
}

static void what_go_has_seen_is_a_replay_here(void **state)
{
    (void)state;
    jtg_decision decision = JTG_DECISION_INIT;
    const char *jti = jti_of("go-first");
    assert_true(go_admits(jti, 60000));
    assert_int_equal(guard_says(jti, &decision), JTG_REASON_REPLAYED);
    assert_int_equal(guard_says(jti, &decision), JTG_REASON_REPLAYED);
    assert_true(go_deletes(jti));
    assert_int_equal(guard_says(jti, &decision), JTG_REASON_ADMITTED);
}

static void what_we_have_seen_is_a_replay_there(void **state)
{
    (void)state;
    jtg_decision decision = JTG_DECISION_INIT;
    const char *jti = jti_of("guard-first");
    assert_int_equal(guard_says(jti, &decision), JTG_REASON_ADMITTED);
    assert_false(go_admits(jti, 60000));
    assert_status(jtg_guard_release(guard, &decision.reservation, NULL), JTG_OK);
    assert_true(go_admits(jti, 60000));
}

/* Its release deletes whatever is there; ours never deletes its. */
static void we_release_nothing_of_theirs(void **state)
{
    (void)state;
    jtg_decision decision = JTG_DECISION_INIT;
    const char *jti = jti_of("release");
    assert_int_equal(guard_says(jti, &decision), JTG_REASON_ADMITTED);
    assert_true(go_deletes(jti));
    assert_true(go_admits(jti, 60000));
    assert_status(jtg_guard_release(guard, &decision.reservation, NULL), JTG_NOT_OWNER);
    assert_false(go_admits(jti, 60000));
}

static void the_time_to_live_is_there_for_both(void **state)
{
    (void)state;
    jtg_decision decision = JTG_DECISION_INIT;
    const char *jti = jti_of("ttl");
    assert_int_equal(guard_says(jti, &decision), JTG_REASON_ADMITTED);
    redisReply *reply = redisCommand(go_verifier, "PTTL sts:jti:%s", jti);
    assert_non_null(reply);
    assert_int_equal(reply->type, REDIS_REPLY_INTEGER);
    assert_in_range(reply->integer, decision.ttl_ms - 5000, decision.ttl_ms);
    freeReplyObject(reply);
}

/* An unlucky verifier of theirs can have left anything there. Nothing of it admits. */
static void foreign_data_refuses(void **state)
{
    (void)state;
    jtg_decision decision = JTG_DECISION_INIT;
    const char *jti = jti_of("list");
    redisReply *reply = redisCommand(go_verifier, "LPUSH sts:jti:%s x", jti);
    assert_non_null(reply);
    freeReplyObject(reply);
    assert_int_not_equal(guard_says(jti, &decision), JTG_REASON_ADMITTED);
    assert_true(go_deletes(jti));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_go_has_seen_is_a_replay_here),
        cmocka_unit_test(what_we_have_seen_is_a_replay_there),
        cmocka_unit_test(we_release_nothing_of_theirs),
        cmocka_unit_test(the_time_to_live_is_there_for_both),
        cmocka_unit_test(foreign_data_refuses),
    };
    return cmocka_run_group_tests(tests, start, halt);
}
