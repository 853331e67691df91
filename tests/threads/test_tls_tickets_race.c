/* SPDX-License-Identifier: Apache-2.0 */
/* Threads on one object, and on two objects of one file: each ticket is handed out once. */
#include "support/asserts.h"
#include "support/threads.h"
#include "support/tls_cache.h"

#include <stdatomic.h>
#include <string.h>

enum { THREADS = 8, EACH = 12, ALL = THREADS * EACH };

static struct tls_cache cache;
static jtg_tls_tickets *objects[2];
static _Atomic unsigned taken[ALL];
static _Atomic unsigned wrong;

static int set_up(void **state)
{
    (void)state;
    if (!tls_cache_set_up(&cache))
        return -1;
    cache.options.max_per_endpoint = JTG_TLS_PER_ENDPOINT_LIMIT;
    cache.options.lock_wait_ms = JTG_TLS_LOCK_WAIT_MS_LIMIT;
    memset(taken, 0, sizeof taken);
    atomic_store(&wrong, 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++)
        jtg_tls_tickets_free(objects[i]);
    (void)tls_cache_tear_down(&cache);
    return 0;
}

static void open_both(uint32_t first_through, uint32_t second_through)
{
    cache.options.write_through = first_through;
    objects[0] = tls_cache_open(&cache);
    cache.options.write_through = second_through;
    objects[1] = tls_cache_open(&cache);
    assert_true(objects[0] != NULL && objects[1] != NULL);
}

static void take_one(jtg_tls_tickets *tickets)
{
    uint32_t number = 0;
    jtg_status status = tls_cache_take(tickets, "a", &number);
    if (status == JTG_OK && number < ALL)
        atomic_fetch_add(&taken[number], 1);
    else if (status != JTG_NOT_FOUND)
        atomic_fetch_add(&wrong, 1);
}

/* All that one can do with it, at once. */
static void work(void *context, unsigned index)
{
    jtg_tls_tickets *tickets = objects[index % 2];
    jtg_endpoint endpoint = tls_cache_endpoint("a");
    jtg_endpoint other = tls_cache_endpoint("b");
    unsigned char pin[JTG_TLS_PIN_BYTES];
    (void)context;
    memset(pin, 'p', sizeof pin);
    for (uint32_t i = 0; i < EACH; i++) {
        jtg_tls_fate fate = JTG_TLS_NOT_STORED;
        jtg_tls_ticket ticket = JTG_TLS_TICKET_INIT;
        if (tls_cache_put(tickets, "a", index * EACH + i, &fate) != JTG_OK ||
            fate != JTG_TLS_STORED)
            atomic_fetch_add(&wrong, 1);
        if (i % 2 == 0)
            take_one(tickets);
        jtg_status status = jtg_tls_tickets_get(tickets, &endpoint, pin, &ticket, NULL);
        if (status != JTG_OK && status != JTG_NOT_FOUND)
            atomic_fetch_add(&wrong, 1);
        jtg_tls_ticket_clear(&ticket);
        if (jtg_tls_tickets_pin_seen(tickets, &endpoint, pin, NULL) != JTG_OK)
            atomic_fetch_add(&wrong, 1);
        if (i % 4 == 0 && jtg_tls_tickets_save(tickets, NULL) != JTG_OK)
            atomic_fetch_add(&wrong, 1);
        if (jtg_tls_tickets_invalidate(tickets, &other, NULL) != JTG_NOT_FOUND)
            atomic_fetch_add(&wrong, 1);
    }
}

static void settle(void)
{
    for (unsigned i = 0; i < 2; i++)
        assert_status(jtg_tls_tickets_save(objects[i], NULL), JTG_OK);
    while (jtg_tls_tickets_len(objects[0]) != 0)
        take_one(objects[0]);
    assert_int_equal(wrong, 0);
    for (unsigned i = 0; i < ALL; i++)
        assert_int_equal(taken[i], 1);
}

static void each_is_handed_out_once(void **state)
{
    (void)state;
    open_both(1, 1);
    threads_run(THREADS, work, NULL);
    settle();
}

static void also_where_some_are_saved_later(void **state)
{
    (void)state;
    open_both(1, 0);
    threads_run(THREADS, work, NULL);
    settle();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_is_handed_out_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(also_where_some_are_saved_later, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("threads on tls tickets", tests, NULL, NULL);
}
