/* SPDX-License-Identifier: Apache-2.0 */
/* A token on its way through the checks: read, matched with the entry of the settings that it
 * claims to be for, its claims checked, and last its signature. Until token_check_signature()
 * has said REFUSAL_NONE nothing of it is true. */
#ifndef SERVE_TOKEN_H
#define SERVE_TOKEN_H

#include "serve/verify/claims_of_token.h"

/* All but the signature and what only a genuine token is told. The caller ends with
 * token_clear() in any case. */
enum refusal token_read(struct token *token, const struct rules *rules, const char *text,
                        size_t text_len, enum token_scheme scheme, int64_t now_ms);

void token_clear(struct token *token);

/* The dear part. */
enum refusal token_check_signature(struct token *token);

/* Whether the scopes that the rule wants are there. After the signature: a forged token must not
 * learn more than that it is no token. */
enum refusal token_check_scopes(const struct token *token);

#endif
