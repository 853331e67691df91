/* SPDX-License-Identifier: Apache-2.0 */
/* The CBC view behind OpenSSL's callback: two servers that share a store resume each other's
 * sessions, with TLS 1.2 and 1.3, through a rotation, and refuse after a revocation. */
#include "support/asserts.h"
#include "support/ticket_fixture.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <string.h>

/* ---- the callback, as a server would write it ---- */

static int keys_index;

static bool start_ciphers(const jtg_ticket_cbc_key *key, const unsigned char *iv,
                          EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int encrypt)
{
    char digest[] = "SHA256";
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    return EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, key->aes_key, iv, encrypt) == 1 &&
           EVP_MAC_init(mac, key->hmac_key, sizeof key->hmac_key, parameters) == 1;
}

/* 1: go on; 2: and send a new ticket; 0: no such key; -1: failure */
static int ticket_key(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                      EVP_MAC_CTX *mac, int encrypt)
{
    jtg_ticket_keys *keys = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), keys_index);
    jtg_ticket_cbc_key key;
    uint32_t renew = 0;
    if (encrypt) {
        if (!jtg_ticket_cbc_seal_key(keys, &key, NULL, NULL))
            return 0;
        memcpy(name, key.name, sizeof key.name);
        if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1)
            return -1;
    } else if (!jtg_ticket_cbc_open_key(keys, name, &key, &renew, NULL, NULL)) {
        return 0;
    }
    bool good = start_ciphers(&key, iv, cipher, mac, encrypt);
    jtg_ticket_cbc_key_clear(&key);
    /* A client of TLS 1.3 uses a ticket once: it needs a new one each time. */
    return !good ? -1 : renew || SSL_version(ssl) == TLS1_3_VERSION ? 2 : 1;
}

/* ---- two ends in memory ---- */

static SSL_CTX *client_context;
static SSL_SESSION *got;

static void make_certificate(SSL_CTX *context)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = X509_new();
    assert_non_null(key);
    assert_non_null(certificate);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    assert_int_equal(X509_set_pubkey(certificate, key), 1);
    assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
    assert_int_equal(SSL_CTX_use_certificate(context, certificate), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(context, key), 1);
    X509_free(certificate);
    EVP_PKEY_free(key);
}

static SSL_CTX *make_server(jtg_ticket_keys *keys)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    assert_non_null(context);
    make_certificate(context);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    assert_int_equal(SSL_CTX_set_ex_data(context, keys_index, keys), 1);
    assert_int_equal(SSL_CTX_set_tlsext_ticket_key_evp_cb(context, ticket_key), 1);
    assert_int_equal(SSL_CTX_set_session_id_context(context, (const unsigned char *)"t", 1), 1);
    return context;
}

static void make_client(void)
{
    client_context = SSL_CTX_new(TLS_client_method());
    assert_non_null(client_context);
}

/* Shake hands, with the session that was got last if asked; whether it was resumed. */
static bool connect_to(SSL_CTX *server_context, int version, bool resume)
{
    SSL *client = SSL_new(client_context);
    SSL *server = SSL_new(server_context);
    BIO *client_end = NULL;
    BIO *server_end = NULL;
    char byte = 'x';
    assert_int_equal(BIO_new_bio_pair(&client_end, 0, &server_end, 0), 1);
    SSL_set_bio(client, client_end, client_end);
    SSL_set_bio(server, server_end, server_end);
    SSL_set_connect_state(client);
    SSL_set_accept_state(server);
    SSL_set_min_proto_version(client, version);
    SSL_set_max_proto_version(client, version);
    if (resume)
        assert_int_equal(SSL_set_session(client, got), 1);
    for (int i = 0; i < 10 && !(SSL_is_init_finished(client) && SSL_is_init_finished(server));
         i++) {
        (void)SSL_do_handshake(client);
        (void)SSL_do_handshake(server);
    }
    assert_true(SSL_is_init_finished(client) && SSL_is_init_finished(server));
    assert_int_equal(SSL_write(server, &byte, 1), 1); /* and the tickets of TLS 1.3 before it */
    assert_int_equal(SSL_read(client, &byte, 1), 1);
    bool resumed = SSL_session_reused(server) == 1;
    assert_int_equal(SSL_session_reused(client), resumed);
    SSL_SESSION_free(got);
    got = SSL_get1_session(client);
    SSL_shutdown(client);
    SSL_shutdown(server);
    SSL_free(client);
    SSL_free(server);
    return resumed;
}

static void resumes_with(struct ticket_fixture *fixture, int version)
{
    jtg_ticket_keys *keys = ticket_fixture_ready(fixture, 0);
    jtg_ticket_keys *other = ticket_fixture_open(fixture, 1);
    SSL_CTX *first = make_server(keys);
    SSL_CTX *second = make_server(other);
    make_client();
    assert_false(connect_to(first, version, false));
    assert_non_null(got);
    assert_true(connect_to(second, version, true));
    test_clock_advance(&fixture->clock, TICKET_ROTATION_MS);
    assert_status(jtg_ticket_keys_refresh(keys, NULL), JTG_OK);
    SSL_SESSION *old = SSL_SESSION_dup(got);
    assert_true(connect_to(second, version, true)); /* sealed by the last key, renewed by this */
    assert_true(connect_to(first, version, true));
    assert_status(jtg_ticket_keys_revoke(keys, NULL), JTG_OK);
    assert_false(connect_to(first, version, true)); /* a full handshake, without a ticket */
    SSL_SESSION_free(got);
    got = old;
    assert_false(connect_to(first, version, true));
    SSL_SESSION_free(got);
    got = NULL;
    SSL_CTX_free(client_context);
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

#define CASE(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, ticket_fixture_set_up, ticket_fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {CASE(tls_1_3), CASE(tls_1_2)};
    keys_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
