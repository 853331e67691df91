/* SPDX-License-Identifier: Apache-2.0 */
/* The list of the origins that have tokens under one name, as it lies in the store:
 *
 *   format 1 (1 byte)  changes (8, big-endian)  digest (32) of each origin, who stored last first
 *
 * It is there to bound their number, to count and to clear them; a token is handed out without it.
 * Each change counts, so that a list that looks as before is known to be another. */
#ifndef JTGI_TOKENS_QUIC_QUIC_ORIGINS_H
#define JTGI_TOKENS_QUIC_QUIC_ORIGINS_H

#include "tokens/common/endpoint.h"

#include <stddef.h>
#include <stdint.h>

enum {
    JTGI_QUIC_ORIGIN_BYTES = JTGI_ENDPOINT_DIGEST_BYTES,
    /* Most that one change pushes out, when the bound was lowered. */
    JTGI_QUIC_PUSHED_MAX = 4
};

/* A change of a list. */
struct jtgi_quic_change {
    unsigned char *bytes; /* the new list, or NULL where the old one stays as it is */
    size_t len;
    size_t room; /* bytes that were allocated */
    /* Origins that are no longer in the list; their digests follow one another. */
    unsigned char pushed[JTGI_QUIC_PUSHED_MAX][JTGI_QUIC_ORIGIN_BYTES];
    size_t pushed_count;
};

/* How many origins a list names; 0 for one that is none of ours. */
size_t jtgi_quic_origins_count(const void *list, size_t len);

/* One of them, borrowed; 0 is the one who stored last. */
const unsigned char *jtgi_quic_origins_at(const void *list, size_t index);

/* Bring an origin to the front of a list, which may be empty or none of ours, and push out those
 * at its end beyond `most`. Returns: JTG_OK · JTG_ERR_MEMORY */
jtg_status jtgi_quic_origins_front(struct jtgi_quic_change *change, const void *list, size_t len,
                                   const unsigned char *origin, size_t most);

/* Keep only those for which keep[index] is true. Returns: JTG_OK · JTG_ERR_MEMORY */
jtg_status jtgi_quic_origins_filter(struct jtgi_quic_change *change, const void *list, size_t len,
                                    const bool *keep);

void jtgi_quic_change_clear(struct jtgi_quic_change *change);

#endif
