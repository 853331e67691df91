/* SPDX-License-Identifier: Apache-2.0 */
#include "tokens/dtls/dtls_record.h"
#include "tokens/common/wire.h"

#include "core/alloc.h"

#include <sodium.h>

enum {
    FORMAT = 1,
    START_BYTES = 2,
    BODY_FIXED_BYTES = 27,
    SUITE_MAX = 0xffff,
    NONCE_MAX_BYTES = 255
};

static size_t header_size(const struct jtgi_record_sealer *sealer)
{
    return sealer->is_sealing ? START_BYTES + JTGI_CIPHER_NONCE_BYTES : START_BYTES;
}

static size_t tag_size(const struct jtgi_record_sealer *sealer)
{
    return sealer->is_sealing ? JTGI_CIPHER_TAG_BYTES : 0;
}

static size_t body_size(const jtg_dtls_session *session)
{
    return BODY_FIXED_BYTES + session->ticket_len + session->nonce_len + session->secret_len;
}

size_t jtgi_dtls_record_size(const struct jtgi_record_sealer *sealer,
                             const jtg_dtls_session *session)
{
    bool good = session->ticket != NULL && session->ticket_len != 0 &&
                session->ticket_len <= JTG_DTLS_TICKET_MAX_BYTES &&
                session->secret_len <= JTG_DTLS_SECRET_MAX_BYTES - session->ticket_len &&
                session->nonce_len <= NONCE_MAX_BYTES && session->cipher_suite <= SUITE_MAX &&
                (session->secret != NULL || session->secret_len == 0) &&
                (session->nonce != NULL || session->nonce_len == 0);
    return good ? header_size(sealer) + body_size(session) + tag_size(sealer) : 0;
}

/* ---- writing ---- */

static void write_body(const jtg_dtls_session *session, int64_t epoch, unsigned char *body,
                       size_t body_len)
{
    struct jtgi_writer writer = jtgi_writer_of(body, body_len);
    jtgi_write_number(&writer, (uint64_t)epoch, 8);
    jtgi_write_number(&writer, session->lifetime_s, 4);
    jtgi_write_number(&writer, session->age_add, 4);
    jtgi_write_number(&writer, session->max_early_data, 4);
    jtgi_write_number(&writer, session->cipher_suite, 2);
    jtgi_write_number(&writer, session->nonce_len, 1);
    jtgi_write_number(&writer, session->ticket_len, 2);
    jtgi_write_number(&writer, session->secret_len, 2);
    jtgi_write_bytes(&writer, session->ticket, session->ticket_len);
    jtgi_write_bytes(&writer, session->nonce, session->nonce_len);
    jtgi_write_bytes(&writer, session->secret, session->secret_len);
}

static jtg_status seal(const struct jtgi_record_sealer *sealer, const unsigned char *digest,
                       const jtg_dtls_session *session, int64_t epoch, unsigned char *record)
{
    unsigned char *nonce = record + START_BYTES;
    unsigned char *sealed = record + header_size(sealer);
    struct jtgi_bound bound = {{record, header_size(sealer)}, {digest, JTGI_ENDPOINT_DIGEST_BYTES}};
    size_t body_len = body_size(session);
    unsigned char *body = jtgi_alloc(body_len);
    if (body == NULL)
        return JTG_ERR_MEMORY;
    struct jtgi_span plain = {body, body_len};
    write_body(session, epoch, body, body_len);
    randombytes_buf(nonce, JTGI_CIPHER_NONCE_BYTES);
    jtg_status status = jtgi_cipher_seal(sealer->key, nonce, &bound, plain, sealed);
    jtgi_free_wiped(body, body_len);
    return status;
}

jtg_status jtgi_dtls_record_write(const struct jtgi_record_sealer *sealer,
                                  const unsigned char digest[JTGI_ENDPOINT_DIGEST_BYTES],
                                  const jtg_dtls_session *session, int64_t epoch,
                                  unsigned char *record, size_t record_len)
{
    record[0] = FORMAT;
    record[1] = sealer->is_sealing;
    if (sealer->is_sealing)
        return seal(sealer, digest, session, epoch, record);
    write_body(session, epoch, record + START_BYTES, record_len - START_BYTES);
    return JTG_OK;
}

/* ---- reading ---- */

static bool read_body(jtg_dtls_session *session, int64_t *epoch, const unsigned char *body,
                      size_t body_len)
{
    struct jtgi_reader reader = jtgi_reader_of(body, body_len);
    *epoch = (int64_t)jtgi_read_number(&reader, 8);
    session->lifetime_s = (uint32_t)jtgi_read_number(&reader, 4);
    session->age_add = (uint32_t)jtgi_read_number(&reader, 4);
    session->max_early_data = (uint32_t)jtgi_read_number(&reader, 4);
    session->cipher_suite = (uint32_t)jtgi_read_number(&reader, 2);
    session->nonce_len = (size_t)jtgi_read_number(&reader, 1);
    session->ticket_len = (size_t)jtgi_read_number(&reader, 2);
    session->secret_len = (size_t)jtgi_read_number(&reader, 2);
    session->ticket = jtgi_read_bytes(&reader, session->ticket_len);
    session->nonce = jtgi_read_bytes(&reader, session->nonce_len);
    session->secret = jtgi_read_bytes(&reader, session->secret_len);
    return jtgi_reader_ended(&reader) && session->ticket_len != 0;
}

static jtg_status read_storage(const struct jtgi_record_sealer *sealer, const unsigned char *digest,
                               struct jtgi_span record, unsigned char *storage)
{
    const unsigned char *bytes = record.data;
    size_t header_len = header_size(sealer);
    struct jtgi_bound bound = {{bytes, header_len}, {digest, JTGI_ENDPOINT_DIGEST_BYTES}};
    struct jtgi_span rest = {bytes + header_len, record.len - header_len};
    if (!sealer->is_sealing) {
        memcpy(storage, rest.data, rest.len);
        return JTG_OK;
    }
    jtg_status status = jtgi_cipher_open(sealer->key, bytes + START_BYTES, &bound, rest, storage);
    return status == JTG_MISMATCH ? JTG_ERR_PROTOCOL : status;
}

jtg_status jtgi_dtls_record_read(const struct jtgi_record_sealer *sealer,
                                 const unsigned char digest[JTGI_ENDPOINT_DIGEST_BYTES],
                                 struct jtgi_span record, jtg_dtls_session *session, int64_t *epoch)
{
    const unsigned char *bytes = record.data;
    size_t around = header_size(sealer) + tag_size(sealer);
    if (record.len <= around + BODY_FIXED_BYTES || bytes[0] != FORMAT ||
        bytes[1] != sealer->is_sealing)
        return JTG_ERR_PROTOCOL;
    size_t storage_len = record.len - around;
    unsigned char *storage = jtgi_alloc(storage_len);
    if (storage == NULL)
        return JTG_ERR_MEMORY;
    jtg_status status = read_storage(sealer, digest, record, storage);
    if (status == JTG_OK && !read_body(session, epoch, storage, storage_len))
        status = JTG_ERR_PROTOCOL;
    if (status != JTG_OK) {
        jtgi_free_wiped(storage, storage_len);
        return status;
    }
    session->storage = storage;
    session->storage_len = storage_len;
    return JTG_OK;
}
