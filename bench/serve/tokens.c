/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/serve/tokens.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LIFETIME_S = 3600 };

void bench_tokens_jti(char jti[BENCH_JTI_BYTES], size_t i)
{
    (void)snprintf(jti, BENCH_JTI_BYTES, "bench-%016zx", i);
}

static bool set_request(struct bench_http_request *request, const char *bytes, int len)
{
    if (len < 0)
        return false;
    *request = (struct bench_http_request){bytes, (size_t)len, 1};
    return true;
}

static bool make_claims(struct bench_tokens *tokens, size_t i)
{
    char jti[BENCH_JTI_BYTES];
    char body[256];
    char *bytes = NULL;
    long now_s = (long)time(NULL);
    bench_tokens_jti(jti, i);
    int body_len =
        snprintf(body, sizeof body,
                 "{\"kind\":\"id_token\",\"iss\":\"%s\",\"aud\":\"%s\",\"jti\":\"%s\",\"iat\":%ld,"
                 "\"exp\":%ld}",
                 BENCH_ISSUER_URL, BENCH_ISSUER_AUDIENCE, jti, now_s, now_s + LIFETIME_S);
    int len = asprintf(&bytes,
                       "POST /v1/reserve HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer %s\r\n"
                       "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
                       BENCH_API_SECRET, body_len, body);
    return set_request(&tokens->claims[i], bytes, len);
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
    return set_request(&tokens->requests[i], bytes, len) && make_claims(tokens, i);
}

bool bench_tokens_make(struct bench_tokens *tokens, const char *alg, size_t count)
{
    struct bench_issuer *issuer = bench_issuer_new(alg);
    *tokens = (struct bench_tokens){count, NULL, calloc(count, sizeof *tokens->texts),
                                    calloc(count, sizeof *tokens->requests),
                                    calloc(count, sizeof *tokens->claims)};
    bool good = issuer != NULL && tokens->texts != NULL && tokens->requests != NULL &&
                tokens->claims != NULL;
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

static void free_requests(struct bench_http_request *requests, size_t count)
{
    union {
        const char *borrowed;
        void *memory;
    } bytes;
    for (size_t i = 0; i < count && requests != NULL; i++) {
        bytes.borrowed = requests[i].bytes;
        free(bytes.memory);
    }
    free(requests);
}

void bench_tokens_free(struct bench_tokens *tokens)
{
    for (size_t i = 0; i < tokens->count && tokens->texts != NULL; i++)
        free(tokens->texts[i]);
    free(tokens->texts);
    free_requests(tokens->requests, tokens->count);
    free_requests(tokens->claims, tokens->count);
    free(tokens->keys);
    *tokens = (struct bench_tokens){0, NULL, NULL, NULL, NULL};
}
