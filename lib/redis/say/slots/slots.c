/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/say/slots/slots.h"

#include <string.h>

/* Half a byte at a time: the table is small enough to stay in the cache of the processor. */
static uint16_t crc16(const unsigned char *data, size_t len)
{
    static const uint16_t table[16] = {0x0000, 0x1021, 0x2042, 0x3063, 0x4084, 0x50a5,
                                       0x60c6, 0x70e7, 0x8108, 0x9129, 0xa14a, 0xb16b,
                                       0xc18c, 0xd1ad, 0xe1ce, 0xf1ef};
    unsigned crc = 0;
    for (size_t i = 0; i < len; i++) {
        crc = (crc << 4 & 0xffff) ^ table[(crc >> 12 ^ data[i] >> 4) & 15];
        crc = (crc << 4 & 0xffff) ^ table[(crc >> 12 ^ data[i]) & 15];
    }
    return (uint16_t)crc;
}

/* The part that counts, and its length; NULL without one. */
static const unsigned char *find_tag(const void *text, size_t len, size_t *tag_len)
{
    const unsigned char *open = memchr(text, '{', len);
    if (open == NULL)
        return NULL;
    size_t rest = len - (size_t)(open + 1 - (const unsigned char *)text);
    const unsigned char *close = memchr(open + 1, '}', rest);
    if (close == NULL || close == open + 1)
        return NULL;
    *tag_len = (size_t)(close - open) - 1;
    return open + 1;
}

uint16_t jtgi_slot_of(const void *key, size_t key_len)
{
    size_t tag_len = 0;
    const unsigned char *tag = find_tag(key, key_len, &tag_len);
    uint16_t crc = tag != NULL ? crc16(tag, tag_len) : crc16(key, key_len);
    return crc % JTGI_SLOTS;
}

bool jtgi_slot_is_tagged(const void *text, size_t text_len)
{
    size_t tag_len = 0;
    return find_tag(text, text_len, &tag_len) != NULL;
}
