/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/verify/token.h"

#include "serve/verify/issuer_name.h"

#include <string.h>

static bool takes_typ(const struct rule *rule, const char *typ)
{
    for (size_t i = 0; i < rule->typs.count; i++)
        if (jws_same_typ(rule->typs.items[i], typ))
            return true;
    return false;
}

/* Whether an entry takes the token: entries of one issuer are told apart by typ, and those of
 * logout tokens also by their event. No two of them take one token. */
static bool takes(const struct rule *rule, const struct token *token, const char *typ)
{
    return takes_typ(rule, typ) &&
           (rule->kind == JTG_KIND_LOGOUT_TOKEN) == claims_are_of_logout(token->jws.payload);
}

static bool is_of_issuer(const struct rule *rule, const char *issuer)
{
    if (rule->trust_domain != NULL)
        return false;
    return rule->tenants.count > 0
               ? issuer_template_fits(rule->issuer, issuer,
                                      (const char *const *)rule->tenants.items, rule->tenants.count)
               : strcmp(rule->issuer, issuer) == 0;
}

static bool is_of_trust_domain(const struct rule *rule, const char *subject)
{
    return rule->trust_domain != NULL && is_in_trust_domain(subject, rule->trust_domain);
}

/* name selects the entry and proves nothing. Where only an entry of another kind has the typ, its
 * checks say what is wrong. */
static enum refusal find_among(struct token *token, const struct rules *rules, const char *name,
                               bool (*is_of)(const struct rule *rule, const char *name))
{
    const char *typ = token->jws.typ != NULL ? token->jws.typ : "";
    enum refusal refusal = REFUSAL_UNKNOWN_ISSUER;
    for (size_t i = 0; i < rules->count; i++) {
        const struct rule *rule = &rules->items[i];
        if (!is_of(rule, name))
            continue;
        refusal = REFUSAL_WRONG_TYP;
        if (takes(rule, token, typ)) {
            token->rule = rule;
            break;
        }
        if (token->rule == NULL && takes_typ(rule, typ))
            token->rule = rule;
    }
    return token->rule != NULL ? REFUSAL_NONE : refusal;
}

/* By iss, and what no issuer has by the trust domain of sub: such tokens need not have iss. */
static enum refusal find_rule(struct token *token, const struct rules *rules)
{
    const json_t *iss = json_object_get(token->jws.payload, "iss");
    const char *subject = json_string_value(json_object_get(token->jws.payload, "sub"));
    enum refusal refusal = REFUSAL_MISSING_ISSUER;
    if (iss != NULL && !json_is_string(iss))
        return REFUSAL_WRONG_TYPE;
    if (iss != NULL)
        refusal = find_among(token, rules, json_string_value(iss), is_of_issuer);
    if ((refusal != REFUSAL_MISSING_ISSUER && refusal != REFUSAL_UNKNOWN_ISSUER) || subject == NULL)
        return refusal;
    enum refusal by_subject = find_among(token, rules, subject, is_of_trust_domain);
    return by_subject == REFUSAL_UNKNOWN_ISSUER ? refusal : by_subject;
}

enum refusal token_read(struct token *token, const struct rules *rules, const char *text,
                        size_t text_len, enum token_scheme scheme, int64_t now_ms)
{
    *token = (struct token){.claims = JTG_CLAIMS_INIT};
    enum refusal refusal = jws_read(&token->jws, text, text_len, rules->max_token_bytes);
    if (refusal == REFUSAL_NONE)
        refusal = find_rule(token, rules);
    if (refusal == REFUSAL_NONE && (token->rule->algs & token->jws.alg->bit) == 0)
        refusal = REFUSAL_UNSUPPORTED_ALG;
    return refusal == REFUSAL_NONE ? claims_of_token_check(token, scheme, now_ms) : refusal;
}

void token_clear(struct token *token)
{
    jws_clear(&token->jws);
    *token = (struct token){.claims = JTG_CLAIMS_INIT};
}

/* A provider with many tenants publishes keys of which some are for one tenant only, and says so in
 * the key: by its issuer, or by a template that it fits. An entry for one tenant only is served the
 * same keys. Of a trust domain's bundle no others than the domain's were kept. */
static bool is_key_of(const struct jwk *jwk, const void *context)
{
    static const char *const any[] = {"*"};
    const struct token *token = context;
    return token->rule->trust_domain != NULL || jwk->issuer == NULL ||
           strcmp(jwk->issuer, token->rule->issuer) == 0 ||
           strcmp(jwk->issuer, token->claims.issuer.data) == 0 ||
           (token->rule->tenants.count == 0 && issuer_template_fault(jwk->issuer) == NULL &&
            issuer_template_fits(jwk->issuer, token->claims.issuer.data, any, 1));
}

/* Each key is a signature check that a stranger can ask for: only so many are tried. */
static enum refusal check_with(const struct token *token, const struct jwks *set)
{
    const struct jws *jws = &token->jws;
    const struct jwk *matches[JWKS_MAX_MATCHES];
    size_t found = jwks_find(set, jws->kid, jws->alg, is_key_of, token, matches);
    enum refusal refusal = REFUSAL_UNKNOWN_KEY;
    for (size_t i = 0; i < found && i < JWKS_MAX_MATCHES; i++) {
        if (jws_is_signed_by(jws, matches[i]))
            return REFUSAL_NONE;
        refusal = REFUSAL_BAD_SIGNATURE;
    }
    return jws->kid == NULL && found > JWKS_MAX_MATCHES ? REFUSAL_AMBIGUOUS_KEY : refusal;
}

/* Whether keys that we have not seen yet could change the answer. An issuer that names no keys, or
 * gives a new one the name of the old, shows it only by signatures that the old one did not make.
 */
static bool may_be_rotated(enum refusal refusal)
{
    return refusal == REFUSAL_KEYS_UNAVAILABLE || refusal == REFUSAL_UNKNOWN_KEY ||
           refusal == REFUSAL_BAD_SIGNATURE || refusal == REFUSAL_AMBIGUOUS_KEY;
}

static enum refusal check_with_newer(struct token *token, enum refusal refusal)
{
    struct jwks *newer = keys_get_newer(token->rule->keys, token->seen_keys);
    token->hopes = newer == NULL;
    if (newer == NULL)
        return refusal;
    refusal = check_with(token, newer);
    jwks_release(newer);
    return refusal;
}

enum refusal token_check_signature(struct token *token)
{
    struct jwks *set = keys_get(token->rule->keys, &token->seen_keys);
    enum refusal refusal = set != NULL ? check_with(token, set) : REFUSAL_KEYS_UNAVAILABLE;
    jwks_release(set);
    return may_be_rotated(refusal) ? check_with_newer(token, refusal) : refusal;
}

static bool text_has_word(const char *text, const char *word)
{
    size_t word_len = strlen(word);
    while (text != NULL && *text != '\0') {
        size_t len = strcspn(text, " ");
        if (len == word_len && memcmp(text, word, len) == 0)
            return true;
        text += len;
        text += strspn(text, " ");
    }
    return false;
}

static bool claim_has_scope(const json_t *claim, const char *scope)
{
    if (text_has_word(json_string_value(claim), scope))
        return true;
    for (size_t i = 0; i < json_array_size(claim); i++) {
        const char *item = json_string_value(json_array_get(claim, i));
        if (item != NULL && strcmp(item, scope) == 0)
            return true;
    }
    return false;
}

/* scope is one text with blanks between (RFC 8693 section 4.2); some issuers write scp instead, and
 * some write either as a list. */
static bool has_scope(const json_t *payload, const char *scope)
{
    return claim_has_scope(json_object_get(payload, "scope"), scope) ||
           claim_has_scope(json_object_get(payload, "scp"), scope);
}

enum refusal token_check_scopes(const struct token *token)
{
    for (size_t i = 0; i < token->rule->scopes.count; i++)
        if (!has_scope(token->jws.payload, token->rule->scopes.items[i]))
            return REFUSAL_INSUFFICIENT_SCOPE;
    return REFUSAL_NONE;
}
