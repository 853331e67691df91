/* SPDX-License-Identifier: Apache-2.0 */
#include "rotation.h"

#include <stdio.h>
#include <string.h>

/* For how long a retry gets the answer; then the token is only used up. */
#define RETRY_MS UINT64_C(60000)

/* Where the result is looked for: at a digest of the token and of the right to it, so that nobody
 * else finds it. The lengths keep the parts apart. */
static bool name_of(const struct rotation_request *request, jtg_owner *name)
{
    char all[4096];
    int length = snprintf(all, sizeof all, "%zu:%s%zu:%s%zu:%s%s", strlen(request->issuer),
                          request->issuer, strlen(request->audience), request->audience,
                          strlen(request->jti), request->jti, request->right);
    return request->right[0] != '\0' && length > 0 && (size_t)length < sizeof all &&
           jtg_owner_from_bytes(name, all, (size_t)length) == JTG_OK;
}

static void write_id(char id[ROTATION_ID_SIZE])
{
    jtg_owner fresh;
    jtg_owner_generate(&fresh);
    for (size_t i = 0; i < sizeof fresh.bytes; i++)
        (void)snprintf(id + 2 * i, 3, "%02x", (unsigned)fresh.bytes[i]);
}

/* What an earlier try has proposed. */
static bool read_proposal(jtg_cache *cache, const jtg_key *key, char next[ROTATION_ID_SIZE])
{
    jtg_value value = JTG_VALUE_INIT;
    bool whole =
        jtg_cache_get(cache, key, &value, NULL) == JTG_OK && value.data_len == ROTATION_ID_SIZE - 1;
    for (size_t i = 0; whole && i < value.data_len; i++)
        next[i] = (char)value.data[i];
    next[ROTATION_ID_SIZE - 1] = '\0';
    jtg_value_clear(&value);
    return whole;
}

/* All tries of one client agree on one result, before any of them is admitted. */
static bool agree(jtg_cache *cache, const jtg_owner *name, char next[ROTATION_ID_SIZE])
{
    jtg_key key = {name->bytes, sizeof name->bytes, NULL, 0};
    write_id(next);
    jtg_status status =
        jtg_cache_swap(cache, &key, NULL, 0, next, ROTATION_ID_SIZE - 1, RETRY_MS, NULL);
    return status == JTG_OK || (status == JTG_MISMATCH && read_proposal(cache, &key, next));
}

/* The result is the owner: whoever comes with another one is a replay, be it a thief or a retry for
 * which the proposal was lost. So nothing depends on the store keeping the proposal. */
static jtg_reason use(jtg_guard *guard, const struct rotation_request *request, const char *next)
{
    jtg_owner owner;
    if (jtg_owner_from_bytes(&owner, next, strlen(next)) != JTG_OK)
        return JTG_REASON_INTERNAL;
    jtg_claims claims = JTG_CLAIMS_INIT;
    claims.kind = JTG_KIND_CUSTOM;
    claims.custom_kind = jtg_text_of("refresh token");
    claims.issuer = jtg_text_of(request->issuer);
    claims.audience = jtg_text_of(request->audience);
    claims.jti = jtg_text_of(request->jti);
    claims.exp_ms = request->exp_ms;
    claims.owner = &owner;
    jtg_decision decision = JTG_DECISION_INIT;
    bool admitted = jtg_guard_admit(guard, &claims, &decision, NULL);
    return admitted ? JTG_REASON_ADMITTED : decision.reason;
}

jtg_reason rotation_next(const struct rotation *rotation, const struct rotation_request *request,
                         char next[ROTATION_ID_SIZE])
{
    jtg_owner name;
    next[0] = '\0';
    if (!name_of(request, &name))
        return JTG_REASON_BAD_ARGUMENT;
    if (!agree(rotation->cache, &name, next))
        return JTG_REASON_STORE_UNAVAILABLE; /* nothing is used up: the client asks again */
    return use(rotation->guard, request, next);
}
