/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/verify/dpop.h"

#include "serve/verify/dpop_nonce.h"
#include "serve/verify/target_url.h"
#include "serve/verify/token_times.h"

#include <string.h>

#define PROOF_TYP "dpop+jwt"

/* What is wrong with a proof is told as such: the token beside it may be fine. */
static enum refusal of_proof(enum refusal refusal)
{
    switch (refusal) {
    case REFUSAL_NONE:
    case REFUSAL_OUT_OF_MEMORY:
        return refusal;
    case REFUSAL_UNSUPPORTED_ALG:
        return REFUSAL_PROOF_UNSUPPORTED_ALG;
    default:
        return REFUSAL_PROOF_MALFORMED;
    }
}

static const char *text_claim(const struct proof *proof, const char *name)
{
    return json_string_value(json_object_get(proof->jws.payload, name));
}

static enum refusal check_method(const struct proof *proof, jtg_text method)
{
    const char *htm = text_claim(proof, "htm");
    if (htm == NULL)
        return REFUSAL_PROOF_MISSING_CLAIM;
    return strlen(htm) == method.data_len && memcmp(htm, method.data, method.data_len) == 0
               ? REFUSAL_NONE
               : REFUSAL_PROOF_WRONG_METHOD;
}

/* A target that the proxy states and that is no URL is not the client's fault. */
static enum refusal check_url(const struct proof *proof, jtg_text url)
{
    char wanted[TARGET_URL_BYTES];
    char given[TARGET_URL_BYTES];
    const char *htu = text_claim(proof, "htu");
    if (htu == NULL)
        return REFUSAL_PROOF_MISSING_CLAIM;
    if (!target_url_normalize(wanted, url))
        return REFUSAL_MISSING_TARGET;
    return target_url_normalize(given, (jtg_text){htu, strlen(htu)}) && strcmp(wanted, given) == 0
               ? REFUSAL_NONE
               : REFUSAL_PROOF_WRONG_URL;
}

/* Section 4.2: ath ties the proof to this access token. */
static enum refusal check_token_hash(const struct proof *proof, jtg_text token)
{
    char wanted[BASE64URL_HASH_BYTES];
    const char *ath = text_claim(proof, "ath");
    if (ath == NULL)
        return REFUSAL_PROOF_MISSING_CLAIM;
    base64url_sha256(wanted, token.data, token.data_len);
    return strcmp(ath, wanted) == 0 ? REFUSAL_NONE : REFUSAL_PROOF_WRONG_TOKEN;
}

/* A nonce tells when the proof was made by our clock, and better than the client's could. All times
 * of the proof move together, so that it lives as long as it says. */
static void move_to(jtg_claims *claims, int64_t made_ms)
{
    int64_t *const times[] = {&claims->nbf_ms, &claims->exp_ms};
    int64_t moved_ms = made_ms - claims->iat_ms;
    if (claims->iat_ms < 0 || claims->iat_ms > JTG_TIME_MAX_MS)
        return;
    claims->iat_ms = made_ms;
    for (size_t i = 0; i < sizeof times / sizeof *times; i++)
        if (*times[i] >= 0 && *times[i] <= JTG_TIME_MAX_MS)
            *times[i] += moved_ms;
}

/* Also where none is asked for: another instance, or this one before a reload, may ask for one. */
static void read_nonce(struct proof *proof, const struct rules *rules, int64_t now_ms)
{
    const char *nonce = text_claim(proof, "nonce");
    if (nonce == NULL || rules->dpop_nonce_slot_ms <= 0 ||
        !dpop_nonce_is_good(rules, now_ms, nonce, &proof->made_ms))
        proof->made_ms = JTG_TIME_ABSENT;
}

static enum refusal check_nonce(const struct proof *proof, const struct rules *rules)
{
    return rules->dpop_nonce && proof->made_ms == JTG_TIME_ABSENT ? REFUSAL_PROOF_WRONG_NONCE
                                                                  : REFUSAL_NONE;
}

static int64_t earlier(int64_t one_ms, int64_t other_ms)
{
    return one_ms < other_ms ? one_ms : other_ms;
}

static int64_t later(int64_t one_ms, int64_t other_ms)
{
    return one_ms > other_ms ? one_ms : other_ms;
}

/* By whose clock a proof with a nonce counts is a setting, which a reload may change and another
 * instance may have otherwise: the guard keeps it from the later of the two moments, and needs what
 * was kept since the earlier one, for no proof is older than its nonce. A client whose clock is so
 * far ahead that no other clock takes its proof before the nonce has ended counts from the nonce
 * alone.
 *
 * An iat that lies ahead is cut, and moves with the present while the nonce is good: by how much,
 * the guard is told. */
static void keep_by_either_clock(struct proof *proof, const struct rules *rules, int64_t now_ms)
{
    jtg_claims *claims = &proof->claims;
    int64_t future_ms = rules->proof_limits.future_leeway_ms;
    if (proof->made_ms == JTG_TIME_ABSENT)
        return;
    int64_t made_ms = earlier(proof->made_ms, now_ms);
    if (claims->iat_ms > made_ms + 2 * rules->dpop_nonce_slot_ms + future_ms)
        claims->iat_ms = made_ms;
    int64_t first_ms = later(earlier(claims->iat_ms, made_ms + future_ms), made_ms);
    claims->iat_ms = later(earlier(claims->iat_ms, now_ms + future_ms), made_ms);
    claims->apart_ms = claims->iat_ms - first_ms;
    claims->nbf_ms = made_ms;
    claims->exp_ms = JTG_TIME_ABSENT;
}

/* Without a jti there is nothing to guard, whatever the guard may do about other tokens. */
static enum refusal read_claims(struct proof *proof)
{
    const json_t *jti = json_object_get(proof->jws.payload, "jti");
    if (json_string_length(jti) == 0)
        return REFUSAL_PROOF_MISSING_CLAIM;
    proof->claims.kind = JTG_KIND_DPOP_PROOF;
    proof->claims.jti = (jtg_text){json_string_value(jti), json_string_length(jti)};
    return token_times_read(&proof->claims, proof->jws.payload) ? REFUSAL_NONE
                                                                : REFUSAL_PROOF_MALFORMED;
}

/* Without a good nonce a client whose clock is wrong must be told the nonce, and not that its proof
 * has expired. */
static enum refusal check_time(struct proof *proof, const struct rules *rules, int64_t now_ms)
{
    jtg_claims judged = proof->claims;
    read_nonce(proof, rules, now_ms);
    if (rules->dpop_clock_of_nonce) {
        if (check_nonce(proof, rules) != REFUSAL_NONE)
            return REFUSAL_PROOF_WRONG_NONCE;
        move_to(&judged, proof->made_ms);
    }
    return token_times_check_proof(&rules->proof_limits, &judged, now_ms);
}

enum refusal proof_read(struct proof *proof, const struct rules *rules,
                        const struct dpop_request *request, int64_t now_ms)
{
    *proof = (struct proof){.claims = JTG_CLAIMS_INIT};
    enum refusal refusal = of_proof(jws_read(&proof->jws, request->proof.data,
                                             request->proof.data_len, rules->max_token_bytes));
    if (refusal == REFUSAL_NONE &&
        (proof->jws.typ == NULL || strcmp(proof->jws.typ, PROOF_TYP) != 0))
        refusal = REFUSAL_PROOF_WRONG_TYP;
    if (refusal == REFUSAL_NONE)
        refusal = read_claims(proof);
    if (refusal == REFUSAL_NONE)
        refusal = check_method(proof, request->method);
    if (refusal == REFUSAL_NONE)
        refusal = check_url(proof, request->url);
    if (refusal == REFUSAL_NONE)
        refusal = check_time(proof, rules, now_ms);
    if (refusal == REFUSAL_NONE)
        refusal = check_token_hash(proof, request->token);
    if (refusal == REFUSAL_NONE)
        refusal = check_nonce(proof, rules);
    if (refusal == REFUSAL_NONE)
        keep_by_either_clock(proof, rules, now_ms);
    return refusal;
}

enum refusal proof_check_key(struct proof *proof, const char *bound_to)
{
    enum jwk_fault fault = jwk_read(&proof->key, json_object_get(proof->jws.header, "jwk"));
    if (fault == JWK_FAULT_MEMORY)
        return REFUSAL_OUT_OF_MEMORY;
    if (fault != JWK_FAULT_NONE || !jwk_fits(&proof->key, proof->jws.alg))
        return REFUSAL_PROOF_BAD_KEY;
    if (strcmp(proof->key.thumbprint, bound_to) != 0)
        return REFUSAL_PROOF_WRONG_KEY;
    return jws_is_signed_by(&proof->jws, &proof->key) ? REFUSAL_NONE : REFUSAL_PROOF_BAD_SIGNATURE;
}

void proof_clear(struct proof *proof)
{
    jws_clear(&proof->jws);
    jwk_clear(&proof->key);
    *proof = (struct proof){.claims = JTG_CLAIMS_INIT};
}
