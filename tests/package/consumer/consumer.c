/* SPDX-License-Identifier: Apache-2.0 */
/* Also compiled as C++: a program that has nothing but an installed tree. Admits a token once. */
#include <jtiguard/jtiguard.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static jtg_text text(const char *string)
{
    jtg_text result = JTG_TEXT_INIT;
    result.data = string;
    result.data_len = strlen(string);
    return result;
}

static jtg_claims claims_of_token(void)
{
    jtg_claims claims = JTG_CLAIMS_INIT;
    claims.kind = JTG_KIND_ID_TOKEN;
    claims.issuer = text("https://issuer.example");
    claims.audience = text("https://verifier.example");
    claims.jti = text("5f0c2a9e");
    claims.exp_ms = ((int64_t)time(NULL) + 60) * 1000;
    return claims;
}

static int use_twice(jtg_guard *guard)
{
    jtg_claims claims = claims_of_token();
    jtg_decision decision = JTG_DECISION_INIT;
    bool first = jtg_guard_admit(guard, &claims, &decision, NULL);
    bool second = jtg_guard_admit(guard, &claims, &decision, NULL);
    printf("%s first=%d second=%d %s\n", jtg_version(), first, second,
           jtg_reason_name(decision.reason));
    return first && !second && decision.reason == JTG_REASON_REPLAYED ? 0 : 1;
}

static int same_version(void)
{
    char version[32];
    (void)snprintf(version, sizeof version, "%d.%d.%d", JTG_VERSION_MAJOR, JTG_VERSION_MINOR,
                   JTG_VERSION_PATCH);
    return strcmp(version, jtg_version()) == 0;
}

int main(void)
{
    jtg_cache *cache = NULL;
    jtg_guard *guard = NULL;
    int status = 2;
    if (same_version() && jtg_memory_new(&cache, NULL, NULL) == JTG_OK &&
        jtg_guard_new(&guard, cache, NULL, NULL) == JTG_OK)
        status = use_twice(guard);
    jtg_guard_free(guard);
    jtg_cache_free(cache);
    return status;
}
