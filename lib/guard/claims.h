/* SPDX-License-Identifier: Apache-2.0 */
/* Which claims a kind needs, and whether they have a shape that a key can be made of. */
#ifndef JTGI_GUARD_CLAIMS_H
#define JTGI_GUARD_CLAIMS_H

#include <jtiguard/guard.h>

enum jtgi_use {
    JTGI_USE_NOT = 0,      /* no part of the key, whatever it holds */
    JTGI_USE_IF_GIVEN,     /* part of the key; absent counts as empty */
    JTGI_USE_MUST_BE_GIVEN /* part of the key; absent refuses */
};

/* The text claims that scope a key, in the order in which they are hashed. */
enum jtgi_scope {
    JTGI_SCOPE_CUSTOM_KIND = 0,
    JTGI_SCOPE_ISSUER,
    JTGI_SCOPE_AUDIENCE,
    JTGI_SCOPE_CLIENT,
    JTGI_SCOPE_THUMBPRINT,
    JTGI_SCOPE_COUNT
};

struct jtgi_kind_rule {
    const char *name;
    enum jtgi_use use[JTGI_SCOPE_COUNT];
    bool needs_iat;
    bool needs_exp;
    bool ends_by_age; /* lives for proof_max_age_s from iat, or until exp if that is earlier */
};

/* The rule of a kind; NULL for JTG_KIND_NONE and for a number that is no kind. */
const struct jtgi_kind_rule *jtgi_kind_rule(jtg_kind kind);

/* Copy a caller's claims over the defaults. JTG_OK or JTG_ERR_ARGUMENT. */
jtg_status jtgi_claims_read(jtg_claims *claims, const jtg_claims *given, jtg_error *err);

/* One text claim of the scope; empty if the kind does not use it. */
jtg_text jtgi_claims_scope(const jtg_claims *claims, const struct jtgi_kind_rule *rule,
                           enum jtgi_scope scope);

/* Whom to charge for the entry: the issuer, else the client, else nobody. */
jtg_text jtgi_claims_group(const jtg_claims *claims);

/* Check the kind, the scope and the group; not the jti and not the times.
 * Returns JTG_REASON_ADMITTED and sets *rule, or why not. */
jtg_reason jtgi_claims_check(const jtg_claims *claims, const struct jtgi_kind_rule **rule,
                             jtg_error *err);

/* Is there a NUL byte in it? Verifiers in C would see another value than we do. */
bool jtgi_text_has_nul(jtg_text text);

#endif
