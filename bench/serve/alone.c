/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/serve/alone.h"

#include "bench/isolate.h"

#include <cjose/cjose.h>
#include <jansson.h>
#include <jtiguard/guard.h>
#include <jtiguard/memory.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double processor_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static cjose_jwk_t *read_key(const char *keys)
{
    json_t *set = json_loads(keys, 0, NULL);
    char *text = json_dumps(json_array_get(json_object_get(set, "keys"), 0), JSON_COMPACT);
    cjose_jwk_t *key = text != NULL ? cjose_jwk_import(text, strlen(text), NULL) : NULL;
    free(text);
    json_decref(set);
    if (key == NULL)
        bench_die("the key cannot be read");
    return key;
}

static double measure_signature(const struct bench_tokens *tokens)
{
    cjose_jwk_t *key = read_key(tokens->keys);
    double begin = processor_us();
    for (size_t i = 0; i < tokens->count; i++) {
        cjose_jws_t *shown = cjose_jws_import(tokens->texts[i], strlen(tokens->texts[i]), NULL);
        if (shown == NULL || !cjose_jws_verify(shown, key, NULL))
            bench_die("a signature does not hold");
        cjose_jws_release(shown);
    }
    double spent = processor_us() - begin;
    (void)cjose_jwk_release(key);
    return spent / (double)tokens->count;
}

static jtg_guard *make_guard(jtg_cache **cache)
{
    jtg_guard *guard = NULL;
    jtg_error err = JTG_ERROR_INIT;
    if (jtg_memory_new(cache, NULL, &err) != JTG_OK ||
        jtg_guard_new(&guard, *cache, NULL, &err) != JTG_OK)
        bench_die("no guard: %s", err.text);
    return guard;
}

static double measure_guard(const struct bench_tokens *tokens)
{
    char jti[BENCH_JTI_BYTES];
    jtg_cache *cache = NULL;
    jtg_guard *guard = make_guard(&cache);
    jtg_claims claims = JTG_CLAIMS_INIT;
    claims.kind = JTG_KIND_ID_TOKEN;
    claims.issuer = jtg_text_of(BENCH_ISSUER_URL);
    claims.audience = jtg_text_of(BENCH_ISSUER_AUDIENCE);
    claims.iat_ms = (int64_t)time(NULL) * 1000;
    claims.exp_ms = claims.iat_ms + 3600000;
    double begin = processor_us();
    for (size_t i = 0; i < tokens->count; i++) {
        jtg_decision decision = JTG_DECISION_INIT;
        bench_tokens_jti(jti, i);
        claims.jti = jtg_text_of(jti);
        if (!jtg_guard_admit(guard, &claims, &decision, NULL))
            bench_die("a fresh token was not admitted");
    }
    double spent = processor_us() - begin;
    jtg_guard_free(guard);
    jtg_cache_free(cache);
    return spent / (double)tokens->count;
}

void bench_alone_measure(const void *input, void *result)
{
    struct bench_alone *alone = result;
    alone->signature_us = measure_signature(input);
    alone->guard_us = measure_guard(input);
}
