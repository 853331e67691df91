/* SPDX-License-Identifier: Apache-2.0 */
/* A client's session as it lies in the store:
 *
 *   format 1 (1 byte)  form (1): 0 = clear, 1 = sealed  then of a sealed one: nonce (24)
 *   body    epoch (8, see epoch.h)  lifetime_s (4)  age_add (4)  max_early_data (4)  cipher_suite
 * (2)  nonce_len (1) ticket_len (2)  secret_len (2)  ticket  nonce  secret tag     of a sealed one:
 * 16
 *
 * Numbers are big-endian. A sealed record is bound to the digest of its endpoint. */
#ifndef JTGI_TOKENS_DTLS_DTLS_RECORD_H
#define JTGI_TOKENS_DTLS_DTLS_RECORD_H

#include "tokens/common/cipher.h"
#include "tokens/common/endpoint.h"

#include <jtiguard/dtls_sessions.h>

/* How sessions are kept secret. */
struct jtgi_record_sealer {
    bool is_sealing;
    unsigned char key[JTGI_SECRET_BYTES];
};

/* Bytes of the record; 0 where a field of the session is out of its range. */
size_t jtgi_dtls_record_size(const struct jtgi_record_sealer *sealer,
                             const jtg_dtls_session *session);

/* record has room for that. Returns: JTG_OK · JTG_ERR_MEMORY · JTG_ERR_SYSTEM */
jtg_status jtgi_dtls_record_write(const struct jtgi_record_sealer *sealer,
                                  const unsigned char digest[JTGI_ENDPOINT_DIGEST_BYTES],
                                  const jtg_dtls_session *session, int64_t epoch,
                                  unsigned char *record, size_t record_len);

/* session points into storage that it owns. Returns: JTG_OK · JTG_ERR_PROTOCOL (none of ours,
 * another form, not authentic) · JTG_ERR_MEMORY · JTG_ERR_SYSTEM */
jtg_status jtgi_dtls_record_read(const struct jtgi_record_sealer *sealer,
                                 const unsigned char digest[JTGI_ENDPOINT_DIGEST_BYTES],
                                 struct jtgi_span record, jtg_dtls_session *session,
                                 int64_t *epoch);

#endif
