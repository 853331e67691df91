/* SPDX-License-Identifier: Apache-2.0 */
/* The manual's example, complete: guard the ID token of a login.
 *
 * In your program the claims come from your JWT library, after it has checked the signature,
 * and after you have checked the issuer, the audience and the nonce. */
#include <jtiguard/jtiguard.h>
#include <stdio.h>
#include <time.h>

static jtg_claims claims_of_verified_token(const char *jti)
{
    int64_t now_ms = (int64_t)time(NULL) * 1000;
    jtg_claims claims = JTG_CLAIMS_INIT;
    claims.kind = JTG_KIND_ID_TOKEN;
    claims.issuer = jtg_text_of("https://id.example.com");
    claims.audience = jtg_text_of("timesheets");
    claims.jti = jtg_text_of(jti);
    claims.iat_ms = now_ms - 1000;
    claims.exp_ms = now_ms + 300000;
    return claims;
}

/* What your program does with a token: true lets the user in. */
static bool log_in(jtg_guard *guard, const char *jti)
{
    jtg_claims claims = claims_of_verified_token(jti);
    jtg_decision decision = JTG_DECISION_INIT;
    if (jtg_guard_admit(guard, &claims, &decision, NULL)) {
        printf("welcome\n");
        return true;
    }
    /* The name of the reason may be logged. The jti may not: it is part of the token. */
    printf("refused: %s\n", jtg_reason_name(decision.reason));
    return false;
}

static int serve(jtg_cache *cache)
{
    jtg_guard *guard = NULL;
    jtg_error err = JTG_ERROR_INIT;
    if (jtg_guard_new(&guard, cache, NULL, &err) != JTG_OK) {
        fprintf(stderr, "guard: %s\n", err.text);
        return 1;
    }
    bool first = log_in(guard, "5c3e8f10-6b7a-4d92-8e41");
    bool again = log_in(guard, "5c3e8f10-6b7a-4d92-8e41");
    bool other = log_in(guard, "a90d7b44-13f2-4c08-b6e5");
    printf("%llu replayed\n", (unsigned long long)jtg_guard_counter(guard, JTG_REASON_REPLAYED));
    jtg_guard_free(guard);
    return first && !again && other ? 0 : 1;
}

int main(void)
{
    jtg_cache *cache = NULL;
    jtg_error err = JTG_ERROR_INIT;
    if (jtg_memory_new(&cache, NULL, &err) != JTG_OK) {
        fprintf(stderr, "store: %s\n", err.text); /* Do not start without it. */
        return 1;
    }
    int code = serve(cache);
    jtg_cache_free(cache);
    return code;
}
