/* SPDX-License-Identifier: Apache-2.0 */
/* Eight processes share one file of tickets and visit one server, for JTIGUARD_TEST_SECONDS
 * (default 3). The server counts: no ticket is offered twice, and each that it gave was offered or
 * is in the file at the end. */
#include "adapters/openssl/tls_tickets_fixture.h"
#include "support/asserts.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PROCESSES = 8, SECONDS_DEFAULT = 3, SECONDS_MAX = 3600, SAVE_TRIES = 100 };

/* What a process has seen. */
struct tally {
    unsigned visits;
    unsigned resumed;
    unsigned offered;
    unsigned received;
    unsigned refused; /* by the cache: the file was another's for too long */
    unsigned failed;
};

static struct tickets_fixture it;
static struct tally *tallies; /* shared with the children */
static unsigned received;

static int on_ticket(SSL *ssl, SSL_SESSION *session)
{
    (void)ssl;
    (void)session;
    received++;
    return 0;
}

static unsigned seconds(void)
{
    const char *text = getenv("JTIGUARD_TEST_SECONDS");
    long asked = text != NULL ? strtol(text, NULL, 10) : SECONDS_DEFAULT;
    return asked > 0 && asked <= SECONDS_MAX ? (unsigned)asked : SECONDS_DEFAULT;
}

static bool is_before(time_t end)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec < end;
}

static jtg_tls_tickets *open_wide(void)
{
    jtg_tls_tickets *tickets = NULL;
    jtg_tls_tickets_options options = JTG_TLS_TICKETS_OPTIONS_INIT;
    options.max_per_endpoint = JTG_TLS_PER_ENDPOINT_LIMIT;
    options.max_tickets = JTG_TLS_MAX_TICKETS_LIMIT;
    options.max_consumed = JTG_TLS_MAX_CONSUMED_LIMIT;
    options.lock_wait_ms = 10000;
    return jtg_tls_tickets_open(&tickets, it.path, &options, NULL) == JTG_OK ? tickets : NULL;
}

static void visit_until(SSL_CTX *context, time_t end, struct tally *tally)
{
    while (is_before(end)) {
        struct visit made = {.port = it.server.port, .endpoint = &it.endpoint};
        ticket_client_visit(context, &made);
        tally->visits++;
        tally->offered += made.prepared == JTG_OK;
        tally->resumed += made.is_done && made.resumption == JTG_TLS_RESUMED;
        tally->refused += made.prepared != JTG_OK && made.prepared != JTG_NOT_FOUND;
        tally->failed += !made.is_done;
    }
}

/* What could not be written at once is remembered. */
static bool save(jtg_tls_tickets *tickets)
{
    for (int i = 0; i < SAVE_TRIES; i++)
        if (jtg_tls_tickets_save(tickets, NULL) == JTG_OK)
            return true;
    return false;
}

static bool be_client(time_t end, struct tally *tally)
{
    jtg_tls_tickets *tickets = open_wide();
    SSL_CTX *context = ticket_client_context(it.identity.certificate_path);
    if (tickets == NULL || context == NULL)
        return false;
    SSL_CTX_sess_set_new_cb(context, on_ticket);
    if (jtg_tls_tickets_openssl_install(context, tickets, NULL, NULL) != JTG_OK)
        return false;
    visit_until(context, end, tally);
    tally->received = received;
    bool saved = save(tickets);
    SSL_CTX_free(context);
    jtg_tls_tickets_free(tickets);
    return saved;
}

static pid_t start_client(time_t end, struct tally *tally)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        _exit(be_client(end, tally) ? EXIT_SUCCESS : EXIT_FAILURE);
    }
    return child;
}

static struct tally sum(void)
{
    struct tally all = {0, 0, 0, 0, 0, 0};
    for (unsigned i = 0; i < PROCESSES; i++) {
        all.visits += tallies[i].visits;
        all.resumed += tallies[i].resumed;
        all.offered += tallies[i].offered;
        all.received += tallies[i].received;
        all.refused += tallies[i].refused;
        all.failed += tallies[i].failed;
    }
    return all;
}

static void race(void)
{
    struct timespec now;
    pid_t clients[PROCESSES];
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    time_t end = now.tv_sec + (time_t)seconds();
    /* Before the server's thread: a child has only the thread that forks. */
    for (unsigned i = 0; i < PROCESSES; i++)
        clients[i] = start_client(end, &tallies[i]);
    ticket_server_run(&it.server);
    for (unsigned i = 0; i < PROCESSES; i++) {
        int status = -1;
        assert_int_equal(waitpid(clients[i], &status, 0), clients[i]);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS);
    }
    ticket_server_stop(&it.server);
}

static void no_ticket_is_offered_twice_and_none_is_lost(void **state)
{
    (void)state;
    race();
    struct tally all = sum();
    unsigned repeated = ticket_server_repeated(&it.server);
    jtg_tls_tickets *tickets = open_wide();
    assert_non_null(tickets);
    unsigned left = (unsigned)jtg_tls_tickets_len(tickets);
    jtg_tls_tickets_free(tickets);
    (void)printf("%u s: %u visits, %u resumed; tickets: %u issued, %u offered, %u offered again, "
                 "%u left; %u times the file was not to be had\n",
                 seconds(), all.visits, all.resumed, it.server.issued, it.server.offered, repeated,
                 left, all.refused);
    assert_int_equal(all.failed, 0);
    assert_true(all.resumed > PROCESSES);
    assert_int_equal(repeated, 0);
    assert_int_equal(all.offered, it.server.offered);
    assert_int_equal(all.resumed, it.server.resumed);
    assert_int_equal(it.server.resumed, it.server.offered);
    assert_int_equal(all.received, it.server.issued);
    assert_int_equal(it.server.issued, it.server.offered + left);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_ticket_is_offered_twice_and_none_is_lost),
    };
    (void)signal(SIGPIPE, SIG_IGN);
    tallies = mmap(NULL, PROCESSES * sizeof *tallies, PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (tallies == MAP_FAILED)
        return EXIT_FAILURE;
    tickets_fixture_init(&it);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    tickets_fixture_clear(&it);
    return failed;
}
