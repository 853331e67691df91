/* SPDX-License-Identifier: Apache-2.0 */
#include "service_settings.h"

#include "authorization.h"
#include "header_name.h"
#include "owner_window.h"
#include "service_options.h"
#include "service_values.h"
#include "store.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void settings_problem_set(struct settings_problem *problem, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    /* clang 14 does not see the va_start. NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized) */
    (void)vsnprintf(problem->text, sizeof problem->text, format, arguments);
    va_end(arguments);
}

static struct service_settings defaults(void)
{
    struct service_settings settings = {
        .verify = VERIFY_SETTINGS_INIT,
        .socket_mode = SERVICE_SOCKET_MODE_DEFAULT,
        .max_connections = SERVICE_CONNECTIONS_DEFAULT,
        .max_header_bytes = SERVICE_HEADER_BYTES_DEFAULT,
        .max_body_bytes = SERVICE_BODY_BYTES_DEFAULT,
        .max_batch = SERVICE_BATCH_DEFAULT,
        .request_timeout_s = SERVICE_REQUEST_TIMEOUT_S_DEFAULT,
        .keepalive_timeout_s = SERVICE_KEEPALIVE_S_DEFAULT,
        .drain_delay_s = SERVICE_DRAIN_DELAY_S_DEFAULT,
        .drain_timeout_s = SERVICE_DRAIN_TIMEOUT_S_DEFAULT,
        .replicas = 1,
        .client_header = "X-Forwarded-For",
        .subject_header = "X-JTI-Subject",
        .issuer_header = "X-JTI-Issuer",
        .keys_timeout_s = KEYS_TIMEOUT_MS_DEFAULT / 1000,
        .keys_wait_s = KEYS_WAIT_MS_DEFAULT / 1000,
        .replay_cache_entries = SERVICE_REPLAY_CACHE_DEFAULT,
        .replay_cache_s = SERVICE_REPLAY_CACHE_S_DEFAULT,
        .owner_quiet_s = SERVICE_OWNER_QUIET_S_DEFAULT,
        .refusals = {0, SERVICE_REFUSAL_BURST_DEFAULT},
        .limited_clients = SERVICE_LIMITED_CLIENTS_DEFAULT,
        .log_level = JTG_LOG_INFO,
        .log_rate = SERVICE_LOG_RATE_DEFAULT,
    };
    settings_init(&settings.tool);
    settings.tool.store = "memory"; /* the environment is one of the sources here */
    return settings;
}

static bool read_sources(struct service_settings *settings, const struct program *program,
                         bool *help, struct settings_problem *problem)
{
    struct service_sources *sources = &settings->sources;
    /* Once to learn of the file, which comes first and says least. */
    struct service_sources named = {NULL, NULL};
    bool good = sources_add_environment(&named, program->environment, problem) &&
                sources_add_flags(&named, program->argc, program->argv, help, problem);
    const char *file = good ? sources_config_file(&named) : NULL;
    if (good && !*help && file != NULL)
        good = sources_add_file(sources, file, problem);
    sources_clear(&named);
    return good &&
           (*help || (sources_add_environment(sources, program->environment, problem) &&
                      sources_add_flags(sources, program->argc, program->argv, help, problem) &&
                      sources_read_secrets(sources, problem)));
}

static bool read_values(struct service_settings *settings, struct settings_problem *problem)
{
    for (size_t i = 0; i < service_row_count; i++) {
        const struct service_row *row = &service_rows[i];
        json_t *value = json_object_get(settings->sources.values, row->name);
        const char *wrong = value != NULL ? service_value_read(row, value, settings) : NULL;
        if (wrong != NULL) {
            settings_problem_set(problem, "%s %s", sources_origin(&settings->sources, row->name),
                                 wrong);
            return false;
        }
    }
    return true;
}

static const char *const default_listen[] = {SERVICE_LISTEN_DEFAULT};
static const char *const default_admin_listen[] = {SERVICE_ADMIN_LISTEN_DEFAULT};
static const char *const default_trusted[] = {"127.0.0.0/8", "::1", "unix"};

static bool set_default_list(struct text_list *list, const char *const *texts, size_t count)
{
    if (list->count > 0)
        return true;
    const char **items = calloc(count, sizeof *items);
    if (items == NULL)
        return false;
    for (size_t i = 0; i < count; i++)
        items[i] = texts[i];
    *list = (struct text_list){items, count};
    return true;
}

static bool set_default_lists(struct service_settings *settings, struct settings_problem *problem)
{
    if (set_default_list(&settings->listen, default_listen, 1) &&
        set_default_list(&settings->admin_listen, default_admin_listen, 1) &&
        set_default_list(&settings->trusted_proxy, default_trusted, 3))
        return true;
    settings_problem_set(problem, "out of memory");
    return false;
}

static bool refuse(struct settings_problem *problem, const char *name, const char *wrong)
{
    settings_problem_set(problem, "%s %s", name, wrong);
    return false;
}

static bool check_addresses(const struct text_list *list, const char *name,
                            struct settings_problem *problem)
{
    struct listen_address address;
    if (list->count > SERVICE_LISTENERS_LIMIT)
        return refuse(problem, name, "names more than 8 addresses");
    for (size_t i = 0; i < list->count; i++) {
        const char *wrong = listen_address_read(&address, list->items[i]);
        if (wrong != NULL)
            return refuse(problem, name, wrong);
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
            return refuse(problem, "api_listen",
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
            return refuse(problem, headers[i].name, "is no name of a header");
    return true;
}

/* Whoever writes the owner's header decides that a token is good once more. */
static bool check_owner_header(const struct service_settings *settings,
                               struct settings_problem *problem)
{
    const char *name = settings->owner_header;
    if (name == NULL)
        return !settings->owner_header_overwritten ||
               refuse(problem, "owner_header_overwritten", "needs owner_header");
    if (is_client_header(name))
        return refuse(problem, "owner_header",
                      "names a header that clients write: it must be one that only the proxy sets, "
                      "such as X-Request-ID, and that it sets in every request");
    if (same_header(name, settings->client_header))
        return refuse(problem, "owner_header", "and client_header name one header twice");
    if (is_reserved_header(name) || same_header(name, settings->subject_header) ||
        same_header(name, settings->issuer_header))
        return refuse(problem, "owner_header", "names a header of the answer");
    if (!is_proxy_id_header(name) && !settings->owner_header_overwritten)
        return refuse(problem, "owner_header",
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
        return refuse(problem, "subject_header", wrong);
    if (settings->issuer_header != NULL && is_reserved_header(settings->issuer_header))
        return refuse(problem, "issuer_header", wrong);
    if (same_header(settings->subject_header, settings->issuer_header))
        return refuse(problem, "issuer_header", "and subject_header name one header twice");
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
            return refuse(problem, "claim_header", "names one header twice");
    }
    return true;
}

static bool check_target(const struct service_settings *settings, struct settings_problem *problem)
{
    const char *url = settings->public_url;
    if ((settings->target_from == TARGET_FROM_REQUEST) != (url != NULL))
        return refuse(problem, "dpop_target", "request and public_url go together");
    if (url == NULL)
        return true;
    const char *host = strstr(url, "://");
    bool good = (strncmp(url, "https://", 8) == 0 || strncmp(url, "http://", 7) == 0) &&
                strpbrk(host + 3, "/?#@ ") == NULL && host[3] != '\0';
    return good || refuse(problem, "public_url", "wants scheme and host only: https://HOST[:PORT]");
}

static bool check_store(const struct service_settings *settings, struct settings_problem *problem)
{
    if (settings->replicas > 1 && service_settings_use_memory(settings))
        return refuse(problem, "replicas",
                      "above 1 needs a shared store: with a memory store each of them would admit "
                      "the same token");
    return true;
}

/* How often one answer of /check asks the store. */
static unsigned calls_of_an_answer(const struct service_settings *settings)
{
    return settings->owner_header != NULL ? OWNER_CANDIDATES : 1;
}

uint64_t service_settings_store_ms(const struct service_settings *settings)
{
    return (uint64_t)calls_of_an_answer(settings) * store_timeout_ms(&settings->tool);
}

/* A default gives way to what was set. */
static void fit_times(struct service_settings *settings)
{
    bool given = json_object_get(settings->sources.values, "keys_wait") != NULL;
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
        if (authorization_kind_of_field(settings->form_fields.items[i]) == JTG_KIND_NONE)
            return refuse(problem, "form_field", "wants logout_token or client_assertion");
    return true;
}

/* A nonce that outlived the proofs would be given to clients who could not use it to its end. */
static bool check_dpop_clock(const struct service_settings *settings,
                             struct settings_problem *problem)
{
    if (settings->dpop_clock == DPOP_CLOCK_CLIENT)
        return true;
    if (!settings->verify.dpop_nonce)
        return refuse(problem, "dpop_clock", "nonce needs dpop_nonce");
    return settings->tool.guard.proof_max_age_s >= settings->verify.dpop_nonce_lifetime_s ||
           refuse(problem, "dpop_clock",
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
                         calls_of_an_answer(settings), store_timeout_ms(&settings->tool),
                         settings->owner_header != NULL ? ", because of owner_header" : "",
                         settings->drain_timeout_s);
    return false;
}

/* Of a request that comes at once and asks about one token: its connection must not end while the
 * store is asked, or a token is used up without an answer. What comes slowly, or asks about many,
 * is told when its time is up (exchange_has_time()). */
static bool check_times(const struct service_settings *settings, struct settings_problem *problem)
{
    uint64_t wait_ms = (uint64_t)settings->keys_wait_s * 1000;
    if (wait_ms + service_settings_store_ms(settings) <
        (uint64_t)settings->request_timeout_s * 1000)
        return check_drain_time(settings, problem);
    if (service_settings_store_ms(settings) == 0)
        return refuse(problem, "keys_wait", "must be below request_timeout");
    settings_problem_set(problem,
                         "keys_wait (%us) and the store's timeout (%u x %u ms%s) must take less "
                         "than request_timeout (%us): raise this, or lower one of those",
                         settings->keys_wait_s, calls_of_an_answer(settings),
                         store_timeout_ms(&settings->tool),
                         settings->owner_header != NULL ? ", because of owner_header" : "",
                         settings->request_timeout_s);
    return false;
}

/* Each of several instances takes nonces of its own only: a client that a balancer sends from one
 * to the next would never have a good one. */
static bool check_nonce(const struct service_settings *settings, struct settings_problem *problem)
{
    if (settings->replicas > 1 && settings->verify.dpop_nonce && settings->nonce_key == NULL)
        return refuse(problem, "dpop_nonce_key",
                      "is not set: with replicas above 1 and dpop_nonce all instances need the "
                      "same one, 64 hexadecimal digits");
    return true;
}

static bool check_together(const struct service_settings *settings,
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
        return refuse(problem, "issuer", "is not set, nor is the API: there is nothing to do");
    return good;
}

static bool read_nonce_key(struct service_settings *settings, struct settings_problem *problem)
{
    size_t len = 0;
    const char *hex = settings->nonce_key;
    if (hex == NULL)
        return true;
    if (sodium_hex2bin(settings->nonce_key_bytes, sizeof settings->nonce_key_bytes, hex,
                       strlen(hex), NULL, &len, NULL) != 0 ||
        len != sizeof settings->nonce_key_bytes || strlen(hex) != 2 * len)
        return refuse(problem, sources_origin(&settings->sources, "dpop_nonce_key"),
                      "wants 64 hexadecimal digits");
    settings->verify.dpop_nonce_key = settings->nonce_key_bytes;
    return true;
}

static bool read_compound(struct service_settings *settings, struct settings_problem *problem)
{
    if (settings->api_secret != NULL) {
        const char *wrong = secrets_read(&settings->api_secrets, settings->api_secret);
        if (wrong != NULL)
            return refuse(problem, sources_origin(&settings->sources, "api_secret"), wrong);
    }
    const char *wrong = networks_read(&settings->trusted_proxies, &settings->trusted_proxy);
    if (wrong != NULL)
        return refuse(problem, "trusted_proxy", wrong);
    return read_nonce_key(settings, problem) &&
           issuer_list_read(&settings->issuers, &settings->sources, problem);
}

/* The verifier's numbers, from where the guard's stand. */
static void fill_verify(struct service_settings *settings)
{
    settings->verify.issuers = settings->issuers.items;
    settings->verify.issuer_count = settings->issuers.count;
    settings->verify.guard = &settings->tool.guard;
    settings->verify.keys_timeout_ms = settings->keys_timeout_s * 1000;
    settings->verify.keys_wait_ms = settings->keys_wait_s * 1000;
    settings->verify.dpop_clock_of_nonce = settings->dpop_clock == DPOP_CLOCK_NONCE;
}

static bool settle(struct service_settings *settings, struct settings_problem *problem)
{
    /* It says itself what is wrong with a store. */
    if (store_settle(&settings->tool) == EXIT_ADMITTED)
        return true;
    settings_problem_set(problem, "the store cannot be used");
    return false;
}

static bool read_all(struct service_settings *settings, struct settings_problem *problem)
{
    if (!read_values(settings, problem) || !set_default_lists(settings, problem) ||
        !read_compound(settings, problem))
        return false;
    if (!check_together(settings, problem) || !settle(settings, problem))
        return false;
    fit_times(settings);
    if (!check_times(settings, problem))
        return false;
    fill_verify(settings);
    return true;
}

enum settings_answer service_settings_read(struct service_settings **settings,
                                           const struct program *program,
                                           struct settings_problem *problem)
{
    bool help = false;
    *settings = malloc(sizeof **settings);
    if (*settings == NULL) {
        settings_problem_set(problem, "out of memory");
        return SETTINGS_WRONG;
    }
    **settings = defaults();
    bool good = read_sources(*settings, program, &help, problem);
    if (good && !help && read_all(*settings, problem))
        return SETTINGS_READ;
    service_settings_free(*settings);
    *settings = NULL;
    return good && help ? SETTINGS_HELP : SETTINGS_WRONG;
}

/* They may lie in several places of the sources' memory: what is wiped is what can be reached. */
static void wipe_secrets(const struct service_settings *settings)
{
    for (size_t i = 0; i < service_row_count; i++) {
        const json_t *value = json_object_get(settings->sources.values, service_rows[i].name);
        union {
            const char *text;
            char *memory;
        } secret = {.text = json_string_value(value)};
        if ((service_rows[i].marks & SERVICE_SECRET) != 0 && secret.text != NULL)
            sodium_memzero(secret.memory, json_string_length(value));
    }
}

void service_settings_free(struct service_settings *settings)
{
    if (settings == NULL)
        return;
    store_forget(&settings->tool);
    wipe_secrets(settings);
    secrets_clear(&settings->api_secrets);
    networks_clear(&settings->trusted_proxies);
    issuer_list_clear(&settings->issuers);
    text_list_clear(&settings->listen);
    text_list_clear(&settings->api_listen);
    text_list_clear(&settings->admin_listen);
    text_list_clear(&settings->trusted_proxy);
    text_list_clear(&settings->form_fields);
    sources_clear(&settings->sources);
    sodium_memzero(settings->nonce_key_bytes, sizeof settings->nonce_key_bytes);
    free(settings);
}

/* As they were told: "60s" and "1m" differ, and a reload then asks for a restart that it would
 * not need. That errs on the safe side. */
const char *service_settings_frozen_change(const struct service_settings *old_settings,
                                           const struct service_settings *new_settings)
{
    for (size_t i = 0; i < service_row_count; i++) {
        const char *name = service_rows[i].name;
        const json_t *before = json_object_get(old_settings->sources.values, name);
        const json_t *after = json_object_get(new_settings->sources.values, name);
        bool same =
            before == after || (before != NULL && after != NULL && json_equal(before, after));
        if ((service_rows[i].marks & SERVICE_FIXED) != 0 && !same)
            return name;
    }
    return NULL;
}

bool service_settings_offer_api(const struct service_settings *settings)
{
    return settings->api_secrets.count > 0 || settings->api_listen.count > 0;
}

bool service_settings_use_memory(const struct service_settings *settings)
{
    return strcmp(settings->tool.store, "memory") == 0;
}
