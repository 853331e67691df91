/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/signer.h"

#include "support/asserts.h"

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { URLSAFE = sodium_base64_VARIANT_URLSAFE_NO_PADDING, MAX_SIGNATURE = 1024 };

struct signer {
    EVP_PKEY *key;
    const EVP_MD *hash; /* NULL with Ed25519 */
    char alg[8];
    const char *curve; /* NULL: no EC key */
    size_t coordinate_bytes;
    int is_pss;
    char members[2048];
};

char *text_of(const char *format, ...)
{
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    assert_true(vasprintf(&text, format, arguments) >= 0);
    va_end(arguments);
    return text;
}

static char *encode(const unsigned char *data, size_t data_len)
{
    size_t text_bytes = sodium_base64_encoded_len(data_len, URLSAFE);
    char *text = malloc(text_bytes);
    assert_non_null(text);
    (void)sodium_bin2base64(text, text_bytes, data, data_len, URLSAFE);
    return text;
}

void hash_text(char hash[44], const char *text)
{
    unsigned char bytes[32];
    (void)crypto_hash_sha256(bytes, (const unsigned char *)text, strlen(text));
    (void)sodium_bin2base64(hash, 44, bytes, sizeof bytes, URLSAFE);
}

static char *encode_number(const EVP_PKEY *key, const char *name, size_t bytes)
{
    unsigned char data[MAX_SIGNATURE];
    BIGNUM *number = NULL;
    assert_int_equal(EVP_PKEY_get_bn_param(key, name, &number), 1);
    size_t data_len = bytes != 0 ? bytes : (size_t)BN_num_bytes(number);
    assert_int_equal(BN_bn2binpad(number, data, (int)data_len), (int)data_len);
    BN_free(number);
    return encode(data, data_len);
}

static void write_members(struct signer *signer, const char *kty, const char *first_name,
                          char *first, const char *second_name, char *second)
{
    int len = 0;
    if (signer->curve != NULL)
        len = snprintf(signer->members, sizeof signer->members,
                       "\"kty\":\"%s\",\"crv\":\"%s\",\"%s\":\"%s\"", kty, signer->curve,
                       first_name, first);
    else
        len = snprintf(signer->members, sizeof signer->members, "\"kty\":\"%s\",\"%s\":\"%s\"", kty,
                       first_name, first);
    if (second != NULL)
        (void)snprintf(signer->members + len, sizeof signer->members - (size_t)len,
                       ",\"%s\":\"%s\"", second_name, second);
    free(first);
    free(second);
}

static void make_rsa(struct signer *signer, unsigned bits)
{
    signer->key = EVP_RSA_gen(bits);
    assert_non_null(signer->key);
    write_members(signer, "RSA", "n", encode_number(signer->key, OSSL_PKEY_PARAM_RSA_N, 0), "e",
                  encode_number(signer->key, OSSL_PKEY_PARAM_RSA_E, 0));
}

static void make_ec(struct signer *signer, const char *curve, size_t coordinate_bytes)
{
    signer->key = EVP_EC_gen(curve);
    assert_non_null(signer->key);
    signer->curve = curve;
    signer->coordinate_bytes = coordinate_bytes;
    write_members(signer, "EC", "x",
                  encode_number(signer->key, OSSL_PKEY_PARAM_EC_PUB_X, coordinate_bytes), "y",
                  encode_number(signer->key, OSSL_PKEY_PARAM_EC_PUB_Y, coordinate_bytes));
}

static void make_ed25519(struct signer *signer)
{
    unsigned char x[32];
    size_t x_len = sizeof x;
    signer->key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    assert_non_null(signer->key);
    assert_int_equal(EVP_PKEY_get_raw_public_key(signer->key, x, &x_len), 1);
    signer->curve = "Ed25519";
    signer->hash = NULL;
    write_members(signer, "OKP", "x", encode(x, x_len), NULL, NULL);
}

static const EVP_MD *hash_of(const char *alg)
{
    if (strstr(alg, "384") != NULL)
        return EVP_sha384();
    return strstr(alg, "512") != NULL ? EVP_sha512() : EVP_sha256();
}

struct signer *signer_new_rsa(const char *alg, unsigned bits)
{
    struct signer *signer = calloc(1, sizeof *signer);
    assert_non_null(signer);
    (void)snprintf(signer->alg, sizeof signer->alg, "%s", alg);
    signer->hash = hash_of(alg);
    signer->is_pss = alg[0] == 'P';
    if (strcmp(alg, "ES256") == 0)
        make_ec(signer, "P-256", 32);
    else if (strcmp(alg, "ES384") == 0)
        make_ec(signer, "P-384", 48);
    else if (strcmp(alg, "ES512") == 0)
        make_ec(signer, "P-521", 66);
    else if (strcmp(alg, "EdDSA") == 0 || strcmp(alg, "Ed25519") == 0)
        make_ed25519(signer);
    else
        make_rsa(signer, bits);
    return signer;
}

struct signer *signer_new(const char *alg)
{
    return signer_new_rsa(alg, 2048);
}

void signer_free(struct signer *signer)
{
    EVP_PKEY_free(signer->key);
    free(signer);
}

const char *signer_members(const struct signer *signer)
{
    return signer->members;
}

char *signer_jwks(const struct signer *signer, const char *kid)
{
    return text_of("{\"keys\":[{%s,\"kid\":\"%s\",\"use\":\"sig\"}]}", signer->members, kid);
}

/* From the DER that OpenSSL makes to r and s side by side (RFC 7518 section 3.4). */
static size_t flatten(const struct signer *signer, unsigned char *signature, size_t der_len)
{
    const unsigned char *der = signature;
    ECDSA_SIG *parsed = d2i_ECDSA_SIG(NULL, &der, (long)der_len);
    int bytes = (int)signer->coordinate_bytes;
    assert_non_null(parsed);
    assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(parsed), signature, bytes), bytes);
    assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(parsed), signature + bytes, bytes), bytes);
    ECDSA_SIG_free(parsed);
    return (size_t)bytes * 2;
}

static size_t sign_bytes(const struct signer *signer, const char *input,
                         unsigned char signature[MAX_SIGNATURE])
{
    size_t signature_len = MAX_SIGNATURE;
    EVP_PKEY_CTX *options = NULL;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestSignInit(context, &options, signer->hash, NULL, signer->key), 1);
    if (signer->is_pss) {
        assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING), 1);
        assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST), 1);
    }
    assert_int_equal(EVP_DigestSign(context, signature, &signature_len,
                                    (const unsigned char *)input, strlen(input)),
                     1);
    EVP_MD_CTX_free(context);
    return signer->coordinate_bytes != 0 ? flatten(signer, signature, signature_len)
                                         : signature_len;
}

static char *signing_input(const char *header, const char *payload)
{
    char *first = encode((const unsigned char *)header, strlen(header));
    char *second = encode((const unsigned char *)payload, strlen(payload));
    char *input = text_of("%s.%s", first, second);
    free(first);
    free(second);
    return input;
}

static char *append_signature(char *input, const unsigned char *signature, size_t signature_len)
{
    char *last = encode(signature, signature_len);
    char *token = text_of("%s.%s", input, last);
    free(last);
    free(input);
    return token;
}

char *signer_sign(const struct signer *signer, const char *header, const char *payload)
{
    unsigned char signature[MAX_SIGNATURE];
    char *input = signing_input(header, payload);
    return append_signature(input, signature, sign_bytes(signer, input, signature));
}

char *signer_token(const struct signer *signer, const char *typ, const char *kid,
                   const char *payload)
{
    char *header = typ != NULL ? text_of("{\"alg\":\"%s\",\"typ\":\"%s\",\"kid\":\"%s\"}",
                                         signer->alg, typ, kid)
                               : text_of("{\"alg\":\"%s\",\"kid\":\"%s\"}", signer->alg, kid);
    char *token = signer_sign(signer, header, payload);
    free(header);
    return token;
}

char *sign_with_mac(const char *secret, size_t secret_len, const char *header, const char *payload)
{
    unsigned char mac[32];
    unsigned int mac_len = sizeof mac;
    char *input = signing_input(header, payload);
    assert_non_null(HMAC(EVP_sha256(), secret, (int)secret_len, (const unsigned char *)input,
                         strlen(input), mac, &mac_len));
    return append_signature(input, mac, mac_len);
}

char *join_token(const char *header, const char *payload, const char *signature)
{
    char *input = signing_input(header, payload);
    char *token = text_of("%s.%s", input, signature);
    free(input);
    return token;
}

char *signer_pem(const struct signer *signer)
{
    char *data = NULL;
    BIO *bio = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_PUBKEY(bio, signer->key), 1);
    long data_len = BIO_get_mem_data(bio, &data);
    char *pem = text_of("%.*s", (int)data_len, data);
    (void)BIO_free(bio);
    return pem;
}

char *twin_of_token(const char *token)
{
    static const char order_hex[] =
        "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551";
    unsigned char signature[64];
    size_t len = 0;
    BIGNUM *order = NULL;
    const char *dot = strrchr(token, '.');
    assert_non_null(dot);
    assert_int_equal(sodium_base642bin(signature, sizeof signature, dot + 1, strlen(dot + 1), NULL,
                                       &len, NULL, URLSAFE),
                     0);
    assert_int_equal(len, sizeof signature);
    BIGNUM *half = BN_bin2bn(signature + 32, 32, NULL);
    assert_true(BN_hex2bn(&order, order_hex) > 0 && half != NULL);
    assert_int_equal(BN_sub(half, order, half), 1);
    assert_int_equal(BN_bn2binpad(half, signature + 32, 32), 32);
    BN_free(half);
    BN_free(order);
    char *text = encode(signature, sizeof signature);
    char *twin = text_of("%.*s.%s", (int)(dot - token), token, text);
    free(text);
    return twin;
}
