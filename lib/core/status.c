/* SPDX-License-Identifier: Apache-2.0 */
#include <jtiguard/status.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define ROW_NAME(symbol, value, name, text) [value] = (name),
#define ROW_TEXT(symbol, value, name, text) [value] = (text),
static const char *const names[JTG_STATUS_COUNT] = {JTG_STATUS_MAP(ROW_NAME)};
static const char *const texts[JTG_STATUS_COUNT] = {JTG_STATUS_MAP(ROW_TEXT)};

static bool is_status(jtg_status status)
{
    return (unsigned)status < (unsigned)JTG_STATUS_COUNT;
}

const char *jtg_status_name(jtg_status status)
{
    return is_status(status) ? names[status] : "unknown";
}

const char *jtg_status_text(jtg_status status)
{
    return is_status(status) ? texts[status] : "unknown";
}

jtg_status jtg_error_set(jtg_error *err, jtg_status status, int system_errno, const char *format,
                         ...)
{
    if (err == NULL || err->text[0] != '\0')
        return status;
    err->status = status;
    err->system_errno = system_errno;

    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(err->text, sizeof err->text, format, arguments);
    va_end(arguments);

    /* A server's text may be part of it: no line end or escape may reach a log or a terminal. */
    for (char *at = err->text; *at != '\0'; at++)
        if ((unsigned char)*at < 0x20 || *at == 0x7f)
            *at = '?';
    return status;
}
