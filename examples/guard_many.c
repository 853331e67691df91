/* SPDX-License-Identifier: Apache-2.0 */
/* Many tokens that have come together, e.g. in one message of a queue: one call to the guard, and
 * on a store that is a server one round trip. Each is decided by itself.
 *
 * In your program the claims come from your JWT library, after it has checked each token. */
#include <jtiguard/jtiguard.h>
#include <stdio.h>
#include <time.h>

enum { TOKENS = 5 };

static const char *const jtis[TOKENS] = {"5c3e8f10", "a90d7b44", "5c3e8f10", "e11f0c6d",
                                         "77b2d950"};

static jtg_claims claims_of_verified_token(const char *jti, int64_t lifetime_s)
{
    int64_t now_ms = (int64_t)time(NULL) * 1000;
    jtg_claims claims = JTG_CLAIMS_INIT;
    claims.kind = JTG_KIND_LOGOUT_TOKEN;
    claims.issuer = jtg_text_of("https://id.example.com");
    claims.audience = jtg_text_of("timesheets");
    claims.jti = jtg_text_of(jti);
    claims.iat_ms = now_ms - 600000;
    claims.exp_ms = claims.iat_ms + lifetime_s * 1000;
    return claims;
}

struct token {
    jtg_claims claims;
    jtg_decision decision;
};

/* How many users were logged out. */
static unsigned log_out(jtg_guard *guard)
{
    static const jtg_decision undecided = JTG_DECISION_INIT;
    struct token tokens[TOKENS];
    jtg_admit_call calls[TOKENS];
    unsigned admitted = 0;
    for (size_t i = 0; i < TOKENS; i++) {
        tokens[i].claims = claims_of_verified_token(jtis[i], i == 3 ? 300 : 900);
        tokens[i].decision = undecided;
        calls[i] = (jtg_admit_call){&tokens[i].claims, &tokens[i].decision, NULL, false};
    }
    jtg_guard_admit_many(guard, calls, TOKENS);
    for (size_t i = 0; i < TOKENS; i++) {
        printf("token %zu: %s\n", i + 1, jtg_reason_name(tokens[i].decision.reason));
        admitted += calls[i].admitted;
    }
    return admitted;
}

int main(void)
{
    jtg_cache *cache = NULL;
    jtg_guard *guard = NULL;
    jtg_error err = JTG_ERROR_INIT;
    if (jtg_memory_new(&cache, NULL, &err) != JTG_OK ||
        jtg_guard_new(&guard, cache, NULL, &err) != JTG_OK) {
        fprintf(stderr, "%s\n", err.text); /* Do not start without it. */
        jtg_cache_free(cache);
        return 1;
    }
    unsigned first = log_out(guard);
    unsigned again = log_out(guard);
    printf("%u logged out, and %u when it was sent again\n", first, again);
    jtg_guard_free(guard);
    jtg_cache_free(cache);
    return first == 3 && again == 0 ? 0 : 1;
}
