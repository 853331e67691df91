/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/verify/verify.h"

#include "serve/verify/claims_of_token.h"
#include "serve/verify/dpop.h"
#include "serve/verify/dpop_nonce.h"
#include "serve/verify/rules.h"

#include <jtiguard/status.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct verifier {
    pthread_mutex_t lock; /* held to take a reference, or to swap */
    struct rules *rules;
};

/* What the texts of a verified point into. */
struct verified_storage {
    struct rules *rules;
    json_t *payload;
    json_t *proof;
    char thumbprint[BASE64URL_HASH_BYTES];
    struct verified_header *headers;
    char **dumps; /* of claims that are no texts, one a header, mostly NULL */
    size_t dump_count;
};

static struct rules *rules_of(struct verifier *verifier)
{
    (void)pthread_mutex_lock(&verifier->lock);
    struct rules *rules = rules_hold(verifier->rules);
    (void)pthread_mutex_unlock(&verifier->lock);
    return rules;
}

/* ---- made, reloaded, ended ---- */

jtg_status verifier_new(struct verifier **verifier, const struct verify_settings *settings,
                        jtg_error *err)
{
    *verifier = NULL;
    if (sodium_init() < 0)
        return jtg_error_set(err, JTG_ERR_SYSTEM, 0, "verifier: no randomness");
    struct verifier *made = calloc(1, sizeof *made);
    if (made == NULL)
        return jtg_error_set(err, JTG_ERR_MEMORY, 0, "verifier: out of memory");
    jtg_status status = rules_new(&made->rules, settings, NULL, err);
    if (status != JTG_OK) {
        free(made);
        return status;
    }
    (void)pthread_mutex_init(&made->lock, NULL);
    *verifier = made;
    return JTG_OK;
}

jtg_status verifier_reload(struct verifier *verifier, const struct verify_settings *settings,
                           jtg_error *err)
{
    struct rules *fresh = NULL;
    jtg_status status = rules_new(&fresh, settings, verifier->rules, err);
    if (status != JTG_OK)
        return status;
    (void)pthread_mutex_lock(&verifier->lock);
    struct rules *old = verifier->rules;
    verifier->rules = fresh;
    if (settings->in_effect != NULL)
        settings->in_effect(settings->in_effect_context);
    (void)pthread_mutex_unlock(&verifier->lock);
    rules_stop(old);
    rules_release(old);
    return JTG_OK;
}

void verifier_free(struct verifier *verifier)
{
    if (verifier == NULL)
        return;
    rules_stop(verifier->rules);
    rules_release(verifier->rules);
    (void)pthread_mutex_destroy(&verifier->lock);
    free(verifier);
}

void verifier_hurry(struct verifier *verifier)
{
    struct rules *rules = rules_of(verifier);
    for (size_t i = 0; i < rules->keys_count; i++)
        keys_hurry(rules->keys[i]);
    rules_release(rules);
}

/* ---- what a verified token keeps ---- */

static void free_storage(struct verified_storage *storage)
{
    if (storage == NULL)
        return;
    for (size_t i = 0; i < storage->dump_count; i++)
        free(storage->dumps[i]);
    free(storage->dumps);
    free(storage->headers);
    json_decref(storage->payload);
    json_decref(storage->proof);
    rules_release(storage->rules);
    free(storage);
}

void verified_clear(struct verified *verified)
{
    free_storage(verified->storage);
    rules_release(verified->hope.rules);
    *verified = (struct verified){.claims = JTG_CLAIMS_INIT};
}

static enum refusal keep_dump(struct verified_storage *storage, struct verified_header *header,
                              const json_t *value)
{
    char *dump = json_dumps(value, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_ENCODE_ANY);
    if (dump == NULL)
        return REFUSAL_OUT_OF_MEMORY;
    storage->dumps[storage->dump_count++] = dump;
    header->value = (jtg_text){dump, strlen(dump)};
    return claims_fit_header(header->value) ? REFUSAL_NONE : REFUSAL_UNSAFE_CLAIM;
}

/* The HTTP library writes no empty header, and that must not fail once the token is used up. */
static bool says_nothing(const json_t *value)
{
    return value == NULL || json_is_null(value) ||
           (json_is_string(value) && json_string_length(value) == 0);
}

/* An absent claim, or null, makes no header. */
static enum refusal keep_header(struct verified *verified, const struct rule_header *wanted)
{
    struct verified_storage *storage = verified->storage;
    const json_t *value = json_object_get(storage->payload, wanted->claim);
    if (says_nothing(value))
        return REFUSAL_NONE;
    struct verified_header *header = &storage->headers[verified->header_count++];
    header->name = wanted->name;
    if (!json_is_string(value))
        return keep_dump(storage, header, value);
    header->value = (jtg_text){json_string_value(value), json_string_length(value)};
    return REFUSAL_NONE;
}

/* Asked before the guard: a token whose answer could not be sent would be used up for nothing. */
static bool headers_fit(const struct verified *verified)
{
    size_t bytes = verified->subject.data_len + verified->issuer.data_len;
    for (size_t i = 0; i < verified->header_count; i++)
        bytes += strlen(verified->headers[i].name) + verified->headers[i].value.data_len;
    return bytes <= CLAIM_HEADERS_MAX_BYTES;
}

static enum refusal keep_headers(struct verified *verified, const struct rule *rule)
{
    struct verified_storage *storage = verified->storage;
    if (rule->header_count == 0)
        return headers_fit(verified) ? REFUSAL_NONE : REFUSAL_UNSAFE_CLAIM;
    storage->headers = calloc(rule->header_count, sizeof *storage->headers);
    storage->dumps = calloc(rule->header_count, sizeof *storage->dumps);
    if (storage->headers == NULL || storage->dumps == NULL)
        return REFUSAL_OUT_OF_MEMORY;
    verified->headers = storage->headers;
    enum refusal refusal = REFUSAL_NONE;
    for (size_t i = 0; i < rule->header_count && refusal == REFUSAL_NONE; i++)
        refusal = keep_header(verified, &rule->headers[i]);
    if (refusal == REFUSAL_NONE && !headers_fit(verified))
        refusal = REFUSAL_UNSAFE_CLAIM;
    return refusal;
}

/* In a trust domain iss is whatever the workload's authority writes, and no name to show. */
static jtg_text shown_issuer(const struct token *token)
{
    const struct rule *rule = token->rule;
    return rule->trust_domain != NULL ? (jtg_text){rule->issuer, strlen(rule->issuer)}
                                      : token->claims.issuer;
}

/* The JSON lives on in the storage, so that the texts which point into it stay good. */
static enum refusal keep(struct verified *verified, struct rules *rules, const struct token *token)
{
    struct verified_storage *storage = calloc(1, sizeof *storage);
    if (storage == NULL)
        return REFUSAL_OUT_OF_MEMORY;
    storage->rules = rules_hold(rules);
    storage->payload = json_incref(token->jws.payload);
    verified->storage = storage;
    verified->claims = token->claims;
    verified->issuer = shown_issuer(token);
    verified->subject = token->subject;
    verified->entry = (size_t)(token->rule - rules->items);
    verified->generation = rules->generation;
    return keep_headers(verified, token->rule);
}

/* The issuer of the access token is no part of a proof's key, but is charged for it. */
static void keep_proof(struct verified *verified, const struct proof *proof)
{
    struct verified_storage *storage = verified->storage;
    storage->proof = json_incref(proof->jws.payload);
    memcpy(storage->thumbprint, proof->key.thumbprint, sizeof storage->thumbprint);
    verified->claims = proof->claims;
    verified->claims.issuer = verified->issuer;
    verified->claims.thumbprint = (jtg_text){storage->thumbprint, sizeof storage->thumbprint - 1};
}

/* ---- verified ---- */

/* Nothing of a token that was refused is handed out. */
static enum refusal end(struct verified *verified, enum refusal refusal, struct rules *rules,
                        const struct token *token)
{
    if (refusal == REFUSAL_NONE)
        return refusal;
    verified_clear(verified);
    if (token->hopes)
        verified->hope =
            (struct verified_hope){rules_hold(rules), token->rule->keys, token->seen_keys};
    return refusal;
}

enum refusal verify_bearer(struct verifier *verifier, const char *text, size_t text_len,
                           int64_t now_ms, struct verified *verified)
{
    struct token token;
    struct rules *rules = rules_of(verifier);
    *verified = (struct verified){.claims = JTG_CLAIMS_INIT};
    enum refusal refusal = token_read(&token, rules, text, text_len, TOKEN_SCHEME_BEARER, now_ms);
    if (refusal == REFUSAL_NONE)
        refusal = token_check_signature(&token);
    if (refusal == REFUSAL_NONE)
        refusal = token_check_scopes(&token);
    if (refusal == REFUSAL_NONE)
        refusal = keep(verified, rules, &token);
    refusal = end(verified, refusal, rules, &token);
    token_clear(&token);
    rules_release(rules);
    return refusal;
}

static enum refusal check_pair(struct token *token, struct proof *proof)
{
    enum refusal refusal = token_check_signature(token);
    if (refusal == REFUSAL_NONE)
        refusal = proof_check_key(proof, token->bound_to);
    return refusal == REFUSAL_NONE ? token_check_scopes(token) : refusal;
}

enum refusal verify_dpop(struct verifier *verifier, const struct dpop_request *request,
                         int64_t now_ms, struct verified *verified)
{
    struct token token;
    struct proof proof = {.claims = JTG_CLAIMS_INIT};
    struct rules *rules = rules_of(verifier);
    *verified = (struct verified){.claims = JTG_CLAIMS_INIT};
    enum refusal refusal = token_read(&token, rules, request->token.data, request->token.data_len,
                                      TOKEN_SCHEME_DPOP, now_ms);
    if (refusal == REFUSAL_NONE)
        refusal = proof_read(&proof, rules, request, now_ms);
    if (refusal == REFUSAL_NONE)
        refusal = check_pair(&token, &proof);
    if (refusal == REFUSAL_NONE)
        refusal = keep(verified, rules, &token);
    if (refusal == REFUSAL_NONE)
        keep_proof(verified, &proof);
    refusal = end(verified, refusal, rules, &token);
    proof_clear(&proof);
    token_clear(&token);
    rules_release(rules);
    return refusal;
}

bool verified_await(struct verified *verified, struct verify_waiter *waiter)
{
    const struct verified_hope *hope = &verified->hope;
    return hope->rules != NULL && keys_await(hope->keys, hope->seen, waiter);
}

/* ---- told about ---- */

void verifier_dpop_nonce(struct verifier *verifier, int64_t now_ms,
                         char text[DPOP_NONCE_TEXT_BYTES])
{
    struct rules *rules = rules_of(verifier);
    text[0] = '\0';
    if (rules->dpop_nonce)
        dpop_nonce_make(rules, now_ms, text);
    rules_release(rules);
}

bool verifier_uses_dpop_nonce(struct verifier *verifier)
{
    struct rules *rules = rules_of(verifier);
    bool uses = rules->dpop_nonce;
    rules_release(rules);
    return uses;
}

const char *verify_proof_algs(void)
{
    return "RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA Ed25519";
}

bool verifier_keys_status(struct verifier *verifier, size_t index, struct keys_status *status)
{
    struct rules *rules = rules_of(verifier);
    bool is_there = index < rules->keys_count;
    if (is_there)
        keys_status_read(rules->keys[index], status);
    rules_release(rules);
    return is_there;
}
