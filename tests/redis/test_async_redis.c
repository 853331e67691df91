/* SPDX-License-Identifier: Apache-2.0 */
/* The guard for event loops on a Redis, beside callers that block: each token passes once, whoever
 * shows it, and each ticket ends once, whatever becomes of the server. */
#include "support/alloc_walk.h"
#include "support/asserts.h"
#include "support/redis_server.h"

#include <jtiguard/jtiguard.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TOKENS = 400, OUTSTANDING = 64, THREADS = 2, PATIENCE_MS = 20000, NTH_MAX = 200 };

static struct redis_server server;

struct side {
    jtg_cache *cache;
    jtg_guard *guard;
    jtg_async *async;
    unsigned admitted[TOKENS];
    unsigned ended[TOKENS];
    unsigned waiting;
    unsigned others; /* neither admitted nor replayed */
};

static jtg_cache *open_cache(const char *host, uint32_t timeout_ms)
{
    jtg_cache *cache = NULL;
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    options.host = host;
    options.port = server.port;
    options.prefix = "a:";
    options.timeout_ms = timeout_ms;
    assert_status(jtg_redis_new(&cache, &options, NULL), JTG_OK);
    return cache;
}

static void open_side(struct side *side, const char *host, uint32_t timeout_ms)
{
    memset(side, 0, sizeof *side);
    side->cache = open_cache(host, timeout_ms);
    assert_status(jtg_guard_new(&side->guard, side->cache, NULL, NULL), JTG_OK);
    assert_status(jtg_async_new(&side->async, side->guard, NULL), JTG_OK);
}

static void close_side(struct side *side)
{
    jtg_async_free(side->async);
    jtg_guard_free(side->guard);
    jtg_cache_free(side->cache);
}

/* An operator says that the new store has forgotten nothing. */
static int begin_anew(void **state)
{
    char reply[16] = "";
    (void)state;
    assert_true(redis_server_ask(&server, "FLUSHALL", reply, sizeof reply));
    jtg_cache *cache = open_cache(NULL, PATIENCE_MS);
    assert_status(jtg_redis_vouch(cache, 0, NULL), JTG_OK);
    jtg_cache_free(cache);
    return 0;
}

static jtg_claims claims_of(char jti[16], unsigned token)
{
    int64_t now_ms = (int64_t)time(NULL) * 1000;
    jtg_claims claims = JTG_CLAIMS_INIT;
    (void)snprintf(jti, 16, "token-%u", token);
    claims.kind = JTG_KIND_ID_TOKEN;
    claims.issuer = (jtg_text){"https://id.example", 18};
    claims.audience = (jtg_text){"sts", 3};
    claims.jti = (jtg_text){jti, strlen(jti)};
    claims.iat_ms = now_ms - 1000;
    claims.exp_ms = now_ms + 300000;
    return claims;
}

static void note(struct side *side, uintptr_t token, const jtg_async_result *result)
{
    side->ended[token]++;
    side->admitted[token] += result->admitted;
    side->others += !result->admitted && result->decision.reason != JTG_REASON_REPLAYED;
}

static void submit(struct side *side, uintptr_t token)
{
    char jti[16];
    jtg_claims claims = claims_of(jti, (unsigned)token);
    jtg_async_result result = JTG_ASYNC_RESULT_INIT;
    /* NOLINTNEXTLINE(performance-no-int-to-ptr): a number */
    if (jtg_async_admit(side->async, &claims, (void *)token, &result) == JTG_TICKET_NONE)
        note(side, token, &result);
    else
        side->waiting++;
}

static void fetch(struct side *side)
{
    jtg_async_result result;
    while (jtg_async_next(side->async, &result)) {
        side->waiting--;
        note(side, (uintptr_t)result.context, &result);
    }
}

static void turn(struct side *side)
{
    struct pollfd wait = {jtg_async_fd(side->async), POLLIN, 0};
    assert_true(poll(&wait, 1, PATIENCE_MS) == 1);
    jtg_async_process(side->async);
    fetch(side);
}

/* At most so many under way. */
static void show_all(struct side *side)
{
    for (uintptr_t token = 0; token < TOKENS; token++) {
        submit(side, token);
        while (side->waiting >= OUTSTANDING)
            turn(side);
    }
    while (side->waiting > 0)
        turn(side);
    for (unsigned i = 0; i < TOKENS; i++)
        assert_int_equal(side->ended[i], 1);
}

/* ---- beside callers that block ---- */

struct blocking {
    jtg_guard *guard;
    unsigned admitted[TOKENS];
    unsigned others;
};

static void *show_blocking(void *context)
{
    struct blocking *blocking = context;
    for (unsigned token = 0; token < TOKENS; token++) {
        char jti[16];
        jtg_claims claims = claims_of(jti, token);
        jtg_decision decision = JTG_DECISION_INIT;
        blocking->admitted[token] += jtg_guard_admit(blocking->guard, &claims, &decision, NULL);
        blocking->others +=
            decision.reason != JTG_REASON_ADMITTED && decision.reason != JTG_REASON_REPLAYED;
    }
    return NULL;
}

static void each_token_passes_once(void **state)
{
    static struct blocking blocking[THREADS];
    static struct side side;
    pthread_t threads[THREADS];
    (void)state;
    open_side(&side, "localhost", PATIENCE_MS); /* its name is looked up beside the loop */
    for (unsigned i = 0; i < THREADS; i++) {
        memset(&blocking[i], 0, sizeof blocking[i]);
        blocking[i].guard = side.guard;
        assert_int_equal(pthread_create(&threads[i], NULL, show_blocking, &blocking[i]), 0);
    }
    show_all(&side);
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    for (unsigned token = 0; token < TOKENS; token++)
        assert_int_equal(
            side.admitted[token] + blocking[0].admitted[token] + blocking[1].admitted[token], 1);
    assert_int_equal(side.others + blocking[0].others + blocking[1].others, 0);
    assert_int_equal(jtg_guard_counter(side.guard, JTG_REASON_ADMITTED), TOKENS);
    assert_int_equal(jtg_guard_counter(side.guard, JTG_REASON_REPLAYED), THREADS * TOKENS);
    close_side(&side);
}

/* ---- the server comes and goes ---- */

/* It comes back empty: what was used before must not pass again. */
static void a_restart_lets_no_token_pass_twice(void **state)
{
    static struct side side;
    unsigned before = 0;
    (void)state;
    open_side(&side, NULL, 2000);
    show_all(&side);
    for (unsigned i = 0; i < TOKENS; i++)
        before += side.admitted[i];
    assert_int_equal(before, TOKENS);
    for (uintptr_t token = 0; token < OUTSTANDING; token++)
        submit(&side, token);
    redis_server_kill(&server);
    while (side.waiting > 0)
        turn(&side);
    redis_server_start_again(&server);
    while (jtg_guard_counter(side.guard, JTG_REASON_CONTINUITY_LOST) == 0) {
        memset(side.ended, 0, sizeof side.ended);
        show_all(&side);
    }
    for (unsigned i = 0; i < TOKENS; i++)
        assert_int_equal(side.admitted[i], 1);
    close_side(&side);
}

/* Each ticket ends once, and as what is known of it. */
static void a_server_that_hangs_is_waited_for_no_longer_than_asked(void **state)
{
    static struct side side;
    (void)state;
    open_side(&side, NULL, 300);
    submit(&side, 0);
    while (side.waiting > 0)
        turn(&side);
    redis_server_freeze(&server);
    for (uintptr_t token = 1; token < OUTSTANDING; token++)
        submit(&side, token);
    while (side.waiting > 0)
        turn(&side);
    redis_server_thaw(&server);
    for (unsigned token = 0; token < OUTSTANDING; token++)
        assert_int_equal(side.ended[token], 1);
    assert_int_equal(side.admitted[0], 1);
    assert_int_equal(side.others, OUTSTANDING - 1);
    assert_int_equal(jtg_guard_counter(side.guard, JTG_REASON_OUTCOME_UNKNOWN) +
                         jtg_guard_counter(side.guard, JTG_REASON_STORE_UNAVAILABLE),
                     OUTSTANDING - 1);
    close_side(&side);
}

/* ---- cancelled, and freed ---- */

static void what_is_cancelled_ends_once(void **state)
{
    static struct side side;
    jtg_async_result result;
    char jti[16];
    jtg_claims claims = claims_of(jti, 0);
    (void)state;
    open_side(&side, NULL, PATIENCE_MS);
    jtg_ticket ticket = jtg_async_admit(side.async, &claims, &side, &result);
    assert_true(ticket != JTG_TICKET_NONE);
    assert_int_equal(result.decision.reason, JTG_REASON_UNDECIDED);
    jtg_async_cancel(side.async, ticket + 1); /* none */
    assert_false(jtg_async_next(side.async, &result));
    jtg_async_cancel(side.async, ticket);
    jtg_async_cancel(side.async, ticket);
    assert_true(jtg_async_next(side.async, &result));
    assert_true(result.ticket == ticket && result.context == &side && !result.admitted);
    assert_int_equal(result.decision.reason, JTG_REASON_STORE_UNAVAILABLE);
    assert_false(jtg_async_next(side.async, &result));
    for (uintptr_t token = 0; token < OUTSTANDING; token++)
        submit(&side, token);
    turn(&side);
    close_side(&side); /* with all that is under way */
}

static void what_is_given_back_can_be_shown_again(void **state)
{
    static struct side side;
    jtg_async_result result;
    jtg_reservation reservation;
    char jti[16];
    jtg_claims claims = claims_of(jti, 7);
    (void)state;
    open_side(&side, NULL, PATIENCE_MS);
    assert_true(jtg_async_admit(side.async, &claims, NULL, &result) != JTG_TICKET_NONE);
    while (!jtg_async_next(side.async, &result))
        jtg_async_process(side.async);
    assert_true(result.admitted);
    reservation = result.decision.reservation;
    assert_true(jtg_async_release(side.async, &reservation, NULL, &result) != JTG_TICKET_NONE);
    while (!jtg_async_next(side.async, &result))
        jtg_async_process(side.async);
    assert_true(result.is_release && !result.admitted);
    assert_status(result.status, JTG_OK);
    submit(&side, 7);
    while (side.waiting > 0)
        turn(&side);
    assert_int_equal(side.admitted[7], 1);
    close_side(&side);
}

/* ---- each acquisition of memory fails in turn ---- */

static bool show_with_nth(unsigned nth)
{
    static struct side side;
    memset(&side, 0, sizeof side);
    side.cache = open_cache(NULL, PATIENCE_MS);
    assert_status(jtg_guard_new(&side.guard, side.cache, NULL, NULL), JTG_OK);
    alloc_walk_fail_nth(nth);
    jtg_status status = jtg_async_new(&side.async, side.guard, NULL);
    if (status == JTG_OK) {
        submit(&side, nth);
        while (side.waiting > 0)
            turn(&side);
    }
    bool failed = alloc_walk_end();
    assert_true(failed || side.admitted[nth] == 1);
    assert_true(status != JTG_OK || side.ended[nth] == 1);
    if (status == JTG_OK && side.admitted[nth] == 0) { /* what is there works on */
        submit(&side, nth);
        while (side.waiting > 0)
            turn(&side);
        assert_int_equal(side.ended[nth], 2);
    }
    close_side(&side);
    return !failed;
}

static void no_memory_refuses_and_leaves_nothing(void **state)
{
    unsigned nth = 1;
    (void)state;
    while (!show_with_nth(nth))
        assert_true(++nth < NTH_MAX);
    assert_true(nth > 5);
}

#define TEST(name) cmocka_unit_test_setup(name, begin_anew)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_token_passes_once),
        TEST(a_restart_lets_no_token_pass_twice),
        TEST(a_server_that_hangs_is_waited_for_no_longer_than_asked),
        TEST(what_is_cancelled_ends_once),
        TEST(what_is_given_back_can_be_shown_again),
        TEST(no_memory_refuses_and_leaves_nothing),
    };
    redis_server_start(&server, NULL);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    redis_server_stop(&server);
    return failed;
}
