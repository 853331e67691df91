/* SPDX-License-Identifier: Apache-2.0 */
/* One ticket key: its name, its secret, and what is derived from it. */
#ifndef JTGI_TOKENS_TICKETS_TICKET_KEY_H
#define JTGI_TOKENS_TICKETS_TICKET_KEY_H

#include "tokens/common/cipher.h"

#include <jtiguard/ticket_keys.h>
#include <stdatomic.h>

/* Lies in pages that are locked where the system allows it, kept out of core dumps, and wiped at
 * the end (sodium_malloc()). Shared by the sets of keys that follow each other, so that its count
 * of seals goes on. */
struct jtgi_ticket_key {
    _Atomic uint64_t seals;
    atomic_uint holders;
    unsigned char name[JTG_TICKET_NAME_BYTES];
    unsigned char secret[JTGI_SECRET_BYTES];
    unsigned char aead[JTGI_SECRET_BYTES];
    unsigned char cbc[2 * JTGI_SECRET_BYTES]; /* cipher key, MAC key */
};

/* Make a key of a secret that was read, held once. The keys derived from it are bound to the zone.
 * Returns: JTG_OK · JTG_ERR_ARGUMENT (weak, or a name of zeros) · JTG_ERR_MEMORY · JTG_ERR_SYSTEM
 */
jtg_status jtgi_ticket_key_new(struct jtgi_ticket_key **key,
                               const unsigned char name[JTG_TICKET_NAME_BYTES],
                               const unsigned char secret[JTGI_SECRET_BYTES],
                               struct jtgi_span zone);

/* The same with a name and a secret that are drawn. */
jtg_status jtgi_ticket_key_draw(struct jtgi_ticket_key **key, struct jtgi_span zone);

struct jtgi_ticket_key *jtgi_ticket_key_hold(struct jtgi_ticket_key *key);
/* The last one wipes and frees it. NULL is fine. */
void jtgi_ticket_key_drop(struct jtgi_ticket_key *key);

/* Count one more seal, unless there were `most` of them. */
bool jtgi_ticket_key_count_seal(struct jtgi_ticket_key *key, uint64_t most);

#endif
