/* SPDX-License-Identifier: Apache-2.0 */
#include "core/digest.h"

#include <stdint.h>
#include <string.h>

enum { LENGTH_BYTES = 8 };

_Static_assert((int)JTGI_DIGEST_BYTES == (int)crypto_hash_sha256_BYTES, "SHA-256");
_Static_assert(sodium_base64_ENCODED_LEN(JTGI_DIGEST_BYTES,
                                         sodium_base64_VARIANT_URLSAFE_NO_PADDING) ==
                   JTGI_DIGEST_TEXT_BYTES + 1,
               "the text and its NUL fit exactly");

static void add(struct jtgi_digest *digest, const void *data, size_t data_len)
{
    if (data_len != 0)
        (void)crypto_hash_sha256_update(&digest->state, data, data_len);
}

static void add_length(struct jtgi_digest *digest, uint64_t length)
{
    unsigned char bytes[LENGTH_BYTES];
    for (unsigned i = 0; i < LENGTH_BYTES; i++)
        bytes[i] = (unsigned char)(length >> (8 * (LENGTH_BYTES - 1 - i)));
    add(digest, bytes, sizeof bytes);
}

void jtgi_digest_begin(struct jtgi_digest *digest)
{
    (void)crypto_hash_sha256_init(&digest->state);
}

void jtgi_digest_part(struct jtgi_digest *digest, const void *data, size_t data_len)
{
    add_length(digest, data_len);
    add(digest, data, data_len);
}

void jtgi_digest_tagged_part(struct jtgi_digest *digest, char tag, const void *data,
                             size_t data_len)
{
    add_length(digest, 1 + (uint64_t)data_len);
    add(digest, &tag, 1);
    add(digest, data, data_len);
}

void jtgi_digest_end(struct jtgi_digest *digest, unsigned char bytes[JTGI_DIGEST_BYTES])
{
    (void)crypto_hash_sha256_final(&digest->state, bytes);
}

void jtgi_digest_labelled(const char *label, const void *data, size_t data_len,
                          unsigned char bytes[JTGI_DIGEST_BYTES])
{
    struct jtgi_digest digest;
    jtgi_digest_begin(&digest);
    add(&digest, label, strlen(label) + 1);
    add(&digest, data, data_len);
    jtgi_digest_end(&digest, bytes);
}

void jtgi_digest_write(const unsigned char bytes[JTGI_DIGEST_BYTES],
                       char text[JTGI_DIGEST_TEXT_BYTES + 1])
{
    (void)sodium_bin2base64(text, JTGI_DIGEST_TEXT_BYTES + 1, bytes, JTGI_DIGEST_BYTES,
                            sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}
