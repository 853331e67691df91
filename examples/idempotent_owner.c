/* SPDX-License-Identifier: Apache-2.0 */
/* One request that asks twice, and a failure that gives the token back.
 *
 * A proxy may ask its authorizer more than once for one request. With an owner made from the
 * request id that the proxy itself has chosen, asking again gives the same answer; a second
 * request with the same token is refused. */
#include <jtiguard/jtiguard.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static jtg_claims assertion(const jtg_owner *owner)
{
    int64_t now_ms = (int64_t)time(NULL) * 1000;
    jtg_claims claims = JTG_CLAIMS_INIT;
    claims.kind = JTG_KIND_CLIENT_ASSERTION;
    claims.issuer = jtg_text_of("billing-batch");
    claims.audience = jtg_text_of("https://as.example.com/token");
    claims.jti = jtg_text_of("assert-01-Zk3pQ9");
    claims.exp_ms = now_ms + 60000;
    claims.owner = owner;
    return claims;
}

static bool ask(jtg_guard *guard, const char *request_id, jtg_reservation *reservation)
{
    jtg_owner owner;
    if (jtg_owner_from_bytes(&owner, request_id, strlen(request_id)) != JTG_OK)
        return false;
    jtg_claims claims = assertion(&owner);
    jtg_decision decision = JTG_DECISION_INIT;
    bool admitted = jtg_guard_admit(guard, &claims, &decision, NULL);
    printf("%s: %s\n", request_id, jtg_reason_name(decision.reason));
    *reservation = decision.reservation;
    return admitted;
}

static bool show(jtg_guard *guard)
{
    jtg_reservation first;
    jtg_reservation ignored;
    if (!ask(guard, "request-1", &first) || !ask(guard, "request-1", &ignored) ||
        ask(guard, "request-2", &ignored))
        return false;

    /* Our own database failed before anything was changed: that is certain, and ours. */
    jtg_status status = jtg_guard_release(guard, &first, NULL);
    printf("release: %s\n", jtg_status_name(status));
    return status == JTG_OK && ask(guard, "request-3", &ignored);
}

int main(void)
{
    jtg_cache *cache = NULL;
    jtg_guard *guard = NULL;
    bool good = jtg_memory_new(&cache, NULL, NULL) == JTG_OK &&
                jtg_guard_new(&guard, cache, NULL, NULL) == JTG_OK && show(guard);
    jtg_guard_free(guard);
    jtg_cache_free(cache);
    return good ? 0 : 1;
}
