/* SPDX-License-Identifier: Apache-2.0 */
/* What a key, an owner and a group are in the table. */
#ifndef JTGI_TABLE_HASH_H
#define JTGI_TABLE_HASH_H

#include "table/layout.h"

struct jtgi_hashed {
    uint64_t fingerprint;
    struct jtgi_partition *partition;
};

/* SipHash-1-3: keys are what strangers choose, but they never see a hash, and to find two that meet
 * would only have a fresh token refused. */
static inline struct jtgi_hashed jtgi_hash_key(const struct jtgi_table *table, const jtg_key *key)
{
    struct jtgi_hash128 hash = jtgi_siphash128(table->keys.hash, key->data, key->data_len, 1, 3);
    return (struct jtgi_hashed){hash.low,
                                &table->partitions[hash.high & (table->plan.partitions - 1)]};
}

/* The owner's tag: (k0 * w0 + k1 * w1 + k2) mod 2^128, its upper half; the w are the owner's words
 * and the k secret and random. This is strongly universal (Dietzfelbinger 1996): two owners that
 * differ have the same tag with a probability of 2^-64, and nobody ever sees a tag. */
static inline uint64_t jtgi_hash_owner(const struct jtgi_table *table, const jtg_owner *owner)
{
    __extension__ typedef unsigned __int128 wide;
    _Static_assert(JTG_OWNER_BYTES == 2 * sizeof(uint64_t), "two words");
    const uint64_t *k = table->keys.owner;
    uint64_t w0 = jtgi_siphash_word(owner->bytes);
    uint64_t w1 = jtgi_siphash_word(owner->bytes + sizeof w0);
    wide sum =
        ((wide)k[1] << 64 | k[0]) * w0 + ((wide)k[3] << 64 | k[2]) * w1 + ((wide)k[5] << 64 | k[4]);
    return (uint64_t)(sum >> 64);
}

/* The group's id; JTGI_GROUP_NONE where the table has no shares or the key no group. */
uint32_t jtgi_hash_group(struct jtgi_table *table, const jtg_key *key);

#endif
