/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JTGI_CORE_LOG_H
#define JTGI_CORE_LOG_H

#include <jtiguard/log.h>

/* Take a caller's logger; without one, a logger that writes nothing. */
jtg_status jtgi_log_read_option(jtg_logger *logger, const jtg_logger *given, jtg_error *err);

/* Write one line. Never under a lock; the format names no key, value or secret. */
JTG_PRINTF(3, 4)
void jtgi_log(const jtg_logger *logger, jtg_log_level level, const char *format, ...);

#endif
