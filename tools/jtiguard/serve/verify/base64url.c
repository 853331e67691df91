/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/verify/base64url.h"

#include <sodium.h>

/* libsodium 1.0.18 takes bytes above 0x7f for letters where char is signed. */
static bool is_letter(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
}

bool base64url_decode(const char *text, size_t text_len, unsigned char *data, size_t capacity,
                      size_t *data_len)
{
    for (size_t i = 0; i < text_len; i++)
        if (!is_letter(text[i]))
            return false;
    return sodium_base642bin(data, capacity, text, text_len, NULL, data_len, NULL,
                             sodium_base64_VARIANT_URLSAFE_NO_PADDING) == 0;
}

void base64url_hash(char text[BASE64URL_HASH_BYTES], const unsigned char hash[32])
{
    (void)sodium_bin2base64(text, BASE64URL_HASH_BYTES, hash, 32,
                            sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

void base64url_sha256(char text[BASE64URL_HASH_BYTES], const char *data, size_t data_len)
{
    unsigned char hash[crypto_hash_sha256_BYTES];
    (void)crypto_hash_sha256(hash, (const unsigned char *)data, data_len);
    base64url_hash(text, hash);
}
