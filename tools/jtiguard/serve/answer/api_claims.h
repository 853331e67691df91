/* SPDX-License-Identifier: Apache-2.0 */
/* The claims that a verifier hands to the API, from JSON to what the guard takes. A member that
 * is not known is refused: a misspelt "nbf" must not be one that is not there. */
#ifndef SERVE_API_CLAIMS_H
#define SERVE_API_CLAIMS_H

#include "serve/answer/outcome.h"

#include <jansson.h>

/* Where a body is wrong, for whoever wrote it. */
struct api_fault {
    const char *member; /* its name, in the body; NULL: none, or one that nobody would know again */
    bool has_place;
    size_t place; /* in bytes: where the JSON was found to be none */
};

/* Texts point into the object. */
struct api_claims {
    jtg_claims claims;
    jtg_owner owner;
    bool owned; /* claims.owner is to point to owner */
};

/* OUTCOME_UNDECIDED: ready for the guard. Else why not, and *fault says where. */
enum outcome api_claims_read(struct api_claims *read, json_t *object, struct api_fault *fault);

/* A body: one object, with no member name twice. OUTCOME_UNDECIDED and *root, else why not. */
enum outcome api_body_read(json_t **root, const char *text, size_t text_len,
                           struct api_fault *fault);

#endif
