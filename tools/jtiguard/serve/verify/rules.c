/* SPDX-License-Identifier: Apache-2.0 */
/* Every setting is judged before a single key is asked for, and an error names the entry and the
 * setting. What would make a token count as two kinds, or leave a check out, is an error. */
#include "serve/verify/rules.h"

#include "serve/verify/entries.h"
#include "serve/verify/issuer_name.h"

#include <jtiguard/status.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_TEXT_BYTES = 2048 };

/* ---- judged ---- */

static bool is_between(uint32_t value, uint32_t least, uint32_t most)
{
    return value >= least && value <= most;
}

static jtg_status check_numbers(const struct verify_settings *settings, jtg_error *err)
{
    const struct {
        const char *name;
        uint32_t value;
        uint32_t least;
        uint32_t most;
    } numbers[] = {{"max_token_bytes", settings->max_token_bytes, 1, VERIFY_MAX_TOKEN_BYTES_LIMIT},
                   {"keys_timeout_ms", settings->keys_timeout_ms, 1, KEYS_TIMEOUT_MS_LIMIT},
                   {"keys_max_bytes", settings->keys_max_bytes, 1, KEYS_MAX_BYTES_LIMIT},
                   {"keys_max_age_s", settings->keys_max_age_s, 1, KEYS_MAX_AGE_S_LIMIT},
                   {"keys_stale_s", settings->keys_stale_s, 0, KEYS_STALE_S_LIMIT},
                   {"keys_retry_s", settings->keys_retry_s, 1, KEYS_RETRY_S_LIMIT},
                   {"keys_wait_ms", settings->keys_wait_ms, 0, KEYS_WAIT_MS_LIMIT},
                   {"dpop_nonce_lifetime_s", settings->dpop_nonce_lifetime_s,
                    settings->dpop_nonce ? 2 : 0,
                    settings->dpop_nonce ? JTG_PROOF_MAX_AGE_S_LIMIT : UINT32_MAX}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (!is_between(numbers[i].value, numbers[i].least, numbers[i].most))
            return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "%s is %u, and must be from %u to %u",
                                 numbers[i].name, numbers[i].value, numbers[i].least,
                                 numbers[i].most);
    return JTG_OK;
}

static bool is_text(const char *text)
{
    return text != NULL && *text != '\0' && strlen(text) <= MAX_TEXT_BYTES;
}

static bool are_texts(const struct text_list *list, size_t least, bool may_be_empty)
{
    if (list->count < least || list->count > VERIFY_LIST_LIMIT)
        return false;
    for (size_t i = 0; i < list->count; i++)
        if (!is_text(list->items[i]) &&
            !(may_be_empty && list->items[i] != NULL && *list->items[i] == '\0'))
            return false;
    return true;
}

static bool are_algs(const struct text_list *list)
{
    if (!are_texts(list, 0, false))
        return false;
    for (size_t i = 0; i < list->count; i++)
        if (alg_find(list->items[i]) == NULL)
            return false;
    return true;
}

static bool is_header_name(const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";
    return is_text(name) && name[strspn(name, letters)] == '\0';
}

static bool are_headers(const struct issuer_settings *entry)
{
    if (entry->header_count > VERIFY_LIST_LIMIT)
        return false;
    for (size_t i = 0; i < entry->header_count; i++)
        if (!is_text(entry->headers[i].claim) || !is_header_name(entry->headers[i].header))
            return false;
    return true;
}

static bool is_place(const char *url, const struct fetch_rules *fetch)
{
    return is_text(url) && fetch_may(fetch, url);
}

static const char *wrong_discovery(const struct issuer_settings *entry,
                                   const struct fetch_rules *fetch)
{
    if (entry->trust_domain != NULL)
        return "is not where keys could be discovered: set jwks_url or jwks_file";
    if (entry->keys_at != NULL)
        return is_place(entry->keys_at, fetch)
                   ? NULL
                   : "has a discovery_url that is not https://HOST/…, without user and fragment";
    if (entry->tenants.count > 0)
        return "is not where keys could be discovered: set discovery_url, jwks_url or jwks_file";
    return fetch_may(fetch, entry->issuer) && strchr(entry->issuer, '?') == NULL
               ? NULL
               : "is no https URL by which its keys could be discovered: set discovery_url, "
                 "jwks_url or jwks_file";
}

static const char *wrong_file(const struct issuer_settings *entry)
{
    if (entry->keys_token_file != NULL || entry->keys_ca_file != NULL)
        return "has a jwks_file, for which there is no jwks_token_file or jwks_ca_file";
    return is_text(entry->keys_at) ? NULL : "has a jwks_file without a name";
}

/* What is wrong with where the keys come from; NULL: nothing. */
static const char *wrong_place(const struct issuer_settings *entry, const struct fetch_rules *fetch)
{
    switch (entry->keys_from) {
    case KEYS_FROM_DISCOVERY:
        return wrong_discovery(entry, fetch);
    case KEYS_FROM_URL:
        return is_place(entry->keys_at, fetch)
                   ? NULL
                   : "has a jwks_url that is not https://HOST/…, without user and fragment: keys "
                     "by http could be anybody's";
    case KEYS_FROM_FILE:
        return wrong_file(entry);
    }
    return "has keys from nowhere";
}

static const char *wrong_name(const struct issuer_settings *entry)
{
    if (entry->trust_domain != NULL) {
        if (entry->issuer != NULL || entry->tenants.count > 0)
            return "has a trust_domain and an issuer: which of them is it for?";
        if (entry->kind != JTG_KIND_ID_TOKEN && entry->kind != JTG_KIND_CUSTOM)
            return "has a trust_domain, whose tokens are of kind workload or custom";
        return is_trust_domain(entry->trust_domain)
                   ? NULL
                   : "wants a trust_domain of small letters, digits, '.', '-' and '_', without "
                     "spiffe://";
    }
    if (!is_text(entry->issuer))
        return "needs issuer, of 1 to 2048 bytes, or trust_domain";
    if (!are_texts(&entry->tenants, 0, false))
        return "has more than 64 tenant, or one that is empty or beyond 2048 bytes";
    return entry->tenants.count > 0 ? issuer_template_fault(entry->issuer) : NULL;
}

static const char *wrong_list(const struct issuer_settings *entry)
{
    if (!are_texts(&entry->audiences, 1, false))
        return "needs audience, 1 to 64 of up to 2048 bytes";
    if (!are_algs(&entry->algs))
        return "has an alg that is none of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, "
               "ES512, EdDSA, Ed25519";
    if (!are_texts(&entry->typs, 0, true))
        return "has more than 64 typ, or one beyond 2048 bytes";
    return are_texts(&entry->scopes, 0, false)
               ? NULL
               : "has more than 64 scope, or one that is empty or beyond 2048 bytes";
}

/* What is wrong with an entry, to stand behind its name. */
static const char *wrong_member(const struct issuer_settings *entry, const jtg_guard_options *guard,
                                const struct fetch_rules *fetch)
{
    const char *wrong = wrong_name(entry);
    if (wrong != NULL)
        return wrong;
    if (!entry_has_kind(entry))
        return "wants kind id_token, workload, client_assertion, dpop_proof, logout_token or "
               "custom";
    if ((entry->kind == JTG_KIND_CUSTOM) != is_text(entry->custom_kind))
        return "has custom_kind without kind custom, or the other way round";
    wrong = wrong_place(entry, fetch);
    if (wrong != NULL)
        return wrong;
    wrong = wrong_list(entry);
    if (wrong != NULL)
        return wrong;
    if (entry->client != NULL && !is_text(entry->client))
        return "has a client that is empty or beyond 2048 bytes";
    if (entry->is_workload && entry->kind != JTG_KIND_ID_TOKEN)
        return "has is_workload with another kind than JTG_KIND_ID_TOKEN";
    if (entry->jti_claim != NULL &&
        (!is_text(entry->jti_claim) || entry->kind == JTG_KIND_DPOP_PROOF))
        return "has a jti_claim that is empty or beyond 2048 bytes, or with kind dpop_proof, where "
               "the proof's jti is guarded";
    if (entry->life_without_exp_s > 0 && entry->kind != JTG_KIND_LOGOUT_TOKEN)
        return "has life_without_exp with another kind than logout_token";
    if (entry->life_without_exp_s > 0 &&
        (uint64_t)entry->life_without_exp_s + guard->future_leeway_s > guard->max_lifetime_s)
        return "has a life_without_exp above the guard's max_lifetime less its future_leeway";
    if (entry->max_lifetime_s > guard->max_lifetime_s)
        return "has a max_lifetime above the guard's";
    return are_headers(entry) ? NULL : "has a claim_header without a claim or with a bad name";
}

/* ---- several kinds of one issuer ---- */

static jtg_status check_overlap(const struct verify_settings *settings, jtg_error *err)
{
    for (size_t i = 0; i < settings->issuer_count; i++)
        for (size_t j = 0; j < i; j++)
            if (entries_overlap(&settings->issuers[i], &settings->issuers[j]))
                return jtg_error_set(err, JTG_ERR_ARGUMENT, 0,
                                     "issuers %zu and %zu: one issuer, and a typ in common", j + 1,
                                     i + 1);
    return JTG_OK;
}

/* ---- copied ---- */

static char *copy_text(const char *text)
{
    return text != NULL ? strdup(text) : NULL;
}

static char *copy_name(const struct issuer_settings *entry)
{
    char *name = NULL;
    if (entry->trust_domain == NULL)
        return copy_text(entry->issuer);
    return asprintf(&name, "spiffe://%s", entry->trust_domain) > 0 ? name : NULL;
}

static bool copy_texts(struct texts *copy, const char *const *items, size_t count)
{
    copy->items = calloc(count + 1, sizeof *copy->items);
    for (; copy->items != NULL && copy->count < count; copy->count++) {
        copy->items[copy->count] = copy_text(items[copy->count]);
        if (copy->items[copy->count] == NULL)
            return false;
    }
    return copy->items != NULL;
}

static bool copy_headers(struct rule *rule, const struct issuer_settings *entry)
{
    rule->headers = calloc(entry->header_count + 1, sizeof *rule->headers);
    for (; rule->headers != NULL && rule->header_count < entry->header_count;
         rule->header_count++) {
        struct rule_header *header = &rule->headers[rule->header_count];
        header->claim = copy_text(entry->headers[rule->header_count].claim);
        header->name = copy_text(entry->headers[rule->header_count].header);
        if (header->claim == NULL || header->name == NULL) {
            rule->header_count++;
            return false;
        }
    }
    return rule->headers != NULL;
}

static uint32_t alg_bits(const struct text_list *list)
{
    uint32_t bits = list->count == 0 ? UINT32_MAX : 0;
    for (size_t i = 0; i < list->count; i++)
        bits |= alg_find(list->items[i])->bit;
    return bits;
}

static void set_limits(struct time_limits *limits, const jtg_guard_options *guard)
{
    limits->leeway_ms = (int64_t)guard->leeway_s * 1000;
    limits->future_leeway_ms = (int64_t)guard->future_leeway_s * 1000;
    limits->max_lifetime_ms = (int64_t)guard->max_lifetime_s * 1000;
}

static bool copy_entry(struct rule *rule, const struct issuer_settings *entry,
                       const jtg_guard_options *guard)
{
    struct text_list typs = entry_typs(entry);
    rule->kind = entry->kind;
    rule->algs = alg_bits(&entry->algs);
    set_limits(&rule->limits, guard);
    if (entry->max_lifetime_s > 0)
        rule->limits.max_lifetime_ms = (int64_t)entry->max_lifetime_s * 1000;
    rule->limits.max_age_ms = (int64_t)entry->max_age_s * 1000;
    rule->issuer = copy_name(entry);
    rule->trust_domain = copy_text(entry->trust_domain);
    rule->custom_kind = copy_text(entry->custom_kind);
    rule->client = copy_text(entry->client);
    rule->jti_claim = copy_text(entry->jti_claim != NULL ? entry->jti_claim : "jti");
    rule->is_workload = entry->is_workload || entry->trust_domain != NULL;
    rule->life_without_exp_ms = (int64_t)entry->life_without_exp_s * 1000;
    rule->longest_life_ms = (int64_t)guard->max_lifetime_s * 1000;
    return rule->issuer != NULL && rule->jti_claim != NULL &&
           (entry->custom_kind == NULL || rule->custom_kind != NULL) &&
           (entry->client == NULL || rule->client != NULL) &&
           copy_texts(&rule->audiences, entry->audiences.items, entry->audiences.count) &&
           copy_texts(&rule->scopes, entry->scopes.items, entry->scopes.count) &&
           copy_texts(&rule->tenants, entry->tenants.items, entry->tenants.count) &&
           copy_texts(&rule->typs, typs.items, typs.count) && copy_headers(rule, entry);
}

static void free_texts(struct texts *texts)
{
    for (size_t i = 0; i < texts->count; i++)
        free(texts->items[i]);
    free(texts->items);
}

static void free_rule(struct rule *rule)
{
    for (size_t i = 0; i < rule->header_count; i++) {
        free(rule->headers[i].claim);
        free(rule->headers[i].name);
    }
    free(rule->headers);
    free_texts(&rule->audiences);
    free_texts(&rule->typs);
    free_texts(&rule->scopes);
    free_texts(&rule->tenants);
    free(rule->issuer);
    free(rule->trust_domain);
    free(rule->custom_kind);
    free(rule->client);
    free(rule->jti_claim);
}

/* ---- keys ---- */

static struct keys *find_keys(struct keys *const *list, size_t count,
                              bool (*fit)(const struct keys *keys, const struct keys_rules *rules),
                              const struct keys_rules *wanted)
{
    for (size_t i = 0; i < count; i++)
        if (fit(list[i], wanted))
            return list[i];
    return NULL;
}

/* Rows are told apart by their place in the list and their issuer. */
static const struct keys *find_row(const struct rules *older, size_t index, const char *issuer)
{
    const struct keys *row = index < older->keys_count ? older->keys[index] : NULL;
    return row != NULL && issuer != NULL && strcmp(keys_issuer(row), issuer) == 0 ? row : NULL;
}

static struct keys_before keys_before_of(const struct rules *older, size_t index,
                                         const struct keys_rules *wanted)
{
    if (older == NULL)
        return (struct keys_before){NULL, NULL};
    return (struct keys_before){find_keys(older->keys, older->keys_count, keys_are_of, wanted),
                                find_row(older, index, wanted->issuer)};
}

static struct fetch_rules fetch_rules_of(const struct verify_settings *settings)
{
    return (struct fetch_rules){.timeout_ms = settings->keys_timeout_ms,
                                .max_bytes = settings->keys_max_bytes,
                                .ca_file = settings->ca_file,
                                .allow_loopback_http = settings->allow_loopback_http};
}

static jtg_status attach_keys(struct rules *rules, struct rule *rule,
                              const struct issuer_settings *entry,
                              const struct verify_settings *settings, const struct rules *older,
                              jtg_error *err)
{
    struct keys_rules wanted = {.from = entry->keys_from,
                                .owner = entry->trust_domain != NULL ? JWKS_OF_TRUST_DOMAIN
                                                                     : JWKS_OF_ISSUER,
                                .issuer = rule->issuer,
                                .at = entry->keys_at,
                                .token_file = entry->keys_token_file,
                                .fetch = fetch_rules_of(settings),
                                .max_age_s = settings->keys_max_age_s,
                                .stale_s = settings->keys_stale_s,
                                .retry_s = settings->keys_retry_s,
                                .wait_ms = settings->keys_wait_ms,
                                .clock = settings->clock,
                                .logger = settings->logger};
    if (entry->keys_ca_file != NULL)
        wanted.fetch.ca_file = entry->keys_ca_file;
    struct keys_before before = keys_before_of(older, rules->keys_count, &wanted);
    struct keys *keys = find_keys(rules->keys, rules->keys_count, keys_are_like, &wanted);
    if (keys == NULL) {
        jtg_status status = keys_new(&keys, &wanted, &before, err);
        if (status != JTG_OK)
            return status;
        rules->keys[rules->keys_count++] = keys;
    }
    rule->keys = keys;
    return JTG_OK;
}

/* ---- made and ended ---- */

jtg_status verify_settings_check(const struct verify_settings *settings, jtg_error *err)
{
    if (settings->issuers == NULL || settings->guard == NULL || settings->issuer_count == 0 ||
        settings->issuer_count > VERIFY_ISSUERS_LIMIT)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "issuers: from 1 to %d are needed",
                             VERIFY_ISSUERS_LIMIT);
    jtg_status status = check_numbers(settings, err);
    if (status != JTG_OK)
        return status;
    if (settings->dpop_clock_of_nonce &&
        (!settings->dpop_nonce ||
         settings->dpop_nonce_lifetime_s > settings->guard->proof_max_age_s))
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0,
                             "dpop_clock nonce needs dpop_nonce, and a proof_max_age of at least "
                             "the %u s that a nonce lives",
                             settings->dpop_nonce_lifetime_s);
    struct fetch_rules fetch = fetch_rules_of(settings);
    for (size_t i = 0; i < settings->issuer_count; i++) {
        const char *wrong = wrong_member(&settings->issuers[i], settings->guard, &fetch);
        if (wrong != NULL)
            return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "issuer %zu (%.60s) %s", i + 1,
                                 entry_name(&settings->issuers[i]), wrong);
    }
    return check_overlap(settings, err);
}

/* A random key outlives a reload, so that the nonces which clients hold stay good. */
static void copy_dpop(struct rules *rules, const struct verify_settings *settings,
                      const struct rules *older)
{
    set_limits(&rules->proof_limits, settings->guard);
    rules->proof_limits.max_lifetime_ms = (int64_t)settings->guard->proof_max_age_s * 1000;
    rules->dpop_nonce = settings->dpop_nonce;
    rules->dpop_clock_of_nonce = settings->dpop_clock_of_nonce;
    rules->nonce_key_is_random = settings->dpop_nonce_key == NULL;
    rules->dpop_nonce_slot_ms = (int64_t)settings->dpop_nonce_lifetime_s * 1000 / 2;
    if (settings->dpop_nonce_key != NULL)
        memcpy(rules->dpop_nonce_key, settings->dpop_nonce_key, DPOP_NONCE_KEY_BYTES);
    else if (older != NULL && older->nonce_key_is_random)
        memcpy(rules->dpop_nonce_key, older->dpop_nonce_key, DPOP_NONCE_KEY_BYTES);
    else
        randombytes_buf(rules->dpop_nonce_key, DPOP_NONCE_KEY_BYTES);
}

static bool copy_entries(struct rules *rules, const struct verify_settings *settings)
{
    const size_t count = settings->issuer_count;
    rules->items = calloc(count, sizeof *rules->items);
    if (rules->items == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        rules->count++;
        if (!copy_entry(&rules->items[i], &settings->issuers[i], settings->guard))
            return false;
    }
    return true;
}

static jtg_status attach_all(struct rules *rules, const struct verify_settings *settings,
                             const struct rules *older, jtg_error *err)
{
    jtg_status status = JTG_OK;
    for (size_t i = 0; i < rules->count && status == JTG_OK; i++)
        status = attach_keys(rules, &rules->items[i], &settings->issuers[i], settings, older, err);
    return status;
}

jtg_status rules_new(struct rules **rules, const struct verify_settings *settings,
                     const struct rules *older, jtg_error *err)
{
    *rules = NULL;
    jtg_status status = verify_settings_check(settings, err);
    if (status != JTG_OK)
        return status;
    struct rules *made = calloc(1, sizeof *made);
    if (made == NULL)
        return jtg_error_set(err, JTG_ERR_MEMORY, 0, "issuers: out of memory");
    atomic_init(&made->references, 1);
    made->max_token_bytes = settings->max_token_bytes;
    made->generation = settings->generation;
    copy_dpop(made, settings, older);
    if (!copy_entries(made, settings))
        status = jtg_error_set(err, JTG_ERR_MEMORY, 0, "issuers: out of memory");
    if (status == JTG_OK)
        status = attach_all(made, settings, older, err);
    if (status == JTG_OK) {
        *rules = made;
        return JTG_OK;
    }
    rules_stop(made);
    rules_release(made);
    return status;
}

void rules_stop(struct rules *rules)
{
    for (size_t i = 0; i < rules->keys_count; i++)
        keys_stop(rules->keys[i]);
}

struct rules *rules_hold(struct rules *rules)
{
    (void)atomic_fetch_add_explicit(&rules->references, 1, memory_order_relaxed);
    return rules;
}

void rules_release(struct rules *rules)
{
    if (rules == NULL ||
        atomic_fetch_sub_explicit(&rules->references, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < rules->count; i++)
        free_rule(&rules->items[i]);
    for (size_t i = 0; i < rules->keys_count; i++)
        keys_free(rules->keys[i]);
    free(rules->items);
    sodium_memzero(rules->dpop_nonce_key, sizeof rules->dpop_nonce_key);
    free(rules);
}
