/* SPDX-License-Identifier: Apache-2.0 */
/* Two server processes on one Redis, and a first flight with early data that was copied on its way:
 * replayed to the same process, the other, a restarted one, and after Redis itself was restarted
 * empty. Early data is accepted once at most, and every handshake goes on.
 *
 * JTIGUARD_TEST_SECONDS=60 makes the races of the second part last that long. */
#include "adapters/openssl/early_data_fleet.h"
#include "adapters/openssl/wire_client.h"
#include "support/asserts.h"
#include "support/threads.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    PATIENCE_S = 20,
    SECONDS_DEFAULT = 1,
    SECONDS_MAX = 3600,
    COPIES = 8,
    ATTEMPTS = 10,
    FLIGHTS_LEAST = 5
};

static unsigned accepted(const struct fleet *fleet, unsigned n)
{
    return atomic_load(&fleet->board->accepted[n]);
}

/* Keys seal when their lead is over: until then a connection gives no ticket. */
static SSL_SESSION *get_ticket(struct fleet *fleet, struct tls_client *client, unsigned server)
{
    for (int i = 0; i < PATIENCE_S * 20; i++) {
        assert_true(wire_connect(client, fleet->ports[server], NULL, NULL).completed);
        SSL_SESSION *ticket = tls_client_take(client, 0);
        if (ticket != NULL && SSL_SESSION_get_max_early_data(ticket) > 0)
            return ticket;
        SSL_SESSION_free(ticket);
        (void)poll(NULL, 0, 50);
    }
    fail_msg("no ticket");
    return NULL;
}

static bool resumes(struct fleet *fleet, struct tls_client *client)
{
    bool resumed = true;
    for (unsigned server = 0; server < FLEET_SERVERS && resumed; server++) {
        SSL_SESSION *ticket = get_ticket(fleet, client, server);
        resumed = wire_connect(client, fleet->ports[1 - server], ticket, NULL).resumed;
        SSL_SESSION_free(ticket);
    }
    return resumed;
}

/* Until both can store a session: a ticket that leads to nothing is given before. */
static void await_sessions(struct fleet *fleet, struct tls_client *client)
{
    for (int i = 0; i < PATIENCE_S * 20; i++) {
        if (resumes(fleet, client))
            return;
        (void)poll(NULL, 0, 50);
    }
    fail_msg("no session is stored");
}

/* A flight whose early data was accepted by one server. On a machine that is very busy the store's
 * answer can come too late, and it is refused; then another one. */
static void send_flight(struct fleet *fleet, struct tls_client *client, unsigned server, unsigned n)
{
    char early[FLEET_EARLY_ROOM];
    fleet_early(early, n);
    for (int i = 0; i < ATTEMPTS; i++) {
        SSL_SESSION *ticket = get_ticket(fleet, client, 0);
        struct tls_outcome outcome = wire_connect(client, fleet->ports[server], ticket, early);
        SSL_SESSION_free(ticket);
        assert_true(outcome.completed);
        assert_int_equal(accepted(fleet, n), outcome.early ? 1 : 0);
        if (outcome.early)
            return;
    }
    fail_msg("no early data is accepted");
}

/* The server's own account, once its side of the connection is over: it can come a moment after
 * the client's. */
static void await_waiting(const struct fleet *fleet, unsigned count)
{
    for (int i = 0; i < PATIENCE_S * 100 && atomic_load(&fleet->board->waited) < count; i++)
        (void)poll(NULL, 0, 10);
    assert_int_equal(atomic_load(&fleet->board->waited), count);
    assert_int_equal(atomic_load(&fleet->board->broken), 0);
}

static void replay_to_both(struct fleet *fleet, const struct tls_flight *flight)
{
    unsigned before = atomic_load(&fleet->board->waited);
    for (unsigned server = 0; server < FLEET_SERVERS; server++)
        assert_true(wire_replay(fleet->ports[server], flight));
    await_waiting(fleet, before + FLEET_SERVERS);
}

/* ---- one flight, through everything that can happen ---- */

/* What a client with a ticket of before the loss gets: a handshake, and no early data. With
 * sessions in the store there is nothing to resume. */
static void client_after_loss(struct fleet *fleet, struct tls_client *client, SSL_SESSION *ticket)
{
    char early[FLEET_EARLY_ROOM];
    fleet_early(early, 3);
    struct tls_outcome outcome = wire_connect(client, fleet->ports[0], ticket, early);
    assert_true(outcome.completed);
    assert_false(outcome.early);
    assert_int_equal(accepted(fleet, 3), 0);
}

/* The servers are connected again, and say what they refuse for. */
static void await_store(struct fleet *fleet, struct tls_client *client,
                        const struct tls_flight *unused)
{
    if (fleet->stores) {
        await_sessions(fleet, client);
        return;
    }
    for (int i = 0; i < PATIENCE_S * 20; i++) {
        replay_to_both(fleet, unused);
        if (atomic_load(&fleet->board->reasons[JTG_FLIGHT_CONTINUITY_LOST]) >= FLEET_SERVERS)
            return;
        (void)poll(NULL, 0, 50);
    }
    fail_msg("the servers do not find the store again");
}

static void through_everything(bool stores)
{
    struct fleet fleet;
    struct tls_client client;
    struct tls_flight used;
    struct tls_flight unused;
    char early[FLEET_EARLY_ROOM];
    fleet_start(&fleet, stores);
    tls_client_init(&client);
    await_sessions(&fleet, &client);
    send_flight(&fleet, &client, 1, 1);
    used = client.first;
    SSL_SESSION *ticket = get_ticket(&fleet, &client, 0);
    fleet_early(early, 2);
    tls_capture(&client, ticket, early, &unused); /* and never sent */
    for (int i = 0; i < 3; i++)
        replay_to_both(&fleet, &used);
    for (unsigned server = 0; server < FLEET_SERVERS; server++) {
        fleet_restart_server(&fleet, server);
        replay_to_both(&fleet, &used);
    }
    send_flight(&fleet, &client, 0, 4); /* the restarted ones accept what is new */
    assert_int_equal(accepted(&fleet, 1), 1);
    fleet_restart_redis(&fleet);
    replay_to_both(&fleet, &used);
    await_store(&fleet, &client, &unused);
    replay_to_both(&fleet, &used);
    replay_to_both(&fleet, &unused);
    fleet_restart_server(&fleet, 0);
    replay_to_both(&fleet, &used);
    replay_to_both(&fleet, &unused);
    assert_int_equal(accepted(&fleet, 1), 1);
    assert_int_equal(accepted(&fleet, 2), 0);
    client_after_loss(&fleet, &client, ticket);
    SSL_SESSION_free(ticket);
    tls_client_clear(&client);
    fleet_stop(&fleet);
}

static void tickets_through_everything(void **state)
{
    (void)state;
    through_everything(false);
}

static void sessions_through_everything(void **state)
{
    (void)state;
    through_everything(true);
}

/* ---- many copies at once ---- */

struct race {
    const struct fleet *fleet;
    const struct tls_flight *flight;
    atomic_uint answered;
};

static void replay_one(void *context, unsigned index)
{
    struct race *race = context;
    bool good = wire_replay(race->fleet->ports[index % FLEET_SERVERS], race->flight);
    atomic_fetch_add(&race->answered, good ? 1 : 0);
}

static time_t now_s(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

static time_t seconds(void)
{
    const char *given = getenv("JTIGUARD_TEST_SECONDS");
    long wanted = given != NULL ? strtol(given, NULL, 10) : SECONDS_DEFAULT;
    return wanted > 0 && wanted <= SECONDS_MAX ? wanted : SECONDS_DEFAULT;
}

static void race_one(struct fleet *fleet, struct tls_client *client, unsigned n)
{
    char early[FLEET_EARLY_ROOM];
    struct tls_flight flight;
    unsigned before = atomic_load(&fleet->board->waited);
    SSL_SESSION *ticket = get_ticket(fleet, client, n % FLEET_SERVERS);
    fleet_early(early, n);
    tls_capture(client, ticket, early, &flight);
    SSL_SESSION_free(ticket);
    struct race race = {.fleet = fleet, .flight = &flight};
    threads_run(COPIES, replay_one, &race);
    assert_int_equal(race.answered, COPIES);
    await_waiting(fleet, before + COPIES);
}

static void print_reasons(const struct fleet_board *board)
{
    for (int reason = 0; reason < JTG_FLIGHT_REASON_COUNT; reason++)
        if (board->reasons[reason] != 0)
            printf("  %s: %u\n", jtg_flight_reason_name((jtg_flight_reason)reason),
                   board->reasons[reason]);
}

static void copies_at_once(bool stores)
{
    struct fleet fleet;
    struct tls_client client;
    unsigned flights = 0;
    unsigned once = 0;
    fleet_start(&fleet, stores);
    tls_client_init(&client);
    await_sessions(&fleet, &client);
    time_t end = now_s() + seconds();
    for (; flights < FLEET_FLIGHTS && (now_s() < end || flights < FLIGHTS_LEAST); flights++) {
        race_one(&fleet, &client, flights);
        assert_true(accepted(&fleet, flights) <= 1);
        once += accepted(&fleet, flights);
    }
    printf("%s: %u flights, each sent to two processes %d times at once: accepted once %u, "
           "more than once 0\n",
           stores ? "sessions" : "tickets", flights, COPIES, once);
    print_reasons(fleet.board);
    assert_true(once > 0); /* not all, for the store may be too slow for some */
    assert_int_equal(fleet.board->reasons[JTG_FLIGHT_FIRST], once);
    tls_client_clear(&client);
    fleet_stop(&fleet);
}

static void copies_of_tickets(void **state)
{
    (void)state;
    copies_at_once(false);
}

static void copies_of_sessions(void **state)
{
    (void)state;
    copies_at_once(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tickets_through_everything),
        cmocka_unit_test(sessions_through_everything),
        cmocka_unit_test(copies_of_tickets),
        cmocka_unit_test(copies_of_sessions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
