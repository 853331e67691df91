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
    (void)crypto_generichash_init(&state, key->bytes, sizeof key->bytes, JTGI_CHALLENGE_TAG_BYTES);
    (void)crypto_generichash_update(&state, (const unsigned char *)label, sizeof label);
    (void)crypto_generichash_update(&state, body, JTGI_CHALLENGE_BODY_BYTES);
    (void)crypto_generichash_update(&state, &name_len, 1);
    (void)crypto_generichash_update(&state, (const unsigned char *)scope->name, scope->name_len);
    (void)crypto_generichash_update(&state, scope->purpose, scope->purpose_len);
    (void)crypto_generichash_final(&state, tag, JTGI_CHALLENGE_TAG_BYTES);
    sodium_memzero(&state, sizeof state);
}

static void encode(const unsigned char whole[WHOLE_BYTES], char text[JTG_CHALLENGE_TEXT_BYTES])
{
    (void)sodium_bin2base64(text, JTG_CHALLENGE_TEXT_BYTES, whole, WHOLE_BYTES,
                            sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

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

/* libsodium 1.0.18 reads some bytes above 127 as characters of the alphabet, so what was read is
 * written again and compared. */
static bool decode(const char *text, size_t text_len, unsigned char whole[WHOLE_BYTES])
{
    char again[JTG_CHALLENGE_TEXT_BYTES];
    size_t bytes = 0;
    if (text_len != JTG_CHALLENGE_TEXT_BYTES - 1 ||
        sodium_base642bin(whole, WHOLE_BYTES, text, text_len, NULL, &bytes, NULL,
                          sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0 ||
        bytes != WHOLE_BYTES)
        return false;
    encode(whole, again);
    return memcmp(again, text, text_len) == 0;
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
