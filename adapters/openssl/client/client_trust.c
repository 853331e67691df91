/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/openssl/client/client_trust.h"

#include <openssl/evp.h>
#include <openssl/x509_vfy.h>
#include <stdint.h>
#include <string.h>

enum { NUMBER_BYTES = 8 };

/* ---- the digest ---- */

/* A hash over parts with their lengths; broken by the first failure. */
struct hash {
    EVP_MD_CTX *context;
    bool is_good;
};

static void add(struct hash *hash, const void *data, size_t len)
{
    hash->is_good = hash->is_good && (len == 0 || EVP_DigestUpdate(hash->context, data, len) == 1);
}

static void add_number(struct hash *hash, uint64_t number)
{
    unsigned char bytes[NUMBER_BYTES];
    for (unsigned i = 0; i < NUMBER_BYTES; i++)
        bytes[i] = (unsigned char)(number >> (8 * (NUMBER_BYTES - 1 - i)));
    add(hash, bytes, sizeof bytes);
}

static void add_part(struct hash *hash, const void *data, size_t len)
{
    add_number(hash, len);
    add(hash, data, len);
}

/* None is told from the empty one. */
static void add_text(struct hash *hash, const char *text)
{
    add_number(hash, text != NULL);
    if (text != NULL)
        add_part(hash, text, strlen(text));
}

static void add_certificate(struct hash *hash, X509 *certificate)
{
    unsigned char *der = NULL;
    int len = certificate != NULL ? i2d_X509(certificate, &der) : 0;
    hash->is_good = hash->is_good && len >= 0;
    add_part(hash, der, len > 0 ? (size_t)len : 0);
    OPENSSL_free(der);
}

static void add_names(struct hash *hash, X509_VERIFY_PARAM *param)
{
    char *address = X509_VERIFY_PARAM_get1_ip_asc(param);
    const char *host = NULL;
    for (int i = 0; (host = X509_VERIFY_PARAM_get0_host(param, i)) != NULL; i++)
        add_text(hash, host);
    add_text(hash, NULL);
    add_text(hash, address);
    add_text(hash, X509_VERIFY_PARAM_get0_email(param));
    OPENSSL_free(address);
}

static void add_verification(struct hash *hash, SSL *ssl)
{
    X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
    unsigned long flags = X509_VERIFY_PARAM_get_flags(param);
    add_number(hash, (uint64_t)SSL_get_verify_mode(ssl));
    add_number(hash, SSL_get_verify_callback(ssl) != NULL);
    add_number(hash, (uint64_t)SSL_get_verify_depth(ssl));
    add_number(hash, flags);
    add_number(hash, X509_VERIFY_PARAM_get_inh_flags(param));
    add_number(hash, X509_VERIFY_PARAM_get_hostflags(param));
    add_number(hash, (uint64_t)X509_VERIFY_PARAM_get_auth_level(param));
    add_number(hash, (flags & X509_V_FLAG_USE_CHECK_TIME) != 0
                         ? (uint64_t)X509_VERIFY_PARAM_get_time(param)
                         : 0);
    add_names(hash, param);
}

/* TLS 1.2 resumes with the cipher of the session and no other: a server ends the handshake of a
 * client that offers the session without it. */
static void add_ciphers(struct hash *hash, const SSL *ssl)
{
    const STACK_OF(SSL_CIPHER) *ciphers = SSL_get_ciphers(ssl);
    int count = ciphers != NULL ? sk_SSL_CIPHER_num(ciphers) : 0;
    add_number(hash, (uint64_t)count);
    for (int i = 0; i < count; i++)
        add_number(hash, SSL_CIPHER_get_id(sk_SSL_CIPHER_value(ciphers, i)));
}

static void add_connection(struct hash *hash, SSL *ssl)
{
    add_number(hash, (uint64_t)SSL_get_security_level(ssl));
    add_number(hash, (uint64_t)SSL_get_min_proto_version(ssl));
    add_number(hash, (uint64_t)SSL_get_max_proto_version(ssl));
    add_number(hash, (uint64_t)SSL_get_tlsext_status_type(ssl));
    add_number(hash, (uint64_t)SSL_set_cert_flags(ssl, 0)); /* suite B; it answers what is set */
#ifndef OPENSSL_NO_CT
    add_number(hash, (uint64_t)SSL_ct_is_enabled(ssl));
#endif
    add_ciphers(hash, ssl);
    add_certificate(hash, SSL_get_certificate(ssl));
    add_number(hash, SSL_CTX_get_client_cert_cb(SSL_get_SSL_CTX(ssl)) != NULL);
}

static struct hash begin(const char *label)
{
    struct hash hash = {EVP_MD_CTX_new(), true};
    hash.is_good = hash.context != NULL && EVP_DigestInit_ex(hash.context, EVP_sha256(), NULL) == 1;
    add_text(&hash, label);
    return hash;
}

static bool end(struct hash *hash, unsigned char digest[JTGO_TRUST_DIGEST_BYTES])
{
    unsigned int len = 0;
    bool good = hash->is_good && EVP_DigestFinal_ex(hash->context, digest, &len) == 1 &&
                len == JTGO_TRUST_DIGEST_BYTES;
    EVP_MD_CTX_free(hash->context);
    return good;
}

bool jtgo_verification_digest(SSL *ssl, unsigned char digest[JTGO_TRUST_DIGEST_BYTES])
{
    struct hash hash = begin("jtiguard openssl verification 1");
    add_verification(&hash, ssl);
    return end(&hash, digest);
}

bool jtgo_trust_digest(SSL *ssl, const unsigned char verification[JTGO_TRUST_DIGEST_BYTES],
                       const char *server_name, const void *own, size_t own_len,
                       unsigned char digest[JTGO_TRUST_DIGEST_BYTES])
{
    struct hash hash = begin("jtiguard openssl client 1");
    add_part(&hash, verification, JTGO_TRUST_DIGEST_BYTES);
    add_connection(&hash, ssl);
    add_text(&hash, server_name);
    add_part(&hash, own, own_len);
    return end(&hash, digest);
}

/* ---- verification ---- */

static X509_STORE *authorities(SSL *ssl)
{
    X509_STORE *store = NULL;
    if (SSL_get0_verify_cert_store(ssl, &store) == 1 && store != NULL)
        return store;
    return SSL_CTX_get_cert_store(SSL_get_SSL_CTX(ssl));
}

/* The settings that libssl gives to a verification of its own. */
static bool set_up(X509_STORE_CTX *context, SSL *ssl)
{
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(context);
    SSL_verify_cb callback = SSL_get_verify_callback(ssl);
    X509_VERIFY_PARAM_set_auth_level(param, SSL_get_security_level(ssl));
    X509_STORE_CTX_set0_dane(context, SSL_get0_dane(ssl));
    if (callback != NULL)
        X509_STORE_CTX_set_verify_cb(context, callback);
    return X509_STORE_CTX_set_ex_data(context, SSL_get_ex_data_X509_STORE_CTX_idx(), ssl) == 1 &&
           X509_STORE_CTX_set_default(context, "ssl_server") == 1 &&
           X509_VERIFY_PARAM_set1(param, SSL_get0_param(ssl)) == 1;
}

static bool judge(X509_STORE_CTX *context, SSL *ssl, long verify_result)
{
    bool is_trusted = X509_verify_cert(context) > 0;
    bool must_be = (SSL_get_verify_mode(ssl) & SSL_VERIFY_PEER) != 0;
    return (is_trusted || !must_be) && X509_STORE_CTX_get_error(context) == verify_result;
}

bool jtgo_trust_again(SSL *ssl, X509 *certificate, STACK_OF(X509) * chain, long verify_result)
{
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    bool good = context != NULL &&
                X509_STORE_CTX_init(context, authorities(ssl), certificate, chain) == 1 &&
                set_up(context, ssl) && judge(context, ssl, verify_result);
    X509_STORE_CTX_free(context);
    return good;
}
