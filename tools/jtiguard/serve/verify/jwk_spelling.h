/* SPDX-License-Identifier: Apache-2.0 */
/* The numbers of a published key in their one spelling. Some issuers write a sign byte in front of
 * a number, leave out a zero that the length of a coordinate wants, or pad the base64url; each
 * of these is the same key, and a reader who knows only one spelling would refuse all its tokens.
 * Not for the key in a proof: there a second spelling would be a second thumbprint. */
#ifndef SERVE_JWK_SPELLING_H
#define SERVE_JWK_SPELLING_H

#include <jansson.h>

/* A copy, for the caller to json_decref(). What is no number stays as it is, for jwk_read() to
 * refuse. NULL: no object, or no memory. */
json_t *jwk_respelled(const json_t *object);

#endif
