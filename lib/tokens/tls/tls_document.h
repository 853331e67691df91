/* SPDX-License-Identifier: Apache-2.0 */
/* What a file of TLS tickets holds, in memory: tickets, the ids of those that are used up, and the
 * last key that each server has shown. */
#ifndef JTGI_TOKENS_TLS_TLS_DOCUMENT_H
#define JTGI_TOKENS_TLS_TLS_DOCUMENT_H

#include "tokens/tls/tls_entry.h"

/* A ticket that was used up, or invalidated, until it would have ended: what keeps a second copy
 * of it out. */
struct jtgi_tls_tombstone {
    unsigned char id[JTGI_TLS_ID_BYTES];
    int64_t end_s;
};

struct jtgi_tls_pin {
    unsigned char trust[JTGI_ENDPOINT_DIGEST_BYTES];
    unsigned char pin[JTG_TLS_PIN_BYTES];
    int64_t seen_ms;
};

/* Start from {0}. */
struct jtgi_tls_document {
    struct jtgi_tls_entry **tickets; /* the oldest first */
    size_t ticket_count;
    size_t ticket_room;
    struct jtgi_tls_tombstone *consumed; /* by id */
    size_t consumed_count;
    size_t consumed_room;
    struct jtgi_tls_pin *pins; /* in the order in which they were first seen */
    size_t pin_count;
    size_t pin_room;
    uint32_t ended;      /* entries that were left out because their time is over */
    uint32_t unreadable; /* … or because they are none of ours */
};

struct jtgi_tls_limits {
    uint32_t max_age_s;
    uint32_t per_endpoint;
    uint32_t tickets;
    uint32_t consumed;
    bool sealed_only; /* an entry in clear is dropped */
};

void jtgi_tls_document_clear(struct jtgi_tls_document *document); /* wipes it */

/* What a reader finds, one after the other; jtgi_tls_document_settle() afterwards. entry is taken,
 * also on failure. Returns: JTG_OK · JTG_ERR_MEMORY */
jtg_status jtgi_tls_document_append(struct jtgi_tls_document *document,
                                    struct jtgi_tls_entry *entry);
jtg_status jtgi_tls_document_append_consumed(struct jtgi_tls_document *document,
                                             const struct jtgi_tls_tombstone *tombstone);
jtg_status jtgi_tls_document_append_pin(struct jtgi_tls_document *document,
                                        const struct jtgi_tls_pin *pin);

/* Bring all in order, and drop what no writer of ours leaves: an id twice, or one that is used up.
 * Returns: JTG_OK · JTG_ERR_MEMORY */
jtg_status jtgi_tls_document_settle(struct jtgi_tls_document *document);

/* Drop what has ended. */
void jtgi_tls_document_forget(struct jtgi_tls_document *document, int64_t now_ms,
                              const struct jtgi_tls_limits *limits);

/* No less than it takes in the file: what stands around each value, and numbers at their longest.
 */
size_t jtgi_tls_document_size(const struct jtgi_tls_document *document);

/* Put an entry as a caller does; what the limits push out goes. entry is taken, also on failure.
 * Returns: JTG_OK (see fate) · JTG_ERR_MEMORY */
jtg_status jtgi_tls_document_put(struct jtgi_tls_document *document, struct jtgi_tls_entry *entry,
                                 const struct jtgi_tls_limits *limits, jtg_tls_fate *fate);

/* The place of the newest ticket before `before` that is for this endpoint and pin (NULL = any), or
 * SIZE_MAX. Begin with before = ticket_count. */
size_t jtgi_tls_document_newest(const struct jtgi_tls_document *document,
                                const unsigned char endpoint[JTGI_ENDPOINT_DIGEST_BYTES],
                                const unsigned char *pin, size_t before);

/* Is this id there, among the tickets or the consumed? */
bool jtgi_tls_document_has(const struct jtgi_tls_document *document,
                           const unsigned char id[JTGI_TLS_ID_BYTES]);
bool jtgi_tls_document_is_consumed(const struct jtgi_tls_document *document,
                                   const unsigned char id[JTGI_TLS_ID_BYTES]);

/* Remove a ticket and remember it as used up. Never one without the other: the table of the
 * consumed refuses when it is full, it forgets none that could come back. *entry is the caller's.
 * Returns: JTG_OK · JTG_ERR_FULL · JTG_ERR_MEMORY */
jtg_status jtgi_tls_document_use_up(struct jtgi_tls_document *document, size_t at,
                                    const struct jtgi_tls_limits *limits,
                                    struct jtgi_tls_entry **entry);

/* Remove a ticket that cannot be read. */
void jtgi_tls_document_drop(struct jtgi_tls_document *document, size_t at);

/* Remove the tickets of a site, and remember them as used up while there is room for that: none of
 * them was handed out. Returns: JTG_OK · JTG_NOT_FOUND · JTG_ERR_MEMORY (nothing was changed) */
jtg_status jtgi_tls_document_invalidate(struct jtgi_tls_document *document, const char *site,
                                        const struct jtgi_tls_limits *limits);

/* Remove a ticket, or a pin, and remember nothing: it is elsewhere now. */
void jtgi_tls_document_discard(struct jtgi_tls_document *document,
                               const unsigned char id[JTGI_TLS_ID_BYTES]);
void jtgi_tls_document_unsee(struct jtgi_tls_document *document, const struct jtgi_tls_pin *pin);

/* Remember a pin, unless a later one is known, and drop the tickets of others. *changed becomes
 * true where that is worth writing. Returns: JTG_OK · JTG_ERR_MEMORY (nothing was changed) */
jtg_status jtgi_tls_document_see(struct jtgi_tls_document *document, const struct jtgi_tls_pin *pin,
                                 const struct jtgi_tls_limits *limits, bool *changed);

#endif
