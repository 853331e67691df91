/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens of one issuer, signed before anything is measured, and the requests that show them. */
#ifndef BENCH_SERVE_TOKENS_H
#define BENCH_SERVE_TOKENS_H

#include "bench/serve/http_load.h"
#include "bench/serve/issuer.h"

enum { BENCH_JTI_BYTES = 32 };

struct bench_tokens {
    size_t count;
    char *keys;   /* of the issuer, a JWK Set */
    char **texts; /* the tokens */
    struct bench_http_request *requests;
    struct bench_http_request
        *claims; /* the same tokens, as claims for the API behind this secret */
};

#define BENCH_API_SECRET "the-secret-of-a-benchmark"

/* false, and a line on stderr, when they cannot be made. */
bool bench_tokens_make(struct bench_tokens *tokens, const char *alg, size_t count);
void bench_tokens_free(struct bench_tokens *tokens);

/* The jti of token number i. */
void bench_tokens_jti(char jti[BENCH_JTI_BYTES], size_t i);

#endif
