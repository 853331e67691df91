/* SPDX-License-Identifier: Apache-2.0 */
/* What is said to people on stderr. Never a claim's value: it may be what makes a token. */
#ifndef TOOL_MESSAGE_H
#define TOOL_MESSAGE_H

#include <jtiguard/status.h>

/* One line on stderr, after "jtiguard: ". */
JTG_PRINTF(1, 2) void complain(const char *format, ...);

#endif
