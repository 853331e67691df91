/* SPDX-License-Identifier: Apache-2.0 */
/* TLS tickets with each acquisition of memory failing in turn: each call refuses, keeps what was
 * there, hands out nothing that is not used up, and works the next time. */
#include "support/alloc_walk.h"
#include "support/asserts.h"
#include "support/tls_cache.h"

#include <string.h>

enum { NTH_MAX = 200 };

static struct tls_cache cache;

static int set_up(void **state)
{
    (void)state;
    return tls_cache_set_up(&cache) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    (void)tls_cache_tear_down(&cache);
    return 0;
}

/* What may be said: no memory, or no descriptor, which the walk lets fail as well. */
static bool is_want(jtg_status status)
{
    return status == JTG_ERR_MEMORY || status == JTG_ERR_SYSTEM;
}

static void opening(void **state)
{
    (void)state;
    bool failed = true;
    jtg_tls_tickets *tickets = NULL;
    assert_true(tls_cache_make_key(&cache));
    for (unsigned nth = 1; failed; nth++) {
        jtg_error err = JTG_ERROR_INIT;
        assert_in_range(nth, 1, NTH_MAX);
        alloc_walk_fail_nth(nth);
        jtg_status status = jtg_tls_tickets_open(&tickets, cache.path, &cache.options, &err);
        failed = alloc_walk_end();
        assert_err_tells(&err, status);
        assert_status(status, failed ? JTG_ERR_MEMORY : JTG_OK);
        assert_int_equal(tickets == NULL, failed);
    }
    jtg_tls_tickets_free(tickets);
}

static void opening_at_the_default_path(void **state)
{
    (void)state;
    bool failed = true;
    jtg_tls_tickets *tickets = NULL;
    for (unsigned nth = 1; failed; nth++) {
        assert_in_range(nth, 1, NTH_MAX);
        alloc_walk_fail_nth(nth);
        jtg_status status = jtg_tls_tickets_open(&tickets, NULL, &cache.options, NULL);
        failed = alloc_walk_end();
        assert_status(status, failed ? JTG_ERR_MEMORY : JTG_OK);
    }
    jtg_tls_tickets_free(tickets);
}

/* `late`: without write_through. `sealed`: with a key. */
static jtg_tls_tickets *open_filled(bool late, bool sealed)
{
    if (sealed)
        assert_true(tls_cache_make_key(&cache));
    jtg_tls_tickets *tickets = tls_cache_open(&cache);
    assert_non_null(tickets);
    for (uint32_t i = 1; i <= 3; i++)
        assert_status(tls_cache_put(tickets, "a", i, NULL), JTG_OK);
    jtg_tls_tickets_free(tickets);
    cache.options.write_through = !late;
    tickets = tls_cache_open(&cache);
    assert_non_null(tickets);
    if (late)
        assert_status(tls_cache_put(tickets, "a", 4, NULL), JTG_OK);
    return tickets;
}

static void walk_take(bool late, bool sealed)
{
    bool failed = true;
    uint32_t number = 0;
    jtg_tls_tickets *tickets = open_filled(late, sealed);
    for (unsigned nth = 1; failed; nth++) {
        assert_in_range(nth, 1, NTH_MAX);
        alloc_walk_fail_nth(nth);
        jtg_status status = tls_cache_take(tickets, "a", &number);
        failed = alloc_walk_end();
        assert_true(failed ? is_want(status) : status == JTG_OK);
        assert_int_equal(number, failed ? UINT32_MAX : late ? 4 : 3);
    }
    assert_int_equal(jtg_tls_tickets_len(tickets), late ? 3 : 2);
    jtg_tls_tickets_free(tickets);
}

static void taking(void **state)
{
    (void)state;
    walk_take(false, false);
}

static void taking_what_is_sealed(void **state)
{
    (void)state;
    walk_take(false, true);
}

static void taking_what_waits(void **state)
{
    (void)state;
    walk_take(true, true);
}

static void putting(void **state)
{
    (void)state;
    for (unsigned late = 0; late < 2; late++) {
        bool failed = true;
        cache.options.write_through = 1;
        jtg_tls_tickets *tickets = open_filled(late != 0, false);
        for (unsigned nth = 1; failed; nth++) {
            jtg_tls_fate fate = JTG_TLS_STORED;
            assert_in_range(nth, 1, NTH_MAX);
            alloc_walk_fail_nth(nth);
            jtg_status status = tls_cache_put(tickets, "b", 10 + late, &fate);
            failed = alloc_walk_end();
            assert_true(failed ? is_want(status) : status == JTG_OK);
            /* One that waits since a descriptor was missing is stored by the next that writes. */
            assert_true(failed ? fate == JTG_TLS_NOT_STORED
                               : fate == JTG_TLS_STORED || fate == JTG_TLS_DUPLICATE);
        }
        assert_status(jtg_tls_tickets_save(tickets, NULL), JTG_OK);
        uint32_t number = 0;
        assert_status(tls_cache_take(tickets, "b", &number), JTG_OK);
        assert_int_equal(number, 10 + late);
        jtg_tls_tickets_free(tickets);
    }
}

static jtg_status get(jtg_tls_tickets *tickets)
{
    jtg_tls_ticket ticket = JTG_TLS_TICKET_INIT;
    jtg_endpoint endpoint = tls_cache_endpoint("a");
    jtg_status status = jtg_tls_tickets_get(tickets, &endpoint, NULL, &ticket, NULL);
    assert_int_equal(ticket.storage != NULL, status == JTG_OK);
    jtg_tls_ticket_clear(&ticket);
    return status;
}

static jtg_status load(jtg_tls_tickets *tickets)
{
    jtg_tls_tickets_state found = JTG_TLS_TICKETS_STATE_INIT;
    jtg_status status = jtg_tls_tickets_load(tickets, &found, NULL);
    assert_int_equal(found.tickets, status == JTG_OK ? 4 : 0);
    assert_int_equal(found.is_corrupt, 0);
    return status;
}

static jtg_status save(jtg_tls_tickets *tickets)
{
    return jtg_tls_tickets_save(tickets, NULL);
}

static jtg_status see(jtg_tls_tickets *tickets)
{
    jtg_endpoint endpoint = tls_cache_endpoint("b");
    unsigned char pin[JTG_TLS_PIN_BYTES] = {1};
    return jtg_tls_tickets_pin_seen(tickets, &endpoint, pin, NULL);
}

static jtg_status invalidate(jtg_tls_tickets *tickets)
{
    jtg_endpoint endpoint = tls_cache_endpoint("a");
    return jtg_tls_tickets_invalidate(tickets, &endpoint, NULL);
}

static void all_else(void **state)
{
    (void)state;
    static jtg_status (*const calls[])(jtg_tls_tickets *) = {get, load, see, save, invalidate};
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        bool failed = true;
        cache.options.write_through = 1;
        assert_int_equal(tls_cache_tear_down(&cache) > 0, i > 0);
        assert_true(tls_cache_set_up(&cache));
        jtg_tls_tickets *tickets = open_filled(true, false);
        for (unsigned nth = 1; failed; nth++) {
            assert_in_range(nth, 1, NTH_MAX);
            alloc_walk_fail_nth(nth);
            jtg_status status = calls[i](tickets);
            failed = alloc_walk_end();
            assert_true(failed ? is_want(status) : status == JTG_OK);
            if (failed)
                assert_int_equal(jtg_tls_tickets_len(tickets), 4); /* as it was */
        }
        jtg_tls_tickets_free(tickets);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(opening),
        TEST(opening_at_the_default_path),
        TEST(taking),
        TEST(taking_what_is_sealed),
        TEST(taking_what_waits),
        TEST(putting),
        TEST(all_else),
    };
    return cmocka_run_group_tests_name("allocation walk: tls tickets", tests, NULL, NULL);
}
