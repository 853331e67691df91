/* SPDX-License-Identifier: Apache-2.0 */
/* One public key, read from a JWK (RFC 7517). Immutable once read, so that many threads may
 * verify with it. */
#ifndef SERVE_JWK_H
#define SERVE_JWK_H

#include "serve/verify/alg.h"
#include "serve/verify/base64url.h"

#include <cjose/cjose.h>
#include <jansson.h>
#include <stdbool.h>

enum {
    JWK_RSA_MIN_BITS = 2048,
    JWK_RSA_MAX_BITS = 8192, /* a check is dear beyond; who sends a proof chooses its key */
    JWK_MAX_KID_BYTES = 256,
    JWK_MAX_SIGNATURE_BYTES = JWK_RSA_MAX_BITS / 8
};

struct jwk {
    char *kid;             /* NULL: it has none */
    char *issuer;          /* whose tokens it is for; NULL: it does not say */
    bool is_of_svids;      /* its use is jwt-svid: of SPIFFE's bundles */
    const struct alg *alg; /* NULL: any of its family */
    enum key_family family;
    size_t signature_bytes; /* of every signature by this key */
    cjose_jwk_t *key;       /* NULL with Ed25519, which cjose does not know */
    unsigned char ed25519[32];
    char thumbprint[BASE64URL_HASH_BYTES]; /* RFC 7638, SHA-256 */
};

enum jwk_fault {
    JWK_FAULT_NONE,
    JWK_FAULT_USELESS, /* not for signatures, or of a kind that is not accepted */
    JWK_FAULT_MALFORMED,
    JWK_FAULT_WEAK,
    JWK_FAULT_PRIVATE, /* it was published with its private part, or is symmetric */
    JWK_FAULT_MEMORY
};

/* Only kty, crv, n, e, x, y, kid, use, key_ops and alg count; a certificate or a URL in it is
 * never looked at. The caller ends with jwk_clear() in any case. */
enum jwk_fault jwk_read(struct jwk *jwk, const json_t *object);

void jwk_clear(struct jwk *jwk);

/* How long the curve of an EC key wants its coordinates; 0: no curve that is accepted. */
size_t jwk_coordinate_bytes(const json_t *object);

/* Whether a signature by alg may be checked with this key. */
bool jwk_fits(const struct jwk *jwk, const struct alg *alg);

#endif
