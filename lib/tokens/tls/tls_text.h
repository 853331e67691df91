/* SPDX-License-Identifier: Apache-2.0 */
/* The file of TLS tickets as JSON:
 *
 *   {"magic": "jtiguard-tls-tickets", "version": 1,
 *    "tickets": [{"id": …, "site": "example.org:443", "endpoint": …, "trust": …, "pin": …,
 *                 "stored": ms since 1970, "lifetime": seconds, "ticket" or "sealed": …,
 *                 "check": …}, …],
 *    "consumed": [id (16 bytes), end in seconds since 1970 (5), check (3); …],
 *    "pins": [{"trust": …, "pin": …, "seen": ms, "check": …}, …]}
 *
 * Bytes are base64url without padding. Whoever reads JSON can read it; what is read here is what is
 * written here, member by member and without a blank, so that no parser of JSON is needed, which
 * would hold tickets in memory that nobody wipes (docs/decisions/0017-ticket-file-text.md). */
#ifndef JTGI_TOKENS_TLS_TLS_TEXT_H
#define JTGI_TOKENS_TLS_TLS_TEXT_H

#include "tokens/tls/tls_document.h"

/* Start from {0}. */
struct jtgi_tls_text {
    char *bytes;
    size_t len;
    size_t room;
};

void jtgi_tls_text_clear(struct jtgi_tls_text *text); /* wipes it */

/* text has to be empty. Returns: JTG_OK · JTG_ERR_MEMORY · JTG_ERR_FULL (JTG_TLS_FILE_MAX_BYTES) */
jtg_status jtgi_tls_text_write(const struct jtgi_tls_document *document,
                               struct jtgi_tls_text *text);

/* document has to be empty, and is settled afterwards; what ended is still in it. Entries that
 * cannot be read are counted. Returns: JTG_OK · JTG_ERR_PROTOCOL (none of ours) ·
 * JTG_ERR_UNSUPPORTED (of a newer version) · JTG_ERR_MEMORY */
jtg_status jtgi_tls_text_read(const struct jtgi_tls_text *text, struct jtgi_tls_document *document);

#endif
