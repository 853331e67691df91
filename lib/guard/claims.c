/* SPDX-License-Identifier: Apache-2.0 */
#include "guard/claims.h"

#include "core/options.h"

#include <jtiguard/status.h>
#include <stddef.h>
#include <string.h>

/* The size of the first release; a shorter struct was never ours. */
#define CLAIMS_OLDEST_SIZE offsetof(jtg_claims, apart_ms)

#define MUST  JTGI_USE_MUST_BE_GIVEN
#define GIVEN JTGI_USE_IF_GIVEN
#define NOT   JTGI_USE_NOT

static const struct jtgi_kind_rule rules[] = {
    /* clang-format off */
    /*                            name                 custom issuer audience client thumbprint  iat    exp    by age */
    [JTG_KIND_ID_TOKEN]         = {"id_token",         {NOT,  MUST,  MUST,    NOT,   NOT},       false, true,  false},
    [JTG_KIND_CLIENT_ASSERTION] = {"client_assertion", {NOT,  MUST,  MUST,    NOT,   NOT},       false, true,  false},
    [JTG_KIND_DPOP_PROOF]       = {"dpop_proof",       {NOT,  NOT,   NOT,     NOT,   MUST},      true,  false, true},
    [JTG_KIND_LOGOUT_TOKEN]     = {"logout_token",     {NOT,  MUST,  MUST,    NOT,   NOT},       true,  true,  false},
    [JTG_KIND_SAML_ASSERTION]   = {"saml_assertion",   {NOT,  MUST,  GIVEN,   NOT,   NOT},       false, true,  false},
    [JTG_KIND_CUSTOM]           = {"custom",           {MUST, GIVEN, GIVEN,   GIVEN, GIVEN},     false, true,  false},
    [JTG_KIND_SECURITY_EVENT]   = {"security_event",   {NOT,  MUST,  GIVEN,   NOT,   NOT},       true,  false, false},
    [JTG_KIND_ATTESTATION_PROOF] = {"attestation_proof", {NOT, NOT,  MUST,    NOT,   MUST},      true,  false, true},
    [JTG_KIND_WORKLOAD_PROOF]   = {"workload_proof",   {NOT,  NOT,   NOT,     NOT,   MUST},      false, true,  false},
    [JTG_KIND_MESSAGE_SIGNATURE] = {"message_signature", {NOT, NOT,  GIVEN,   NOT,   MUST},      true,  true,  false},
    [JTG_KIND_PASSPORT]         = {"passport",         {NOT,  MUST,  NOT,     NOT,   NOT},       true,  false, true},
    [JTG_KIND_CREDENTIAL_PROOF] = {"credential_proof", {NOT,  NOT,   MUST,    NOT,   MUST},      true,  false, true},
    /* clang-format on */
};
enum { KINDS = sizeof rules / sizeof rules[0] };

static const jtg_reason missing[JTGI_SCOPE_COUNT] = {
    [JTGI_SCOPE_CUSTOM_KIND] = JTG_REASON_MISSING_KIND,
    [JTGI_SCOPE_ISSUER] = JTG_REASON_MISSING_ISSUER,
    [JTGI_SCOPE_AUDIENCE] = JTG_REASON_MISSING_AUDIENCE,
    [JTGI_SCOPE_CLIENT] = JTG_REASON_BAD_ARGUMENT, /* no kind needs it */
    [JTGI_SCOPE_THUMBPRINT] = JTG_REASON_MISSING_THUMBPRINT,
};

const struct jtgi_kind_rule *jtgi_kind_rule(jtg_kind kind)
{
    return (unsigned)kind < KINDS && rules[kind].name != NULL ? &rules[kind] : NULL;
}

const char *jtg_kind_name(jtg_kind kind)
{
    const struct jtgi_kind_rule *rule = jtgi_kind_rule(kind);
    return rule != NULL ? rule->name : "none";
}

jtg_kind jtg_kind_from_name(const char *name)
{
    for (unsigned kind = JTG_KIND_NONE + 1; name != NULL && kind < KINDS; kind++)
        if (strcmp(name, rules[kind].name) == 0)
            return (jtg_kind)kind;
    return JTG_KIND_NONE;
}

jtg_text jtg_text_of(const char *string)
{
    jtg_text text = {string, string == NULL ? 0 : strlen(string)};
    return text;
}

void jtg_claims_init(jtg_claims *claims)
{
    static const jtg_claims absent = JTG_CLAIMS_INIT;
    if (claims != NULL)
        *claims = absent;
}

static bool is_readable(jtg_text text)
{
    return text.data != NULL || text.data_len == 0;
}

jtg_status jtgi_claims_read(jtg_claims *claims, const jtg_claims *given, jtg_error *err)
{
    jtg_claims_init(claims);
    jtg_status status =
        jtg_struct_read(claims, sizeof *claims, CLAIMS_OLDEST_SIZE, given, "claims", err);
    if (status != JTG_OK)
        return status;
    if (!is_readable(claims->custom_kind) || !is_readable(claims->issuer) ||
        !is_readable(claims->audience) || !is_readable(claims->client) ||
        !is_readable(claims->thumbprint) || !is_readable(claims->jti) ||
        !is_readable(claims->signing_input))
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "claims: a text is NULL but has a length");
    return JTG_OK;
}

static jtg_text text_of(const jtg_claims *claims, enum jtgi_scope scope)
{
    switch (scope) {
    case JTGI_SCOPE_CUSTOM_KIND:
        return claims->custom_kind;
    case JTGI_SCOPE_ISSUER:
        return claims->issuer;
    case JTGI_SCOPE_AUDIENCE:
        return claims->audience;
    case JTGI_SCOPE_CLIENT:
        return claims->client;
    case JTGI_SCOPE_THUMBPRINT:
    case JTGI_SCOPE_COUNT:
        break;
    }
    return claims->thumbprint;
}

jtg_text jtgi_claims_scope(const jtg_claims *claims, const struct jtgi_kind_rule *rule,
                           enum jtgi_scope scope)
{
    static const jtg_text empty = JTG_TEXT_INIT;
    return rule->use[scope] == JTGI_USE_NOT ? empty : text_of(claims, scope);
}

jtg_text jtgi_claims_group(const jtg_claims *claims)
{
    return claims->issuer.data_len != 0 ? claims->issuer : claims->client;
}

bool jtgi_text_has_nul(jtg_text text)
{
    return text.data_len != 0 && memchr(text.data, '\0', text.data_len) != NULL;
}

static bool is_well_formed(jtg_text text)
{
    return text.data_len <= JTG_GROUP_MAX_BYTES && !jtgi_text_has_nul(text);
}

jtg_reason jtgi_claims_check(const jtg_claims *claims, const struct jtgi_kind_rule **rule,
                             jtg_error *err)
{
    if (claims->kind == JTG_KIND_NONE)
        return JTG_REASON_MISSING_KIND;
    *rule = jtgi_kind_rule(claims->kind);
    if (*rule == NULL) {
        (void)jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "claims: the kind is not a known one");
        return JTG_REASON_BAD_ARGUMENT;
    }
    for (unsigned scope = 0; scope < JTGI_SCOPE_COUNT; scope++) {
        jtg_text text = jtgi_claims_scope(claims, *rule, (enum jtgi_scope)scope);
        if (text.data_len == 0 && (*rule)->use[scope] == JTGI_USE_MUST_BE_GIVEN)
            return missing[scope];
        if (!is_well_formed(text))
            return JTG_REASON_MALFORMED_CLAIM;
    }
    return is_well_formed(jtgi_claims_group(claims)) ? JTG_REASON_ADMITTED
                                                     : JTG_REASON_MALFORMED_CLAIM;
}
