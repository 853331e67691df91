/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/settings/settings_check.h"

#include "serve/settings/form_field.h"
#include "serve/settings/header_name.h"
#include "store.h"

#include <string.h>
#include <strings.h>

static bool check_addresses(const struct text_list *list, const char *name,
                            struct settings_problem *problem)
{
    struct listen_address address;
    if (list->count > SERVICE_LISTENERS_LIMIT)
        return settings_refuse(problem, name, "names more than 8 addresses");
    for (size_t i = 0; i < list->count; i++) {
        const char *wrong = listen_address_read(&address, list->items[i]);
        if (wrong != NULL)
            return settings_refuse(problem, name, wrong);
    }
    return true;
}

/* Whoever reaches the API can burn tokens and give them back. */
static bool check_api_access(const struct service_settings *settings,
                             struct settings_problem *problem)
{
    for (size_t i = 0; i < settings->api_listen.count; i++)
        if (settings->api_secrets.count == 0 &&
            strncmp(settings->api_listen.items[i], "unix:", 5) != 0)
            return settings_refuse(problem, "api_listen",
                                   "without api_secret must be a unix socket: anybody could ask");
    return true;
}

static bool same_header(const char *a, const char *b)
{
    return a != NULL && b != NULL && strcasecmp(a, b) == 0;
}

static bool check_header_names(const struct service_settings *settings,
                               struct settings_problem *problem)
{
    const struct {
        const char *name;
        const char *value;
    } headers[] = {{"owner_header", settings->owner_header},
                   {"client_header", settings->client_header},
                   {"subject_header", settings->subject_header},
                   {"issuer_header", settings->issuer_header}};
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        if (headers[i].value != NULL && !is_header_name(headers[i].value))
            return settings_refuse(problem, headers[i].name, "is no name of a header");
    return true;
}

/* Whoever writes the owner's header decides that a token is good once more. */
static bool check_owner_header(const struct service_settings *settings,
                               struct settings_problem *problem)
{
    const char *name = settings->owner_header;
    if (name == NULL)
        return !settings->owner_header_overwritten ||
               settings_refuse(problem, "owner_header_overwritten", "needs owner_header");
    if (is_client_header(name))
        return settings_refuse(
            problem, "owner_header",
            "names a header that clients write: it must be one that only the proxy sets, "
            "such as X-Request-ID, and that it sets in every request");
    if (same_header(name, settings->client_header))
        return settings_refuse(problem, "owner_header", "and client_header name one header twice");
    if (is_reserved_header(name) || same_header(name, settings->subject_header) ||
        same_header(name, settings->issuer_header))
        return settings_refuse(problem, "owner_header", "names a header of the answer");
    if (!is_proxy_id_header(name) && !settings->owner_header_overwritten)
        return settings_refuse(
            problem, "owner_header",
            "names a header that a client may write: take X-Request-ID, X-Unique-ID or "
            "X-JTI-..., or set owner_header_overwritten where the proxy overwrites it in "
            "every request");
    return true;
}

/* As check_claim_headers(), for the two that every token has. */
static bool check_own_headers(const struct service_settings *settings,
                              struct settings_problem *problem)
{
    static const char wrong[] = "names a header that is the service's own";
    if (settings->subject_header != NULL && is_reserved_header(settings->subject_header))
        return settings_refuse(problem, "subject_header", wrong);
    if (settings->issuer_header != NULL && is_reserved_header(settings->issuer_header))
        return settings_refuse(problem, "issuer_header", wrong);
    if (same_header(settings->subject_header, settings->issuer_header))
        return settings_refuse(problem, "issuer_header",
                               "and subject_header name one header twice");
    return true;
}

/* Two claims in one header: which of them does the proxy believe? */
static bool check_claim_headers(const struct service_settings *settings,
                                const struct issuer_settings *entry,
                                struct settings_problem *problem)
{
    for (size_t i = 0; i < entry->header_count; i++) {
        const char *name = entry->headers[i].header;
        bool taken = same_header(name, settings->subject_header) ||
                     same_header(name, settings->issuer_header) ||
                     same_header(name, settings->owner_header);
        for (size_t j = 0; j < i; j++)
            taken = taken || same_header(name, entry->headers[j].header);
        if (taken)
            return settings_refuse(problem, "claim_header", "names one header twice");
    }
    return true;
}

static bool check_target(const struct service_settings *settings, struct settings_problem *problem)
{
    const char *url = settings->public_url;
    if ((settings->target_from == TARGET_FROM_REQUEST) != (url != NULL))
        return settings_refuse(problem, "dpop_target", "request and public_url go together");
    if (url == NULL)
        return true;
    const char *host = strstr(url, "://");
    bool good = (strncmp(url, "https://", 8) == 0 || strncmp(url, "http://", 7) == 0) &&
                strpbrk(host + 3, "/?#@ ") == NULL && host[3] != '\0';
    return good || settings_refuse(problem, "public_url",
                                   "wants scheme and host only: https://HOST[:PORT]");
}

/* Instances on several hosts have no store in common unless somebody has named one. */
static bool check_store(const struct service_settings *settings, struct settings_problem *problem)
{
    enum store_kind kind = store_kind(&settings->tool);
    if (settings->instances > 1 && (kind == STORE_MEMORY || kind == STORE_EITHER))
        return settings_refuse(
            problem, "instances",
            "above 1 needs a shared store that is named, or each of them might admit the same "
            "token: host: where all are on this host, else the URI of a Redis");
    return true;
}

/* A default gives way to what was set. */
static void fit_wait(struct service_settings *settings)
{
    bool given = json_object_get(settings->merged.values, "keys_wait") != NULL;
    uint64_t request_ms = (uint64_t)settings->request_timeout_s * 1000;
    uint64_t left_ms = request_ms > service_settings_store_ms(settings)
                           ? request_ms - service_settings_store_ms(settings)
                           : 1;
    if (!given && (uint64_t)settings->keys_wait_s * 1000 >= left_ms)
        settings->keys_wait_s = (uint32_t)((left_ms - 1) / 1000);
}

static bool check_form_fields(const struct service_settings *settings,
                              struct settings_problem *problem)
{
    for (size_t i = 0; i < settings->form_fields.count; i++)
        if (form_field_kind(settings->form_fields.items[i]) == JTG_KIND_NONE)
            return settings_refuse(problem, "form_field", "wants logout_token or client_assertion");
    return true;
}

/* A nonce that outlived the proofs would be given to clients who could not use it to its end. */
static bool check_dpop_clock(const struct service_settings *settings,
                             struct settings_problem *problem)
{
    if (settings->dpop_clock == DPOP_CLOCK_CLIENT)
        return true;
    if (!settings->verify.dpop_nonce)
        return settings_refuse(problem, "dpop_clock", "nonce needs dpop_nonce");
    return settings->tool.guard.proof_max_age_s >= settings->verify.dpop_nonce_lifetime_s ||
           settings_refuse(problem, "dpop_clock",
                           "nonce needs a proof_max_age of at least the 5m that a nonce lives");
}

/* A request that is under way when the end begins may have asked the store just now. */
static bool check_drain_time(const struct service_settings *settings,
                             struct settings_problem *problem)
{
    uint64_t store_ms = service_settings_store_ms(settings);
    if (store_ms == 0 || store_ms < (uint64_t)settings->drain_timeout_s * 1000)
        return true;
    settings_problem_set(problem,
                         "the store's timeout (%u x %u ms%s) must take less than drain_timeout "
                         "(%us): raise this, or lower that",
                         service_settings_store_calls(settings), store_timeout_ms(&settings->tool),
                         settings->owner_header != NULL ? ", because of owner_header" : "",
                         settings->drain_timeout_s);
    return false;
}

/* Of a request that comes at once and asks about one token: its connection must not end while the
 * store is asked, or a token is used up without an answer. What comes slowly, or asks about many,
 * is told when its time is up (exchange_has_time()). */
bool settings_check_times(struct service_settings *settings, struct settings_problem *problem)
{
    fit_wait(settings);
    uint64_t wait_ms = (uint64_t)settings->keys_wait_s * 1000;
    if (wait_ms + service_settings_store_ms(settings) <
        (uint64_t)settings->request_timeout_s * 1000)
        return check_drain_time(settings, problem);
    if (service_settings_store_ms(settings) == 0)
        return settings_refuse(problem, "keys_wait", "must be below request_timeout");
    settings_problem_set(problem,
                         "keys_wait (%us) and the store's timeout (%u x %u ms%s) must take less "
                         "than request_timeout (%us): raise this, or lower one of those",
                         settings->keys_wait_s, service_settings_store_calls(settings),
                         store_timeout_ms(&settings->tool),
                         settings->owner_header != NULL ? ", because of owner_header" : "",
                         settings->request_timeout_s);
    return false;
}

/* Each of several instances takes nonces of its own only: a client that a balancer sends from one
 * to the next would never have a good one. */
static bool check_nonce(const struct service_settings *settings, struct settings_problem *problem)
{
    if (settings->instances > 1 && settings->verify.dpop_nonce && settings->nonce_key == NULL)
        return settings_refuse(
            problem, "dpop_nonce_key",
            "is not set: with instances above 1 and dpop_nonce all instances need the "
            "same one, 64 hexadecimal digits");
    return true;
}

bool settings_check_together(const struct service_settings *settings,
                             struct settings_problem *problem)
{
    bool good = check_addresses(&settings->listen, "listen", problem) &&
                check_addresses(&settings->api_listen, "api_listen", problem) &&
                check_addresses(&settings->admin_listen, "admin_listen", problem) &&
                check_api_access(settings, problem) && check_header_names(settings, problem) &&
                check_owner_header(settings, problem) && check_own_headers(settings, problem) &&
                check_target(settings, problem) && check_form_fields(settings, problem) &&
                check_dpop_clock(settings, problem) && check_store(settings, problem) &&
                check_nonce(settings, problem);
    for (size_t i = 0; good && i < settings->issuers.count; i++)
        good = check_claim_headers(settings, &settings->issuers.items[i], problem);
    if (good && settings->issuers.count == 0 && !service_settings_offer_api(settings))
        return settings_refuse(problem, "issuer",
                               "is not set, nor is the API: there is nothing to do");
    return good;
}
