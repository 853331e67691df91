/* SPDX-License-Identifier: Apache-2.0 */
/* Keys made for the test, and tokens signed with them: also such as no honest issuer signs, for
 * header and payload are taken as text. Nothing of the code under test is in it. */
#ifndef TESTS_SERVE_SIGNER_H
#define TESTS_SERVE_SIGNER_H

#include <stddef.h>

struct signer;

/* One of RS256 … ES512, PS256 …, EdDSA; the key is made for it. An RSA key has `bits` bits. */
struct signer *signer_new(const char *alg);
struct signer *signer_new_rsa(const char *alg, unsigned bits);
void signer_free(struct signer *signer);

/* The public key as members of a JWK, without braces: "kty":"EC",… For the signer's life. */
const char *signer_members(const struct signer *signer);

/* A JWK Set of one key with this kid. The caller frees it. */
char *signer_jwks(const struct signer *signer, const char *kid);

/* header.payload.signature of two texts. The caller frees it. */
char *signer_sign(const struct signer *signer, const char *header, const char *payload);

/* The same with the usual header: {"alg":…,"typ":typ,"kid":kid}; typ may be NULL. */
char *signer_token(const struct signer *signer, const char *typ, const char *kid,
                   const char *payload);

/* Any key as the secret of HMAC-SHA-256. */
char *sign_with_mac(const char *secret, size_t secret_len, const char *header, const char *payload);

/* Three texts as three parts, whatever they are. The signature is taken as it is. */
char *join_token(const char *header, const char *payload, const char *signature);

/* An ES256 token with the other signature that is good for the same text: s, the second half, as
 * n - s. The caller frees it. */
char *twin_of_token(const char *token);

/* The public key as PEM, the usual secret of an attack. The caller frees it. */
char *signer_pem(const struct signer *signer);

/* base64url of SHA-256 of a text; 44 bytes with the NUL. */
void hash_text(char hash[44], const char *text);

/* printf to a fresh text. */
__attribute__((format(printf, 1, 2))) char *text_of(const char *format, ...);

#endif
