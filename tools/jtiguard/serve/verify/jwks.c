/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/verify/jwks.h"

#include "serve/verify/issuer_json.h"
#include "serve/verify/jwk_spelling.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct jwks {
    atomic_uint references;
    size_t count;
    struct jwk keys[];
};

static void count_malformed(struct jwks_tally *tally, const json_t *object)
{
    const char *kid = json_string_value(json_object_get(object, "kid"));
    tally->malformed++;
    if (kid != NULL && tally->malformed_kid[0] == '\0')
        (void)snprintf(tally->malformed_kid, sizeof tally->malformed_kid, "%s", kid);
}

static void count_fault(struct jwks_tally *tally, enum jwk_fault fault, const json_t *object)
{
    if (fault == JWK_FAULT_NONE)
        tally->kept++;
    else if (fault == JWK_FAULT_WEAK)
        tally->weak++;
    else if (fault == JWK_FAULT_PRIVATE)
        tally->private_parts++;
    else if (fault == JWK_FAULT_MALFORMED)
        count_malformed(tally, object);
    else
        tally->others++;
}

static enum jwk_fault read_published(struct jwk *jwk, const json_t *object, enum jwks_owner owner)
{
    json_t *respelled = jwk_respelled(object);
    *jwk = (struct jwk){0};
    if (respelled == NULL)
        return json_is_object(object) ? JWK_FAULT_MEMORY : JWK_FAULT_MALFORMED;
    enum jwk_fault fault = jwk_read(jwk, respelled);
    json_decref(respelled);
    if (fault == JWK_FAULT_NONE && owner == JWKS_OF_TRUST_DOMAIN && !jwk->is_of_svids)
        return JWK_FAULT_USELESS;
    return fault;
}

static bool read_keys(struct jwks *jwks, const json_t *list, enum jwks_owner owner,
                      struct jwks_tally *tally)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct jwk *next = &jwks->keys[jwks->count];
        const json_t *object = json_array_get(list, i);
        enum jwk_fault fault = read_published(next, object, owner);
        count_fault(tally, fault, object);
        if (fault == JWK_FAULT_NONE)
            jwks->count++;
        else
            jwk_clear(next);
        if (fault == JWK_FAULT_MEMORY)
            return false;
    }
    return true;
}

static struct jwks *read_list(const json_t *list, enum jwks_owner owner, struct jwks_tally *tally,
                              const char **why)
{
    *why = "it is no JWK Set: it has no list of keys";
    if (!json_is_array(list))
        return NULL;
    *why = "it has too many keys";
    if (json_array_size(list) > JWKS_MAX_KEYS)
        return NULL;
    *why = "out of memory";
    struct jwks *jwks = calloc(1, sizeof *jwks + json_array_size(list) * sizeof *jwks->keys);
    if (jwks == NULL)
        return NULL;
    atomic_init(&jwks->references, 1);
    if (read_keys(jwks, list, owner, tally))
        return jwks;
    jwks_release(jwks);
    return NULL;
}

struct jwks *jwks_read(const char *text, size_t text_len, enum jwks_owner owner,
                       struct jwks_tally *tally, const char **why)
{
    *tally = (struct jwks_tally){0};
    json_t *root = issuer_json_read(text, text_len, why);
    if (root == NULL)
        return NULL;
    struct jwks *jwks = read_list(json_object_get(root, "keys"), owner, tally, why);
    json_decref(root);
    return jwks;
}

struct jwks *jwks_hold(struct jwks *jwks)
{
    if (jwks != NULL)
        (void)atomic_fetch_add_explicit(&jwks->references, 1, memory_order_relaxed);
    return jwks;
}

void jwks_release(struct jwks *jwks)
{
    if (jwks == NULL || atomic_fetch_sub_explicit(&jwks->references, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < jwks->count; i++)
        jwk_clear(&jwks->keys[i]);
    free(jwks);
}

size_t jwks_count(const struct jwks *jwks)
{
    return jwks->count;
}

static bool is_named(const struct jwk *jwk, const char *kid)
{
    return kid == NULL || (jwk->kid != NULL && strcmp(jwk->kid, kid) == 0);
}

size_t jwks_find(const struct jwks *jwks, const char *kid, const struct alg *alg, jwks_fit *fits,
                 const void *context, const struct jwk *matches[JWKS_MAX_MATCHES])
{
    size_t found = 0;
    for (size_t i = 0; i < jwks->count; i++) {
        const struct jwk *jwk = &jwks->keys[i];
        if (!jwk_fits(jwk, alg) || !is_named(jwk, kid) || (fits != NULL && !fits(jwk, context)))
            continue;
        if (found < JWKS_MAX_MATCHES)
            matches[found] = jwk;
        found++;
    }
    return found;
}
