/* SPDX-License-Identifier: Apache-2.0 */
#include "items.h"

#include <string.h>

static const char base64url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

enum { DIGITS_A_WORD = 10 }; /* 6 bits each */

/* A bijection of 64 bits in which every input bit reaches every output bit: two multiplications
 * between shifts, with the constants of SplitMix64. */
static uint64_t mix(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

/* ---- random order ----
 *
 * A Feistel network over the smallest even number of bits that holds the range; a result outside
 * the range goes through it again, which ends inside because the network is a bijection. */

static unsigned half_bits_of(uint64_t count)
{
    unsigned half = 1;
    while (half < 32 && (UINT64_C(1) << (2 * half)) < count)
        half++;
    return half;
}

static uint64_t shuffle_once(uint64_t place, unsigned half)
{
    uint64_t mask = (UINT64_C(1) << half) - 1;
    uint64_t left = place >> half, right = place & mask;
    for (uint64_t turn = 0; turn < 4; turn++) {
        uint64_t next = left ^ (mix(right ^ (turn << 56)) & mask);
        left = right;
        right = next;
    }
    return left << half | right;
}

static uint64_t index_at(const struct bench_range *range, uint64_t place, unsigned half)
{
    if (range->among != 0)
        do
            place = shuffle_once(place, half);
        while (place >= range->among);
    return range->first + place;
}

/* ---- one item ---- */

static void write_key(char *key, uint64_t index)
{
    memcpy(key, "jtg:", 4);
    uint64_t word = 0;
    for (unsigned digit = 0; digit < BENCH_KEY_BYTES - 4; digit++) {
        if (digit % DIGITS_A_WORD == 0)
            word = mix(index ^ ((uint64_t)digit << 56));
        key[4 + digit] = base64url[word & 63];
        word >>= 6;
    }
    key[BENCH_KEY_BYTES] = '\0';
}

static void write_owner(jtg_owner *owner, uint64_t index, enum bench_role role)
{
    uint64_t halves[2] = {mix(index ^ UINT64_C(1) << 60), mix(index ^ UINT64_C(3) << 60)};
    halves[0] += (uint64_t)role;
    memcpy(owner->bytes, halves, sizeof owner->bytes);
}

void bench_items_fill(struct bench_item *items, size_t count, const struct bench_range *range,
                      uint64_t from, enum bench_role role)
{
    unsigned half = half_bits_of(range->among);
    for (size_t i = 0; i < count; i++) {
        uint64_t index = index_at(range, from + i, half);
        write_key(items[i].key, index);
        write_owner(&items[i].owner, index, role);
    }
}
