/* SPDX-License-Identifier: Apache-2.0 */
/* The settings as the verifier uses them: checked, copied, with their keys. Immutable and
 * shared; a reload makes others, and whoever still verifies by these holds a reference. */
#ifndef SERVE_RULES_H
#define SERVE_RULES_H

#include "serve/verify/alg.h"
#include "serve/verify/keys.h"

#include <stdatomic.h>

/* How far from now the times of a token may lie. From the guard's options, or stricter. */
struct time_limits {
    int64_t leeway_ms;
    int64_t future_leeway_ms;
    int64_t max_lifetime_ms;
    int64_t max_age_ms; /* 0: no limit */
};

/* Strings, each allocated. */
struct texts {
    char **items;
    size_t count;
};

struct rule_header {
    char *claim;
    char *name;
};

/* One kind of token of one issuer. */
struct rule {
    char *issuer;         /* or its template; spiffe://DOMAIN of a trust domain */
    struct texts tenants; /* some: issuer is a template */
    char *trust_domain;   /* NULL: of an issuer */
    jtg_kind kind;
    char *custom_kind;
    bool is_workload;
    char *jti_claim;             /* never NULL */
    int64_t life_without_exp_ms; /* 0: exp is needed */
    int64_t longest_life_ms;     /* of any token, by the guard */
    struct texts audiences;
    struct texts typs;
    struct texts scopes;
    char *client; /* NULL: any */
    uint32_t algs;
    struct time_limits limits;
    struct rule_header *headers;
    size_t header_count;
    struct keys *keys;
};

struct rules {
    atomic_uint references;
    struct rule *items;
    size_t count;
    struct keys *keys[VERIFY_ISSUERS_LIMIT]; /* each place once */
    size_t keys_count;

    uint32_t max_token_bytes;
    struct time_limits proof_limits; /* max_lifetime_ms is the age of a proof */
    bool dpop_nonce;
    bool dpop_clock_of_nonce;
    bool nonce_key_is_random;
    unsigned char dpop_nonce_key[DPOP_NONCE_KEY_BYTES];
    int64_t dpop_nonce_slot_ms;
    uint64_t generation;
};

/* One reference. older: the rules before a reload, or NULL. */
jtg_status rules_new(struct rules **rules, const struct verify_settings *settings,
                     const struct rules *older, jtg_error *err);

/* Ends the fetching for these rules; called once, by the owner. */
void rules_stop(struct rules *rules);

struct rules *rules_hold(struct rules *rules);
void rules_release(struct rules *rules);

#endif
