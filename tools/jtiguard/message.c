/* SPDX-License-Identifier: Apache-2.0 */
#include "message.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

void complain(const char *format, ...)
{
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);

    /* An operand may be part of it: no escape may reach the terminal. */
    for (char *at = line; *at != '\0'; at++)
        if ((unsigned char)*at < 0x20 || *at == 0x7f)
            *at = '?';
    (void)fprintf(stderr, "jtiguard: %s\n", line);
}

static pthread_mutex_t last_lock = PTHREAD_MUTEX_INITIALIZER;
static char last_line[512]; /* Under last_lock. */

static bool is_last(const char *line)
{
    (void)pthread_mutex_lock(&last_lock);
    bool same = strcmp(line, last_line) == 0;
    (void)pthread_mutex_unlock(&last_lock);
    return same;
}

static void set_last(const char *line)
{
    (void)pthread_mutex_lock(&last_lock);
    (void)snprintf(last_line, sizeof last_line, "%s", line);
    (void)pthread_mutex_unlock(&last_lock);
}

static void write_log(void *context, jtg_log_level level, const char *line)
{
    (void)context;
    (void)level;
    if (is_last(line))
        return;
    set_last(line);
    complain("%s", line);
}

jtg_logger message_logger(void)
{
    return (jtg_logger){sizeof(jtg_logger), NULL, JTG_LOG_WARNING, write_log};
}

void complain_of(const char *command, const jtg_error *err)
{
    if (err->text[0] != '\0' && !is_last(err->text))
        complain("%s: %s", command, err->text);
}
