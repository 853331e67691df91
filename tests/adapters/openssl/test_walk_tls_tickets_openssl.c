/* SPDX-License-Identifier: Apache-2.0 */
/* Every acquisition of memory in the client's adapter fails once, OpenSSL's and the library's: the
 * connection comes about all the same, and no ticket is offered twice. */
#include "adapters/openssl/tls_tickets_fixture.h"
#include "support/alloc_walk.h"
#include "support/asserts.h"

#include <openssl/crypto.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

enum { MOST = 5000 };

/* ---- OpenSSL's memory ---- */

static _Thread_local unsigned until_failure; /* 0: none is asked for */
static _Thread_local bool has_failed;

static bool fails(void)
{
    if (until_failure == 0 || --until_failure != 0)
        return false;
    has_failed = true;
    return true;
}

static void *get(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return fails() ? NULL : malloc(size);
}

static void *get_again(void *memory, size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return fails() ? NULL : realloc(memory, size);
}

static void give_back(void *memory, const char *file, int line)
{
    (void)file;
    (void)line;
    free(memory);
}

/* ---- whose memory fails, and where ---- */

enum whose { OPENSSLS, OURS };
enum where { IN_PREPARE, IN_CONNECTED, IN_CALLBACK };

static struct tickets_fixture it;
static enum whose whose;
static enum where where;
static unsigned nth;
static int (*ours)(SSL *ssl, SSL_SESSION *session);

static void begin(enum where here)
{
    if (here != where || nth == 0)
        return;
    if (whose == OPENSSLS)
        until_failure = nth;
    else
        alloc_walk_fail_nth(nth);
}

static void end(enum where here)
{
    if (here != where || nth == 0)
        return;
    if (whose == OURS)
        has_failed = has_failed | alloc_walk_end();
    until_failure = 0;
}

static int on_ticket(SSL *ssl, SSL_SESSION *session)
{
    begin(IN_CALLBACK);
    int taken = ours(ssl, session);
    end(IN_CALLBACK);
    return taken;
}

/* ---- the walk ---- */

static void expect_one_of(jtg_status got, jtg_status other)
{
    /* The library's walk fails descriptors too. */
    if (got != JTG_OK && got != other && (whose != OURS || got != JTG_ERR_SYSTEM))
        assert_status(got, JTG_ERR_MEMORY);
}

static void visit(void)
{
    int fd = ticket_client_dial(it.server.port);
    SSL *ssl = ticket_client_new(it.context, fd);
    assert_non_null(ssl);
    begin(IN_PREPARE);
    jtg_status prepared = jtg_tls_tickets_openssl_prepare(ssl, &it.endpoint, NULL);
    end(IN_PREPARE);
    expect_one_of(prepared, JTG_NOT_FOUND);
    assert_int_equal(SSL_connect(ssl), 1);
    begin(IN_CONNECTED);
    jtg_status connected = jtg_tls_tickets_openssl_connected(ssl, NULL, NULL);
    end(IN_CONNECTED);
    expect_one_of(connected, prepared == JTG_ERR_MEMORY ? JTG_ERR_ARGUMENT : JTG_OK);
    assert_true(ticket_client_read(ssl));
    (void)SSL_shutdown(ssl);
    SSL_free(ssl);
    (void)close(fd);
}

/* OpenSSL takes memory some 1,600 times to read and verify a chain, nearly all of it alike: a
 * sample of the later ones. JTIGUARD_TEST_EACH=1 walks through all. */
static unsigned step(unsigned at)
{
    return at < 64 || getenv("JTIGUARD_TEST_EACH") != NULL ? 1 : at / 16;
}

static void walk(enum whose who, enum where place)
{
    whose = who;
    where = place;
    has_failed = true;
    for (nth = 1; nth < MOST && has_failed; nth += step(nth)) {
        has_failed = false;
        visit();
    }
    assert_in_range(nth, 3, MOST - 1);
    nth = 0;
}

static int set_up(void **state)
{
    (void)state;
    tickets_fixture_init(&it);
    ours = SSL_CTX_sess_get_new_cb(it.context);
    SSL_CTX_sess_set_new_cb(it.context, on_ticket);
    ticket_server_run(&it.server);
    visit();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    assert_visit(&it, it.context, JTG_TLS_RESUMED);
    ticket_server_stop(&it.server);
    assert_int_equal(ticket_server_repeated(&it.server), 0);
    tickets_fixture_clear(&it);
    return 0;
}

static void prepare_without_openssls(void **state)
{
    (void)state;
    walk(OPENSSLS, IN_PREPARE);
}

static void prepare_without_ours(void **state)
{
    (void)state;
    walk(OURS, IN_PREPARE);
}

static void connected_without_openssls(void **state)
{
    (void)state;
    walk(OPENSSLS, IN_CONNECTED);
}

static void ticket_without_openssls(void **state)
{
    (void)state;
    walk(OPENSSLS, IN_CALLBACK);
}

static void ticket_without_ours(void **state)
{
    (void)state;
    walk(OURS, IN_CALLBACK);
}

static void install_without_openssls(void **state)
{
    jtg_status status = JTG_ERR_MEMORY;
    (void)state;
    for (unsigned n = 1; n < MOST && status != JTG_OK; n++) {
        SSL_CTX *context = ticket_client_context(NULL);
        assert_non_null(context);
        until_failure = n;
        status = jtg_tls_tickets_openssl_install(context, it.tickets, NULL, NULL);
        until_failure = 0;
        if (status != JTG_OK)
            assert_status(status, JTG_ERR_MEMORY);
        SSL_CTX_free(context);
    }
    assert_status(status, JTG_OK);
    visit();
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(prepare_without_openssls),   CASE(prepare_without_ours),
        CASE(connected_without_openssls), CASE(ticket_without_openssls),
        CASE(ticket_without_ours),        CASE(install_without_openssls),
    };
    if (CRYPTO_set_mem_functions(get, get_again, give_back) != 1)
        return EXIT_FAILURE;
    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
