/* SPDX-License-Identifier: Apache-2.0 */
/* What is said to people on stderr. Never a claim's value: it may be what makes a token. */
#ifndef TOOL_MESSAGE_H
#define TOOL_MESSAGE_H

#include <jtiguard/log.h>

/* One line on stderr, after "jtiguard: ". */
JTG_PRINTF(1, 2) void complain(const char *format, ...);

/* The detail of a failure, after the command's name; nothing when there is none, or when the
 * library has just logged it. */
void complain_of(const char *command, const jtg_error *err);

/* What the library logs goes to stderr too, from warnings up. A line that says the same as the one
 * before is left out: a store that is down says so at every attempt. Any thread may log. */
jtg_logger message_logger(void);

#endif
