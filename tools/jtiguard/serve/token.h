/* SPDX-License-Identifier: Apache-2.0 */
/* A token on its way through the checks: read, matched with the entry of the settings that it
 * claims to be for, its claims checked, and last its signature. Until token_check_signature()
 * has said REFUSAL_NONE nothing of it is true. */
#ifndef SERVE_TOKEN_H
#define SERVE_TOKEN_H

#include "jws.h"
#include "rules.h"

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
