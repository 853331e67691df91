/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/say/resp/error_table.h"

#include "redis/say/resp/command.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define ROW(name, prefix, class, next, healthy, status, text)                                      \
    {name, prefix, JTGI_CLASS_##class, JTGI_NEXT_##next, healthy, status, text},
static const struct jtgi_error_row rows[] = {JTGI_ERROR_TABLE(ROW)};
#undef ROW

enum { ROW_COUNT = sizeof rows / sizeof rows[0] };

static const char *const class_names[] = {
    [JTGI_CLASS_ROLE] = "role",       [JTGI_CLASS_BUSY] = "busy",
    [JTGI_CLASS_STATE] = "state",     [JTGI_CLASS_FULL] = "full",
    [JTGI_CLASS_CLUSTER] = "cluster", [JTGI_CLASS_ACCESS] = "access",
    [JTGI_CLASS_FOREIGN] = "foreign", [JTGI_CLASS_SCRIPT] = "script",
    [JTGI_CLASS_COMMAND] = "command", [JTGI_CLASS_SETUP] = "setup",
    [JTGI_CLASS_UNKNOWN] = "unknown",
};

const char *jtgi_error_class_name(enum jtgi_error_class class)
{
    return class_names[class];
}

static const char *const next_names[] = {
    [JTGI_NEXT_STOP] = "no",          [JTGI_NEXT_PAUSE] = "a moment later",
    [JTGI_NEXT_IN_FULL] = "in full",  [JTGI_NEXT_REROUTE] = "elsewhere",
    [JTGI_NEXT_MOVED] = "over there", [JTGI_NEXT_ASK] = "over there, once",
};

const char *jtgi_error_next_name(enum jtgi_error_next next)
{
    return next_names[next];
}

const struct jtgi_error_row *jtgi_error_row_of(const char *text, size_t text_len)
{
    for (size_t i = 0; i < ROW_COUNT - 1; i++) {
        size_t prefix_len = strlen(rows[i].prefix);
        if (text_len >= prefix_len && memcmp(text, rows[i].prefix, prefix_len) == 0)
            return &rows[i];
    }
    return &rows[ROW_COUNT - 1];
}

/* ---- which command ---- */

#define NAME(name, rule) name,
static const char *const commands[] = {JTGI_COMMANDS(NAME)};
#undef NAME

static const char *find_command(const char *name, size_t len)
{
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (strlen(commands[i]) == len && strncasecmp(commands[i], name, len) == 0)
            return commands[i];
    return NULL;
}

/* It stands in quotes behind these words: before Redis 7 in ` and ', and 'cluster|slots' since. */
const char *jtgi_error_command_of(const char *text, size_t text_len)
{
    static const char *const before[] = {"unknown command ", "permissions to run the "};
    for (size_t i = 0; i < sizeof before / sizeof before[0]; i++) {
        size_t len = strlen(before[i]);
        const char *at = memmem(text, text_len, before[i], len);
        const char *end = text + text_len;
        if (at == NULL || end - at < (ptrdiff_t)len + 1 || strchr("`'", at[len]) == NULL)
            continue;
        at += len + 1;
        const char *stop = at;
        while (stop < end && strchr("`'|", *stop) == NULL)
            stop++;
        return find_command(at, (size_t)(stop - at));
    }
    return NULL;
}

void jtgi_error_explain(const struct jtgi_error_row *row, const char *command,
                        char text[JTGI_REFUSAL_BYTES])
{
    if (command == NULL)
        (void)snprintf(text, JTGI_REFUSAL_BYTES, "%s", row->text);
    else
        (void)snprintf(text, JTGI_REFUSAL_BYTES, "%s (%s)", row->text, command);
}

const struct jtgi_error_row *jtgi_error_row_at(size_t index)
{
    return index < ROW_COUNT ? &rows[index] : NULL;
}
