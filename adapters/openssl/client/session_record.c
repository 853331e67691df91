/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/openssl/client/session_record.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdint.h>
#include <string.h>

enum { FORMAT = 1, AGE_BYTES = 4, LENGTH_BYTES = 3, LENGTH_MAX = 0xffffff };
enum { HEADER_BYTES = 1 + AGE_BYTES + LENGTH_BYTES };

void jtgo_session_record_clear(struct jtgo_session_record *record)
{
    SSL_SESSION_free(record->session);
    sk_X509_pop_free(record->chain, X509_free);
    memset(record, 0, sizeof *record);
}

bool jtgo_spki_digest(X509 *certificate, unsigned char digest[JTGO_SPKI_DIGEST_BYTES])
{
    unsigned char *der = NULL;
    unsigned int digest_len = 0;
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
    bool done = len > 0 &&
                EVP_Digest(der, (size_t)len, digest, &digest_len, EVP_sha256(), NULL) == 1 &&
                digest_len == JTGO_SPKI_DIGEST_BYTES;
    OPENSSL_free(der);
    return done;
}

/* ---- writing ---- */

static unsigned char *put_number(unsigned char *at, uint32_t number, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        at[i] = (unsigned char)(number >> (8 * (bytes - 1 - i)));
    return at + bytes;
}

static int chain_count(const struct jtgo_session_record *record)
{
    return record->chain != NULL ? sk_X509_num(record->chain) : 0;
}

/* 0 where a part cannot be written. */
static size_t size_of(const struct jtgo_session_record *record)
{
    int session_len = i2d_SSL_SESSION(record->session, NULL);
    size_t size = HEADER_BYTES + 1;
    if (session_len <= 0 || session_len > LENGTH_MAX || chain_count(record) > JTGO_RECORD_CHAIN_MAX)
        return 0;
    size += (size_t)session_len;
    for (int i = 0; i < chain_count(record); i++) {
        int len = i2d_X509(sk_X509_value(record->chain, i), NULL);
        if (len <= 0 || len > LENGTH_MAX)
            return 0;
        size += LENGTH_BYTES + (size_t)len;
    }
    return size;
}

static void write_parts(const struct jtgo_session_record *record, unsigned char *at)
{
    *at++ = FORMAT;
    at = put_number(at, record->age_s, AGE_BYTES);
    at = put_number(at, (uint32_t)i2d_SSL_SESSION(record->session, NULL), LENGTH_BYTES);
    (void)i2d_SSL_SESSION(record->session, &at);
    *at++ = (unsigned char)chain_count(record);
    for (int i = 0; i < chain_count(record); i++) {
        X509 *certificate = sk_X509_value(record->chain, i);
        at = put_number(at, (uint32_t)i2d_X509(certificate, NULL), LENGTH_BYTES);
        (void)i2d_X509(certificate, &at);
    }
}

unsigned char *jtgo_session_record_write(const struct jtgo_session_record *record, size_t *len)
{
    *len = size_of(record);
    unsigned char *bytes = *len != 0 ? OPENSSL_malloc(*len) : NULL;
    if (bytes != NULL)
        write_parts(record, bytes);
    return bytes;
}

/* ---- reading ---- */

struct input {
    const unsigned char *at;
    size_t left;
};

static bool take_number(struct input *in, unsigned bytes, uint32_t *number)
{
    if (in->left < bytes)
        return false;
    *number = 0;
    for (unsigned i = 0; i < bytes; i++)
        *number = *number << 8 | in->at[i];
    in->at += bytes;
    in->left -= bytes;
    return true;
}

/* A length and as many bytes, which are handed out. */
static bool take_part(struct input *in, struct input *part)
{
    uint32_t len = 0;
    if (!take_number(in, LENGTH_BYTES, &len) || len > in->left)
        return false;
    *part = (struct input){in->at, len};
    in->at += len;
    in->left -= len;
    return true;
}

static bool read_session(struct jtgo_session_record *record, struct input part)
{
    const unsigned char *end = part.at + part.left;
    record->session = d2i_SSL_SESSION(NULL, &part.at, (long)part.left);
    return record->session != NULL && part.at == end &&
           SSL_SESSION_is_resumable(record->session) == 1 &&
           SSL_SESSION_get0_peer(record->session) != NULL;
}

static bool read_certificate(struct jtgo_session_record *record, struct input part)
{
    const unsigned char *end = part.at + part.left;
    X509 *certificate = d2i_X509(NULL, &part.at, (long)part.left);
    if (certificate == NULL || part.at != end || sk_X509_push(record->chain, certificate) == 0) {
        X509_free(certificate);
        return false;
    }
    return true;
}

static bool read_chain(struct jtgo_session_record *record, struct input *in)
{
    uint32_t count = 0;
    struct input part;
    if (!take_number(in, 1, &count) || count > JTGO_RECORD_CHAIN_MAX)
        return false;
    record->chain = sk_X509_new_null();
    if (record->chain == NULL)
        return false;
    for (uint32_t i = 0; i < count; i++)
        if (!take_part(in, &part) || !read_certificate(record, part))
            return false;
    return in->left == 0;
}

static bool read_parts(struct jtgo_session_record *record, struct input in)
{
    uint32_t format = 0;
    struct input part;
    if (!take_number(&in, 1, &format) || format != FORMAT ||
        !take_number(&in, AGE_BYTES, &record->age_s) || !take_part(&in, &part))
        return false;
    return read_session(record, part) && read_chain(record, &in);
}

bool jtgo_session_record_read(struct jtgo_session_record *record, const void *bytes, size_t len)
{
    const struct input in = {bytes, len};
    memset(record, 0, sizeof *record);
    if (read_parts(record, in))
        return true;
    jtgo_session_record_clear(record);
    return false;
}
