/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/settings/settings_reader.h"

#include "serve/settings/list_value.h"
#include "serve/settings/service_options.h"
#include "serve/settings/service_sources.h"
#include "serve/settings/service_values.h"
#include "serve/settings/settings_check.h"
#include "store.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static bool read_sources(struct service_settings *settings, const struct program *program,
                         bool *help, struct settings_problem *problem)
{
    struct merged *merged = &settings->merged;
    /* Once to learn of the file, which comes first and says least. */
    struct merged named = {NULL, NULL, NULL};
    bool good = sources_add_environment(&named, program->environment, problem) &&
                sources_add_flags(&named, program->argc, program->argv, help, problem);
    const char *file = good ? sources_config_file(&named) : NULL;
    if (good && !*help && file != NULL)
        good = sources_add_file(merged, file, problem);
    merged_clear(&named);
    return good &&
           (*help || (sources_add_environment(merged, program->environment, problem) &&
                      sources_add_flags(merged, program->argc, program->argv, help, problem) &&
                      sources_read_secrets(merged, problem)));
}

static bool read_values(struct service_settings *settings, struct settings_problem *problem)
{
    for (size_t i = 0; i < service_row_count; i++) {
        const struct service_row *row = &service_rows[i];
        json_t *value = json_object_get(settings->merged.values, row->name);
        const char *wrong = value != NULL ? service_value_read(row, value, settings) : NULL;
        if (wrong != NULL) {
            settings_problem_set(problem, "%s %s", merged_origin(&settings->merged, row->name),
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

static bool read_nonce_key(struct service_settings *settings, struct settings_problem *problem)
{
    size_t len = 0;
    const char *hex = settings->nonce_key;
    if (hex == NULL)
        return true;
    if (sodium_hex2bin(settings->nonce_key_bytes, sizeof settings->nonce_key_bytes, hex,
                       strlen(hex), NULL, &len, NULL) != 0 ||
        len != sizeof settings->nonce_key_bytes || strlen(hex) != 2 * len)
        return settings_refuse(problem, merged_origin(&settings->merged, "dpop_nonce_key"),
                               "wants 64 hexadecimal digits");
    settings->verify.dpop_nonce_key = settings->nonce_key_bytes;
    return true;
}

/* The members that options tell; NULL: none. */
static json_t *collect_single(const json_t *values)
{
    json_t *entry = json_object();
    for (size_t i = 0; i < service_row_count; i++) {
        json_t *value = json_object_get(values, service_rows[i].name);
        if (service_rows[i].type == SERVICE_ISSUER && value != NULL)
            (void)json_object_set(entry, service_rows[i].name, value);
    }
    if (json_object_size(entry) > 0)
        return json_pack("[o]", entry);
    json_decref(entry);
    return NULL;
}

static bool read_issuers(struct service_settings *settings, struct settings_problem *problem)
{
    const json_t *many = json_object_get(settings->merged.values, "issuers");
    settings->single = collect_single(settings->merged.values);
    if (many == NULL && settings->single == NULL)
        return true;
    if (many != NULL && settings->single != NULL)
        return settings_refuse(problem, "issuers",
                               "and the options of one issuer do not go together");
    return issuer_list_read(&settings->issuers, many != NULL ? many : settings->single, problem);
}

static bool read_compound(struct service_settings *settings, struct settings_problem *problem)
{
    if (settings->api_secret != NULL) {
        const char *wrong = secrets_read(&settings->api_secrets, settings->api_secret);
        if (wrong != NULL)
            return settings_refuse(problem, merged_origin(&settings->merged, "api_secret"), wrong);
    }
    const char *wrong = networks_read(&settings->trusted_proxies, &settings->trusted_proxy);
    if (wrong != NULL)
        return settings_refuse(problem, "trusted_proxy", wrong);
    return read_nonce_key(settings, problem) && read_issuers(settings, problem);
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
    if (!settings_check_together(settings, problem) || !settle(settings, problem))
        return false;
    if (!settings_check_times(settings, problem))
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
    **settings = service_settings_default();
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
        const json_t *value = json_object_get(settings->merged.values, service_rows[i].name);
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
    json_decref(settings->single);
    text_list_clear(&settings->listen);
    text_list_clear(&settings->api_listen);
    text_list_clear(&settings->admin_listen);
    text_list_clear(&settings->trusted_proxy);
    text_list_clear(&settings->form_fields);
    merged_clear(&settings->merged);
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
        const json_t *before = json_object_get(old_settings->merged.values, name);
        const json_t *after = json_object_get(new_settings->merged.values, name);
        bool same =
            before == after || (before != NULL && after != NULL && json_equal(before, after));
        if ((service_rows[i].marks & SERVICE_FIXED) != 0 && !same)
            return name;
    }
    return NULL;
}
