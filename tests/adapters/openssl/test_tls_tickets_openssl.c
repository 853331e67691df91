/* SPDX-License-Identifier: Apache-2.0 */
/* A client's tickets through OpenSSL, against a server in the test that sees what is offered. */
#include "adapters/openssl/certificate_chain.h"
#include "adapters/openssl/client/session_record.h"
#include "adapters/openssl/tls_tickets_fixture.h"
#include "support/asserts.h"
#include "support/threads.h"

#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HOUR_MS = 3600000 };

static struct tickets_fixture it;

static int set_up(void **state)
{
    (void)state;
    tickets_fixture_init(&it);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    tickets_fixture_clear(&it);
    return 0;
}

static void visit(struct visit *made)
{
    made->port = it.server.port;
    ticket_client_visit(it.context, made);
}

/* ---- resumption ---- */

static void each_ticket_is_offered_once(void **state)
{
    enum { VISITS = 12 };
    (void)state;
    ticket_server_run(&it.server);
    assert_visit(&it, it.context, JTG_TLS_FULL);
    for (int i = 0; i < VISITS; i++)
        assert_visit(&it, it.context, JTG_TLS_RESUMED);
    ticket_server_stop(&it.server);
    assert_int_equal(it.server.handshakes, VISITS + 1);
    assert_int_equal(it.server.resumed, VISITS);
    assert_int_equal(it.server.offered, VISITS);
    assert_int_equal(ticket_server_repeated(&it.server), 0);
    assert_int_equal(it.server.issued - it.server.offered, jtg_tls_tickets_len(it.tickets));
}

static void the_next_process_resumes(void **state)
{
    (void)state;
    ticket_server_run(&it.server);
    assert_visit(&it, it.context, JTG_TLS_FULL);
    jtg_tls_tickets *again = tickets_fixture_open(&it);
    SSL_CTX *context = tickets_fixture_context(it.identity.certificate_path, again);
    assert_visit(&it, context, JTG_TLS_RESUMED);
    ticket_server_stop(&it.server);
    SSL_CTX_free(context);
    jtg_tls_tickets_free(again);
}

static void without_a_second_ticket_every_other_visit_is_full(void **state)
{
    (void)state;
    (void)SSL_CTX_set_max_proto_version(it.context, TLS1_2_VERSION);
    ticket_server_run(&it.server);
    for (int i = 0; i < 3; i++) {
        assert_visit(&it, it.context, JTG_TLS_FULL);
        assert_visit(&it, it.context, JTG_TLS_RESUMED);
    }
    ticket_server_stop(&it.server);
    assert_int_equal(it.server.offered, 3);
    assert_int_equal(ticket_server_repeated(&it.server), 0);
}

static SSL_TICKET_RETURN renew_ticket(SSL *ssl, SSL_SESSION *session, const unsigned char *name,
                                      size_t name_len, SSL_TICKET_STATUS status, void *context)
{
    (void)ssl;
    (void)session;
    (void)name;
    (void)name_len;
    (void)context;
    return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE_RENEW
                                        : SSL_TICKET_RETURN_IGNORE_RENEW;
}

static void a_renewed_ticket_of_tls12_is_kept(void **state)
{
    (void)state;
    (void)SSL_CTX_set_max_proto_version(it.context, TLS1_2_VERSION);
    assert_int_equal(SSL_CTX_set_session_ticket_cb(it.server.context, NULL, renew_ticket, NULL), 1);
    ticket_server_run(&it.server);
    assert_visit(&it, it.context, JTG_TLS_FULL);
    for (int i = 0; i < 4; i++)
        assert_visit(&it, it.context, JTG_TLS_RESUMED);
    ticket_server_stop(&it.server);
    assert_int_equal(it.server.offered, 4);
    assert_int_equal(ticket_server_repeated(&it.server), 0);
}

static void a_session_id_is_a_ticket(void **state)
{
    (void)state;
    (void)SSL_CTX_set_max_proto_version(it.context, TLS1_2_VERSION);
    (void)SSL_CTX_set_options(it.server.context, SSL_OP_NO_TICKET);
    ticket_server_run(&it.server);
    assert_visit(&it, it.context, JTG_TLS_FULL);
    assert_visit(&it, it.context, JTG_TLS_RESUMED);
    assert_visit(&it, it.context, JTG_TLS_FULL);
    ticket_server_stop(&it.server);
    assert_int_equal(it.server.offered, 1);
}

static void a_refused_ticket_is_gone(void **state)
{
    unsigned char keys[80] = {1};
    (void)state;
    ticket_server_run(&it.server);
    assert_visit(&it, it.context, JTG_TLS_FULL);
    ticket_server_stop(&it.server);
    assert_int_equal(SSL_CTX_set_tlsext_ticket_keys(it.server.context, keys, sizeof keys), 1);
    ticket_server_run(&it.server);
    assert_visit(&it, it.context, JTG_TLS_REFUSED);
    assert_visit(&it, it.context, JTG_TLS_RESUMED);
    ticket_server_stop(&it.server);
    assert_int_equal(ticket_server_repeated(&it.server), 0);
}

static void who_does_not_read_has_no_ticket(void **state)
{
    struct visit deaf = {.endpoint = &it.endpoint, .is_deaf = true};
    (void)state;
    ticket_server_run(&it.server);
    visit(&deaf);
    assert_true(deaf.is_done);
    assert_visit(&it, it.context, JTG_TLS_FULL);
    ticket_server_stop(&it.server);
}

static void what_is_not_prepared_is_left_alone(void **state)
{
    struct visit plain = {.endpoint = NULL};
    (void)state;
    ticket_server_run(&it.server);
    visit(&plain);
    assert_true(plain.is_done);
    assert_int_equal(jtg_tls_tickets_len(it.tickets), 0);
    assert_visit(&it, it.context, JTG_TLS_FULL);
    ticket_server_stop(&it.server);
}

static void the_servers_lifetime_counts(void **state)
{
    (void)state;
    (void)SSL_CTX_set_timeout(it.server.context, 2);
    ticket_server_run(&it.server);
    assert_visit(&it, it.context, JTG_TLS_FULL);
    test_clock_advance(&it.clock, 1999);
    assert_visit(&it, it.context, JTG_TLS_RESUMED);
    test_clock_advance(&it.clock, 2000);
    assert_visit(&it, it.context, JTG_TLS_FULL);
    ticket_server_stop(&it.server);
    assert_int_equal(it.server.offered, 1);
}

/* However often it is renewed, a resumption rests on a full handshake of the last seven days. */
static void resumptions_come_to_an_end(void **state)
{
    enum { STEP_MS = 20 * HOUR_MS, STEPS = 8 };
    (void)state;
    (void)SSL_CTX_set_timeout(it.server.context, 86400);
    ticket_server_run(&it.server);
    for (int round = 0; round < 2; round++) {
        assert_visit(&it, it.context, JTG_TLS_FULL);
        for (int i = 0; i < STEPS; i++) { /* 160 hours */
            test_clock_advance(&it.clock, STEP_MS);
            assert_visit(&it, it.context, JTG_TLS_RESUMED);
        }
        test_clock_advance(&it.clock, STEP_MS);
    }
    ticket_server_stop(&it.server);
}

/* A server may send tickets without end, each of which is a wait for the disk. */
static void a_connection_brings_so_many_tickets(void **state)
{
    (void)state;
    (void)SSL_CTX_set_num_tickets(it.server.context, 40);
    ticket_server_run(&it.server);
    assert_visit(&it, it.context, JTG_TLS_FULL);
    ticket_server_stop(&it.server);
    assert_int_equal(it.server.issued, 40);
    assert_int_equal(jtg_tls_tickets_len(it.tickets), 16);
}

/* ---- what decides trust ---- */

static void ask_nobody(SSL *ssl)
{
    SSL_set_verify(ssl, SSL_VERIFY_NONE, NULL);
}

static int agree(int is_good, X509_STORE_CTX *context)
{
    (void)context;
    return is_good;
}

static void add_callback(SSL *ssl)
{
    SSL_set_verify(ssl, SSL_VERIFY_PEER, agree);
}

static void less_depth(SSL *ssl)
{
    SSL_set_verify_depth(ssl, 3);
}

static void any_name(SSL *ssl)
{
    (void)SSL_set1_host(ssl, NULL);
}

static void an_address(SSL *ssl)
{
    (void)SSL_set1_host(ssl, NULL);
    (void)X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), "127.0.0.1");
}

static void no_wildcards(SSL *ssl)
{
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_WILDCARDS);
}

static void partial_chains(SSL *ssl)
{
    (void)X509_VERIFY_PARAM_set_flags(SSL_get0_param(ssl), X509_V_FLAG_PARTIAL_CHAIN);
}

static void another_moment(SSL *ssl)
{
    static time_t moment;
    if (moment == 0)
        moment = time(NULL) + 60;
    X509_VERIFY_PARAM_set_time(SSL_get0_param(ssl), moment);
}

static void lower_level(SSL *ssl)
{
    SSL_set_security_level(ssl, 0);
}

static void only_tls13(SSL *ssl)
{
    (void)SSL_set_min_proto_version(ssl, TLS1_3_VERSION);
}

static void no_server_name(SSL *ssl)
{
    (void)SSL_set_tlsext_host_name(ssl, NULL);
}

static void ask_for_ocsp(SSL *ssl)
{
    (void)SSL_set_tlsext_status_type(ssl, TLSEXT_STATUSTYPE_ocsp);
}

static void another_cipher(SSL *ssl)
{
    assert_int_equal(SSL_set_cipher_list(ssl, "ECDHE-RSA-CHACHA20-POLY1305:"
                                              "ECDHE-ECDSA-CHACHA20-POLY1305"),
                     1);
}

static void strict_certificates(SSL *ssl)
{
    (void)SSL_set_cert_flags(ssl, SSL_CERT_FLAG_TLS_STRICT);
}

static void as_a_client_with_a_certificate(SSL *ssl)
{
    (void)SSL_use_certificate_file(ssl, it.identity.certificate_path, SSL_FILETYPE_PEM);
    (void)SSL_use_PrivateKey_file(ssl, it.identity.key_path, SSL_FILETYPE_PEM);
}

static void no_settings_share_tickets(void **state)
{
    static void (*const settings[])(SSL *) = {
        NULL,           ask_nobody,
        add_callback,   less_depth,
        any_name,       an_address,
        no_wildcards,   partial_chains,
        another_moment, lower_level,
        only_tls13,     no_server_name,
        ask_for_ocsp,   as_a_client_with_a_certificate,
        another_cipher, strict_certificates,
    };
    enum { SETTINGS = sizeof settings / sizeof settings[0] };
    (void)state;
    ticket_server_run(&it.server);
    /* Each is first without a ticket, whatever those before it have left; then has its own. */
    for (int round = 0; round < 2; round++)
        for (size_t i = 0; i < SETTINGS; i++) {
            struct visit made = {.endpoint = &it.endpoint, .adjust = settings[i]};
            visit(&made);
            assert_true(made.is_done);
            assert_status(made.connected, JTG_OK);
            assert_int_equal(made.resumption, round == 0 ? JTG_TLS_FULL : JTG_TLS_RESUMED);
        }
    ticket_server_stop(&it.server);
    assert_int_equal(it.server.offered, SETTINGS);
    assert_int_equal(ticket_server_repeated(&it.server), 0);
}

/* TLS 1.2 resumes with the cipher of the session: a server ends the handshake of a client that does
 * not offer it. */
static void other_ciphers_do_not_end_a_handshake(void **state)
{
    struct visit made = {.endpoint = &it.endpoint};
    (void)state;
    (void)SSL_CTX_set_max_proto_version(it.context, TLS1_2_VERSION);
    ticket_server_run(&it.server);
    assert_visit(&it, it.context, JTG_TLS_FULL);
    made.adjust = another_cipher;
    visit(&made);
    assert_true(made.is_done);
    assert_int_equal(made.resumption, JTG_TLS_FULL);
    visit(&made);
    assert_int_equal(made.resumption, JTG_TLS_RESUMED);
    assert_visit(&it, it.context, JTG_TLS_RESUMED);
    ticket_server_stop(&it.server);
}

static void no_endpoints_share_tickets(void **state)
{
    jtg_endpoint plain = it.endpoint;
    (void)state;
    ticket_server_run(&it.server);
    assert_visit(&it, it.context, JTG_TLS_FULL);
    it.endpoint.alpn = "\2h2";
    it.endpoint.alpn_len = 3;
    assert_visit(&it, it.context, JTG_TLS_FULL);
    it.endpoint = plain;
    it.endpoint.parameters = "as alice";
    it.endpoint.parameters_len = 8;
    assert_visit(&it, it.context, JTG_TLS_FULL);
    it.endpoint = plain;
    it.endpoint.host = "other.example";
    assert_visit(&it, it.context, JTG_TLS_FULL);
    it.endpoint = plain;
    it.endpoint.host = "LOCALHOST.";
    assert_visit(&it, it.context, JTG_TLS_RESUMED);
    ticket_server_stop(&it.server);
}

/* Nothing of this is visible in the settings of a connection. */
static void other_authorities_get_no_ticket(void **state)
{
    struct tls_certificate other;
    struct visit made = {.port = it.server.port, .endpoint = &it.endpoint};
    (void)state;
    tls_certificate_make(&other, 0);
    SSL_CTX *context = tickets_fixture_context(other.certificate_path, it.tickets);
    ticket_server_run(&it.server);
    assert_visit(&it, it.context, JTG_TLS_FULL);
    ticket_client_visit(context, &made);
    ticket_server_stop(&it.server);
    assert_status(made.prepared, JTG_NOT_FOUND);
    assert_false(made.is_done);
    assert_int_equal(it.server.offered, 0);
    SSL_CTX_free(context);
    tls_certificate_clear(&other);
}

/* A program that asks nobody may look at the result of the verification. */
static void an_unasked_verification_keeps_its_result(void **state)
{
    struct visit made = {.port = it.server.port, .endpoint = &it.endpoint};
    (void)state;
    SSL_CTX *ignorant = tickets_fixture_context(NULL, it.tickets);
    ticket_server_run(&it.server);
    ticket_client_visit(ignorant, &made);
    assert_int_equal(made.verify_result, X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT);
    ticket_client_visit(ignorant, &made);
    assert_int_equal(made.resumption, JTG_TLS_RESUMED);
    assert_int_equal(made.verify_result, X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT);
    assert_int_equal(SSL_CTX_load_verify_file(ignorant, it.identity.certificate_path), 1);
    ticket_client_visit(ignorant, &made);
    assert_int_equal(made.resumption, JTG_TLS_FULL);
    assert_int_equal(made.verify_result, X509_V_OK);
    ticket_server_stop(&it.server);
    assert_int_equal(it.server.offered, 1);
    SSL_CTX_free(ignorant);
}

/* Of a certificate that an authority issued: for a trusted one that signs itself OpenSSL 3.6 looks
 * for no list. */
static void a_new_revocation_check_is_obeyed(void **state)
{
    struct certificate_chain chain;
    struct visit made = {.port = it.server.port, .endpoint = &it.endpoint};
    (void)state;
    certificate_chain_make(&chain);
    ticket_server_present(&it.server, chain.key_path, chain.shown_path);
    SSL_CTX *context = tickets_fixture_context(chain.root_path, it.tickets);
    ticket_server_run(&it.server);
    assert_visit(&it, context, JTG_TLS_FULL);
    X509_STORE *store = SSL_CTX_get_cert_store(context);
    assert_int_equal(X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK), 1);
    ticket_client_visit(context, &made);
    ticket_server_stop(&it.server);
    assert_status(made.prepared, JTG_NOT_FOUND);
    assert_false(made.is_done);
    assert_int_equal(it.server.offered, 0);
    SSL_CTX_free(context);
    certificate_chain_clear(&chain);
}

static atomic_int verdict;
static atomic_int asked;

static int judge(int is_good, X509_STORE_CTX *context)
{
    int index = SSL_get_ex_data_X509_STORE_CTX_idx();
    const SSL *ssl = X509_STORE_CTX_get_ex_data(context, index);
    (void)is_good;
    asked += ssl != NULL && SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name) != NULL;
    return verdict;
}

static void the_programs_callback_is_asked_again(void **state)
{
    struct visit made = {.endpoint = &it.endpoint};
    (void)state;
    SSL_CTX_set_verify(it.context, SSL_VERIFY_PEER, judge);
    verdict = 1;
    asked = 0;
    ticket_server_run(&it.server);
    assert_visit(&it, it.context, JTG_TLS_FULL);
    int asked_once = asked;
    assert_true(asked_once > 0);
    assert_visit(&it, it.context, JTG_TLS_RESUMED);
    assert_int_equal(asked, 2 * asked_once);
    verdict = 0;
    visit(&made);
    ticket_server_stop(&it.server);
    assert_status(made.prepared, JTG_NOT_FOUND);
    assert_false(made.is_done);
    assert_int_equal(it.server.offered, 1);
}

/* DANE-EE: the digest of the server's key, as its TLSA record says. */
static unsigned char tlsa[SHA256_DIGEST_LENGTH];

static void trust_the_record(SSL *ssl)
{
    assert_int_equal(SSL_dane_enable(ssl, "localhost"), 1);
    assert_int_equal(SSL_dane_tlsa_add(ssl, 3, 1, 1, tlsa, sizeof tlsa), 1);
}

static void read_key_digest(const char *certificate_path)
{
    FILE *file = fopen(certificate_path, "r");
    assert_non_null(file);
    X509 *certificate = PEM_read_X509(file, NULL, NULL, NULL);
    assert_non_null(certificate);
    assert_true(jtgo_spki_digest(certificate, tlsa));
    X509_free(certificate);
    (void)fclose(file);
}

static void a_changed_dane_record_is_obeyed(void **state)
{
    struct visit made = {
        .port = it.server.port, .endpoint = &it.endpoint, .adjust = trust_the_record};
    (void)state;
    read_key_digest(it.identity.certificate_path);
    SSL_CTX *context = tickets_fixture_context(NULL, it.tickets); /* no authorities */
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    assert_int_equal(SSL_CTX_dane_enable(context), 1);
    ticket_server_run(&it.server);
    ticket_client_visit(context, &made);
    assert_true(made.is_done);
    ticket_client_visit(context, &made);
    assert_true(made.is_done);
    assert_int_equal(made.resumption, JTG_TLS_RESUMED);
    tlsa[0] ^= 1;
    ticket_client_visit(context, &made);
    assert_status(made.prepared, JTG_NOT_FOUND);
    assert_false(made.is_done);
    ticket_server_stop(&it.server);
    assert_int_equal(it.server.offered, 1);
    SSL_CTX_free(context);
}

/* The intermediate's certificate is in no session of OpenSSL, and a resumption does not show it. */
static void a_chain_is_kept_through_resumptions(void **state)
{
    struct certificate_chain chain;
    (void)state;
    certificate_chain_make(&chain);
    ticket_server_present(&it.server, chain.key_path, chain.shown_path);
    SSL_CTX *context = tickets_fixture_context(chain.root_path, it.tickets);
    (void)SSL_CTX_set_num_tickets(it.server.context, 1);
    ticket_server_run(&it.server);
    assert_visit(&it, context, JTG_TLS_FULL);
    for (int i = 0; i < 3; i++)
        assert_visit(&it, context, JTG_TLS_RESUMED);
    ticket_server_stop(&it.server);
    SSL_CTX_free(context);
    certificate_chain_clear(&chain);
}

/* ---- step by step ---- */

static SSL *connect_prepared(int *fd, jtg_status expected)
{
    *fd = ticket_client_dial(it.server.port);
    SSL *ssl = ticket_client_new(it.context, *fd);
    assert_non_null(ssl);
    assert_status(jtg_tls_tickets_openssl_prepare(ssl, &it.endpoint, NULL), expected);
    assert_int_equal(SSL_connect(ssl), 1);
    assert_status(jtg_tls_tickets_openssl_connected(ssl, NULL, NULL), JTG_OK);
    return ssl;
}

static void part(SSL *ssl, int fd)
{
    assert_true(ticket_client_read(ssl));
    (void)SSL_shutdown(ssl);
    (void)close(fd);
}

/* ---- the server's key ---- */

static void another_key_purges(void **state)
{
    struct certificate_chain other;
    unsigned char keys[80];
    (void)state;
    certificate_chain_make(&other);
    SSL_CTX *context = tickets_fixture_context(it.identity.certificate_path, it.tickets);
    assert_int_equal(SSL_CTX_load_verify_file(context, other.root_path), 1);
    assert_int_equal(SSL_CTX_get_tlsext_ticket_keys(it.server.context, keys, sizeof keys), 1);
    ticket_server_run(&it.server);
    assert_visit(&it, context, JTG_TLS_FULL);
    assert_int_equal(jtg_tls_tickets_len(it.tickets), 2);
    ticket_server_stop(&it.server);

    /* The other server does not know the tickets, and gives none: nothing but its certificate tells
     * that it is another. */
    ticket_server_present(&it.server, other.key_path, other.shown_path);
    unsigned char new_keys[80] = {7};
    assert_int_equal(SSL_CTX_set_tlsext_ticket_keys(it.server.context, new_keys, sizeof new_keys),
                     1);
    (void)SSL_CTX_set_num_tickets(it.server.context, 0);
    ticket_server_run(&it.server);
    assert_visit(&it, context, JTG_TLS_REFUSED);
    assert_int_equal(jtg_tls_tickets_len(it.tickets), 0);
    assert_visit(&it, context, JTG_TLS_FULL);
    ticket_server_stop(&it.server);
    assert_int_equal(it.server.offered, 1);
    assert_int_equal(SSL_CTX_set_tlsext_ticket_keys(it.server.context, keys, sizeof keys), 1);
    SSL_CTX_free(context);
    certificate_chain_clear(&other);
}

/* A connection from before the change reads its tickets after it. */
static void a_late_ticket_of_the_old_key_is_not_kept(void **state)
{
    struct certificate_chain other;
    struct ticket_server successor;
    int fd = -1;
    (void)state;
    certificate_chain_make(&other);
    ticket_server_init(&successor, other.key_path, other.shown_path);
    (void)SSL_CTX_set_num_tickets(successor.context, 1);
    assert_int_equal(SSL_CTX_load_verify_file(it.context, other.root_path), 1);
    ticket_server_run(&it.server);
    ticket_server_run(&successor);
    SSL *early = connect_prepared(&fd, JTG_NOT_FOUND);
    struct visit made = {.port = successor.port, .endpoint = &it.endpoint};
    ticket_client_visit(it.context, &made);
    assert_status(made.connected, JTG_OK);
    assert_int_equal(jtg_tls_tickets_len(it.tickets), 1);
    part(early, fd);
    assert_int_equal(jtg_tls_tickets_len(it.tickets), 1);
    ticket_client_visit(it.context, &made);
    assert_int_equal(made.resumption, JTG_TLS_RESUMED);
    SSL_free(early);
    ticket_server_stop(&it.server);
    ticket_server_stop(&successor);
    assert_int_equal(it.server.issued, 2);
    ticket_server_clear(&successor);
    certificate_chain_clear(&other);
}

/* ---- connections that are used again, or copied ---- */

static void connect_again(SSL *ssl, int *fd)
{
    *fd = ticket_client_dial(it.server.port);
    assert_int_equal(SSL_clear(ssl), 1);
    assert_int_equal(SSL_set_fd(ssl, *fd), 1);
}

static void a_cleared_connection_offers_nothing_by_itself(void **state)
{
    int fd = -1;
    jtg_tls_resumption resumption;
    (void)state;
    ticket_server_run(&it.server);
    SSL *ssl = connect_prepared(&fd, JTG_NOT_FOUND);
    part(ssl, fd);
    connect_again(ssl, &fd);
    assert_int_equal(SSL_connect(ssl), 1);
    assert_int_equal(SSL_session_reused(ssl), 0);
    assert_status(jtg_tls_tickets_openssl_connected(ssl, NULL, NULL), JTG_OK);
    part(ssl, fd);
    assert_int_equal(it.server.offered, 0);
    connect_again(ssl, &fd);
    assert_status(jtg_tls_tickets_openssl_prepare(ssl, &it.endpoint, NULL), JTG_OK);
    assert_int_equal(SSL_connect(ssl), 1);
    assert_status(jtg_tls_tickets_openssl_connected(ssl, &resumption, NULL), JTG_OK);
    assert_int_equal(resumption, JTG_TLS_RESUMED);
    part(ssl, fd);
    SSL_free(ssl);
    while (tickets_fixture_visit(&it, it.context) == JTG_TLS_RESUMED && it.server.offered < 8)
        continue;
    ticket_server_stop(&it.server);
    assert_int_equal(ticket_server_repeated(&it.server), 0);
}

/* Even one that is not prepared anew. */
static void a_cleared_connection_sees_another_key(void **state)
{
    struct certificate_chain other;
    int fd = -1;
    (void)state;
    certificate_chain_make(&other);
    assert_int_equal(SSL_CTX_load_verify_file(it.context, other.root_path), 1);
    ticket_server_run(&it.server);
    SSL *ssl = connect_prepared(&fd, JTG_NOT_FOUND);
    part(ssl, fd);
    assert_int_equal(jtg_tls_tickets_len(it.tickets), 2);
    ticket_server_stop(&it.server);
    ticket_server_present(&it.server, other.key_path, other.shown_path);
    (void)SSL_CTX_set_num_tickets(it.server.context, 1);
    ticket_server_run(&it.server);
    connect_again(ssl, &fd);
    assert_int_equal(SSL_connect(ssl), 1);
    part(ssl, fd);
    SSL_free(ssl);
    assert_int_equal(jtg_tls_tickets_len(it.tickets), 1);
    assert_visit(&it, it.context, JTG_TLS_RESUMED);
    ticket_server_stop(&it.server);
    certificate_chain_clear(&other);
}

static void a_kept_session_offers_nothing(void **state)
{
    int fd = -1;
    (void)state;
    ticket_server_run(&it.server);
    SSL *ssl = connect_prepared(&fd, JTG_NOT_FOUND);
    part(ssl, fd);
    SSL_SESSION *session = SSL_get1_session(ssl);
    SSL_free(ssl);
    assert_int_equal(SSL_SESSION_is_resumable(session), 0);
    fd = ticket_client_dial(it.server.port);
    ssl = ticket_client_new(it.context, fd);
    assert_non_null(ssl);
    assert_int_equal(SSL_set_session(ssl, session), 1);
    assert_int_equal(SSL_connect(ssl), 1);
    assert_int_equal(SSL_session_reused(ssl), 0);
    part(ssl, fd);
    ticket_server_stop(&it.server);
    assert_int_equal(it.server.offered, 0);
    SSL_free(ssl);
    SSL_SESSION_free(session);
}

/* Nor does what a connection has resumed with: its server may give no other ticket. */
static void a_resumed_connection_offers_nothing_again(void **state)
{
    static const int versions[] = {TLS1_3_VERSION, TLS1_2_VERSION};
    (void)state;
    for (size_t i = 0; i < sizeof versions / sizeof versions[0]; i++) {
        int fd = -1;
        unsigned before = it.server.offered;
        assert_int_equal(SSL_CTX_set_max_proto_version(it.context, versions[i]), 1);
        (void)SSL_CTX_set_num_tickets(it.server.context, 2);
        ticket_server_run(&it.server);
        assert_visit(&it, it.context, JTG_TLS_FULL);
        ticket_server_stop(&it.server);
        (void)SSL_CTX_set_num_tickets(it.server.context, 0);
        ticket_server_run(&it.server);
        SSL *ssl = connect_prepared(&fd, JTG_OK);
        assert_int_equal(SSL_session_reused(ssl), 1);
        SSL_SESSION *session = SSL_get1_session(ssl);
        part(ssl, fd);
        assert_int_equal(SSL_SESSION_is_resumable(session), 0);
        SSL_SESSION_free(session);
        connect_again(ssl, &fd);
        assert_int_equal(SSL_connect(ssl), 1);
        assert_int_equal(SSL_session_reused(ssl), 0);
        part(ssl, fd);
        SSL_free(ssl);
        ticket_server_stop(&it.server);
        assert_int_equal(it.server.offered, before + 1);
    }
    assert_int_equal(ticket_server_repeated(&it.server), 0);
}

static void a_connection_with_a_ticket_is_not_copied(void **state)
{
    (void)state;
    ticket_server_run(&it.server);
    int fd = ticket_client_dial(it.server.port);
    SSL *ssl = ticket_client_new(it.context, fd);
    assert_non_null(ssl);
    assert_status(jtg_tls_tickets_openssl_prepare(ssl, &it.endpoint, NULL), JTG_NOT_FOUND);
    SSL *copy = SSL_dup(ssl);
    assert_non_null(copy);
    assert_status(jtg_tls_tickets_openssl_connected(copy, NULL, NULL), JTG_ERR_ARGUMENT);
    SSL_free(copy);
    SSL_free(ssl);
    (void)close(fd);
    assert_visit(&it, it.context, JTG_TLS_FULL);
    fd = ticket_client_dial(it.server.port);
    ssl = ticket_client_new(it.context, fd);
    assert_non_null(ssl);
    assert_status(jtg_tls_tickets_openssl_prepare(ssl, &it.endpoint, NULL), JTG_OK);
    assert_null(SSL_dup(ssl));
    assert_int_equal(SSL_connect(ssl), 1);
    assert_int_equal(SSL_session_reused(ssl), 1);
    part(ssl, fd);
    SSL_free(ssl);
    ticket_server_stop(&it.server);
    assert_int_equal(it.server.offered, 1);
}

/* ---- beside the program's own ---- */

static atomic_int told;
static atomic_int told_resumable;

static int tell(SSL *ssl, SSL_SESSION *session)
{
    (void)ssl;
    told++;
    told_resumable += SSL_SESSION_is_resumable(session);
    return 0;
}

static void the_programs_own_callback_is_told(void **state)
{
    (void)state;
    told = told_resumable = 0;
    SSL_CTX *context = ticket_client_context(it.identity.certificate_path);
    SSL_CTX_sess_set_new_cb(context, tell);
    assert_status(jtg_tls_tickets_openssl_install(context, it.tickets, NULL, NULL), JTG_OK);
    ticket_server_run(&it.server);
    assert_visit(&it, context, JTG_TLS_FULL);
    assert_int_equal(told, 2);
    assert_int_equal(told_resumable, 0);
    ticket_server_stop(&it.server);
    SSL_CTX_free(context);
}

/* What the cache does not take is the program's. */
static void without_a_cache_sessions_stay_the_programs(void **state)
{
    (void)state;
    told = told_resumable = 0;
    assert_int_equal(setenv(JTG_TLS_DISABLE_VARIABLE, "1", 1), 0);
    jtg_tls_tickets *none = tickets_fixture_open(&it);
    assert_int_equal(unsetenv(JTG_TLS_DISABLE_VARIABLE), 0);
    SSL_CTX *context = ticket_client_context(it.identity.certificate_path);
    SSL_CTX_sess_set_new_cb(context, tell);
    assert_status(jtg_tls_tickets_openssl_install(context, none, NULL, NULL), JTG_OK);
    ticket_server_run(&it.server);
    assert_visit(&it, context, JTG_TLS_FULL);
    assert_visit(&it, context, JTG_TLS_FULL);
    ticket_server_stop(&it.server);
    assert_int_equal(told, 4);
    assert_int_equal(told_resumable, 4);
    SSL_CTX_free(context);
    jtg_tls_tickets_free(none);
}

struct log {
    unsigned lines;
    char last[512];
};

static void write_log(void *context, jtg_log_level level, const char *line)
{
    struct log *log = context;
    assert_int_equal(level, JTG_LOG_WARNING);
    log->lines++;
    (void)snprintf(log->last, sizeof log->last, "%s", line);
}

static void a_ticket_that_cannot_be_kept_is_reported(void **state)
{
    struct log log = {0, ""};
    jtg_logger logger = {sizeof logger, &log, JTG_LOG_WARNING, write_log};
    struct visit made = {.port = it.server.port, .endpoint = &it.endpoint};
    (void)state;
    SSL_CTX *context = ticket_client_context(it.identity.certificate_path);
    assert_status(jtg_tls_tickets_openssl_install(context, it.tickets, &logger, NULL), JTG_OK);
    assert_int_equal(chmod(it.folder, 0777), 0);
    ticket_server_run(&it.server);
    ticket_client_visit(context, &made);
    ticket_server_stop(&it.server);
    assert_true(made.is_done);
    assert_status(made.connected, JTG_ERR_UNSAFE);
    assert_int_equal(log.lines, 2);
    assert_memory_equal(log.last, "a TLS ticket could not be kept: ", 32);
    assert_true(strlen(log.last) > 32);
    assert_int_equal(chmod(it.folder, 0700), 0);
    SSL_CTX_free(context);
}

/* ---- misuse ---- */

static void what_changes_after_it_was_prepared_is_found(void **state)
{
    struct visit made = {.endpoint = &it.endpoint, .meddle = any_name};
    (void)state;
    ticket_server_run(&it.server);
    assert_visit(&it, it.context, JTG_TLS_FULL);
    size_t before = jtg_tls_tickets_len(it.tickets);
    visit(&made);
    ticket_server_stop(&it.server);
    assert_status(made.prepared, JTG_OK);
    assert_status(made.connected, JTG_MISMATCH);
    assert_int_equal(made.resumption, JTG_TLS_RESUMED);
    assert_int_equal(jtg_tls_tickets_len(it.tickets), before - 1); /* and none of its own */
}

static void arguments_are_checked(void **state)
{
    jtg_error err = JTG_ERROR_INIT;
    jtg_logger unwritten = {sizeof unwritten, NULL, JTG_LOG_WARNING, NULL};
    SSL_CTX *bare = SSL_CTX_new(TLS_client_method());
    SSL *ssl = SSL_new(it.context);
    SSL *unattached = SSL_new(bare);
    (void)state;
    assert_status(jtg_tls_tickets_openssl_install(NULL, it.tickets, NULL, &err), JTG_ERR_ARGUMENT);
    assert_err_tells(&err, JTG_ERR_ARGUMENT);
    assert_status(jtg_tls_tickets_openssl_install(bare, NULL, NULL, NULL), JTG_ERR_ARGUMENT);
    assert_status(jtg_tls_tickets_openssl_install(bare, it.tickets, &unwritten, NULL),
                  JTG_ERR_ARGUMENT);
    assert_status(jtg_tls_tickets_openssl_install(it.context, it.tickets, NULL, &err),
                  JTG_ERR_ARGUMENT);
    assert_err_tells(&err, JTG_ERR_ARGUMENT);
    assert_status(jtg_tls_tickets_openssl_prepare(NULL, &it.endpoint, NULL), JTG_ERR_ARGUMENT);
    assert_status(jtg_tls_tickets_openssl_prepare(ssl, NULL, &err), JTG_ERR_ARGUMENT);
    assert_err_tells(&err, JTG_ERR_ARGUMENT);
    assert_status(jtg_tls_tickets_openssl_prepare(unattached, &it.endpoint, NULL),
                  JTG_ERR_ARGUMENT);
    jtg_endpoint endpoint = it.endpoint;
    endpoint.host = "two words";
    assert_status(jtg_tls_tickets_openssl_prepare(ssl, &endpoint, &err), JTG_ERR_ARGUMENT);
    assert_err_tells(&err, JTG_ERR_ARGUMENT);
    endpoint = it.endpoint;
    endpoint.port = 0;
    assert_status(jtg_tls_tickets_openssl_prepare(ssl, &endpoint, NULL), JTG_ERR_ARGUMENT);
    endpoint = it.endpoint;
    endpoint.parameters_len = JTG_ENDPOINT_PARAMETERS_MAX_BYTES + 1;
    assert_status(jtg_tls_tickets_openssl_prepare(ssl, &endpoint, NULL), JTG_ERR_ARGUMENT);
    endpoint = it.endpoint;
    endpoint.struct_size = 0;
    assert_status(jtg_tls_tickets_openssl_prepare(ssl, &endpoint, NULL), JTG_ERR_ARGUMENT);
    struct {
        jtg_endpoint known;
        uint64_t more;
    } newer = {it.endpoint, 1};
    newer.known.struct_size = sizeof newer;
    assert_status(jtg_tls_tickets_openssl_prepare(ssl, &newer.known, NULL), JTG_ERR_ARGUMENT);
    newer.more = 0;
    assert_status(jtg_tls_tickets_openssl_prepare(ssl, &newer.known, NULL), JTG_NOT_FOUND);
    assert_status(jtg_tls_tickets_openssl_connected(NULL, NULL, NULL), JTG_ERR_ARGUMENT);
    assert_status(jtg_tls_tickets_openssl_connected(ssl, NULL, NULL), JTG_ERR_ARGUMENT);
    assert_status(jtg_tls_tickets_openssl_prepare(ssl, &it.endpoint, NULL), JTG_NOT_FOUND);
    assert_status(jtg_tls_tickets_openssl_connected(ssl, NULL, &err), JTG_ERR_ARGUMENT);
    assert_err_tells(&err, JTG_ERR_ARGUMENT);
    SSL_free(unattached);
    SSL_free(ssl);
    SSL_CTX_free(bare);
}

/* ---- threads ---- */

static atomic_uint failures;

static void visit_often(void *context, unsigned index)
{
    enum { VISITS = 20 };
    (void)context;
    (void)index;
    for (int i = 0; i < VISITS; i++) {
        struct visit made = {.port = it.server.port, .endpoint = &it.endpoint};
        ticket_client_visit(it.context, &made);
        failures += !made.is_done || made.connected != JTG_OK;
    }
}

static void threads_share_a_context(void **state)
{
    enum { THREADS = 4 };
    (void)state;
    failures = 0;
    ticket_server_run(&it.server);
    threads_run(THREADS, visit_often, NULL);
    ticket_server_stop(&it.server);
    assert_int_equal(failures, 0);
    assert_int_equal(ticket_server_repeated(&it.server), 0);
    assert_int_equal(it.server.resumed, it.server.offered);
    assert_int_equal(it.server.issued - it.server.offered, jtg_tls_tickets_len(it.tickets));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(each_ticket_is_offered_once),
        CASE(the_next_process_resumes),
        CASE(without_a_second_ticket_every_other_visit_is_full),
        CASE(a_renewed_ticket_of_tls12_is_kept),
        CASE(a_session_id_is_a_ticket),
        CASE(a_refused_ticket_is_gone),
        CASE(who_does_not_read_has_no_ticket),
        CASE(what_is_not_prepared_is_left_alone),
        CASE(the_servers_lifetime_counts),
        CASE(resumptions_come_to_an_end),
        CASE(a_connection_brings_so_many_tickets),
        CASE(no_settings_share_tickets),
        CASE(other_ciphers_do_not_end_a_handshake),
        CASE(no_endpoints_share_tickets),
        CASE(other_authorities_get_no_ticket),
        CASE(an_unasked_verification_keeps_its_result),
        CASE(a_new_revocation_check_is_obeyed),
        CASE(the_programs_callback_is_asked_again),
        CASE(a_changed_dane_record_is_obeyed),
        CASE(a_chain_is_kept_through_resumptions),
        CASE(another_key_purges),
        CASE(a_late_ticket_of_the_old_key_is_not_kept),
        CASE(a_cleared_connection_offers_nothing_by_itself),
        CASE(a_cleared_connection_sees_another_key),
        CASE(a_kept_session_offers_nothing),
        CASE(a_resumed_connection_offers_nothing_again),
        CASE(a_connection_with_a_ticket_is_not_copied),
        CASE(the_programs_own_callback_is_told),
        CASE(without_a_cache_sessions_stay_the_programs),
        CASE(a_ticket_that_cannot_be_kept_is_reported),
        CASE(what_changes_after_it_was_prepared_is_found),
        CASE(arguments_are_checked),
        CASE(threads_share_a_context),
    };
    (void)signal(SIGPIPE, SIG_IGN); /* OpenSSL's own sockets do not suppress it */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
