/* SPDX-License-Identifier: Apache-2.0 */
/* Every allocation that the server's side of the adapter makes fails once: the handshake completes
 * all the same, and early data is accepted once at most. */
#include "adapters/openssl/tls_ends.h"
#include "support/asserts.h"
#include "support/ticket_fixture.h"

#include <jtiguard/anti_replay_openssl.h>
#include <jtiguard/ticket_keys_openssl.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

enum { EARLY_MAX = 512, STEPS_MAX = 200 };

static const char early[] = "GET /once";

/* ---- memory that is refused ---- */

static long step = -1; /* refuse this one; -1 = none */
static long count;

/* OpenSSL says which file asks: its own go on, for what it does without memory is its own matter.
 */
static bool is_refused(const char *file)
{
    return step >= 0 && file != NULL && strstr(file, "adapters/openssl/") != NULL &&
           strstr(file, "tests/") == NULL && count++ == step;
}

static void *allocate(size_t size, const char *file, int line)
{
    (void)line;
    return is_refused(file) ? NULL : malloc(size);
}

static void *reallocate(void *memory, size_t size, const char *file, int line)
{
    (void)line;
    return is_refused(file) ? NULL : realloc(memory, size);
}

static void release(void *memory, const char *file, int line)
{
    (void)file;
    (void)line;
    free(memory);
}

/* ---- the walk ---- */

struct walk {
    struct ticket_fixture *fixture;
    jtg_ticket_keys *keys;
    jtg_anti_replay *anti_replay;
    jtg_anti_replay_openssl_options options;
};

static SSL_CTX *make_server(const struct walk *walk)
{
    SSL_CTX *context = tls_server_context();
    assert_int_equal(SSL_CTX_set_max_early_data(context, EARLY_MAX), 1);
    assert_status(jtg_ticket_keys_openssl_install(context, walk->keys, NULL), JTG_OK);
    jtg_error err = JTG_ERROR_INIT;
    jtg_status status =
        jtg_anti_replay_openssl_install(context, walk->anti_replay, &walk->options, &err);
    if (status == JTG_OK)
        return context;
    assert_status(status, JTG_ERR_MEMORY);
    assert_status(err.status, JTG_ERR_MEMORY);
    assert_int_equal(SSL_CTX_get_options(context) & SSL_OP_NO_ANTI_REPLAY, 0);
    assert_status(jtg_anti_replay_openssl_install(context, walk->anti_replay, &walk->options, NULL),
                  JTG_OK);
    return context;
}

/* A ticket, its early data, and a copy of it. */
static unsigned accepted(struct tls_client *client, SSL_CTX *server)
{
    struct tls_outcome outcome = tls_connect(client, server, TLS1_3_VERSION, NULL, NULL);
    assert_true(outcome.completed);
    SSL_SESSION *ticket = tls_client_take(client, 0);
    assert_non_null(ticket);
    outcome = tls_connect(client, server, TLS1_3_VERSION, ticket, early);
    assert_true(outcome.completed);
    struct tls_outcome copy = tls_replay(server, &client->first);
    assert_true(copy.completed);
    SSL_SESSION_free(ticket);
    return (outcome.early ? 1U : 0U) + (copy.early ? 1U : 0U);
}

static void walk_one(const struct walk *walk, struct tls_client *client)
{
    SSL_CTX *server = make_server(walk);
    assert_true(accepted(client, server) <= 1);
    long last = step;
    step = -1;
    assert_int_equal(accepted(client, server), 1); /* and everything is as before */
    step = last;
    SSL_CTX_free(server);
}

static void walk_all(struct ticket_fixture *fixture, bool stores, long least)
{
    struct walk walk = {.fixture = fixture, .keys = ticket_fixture_ready(fixture, 0)};
    struct tls_client client;
    jtg_anti_replay_options options = JTG_ANTI_REPLAY_OPTIONS_INIT;
    options.start_rule = 0;
    assert_status(jtg_anti_replay_new(&walk.anti_replay, &fixture->store->base, &options, NULL),
                  JTG_OK);
    jtg_anti_replay_openssl_options_init(&walk.options);
    walk.options.sessions = stores ? &fixture->store->base : NULL;
    walk.options.session_keys = stores ? walk.keys : NULL;
    tls_client_init(&client);
    for (step = 0, count = 0; step < STEPS_MAX && count >= step; step++) {
        count = 0;
        walk_one(&walk, &client);
    }
    assert_in_range(step, least, STEPS_MAX - 1);
    step = -1;
    tls_client_clear(&client);
    jtg_anti_replay_free(walk.anti_replay);
}

static void tickets(void **state)
{
    walk_all(*state, false, 5);
}

static void sessions(void **state)
{
    walk_all(*state, true, 4);
}

#define CASE(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, ticket_fixture_set_up, ticket_fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {CASE(tickets), CASE(sessions)};
    if (CRYPTO_set_mem_functions(allocate, reallocate, release) != 1)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
