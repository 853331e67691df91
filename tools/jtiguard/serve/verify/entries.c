/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/verify/entries.h"

#include "serve/verify/issuer_name.h"
#include "serve/verify/jws.h"

#include <string.h>

static const struct {
    jtg_kind kind;
    const char *typs[4];
} default_typs[] = {
    {JTG_KIND_ID_TOKEN, {"JWT", "", NULL}},
    {JTG_KIND_CLIENT_ASSERTION, {"JWT", "client-authentication+jwt", "", NULL}},
    {JTG_KIND_DPOP_PROOF, {"at+jwt", NULL}},
    {JTG_KIND_LOGOUT_TOKEN, {"logout+jwt", NULL}},
    {JTG_KIND_CUSTOM, {"JWT", "", NULL}},
};

bool entry_has_kind(const struct issuer_settings *entry)
{
    for (size_t i = 0; i < sizeof default_typs / sizeof *default_typs; i++)
        if (default_typs[i].kind == entry->kind)
            return true;
    return false;
}

const char *entry_name(const struct issuer_settings *entry)
{
    if (entry->trust_domain != NULL)
        return entry->trust_domain;
    return entry->issuer != NULL ? entry->issuer : "";
}

struct text_list entry_typs(const struct issuer_settings *entry)
{
    static const char *const of_trust_domain[] = {"JWT", "JOSE", ""};
    struct text_list list = entry->typs;
    if (list.count == 0 && entry->trust_domain != NULL)
        return (struct text_list){of_trust_domain,
                                  sizeof of_trust_domain / sizeof *of_trust_domain};
    for (size_t i = 0; list.count == 0 && i < sizeof default_typs / sizeof *default_typs; i++) {
        if (default_typs[i].kind != entry->kind)
            continue;
        list.items = default_typs[i].typs;
        while (list.items[list.count] != NULL)
            list.count++;
    }
    return list;
}

static bool share_typ(struct text_list one, struct text_list other)
{
    for (size_t i = 0; i < one.count; i++)
        for (size_t j = 0; j < other.count; j++)
            if (jws_same_typ(one.items[i], other.items[j]))
                return true;
    return false;
}

/* A token of an issuer that has an entry is never looked for among the trust domains. */
static bool names_meet(const struct issuer_settings *one, const struct issuer_settings *other)
{
    if (one->trust_domain != NULL || other->trust_domain != NULL)
        return one->trust_domain != NULL && other->trust_domain != NULL &&
               strcmp(one->trust_domain, other->trust_domain) == 0;
    return issuer_names_meet(one->issuer, one->tenants.count > 0, other->issuer,
                             other->tenants.count > 0);
}

/* The logout event tells two entries apart of which one wants it. */
bool entries_overlap(const struct issuer_settings *one, const struct issuer_settings *other)
{
    return (one->kind == JTG_KIND_LOGOUT_TOKEN) == (other->kind == JTG_KIND_LOGOUT_TOKEN) &&
           names_meet(one, other) && share_typ(entry_typs(one), entry_typs(other));
}

/* ---- before and after a reload ---- */

static bool same_text(const char *one, const char *other)
{
    return one == NULL || other == NULL ? one == other : strcmp(one, other) == 0;
}

static const char *jti_claim_of(const struct issuer_settings *entry)
{
    return entry->jti_claim != NULL ? entry->jti_claim : "jti";
}

/* What of one token's key in the store depends on the entry. Its issuer and its audience are the
 * token's own, and a token without iss is of one trust domain for ever. An access token that is
 * bound to a key is taken by kind dpop_proof alone, and one that is not by all others, so that a
 * token never comes from the one to the other. */
static const char *moved_by(const struct issuer_settings *before,
                            const struct issuer_settings *after)
{
    if ((before->kind == JTG_KIND_DPOP_PROOF) != (after->kind == JTG_KIND_DPOP_PROOF))
        return NULL;
    if (before->kind != after->kind)
        return "kind";
    if (!same_text(before->custom_kind, after->custom_kind))
        return "custom_kind";
    return strcmp(jti_claim_of(before), jti_claim_of(after)) != 0 ? "jti_claim" : NULL;
}

static bool has_text(struct text_list list, const char *text)
{
    for (size_t i = 0; i < list.count; i++)
        if (strcmp(list.items[i], text) == 0 || strcmp(list.items[i], "*") == 0)
            return true;
    return false;
}

/* Whether each iss of wanted is one of the entry. */
static bool covers(const struct issuer_settings *entry, const struct issuer_settings *wanted)
{
    if (entry->trust_domain != NULL)
        return false;
    if (wanted->tenants.count == 0 && entry->tenants.count > 0)
        return issuer_template_fits(entry->issuer, wanted->issuer, entry->tenants.items,
                                    entry->tenants.count);
    if (strcmp(entry->issuer, wanted->issuer) != 0)
        return false;
    for (size_t i = 0; i < wanted->tenants.count; i++)
        if (!has_text(entry->tenants, wanted->tenants.items[i]))
            return false;
    return (entry->tenants.count > 0) == (wanted->tenants.count > 0);
}

static bool has_names_of(const struct verify_settings *settings,
                         const struct issuer_settings *wanted)
{
    for (size_t i = 0; i < settings->issuer_count; i++)
        if (covers(&settings->issuers[i], wanted))
            return true;
    return false;
}

/* A token of a trust domain may have an iss. It is the domain's while that iss has no entry, and
 * that entry's while it has one, so that a reload takes it from the one to the other. */
static bool is_handed_over(const struct verify_settings *of_domain,
                           const struct issuer_settings *domain_entry,
                           const struct issuer_settings *issuer_entry)
{
    return domain_entry->trust_domain != NULL && issuer_entry->trust_domain == NULL &&
           issuer_entry->kind != JTG_KIND_LOGOUT_TOKEN && !has_names_of(of_domain, issuer_entry) &&
           share_typ(entry_typs(domain_entry), entry_typs(issuer_entry));
}

const char *entries_moved(const struct verify_settings *old_settings,
                          const struct verify_settings *new_settings, size_t *index)
{
    for (*index = 0; *index < new_settings->issuer_count; ++*index)
        for (size_t i = 0; i < old_settings->issuer_count; i++) {
            const struct issuer_settings *before = &old_settings->issuers[i];
            const struct issuer_settings *after = &new_settings->issuers[*index];
            bool may_pass = entries_overlap(before, after) ||
                            is_handed_over(old_settings, before, after) ||
                            is_handed_over(new_settings, after, before);
            const char *what = may_pass ? moved_by(before, after) : NULL;
            if (what != NULL)
                return what;
        }
    return NULL;
}
