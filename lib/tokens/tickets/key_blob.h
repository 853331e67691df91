/* SPDX-License-Identifier: Apache-2.0 */
/* A set of keys as it lies in the store: one value, wrapped under the key-encryption key (KEK).
 *
 *   header  "JTGK"  format 1 (1 byte)  cipher 1 (1)  KEK id (8)  epoch (16)  version (8)
 *           written_ms (8)  kept_ms (8)  nonce (24)
 *   body    revoked_ms (8)  count (1)  count times: name (16)  secret (32)  published_ms (8)
 *           not_before_ms (8)  encrypt_until_ms (8)  decrypt_until_ms (8)
 *   tag     16
 *
 * Numbers are big-endian. The body is encrypted; the header and the zone are authenticated. The
 * value is stored for kept_ms, so what the store says is left of it tells how long ago written_ms
 * was. */
#ifndef JTGI_TOKENS_TICKETS_KEY_BLOB_H
#define JTGI_TOKENS_TICKETS_KEY_BLOB_H

#include "tokens/tickets/key_set.h"

enum {
    JTGI_KEK_ID_BYTES = 8,
    JTGI_BLOB_HEADER_BYTES = 78,
    JTGI_BLOB_ENTRY_BYTES = 80,
    JTGI_BLOB_BODY_MAX_BYTES = 9 + JTG_TICKET_KEYS_MAX * JTGI_BLOB_ENTRY_BYTES,
    JTGI_BLOB_MAX_BYTES = JTGI_BLOB_HEADER_BYTES + JTGI_BLOB_BODY_MAX_BYTES + JTGI_CIPHER_TAG_BYTES
};

/* The KEKs of an object, and its zone. Lies in locked memory. */
struct jtgi_wrapper {
    struct {
        unsigned char key[JTGI_SECRET_BYTES];
        unsigned char id[JTGI_KEK_ID_BYTES];
    } keks[2]; /* the first wraps, both unwrap */
    size_t kek_count;
    size_t zone_len;
    char zone[JTG_TICKET_ZONE_MAX_BYTES];
};

struct jtgi_span jtgi_wrapper_zone(const struct jtgi_wrapper *wrapper);

/* Set one of keks from the KEK itself. The zone is set before. */
jtg_status jtgi_wrapper_add(struct jtgi_wrapper *wrapper,
                            const unsigned char kek[JTGI_SECRET_BYTES]);

/* blob has room for JTGI_BLOB_MAX_BYTES. Returns: JTG_OK · JTG_ERR_MEMORY · JTG_ERR_SYSTEM */
jtg_status jtgi_key_blob_write(const struct jtgi_key_set *set, const struct jtgi_wrapper *wrapper,
                               int64_t written_ms, uint64_t kept_ms, unsigned char *blob,
                               size_t *blob_len);

/* *set is held once; its anchor's set_ms is the time of the set when ttl_ms was left of the value.
 * Keys that `known` (or NULL) has too are shared with it: nothing is derived anew, and their seals
 * go on being counted. Returns: JTG_OK · JTG_ERR_PROTOCOL (no set, another KEK, not authentic,
 * another zone) · JTG_ERR_UNSUPPORTED (a newer format) · JTG_ERR_MEMORY · JTG_ERR_SYSTEM */
jtg_status jtgi_key_blob_read(struct jtgi_key_set **set, const struct jtgi_wrapper *wrapper,
                              const struct jtgi_key_set *known, struct jtgi_span blob,
                              uint64_t ttl_ms, jtg_error *err);

/* The body alone, into an empty set. Returns: JTG_OK · JTG_ERR_PROTOCOL · JTG_ERR_MEMORY ·
 * JTG_ERR_SYSTEM */
jtg_status jtgi_key_blob_read_body(struct jtgi_key_set *set, const struct jtgi_key_set *known,
                                   struct jtgi_span body, struct jtgi_span zone);

#endif
