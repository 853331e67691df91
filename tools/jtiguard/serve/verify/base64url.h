/* SPDX-License-Identifier: Apache-2.0 */
/* base64url without padding, in its one spelling: a letter outside the alphabet, padding, a
 * length that cannot be, or unused bits that are set are all refused. Two spellings of one
 * signature would be two tokens to whoever compares texts. */
#ifndef SERVE_BASE64URL_H
#define SERVE_BASE64URL_H

#include <stdbool.h>
#include <stddef.h>

/* How many bytes text_len characters stand for, at most. */
#define BASE64URL_BYTES(text_len) ((text_len) / 4 * 3 + 2)

/* false: no such text, or more than capacity bytes. */
bool base64url_decode(const char *text, size_t text_len, unsigned char *data, size_t capacity,
                      size_t *data_len);

/* 32 bytes, e.g. a SHA-256, and the NUL. */
enum { BASE64URL_HASH_BYTES = 44 };
void base64url_hash(char text[BASE64URL_HASH_BYTES], const unsigned char hash[32]);

/* SHA-256 of the data, in base64url. */
void base64url_sha256(char text[BASE64URL_HASH_BYTES], const char *data, size_t data_len);

#endif
