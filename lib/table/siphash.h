/* SPDX-License-Identifier: Apache-2.0 */
/* SipHash (Aumasson and Bernstein, 2012) with its rounds as parameters, which the compiler sees:
 * `compression` for each word of the data, `finalization` before each half of the result.
 *
 * SipHash-1-3 is what hash tables commonly take against keys that strangers choose. */
#ifndef JTGI_TABLE_SIPHASH_H
#define JTGI_TABLE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { JTGI_SIPHASH_KEY_BYTES = 16 };

struct jtgi_siphash {
    uint64_t v0, v1, v2, v3;
};

/* What 128 bits cannot hold is no hash of ours. */
struct jtgi_hash128 {
    uint64_t low, high;
};

static inline uint64_t jtgi_siphash_turn(uint64_t word, unsigned bits)
{
    return word << bits | word >> (64 - bits);
}

/* Little-endian, whatever the machine. */
static inline uint64_t jtgi_siphash_word(const unsigned char *bytes)
{
    uint64_t word = 0;
    memcpy(&word, bytes, sizeof word);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

static inline void jtgi_siphash_rounds(struct jtgi_siphash *s, unsigned rounds)
{
    for (unsigned i = 0; i < rounds; i++) {
        s->v0 += s->v1;
        s->v2 += s->v3;
        s->v1 = jtgi_siphash_turn(s->v1, 13) ^ s->v0;
        s->v3 = jtgi_siphash_turn(s->v3, 16) ^ s->v2;
        s->v0 = jtgi_siphash_turn(s->v0, 32);
        s->v2 += s->v1;
        s->v0 += s->v3;
        s->v1 = jtgi_siphash_turn(s->v1, 17) ^ s->v2;
        s->v3 = jtgi_siphash_turn(s->v3, 21) ^ s->v0;
        s->v2 = jtgi_siphash_turn(s->v2, 32);
    }
}

static inline void jtgi_siphash_take(struct jtgi_siphash *s, uint64_t word, unsigned compression)
{
    s->v3 ^= word;
    jtgi_siphash_rounds(s, compression);
    s->v0 ^= word;
}

static inline struct jtgi_siphash jtgi_siphash_begin(const unsigned char *key)
{
    uint64_t k0 = jtgi_siphash_word(key);
    uint64_t k1 = jtgi_siphash_word(key + sizeof k0);
    return (struct jtgi_siphash){
        k0 ^ UINT64_C(0x736f6d6570736575), k1 ^ UINT64_C(0x646f72616e646f6d),
        k0 ^ UINT64_C(0x6c7967656e657261), k1 ^ UINT64_C(0x7465646279746573)};
}

static inline uint64_t jtgi_siphash_xor(const struct jtgi_siphash *s)
{
    return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

/* The last word: up to seven bytes, and the length above them. */
static inline uint64_t jtgi_siphash_tail(const unsigned char *bytes, size_t left, size_t len)
{
    uint64_t word = (uint64_t)len << 56;
    for (size_t i = 0; i < left; i++)
        word |= (uint64_t)bytes[i] << (8 * i);
    return word;
}

static inline void jtgi_siphash_data(struct jtgi_siphash *s, const unsigned char *bytes, size_t len,
                                     unsigned compression)
{
    size_t at = 0;
    for (; len - at >= sizeof(uint64_t); at += sizeof(uint64_t))
        jtgi_siphash_take(s, jtgi_siphash_word(bytes + at), compression);
    jtgi_siphash_take(s, jtgi_siphash_tail(bytes + at, len - at, len), compression);
}

static inline uint64_t jtgi_siphash64(const unsigned char *key, const void *data, size_t len,
                                      unsigned compression, unsigned finalization)
{
    struct jtgi_siphash s = jtgi_siphash_begin(key);
    jtgi_siphash_data(&s, data, len, compression);
    s.v2 ^= 0xff;
    jtgi_siphash_rounds(&s, finalization);
    return jtgi_siphash_xor(&s);
}

static inline struct jtgi_hash128 jtgi_siphash128(const unsigned char *key, const void *data,
                                                  size_t len, unsigned compression,
                                                  unsigned finalization)
{
    struct jtgi_hash128 hash;
    struct jtgi_siphash s = jtgi_siphash_begin(key);
    s.v1 ^= 0xee;
    jtgi_siphash_data(&s, data, len, compression);
    s.v2 ^= 0xee;
    jtgi_siphash_rounds(&s, finalization);
    hash.low = jtgi_siphash_xor(&s);
    s.v1 ^= 0xdd;
    jtgi_siphash_rounds(&s, finalization);
    hash.high = jtgi_siphash_xor(&s);
    return hash;
}

#endif
