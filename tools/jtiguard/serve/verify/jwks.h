/* SPDX-License-Identifier: Apache-2.0 */
/* A set of public keys (RFC 7517 section 5). Immutable and shared: whoever verifies holds a
 * reference, so that a fresh set can take its place at any time. */
#ifndef SERVE_JWKS_H
#define SERVE_JWKS_H

#include "serve/verify/jwk.h"

enum {
    JWKS_MAX_KEYS = 256,
    JWKS_MAX_MATCHES = 4 /* keys that a token may make us try */
};

struct jwks;

/* Whose set it is. Of a trust domain's bundle only those keys count that say that they are for its
 * tokens (SPIFFE Trust Domain and Bundle section 4.2.2); an issuer may publish such a bundle as its
 * keys. */
enum jwks_owner { JWKS_OF_ISSUER, JWKS_OF_TRUST_DOMAIN };

/* What became of the keys of a document, for the log. */
struct jwks_tally {
    size_t kept;
    size_t weak;
    size_t private_parts;
    size_t malformed;
    size_t others;          /* of other use, or not for whose set it is */
    char malformed_kid[64]; /* of the first that has one; cut when longer */
};

/* Read a document. A key that cannot be used is left out; the others serve.
 *
 * NULL, and *why set: no JWK Set, too many keys, out of memory. Otherwise the caller holds a
 * reference. A set may be empty: an issuer that withdraws all its keys is believed. Numbers are
 * taken in any spelling (jwk_spelling.h), and a byte order mark is passed over. */
struct jwks *jwks_read(const char *text, size_t text_len, enum jwks_owner owner,
                       struct jwks_tally *tally, const char **why);

/* One more reference; the same set. NULL does nothing. */
struct jwks *jwks_hold(struct jwks *jwks);
void jwks_release(struct jwks *jwks);

size_t jwks_count(const struct jwks *jwks);

/* Whether a key may sign a token of this issuer. */
typedef bool jwks_fit(const struct jwk *jwk, const void *context);

/* The keys that a token may have been signed with, of those that fit. kid is an index and nothing
 * else: with one, the keys of that very name; without one (NULL), all that fit alg: an issuer
 * without names publishes the old and the new one together while it rotates.
 *
 * How many there are, of which the first JWKS_MAX_MATCHES are handed out. */
size_t jwks_find(const struct jwks *jwks, const char *kid, const struct alg *alg, jwks_fit *fits,
                 const void *context, const struct jwk *matches[JWKS_MAX_MATCHES]);

#endif
