/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TOOL_HELP_H
#define TOOL_HELP_H

#include "command.h"

#include <stdio.h>

/* The list of commands ends with NULL. */
void help_print_all(const struct command *const *commands, FILE *out);
void help_print_command(const struct command *command, FILE *out);

#endif
