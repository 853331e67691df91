/* SPDX-License-Identifier: Apache-2.0 */
/* The README's program: one token is shown twice. With a URI of Redis (redis://…) it shares what it
 * remembers with every other program that names the same one. */
#include <jtiguard/jtiguard.h>
#include <stdio.h>
#include <time.h>

int main(int argc, char **argv)
{
    jtg_cache *cache = NULL;
    jtg_guard *guard = NULL;
    jtg_error err = JTG_ERROR_INIT;
    jtg_status status = argc > 1 ? jtg_redis_new_uri(&cache, argv[1], &err) /* many hosts */
                                 : jtg_memory_new(&cache, NULL, &err);      /* this process */
    if (status != JTG_OK || jtg_guard_new(&guard, cache, NULL, &err) != JTG_OK) {
        fprintf(stderr, "%s\n", err.text); /* Do not start without it. */
        return 1;
    }
    for (int use = 1; use <= 2; use++) {
        jtg_claims claims = JTG_CLAIMS_INIT; /* of a token that you have verified */
        claims.kind = JTG_KIND_ID_TOKEN;
        claims.issuer = jtg_text_of("https://id.example.com");
        claims.audience = jtg_text_of("shop");
        claims.jti = jtg_text_of("5c3e8f10");
        claims.iat_ms = (int64_t)time(NULL) * 1000;
        claims.exp_ms = claims.iat_ms + 300000;
        jtg_decision decision = JTG_DECISION_INIT;
        bool let_in = jtg_guard_admit(guard, &claims, &decision, NULL);
        printf("use %d: %s\n", use, let_in ? "admitted" : jtg_reason_name(decision.reason));
    }
    jtg_guard_free(guard);
    jtg_cache_free(cache);
    return 0;
}
