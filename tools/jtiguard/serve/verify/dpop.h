/* SPDX-License-Identifier: Apache-2.0 */
/* A DPoP proof (RFC 9449 section 4.3): that who shows the token holds the key that it is bound
 * to, and made this proof for this very request. */
#ifndef SERVE_DPOP_H
#define SERVE_DPOP_H

#include "serve/verify/dpop_request.h"
#include "serve/verify/rules.h"
#include "serve/verify/token.h"

struct proof {
    struct jws jws;
    struct jwk key;
    jtg_claims claims; /* for the guard; borrowed from the proof */
    int64_t made_ms;   /* its nonce, by our clock; JTG_TIME_ABSENT: no nonce of ours */
};

/* All but what needs the key: the cheap part. The caller ends with proof_clear() in any case. */
enum refusal proof_read(struct proof *proof, const struct rules *rules,
                        const struct dpop_request *request, int64_t now_ms);

/* The key of the proof, that it is the one which the token is bound to, and its signature. */
enum refusal proof_check_key(struct proof *proof, const char *bound_to);

void proof_clear(struct proof *proof);

#endif
