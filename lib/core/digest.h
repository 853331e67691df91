/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 in the two forms in which keys and names are made of it. Both are pinned: what lies in a
 * store was made by them. */
#ifndef JTGI_CORE_DIGEST_H
#define JTGI_CORE_DIGEST_H

#include <sodium.h>
#include <stddef.h>

enum {
    JTGI_DIGEST_BYTES = 32,
    JTGI_DIGEST_TEXT_BYTES = 43 /* in base64url without padding */
};

/* Over parts, each behind its length in 8 bytes, big-endian: no byte can move from one part to the
 * next and give the same digest. */
struct jtgi_digest {
    crypto_hash_sha256_state state;
};

void jtgi_digest_begin(struct jtgi_digest *digest);
/* data may be NULL where data_len is 0. */
void jtgi_digest_part(struct jtgi_digest *digest, const void *data, size_t data_len);
/* One part: the tag, then the bytes. */
void jtgi_digest_tagged_part(struct jtgi_digest *digest, char tag, const void *data,
                             size_t data_len);
void jtgi_digest_end(struct jtgi_digest *digest, unsigned char bytes[JTGI_DIGEST_BYTES]);

/* Over a label, a NUL byte, and the data. */
void jtgi_digest_labelled(const char *label, const void *data, size_t data_len,
                          unsigned char bytes[JTGI_DIGEST_BYTES]);

/* In base64url without padding, and a NUL byte. */
void jtgi_digest_write(const unsigned char bytes[JTGI_DIGEST_BYTES],
                       char text[JTGI_DIGEST_TEXT_BYTES + 1]);

#endif
