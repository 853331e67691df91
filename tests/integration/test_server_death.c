/* SPDX-License-Identifier: Apache-2.0 */
/* A server that is killed, stopped, frozen and started again while callers rely on it. */
#include "integration/store.h"
#include "support/asserts.h"
#include "support/history.h"
#include "support/redis_server.h"
#include "support/threads.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

enum {
    DEADLINE_MS = 200,
    GRACE_MS = 50,
    LOAD_GRACE_MS = 150, /* of sixteen threads on a machine that does other things too */
    RECOVERY_MS = 1000,
    CALLERS = 16,
    OTHER = 9999999 /* an owner that is nobody else's */
};

static struct redis_server server;
static jtg_cache *cache;

static int start(void **state)
{
    (void)state;
    char uri[STORE_URI_BYTES];
    redis_server_start(&server, NULL);
    store_uri_with(uri, sizeof uri, server.uri, "timeout=200ms");
    cache = store_open(uri);
    return 0;
}

static int halt(void **state)
{
    (void)state;
    jtg_cache_free(cache);
    redis_server_stop(&server);
    return 0;
}

static jtg_status timed(uint64_t key, uint64_t owner)
{
    uint64_t took_ms;
    jtg_status status = store_reserve_timed(cache, key, owner, &took_ms);
    assert_in_range(took_ms, 0, DEADLINE_MS + GRACE_MS);
    return status;
}

/* Ask until it works; how long that took. */
static uint64_t recovery_ms(uint64_t key, uint64_t owner)
{
    uint64_t start_ns = history_now_ns();
    while (timed(key, owner) != JTG_OK) {
        assert_true(history_now_ns() - start_ns < UINT64_C(10000000) * RECOVERY_MS);
        store_sleep_ms(5);
    }
    return (history_now_ns() - start_ns) / 1000000;
}

static void a_dead_server_is_unreachable_and_a_new_one_is_used(void **state)
{
    (void)state;
    assert_status(timed(1, 1), JTG_OK);
    redis_server_kill(&server);
    /* The first call may have been written into the connection that just died. */
    jtg_status first = timed(2, 2);
    assert_true(first == JTG_ERR_UNAVAILABLE || first == JTG_ERR_TIMEOUT);
    for (uint64_t i = 0; i < 50; i++) {
        assert_status(timed(10 + i, 10 + i), JTG_ERR_UNAVAILABLE);
        store_sleep_ms(10);
    }
    redis_server_start_again(&server);
    assert_in_range(recovery_ms(100, 100), 0, RECOVERY_MS);
    assert_status(timed(100, 101), JTG_REPLAYED);
}

static void it_recovers_as_fast_after_a_long_time_down(void **state)
{
    (void)state;
    uint64_t start_ns = history_now_ns();
    redis_server_kill(&server);
    while (history_now_ns() - start_ns < UINT64_C(3000000000)) {
        assert_status(timed(1, 1), JTG_ERR_UNAVAILABLE);
        store_sleep_ms(2);
    }
    redis_server_start_again(&server);
    assert_in_range(recovery_ms(2, 2), 0, RECOVERY_MS);
}

static void a_cache_made_before_its_server_finds_it(void **state)
{
    (void)state;
    redis_server_kill(&server);
    jtg_cache *early = store_open(server.uri);
    assert_status(store_reserve(early, 1, 1), JTG_ERR_UNAVAILABLE);
    redis_server_start_again(&server);
    uint64_t start_ns = history_now_ns();
    while (store_reserve(early, 1, 1) != JTG_OK)
        assert_true(history_now_ns() - start_ns < RECOVERY_MS * UINT64_C(1000000));
    jtg_cache_free(early);
}

static void an_orderly_stop_is_no_different(void **state)
{
    (void)state;
    char reply[64];
    assert_status(timed(1, 1), JTG_OK);
    (void)redis_server_ask(&server, "SHUTDOWN NOSAVE", reply, sizeof reply);
    redis_server_kill(&server); /* reaps it */
    jtg_status first = timed(2, 2);
    assert_true(first == JTG_ERR_UNAVAILABLE || first == JTG_ERR_TIMEOUT);
    assert_status(timed(3, 3), JTG_ERR_UNAVAILABLE);
}

/* Callers that reserve a fresh key each, over and over, and remember how the worst call was. */
struct load {
    atomic_bool over;
    _Atomic uint64_t answers[JTG_STATUS_COUNT];
    _Atomic uint64_t worst_ms;
    _Atomic uint64_t next;
};

static void note_time(struct load *load, uint64_t took_ms)
{
    uint64_t worst = atomic_load(&load->worst_ms);
    while (took_ms > worst && !atomic_compare_exchange_weak(&load->worst_ms, &worst, took_ms))
        ;
}

static void call_on_and_on(void *context, unsigned index)
{
    struct load *load = context;
    (void)index;
    while (!atomic_load(&load->over)) {
        uint64_t took_ms;
        uint64_t n = 1000 + atomic_fetch_add(&load->next, 1);
        jtg_status status = store_reserve_timed(cache, n, n, &took_ms);
        note_time(load, took_ms);
        atomic_fetch_add(&load->answers[status], 1);
        if (status != JTG_OK)
            store_sleep_ms(1);
    }
}

static void wait_for_answers(struct load *load, jtg_status status, uint64_t more)
{
    uint64_t target = atomic_load(&load->answers[status]) + more;
    uint64_t start_ns = history_now_ns();
    while (atomic_load(&load->answers[status]) < target) {
        assert_true(history_now_ns() - start_ns < UINT64_C(20000000000));
        store_sleep_ms(1);
    }
}

static void finish(struct load *load, struct threads *threads)
{
    atomic_store(&load->over, true);
    threads_join(threads);
    assert_in_range(load->worst_ms, 0, DEADLINE_MS + LOAD_GRACE_MS);
    for (jtg_status status = 0; status < JTG_STATUS_COUNT; status++) {
        bool fits = status == JTG_OK || status == JTG_ERR_UNAVAILABLE || status == JTG_ERR_TIMEOUT;
        if (!fits && load->answers[status] != 0)
            fail_msg("%s does not fit a dead or frozen server", jtg_status_name(status));
    }
}

static void kill_9_under_load_refuses_and_recovers(void **state)
{
    (void)state;
    struct load load = {.next = 0};
    struct threads *threads = threads_start(CALLERS, call_on_and_on, &load);
    for (int i = 0; i < 5; i++) {
        wait_for_answers(&load, JTG_OK, 200);
        redis_server_kill(&server);
        wait_for_answers(&load, JTG_ERR_UNAVAILABLE, 100);
        redis_server_start_again(&server);
    }
    wait_for_answers(&load, JTG_OK, 200);
    finish(&load, threads);
}

static void a_frozen_server_times_out_and_recovers(void **state)
{
    (void)state;
    struct load load = {.next = 0};
    struct threads *threads = threads_start(CALLERS, call_on_and_on, &load);
    for (int i = 0; i < 3; i++) {
        wait_for_answers(&load, JTG_OK, 200);
        uint64_t refused = load.answers[JTG_ERR_TIMEOUT] + load.answers[JTG_ERR_UNAVAILABLE];
        redis_server_freeze(&server);
        store_sleep_ms(UINT64_C(2) * DEADLINE_MS);
        assert_true(load.answers[JTG_ERR_TIMEOUT] + load.answers[JTG_ERR_UNAVAILABLE] > refused);
        redis_server_thaw(&server);
    }
    wait_for_answers(&load, JTG_OK, 200);
    finish(&load, threads);
    assert_true(load.answers[JTG_ERR_TIMEOUT] > 0);
}

static void an_unknown_outcome_is_settled_by_its_owner(void **state)
{
    (void)state;
    assert_status(timed(1, 1), JTG_OK);
    redis_server_freeze(&server);
    assert_status(timed(2, 2), JTG_ERR_TIMEOUT);
    redis_server_thaw(&server);
    /* The frozen server has read the command and carries it out now: the key is 2's or nobody's. */
    assert_in_range(recovery_ms(2, 2), 0, RECOVERY_MS);
    assert_status(timed(2, OTHER), JTG_REPLAYED);
    assert_status(timed(1, OTHER), JTG_REPLAYED);
}

static void a_frozen_server_does_not_hold_up_free(void **state)
{
    (void)state;
    char uri[STORE_URI_BYTES];
    store_uri_with(uri, sizeof uri, server.uri, "timeout=200ms");
    jtg_cache *second = store_open(uri);
    assert_status(store_reserve(second, 1, 1), JTG_OK);
    redis_server_freeze(&server);
    uint64_t start_ns = history_now_ns();
    jtg_cache_free(second);
    assert_true(history_now_ns() - start_ns < UINT64_C(100000000));
    redis_server_thaw(&server);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, start, halt)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_dead_server_is_unreachable_and_a_new_one_is_used),
        CASE(it_recovers_as_fast_after_a_long_time_down),
        CASE(a_cache_made_before_its_server_finds_it),
        CASE(an_orderly_stop_is_no_different),
        CASE(kill_9_under_load_refuses_and_recovers),
        CASE(a_frozen_server_times_out_and_recovers),
        CASE(an_unknown_outcome_is_settled_by_its_owner),
        CASE(a_frozen_server_does_not_hold_up_free),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
