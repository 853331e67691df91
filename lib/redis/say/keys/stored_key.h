/* SPDX-License-Identifier: Apache-2.0 */
/* A key as the server knows it. */
#ifndef JTGI_REDIS_STORED_KEY_H
#define JTGI_REDIS_STORED_KEY_H

#include "redis/say/options/config.h"

struct jtgi_stored_key {
    unsigned char bytes[JTG_REDIS_PREFIX_MAX_BYTES + JTG_KEY_MAX_BYTES + 8];
    size_t len;
    uint16_t slot; /* in a Cluster; else 0 */
};

/* Where a key of the server lies; 0 without Cluster. */
uint16_t jtgi_stored_slot(const struct jtgi_redis_config *config, const void *key, size_t key_len);

/* Reservations lie at exactly prefix + key, where a foreign verifier finds them; values at
 * prefix + 0xff "v:" + key. 0xff never occurs in UTF-8, so no jti is affected; a binary key that
 * begins with it is set apart as prefix + 0xff "r:" + key, and the two can never meet. */
void jtgi_stored_reservation(struct jtgi_stored_key *stored, const struct jtgi_redis_config *config,
                             const jtg_key *key);
void jtgi_stored_values(struct jtgi_stored_key *stored, const struct jtgi_redis_config *config,
                        const jtg_key *key);

/* Bitmaps at prefix + 0xff "m:" + key. */
void jtgi_stored_bitmap(struct jtgi_stored_key *stored, const struct jtgi_redis_config *config,
                        const jtg_key *key);

#endif
