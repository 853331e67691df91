/* SPDX-License-Identifier: Apache-2.0 */
#include "support/tls_certificate.h"

#include "support/asserts.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void add_extension(X509 *made, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    assert_non_null(extension);
    assert_int_equal(X509_add_ext(made, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

static X509 *make_certificate(EVP_PKEY *key, const char *names)
{
    X509 *made = X509_new();
    X509_NAME *name = X509_get_subject_name(made);
    assert_int_equal(X509_set_version(made, 2), 1);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(made), 1), 1);
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(made), -60));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(made), 3600));
    assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                                (const unsigned char *)"localhost", -1, -1, 0),
                     1);
    assert_int_equal(X509_set_issuer_name(made, name), 1);
    add_extension(made, NID_subject_alt_name, names);
    assert_int_equal(X509_set_pubkey(made, key), 1);
    assert_true(X509_sign(made, key, EVP_sha256()) > 0);
    return made;
}

static char *text_of_bio(BIO *bio)
{
    char *data = NULL;
    long data_len = BIO_get_mem_data(bio, &data);
    char *text = strndup(data, (size_t)data_len);
    assert_non_null(text);
    (void)BIO_free(bio);
    return text;
}

static void write_file(char path[64], const char *text)
{
    (void)snprintf(path, 64, "/tmp/jtiguard-tls-XXXXXX");
    int fd = mkostemp(path, O_CLOEXEC);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

void tls_certificate_make_for(struct tls_certificate *made, int rsa, const char *names)
{
    EVP_PKEY *key = rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256");
    BIO *key_bio = BIO_new(BIO_s_mem());
    BIO *certificate_bio = BIO_new(BIO_s_mem());
    assert_non_null(key);
    X509 *certificate = make_certificate(key, names);
    assert_int_equal(PEM_write_bio_PrivateKey(key_bio, key, NULL, NULL, 0, NULL, NULL), 1);
    assert_int_equal(PEM_write_bio_X509(certificate_bio, certificate), 1);
    made->key_pem = text_of_bio(key_bio);
    made->certificate_pem = text_of_bio(certificate_bio);
    write_file(made->key_path, made->key_pem);
    write_file(made->certificate_path, made->certificate_pem);
    X509_free(certificate);
    EVP_PKEY_free(key);
}

void tls_certificate_make(struct tls_certificate *made, int rsa)
{
    tls_certificate_make_for(made, rsa, "DNS:localhost,IP:127.0.0.1");
}

void tls_certificate_clear(struct tls_certificate *made)
{
    (void)unlink(made->key_path);
    (void)unlink(made->certificate_path);
    free(made->key_pem);
    free(made->certificate_pem);
    memset(made, 0, sizeof *made);
}
