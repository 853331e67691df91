/* SPDX-License-Identifier: Apache-2.0 */
/* What the verifier is told. Plain data; every string and array is the caller's, and is
 * copied by the verifier. An entry is one kind of token of one issuer; an issuer that signs
 * several kinds has several entries, which must differ in typ, so that a token never
 * counts as two kinds (RFC 8725 section 3.12). Logout tokens are told from all others by their
 * event too, so that their entry may share a typ with another. */
#ifndef SERVE_VERIFY_SETTINGS_H
#define SERVE_VERIFY_SETTINGS_H

#include "text_list.h"

#include <jtiguard/clock.h>
#include <jtiguard/guard.h>
#include <jtiguard/log.h>

/* Where the keys of an issuer come from. Never from a token. */
enum keys_from {
    KEYS_FROM_DISCOVERY = 0, /* keys_at, or issuer + /.well-known/openid-configuration */
    KEYS_FROM_URL,           /* a JWK Set at keys_at, https */
    KEYS_FROM_FILE           /* a JWK Set in the file keys_at; read again by a reload */
};

/* A claim that becomes a response header. */
struct claim_header {
    const char *claim;
    const char *header;
};

/* In the order in which they are thought of.
 * NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding) */
struct issuer_settings {
    /* iss, exactly; of a client assertion the client's id. With tenants a template, whose {NAME}
     * stands for one of them. NULL with trust_domain. */
    const char *issuer;
    struct text_list tenants; /* values of {NAME}; "*" any; default: issuer is no template */
    /* The entry is for SPIFFE's tokens (JWT-SVID): sub is spiffe://DOMAIN/PATH, iss may be absent
     * and does not count, and to the guard spiffe://DOMAIN is the issuer. NULL: it is not. */
    const char *trust_domain;
    enum keys_from keys_from;
    const char *keys_at; /* path or URL; NULL: discovery where issuer says */
    /* For keys that are fetched. Its first line is sent as the bearer token of a fetch, to the host
     * of keys_at (or issuer) alone, and is read each time. NULL: none is needed. */
    const char *keys_token_file;
    const char *keys_ca_file; /* PEM; NULL: that of verify_settings */

    /* What is guarded. JTG_KIND_DPOP_PROOF: the entry is for access tokens that are bound to a
     * key (RFC 9449). They may be shown many times, each time with a proof, and the proof is
     * what is guarded. SAML assertions are no JWTs and are refused here. */
    jtg_kind kind;
    const char *custom_kind; /* name of the kind with JTG_KIND_CUSTOM */
    /* With JTG_KIND_ID_TOKEN, and under its keys in the store: the token of a machine, which may
     * be for several audiences without saying in azp which one it was issued to. */
    bool is_workload;

    struct text_list audiences; /* at least one; aud must hold one of them */
    struct text_list algs;      /* default: verify_default_algs; only names from there */
    struct text_list typs;      /* "" stands for an absent typ; default: by kind, see below */
    struct text_list scopes;    /* each must be in scope or scp; default: none */
    const char *client;         /* azp, client_id; NULL: azp must be one of the audiences
                                   where an ID token names several */

    const char *jti_claim;       /* the claim that is unique instead of jti; NULL: jti */
    uint32_t life_without_exp_s; /* of a logout token, from iat; 0: exp is needed */

    uint32_t max_lifetime_s; /* exp - iat, exp - now; 0: the guard's; never above it */
    uint32_t max_age_s;      /* now - iat; then iat is needed; 0: no limit */

    const struct claim_header *headers;
    size_t header_count;
};

/* Defaults of typs (compared without regard to case, with or without "application/"):
 *   id_token          "JWT", ""
 *   client_assertion  "JWT", "client-authentication+jwt", ""
 *   dpop_proof        "at+jwt"     (typ of the access token; a proof's is always dpop+jwt)
 *   logout_token      "logout+jwt"
 *   custom            "JWT", ""
 */

/* RS256 … ES512, PS256 …: asymmetric, each fixed to its kind of key. NULL at the end. */
extern const char *const verify_default_algs[];

/* Defaults and ranges; the code uses these names. */
enum {
    VERIFY_ISSUERS_LIMIT = 64,
    VERIFY_LIST_LIMIT = 64, /* audiences, typs, scopes, headers of one entry */
    VERIFY_MAX_TOKEN_BYTES_DEFAULT = 16384,
    VERIFY_MAX_TOKEN_BYTES_LIMIT = 65536,
    KEYS_TIMEOUT_MS_DEFAULT = 5000,
    KEYS_TIMEOUT_MS_LIMIT = 60000,
    KEYS_MAX_BYTES_DEFAULT = 262144,
    KEYS_MAX_BYTES_LIMIT = 4194304,
    KEYS_MAX_AGE_S_DEFAULT = 3600,
    KEYS_MAX_AGE_S_LIMIT = 86400,
    KEYS_STALE_S_DEFAULT = 3600,
    KEYS_STALE_S_LIMIT = 604800,
    KEYS_RETRY_S_DEFAULT = 10,
    KEYS_RETRY_S_LIMIT = 3600,
    KEYS_WAIT_MS_DEFAULT = 2000,
    KEYS_WAIT_MS_LIMIT = 60000,
    DPOP_NONCE_KEY_BYTES = 32,
    DPOP_NONCE_LIFETIME_S_DEFAULT = 300
};

struct verify_settings {
    const struct issuer_settings *issuers;
    size_t issuer_count; /* 1 … VERIFY_ISSUERS_LIMIT */

    /* The options of the guard that will be asked: leeway_s, future_leeway_s, max_lifetime_s,
     * proof_max_age_s and missing_jti are read from here and from nowhere else, so that the
     * verifier never accepts for longer than the guard remembers. */
    const jtg_guard_options *guard;

    uint32_t max_token_bytes;

    /* Fetching keys. */
    uint32_t keys_timeout_ms; /* a whole fetch, connecting included */
    uint32_t keys_max_bytes;  /* of one document */
    uint32_t keys_max_age_s;  /* upper bound of Cache-Control's max-age, and the age without one */
    uint32_t keys_stale_s;    /* how much longer old keys serve while a fetch fails; 0 not at all */
    uint32_t keys_retry_s;    /* least time between two fetches of one document; 1 or more */
    uint32_t keys_wait_ms;    /* how long a token may wait for one; 0: none waits */
    const char *ca_file;      /* PEM; NULL: the system's authorities */
    bool allow_loopback_http; /* http: to 127.0.0.1, [::1] and localhost; for tests and demos */

    /* DPoP. */
    bool dpop_nonce; /* a proof must hold a nonce of this service (RFC 9449 section 9) */
    /* A proof is as old as its nonce, whatever the client's clock says; for dpop_nonce, and a
     * proof_max_age_s of the guard that is not below dpop_nonce_lifetime_s. */
    bool dpop_clock_of_nonce;
    /* The same for all instances behind one name; NULL: random, for a single instance. */
    const unsigned char *dpop_nonce_key; /* DPOP_NONCE_KEY_BYTES */
    uint32_t dpop_nonce_lifetime_s;

    const jtg_clock *clock;   /* age of keys (monotonic); NULL: the system's. Copied. */
    const jtg_logger *logger; /* keys fetched, keys lost; NULL: silence. Copied. */

    /* The caller's number for these settings: each verified says by which it was judged. */
    uint64_t generation;
    /* Called by verifier_reload() in the very moment of the change, so that what else belongs to
     * these settings changes with them: a token that was judged by them finds it in effect. Must
     * not call the verifier. NULL: nothing. */
    void (*in_effect)(void *context);
    void *in_effect_context;
};

#define VERIFY_SETTINGS_INIT                                                                       \
    {                                                                                              \
        NULL, 0, NULL, VERIFY_MAX_TOKEN_BYTES_DEFAULT, KEYS_TIMEOUT_MS_DEFAULT,                    \
            KEYS_MAX_BYTES_DEFAULT, KEYS_MAX_AGE_S_DEFAULT, KEYS_STALE_S_DEFAULT,                  \
            KEYS_RETRY_S_DEFAULT, KEYS_WAIT_MS_DEFAULT, NULL, false, false, false, NULL,           \
            DPOP_NONCE_LIFETIME_S_DEFAULT, NULL, NULL, 0, NULL, NULL                               \
    }

/* Whether a verifier could be made of them; reads no file and starts nothing. As verifier_new(). */
JTG_WARN_UNUSED jtg_status verify_settings_check(const struct verify_settings *settings,
                                                 jtg_error *err);

#endif
