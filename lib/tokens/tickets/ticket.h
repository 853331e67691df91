/* SPDX-License-Identifier: Apache-2.0 */
/* A ticket, byte for byte:
 *
 *   header  key name (16)  format 1 (1)  kind (1)  zone tag (4)  nonce (24)
 *   body    issued_ms (8)  lifetime_s (4)  then of kind 1, a session:
 *             cipher_suite (2)  max_early_data (4)  age_add (4)  psk_len (1)  nonce_len (1)
 *             app_len (2)  psk  nonce  app
 *           of kind 2: the caller's bytes
 *   tag     16
 *
 * Numbers are big-endian. The body is encrypted, its times too: a ticket is seen on the wire, and
 * should say no more than which key opens it. The header and the whole zone are authenticated; the
 * zone tag, the start of SHA-256("jtiguard ticket zone 1", NUL, zone), is there only to tell a
 * stray ticket from a forged one. */
#ifndef JTGI_TOKENS_TICKETS_TICKET_H
#define JTGI_TOKENS_TICKETS_TICKET_H

#include "tokens/tickets/ticket_key.h"

enum {
    JTGI_ZONE_TAG_BYTES = 4,
    JTGI_TICKET_HEADER_BYTES = 46,
    JTGI_TICKET_TIMES_BYTES = 12,
    JTGI_TICKET_LEAST_BYTES =
        JTGI_TICKET_HEADER_BYTES + JTGI_TICKET_TIMES_BYTES + JTGI_CIPHER_TAG_BYTES
};

enum jtgi_ticket_kind { JTGI_TICKET_SESSION = 1, JTGI_TICKET_BYTES = 2 };

/* What all tickets of a zone are bound to. */
struct jtgi_ticket_zone {
    struct jtgi_span name;
    unsigned char tag[JTGI_ZONE_TAG_BYTES];
};

void jtgi_ticket_zone_init(struct jtgi_ticket_zone *zone, struct jtgi_span name);

struct jtgi_ticket_times {
    int64_t issued_ms;
    uint32_t lifetime_s;
};

/* Seal body, whose first JTGI_TICKET_TIMES_BYTES this fills in. ticket has room for body.len +
 * JTGI_TICKET_HEADER_BYTES + JTGI_CIPHER_TAG_BYTES. Returns: JTG_OK · JTG_ERR_MEMORY ·
 * JTG_ERR_SYSTEM */
jtg_status jtgi_ticket_seal(const struct jtgi_ticket_key *key, const struct jtgi_ticket_zone *zone,
                            enum jtgi_ticket_kind kind, const struct jtgi_ticket_times *times,
                            unsigned char *body, size_t body_len, unsigned char *ticket);

/* Does it look like one of ours? JTG_TICKET_DONE · MALFORMED · WRONG_ZONE */
jtg_ticket_reason jtgi_ticket_check(const struct jtgi_ticket_zone *zone, enum jtgi_ticket_kind kind,
                                    struct jtgi_span ticket);

/* Open one that looks so, with the key of its name. body has room for the ticket less
 * JTGI_TICKET_HEADER_BYTES and JTGI_CIPHER_TAG_BYTES. Returns: JTG_OK · JTG_MISMATCH ·
 * JTG_ERR_MEMORY · JTG_ERR_SYSTEM */
jtg_status jtgi_ticket_open(const struct jtgi_ticket_key *key, const struct jtgi_ticket_zone *zone,
                            struct jtgi_span ticket, unsigned char *body,
                            struct jtgi_ticket_times *times);

/* The bytes that a session's body has; 0 where a field is out of its range. */
size_t jtgi_session_size(const jtg_ticket_session *session);
/* Write a session whose size is known, but for the times. */
void jtgi_session_write(const jtg_ticket_session *session, unsigned char *body, size_t body_len);
/* Let session point into body; times and storage are the caller's matter. False: malformed. */
bool jtgi_session_read(jtg_ticket_session *session, const unsigned char *body, size_t body_len);

#endif
