/* SPDX-License-Identifier: Apache-2.0 */
/* The one cipher of this room: XAES-256-GCM (C2SP), which is AES-256-GCM under a key that the first
 * half of a 192-bit nonce derives with AES-CMAC. Nonces are random: with 96 bits two instances that
 * share a key may not go near 2^32 messages together, with 192 they may go to 2^80, and a machine
 * that was cloned with its state draws anew. All from OpenSSL. */
#ifndef JTGI_TOKENS_COMMON_CIPHER_H
#define JTGI_TOKENS_COMMON_CIPHER_H

#include <jtiguard/status.h>
#include <stdbool.h>
#include <stddef.h>

enum { JTGI_SECRET_BYTES = 32, JTGI_CIPHER_NONCE_BYTES = 24, JTGI_CIPHER_TAG_BYTES = 16 };

struct jtgi_span {
    const void *data;
    size_t len;
};

/* What a message is bound to, beside its key: authenticated, not encrypted. */
struct jtgi_bound {
    struct jtgi_span header;
    struct jtgi_span context;
};

/* sealed has room for plain.len + JTGI_CIPHER_TAG_BYTES, and does not overlap plain.
 * Returns: JTG_OK · JTG_ERR_MEMORY · JTG_ERR_SYSTEM (OpenSSL failed) */
jtg_status jtgi_cipher_seal(const unsigned char key[JTGI_SECRET_BYTES],
                            const unsigned char nonce[JTGI_CIPHER_NONCE_BYTES],
                            const struct jtgi_bound *bound, struct jtgi_span plain,
                            unsigned char *sealed);

/* plain has room for sealed.len - JTGI_CIPHER_TAG_BYTES; it is wiped unless the answer is JTG_OK.
 * Returns: JTG_OK · JTG_MISMATCH (not authentic, or shorter than a tag) · JTG_ERR_MEMORY ·
 * JTG_ERR_SYSTEM */
jtg_status jtgi_cipher_open(const unsigned char key[JTGI_SECRET_BYTES],
                            const unsigned char nonce[JTGI_CIPHER_NONCE_BYTES],
                            const struct jtgi_bound *bound, struct jtgi_span sealed,
                            unsigned char *plain);

/* HKDF-Expand with SHA-256 (RFC 5869 section 2.3), info = label, a NUL byte, context.
 * len: at most 255 * 32. Returns: JTG_OK · JTG_ERR_MEMORY · JTG_ERR_SYSTEM */
jtg_status jtgi_cipher_derive(const unsigned char key[JTGI_SECRET_BYTES], const char *label,
                              struct jtgi_span context, unsigned char *derived, size_t len);

/* Can this never come from a random source? All bytes alike, few different ones, or a sequence:
 * what a forgotten initialisation, a placeholder or a broken generator leaves. */
bool jtgi_secret_is_weak(const unsigned char secret[JTGI_SECRET_BYTES]);

#endif
