/* SPDX-License-Identifier: Apache-2.0 */
#include "support/asserts.h"
#include "support/tls_cache.h"

#include <jtiguard/tls_tickets.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

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

static jtg_tls_tickets *open_cache(void)
{
    jtg_tls_tickets *tickets = tls_cache_open(&cache);
    assert_non_null(tickets);
    return tickets;
}

static void assert_put(jtg_tls_tickets *tickets, const char *host, uint32_t number,
                       jtg_tls_fate expected)
{
    jtg_tls_fate fate = JTG_TLS_NOT_STORED;
    assert_status(tls_cache_put(tickets, host, number, &fate), JTG_OK);
    assert_int_equal(fate, expected);
}

static void assert_taken(jtg_tls_tickets *tickets, const char *host, uint32_t number)
{
    uint32_t got = UINT32_MAX;
    assert_status(tls_cache_take(tickets, host, &got), JTG_OK);
    assert_int_equal(got, number);
}

static void assert_none(jtg_tls_tickets *tickets, const char *host)
{
    uint32_t got = 0;
    assert_status(tls_cache_take(tickets, host, &got), JTG_NOT_FOUND);
}

static jtg_tls_tickets_state state_of(jtg_tls_tickets *tickets)
{
    jtg_tls_tickets_state state = JTG_TLS_TICKETS_STATE_INIT;
    assert_status(jtg_tls_tickets_load(tickets, &state, NULL), JTG_OK);
    return state;
}

static bool is_there(const char *suffix)
{
    char path[128];
    struct stat about;
    tls_cache_beside(&cache, suffix, path);
    return lstat(path, &about) == 0;
}

/* ---- one process ---- */

static void a_ticket_is_handed_out_once_by_any_object(void **state)
{
    (void)state;
    jtg_tls_tickets *first = open_cache();
    jtg_tls_tickets *second = open_cache();
    assert_put(first, "Example.org.", 1, JTG_TLS_STORED);
    assert_put(first, "example.org", 2, JTG_TLS_STORED);
    assert_int_equal(jtg_tls_tickets_len(second), 2);
    assert_taken(second, "example.org", 2); /* the newest first */
    assert_taken(first, "example.org", 1);
    assert_none(first, "example.org");
    assert_none(second, "example.org");
    jtg_tls_tickets_free(first);
    jtg_tls_tickets_free(second);
}

static void what_was_used_up_is_not_stored_again(void **state)
{
    (void)state;
    jtg_tls_tickets *tickets = open_cache();
    assert_put(tickets, "a", 1, JTG_TLS_STORED);
    assert_put(tickets, "a", 1, JTG_TLS_DUPLICATE);
    assert_taken(tickets, "a", 1);
    assert_put(tickets, "a", 1, JTG_TLS_DUPLICATE);
    assert_put(tickets, "b", 1, JTG_TLS_DUPLICATE); /* nor for another server */
    assert_none(tickets, "a");
    assert_int_equal(state_of(tickets).consumed, 1);
    test_clock_advance(&cache.clock, INT64_C(7200) * 1000); /* until it would have ended */
    assert_put(tickets, "a", 2, JTG_TLS_STORED);
    assert_int_equal(state_of(tickets).consumed, 0);
    jtg_tls_tickets_free(tickets);
}

static void a_ticket_is_known_by_its_identity(void **state)
{
    (void)state;
    unsigned char bytes[TLS_CACHE_TICKET_BYTES];
    jtg_tls_tickets *tickets = open_cache();
    jtg_endpoint endpoint = tls_cache_endpoint("a");
    jtg_tls_fate fate = JTG_TLS_NOT_STORED;
    for (uint32_t number = 1; number <= 2; number++) {
        jtg_tls_ticket ticket = tls_cache_ticket(number, bytes);
        ticket.identity = "the same";
        ticket.identity_len = 8;
        assert_status(jtg_tls_tickets_put(tickets, &endpoint, &ticket, &fate, NULL), JTG_OK);
        assert_int_equal(fate, number == 1 ? JTG_TLS_STORED : JTG_TLS_DUPLICATE);
    }
    jtg_tls_tickets_free(tickets);
}

/* From here on no file can be written: every write fails, as on a full disk. */
static void set_file_limit(rlim_t bytes)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* It would be handed out again by the file that still has it. */
static void what_cannot_be_removed_is_not_handed_out(void **state)
{
    jtg_tls_tickets *tickets = open_cache();
    uint32_t got = UINT32_MAX;
    (void)state;
    assert_put(tickets, "host.example", 1, JTG_TLS_STORED);
    (void)signal(SIGXFSZ, SIG_IGN);
    set_file_limit(0);
    jtg_status status = tls_cache_take(tickets, "host.example", &got);
    set_file_limit(RLIM_INFINITY);
    assert_true(status != JTG_OK && status != JTG_NOT_FOUND);
    assert_int_equal(got, UINT32_MAX);
    assert_taken(tickets, "host.example", 1);
    assert_none(tickets, "host.example");
    jtg_tls_tickets_free(tickets);
}

static void a_look_leaves_it(void **state)
{
    (void)state;
    jtg_tls_tickets *tickets = open_cache();
    jtg_tls_ticket ticket = JTG_TLS_TICKET_INIT;
    jtg_endpoint endpoint = tls_cache_endpoint("a");
    unsigned char pin[JTG_TLS_PIN_BYTES];
    assert_put(tickets, "a", 1, JTG_TLS_STORED);
    test_clock_advance(&cache.clock, 1500);
    for (unsigned i = 0; i < 2; i++) {
        assert_status(jtg_tls_tickets_get(tickets, &endpoint, NULL, &ticket, NULL), JTG_OK);
        assert_int_equal(tls_cache_number(&ticket), 1);
        assert_int_equal(ticket.lifetime_s, 7200);
        assert_int_equal(ticket.age_ms, 1500);
        assert_int_equal(ticket.left_ms, 7200000 - 1500);
        assert_int_equal(ticket.stored_ms, TEST_CLOCK_WALL_MS);
        assert_int_equal(ticket.pin[31], 'p');
        jtg_tls_ticket_clear(&ticket);
        assert_null(ticket.storage);
        assert_null(ticket.ticket);
    }
    memset(pin, 'p', sizeof pin);
    assert_status(jtg_tls_tickets_get(tickets, &endpoint, pin, &ticket, NULL), JTG_OK);
    jtg_tls_ticket_clear(&ticket);
    pin[31] ^= 1;
    assert_status(jtg_tls_tickets_get(tickets, &endpoint, pin, &ticket, NULL), JTG_NOT_FOUND);
    assert_status(jtg_tls_tickets_take(tickets, &endpoint, pin, &ticket, NULL), JTG_NOT_FOUND);
    assert_null(ticket.storage);
    jtg_tls_tickets_free(tickets);
}

/* Host, port, ALPN, and all that decides whom the client trusts. */
static void each_part_of_the_endpoint_counts(void **state)
{
    (void)state;
    jtg_tls_tickets *tickets = open_cache();
    jtg_tls_ticket ticket = JTG_TLS_TICKET_INIT;
    jtg_endpoint endpoints[5];
    for (unsigned i = 0; i < 5; i++)
        endpoints[i] = tls_cache_endpoint("a");
    endpoints[1].host = "b";
    endpoints[2].port = 444;
    endpoints[3].alpn = "h2";
    endpoints[3].alpn_len = 2;
    endpoints[4].parameters = "any peer";
    assert_put(tickets, "a", 1, JTG_TLS_STORED);
    for (unsigned i = 1; i < 5; i++)
        assert_status(jtg_tls_tickets_take(tickets, endpoints + i, NULL, &ticket, NULL),
                      JTG_NOT_FOUND);
    assert_status(jtg_tls_tickets_take(tickets, endpoints, NULL, &ticket, NULL), JTG_OK);
    jtg_tls_ticket_clear(&ticket);
    jtg_tls_tickets_free(tickets);
}

static void the_oldest_give_way(void **state)
{
    (void)state;
    jtg_tls_tickets *tickets = open_cache();
    for (uint32_t i = 1; i <= 6; i++)
        assert_put(tickets, "a", i, JTG_TLS_STORED);
    assert_int_equal(jtg_tls_tickets_len(tickets), JTG_TLS_PER_ENDPOINT_DEFAULT);
    for (uint32_t i = 6; i >= 3; i--)
        assert_taken(tickets, "a", i);
    assert_none(tickets, "a");
    jtg_tls_tickets_free(tickets);
    cache.options.max_tickets = 3;
    tickets = open_cache();
    assert_put(tickets, "b", 11, JTG_TLS_STORED);
    assert_put(tickets, "c", 12, JTG_TLS_STORED);
    assert_put(tickets, "d", 13, JTG_TLS_STORED);
    assert_put(tickets, "e", 14, JTG_TLS_STORED);
    assert_int_equal(jtg_tls_tickets_len(tickets), 3);
    assert_none(tickets, "b");
    assert_taken(tickets, "e", 14);
    jtg_tls_tickets_free(tickets);
}

/* ---- time ---- */

static jtg_tls_fate put_for(jtg_tls_tickets *tickets, const char *host, uint32_t lifetime_s)
{
    unsigned char bytes[TLS_CACHE_TICKET_BYTES];
    jtg_endpoint endpoint = tls_cache_endpoint(host);
    static uint32_t number = 1000;
    jtg_tls_ticket ticket = tls_cache_ticket(number++, bytes);
    jtg_tls_fate fate = JTG_TLS_NOT_STORED;
    ticket.lifetime_s = lifetime_s;
    assert_status(jtg_tls_tickets_put(tickets, &endpoint, &ticket, &fate, NULL), JTG_OK);
    return fate;
}

static bool has(jtg_tls_tickets *tickets, const char *host)
{
    jtg_tls_ticket ticket = JTG_TLS_TICKET_INIT;
    jtg_endpoint endpoint = tls_cache_endpoint(host);
    jtg_status status = jtg_tls_tickets_get(tickets, &endpoint, NULL, &ticket, NULL);
    jtg_tls_ticket_clear(&ticket);
    assert_true(status == JTG_OK || status == JTG_NOT_FOUND);
    return status == JTG_OK;
}

static void the_servers_lifetime_is_obeyed(void **state)
{
    (void)state;
    jtg_tls_tickets *tickets = open_cache();
    assert_int_equal(put_for(tickets, "none", 0), JTG_TLS_DISCARDED);
    assert_false(is_there("")); /* nothing was written for it */
    assert_int_equal(put_for(tickets, "short", 60), JTG_TLS_STORED);
    assert_int_equal(put_for(tickets, "long", UINT32_MAX), JTG_TLS_STORED);
    test_clock_advance(&cache.clock, 59999);
    assert_true(has(tickets, "short"));
    test_clock_advance(&cache.clock, 1);
    assert_false(has(tickets, "short"));
    test_clock_advance(&cache.clock, INT64_C(86400000) - 60001);
    assert_true(has(tickets, "long"));
    test_clock_advance(&cache.clock, 1); /* max_age_s */
    assert_false(has(tickets, "long"));
    jtg_tls_tickets_free(tickets);
}

static void seven_days_are_the_most(void **state)
{
    (void)state;
    cache.options.max_age_s = JTG_TLS_LIFETIME_S_LIMIT;
    jtg_tls_tickets *tickets = open_cache();
    assert_int_equal(put_for(tickets, "a", UINT32_MAX), JTG_TLS_STORED);
    test_clock_advance(&cache.clock, INT64_C(604800000) - 1);
    assert_true(has(tickets, "a"));
    test_clock_advance(&cache.clock, 1);
    assert_false(has(tickets, "a"));
    jtg_tls_tickets_free(tickets);
}

static void a_ticket_from_the_future_is_dropped(void **state)
{
    (void)state;
    jtg_tls_tickets *tickets = open_cache();
    assert_put(tickets, "a", 1, JTG_TLS_STORED);
    test_clock_set_wall_by(&cache.clock, -1);
    assert_int_equal(state_of(tickets).ended, 1);
    assert_none(tickets, "a");
    assert_put(tickets, "b", 2, JTG_TLS_STORED); /* writes, and so drops it for good */
    test_clock_set_wall_by(&cache.clock, 1);
    assert_none(tickets, "a");
    assert_taken(tickets, "b", 2);
    jtg_tls_tickets_free(tickets);
}

/* Four that are dated later than now do not crowd out the one that waits. */
static void what_has_ended_takes_no_place(void **state)
{
    (void)state;
    jtg_tls_tickets *tickets = open_cache();
    for (uint32_t i = 1; i <= 4; i++)
        assert_put(tickets, "a", i, JTG_TLS_STORED);
    jtg_tls_tickets_free(tickets);
    test_clock_set_wall_by(&cache.clock, -3600000);
    cache.options.write_through = 0;
    tickets = open_cache();
    assert_put(tickets, "a", 5, JTG_TLS_STORED);
    assert_status(jtg_tls_tickets_save(tickets, NULL), JTG_OK);
    assert_int_equal(jtg_tls_tickets_len(tickets), 1);
    assert_taken(tickets, "a", 5);
    jtg_tls_tickets_free(tickets);
}

/* ---- pins ---- */

static jtg_status see(jtg_tls_tickets *tickets, const jtg_endpoint *endpoint, char pin)
{
    unsigned char bytes[JTG_TLS_PIN_BYTES];
    memset(bytes, pin, sizeof bytes);
    return jtg_tls_tickets_pin_seen(tickets, endpoint, bytes, NULL);
}

static void another_key_purges(void **state)
{
    (void)state;
    jtg_tls_tickets *tickets = open_cache();
    jtg_tls_tickets *other = open_cache();
    jtg_endpoint endpoint = tls_cache_endpoint("a");
    assert_status(see(tickets, &endpoint, 'p'), JTG_OK);
    assert_put(tickets, "a", 1, JTG_TLS_STORED);
    assert_put(tickets, "b", 2, JTG_TLS_STORED);
    jtg_endpoint without_alpn = endpoint;
    without_alpn.alpn_len = 0;
    assert_status(see(other, &without_alpn, 'q'), JTG_OK);
    assert_none(tickets, "a");
    assert_put(tickets, "a", 3, JTG_TLS_OLD_PIN); /* it came on an older connection */
    assert_none(other, "a");
    assert_taken(other, "b", 2);
    assert_status(see(tickets, &endpoint, 'p'), JTG_OK); /* the old certificate is back */
    assert_put(tickets, "a", 4, JTG_TLS_STORED);
    assert_taken(other, "a", 4);
    jtg_tls_tickets_free(tickets);
    jtg_tls_tickets_free(other);
}

/* An attacker in the middle of a connection that verifies nobody must not reach those that do. */
static void a_pin_of_an_unverified_connection_is_its_own(void **state)
{
    (void)state;
    jtg_tls_tickets *tickets = open_cache();
    jtg_endpoint unverified = tls_cache_endpoint("a");
    unverified.parameters = "any peer";
    assert_put(tickets, "a", 1, JTG_TLS_STORED);
    assert_status(see(tickets, &unverified, 'x'), JTG_OK);
    assert_put(tickets, "a", 2, JTG_TLS_STORED);
    assert_taken(tickets, "a", 2);
    assert_taken(tickets, "a", 1);
    jtg_tls_tickets_free(tickets);
}

static void a_known_pin_is_written_once_a_day(void **state)
{
    (void)state;
    jtg_tls_tickets *tickets = open_cache();
    jtg_endpoint endpoint = tls_cache_endpoint("a");
    struct stat first;
    struct stat later;
    assert_status(see(tickets, &endpoint, 'p'), JTG_OK);
    assert_int_equal(stat(cache.path, &first), 0);
    test_clock_advance(&cache.clock, INT64_C(86400000) - 1);
    assert_status(see(tickets, &endpoint, 'p'), JTG_OK);
    assert_int_equal(stat(cache.path, &later), 0);
    assert_true(first.st_ino == later.st_ino && first.st_mtim.tv_nsec == later.st_mtim.tv_nsec);
    test_clock_advance(&cache.clock, INT64_C(7) * 86400000); /* since it was last seen */
    assert_int_equal(state_of(tickets).pins, 1);
    test_clock_advance(&cache.clock, 1);
    assert_int_equal(state_of(tickets).pins, 0);
    jtg_tls_tickets_free(tickets);
}

/* Time goes on between a call and its look at the file. */
static int64_t running_ms(void *context)
{
    test_clock_advance(context, 1);
    return atomic_load(&((struct test_clock *)context)->wall_ms);
}

/* The clock was set back: a pin that is dated later than now does not outlive the next. */
static void a_pin_from_the_future_gives_way(void **state)
{
    (void)state;
    for (unsigned late = 0; late < 2; late++) {
        cache.clock_option.wall_ms = running_ms;
        cache.options.write_through = !late;
        jtg_tls_tickets *tickets = open_cache();
        jtg_endpoint endpoint = tls_cache_endpoint("a");
        assert_put(tickets, "a", 1, JTG_TLS_STORED);
        test_clock_advance(&cache.clock, 3600000);
        assert_status(see(tickets, &endpoint, 'p'), JTG_OK);
        test_clock_set_wall_by(&cache.clock, -1800000); /* the ticket is older still */
        assert_int_equal(jtg_tls_tickets_len(tickets), 1);
        assert_status(see(tickets, &endpoint, 'q'), JTG_OK);
        assert_int_equal(jtg_tls_tickets_len(tickets), 0);
        assert_status(jtg_tls_tickets_save(tickets, NULL), JTG_OK);
        assert_none(tickets, "a");
        assert_put(tickets, "a", 2, late ? JTG_TLS_STORED : JTG_TLS_OLD_PIN);
        assert_none(tickets, "a");
        jtg_tls_tickets_free(tickets);
        assert_true(tls_cache_tear_down(&cache) > 0);
        assert_true(tls_cache_set_up(&cache));
    }
}

static void all_of_a_host_is_invalidated(void **state)
{
    (void)state;
    jtg_tls_tickets *tickets = open_cache();
    jtg_endpoint other = tls_cache_endpoint("A.");
    other.alpn_len = 0;
    other.parameters_len = 0;
    assert_status(jtg_tls_tickets_invalidate(tickets, &other, NULL), JTG_NOT_FOUND);
    assert_false(is_there(".lock"));
    assert_put(tickets, "a", 1, JTG_TLS_STORED);
    assert_put(tickets, "a", 2, JTG_TLS_STORED);
    assert_put(tickets, "b", 3, JTG_TLS_STORED);
    other.port = 444;
    assert_status(jtg_tls_tickets_invalidate(tickets, &other, NULL), JTG_NOT_FOUND);
    other.port = 443;
    assert_status(jtg_tls_tickets_invalidate(tickets, &other, NULL), JTG_OK);
    assert_status(jtg_tls_tickets_invalidate(tickets, &other, NULL), JTG_NOT_FOUND);
    assert_none(tickets, "a");
    assert_put(tickets, "a", 1, JTG_TLS_DUPLICATE);
    assert_taken(tickets, "b", 3);
    jtg_tls_tickets_free(tickets);
}

/* ---- saving ---- */

static void without_write_through_saving_is_the_callers(void **state)
{
    (void)state;
    cache.options.write_through = 0;
    jtg_tls_tickets *tickets = open_cache();
    jtg_tls_tickets *other = open_cache();
    jtg_endpoint endpoint = tls_cache_endpoint("a");
    assert_status(see(tickets, &endpoint, 'p'), JTG_OK);
    assert_put(tickets, "a", 1, JTG_TLS_STORED);
    assert_put(tickets, "a", 1, JTG_TLS_DUPLICATE);
    assert_put(tickets, "b", 2, JTG_TLS_STORED);
    assert_false(is_there(""));
    assert_int_equal(jtg_tls_tickets_len(tickets), 2);
    assert_int_equal(state_of(tickets).unsaved, 2);
    assert_none(other, "a");
    assert_put(other, "c", 3, JTG_TLS_STORED);
    assert_status(jtg_tls_tickets_save(other, NULL), JTG_OK);
    assert_status(jtg_tls_tickets_save(tickets, NULL), JTG_OK); /* takes in what the other wrote */
    assert_int_equal(state_of(tickets).unsaved, 0);
    assert_int_equal(state_of(other).pins, 1);
    assert_taken(other, "a", 1);
    assert_taken(tickets, "b", 2);
    assert_taken(tickets, "c", 3);
    jtg_tls_tickets_free(tickets);
    jtg_tls_tickets_free(other);
}

/* One waits to be saved while another object has stored and used the same ticket. */
static void what_waited_does_not_bring_back_what_was_used(void **state)
{
    (void)state;
    jtg_tls_tickets *through = open_cache();
    cache.options.write_through = 0;
    jtg_tls_tickets *late = open_cache();
    assert_put(late, "a", 1, JTG_TLS_STORED);
    assert_put(through, "a", 1, JTG_TLS_STORED);
    assert_taken(through, "a", 1);
    assert_none(late, "a");
    assert_status(jtg_tls_tickets_save(late, NULL), JTG_OK);
    assert_none(late, "a");
    assert_none(through, "a");
    jtg_tls_tickets_free(through);
    jtg_tls_tickets_free(late);
}

static void a_ticket_that_waits_can_be_taken(void **state)
{
    (void)state;
    cache.options.write_through = 0;
    jtg_tls_tickets *tickets = open_cache();
    assert_put(tickets, "a", 1, JTG_TLS_STORED);
    assert_put(tickets, "b", 2, JTG_TLS_STORED);
    assert_taken(tickets, "a", 1);
    assert_int_equal(state_of(tickets).unsaved, 0); /* the take wrote all of it */
    assert_int_equal(state_of(tickets).consumed, 1);
    assert_put(tickets, "a", 1, JTG_TLS_STORED); /* as far as memory knows … */
    assert_none(tickets, "a");                   /* … and dropped when it meets the file */
    jtg_tls_tickets_free(tickets);
}

static void saving_nothing_writes_nothing(void **state)
{
    (void)state;
    jtg_tls_tickets *tickets = open_cache();
    struct stat before;
    struct stat after;
    assert_status(jtg_tls_tickets_save(tickets, NULL), JTG_OK);
    assert_int_equal(tls_cache_tear_down(&cache), 0);
    assert_int_equal(mkdir(cache.folder, 0700), 0);
    assert_put(tickets, "a", 1, JTG_TLS_STORED);
    assert_int_equal(stat(cache.path, &before), 0);
    assert_status(jtg_tls_tickets_save(tickets, NULL), JTG_OK);
    assert_int_equal(stat(cache.path, &after), 0);
    assert_true(before.st_ino == after.st_ino && before.st_mtim.tv_nsec == after.st_mtim.tv_nsec);
    test_clock_advance(&cache.clock, INT64_C(7200000)); /* it has ended: there is something */
    assert_status(jtg_tls_tickets_save(tickets, NULL), JTG_OK);
    assert_int_equal(state_of(tickets).ended, 0);
    jtg_tls_tickets_free(tickets);
}

/* A full table refuses: it forgets no ticket that could come back. */
static void when_too_many_were_used_none_is_handed_out(void **state)
{
    (void)state;
    cache.options.max_consumed = 2;
    jtg_tls_tickets *tickets = open_cache();
    uint32_t number = 0;
    for (uint32_t i = 1; i <= 3; i++)
        assert_put(tickets, "a", i, JTG_TLS_STORED);
    assert_taken(tickets, "a", 3);
    assert_taken(tickets, "a", 2);
    assert_status(tls_cache_take(tickets, "a", &number), JTG_ERR_FULL);
    assert_int_equal(jtg_tls_tickets_len(tickets), 1);
    jtg_endpoint endpoint = tls_cache_endpoint("a");
    assert_status(jtg_tls_tickets_invalidate(tickets, &endpoint, NULL), JTG_OK);
    assert_int_equal(jtg_tls_tickets_len(tickets), 0);
    jtg_tls_tickets_free(tickets);
}

/* ---- the file ---- */

static mode_t mode_of(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 ? about.st_mode & 07777 : 0;
}

static void the_file_is_for_its_owner_alone(void **state)
{
    (void)state;
    char outer[96];
    char inner[112];
    char file[128];
    char lock[144];
    jtg_tls_tickets *tickets = NULL;
    mode_t before = umask(0);
    snprintf(outer, sizeof outer, "%s/one", cache.folder);
    snprintf(inner, sizeof inner, "%s/two", outer);
    snprintf(file, sizeof file, "%s/tickets.json", inner);
    snprintf(lock, sizeof lock, "%s.lock", file);
    assert_status(jtg_tls_tickets_open(&tickets, file, &cache.options, NULL), JTG_OK);
    assert_int_equal(jtg_tls_tickets_len(tickets), 0);
    assert_none(tickets, "a");
    assert_int_equal(mode_of(outer), 0); /* looking makes nothing */
    assert_put(tickets, "a", 1, JTG_TLS_STORED);
    umask(before);
    assert_int_equal(mode_of(outer), 0700);
    assert_int_equal(mode_of(inner), 0700);
    assert_int_equal(mode_of(file), 0600);
    assert_int_equal(mode_of(lock), 0600);
    jtg_tls_tickets_free(tickets);
    assert_int_equal(unlink(lock) + unlink(file) + rmdir(inner) + rmdir(outer), 0);
}

static void a_file_of_others_is_kept_beside(void **state)
{
    (void)state;
    static const char *const contents[] = {
        "",
        "not json",
        "{\"magic\":\"another\",\"version\":1}",
        "[1,2,3]",
        "{\"magic\":\"jtiguard-tls-tickets\",\"version\":0}",
        "{\"magic\":\"jtiguard-tls-tickets\",\"version\":1,\"tickets\":[],\"pins\":[]}",
    };
    char bad[128];
    char *content = NULL;
    size_t len = 0;
    tls_cache_beside(&cache, ".bad", bad);
    for (size_t i = 0; i < sizeof contents / sizeof contents[0]; i++) {
        jtg_tls_tickets *tickets = open_cache();
        assert_true(tls_cache_write(cache.path, contents[i], strlen(contents[i])));
        assert_int_equal(state_of(tickets).is_corrupt, 1);
        assert_none(tickets, "a");
        assert_put(tickets, "a", (uint32_t)i, JTG_TLS_STORED);
        assert_int_equal(state_of(tickets).is_corrupt, 0);
        assert_true(tls_cache_read(bad, &content, &len));
        assert_int_equal(len, strlen(contents[i]));
        assert_memory_equal(content, contents[i], len);
        free(content);
        assert_taken(tickets, "a", (uint32_t)i);
        jtg_tls_tickets_free(tickets);
        assert_int_equal(unlink(cache.path), 0);
    }
}

static void a_file_of_a_newer_version_is_left_alone(void **state)
{
    (void)state;
    static const char newer[] = "{\"magic\":\"jtiguard-tls-tickets\",\"version\":2,\"more\":[]}";
    jtg_tls_tickets *tickets = open_cache();
    jtg_error err = JTG_ERROR_INIT;
    char *content = NULL;
    size_t len = 0;
    uint32_t number = 0;
    assert_true(tls_cache_write(cache.path, newer, strlen(newer)));
    assert_status(jtg_tls_tickets_load(tickets, NULL, &err), JTG_ERR_UNSUPPORTED);
    assert_err_tells(&err, JTG_ERR_UNSUPPORTED);
    assert_status(tls_cache_put(tickets, "a", 1, NULL), JTG_ERR_UNSUPPORTED);
    assert_status(tls_cache_take(tickets, "a", &number), JTG_ERR_UNSUPPORTED);
    assert_status(jtg_tls_tickets_save(tickets, NULL), JTG_ERR_UNSUPPORTED);
    assert_true(tls_cache_read(cache.path, &content, &len));
    assert_string_equal(content, newer);
    free(content);
    assert_false(is_there(".bad"));
    assert_int_equal(unlink(cache.path), 0); /* what could not be written has waited */
    assert_taken(tickets, "a", 1);
    jtg_tls_tickets_free(tickets);
}

/* ---- secrets ---- */

static bool file_holds(const char *text)
{
    char *content = NULL;
    size_t len = 0;
    assert_true(tls_cache_read(cache.path, &content, &len));
    bool holds = memmem(content, len, text, strlen(text)) != NULL;
    free(content);
    return holds;
}

static void a_key_file_hides_tickets_and_hosts(void **state)
{
    (void)state;
    jtg_tls_tickets *tickets = open_cache();
    assert_put(tickets, "clear.example", 1, JTG_TLS_STORED);
    assert_true(file_holds("clear.example:443") && file_holds("\"ticket\""));
    jtg_tls_tickets_free(tickets);
    assert_true(tls_cache_make_key(&cache));
    cache.options.hide_hosts = 1;
    tickets = open_cache();
    jtg_endpoint hidden = tls_cache_endpoint("hidden.example");
    jtg_tls_ticket ticket = JTG_TLS_TICKET_INIT;
    unsigned char pin[JTG_TLS_PIN_BYTES];
    memset(pin, 'p', sizeof pin);
    assert_true(file_holds("cHBwcHBw"));   /* in base64 */
    assert_none(tickets, "clear.example"); /* it is not sealed: not ours */
    assert_put(tickets, "hidden.example", 2, JTG_TLS_STORED);
    assert_status(jtg_tls_tickets_pin_seen(tickets, &hidden, pin, NULL), JTG_OK);
    assert_status(jtg_tls_tickets_get(tickets, &hidden, pin, &ticket, NULL), JTG_OK);
    assert_int_equal(tls_cache_number(&ticket), 2);
    assert_memory_equal(ticket.pin, pin, sizeof pin);
    jtg_tls_ticket_clear(&ticket);
    assert_false(file_holds("example") || file_holds("\"ticket\""));
    assert_false(file_holds("cHBwcHBw")); /* a host's key tells the host */
    assert_true(file_holds("\"sealed\""));
    assert_int_equal(jtg_tls_tickets_len(tickets), 1);
    assert_taken(tickets, "hidden.example", 2);
    assert_put(tickets, "hidden.example", 3, JTG_TLS_STORED);
    jtg_endpoint endpoint = tls_cache_endpoint("hidden.example");
    assert_status(jtg_tls_tickets_invalidate(tickets, &endpoint, NULL), JTG_OK);
    jtg_tls_tickets_free(tickets);
}

static void another_key_opens_nothing(void **state)
{
    (void)state;
    assert_true(tls_cache_make_key(&cache));
    jtg_tls_tickets *tickets = open_cache();
    assert_put(tickets, "a", 1, JTG_TLS_STORED);
    jtg_tls_tickets_free(tickets);
    static const char key[] = "another random key, in hex or not";
    assert_int_equal(unlink(cache.key_path), 0);
    assert_true(tls_cache_write(cache.key_path, key, 32));
    tickets = open_cache();
    assert_none(tickets, "a");
    assert_put(tickets, "a", 2, JTG_TLS_STORED);
    assert_taken(tickets, "a", 2); /* and the other is dropped on the way */
    jtg_tls_tickets_free(tickets);
    cache.options.key_file = NULL;
    tickets = open_cache();
    assert_none(tickets, "a");                         /* a process without a key cannot read it, */
    assert_int_equal(jtg_tls_tickets_len(tickets), 1); /* and leaves it */
    jtg_tls_tickets_free(tickets);
}

/* ---- arguments ---- */

static void a_disabled_cache_touches_nothing(void **state)
{
    (void)state;
    jtg_tls_ticket ticket = JTG_TLS_TICKET_INIT;
    jtg_endpoint endpoint = tls_cache_endpoint("a");
    assert_int_equal(setenv(JTG_TLS_DISABLE_VARIABLE, "1", 1), 0);
    cache.options.key_file = "/nonexistent";
    jtg_tls_tickets *tickets = open_cache();
    assert_int_equal(unsetenv(JTG_TLS_DISABLE_VARIABLE), 0);
    assert_put(tickets, "a", 1, JTG_TLS_DISCARDED);
    assert_none(tickets, "a");
    assert_status(jtg_tls_tickets_get(tickets, &endpoint, NULL, &ticket, NULL), JTG_NOT_FOUND);
    assert_status(see(tickets, &endpoint, 'p'), JTG_OK);
    assert_status(jtg_tls_tickets_invalidate(tickets, &endpoint, NULL), JTG_NOT_FOUND);
    assert_status(jtg_tls_tickets_save(tickets, NULL), JTG_OK);
    assert_int_equal(jtg_tls_tickets_len(tickets), 0);
    assert_int_equal(state_of(tickets).is_disabled, 1);
    endpoint.port = 0; /* a wrong argument stays one */
    assert_status(jtg_tls_tickets_save(NULL, NULL), JTG_ERR_ARGUMENT);
    assert_status(jtg_tls_tickets_take(tickets, &endpoint, NULL, &ticket, NULL), JTG_ERR_ARGUMENT);
    jtg_tls_tickets_free(tickets);
    assert_int_equal(tls_cache_tear_down(&cache), 0);
}

static void wrong_arguments_are_refused(void **state)
{
    (void)state;
    unsigned char bytes[TLS_CACHE_TICKET_BYTES];
    jtg_tls_tickets *tickets = open_cache();
    jtg_endpoint endpoint = tls_cache_endpoint("a");
    jtg_tls_ticket good = tls_cache_ticket(1, bytes);
    jtg_tls_ticket wrong = good;
    jtg_error err = JTG_ERROR_INIT;
    const struct {
        const void *ticket;
        size_t ticket_len;
        const void *identity;
        size_t identity_len;
        uint32_t reserved;
    } cases[] = {
        {NULL, 1, NULL, 0, 0},  {bytes, 0, NULL, 0, 0},      {bytes, 65536, NULL, 0, 0},
        {bytes, 1, NULL, 1, 0}, {bytes, 1, bytes, 65536, 0}, {bytes, 1, NULL, 0, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        wrong.ticket = cases[i].ticket;
        wrong.ticket_len = cases[i].ticket_len;
        wrong.identity = cases[i].identity;
        wrong.identity_len = cases[i].identity_len;
        wrong.reserved = cases[i].reserved;
        assert_status(jtg_tls_tickets_put(tickets, &endpoint, &wrong, NULL, &err),
                      JTG_ERR_ARGUMENT);
        assert_err_tells(&err, JTG_ERR_ARGUMENT);
    }
    wrong = good;
    wrong.struct_size = 0;
    assert_status(jtg_tls_tickets_put(tickets, &endpoint, &wrong, NULL, NULL), JTG_ERR_ARGUMENT);
    assert_status(jtg_tls_tickets_take(tickets, &endpoint, NULL, &wrong, NULL), JTG_ERR_ARGUMENT);
    assert_status(jtg_tls_tickets_take(tickets, &endpoint, NULL, NULL, NULL), JTG_ERR_ARGUMENT);
    assert_status(jtg_tls_tickets_put(tickets, &endpoint, NULL, NULL, NULL), JTG_ERR_ARGUMENT);
    assert_status(jtg_tls_tickets_put(tickets, NULL, &good, NULL, NULL), JTG_ERR_ARGUMENT);
    assert_status(jtg_tls_tickets_put(NULL, &endpoint, &good, NULL, NULL), JTG_ERR_ARGUMENT);
    assert_status(jtg_tls_tickets_pin_seen(tickets, &endpoint, NULL, NULL), JTG_ERR_ARGUMENT);
    jtg_tls_tickets_state state_given = {.struct_size = 1};
    assert_status(jtg_tls_tickets_load(tickets, &state_given, NULL), JTG_ERR_ARGUMENT);
    assert_status(jtg_tls_tickets_open(NULL, cache.path, NULL, NULL), JTG_ERR_ARGUMENT);
    assert_int_equal(tls_cache_tear_down(&cache), 0);
    jtg_tls_tickets_free(tickets);
    jtg_tls_tickets_free(NULL);
    jtg_tls_ticket_clear(NULL);
}

static void the_largest_ticket_is_kept_whole(void **state)
{
    (void)state;
    unsigned char *bytes = malloc(JTG_TLS_TICKET_MAX_BYTES);
    jtg_tls_tickets *tickets = open_cache();
    jtg_endpoint endpoint = tls_cache_endpoint("a");
    assert_non_null(bytes);
    for (size_t len = JTG_TLS_TICKET_MAX_BYTES - 3; len <= JTG_TLS_TICKET_MAX_BYTES; len++) {
        jtg_tls_ticket ticket = JTG_TLS_TICKET_INIT;
        memset(bytes, (int)len, len);
        ticket.ticket = bytes;
        ticket.ticket_len = len;
        ticket.lifetime_s = 1;
        assert_status(jtg_tls_tickets_put(tickets, &endpoint, &ticket, NULL, NULL), JTG_OK);
        assert_status(jtg_tls_tickets_take(tickets, &endpoint, NULL, &ticket, NULL), JTG_OK);
        assert_int_equal(ticket.ticket_len, len);
        assert_memory_equal(ticket.ticket, bytes, len);
        jtg_tls_ticket_clear(&ticket);
    }
    free(bytes);
    jtg_tls_tickets_free(tickets);
}

static void a_child_is_refused(void **state)
{
    (void)state;
    jtg_tls_tickets *tickets = open_cache();
    uint32_t number = 0;
    int status = 0;
    assert_put(tickets, "a", 1, JTG_TLS_STORED);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(tls_cache_take(tickets, "a", &number) == JTG_ERR_FORKED ? 0 : 1);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_taken(tickets, "a", 1);
    jtg_tls_tickets_free(tickets);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_ticket_is_handed_out_once_by_any_object),
        TEST(what_was_used_up_is_not_stored_again),
        TEST(a_ticket_is_known_by_its_identity),
        TEST(what_cannot_be_removed_is_not_handed_out),
        TEST(a_look_leaves_it),
        TEST(each_part_of_the_endpoint_counts),
        TEST(the_oldest_give_way),
        TEST(the_servers_lifetime_is_obeyed),
        TEST(seven_days_are_the_most),
        TEST(a_ticket_from_the_future_is_dropped),
        TEST(what_has_ended_takes_no_place),
        TEST(another_key_purges),
        TEST(a_pin_of_an_unverified_connection_is_its_own),
        TEST(a_known_pin_is_written_once_a_day),
        TEST(a_pin_from_the_future_gives_way),
        TEST(all_of_a_host_is_invalidated),
        TEST(without_write_through_saving_is_the_callers),
        TEST(what_waited_does_not_bring_back_what_was_used),
        TEST(a_ticket_that_waits_can_be_taken),
        TEST(saving_nothing_writes_nothing),
        TEST(when_too_many_were_used_none_is_handed_out),
        TEST(the_file_is_for_its_owner_alone),
        TEST(a_file_of_others_is_kept_beside),
        TEST(a_file_of_a_newer_version_is_left_alone),
        TEST(a_key_file_hides_tickets_and_hosts),
        TEST(another_key_opens_nothing),
        TEST(a_disabled_cache_touches_nothing),
        TEST(wrong_arguments_are_refused),
        TEST(the_largest_ticket_is_kept_whole),
        TEST(a_child_is_refused),
    };
    return cmocka_run_group_tests_name("tls tickets", tests, NULL, NULL);
}
