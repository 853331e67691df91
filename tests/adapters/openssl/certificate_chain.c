/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/openssl/certificate_chain.h"

#include "support/asserts.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PATH_BYTES = 64, SECONDS = 3600 };

struct party {
    EVP_PKEY *key;
    X509 *certificate;
};

static void extend(X509 *made, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    assert_non_null(extension);
    assert_int_equal(X509_add_ext(made, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

/* issuer NULL: signs itself. */
static struct party make(const char *name, long serial, const struct party *issuer)
{
    struct party made = {EVP_EC_gen("P-256"), X509_new()};
    const struct party *signer = issuer != NULL ? issuer : &made;
    X509_NAME *subject = X509_get_subject_name(made.certificate);
    assert_int_equal(X509_set_version(made.certificate, 2), 1);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(made.certificate), serial), 1);
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(made.certificate), -60));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(made.certificate), SECONDS));
    assert_int_equal(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                                                (const unsigned char *)name, -1, -1, 0),
                     1);
    assert_int_equal(
        X509_set_issuer_name(made.certificate, X509_get_subject_name(signer->certificate)), 1);
    assert_int_equal(X509_set_pubkey(made.certificate, made.key), 1);
    return made;
}

static void sign(struct party *made, const struct party *signer)
{
    assert_true(X509_sign(made->certificate, signer->key, EVP_sha256()) > 0);
}

static FILE *create(char path[PATH_BYTES])
{
    (void)snprintf(path, PATH_BYTES, "/tmp/jtiguard-chain-XXXXXX");
    int fd = mkostemp(path, O_CLOEXEC);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    assert_non_null(file);
    return file;
}

static void write_files(struct certificate_chain *chain, const struct party *root,
                        const struct party *middle, const struct party *server)
{
    FILE *file = create(chain->root_path);
    assert_int_equal(PEM_write_X509(file, root->certificate), 1);
    assert_int_equal(fclose(file), 0);
    file = create(chain->shown_path);
    assert_int_equal(PEM_write_X509(file, server->certificate), 1);
    assert_int_equal(PEM_write_X509(file, middle->certificate), 1);
    assert_int_equal(fclose(file), 0);
    file = create(chain->key_path);
    assert_int_equal(PEM_write_PrivateKey(file, server->key, NULL, NULL, 0, NULL, NULL), 1);
    assert_int_equal(fclose(file), 0);
}

static void drop(struct party *party)
{
    X509_free(party->certificate);
    EVP_PKEY_free(party->key);
}

void certificate_chain_make(struct certificate_chain *chain)
{
    struct party root = make("root", 1, NULL);
    extend(root.certificate, NID_basic_constraints, "critical,CA:TRUE");
    sign(&root, &root);
    struct party middle = make("middle", 2, &root);
    extend(middle.certificate, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
    sign(&middle, &root);
    struct party server = make("localhost", 3, &middle);
    extend(server.certificate, NID_subject_alt_name, "DNS:localhost");
    sign(&server, &middle);
    write_files(chain, &root, &middle, &server);
    drop(&server);
    drop(&middle);
    drop(&root);
}

void certificate_chain_clear(struct certificate_chain *chain)
{
    (void)unlink(chain->root_path);
    (void)unlink(chain->shown_path);
    (void)unlink(chain->key_path);
    memset(chain, 0, sizeof *chain);
}
