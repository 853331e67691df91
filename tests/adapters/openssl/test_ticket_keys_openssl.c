/* SPDX-License-Identifier: Apache-2.0 */
/* The CBC view behind OpenSSL's callback: two servers that share a store resume each other's
 * sessions, with TLS 1.2 and 1.3, through a rotation, and refuse after a revocation. */
#include "adapters/openssl/tls_ends.h"
#include "support/asserts.h"
#include "support/ticket_fixture.h"

#include <jtiguard/ticket_keys_openssl.h>
#include <string.h>

static SSL_CTX *make_server(jtg_ticket_keys *keys)
{
    SSL_CTX *context = tls_server_context();
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    assert_status(jtg_ticket_keys_openssl_install(context, keys, NULL), JTG_OK);
    return context;
}

static bool resumes(struct tls_client *client, SSL_CTX *server, int version, SSL_SESSION *ticket)
{
    struct tls_outcome outcome = tls_connect(client, server, version, ticket, NULL);
    assert_true(outcome.completed);
    return outcome.resumed;
}

/* With the last ticket that it got. */
static bool resumes_again(struct tls_client *client, SSL_CTX *server, int version)
{
    assert_true(client->count > 0);
    SSL_SESSION *ticket = tls_client_take(client, client->count - 1);
    bool resumed = resumes(client, server, version, ticket);
    SSL_SESSION_free(ticket);
    return resumed;
}

static void resumes_with(struct ticket_fixture *fixture, int version)
{
    struct tls_client client;
    jtg_ticket_keys *keys = ticket_fixture_ready(fixture, 0);
    SSL_CTX *first = make_server(keys);
    SSL_CTX *second = make_server(ticket_fixture_open(fixture, 1));
    tls_client_init(&client);
    assert_false(resumes(&client, first, version, NULL));
    assert_true(resumes_again(&client, second, version));
    test_clock_advance(&fixture->clock, TICKET_ROTATION_MS);
    assert_status(jtg_ticket_keys_refresh(keys, NULL), JTG_OK);
    /* sealed by the last key, renewed by this */
    assert_true(resumes_again(&client, second, version));
    assert_true(resumes_again(&client, first, version));
    assert_false(resumes(&client, first, version, NULL));
    SSL_SESSION *old = tls_client_take(&client, 0);
    assert_status(jtg_ticket_keys_revoke(keys, NULL), JTG_OK);
    assert_false(resumes(&client, first, version, old)); /* a full handshake, without a ticket */
    for (unsigned i = 0; i < client.count; i++)
        assert_false(SSL_SESSION_has_ticket(client.tickets[i]));
    SSL_SESSION_free(old);
    tls_client_clear(&client);
    SSL_CTX_free(first);
    SSL_CTX_free(second);
}

static void tls_1_3(void **state)
{
    resumes_with(*state, TLS1_3_VERSION);
}

static void tls_1_2(void **state)
{
    resumes_with(*state, TLS1_2_VERSION);
}

/* Under the key whose name the ticket begins with. */
static bool same_key(const SSL_SESSION *a, const SSL_SESSION *b)
{
    const unsigned char *names[2];
    size_t len[2];
    SSL_SESSION_get0_ticket(a, &names[0], &len[0]);
    SSL_SESSION_get0_ticket(b, &names[1], &len[1]);
    assert_true(len[0] > JTG_TICKET_NAME_BYTES && len[1] > JTG_TICKET_NAME_BYTES);
    return memcmp(names[0], names[1], JTG_TICKET_NAME_BYTES) == 0;
}

static bool same_ticket(const SSL_SESSION *a, const SSL_SESSION *b)
{
    const unsigned char *tickets[2];
    size_t len[2];
    SSL_SESSION_get0_ticket(a, &tickets[0], &len[0]);
    SSL_SESSION_get0_ticket(b, &tickets[1], &len[1]);
    return len[0] == len[1] && memcmp(tickets[0], tickets[1], len[0]) == 0;
}

/* With TLS 1.2 a client keeps its ticket, until a newer key seals. */
static void tls_1_2_renews_when_the_key_is_over(void **state)
{
    struct ticket_fixture *fixture = *state;
    struct tls_client client;
    jtg_ticket_keys *keys = ticket_fixture_ready(fixture, 0);
    SSL_CTX *server = make_server(keys);
    tls_client_init(&client);
    assert_false(resumes(&client, server, TLS1_2_VERSION, NULL));
    SSL_SESSION *first = tls_client_take(&client, 0);
    assert_true(resumes(&client, server, TLS1_2_VERSION, first));
    SSL_SESSION *second = tls_client_take(&client, 0);
    assert_true(same_ticket(first, second));
    assert_status(jtg_ticket_keys_refresh(keys, NULL), JTG_OK);
    test_clock_advance(&fixture->clock, TICKET_ROTATION_MS);
    assert_true(resumes(&client, server, TLS1_2_VERSION, second));
    SSL_SESSION *third = tls_client_take(&client, 0);
    assert_false(same_key(first, third));
    SSL_SESSION_free(first);
    SSL_SESSION_free(second);
    SSL_SESSION_free(third);
    tls_client_clear(&client);
    SSL_CTX_free(server);
}

static void shortens_the_timeout(void **state)
{
    struct ticket_fixture *fixture = *state;
    jtg_ticket_keys *keys = ticket_fixture_open(fixture, 0);
    SSL_CTX *context = tls_server_context();
    assert_int_equal(jtg_ticket_keys_lifetime_s(keys), TICKET_LIFETIME_S);
    assert_int_equal(jtg_ticket_keys_lifetime_s(NULL), 0);
    SSL_CTX_set_timeout(context, TICKET_LIFETIME_S + 1);
    assert_status(jtg_ticket_keys_openssl_install(context, keys, NULL), JTG_OK);
    assert_int_equal(SSL_CTX_get_timeout(context), TICKET_LIFETIME_S);
    SSL_CTX_set_timeout(context, 100);
    assert_status(jtg_ticket_keys_openssl_install(context, keys, NULL), JTG_OK);
    assert_int_equal(SSL_CTX_get_timeout(context), 100);
    SSL_CTX_free(context);
}

static int to_other_context(SSL *ssl, int *alert, void *other)
{
    if (SSL_set_SSL_CTX(ssl, other) == other)
        return SSL_TLSEXT_ERR_OK;
    *alert = SSL_AD_UNRECOGNIZED_NAME;
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* Moved by the client's name to a context without keys: no ticket; with keys: it resumes. */
static void a_context_for_a_name(void **state)
{
    struct ticket_fixture *fixture = *state;
    struct tls_client client;
    jtg_ticket_keys *keys = ticket_fixture_ready(fixture, 0);
    SSL_CTX *first = make_server(keys);
    SSL_CTX *named = tls_server_context();
    (void)SSL_CTX_set_tlsext_servername_callback(first, to_other_context);
    (void)SSL_CTX_set_tlsext_servername_arg(first, named);
    tls_client_init(&client);
    assert_false(resumes(&client, first, TLS1_3_VERSION, NULL));
    assert_int_equal(client.count, 0);
    assert_status(jtg_ticket_keys_openssl_install(named, keys, NULL), JTG_OK);
    assert_false(resumes(&client, first, TLS1_3_VERSION, NULL));
    assert_true(resumes_again(&client, first, TLS1_3_VERSION));
    tls_client_clear(&client);
    SSL_CTX_free(first);
    SSL_CTX_free(named);
}

static void wrong_arguments(void **state)
{
    struct ticket_fixture *fixture = *state;
    jtg_error err = JTG_ERROR_INIT;
    SSL_CTX *context = tls_server_context();
    assert_status(jtg_ticket_keys_openssl_install(NULL, ticket_fixture_open(fixture, 0), &err),
                  JTG_ERR_ARGUMENT);
    assert_status(jtg_ticket_keys_openssl_install(context, NULL, &err), JTG_ERR_ARGUMENT);
    assert_true(err.text[0] != '\0');
    SSL_CTX_free(context);
}

#define CASE(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, ticket_fixture_set_up, ticket_fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(tls_1_3),
        CASE(tls_1_2),
        CASE(tls_1_2_renews_when_the_key_is_over),
        CASE(shortens_the_timeout),
        CASE(a_context_for_a_name),
        CASE(wrong_arguments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
