/* SPDX-License-Identifier: Apache-2.0 */
#include "core/error.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define ROW_NAME(symbol, value, name, text) [value] = (name),
#define ROW_TEXT(symbol, value, name, text) [value] = (text),
#define ROW_SIZE(symbol, value, name, text) [value] = sizeof(text),
static const char *const names[JTG_STATUS_COUNT] = {JTG_STATUS_MAP(ROW_NAME)};
static const char *const texts[JTG_STATUS_COUNT] = {JTG_STATUS_MAP(ROW_TEXT)};
static const unsigned char text_sizes[JTG_STATUS_COUNT] = {JTG_STATUS_MAP(ROW_SIZE)};

#define ROW_FITS(symbol, value, name, text)                                                        \
    _Static_assert(sizeof(text) <= JTG_ERROR_TEXT_BYTES, "the text of " #symbol " is too long");
JTG_STATUS_MAP(ROW_FITS)

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

/* With the NUL. */
static size_t text_size(jtg_status status)
{
    return is_status(status) ? text_sizes[status] : sizeof "unknown";
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

jtg_status jtgi_error_set_status(jtg_error *err, jtg_status status)
{
    if (err == NULL || err->text[0] != '\0')
        return status;
    err->status = status;
    err->system_errno = 0;
    memcpy(err->text, jtg_status_text(status), text_size(status));
    return status;
}
