/* SPDX-License-Identifier: Apache-2.0 */
/* One TLS ticket as it lies in the file, whom it is for, and the keys that hide either. */
#ifndef JTGI_TOKENS_TLS_TLS_ENTRY_H
#define JTGI_TOKENS_TLS_TLS_ENTRY_H

#include "tokens/common/cipher.h"
#include "tokens/common/endpoint.h"

#include <jtiguard/tls_tickets.h>
#include <stdint.h>

enum {
    JTGI_TLS_ID_BYTES = 16,
    JTGI_TLS_CHECK_BYTES = 8,
    JTGI_TLS_SITE_BYTES = JTGI_HOST_BYTES + sizeof "[]:65535",
    JTGI_TLS_SEALED_MORE_BYTES = JTGI_CIPHER_NONCE_BYTES + JTGI_CIPHER_TAG_BYTES,
    JTGI_TLS_BYTES_MAX = JTG_TLS_TICKET_MAX_BYTES + JTGI_TLS_SEALED_MORE_BYTES + JTG_TLS_PIN_BYTES
};

/* In locked memory (core/alloc.h). */
struct jtgi_tls_keys {
    bool is_sealing;
    bool is_hiding;
    unsigned char seal[JTGI_SECRET_BYTES];
    unsigned char hide[JTGI_SECRET_BYTES];
};

/* Derive both from the key of the key file. Returns: JTG_OK · JTG_ERR_MEMORY · JTG_ERR_SYSTEM */
jtg_status jtgi_tls_keys_derive(struct jtgi_tls_keys *keys,
                                const unsigned char key[JTGI_SECRET_BYTES]);

/* Whom a ticket is for, in three widths: host and port (what is invalidated); with the parameters
 * (what shows one certificate); with the ALPN (what a ticket can be used for). The last two are
 * digests. site is `host:port`; all are keyed digests where names are hidden. */
struct jtgi_tls_place {
    char site[JTGI_TLS_SITE_BYTES];
    unsigned char trust[JTGI_ENDPOINT_DIGEST_BYTES];
    unsigned char endpoint[JTGI_ENDPOINT_DIGEST_BYTES];
};

/* Returns: JTG_OK · JTG_ERR_ARGUMENT */
jtg_status jtgi_tls_place_find(const struct jtgi_tls_keys *keys, const jtg_endpoint *endpoint,
                               struct jtgi_tls_place *place, jtg_error *err);

/* A pin as the file has it. Anybody can ask a host for its key: where names are hidden, a pin would
 * tell them, so it is a keyed digest too. */
void jtgi_tls_pin_find(const struct jtgi_tls_keys *keys, const unsigned char pin[JTG_TLS_PIN_BYTES],
                       unsigned char kept[JTG_TLS_PIN_BYTES]);

struct jtgi_tls_entry {
    struct jtgi_tls_place place;
    unsigned char id[JTGI_TLS_ID_BYTES];  /* by which a second copy is known */
    unsigned char pin[JTG_TLS_PIN_BYTES]; /* jtgi_tls_pin_find() */
    int64_t stored_ms;
    uint32_t lifetime_s; /* the server's, 1 … 7 days */
    bool is_sealed;
    size_t len;
    unsigned char bytes[]; /* the ticket, hidden: behind the pin; sealed: nonce, ciphertext, tag */
};

/* Room for len bytes, or NULL. */
struct jtgi_tls_entry *jtgi_tls_entry_new(size_t len);
struct jtgi_tls_entry *jtgi_tls_entry_copy(const struct jtgi_tls_entry *entry);
void jtgi_tls_entry_free(struct jtgi_tls_entry *entry); /* wipes it; NULL does nothing */

/* An entry of a caller's ticket, sealed where keys say so. *entry is NULL unless JTG_OK.
 * Returns: JTG_OK · JTG_ERR_MEMORY · JTG_ERR_SYSTEM */
jtg_status jtgi_tls_entry_make(const struct jtgi_tls_keys *keys, const struct jtgi_tls_place *place,
                               const jtg_tls_ticket *ticket, int64_t now_ms,
                               struct jtgi_tls_entry **entry);

/* The ticket of an entry, in storage of its own. Returns: JTG_OK · JTG_MISMATCH (not authentic, or
 * not sealed where it has to be, or sealed and there is no key) · JTG_ERR_MEMORY · JTG_ERR_SYSTEM
 */
jtg_status jtgi_tls_entry_open(const struct jtgi_tls_keys *keys, const struct jtgi_tls_entry *entry,
                               int64_t now_ms, uint32_t max_age_s, jtg_tls_ticket *ticket);

/* Tells a disk's error from an entry. Not a protection against anybody: who can write the file can
 * compute it. */
void jtgi_tls_entry_check(const struct jtgi_tls_entry *entry,
                          unsigned char check[JTGI_TLS_CHECK_BYTES]);

/* When it ends, by the server and by max_age_s. */
int64_t jtgi_tls_entry_end_ms(const struct jtgi_tls_entry *entry, uint32_t max_age_s);

/* Not ended, and not dated later than now. */
bool jtgi_tls_entry_is_live(const struct jtgi_tls_entry *entry, int64_t now_ms, uint32_t max_age_s);

#endif
