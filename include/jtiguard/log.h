/* SPDX-License-Identifier: Apache-2.0 */
/** @file log.h
 * Where the library reports what an operator must know and no caller is told,
 * e.g. that the wall clock was set back. A message never holds a key, a value, a
 * token or a secret. Without a logger the library is silent: it never writes to stderr.
 */
#ifndef JTIGUARD_LOG_H
#define JTIGUARD_LOG_H

#include <jtiguard/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/** How urgent a message is; the numbers are those of syslog (RFC 5424 section 6.2.1). */
typedef enum jtg_log_level {
    JTG_LOG_ERROR = 3,   /**< Tokens are being refused, or a setting is unsafe. */
    JTG_LOG_WARNING = 4, /**< Works, but an operator should look. */
    JTG_LOG_INFO = 6,    /**< A change of state, e.g. connected. */
    JTG_LOG_DEBUG = 7    /**< For the developers. */
} jtg_log_level;

/** A receiver of messages.
 *
 * Where the library takes a `const jtg_logger *`, NULL means silence. The struct is copied;
 * what `context` points to is borrowed until the object that took it is freed.
 */
typedef struct jtg_logger {
    size_t struct_size;      /**< sizeof(jtg_logger). */
    void *context;           /**< Handed to write. */
    jtg_log_level max_level; /**< Messages above this number are not made. */
    /** Take one line without a line end. Called from any thread, never under a lock of the
     * library; it must not call back into the object that logs. Mandatory. */
    void (*write)(void *context, jtg_log_level level, const char *line);
} jtg_logger;

#ifdef __cplusplus
}
#endif
#endif
