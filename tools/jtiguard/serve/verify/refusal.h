/* SPDX-License-Identifier: Apache-2.0 */
/* Why `serve` refused a request before the guard was asked. The names go into X-JTI-Reason and
 * into a label of the metrics, so they are few, fixed and never made from a request. Where the
 * guard has a reason with the same meaning, the name is the guard's. */
#ifndef SERVE_REFUSAL_H
#define SERVE_REFUSAL_H

/* Symbol, class, name for machines, text for people. A row is never renamed. */
#define REFUSAL_MAP(X)                                                                             \
    X(REFUSAL_NONE, NONE, "verified", "the token is genuine and meant for us")                     \
    /* of the request: found by who calls the verifier */                                          \
    X(REFUSAL_MISSING_TOKEN, NO_TOKEN, "missing_token", "no Authorization header")                 \
    X(REFUSAL_REPEATED_AUTHORIZATION, REQUEST, "repeated_authorization",                           \
      "more than one Authorization header")                                                        \
    X(REFUSAL_MALFORMED_AUTHORIZATION, REQUEST, "malformed_authorization",                         \
      "the Authorization header is no scheme and one token")                                       \
    X(REFUSAL_UNSUPPORTED_SCHEME, NO_TOKEN, "unsupported_scheme",                                  \
      "the scheme is neither Bearer nor DPoP")                                                     \
    X(REFUSAL_MISSING_PROOF, PROOF, "missing_proof", "no DPoP header")                             \
    X(REFUSAL_REPEATED_PROOF, PROOF, "repeated_proof", "more than one DPoP header")                \
    X(REFUSAL_MISSING_TARGET, TROUBLE, "missing_target",                                           \
      "the proxy did not pass the method and URL of the request")                                  \
    /* the shape of the token */                                                                   \
    X(REFUSAL_TOKEN_TOO_LONG, TOKEN, "token_too_long", "the token is longer than allowed")         \
    X(REFUSAL_MALFORMED_TOKEN, TOKEN, "malformed_token",                                           \
      "not three parts of base64url without padding, each in its one spelling")                    \
    X(REFUSAL_MALFORMED_HEADER, TOKEN, "malformed_header", "the header is no JSON object")         \
    X(REFUSAL_MALFORMED_PAYLOAD, TOKEN, "malformed_payload", "the payload is no JSON object")      \
    X(REFUSAL_TOO_DEEP, TOKEN, "too_deep", "the JSON is nested too deeply")                        \
    X(REFUSAL_DUPLICATE_CLAIM, TOKEN, "duplicate_claim", "a member name stands twice")             \
    X(REFUSAL_NUMBER_TOO_BIG, TOKEN, "number_too_big", "a number is too big for any claim")        \
    X(REFUSAL_WRONG_TYPE, TOKEN, "wrong_type", "a member has the wrong JSON type")                 \
    /* the header */                                                                               \
    X(REFUSAL_UNSUPPORTED_ALG, TOKEN, "unsupported_alg", "alg is not in the list of the issuer")   \
    X(REFUSAL_WRONG_TYP, TOKEN, "wrong_typ", "typ is not that of the expected kind")               \
    X(REFUSAL_CRIT_UNKNOWN, TOKEN, "crit_unknown", "an extension that must be understood")         \
    X(REFUSAL_MALFORMED_KID, TOKEN, "malformed_kid", "kid is empty or too long")                   \
    /* the claims */                                                                               \
    X(REFUSAL_MISSING_ISSUER, TOKEN, "missing_issuer", "no iss")                                   \
    X(REFUSAL_UNKNOWN_ISSUER, TOKEN, "unknown_issuer", "iss is none of the configured issuers")    \
    X(REFUSAL_MISSING_AUDIENCE, TOKEN, "missing_audience", "no aud")                               \
    X(REFUSAL_WRONG_AUDIENCE, TOKEN, "wrong_audience", "aud does not name this service")           \
    X(REFUSAL_WRONG_CLIENT, TOKEN, "wrong_client", "azp or client_id is not the expected one")     \
    X(REFUSAL_MISSING_SUBJECT, TOKEN, "missing_subject", "the kind needs sub")                     \
    X(REFUSAL_WRONG_SUBJECT, TOKEN, "wrong_subject", "sub is not iss in a client assertion")       \
    X(REFUSAL_WRONG_KIND, TOKEN, "wrong_kind", "a token of another kind")                          \
    X(REFUSAL_MISSING_EXP, TOKEN, "missing_exp", "no exp")                                         \
    X(REFUSAL_MISSING_IAT, TOKEN, "missing_iat", "no iat")                                         \
    X(REFUSAL_UNREASONABLE_TIME, TOKEN, "unreasonable_time",                                       \
      "exp, iat or nbf is outside the years 1970 to 9999")                                         \
    X(REFUSAL_EXPIRES_BEFORE_ISSUED, TOKEN, "expires_before_issued", "exp lies before iat or nbf") \
    X(REFUSAL_EXPIRED, TOKEN, "expired", "the token has expired")                                  \
    X(REFUSAL_NOT_YET_VALID, TOKEN, "not_yet_valid", "nbf lies in the future")                     \
    X(REFUSAL_ISSUED_IN_FUTURE, TOKEN, "issued_in_future", "iat lies in the future")               \
    X(REFUSAL_LIFETIME_TOO_LONG, TOKEN, "lifetime_too_long",                                       \
      "the token lives longer than allowed")                                                       \
    X(REFUSAL_TOO_OLD, TOKEN, "too_old", "issued longer ago than allowed")                         \
    X(REFUSAL_UNSAFE_CLAIM, TOKEN, "unsafe_claim", "a claim that no HTTP header can carry")        \
    X(REFUSAL_UNKNOWN_BINDING, TOKEN, "unknown_binding",                                           \
      "the token is bound in a way that cannot be checked here")                                   \
    X(REFUSAL_PROOF_REQUIRED, TOKEN, "proof_required",                                             \
      "the token is bound to a key and was shown without a proof")                                 \
    X(REFUSAL_NOT_BOUND, TOKEN, "not_bound",                                                       \
      "the token is not bound to a key, as this issuer's must be (DPoP)")                          \
    X(REFUSAL_INSUFFICIENT_SCOPE, SCOPE, "insufficient_scope", "a required scope is missing")      \
    /* the key and the signature */                                                                \
    X(REFUSAL_UNKNOWN_KEY, TOKEN, "unknown_key", "no key of the issuer fits kid and alg")          \
    X(REFUSAL_AMBIGUOUS_KEY, TOKEN, "ambiguous_key",                                               \
      "no kid, and more keys would fit than are tried")                                            \
    X(REFUSAL_KEYS_UNAVAILABLE, TROUBLE, "keys_unavailable",                                       \
      "the issuer's keys could not be had, or are too old")                                        \
    X(REFUSAL_BAD_SIGNATURE, TOKEN, "bad_signature", "the signature is not by the issuer's key")   \
    /* a DPoP proof */                                                                             \
    X(REFUSAL_PROOF_MALFORMED, PROOF, "proof_malformed", "the proof is no well-formed JWT")        \
    X(REFUSAL_PROOF_WRONG_TYP, PROOF, "proof_wrong_typ", "typ of the proof is not dpop+jwt")       \
    X(REFUSAL_PROOF_UNSUPPORTED_ALG, PROOF, "proof_unsupported_alg",                               \
      "alg of the proof is not in the list")                                                       \
    X(REFUSAL_PROOF_BAD_KEY, PROOF, "proof_bad_key",                                               \
      "jwk of the proof is no public key that fits its alg")                                       \
    X(REFUSAL_PROOF_BAD_SIGNATURE, PROOF, "proof_bad_signature",                                   \
      "the proof is not signed by its key")                                                        \
    X(REFUSAL_PROOF_MISSING_CLAIM, PROOF, "proof_missing_claim",                                   \
      "the proof lacks jti, htm, htu, iat or ath")                                                 \
    X(REFUSAL_PROOF_WRONG_METHOD, PROOF, "proof_wrong_method", "htm is not the request's method")  \
    X(REFUSAL_PROOF_WRONG_URL, PROOF, "proof_wrong_url", "htu is not the request's URL")           \
    X(REFUSAL_PROOF_EXPIRED, PROOF, "proof_expired", "the proof is too old")                       \
    X(REFUSAL_PROOF_ISSUED_IN_FUTURE, PROOF, "proof_issued_in_future",                             \
      "iat or nbf of the proof lies in the future")                                                \
    X(REFUSAL_PROOF_WRONG_TOKEN, PROOF, "proof_wrong_token",                                       \
      "ath is not the hash of the access token")                                                   \
    X(REFUSAL_PROOF_WRONG_KEY, PROOF, "proof_wrong_key",                                           \
      "the access token is bound to another key")                                                  \
    X(REFUSAL_PROOF_WRONG_NONCE, NONCE, "proof_wrong_nonce",                                       \
      "the proof lacks the nonce of this service, or it is too old")                               \
    /* ourselves */                                                                                \
    X(REFUSAL_OUT_OF_MEMORY, TROUBLE, "out_of_memory", "out of memory")

/* REFUSAL_NONE is zero and is the only one that is none. */
enum refusal {
#define REFUSAL_ENUM(symbol, class, name, text) symbol,
    REFUSAL_MAP(REFUSAL_ENUM)
#undef REFUSAL_ENUM
        REFUSAL_COUNT
};

/* What a refusal is to the client: which status, and which error in WWW-Authenticate. */
enum refusal_class {
    REFUSAL_CLASS_NONE,     /* not refused */
    REFUSAL_CLASS_NO_TOKEN, /* 401 without an error code (RFC 6750 section 3.1) */
    REFUSAL_CLASS_REQUEST,  /* 401 invalid_request */
    REFUSAL_CLASS_TOKEN,    /* 401 invalid_token */
    REFUSAL_CLASS_PROOF,    /* 401 invalid_dpop_proof (RFC 9449 section 7.1) */
    REFUSAL_CLASS_NONCE,    /* 401 use_dpop_nonce (section 9), with a DPoP-Nonce header */
    REFUSAL_CLASS_SCOPE,    /* 403 insufficient_scope */
    REFUSAL_CLASS_TROUBLE   /* 403 without an error code: not the token's fault */
};

/* All three answer for a value that is no refusal as for trouble: never as for REFUSAL_NONE. */
const char *refusal_name(enum refusal refusal);
const char *refusal_text(enum refusal refusal);
enum refusal_class refusal_class(enum refusal refusal);

/* The code for `error=` in WWW-Authenticate; NULL where the class has none. */
const char *refusal_error_code(enum refusal refusal);

#endif
