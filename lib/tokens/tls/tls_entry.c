/* SPDX-License-Identifier: Apache-2.0 */
#include "tokens/tls/tls_entry.h"
#include "tokens/common/wire.h"

#include "core/alloc.h"
#include "core/digest.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum { MS_PER_S = 1000 };

static const char site_label[] = "jtiguard tls site 1";
static const char trust_label[] = "jtiguard tls trust 1";
static const char endpoint_label[] = "jtiguard tls endpoint 1";
static const char entry_label[] = "jtiguard tls entry 1";
static const char ticket_label[] = "jtiguard tls ticket 1";

jtg_status jtgi_tls_keys_derive(struct jtgi_tls_keys *keys,
                                const unsigned char key[JTGI_SECRET_BYTES])
{
    static const struct jtgi_span none = {NULL, 0};
    jtg_status status =
        jtgi_cipher_derive(key, "jtiguard tls seal 1", none, keys->seal, sizeof keys->seal);
    if (status == JTG_OK)
        status =
            jtgi_cipher_derive(key, "jtiguard tls hide 1", none, keys->hide, sizeof keys->hide);
    return status;
}

/* ---- whom it is for ---- */

static void hide(const struct jtgi_tls_keys *keys, unsigned char digest[JTGI_ENDPOINT_DIGEST_BYTES])
{
    if (keys->is_hiding)
        (void)crypto_auth_hmacsha256(digest, digest, JTGI_ENDPOINT_DIGEST_BYTES, keys->hide);
}

static jtg_status name_site(const struct jtgi_tls_keys *keys, const jtg_endpoint *endpoint,
                            char site[JTGI_TLS_SITE_BYTES], jtg_error *err)
{
    unsigned char digest[JTGI_ENDPOINT_DIGEST_BYTES];
    char host[JTGI_HOST_BYTES];
    jtg_endpoint bare = *endpoint;
    bare.alpn_len = 0;
    bare.parameters_len = 0;
    jtg_status status = jtgi_endpoint_digest(&bare, site_label, "", digest, err);
    if (status != JTG_OK)
        return status;
    hide(keys, digest);
    if (keys->is_hiding)
        jtgi_endpoint_key("", digest, site, JTGI_TLS_SITE_BYTES);
    else if (jtgi_host_normalise(endpoint->host, host))
        (void)snprintf(site, JTGI_TLS_SITE_BYTES, strchr(host, ':') != NULL ? "[%s]:%u" : "%s:%u",
                       host, (unsigned)endpoint->port);
    return JTG_OK;
}

jtg_status jtgi_tls_place_find(const struct jtgi_tls_keys *keys, const jtg_endpoint *endpoint,
                               struct jtgi_tls_place *place, jtg_error *err)
{
    jtg_endpoint trusted = *endpoint;
    trusted.alpn_len = 0;
    memset(place, 0, sizeof *place);
    jtg_status status = jtgi_endpoint_digest(endpoint, endpoint_label, "", place->endpoint, err);
    if (status == JTG_OK)
        status = jtgi_endpoint_digest(&trusted, trust_label, "", place->trust, err);
    if (status == JTG_OK)
        status = name_site(keys, endpoint, place->site, err);
    hide(keys, place->endpoint);
    hide(keys, place->trust);
    return status;
}

void jtgi_tls_pin_find(const struct jtgi_tls_keys *keys, const unsigned char pin[JTG_TLS_PIN_BYTES],
                       unsigned char kept[JTG_TLS_PIN_BYTES])
{
    memcpy(kept, pin, JTG_TLS_PIN_BYTES);
    hide(keys, kept);
}

/* ---- an entry ---- */

struct jtgi_tls_entry *jtgi_tls_entry_new(size_t len)
{
    struct jtgi_tls_entry *entry = jtgi_alloc(sizeof *entry + len);
    if (entry != NULL)
        entry->len = len;
    return entry;
}

struct jtgi_tls_entry *jtgi_tls_entry_copy(const struct jtgi_tls_entry *entry)
{
    struct jtgi_tls_entry *copy = jtgi_tls_entry_new(entry->len);
    if (copy != NULL)
        memcpy(copy, entry, sizeof *entry + entry->len);
    return copy;
}

void jtgi_tls_entry_free(struct jtgi_tls_entry *entry)
{
    if (entry != NULL)
        jtgi_free_wiped(entry, sizeof *entry + entry->len);
}

static void add_number(struct jtgi_digest *digest, uint64_t number)
{
    unsigned char bytes[sizeof number];
    struct jtgi_writer writer = jtgi_writer_of(bytes, sizeof bytes);
    jtgi_write_number(&writer, number, sizeof bytes);
    jtgi_digest_part(digest, bytes, sizeof bytes);
}

/* All that is known of a ticket but its bytes: what a sealed one is bound to. */
static void begin_digest(struct jtgi_digest *digest, const struct jtgi_tls_entry *entry)
{
    const struct jtgi_tls_place *place = &entry->place;
    jtgi_digest_begin(digest);
    jtgi_digest_part(digest, entry_label, sizeof entry_label);
    jtgi_digest_part(digest, place->site, strlen(place->site));
    jtgi_digest_part(digest, place->trust, sizeof place->trust);
    jtgi_digest_part(digest, place->endpoint, sizeof place->endpoint);
    jtgi_digest_part(digest, entry->id, sizeof entry->id);
    jtgi_digest_part(digest, entry->pin, sizeof entry->pin);
    add_number(digest, (uint64_t)entry->stored_ms);
    add_number(digest, entry->lifetime_s);
    add_number(digest, entry->is_sealed);
}

void jtgi_tls_entry_check(const struct jtgi_tls_entry *entry,
                          unsigned char check[JTGI_TLS_CHECK_BYTES])
{
    unsigned char bytes[JTGI_DIGEST_BYTES];
    struct jtgi_digest digest;
    begin_digest(&digest, entry);
    jtgi_digest_part(&digest, entry->bytes, entry->len);
    jtgi_digest_end(&digest, bytes);
    memcpy(check, bytes, JTGI_TLS_CHECK_BYTES);
    sodium_memzero(&digest, sizeof digest);
}

static void bind_to(const struct jtgi_tls_entry *entry, unsigned char bytes[JTGI_DIGEST_BYTES],
                    struct jtgi_bound *bound)
{
    struct jtgi_digest digest;
    begin_digest(&digest, entry);
    jtgi_digest_end(&digest, bytes);
    bound->header = (struct jtgi_span){bytes, JTGI_DIGEST_BYTES};
    bound->context = (struct jtgi_span){NULL, 0};
}

/* Of the ticket alone, whatever it is put for: one ticket is one use. */
static void identify(const jtg_tls_ticket *ticket, unsigned char id[JTGI_TLS_ID_BYTES])
{
    unsigned char bytes[JTGI_DIGEST_BYTES];
    struct jtgi_digest digest;
    bool named = ticket->identity_len != 0;
    jtgi_digest_begin(&digest);
    jtgi_digest_part(&digest, ticket_label, sizeof ticket_label);
    jtgi_digest_part(&digest, named ? ticket->identity : ticket->ticket,
                     named ? ticket->identity_len : ticket->ticket_len);
    jtgi_digest_end(&digest, bytes);
    memcpy(id, bytes, JTGI_TLS_ID_BYTES);
    sodium_memzero(&digest, sizeof digest);
}

/* What an entry has more than the ticket. */
static size_t more_bytes(const struct jtgi_tls_keys *keys)
{
    return (keys->is_sealing ? (size_t)JTGI_TLS_SEALED_MORE_BYTES : 0) +
           (keys->is_hiding ? (size_t)JTG_TLS_PIN_BYTES : 0);
}

static jtg_status seal_plain(const struct jtgi_tls_keys *keys, struct jtgi_span plain,
                             struct jtgi_tls_entry *entry)
{
    unsigned char digest[JTGI_DIGEST_BYTES];
    struct jtgi_bound bound;
    bind_to(entry, digest, &bound);
    randombytes_buf(entry->bytes, JTGI_CIPHER_NONCE_BYTES);
    return jtgi_cipher_seal(keys->seal, entry->bytes, &bound, plain,
                            entry->bytes + JTGI_CIPHER_NONCE_BYTES);
}

static jtg_status seal(const struct jtgi_tls_keys *keys, const jtg_tls_ticket *ticket,
                       struct jtgi_tls_entry *entry)
{
    struct jtgi_span plain = {ticket->ticket, ticket->ticket_len};
    if (!keys->is_hiding)
        return seal_plain(keys, plain, entry);
    size_t len = JTG_TLS_PIN_BYTES + plain.len;
    unsigned char *both = jtgi_alloc(len);
    if (both == NULL)
        return JTG_ERR_MEMORY;
    memcpy(both, ticket->pin, JTG_TLS_PIN_BYTES);
    memcpy(both + JTG_TLS_PIN_BYTES, plain.data, plain.len);
    jtg_status status = seal_plain(keys, (struct jtgi_span){both, len}, entry);
    jtgi_free_wiped(both, len);
    return status;
}

jtg_status jtgi_tls_entry_make(const struct jtgi_tls_keys *keys, const struct jtgi_tls_place *place,
                               const jtg_tls_ticket *ticket, int64_t now_ms,
                               struct jtgi_tls_entry **entry)
{
    jtg_status status = JTG_OK;
    *entry = NULL;
    struct jtgi_tls_entry *made = jtgi_tls_entry_new(ticket->ticket_len + more_bytes(keys));
    if (made == NULL)
        return JTG_ERR_MEMORY;
    made->place = *place;
    identify(ticket, made->id);
    jtgi_tls_pin_find(keys, ticket->pin, made->pin);
    made->stored_ms = now_ms;
    made->lifetime_s = ticket->lifetime_s < JTG_TLS_LIFETIME_S_LIMIT ? ticket->lifetime_s
                                                                     : JTG_TLS_LIFETIME_S_LIMIT;
    made->is_sealed = keys->is_sealing;
    if (made->is_sealed)
        status = seal(keys, ticket, made);
    else
        memcpy(made->bytes, ticket->ticket, ticket->ticket_len);
    if (status == JTG_OK)
        *entry = made;
    else
        jtgi_tls_entry_free(made);
    return status;
}

static jtg_status unseal(const struct jtgi_tls_keys *keys, const struct jtgi_tls_entry *entry,
                         unsigned char *plain)
{
    unsigned char digest[JTGI_DIGEST_BYTES];
    struct jtgi_bound bound;
    struct jtgi_span sealed = {entry->bytes + JTGI_CIPHER_NONCE_BYTES,
                               entry->len - JTGI_CIPHER_NONCE_BYTES};
    bind_to(entry, digest, &bound);
    return jtgi_cipher_open(keys->seal, entry->bytes, &bound, sealed, plain);
}

jtg_status jtgi_tls_entry_open(const struct jtgi_tls_keys *keys, const struct jtgi_tls_entry *entry,
                               int64_t now_ms, uint32_t max_age_s, jtg_tls_ticket *ticket)
{
    size_t hidden = keys->is_hiding ? JTG_TLS_PIN_BYTES : 0;
    if (entry->is_sealed != keys->is_sealing || entry->len <= more_bytes(keys))
        return JTG_MISMATCH;
    size_t len = entry->len - more_bytes(keys) + hidden;
    unsigned char *storage = jtgi_alloc(len);
    if (storage == NULL)
        return JTG_ERR_MEMORY;
    jtg_status status = JTG_OK;
    if (entry->is_sealed)
        status = unseal(keys, entry, storage);
    else
        memcpy(storage, entry->bytes, len);
    if (status != JTG_OK) {
        jtgi_free_wiped(storage, len);
        return status;
    }
    ticket->storage = storage;
    ticket->storage_len = len;
    ticket->ticket = storage + hidden;
    ticket->ticket_len = len - hidden;
    memcpy(ticket->pin, hidden != 0 ? storage : entry->pin, sizeof ticket->pin);
    ticket->lifetime_s = entry->lifetime_s;
    ticket->stored_ms = entry->stored_ms;
    ticket->age_ms = (uint64_t)(now_ms - entry->stored_ms);
    ticket->left_ms = (uint64_t)(jtgi_tls_entry_end_ms(entry, max_age_s) - now_ms);
    return JTG_OK;
}

int64_t jtgi_tls_entry_end_ms(const struct jtgi_tls_entry *entry, uint32_t max_age_s)
{
    uint32_t lives_s = entry->lifetime_s < max_age_s ? entry->lifetime_s : max_age_s;
    return entry->stored_ms + MS_PER_S * (int64_t)lives_s;
}

bool jtgi_tls_entry_is_live(const struct jtgi_tls_entry *entry, int64_t now_ms, uint32_t max_age_s)
{
    return entry->stored_ms <= now_ms && now_ms < jtgi_tls_entry_end_ms(entry, max_age_s);
}
