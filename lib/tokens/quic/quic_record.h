/* SPDX-License-Identifier: Apache-2.0 */
/* A token as it lies in the store:
 *
 *   format 1 (1 byte)  epoch (8)  rtt_us (8)  ttl_ms (8)  token
 *
 * Numbers are big-endian. */
#ifndef JTGI_TOKENS_QUIC_QUIC_RECORD_H
#define JTGI_TOKENS_QUIC_QUIC_RECORD_H

#include <jtiguard/quic_tokens.h>
#include <stdbool.h>

enum { JTGI_QUIC_RECORD_FIXED_BYTES = 25 };

struct jtgi_quic_record {
    int64_t epoch; /* since when the store had kept everything when the token was stored */
    uint64_t rtt_us;
    uint64_t ttl_ms;
    const unsigned char *token; /* borrowed */
    size_t token_len;
};

/* bytes has room for JTGI_QUIC_RECORD_FIXED_BYTES and the token. */
void jtgi_quic_record_write(const struct jtgi_quic_record *record, unsigned char *bytes);

/* False if it is none of ours. record points into bytes. */
bool jtgi_quic_record_read(struct jtgi_quic_record *record, const void *bytes, size_t len);

#endif
