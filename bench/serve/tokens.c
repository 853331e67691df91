/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/serve/tokens.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIFETIME_S = 3600 };

void bench_tokens_jti(char jti[BENCH_JTI_BYTES], size_t i)
{
    (void)snprintf(jti, BENCH_JTI_BYTES, "bench-%016zx", i);
}

static bool make_one(struct bench_tokens *tokens, const struct bench_issuer *issuer, size_t i)
{
    char jti[BENCH_JTI_BYTES];
    char *bytes = NULL;
    bench_tokens_jti(jti, i);
    tokens->texts[i] = bench_issuer_sign(issuer, jti, LIFETIME_S);
    if (tokens->texts[i] == NULL)
        return false;
    int len =
        asprintf(&bytes, "GET /check HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer %s\r\n\r\n",
                 tokens->texts[i]);
    if (len < 0)
        return false;
    tokens->requests[i] = (struct bench_http_request){bytes, (size_t)len, 1};
    return true;
}

bool bench_tokens_make(struct bench_tokens *tokens, const char *alg, size_t count)
{
    struct bench_issuer *issuer = bench_issuer_new(alg);
    *tokens = (struct bench_tokens){count, NULL, calloc(count, sizeof *tokens->texts),
                                    calloc(count, sizeof *tokens->requests)};
    bool good = issuer != NULL && tokens->texts != NULL && tokens->requests != NULL;
    if (good)
        tokens->keys = bench_issuer_keys(issuer);
    good = good && tokens->keys != NULL;
    for (size_t i = 0; good && i < count; i++)
        good = make_one(tokens, issuer, i);
    bench_issuer_free(issuer);
    if (!good)
        fputs("jtiguard bench serve: the tokens cannot be made\n", stderr);
    return good;
}

void bench_tokens_free(struct bench_tokens *tokens)
{
    union {
        const char *borrowed;
        void *memory;
    } bytes;
    for (size_t i = 0; i < tokens->count && tokens->texts != NULL; i++)
        free(tokens->texts[i]);
    for (size_t i = 0; i < tokens->count && tokens->requests != NULL; i++) {
        bytes.borrowed = tokens->requests[i].bytes;
        free(bytes.memory);
    }
    free(tokens->texts);
    free(tokens->requests);
    free(tokens->keys);
    *tokens = (struct bench_tokens){0, NULL, NULL, NULL};
}
