/* SPDX-License-Identifier: Apache-2.0 */
/* The rotation of refresh tokens, whose retry gets what the first try got. */
#ifndef EXAMPLES_ROTATION_H
#define EXAMPLES_ROTATION_H

#include <jtiguard/jtiguard.h>

enum { ROTATION_ID_SIZE = 33 };

struct rotation {
    jtg_cache *cache; /* of the guard; a Redis is shared by all instances */
    jtg_guard *guard;
};

/* A refresh token that was verified, and who shows it. */
struct rotation_request {
    const char *issuer;
    const char *audience;
    const char *jti;
    int64_t exp_ms;
    /* What a retry of the same client has, and nobody else: the key of a DPoP proof that was
     * checked, or the client that was authenticated with its Idempotency-Key; not empty. */
    const char *right;
};

/* The jti of the token that follows: sign one with it and hand it out. The same one for every try
 * of one client, another client's try is refused. JTG_REASON_ADMITTED, or why not. */
jtg_reason rotation_next(const struct rotation *rotation, const struct rotation_request *request,
                         char next[ROTATION_ID_SIZE]);

#endif
