/* SPDX-License-Identifier: Apache-2.0 */
#include "tokens/tickets/key_blob.h"
#include "tokens/common/wire.h"

#include "core/clock.h"

#include <jtiguard/status.h>
#include <sodium.h>

enum { FORMAT = 1, CIPHER = 1, MAGIC_BYTES = 4, TIME_BYTES = 8 };
static const unsigned char magic[MAGIC_BYTES] = {'J', 'T', 'G', 'K'};

/* 9999-12-31: a time beyond it was never written, and none before it can overflow in a sum. */

struct jtgi_span jtgi_wrapper_zone(const struct jtgi_wrapper *wrapper)
{
    struct jtgi_span zone = {wrapper->zone, wrapper->zone_len};
    return zone;
}

jtg_status jtgi_wrapper_add(struct jtgi_wrapper *wrapper,
                            const unsigned char kek[JTGI_SECRET_BYTES])
{
    static const struct jtgi_span none = {NULL, 0};
    unsigned char *key = wrapper->keks[wrapper->kek_count].key;
    unsigned char *id = wrapper->keks[wrapper->kek_count].id;
    jtg_status status = jtgi_cipher_derive(kek, "jtiguard ticket key wrap 1",
                                           jtgi_wrapper_zone(wrapper), key, JTGI_SECRET_BYTES);
    if (status == JTG_OK)
        status = jtgi_cipher_derive(kek, "jtiguard ticket kek id 1", none, id, JTGI_KEK_ID_BYTES);
    wrapper->kek_count += status == JTG_OK;
    return status;
}

/* ---- writing ---- */

static void write_time(struct jtgi_writer *writer, int64_t ms)
{
    jtgi_write_number(writer, (uint64_t)ms, TIME_BYTES);
}

static size_t write_body(const struct jtgi_key_set *set, unsigned char *body)
{
    struct jtgi_writer writer = jtgi_writer_of(body, JTGI_BLOB_BODY_MAX_BYTES);
    write_time(&writer, set->revoked_ms);
    jtgi_write_number(&writer, set->count, 1);
    for (size_t i = 0; i < set->count; i++) {
        const struct jtgi_set_entry *entry = &set->entries[i];
        jtgi_write_bytes(&writer, entry->key->name, sizeof entry->key->name);
        jtgi_write_bytes(&writer, entry->key->secret, sizeof entry->key->secret);
        write_time(&writer, entry->published_ms);
        write_time(&writer, entry->not_before_ms);
        write_time(&writer, entry->encrypt_until_ms);
        write_time(&writer, entry->decrypt_until_ms);
    }
    return (size_t)(writer.at - body);
}

static void write_header(const struct jtgi_key_set *set, const struct jtgi_wrapper *wrapper,
                         int64_t written_ms, uint64_t kept_ms, const unsigned char *nonce,
                         unsigned char *header)
{
    struct jtgi_writer writer = jtgi_writer_of(header, JTGI_BLOB_HEADER_BYTES);
    jtgi_write_bytes(&writer, magic, sizeof magic);
    jtgi_write_number(&writer, FORMAT, 1);
    jtgi_write_number(&writer, CIPHER, 1);
    jtgi_write_bytes(&writer, wrapper->keks[0].id, JTGI_KEK_ID_BYTES);
    jtgi_write_bytes(&writer, set->epoch, sizeof set->epoch);
    jtgi_write_number(&writer, set->version, sizeof set->version);
    write_time(&writer, written_ms);
    jtgi_write_number(&writer, kept_ms, sizeof kept_ms);
    jtgi_write_bytes(&writer, nonce, JTGI_CIPHER_NONCE_BYTES);
}

jtg_status jtgi_key_blob_write(const struct jtgi_key_set *set, const struct jtgi_wrapper *wrapper,
                               int64_t written_ms, uint64_t kept_ms, unsigned char *blob,
                               size_t *blob_len)
{
    unsigned char body[JTGI_BLOB_BODY_MAX_BYTES];
    unsigned char nonce[JTGI_CIPHER_NONCE_BYTES];
    struct jtgi_bound bound = {{blob, JTGI_BLOB_HEADER_BYTES}, jtgi_wrapper_zone(wrapper)};
    struct jtgi_span plain = {body, write_body(set, body)};
    randombytes_buf(nonce, sizeof nonce);
    write_header(set, wrapper, written_ms, kept_ms, nonce, blob);
    jtg_status status =
        jtgi_cipher_seal(wrapper->keks[0].key, nonce, &bound, plain, blob + JTGI_BLOB_HEADER_BYTES);
    sodium_memzero(body, sizeof body);
    *blob_len = JTGI_BLOB_HEADER_BYTES + plain.len + JTGI_CIPHER_TAG_BYTES;
    return status;
}

/* ---- reading ---- */

static int64_t read_time(struct jtgi_reader *reader)
{
    uint64_t ms = jtgi_read_number(reader, TIME_BYTES);
    reader->good = reader->good && ms <= (uint64_t)JTGI_WALL_MAX_MS;
    return reader->good ? (int64_t)ms : 0;
}

static bool is_in_order(const struct jtgi_key_set *set, const struct jtgi_set_entry *entry)
{
    return entry->published_ms <= entry->not_before_ms &&
           entry->not_before_ms <= entry->encrypt_until_ms &&
           entry->encrypt_until_ms <= entry->decrypt_until_ms &&
           (set->count == 0 || set->entries[set->count - 1].not_before_ms <= entry->not_before_ms);
}

/* Share the key, or make it. */
static jtg_status get_key(struct jtgi_ticket_key **key, const struct jtgi_key_set *known,
                          const unsigned char *name, const unsigned char *secret,
                          struct jtgi_span zone)
{
    const struct jtgi_set_entry *entry = known != NULL ? jtgi_key_set_find(known, name) : NULL;
    if (entry != NULL && sodium_memcmp(entry->key->secret, secret, JTGI_SECRET_BYTES) == 0) {
        *key = jtgi_ticket_key_hold(entry->key);
        return JTG_OK;
    }
    return jtgi_ticket_key_new(key, name, secret, zone);
}

static jtg_status read_entry(struct jtgi_reader *reader, struct jtgi_key_set *set,
                             const struct jtgi_key_set *known, struct jtgi_span zone)
{
    struct jtgi_set_entry entry = {.key = NULL};
    const unsigned char *name = jtgi_read_bytes(reader, JTG_TICKET_NAME_BYTES);
    const unsigned char *secret = jtgi_read_bytes(reader, JTGI_SECRET_BYTES);
    entry.published_ms = read_time(reader);
    entry.not_before_ms = read_time(reader);
    entry.encrypt_until_ms = read_time(reader);
    entry.decrypt_until_ms = read_time(reader);
    if (!reader->good || !is_in_order(set, &entry) || jtgi_key_set_find(set, name) != NULL)
        return JTG_ERR_PROTOCOL;
    jtg_status status = get_key(&entry.key, known, name, secret, zone);
    if (status != JTG_OK)
        return status == JTG_ERR_ARGUMENT ? JTG_ERR_PROTOCOL : status;
    jtgi_key_set_add(set, &entry);
    return JTG_OK;
}

jtg_status jtgi_key_blob_read_body(struct jtgi_key_set *set, const struct jtgi_key_set *known,
                                   struct jtgi_span body, struct jtgi_span zone)
{
    struct jtgi_reader reader = jtgi_reader_of(body.data, body.len);
    set->revoked_ms = read_time(&reader);
    size_t count = (size_t)jtgi_read_number(&reader, 1);
    if (!reader.good || count == 0 || count > JTG_TICKET_KEYS_MAX)
        return JTG_ERR_PROTOCOL;
    for (size_t i = 0; i < count; i++) {
        jtg_status status = read_entry(&reader, set, known, zone);
        if (status != JTG_OK)
            return status;
    }
    return jtgi_reader_ended(&reader) ? JTG_OK : JTG_ERR_PROTOCOL;
}

/* What the header says, beyond the set. */
struct header {
    const unsigned char *kek_id;
    const unsigned char *nonce;
    int64_t written_ms;
    uint64_t kept_ms;
};

static jtg_status read_header(struct jtgi_key_set *set, struct header *header,
                              struct jtgi_span blob)
{
    struct jtgi_reader reader = jtgi_reader_of(blob.data, blob.len);
    const unsigned char *start = jtgi_read_bytes(&reader, sizeof magic);
    uint64_t format = jtgi_read_number(&reader, 1);
    uint64_t cipher = jtgi_read_number(&reader, 1);
    if (!reader.good || memcmp(start, magic, sizeof magic) != 0)
        return JTG_ERR_PROTOCOL;
    if (format != FORMAT || cipher != CIPHER)
        return JTG_ERR_UNSUPPORTED;
    header->kek_id = jtgi_read_bytes(&reader, JTGI_KEK_ID_BYTES);
    const unsigned char *epoch = jtgi_read_bytes(&reader, JTGI_EPOCH_BYTES);
    set->version = jtgi_read_number(&reader, sizeof set->version);
    header->written_ms = read_time(&reader);
    header->kept_ms = jtgi_read_number(&reader, sizeof header->kept_ms);
    header->nonce = jtgi_read_bytes(&reader, JTGI_CIPHER_NONCE_BYTES);
    if (!reader.good || set->version == 0 || header->kept_ms == 0 ||
        header->kept_ms > JTG_TTL_MAX_MS || blob.len > JTGI_BLOB_MAX_BYTES)
        return JTG_ERR_PROTOCOL;
    memcpy(set->epoch, epoch, sizeof set->epoch);
    return JTG_OK;
}

static const unsigned char *find_kek(const struct jtgi_wrapper *wrapper, const unsigned char *id)
{
    for (size_t i = 0; i < wrapper->kek_count; i++)
        if (memcmp(wrapper->keks[i].id, id, JTGI_KEK_ID_BYTES) == 0)
            return wrapper->keks[i].key;
    return NULL;
}

static jtg_status read_sealed(struct jtgi_key_set *set, const struct jtgi_key_set *known,
                              const struct jtgi_wrapper *wrapper, const struct header *header,
                              struct jtgi_span blob, jtg_error *err)
{
    unsigned char body[JTGI_BLOB_BODY_MAX_BYTES];
    struct jtgi_bound bound = {{blob.data, JTGI_BLOB_HEADER_BYTES}, jtgi_wrapper_zone(wrapper)};
    struct jtgi_span sealed = {(const unsigned char *)blob.data + JTGI_BLOB_HEADER_BYTES,
                               blob.len - JTGI_BLOB_HEADER_BYTES};
    const unsigned char *kek = find_kek(wrapper, header->kek_id);
    if (kek == NULL)
        return jtg_error_set(err, JTG_ERR_PROTOCOL, 0,
                             "the set of ticket keys is wrapped under another KEK");
    jtg_status status = jtgi_cipher_open(kek, header->nonce, &bound, sealed, body);
    if (status == JTG_MISMATCH)
        return jtg_error_set(err, JTG_ERR_PROTOCOL, 0,
                             "the set of ticket keys is not authentic, or of another zone");
    if (status == JTG_OK) {
        struct jtgi_span plain = {body, sealed.len - JTGI_CIPHER_TAG_BYTES};
        status = jtgi_key_blob_read_body(set, known, plain, jtgi_wrapper_zone(wrapper));
    }
    sodium_memzero(body, sizeof body);
    return status;
}

static jtg_status read_whole(struct jtgi_key_set *set, const struct jtgi_key_set *known,
                             const struct jtgi_wrapper *wrapper, struct jtgi_span blob,
                             uint64_t ttl_ms, jtg_error *err)
{
    struct header header = {NULL, NULL, 0, 0};
    jtg_status status = read_header(set, &header, blob);
    if (status == JTG_OK)
        status = read_sealed(set, known, wrapper, &header, blob, err);
    if (status == JTG_ERR_PROTOCOL)
        return jtg_error_set(err, status, 0, "the value in the store is no set of ticket keys");
    if (status == JTG_ERR_UNSUPPORTED)
        return jtg_error_set(err, status, 0, "the set of ticket keys has a newer format");
    /* More than all of it left: the store's clock was set back. */
    uint64_t age_ms = ttl_ms < header.kept_ms ? header.kept_ms - ttl_ms : 0;
    set->anchor.set_ms = header.written_ms + (int64_t)age_ms;
    return status;
}

jtg_status jtgi_key_blob_read(struct jtgi_key_set **set, const struct jtgi_wrapper *wrapper,
                              const struct jtgi_key_set *known, struct jtgi_span blob,
                              uint64_t ttl_ms, jtg_error *err)
{
    *set = NULL;
    struct jtgi_key_set *read = jtgi_key_set_new();
    if (read == NULL)
        return JTG_ERR_MEMORY;
    jtg_status status = read_whole(read, known, wrapper, blob, ttl_ms, err);
    if (status == JTG_OK)
        *set = read;
    else
        jtgi_key_set_drop(read);
    return status;
}
