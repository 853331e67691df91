/* SPDX-License-Identifier: Apache-2.0 */
/* A signed token in its compact form (RFC 7515 section 7.1), taken apart. Reading it proves
 * nothing; jws_is_signed_by() does. */
#ifndef SERVE_JWS_H
#define SERVE_JWS_H

#include "serve/verify/jwk.h"
#include "serve/verify/refusal.h"

#include <jtiguard/guard.h>

struct jws {
    const char *text; /* all of it; borrowed from the caller */
    size_t text_len;
    size_t header_len;        /* up to the first dot */
    size_t signing_input_len; /* header.payload */
    size_t signature_len;     /* bytes, decoded */
    json_t *header;
    json_t *payload;
    /* Of the header; borrowed from it. */
    const struct alg *alg;
    const char *typ; /* NULL: absent */
    const char *kid; /* NULL: absent */
};

/* Shape, header and payload, cheap to dear. The caller ends with jws_clear() in any case. */
enum refusal jws_read(struct jws *jws, const char *text, size_t text_len, size_t max_len);

/* The same without the payload, which may then be anything. */
enum refusal jws_read_header(struct jws *jws, const char *text, size_t text_len, size_t max_len);

void jws_clear(struct jws *jws);

/* Media types as in typ: case does not count, nor does a leading "application/" (RFC 7515
 * section 4.1.9). "" stands for an absent one. */
bool jws_same_typ(const char *one, const char *other);

/* Whether the signature is by this key, with the header's alg. */
bool jws_is_signed_by(const struct jws *jws, const struct jwk *jwk);

#endif
