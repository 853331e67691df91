/* SPDX-License-Identifier: Apache-2.0 */
#include "memory/bitmaps.h"

#include "core/digest.h"

#include <stdbool.h>
#include <string.h>

enum { BITS_OF_BYTE = 8 };

/* What every bitmap begins as. Never written; it takes no place in the file of the library. */
static unsigned char none_taken[JTG_BITMAP_MAX_BITS / BITS_OF_BYTE];

/* Under which value a bitmap lies: a digest, so that no value of the caller's meets it. */
struct place {
    unsigned char bytes[JTGI_DIGEST_BYTES];
    const jtg_key *of; /* NULL: of none yet */
};

static bool is_of(const struct place *place, const jtg_key *key)
{
    return place->of != NULL && place->of->data_len == key->data_len &&
           memcmp(place->of->data, key->data, key->data_len) == 0;
}

static jtg_key find_place(struct place *place, const jtg_key *key)
{
    if (!is_of(place, key))
        jtgi_digest_labelled("jtiguard bitmap 1", key->data, key->data_len, place->bytes);
    place->of = key;
    return (jtg_key){place->bytes, sizeof place->bytes, NULL, 0};
}

jtg_status jtgi_bitmaps_put(struct jtgi_values *values, const jtg_key *key, uint32_t bits,
                            uint64_t now, uint64_t ttl_ms)
{
    struct place place = {.of = NULL};
    jtg_key under = find_place(&place, key);
    size_t bytes = ((size_t)bits + BITS_OF_BYTE - 1) / BITS_OF_BYTE;
    jtg_status status = jtgi_values_swap(values, &under, NULL, 0, none_taken, bytes, now, ttl_ms);
    return status == JTG_MISMATCH ? JTG_REPLAYED : status;
}

/* The bits behind the last one that was asked for, in the last byte, are there too: whoever made
 * the bitmap knows how many he made. */
static jtg_status take_bit(void *context, unsigned char *data, size_t data_len)
{
    const jtg_bitmap_call *call = context;
    size_t at = call->bit / BITS_OF_BYTE;
    unsigned char mask = (unsigned char)(1U << (call->bit % BITS_OF_BYTE));
    if (at >= data_len)
        return JTG_NOT_FOUND;
    if ((data[at] & mask) != 0)
        return JTG_REPLAYED;
    data[at] |= mask;
    return JTG_OK;
}

void jtgi_bitmaps_take_many(struct jtgi_values *values, jtg_bitmap_call *const *calls, size_t count,
                            uint64_t now)
{
    struct place place = {.of = NULL};
    for (size_t i = 0; i < count; i++) {
        jtg_key under = find_place(&place, &calls[i]->key);
        calls[i]->status = jtgi_values_edit(values, &under, now, take_bit, calls[i]);
    }
}
