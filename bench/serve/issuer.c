/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/serve/issuer.h"

#include <cjose/cjose.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define KID "key-1"

enum { RSA_BITS = 2048, PAYLOAD_BYTES = 512 };

struct bench_issuer {
    cjose_jwk_t *key;
    cjose_header_t *header;
};

/* e = 65537 */
static cjose_jwk_t *make_key(const char *alg)
{
    static const uint8_t exponent[] = {1, 0, 1};
    if (strcmp(alg, "RS256") == 0)
        return cjose_jwk_create_RSA_random(RSA_BITS, exponent, sizeof exponent, NULL);
    return cjose_jwk_create_EC_random(CJOSE_JWK_EC_P_256, NULL);
}

struct bench_issuer *bench_issuer_new(const char *alg)
{
    struct bench_issuer *issuer = calloc(1, sizeof *issuer);
    if (issuer == NULL)
        return NULL;
    issuer->key = make_key(alg);
    issuer->header = cjose_header_new(NULL);
    if (issuer->key != NULL && issuer->header != NULL &&
        cjose_jwk_set_kid(issuer->key, KID, strlen(KID), NULL) &&
        cjose_header_set(issuer->header, CJOSE_HDR_ALG, alg, NULL) &&
        cjose_header_set(issuer->header, CJOSE_HDR_KID, KID, NULL) &&
        cjose_header_set(issuer->header, "typ", "JWT", NULL))
        return issuer;
    bench_issuer_free(issuer);
    return NULL;
}

void bench_issuer_free(struct bench_issuer *issuer)
{
    if (issuer == NULL)
        return;
    if (issuer->key != NULL)
        (void)cjose_jwk_release(issuer->key);
    if (issuer->header != NULL)
        cjose_header_release(issuer->header);
    free(issuer);
}

char *bench_issuer_keys(const struct bench_issuer *issuer)
{
    char *keys = NULL;
    char *key = cjose_jwk_to_json(issuer->key, false, NULL);
    if (key != NULL && asprintf(&keys, "{\"keys\":[%s]}\n", key) < 0)
        keys = NULL;
    free(key);
    return keys;
}

char *bench_issuer_sign(const struct bench_issuer *issuer, const char *jti, long lifetime_s)
{
    char payload[PAYLOAD_BYTES];
    const char *text = NULL;
    char *token = NULL;
    long now = (long)time(NULL);
    int len = snprintf(payload, sizeof payload,
                       "{\"iss\":\"" BENCH_ISSUER_URL "\",\"aud\":\"" BENCH_ISSUER_AUDIENCE
                       "\",\"sub\":\"somebody\",\"jti\":\"%s\",\"iat\":%ld,\"exp\":%ld}",
                       jti, now, now + lifetime_s);
    if (len < 0 || (size_t)len >= sizeof payload)
        return NULL;
    cjose_jws_t *signed_one =
        cjose_jws_sign(issuer->key, issuer->header, (const uint8_t *)payload, (size_t)len, NULL);
    if (signed_one != NULL && cjose_jws_export(signed_one, &text, NULL))
        token = strdup(text);
    if (signed_one != NULL)
        cjose_jws_release(signed_one);
    return token;
}
