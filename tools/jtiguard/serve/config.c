/* SPDX-License-Identifier: Apache-2.0 */
/* `jtiguard config check|dump`: what `serve` would make of the settings, without serving. */
#include "message.h"
#include "serve/serve.h"
#include "serve/settings/service_options.h"
#include "serve/settings/settings_reader.h"
#include "serve/verify/verify.h"

#include <sodium.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
    "usage: jtiguard config check [OPTIONS]\n"
    "       jtiguard config dump [OPTIONS]\n"
    "\n"
    "Reads the settings of `jtiguard serve` from the same places, with the same options.\n"
    "check says whether they can be used; dump prints those in effect as JSON, without secrets.\n"
    "Asks neither the store nor an issuer, and opens no address.\n"
    "\n"
    "Exit: 0 they can be used, 2 they cannot.\n"
    "\n"
    "Examples:\n"
    "  jtiguard config check --config /etc/jtiguard/serve.json\n"
    "  jtiguard config dump --config /etc/jtiguard/serve.json --log-level debug\n";

static json_t *list_json(const struct text_list *list)
{
    json_t *array = json_array();
    for (size_t i = 0; i < list->count; i++)
        (void)json_array_append_new(array, json_string(list->items[i]));
    return array;
}

static json_t *plain_json(const struct service_row *row, const struct service_settings *settings)
{
    const void *place = (const char *)settings + row->offset;
    switch (row->plain) {
    case VALUE_SECONDS32:
        return json_sprintf("%us", *(const uint32_t *)place);
    case VALUE_COUNT32:
        return json_integer(*(const uint32_t *)place);
    case VALUE_COUNT64:
        return json_integer((json_int_t) * (const uint64_t *)place);
    case VALUE_STRING:
        return *(const char *const *)place != NULL ? json_string(*(const char *const *)place)
                                                   : json_null();
    case VALUE_KEY_FORM:
        return json_string(settings->tool.guard.key_form == JTG_KEY_PLAIN ? "plain" : "digest");
    default:
        return json_null();
    }
}

static json_t *level_json(uint32_t level)
{
    switch (level) {
    case JTG_LOG_ERROR:
        return json_string("error");
    case JTG_LOG_WARNING:
        return json_string("warning");
    case JTG_LOG_INFO:
        return json_string("info");
    default:
        return json_string("debug");
    }
}

static json_t *value_json(const struct service_row *row, const struct service_settings *settings)
{
    const void *place = (const char *)settings + row->offset;
    uint32_t number = 0;
    switch (row->type) {
    case SERVICE_PLAIN:
        return plain_json(row, settings);
    case SERVICE_FLAG:
        return json_boolean(*(const bool *)place);
    case SERVICE_FLAG32:
        memcpy(&number, place, sizeof number);
        return json_boolean(number != 0);
    case SERVICE_LIST:
        return list_json(place);
    case SERVICE_CHOICE:
        memcpy(&number, place, sizeof number);
        return json_string(row->choices[number]);
    case SERVICE_LEVEL:
        memcpy(&number, place, sizeof number);
        return level_json(number);
    case SERVICE_OCTAL:
        memcpy(&number, place, sizeof number);
        return json_sprintf("%04o", number);
    case SERVICE_ISSUERS:
        return issuer_list_dump(&settings->issuers);
    default:
        return NULL;
    }
}

/* Of a store only what kind it is: any part of its URI may be the password in the wrong place. */
static json_t *secret_json(const struct service_row *row, const struct service_settings *settings)
{
    if (strcmp(row->name, "store") == 0) {
        const char *store = settings->tool.store;
        return json_sprintf("%.*s%s", (int)strcspn(store, ":"), store,
                            strchr(store, ':') != NULL ? ":(not shown)" : "");
    }
    bool given = json_object_get(settings->merged.values, row->name) != NULL;
    return given ? json_string("(not shown)") : json_null();
}

static enum exit_code dump(const struct service_settings *settings)
{
    json_t *object = json_object();
    for (size_t i = 0; i < service_row_count; i++) {
        const struct service_row *row = &service_rows[i];
        json_t *value = (row->marks & SERVICE_SECRET) != 0 ? secret_json(row, settings)
                                                           : value_json(row, settings);
        if (value != NULL)
            (void)json_object_set_new(object, row->name, value);
    }
    bool good = json_dumpf(object, stdout, JSON_INDENT(2)) == 0 && putchar('\n') != EOF;
    json_decref(object);
    return good ? EXIT_ADMITTED : EXIT_TROUBLE;
}

/* Issuers whose keys lie in a file, as a verifier: it reads the files and asks nobody. */
static jtg_status check_key_files(const struct service_settings *settings, jtg_error *err)
{
    struct issuer_settings entries[VERIFY_ISSUERS_LIMIT];
    struct verify_settings verify = settings->verify;
    struct verifier *verifier = NULL;
    verify.issuers = entries;
    verify.issuer_count = 0;
    for (size_t i = 0; i < settings->issuers.count; i++)
        if (settings->issuers.items[i].keys_from == KEYS_FROM_FILE)
            entries[verify.issuer_count++] = settings->issuers.items[i];
    if (verify.issuer_count == 0)
        return JTG_OK;
    jtg_status status = verifier_new(&verifier, &verify, err);
    verifier_free(verifier);
    return status;
}

static enum exit_code check(const struct service_settings *settings)
{
    jtg_error err = JTG_ERROR_INIT;
    jtg_status status = JTG_OK;
    if (settings->issuers.count > 0)
        status = verify_settings_check(&settings->verify, &err);
    if (status == JTG_OK)
        status = check_key_files(settings, &err);
    if (status == JTG_OK)
        return EXIT_ADMITTED;
    complain("config: issuers: %s", err.text[0] != '\0' ? err.text : jtg_status_text(status));
    return EXIT_USAGE;
}

static enum exit_code look(int argc, char **argv, bool dumps)
{
    const struct program program = {argc, argv, environ};
    struct service_settings *settings = NULL;
    struct settings_problem problem = {{0}};
    enum exit_code code = EXIT_ADMITTED;
    switch (service_settings_read(&settings, &program, &problem)) {
    case SETTINGS_HELP:
        (void)fputs(help, stdout);
        service_options_print(stdout);
        return argc == 2 ? EXIT_ADMITTED : EXIT_USAGE;
    case SETTINGS_WRONG:
        complain("config: %s", problem.text);
        return EXIT_USAGE;
    case SETTINGS_READ:
        break;
    }
    code = dumps ? dump(settings) : check(settings);
    service_settings_free(settings);
    return code;
}

enum exit_code config_main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    if (sodium_init() < 0)
        return EXIT_TROUBLE;
    if (strcmp(what, "check") == 0 || strcmp(what, "dump") == 0)
        return look(argc - 1, argv + 1, strcmp(what, "dump") == 0);
    if (argc == 2 && (strcmp(what, "--help") == 0 || strcmp(what, "-h") == 0)) {
        (void)fputs(help, stdout);
        return EXIT_ADMITTED;
    }
    complain("config: wants check or dump; see 'jtiguard config --help'");
    return EXIT_USAGE;
}
