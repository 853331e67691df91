/* SPDX-License-Identifier: Apache-2.0 */
/* What a payload must say to be a token of its rule's kind, for us, now, and shown like this.
 * Fills what the guard takes. */
#ifndef SERVE_CLAIMS_OF_TOKEN_H
#define SERVE_CLAIMS_OF_TOKEN_H

#include "serve/verify/jws.h"
#include "serve/verify/rules.h"

/* Taken apart; see token.h. */
struct token {
    struct jws jws;
    const struct rule *rule; /* borrowed from the rules */
    /* For the guard, as far as the token says it; borrowed from the token and the rules. */
    jtg_claims claims;
    jtg_text subject;
    const char *bound_to; /* cnf.jkt; NULL: not bound */
    uint64_t seen_keys;   /* of keys_get() */
    bool hopes;           /* refused, but for keys that may come */
};

/* How a token is shown. */
enum token_scheme { TOKEN_SCHEME_BEARER, TOKEN_SCHEME_DPOP };

enum refusal claims_of_token_check(struct token *token, enum token_scheme scheme, int64_t now_ms);

/* Whether a payload has the event of a logout token, which no other token has. */
bool claims_are_of_logout(const json_t *payload);

/* Whether a text can be the value of a response header and arrive as it was: no control
 * characters; no blanks at its ends, which a proxy cuts, so that " admin" would become "admin";
 * not longer than proxies take. */
bool claims_fit_header(jtg_text text);

#endif
