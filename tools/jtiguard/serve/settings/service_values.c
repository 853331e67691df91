/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/settings/service_values.h"

#include "serve/settings/list_value.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* JSON has numbers and truth values of its own; both are read as their texts are. */
static const char *text_of(const json_t *value, char buffer[32])
{
    if (json_is_string(value))
        return strlen(json_string_value(value)) == json_string_length(value)
                   ? json_string_value(value)
                   : NULL;
    if (json_is_boolean(value))
        return json_is_true(value) ? "yes" : "no";
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return NULL;
    (void)snprintf(buffer, 32, "%" PRIu64, (uint64_t)json_integer_value(value));
    return buffer;
}

static const char *read_flag(const char *text, bool *flag)
{
    *flag = strcmp(text, "yes") == 0 || strcmp(text, "true") == 0;
    return *flag || strcmp(text, "no") == 0 || strcmp(text, "false") == 0 ? NULL
                                                                          : "wants yes or no";
}

static const char *name_choices(const char *const *choices)
{
    static _Thread_local char text[160];
    size_t len = (size_t)snprintf(text, sizeof text, "wants %s", choices[0]);
    for (size_t i = 1; choices[i] != NULL && len < sizeof text; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%s",
                                choices[i + 1] != NULL ? ", " : " or ", choices[i]);
    return text;
}

static const char *read_choice(const struct service_row *row, const char *text, uint32_t *place)
{
    for (*place = 0; row->choices[*place] != NULL; ++*place)
        if (strcmp(row->choices[*place], text) == 0)
            return NULL;
    return name_choices(row->choices);
}

static const char *read_level(const char *text, uint32_t *level)
{
    static const struct {
        const char *name;
        jtg_log_level level;
    } levels[] = {{"error", JTG_LOG_ERROR},
                  {"warning", JTG_LOG_WARNING},
                  {"info", JTG_LOG_INFO},
                  {"debug", JTG_LOG_DEBUG}};
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
        if (strcmp(levels[i].name, text) == 0) {
            *level = levels[i].level;
            return NULL;
        }
    return "wants error, warning, info or debug";
}

static const char *read_octal(const struct service_row *row, const char *text, uint32_t *number)
{
    uint32_t read = 0;
    size_t len = strlen(text);
    if (len < 3 || len > 4 || strspn(text, "01234567") != len)
        return "wants permissions in octal, e.g. 0660";
    for (; *text != '\0'; text++)
        read = read * 8 + (uint32_t)(*text - '0');
    *number = read;
    return read > row->max ? "is out of its range, 0 to 0777" : NULL;
}

static const char *read_plain(const struct service_row *row, const char *text,
                              struct service_settings *settings)
{
    const struct option_row plain = {row->name,   row->argument, 0,        row->plain,
                                     row->offset, row->min,      row->max, NULL};
    return option_value_read(&plain, text, &settings->tool);
}

static const char *read_text(const struct service_row *row, const char *text,
                             struct service_settings *settings)
{
    void *place = (char *)settings + row->offset;
    bool flag = false;
    const char *wrong = NULL;
    switch (row->type) {
    case SERVICE_PLAIN:
        return read_plain(row, text, settings);
    case SERVICE_FLAG:
        return read_flag(text, place);
    case SERVICE_FLAG32:
        wrong = read_flag(text, &flag);
        *(uint32_t *)place = flag ? 1 : 0;
        return wrong;
    case SERVICE_CHOICE:
        return read_choice(row, text, place);
    case SERVICE_LEVEL:
        return read_level(text, place);
    case SERVICE_OCTAL:
        return read_octal(row, text, place);
    default:
        return NULL; /* read elsewhere, from the sources */
    }
}

const char *service_value_read(const struct service_row *row, json_t *value,
                               struct service_settings *settings)
{
    char buffer[32];
    if (row->type == SERVICE_LIST)
        return text_list_read((struct text_list *)(void *)((char *)settings + row->offset), value);
    if (row->type == SERVICE_ISSUER || row->type == SERVICE_ISSUERS)
        return NULL; /* issuer_list.c */
    const char *text = text_of(value, buffer);
    if (text == NULL)
        return "has the wrong JSON type";
    return read_text(row, text, settings);
}
