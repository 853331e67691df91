/* SPDX-License-Identifier: Apache-2.0 */
/* A client with a key of its own, an access token that is bound to it, and fresh proofs (RFC 9449).
 */
#ifndef TESTS_SERVE_DPOP_CLIENT_H
#define TESTS_SERVE_DPOP_CLIENT_H

#include "serve/signer.h"

struct dpop_client {
    struct signer *key;
    char *token;
    char ath[44];
    unsigned proofs; /* made so far: each has a jti of its own */
};

/* Whose token it is, and from when to when it is good. */
struct dpop_grant {
    const struct signer *signer;
    const char *kid;
    const char *issuer;
    const char *audience;
    long issued_s;
    long lifetime_s;
};

void dpop_client_init(struct dpop_client *client, const struct dpop_grant *grant);
void dpop_client_clear(struct dpop_client *client);

/* The header lines of one request, with a new proof for this method and URL, made at now_s. nonce
 * may be NULL. The caller frees them. */
struct dpop_use {
    const char *method;
    const char *url;
    const char *nonce;
    long now_s;
};
char *dpop_client_headers(struct dpop_client *client, const struct dpop_use *use);

#endif
