/* SPDX-License-Identifier: Apache-2.0 */
#include "core/log.h"

#include "core/options.h"

#include <jtiguard/status.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define OLDEST_SIZE sizeof(jtg_logger)

enum { LINE_BYTES = 512 };

jtg_status jtgi_log_read_option(jtg_logger *logger, const jtg_logger *given, jtg_error *err)
{
    memset(logger, 0, sizeof *logger);
    jtg_status status = jtg_struct_read(logger, sizeof *logger, OLDEST_SIZE, given, "logger", err);
    if (status == JTG_OK && given != NULL && logger->write == NULL)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "logger: write is mandatory");
    return status;
}

void jtgi_log(const jtg_logger *logger, jtg_log_level level, const char *format, ...)
{
    if (logger->write == NULL || level > logger->max_level)
        return;
    char line[LINE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    for (char *at = line; *at != '\0'; at++)
        if ((unsigned char)*at < 0x20 || *at == 0x7f)
            *at = '?';
    logger->write(logger->context, level, line);
}
