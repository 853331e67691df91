/* SPDX-License-Identifier: Apache-2.0 */
/* What a payload must say to be a token of its rule's kind, for us, now, and shown like this.
 * Fills what the guard takes. */
#ifndef SERVE_CLAIMS_OF_TOKEN_H
#define SERVE_CLAIMS_OF_TOKEN_H

#include "token.h"

enum refusal claims_of_token_check(struct token *token, enum token_scheme scheme, int64_t now_ms);

/* Whether a payload has the event of a logout token, which no other token has. */
bool claims_are_of_logout(const json_t *payload);

/* Whether a text can be the value of a response header and arrive as it was: no control
 * characters; no blanks at its ends, which a proxy cuts, so that " admin" would become "admin";
 * not longer than proxies take. */
bool claims_fit_header(jtg_text text);

#endif
