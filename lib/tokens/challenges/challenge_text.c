/* SPDX-License-Identifier: Apache-2.0 */
#include "tokens/challenges/challenge_text.h"

#include "tokens/common/wire.h"

#include <sodium.h>

enum {
    VERSION = 1,
    TIME_BYTES = 6,
    WHOLE_BYTES = JTGI_CHALLENGE_BODY_BYTES + JTGI_CHALLENGE_TAG_BYTES
};

_Static_assert(sodium_base64_ENCODED_LEN(WHOLE_BYTES, sodium_base64_VARIANT_URLSAFE_NO_PADDING) ==
                   JTG_CHALLENGE_TEXT_BYTES,
               "the text and its NUL fit exactly");
_Static_assert(JTG_CHALLENGE_NAME_MAX_BYTES <= UINT8_MAX, "its length is a byte");

void jtgi_challenge_key_set(struct jtgi_challenge_key *key, const void *bytes)
{
    static const char label[] = "jtiguard challenge key id 1";
    unsigned char digest[crypto_generichash_BYTES_MIN];
    memcpy(key->bytes, bytes, sizeof key->bytes);
    (void)crypto_generichash(digest, sizeof digest, (const unsigned char *)label, sizeof label,
                             key->bytes, sizeof key->bytes);
    memcpy(key->id, digest, sizeof key->id);
}

static void make_tag(const unsigned char body[JTGI_CHALLENGE_BODY_BYTES],
                     const struct jtgi_challenge_key *key, const struct jtgi_challenge_scope *scope,
                     unsigned char tag[JTGI_CHALLENGE_TAG_BYTES])
{
    static const char label[] = "jtiguard challenge 1";
    crypto_generichash_state state;
    unsigned char name_len = (unsigned char)scope->name_len;
    (void)crypto_generichash_init(&state, NULL, 0, JTGI_CHALLENGE_TAG_BYTES);
    (void)crypto_generichash_update(&state, key->bytes, sizeof key->bytes);
    (void)crypto_generichash_update(&state, (const unsigned char *)label, sizeof label);
    (void)crypto_generichash_update(&state, body, JTGI_CHALLENGE_BODY_BYTES);
    (void)crypto_generichash_update(&state, &name_len, 1);
    (void)crypto_generichash_update(&state, (const unsigned char *)scope->name, scope->name_len);
    (void)crypto_generichash_update(&state, scope->purpose, scope->purpose_len);
    (void)crypto_generichash_final(&state, tag, JTGI_CHALLENGE_TAG_BYTES);
    sodium_memzero(&state, sizeof state);
}

/* ---- base64url without padding ----
 *
 * Of bytes that are no secret, so by tables: libsodium's, which take the same time for all bytes,
 * take four times as long. Each text of the alphabet stands for bytes of its own, but for what lies
 * behind the last byte, which must be 0. */

enum { BITS = 6, MASK = 63 };

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void encode(const unsigned char whole[WHOLE_BYTES], char text[JTG_CHALLENGE_TEXT_BYTES])
{
    uint32_t held = 0;
    unsigned count = 0;
    char *at = text;
    for (size_t i = 0; i < WHOLE_BYTES; i++) {
        held = held << 8 | whole[i];
        for (count += 8; count >= BITS; count -= BITS)
            *at++ = alphabet[held >> (count - BITS) & MASK];
    }
    *at++ = alphabet[held << (BITS - count) & MASK];
    *at = '\0';
}

/* One more than what a letter stands for; 0: it is none. Not by comparing: no processor foretells
 * which comes next. */
static const unsigned char numbers[UINT8_MAX + 1] = {
    ['A'] = 1,  ['B'] = 2,  ['C'] = 3,  ['D'] = 4,  ['E'] = 5,  ['F'] = 6,  ['G'] = 7,  ['H'] = 8,
    ['I'] = 9,  ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14, ['O'] = 15, ['P'] = 16,
    ['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21, ['V'] = 22, ['W'] = 23, ['X'] = 24,
    ['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28, ['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32,
    ['g'] = 33, ['h'] = 34, ['i'] = 35, ['j'] = 36, ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40,
    ['o'] = 41, ['p'] = 42, ['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48,
    ['w'] = 49, ['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56,
    ['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62, ['-'] = 63, ['_'] = 64};

static bool decode(const char *text, size_t text_len, unsigned char whole[WHOLE_BYTES])
{
    uint32_t held = 0;
    unsigned count = 0;
    unsigned char *at = whole;
    if (text_len != JTG_CHALLENGE_TEXT_BYTES - 1)
        return false;
    for (size_t i = 0; i < text_len; i++) {
        unsigned number = numbers[(unsigned char)text[i]];
        if (number == 0)
            return false;
        held = held << BITS | (number - 1);
        count += BITS;
        if (count < 8)
            continue;
        count -= 8;
        *at++ = (unsigned char)(held >> count);
    }
    return (held & ((1U << count) - 1)) == 0;
}

/* ---- the challenge ---- */

void jtgi_challenge_write(const struct jtgi_challenge *challenge,
                          const struct jtgi_challenge_key *key,
                          const struct jtgi_challenge_scope *scope,
                          char text[JTG_CHALLENGE_TEXT_BYTES])
{
    unsigned char whole[WHOLE_BYTES];
    struct jtgi_writer writer = jtgi_writer_of(whole, JTGI_CHALLENGE_BODY_BYTES);
    jtgi_write_number(&writer, VERSION, 1);
    jtgi_write_bytes(&writer, key->id, sizeof key->id);
    jtgi_write_bytes(&writer, challenge->range, sizeof challenge->range);
    jtgi_write_number(&writer, challenge->number, sizeof challenge->number);
    jtgi_write_number(&writer, (uint64_t)challenge->born_ms, TIME_BYTES);
    jtgi_write_number(&writer, (uint64_t)challenge->end_ms, TIME_BYTES);
    make_tag(whole, key, scope, whole + JTGI_CHALLENGE_BODY_BYTES);
    encode(whole, text);
}

static void take_bytes(struct jtgi_reader *reader, void *place, size_t len)
{
    const unsigned char *bytes = jtgi_read_bytes(reader, len);
    if (bytes != NULL)
        memcpy(place, bytes, len);
}

bool jtgi_challenge_read(struct jtgi_challenge_shown *shown, const char *text, size_t text_len)
{
    unsigned char whole[WHOLE_BYTES];
    struct jtgi_challenge *challenge = &shown->challenge;
    if (!decode(text, text_len, whole))
        return false;
    memcpy(shown->body, whole, sizeof shown->body);
    struct jtgi_reader reader = jtgi_reader_of(whole, sizeof whole);
    uint64_t version = jtgi_read_number(&reader, 1);
    take_bytes(&reader, challenge->key_id, sizeof challenge->key_id);
    take_bytes(&reader, challenge->range, sizeof challenge->range);
    challenge->number = (uint32_t)jtgi_read_number(&reader, sizeof challenge->number);
    challenge->born_ms = (int64_t)jtgi_read_number(&reader, TIME_BYTES);
    challenge->end_ms = (int64_t)jtgi_read_number(&reader, TIME_BYTES);
    take_bytes(&reader, shown->tag, sizeof shown->tag);
    return jtgi_reader_ended(&reader) && version == VERSION;
}

bool jtgi_challenge_is_of(const struct jtgi_challenge_shown *shown,
                          const struct jtgi_challenge_key *key,
                          const struct jtgi_challenge_scope *scope)
{
    unsigned char tag[JTGI_CHALLENGE_TAG_BYTES];
    make_tag(shown->body, key, scope, tag);
    bool same = sodium_memcmp(tag, shown->tag, sizeof tag) == 0;
    sodium_memzero(tag, sizeof tag);
    return same;
}
