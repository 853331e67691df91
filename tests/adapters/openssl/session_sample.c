/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/openssl/session_sample.h"

#include "adapters/openssl/client/session_record.h"

#include <openssl/evp.h>

enum { HOUR_S = 3600, AGE_S = 0x1020304, ROUNDS = 8 };

static X509 *make_certificate(EVP_PKEY *key, long serial)
{
    X509 *made = X509_new();
    if (made != NULL && ASN1_INTEGER_set(X509_get_serialNumber(made), serial) == 1 &&
        X509_gmtime_adj(X509_getm_notBefore(made), -HOUR_S) != NULL &&
        X509_gmtime_adj(X509_getm_notAfter(made), HOUR_S) != NULL &&
        X509_set_pubkey(made, key) == 1 && X509_sign(made, key, EVP_sha256()) > 0)
        return made;
    X509_free(made);
    return NULL;
}

static SSL_SESSION *kept;

static int keep(SSL *ssl, SSL_SESSION *session)
{
    (void)ssl;
    SSL_SESSION_free(kept);
    kept = session;
    return 1;
}

static SSL *make_end(const SSL_METHOD *method, X509 *certificate, EVP_PKEY *key, BIO *bio)
{
    SSL_CTX *context = SSL_CTX_new(method);
    SSL *ssl = NULL;
    if (certificate != NULL) {
        (void)SSL_CTX_use_certificate(context, certificate);
        (void)SSL_CTX_use_PrivateKey(context, key);
    } else {
        (void)SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT);
        SSL_CTX_sess_set_new_cb(context, keep);
    }
    ssl = SSL_new(context);
    SSL_CTX_free(context);
    SSL_set_bio(ssl, bio, bio);
    return ssl;
}

/* The session that the client is left with. */
static SSL_SESSION *shake_hands(X509 *certificate, EVP_PKEY *key)
{
    BIO *near = NULL;
    BIO *far = NULL;
    char byte = 0;
    kept = NULL;
    if (BIO_new_bio_pair(&near, 0, &far, 0) != 1)
        return NULL;
    SSL *client = make_end(TLS_client_method(), NULL, NULL, near);
    SSL *server = make_end(TLS_server_method(), certificate, key, far);
    for (int i = 0; i < ROUNDS; i++) {
        (void)SSL_connect(client);
        (void)SSL_accept(server);
        (void)SSL_read(client, &byte, 1);
    }
    SSL_free(client);
    SSL_free(server);
    return kept;
}

bool session_sample_make(struct session_sample *sample)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    EVP_PKEY *other = EVP_EC_gen("P-256");
    X509 *certificate = make_certificate(key, 1);
    struct jtgo_session_record record = {shake_hands(certificate, key), sk_X509_new_null(), AGE_S};
    (void)sk_X509_push(record.chain, make_certificate(key, 2));
    (void)sk_X509_push(record.chain, make_certificate(other, 3));
    sample->bytes =
        record.session != NULL ? jtgo_session_record_write(&record, &sample->len) : NULL;
    jtgo_session_record_clear(&record);
    X509_free(certificate);
    EVP_PKEY_free(other);
    EVP_PKEY_free(key);
    return sample->bytes != NULL;
}

void session_sample_clear(struct session_sample *sample)
{
    OPENSSL_clear_free(sample->bytes, sample->len);
}
