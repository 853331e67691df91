/* SPDX-License-Identifier: Apache-2.0 */
/* The record, byte for byte; numbers are big-endian:
 *
 *   0  1   version, 1
 *   1  1   1 there is a token · 0 vacant
 *   2  2   0
 *   4  4   max_uses
 *   8  4   uses
 *  12  8   issued_ms
 *  20  8   ttl_ms
 *  28  8   epoch of the store
 *  36  8   key id
 *  44 32   tag
 *
 *   tag     HMAC-SHA-256(key, "jtiguard breakglass tag 1" NUL, length of the name in one byte,
 *           name, bytes 0 to 43 of the record, token)
 *   key id  the first 8 bytes of HMAC-SHA-256(key, "jtiguard breakglass key id 1" NUL)
 *
 * The terms are under the tag: whoever can write to the store could else prolong a token that they
 * hold, or give it uses. What they can do is to put an older record of the token back, which a
 * store alone cannot show to be older. The key id tells an operator that a token was issued under
 * another key; nothing is decided by it but that.
 */
#include "tokens/breakglass/breakglass_record.h"

#include "core/clock.h"

#include <sodium.h>
#include <string.h>

enum { VERSION = 1 };

/* 9999-12-31T23:59:59.999Z: with a life of 31 days no sum overflows. */

_Static_assert(JTGI_BREAKGLASS_TERMS_BYTES + JTGI_BREAKGLASS_TAG_BYTES ==
                   JTGI_BREAKGLASS_RECORD_BYTES,
               "the tag is the last");
_Static_assert((int)JTGI_BREAKGLASS_TAG_BYTES == (int)crypto_auth_hmacsha256_BYTES,
               "the tag is HMAC-SHA-256");

/* ---- digests ---- */

static void digest_begin(crypto_auth_hmacsha256_state *state,
                         const struct jtgi_breakglass_sealer *sealer, const char *domain,
                         size_t domain_size)
{
    (void)crypto_auth_hmacsha256_init(state, sealer->key, JTG_BREAKGLASS_KEY_BYTES);
    (void)crypto_auth_hmacsha256_update(state, (const unsigned char *)domain, domain_size);
}

static void digest_end(crypto_auth_hmacsha256_state *state,
                       unsigned char digest[crypto_auth_hmacsha256_BYTES])
{
    (void)crypto_auth_hmacsha256_final(state, digest);
    sodium_memzero(state, sizeof *state);
}

void jtgi_breakglass_sealer_init(struct jtgi_breakglass_sealer *sealer)
{
    static const char domain[] = "jtiguard breakglass key id 1";
    unsigned char digest[crypto_auth_hmacsha256_BYTES];
    crypto_auth_hmacsha256_state state;
    digest_begin(&state, sealer, domain, sizeof domain);
    digest_end(&state, digest);
    memcpy(sealer->key_id, digest, sizeof sealer->key_id);
}

static void make_tag(const struct jtgi_breakglass_record *record,
                     const struct jtgi_breakglass_sealer *sealer,
                     const struct jtgi_breakglass_token *token,
                     unsigned char tag[JTGI_BREAKGLASS_TAG_BYTES])
{
    static const char domain[] = "jtiguard breakglass tag 1";
    unsigned char bytes[JTGI_BREAKGLASS_RECORD_BYTES];
    unsigned char name_len = (unsigned char)sealer->name_len;
    crypto_auth_hmacsha256_state state;

    jtgi_breakglass_record_write(record, bytes);
    digest_begin(&state, sealer, domain, sizeof domain);
    (void)crypto_auth_hmacsha256_update(&state, &name_len, sizeof name_len);
    (void)crypto_auth_hmacsha256_update(&state, (const unsigned char *)sealer->name,
                                        sealer->name_len);
    (void)crypto_auth_hmacsha256_update(&state, bytes, JTGI_BREAKGLASS_TERMS_BYTES);
    (void)crypto_auth_hmacsha256_update(&state, token->bytes, sizeof token->bytes);
    digest_end(&state, tag);
}

void jtgi_breakglass_record_seal(struct jtgi_breakglass_record *record,
                                 const struct jtgi_breakglass_sealer *sealer,
                                 const struct jtgi_breakglass_token *token)
{
    memcpy(record->key_id, sealer->key_id, sizeof record->key_id);
    make_tag(record, sealer, token, record->tag);
}

bool jtgi_breakglass_record_matches(const struct jtgi_breakglass_record *record,
                                    const struct jtgi_breakglass_sealer *sealer,
                                    const struct jtgi_breakglass_token *token)
{
    unsigned char tag[JTGI_BREAKGLASS_TAG_BYTES];
    make_tag(record, sealer, token, tag);
    bool same = sodium_memcmp(tag, record->tag, sizeof tag) == 0;
    sodium_memzero(tag, sizeof tag);
    return same & record->has_token;
}

void jtgi_breakglass_record_vacate(struct jtgi_breakglass_record *record,
                                   const struct jtgi_breakglass_sealer *sealer)
{
    memset(record, 0, sizeof *record);
    memcpy(record->key_id, sealer->key_id, sizeof record->key_id);
    randombytes_buf(record->tag, sizeof record->tag);
}

/* ---- bytes ---- */

static void put_number(unsigned char *at, uint64_t number, unsigned size)
{
    for (unsigned i = 0; i < size; i++)
        at[i] = (unsigned char)(number >> (8 * (size - 1 - i)));
}

static uint64_t get_number(const unsigned char *at, unsigned size)
{
    uint64_t number = 0;
    for (unsigned i = 0; i < size; i++)
        number = number << 8 | at[i];
    return number;
}

void jtgi_breakglass_record_write(const struct jtgi_breakglass_record *record,
                                  unsigned char bytes[JTGI_BREAKGLASS_RECORD_BYTES])
{
    bytes[0] = VERSION;
    bytes[1] = record->has_token;
    bytes[2] = 0;
    bytes[3] = 0;
    put_number(bytes + 4, record->max_uses, 4);
    put_number(bytes + 8, record->uses, 4);
    put_number(bytes + 12, (uint64_t)record->issued_ms, 8);
    put_number(bytes + 20, record->ttl_ms, 8);
    put_number(bytes + 28, (uint64_t)record->epoch, 8);
    memcpy(bytes + 36, record->key_id, sizeof record->key_id);
    memcpy(bytes + JTGI_BREAKGLASS_TERMS_BYTES, record->tag, sizeof record->tag);
}

/* A vacant record has no terms. Without a branch, so that it takes no other time than a token's. */
static bool has_sound_terms(const struct jtgi_breakglass_record *record)
{
    uint64_t terms = (uint64_t)record->issued_ms | record->ttl_ms | record->max_uses |
                     record->uses | (uint64_t)record->epoch;
    bool in_range = (record->issued_ms >= 0) & (record->issued_ms <= JTGI_WALL_MAX_MS) &
                    (record->epoch >= 0) & (record->epoch <= JTGI_WALL_MAX_MS) &
                    (record->ttl_ms >= 1) & (record->ttl_ms <= JTG_BREAKGLASS_TTL_MS_LIMIT) &
                    (record->max_uses <= JTG_BREAKGLASS_MAX_USES_LIMIT) &
                    (record->uses <= record->max_uses);
    return (record->has_token & in_range) | (!record->has_token & (terms == 0));
}

bool jtgi_breakglass_record_read(struct jtgi_breakglass_record *record, const unsigned char *bytes,
                                 size_t bytes_len)
{
    if (bytes_len != JTGI_BREAKGLASS_RECORD_BYTES || bytes[0] != VERSION || bytes[1] > 1 ||
        bytes[2] != 0 || bytes[3] != 0)
        return false;
    record->has_token = bytes[1] == 1;
    record->max_uses = (uint32_t)get_number(bytes + 4, 4);
    record->uses = (uint32_t)get_number(bytes + 8, 4);
    record->issued_ms = (int64_t)get_number(bytes + 12, 8);
    record->ttl_ms = get_number(bytes + 20, 8);
    record->epoch = (int64_t)get_number(bytes + 28, 8);
    memcpy(record->key_id, bytes + 36, sizeof record->key_id);
    memcpy(record->tag, bytes + JTGI_BREAKGLASS_TERMS_BYTES, sizeof record->tag);
    return has_sound_terms(record);
}

/* ---- time and uses ---- */

bool jtgi_breakglass_record_is_over(const struct jtgi_breakglass_record *record, uint64_t left_ms,
                                    int64_t wall_ms)
{
    bool by_store = left_ms <= JTGI_BREAKGLASS_KEPT_MS - record->ttl_ms;
    bool by_wall = wall_ms >= record->issued_ms + (int64_t)record->ttl_ms;
    return by_store | by_wall;
}

/* Two numbers of one store, so no two clocks are compared. One that was vouched for says a smaller
 * one than before. */
bool jtgi_breakglass_record_is_unsure(const struct jtgi_breakglass_record *record, int64_t epoch)
{
    return epoch > record->epoch;
}

bool jtgi_breakglass_record_is_used_up(const struct jtgi_breakglass_record *record)
{
    return (record->max_uses != 0) & (record->uses >= record->max_uses);
}
