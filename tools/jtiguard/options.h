/* SPDX-License-Identifier: Apache-2.0 */
/* The options: one table says what each is called, what it takes, where it goes, and its help. */
#ifndef TOOL_OPTIONS_H
#define TOOL_OPTIONS_H

#include "command.h"

#include <stdio.h>

enum options_answer {
    OPTIONS_READ,  /* The settings are ready. */
    OPTIONS_HELP,  /* Help was asked for. */
    OPTIONS_WRONG, /* The reason was said on stderr. */
};

/* Read what follows the command's name (argv[0]). *first_operand is an index into argv, which is
 * put into order. */
enum options_answer options_read(const struct command *command, int argc, char **argv,
                                 struct settings *settings, int *first_operand);

/* List the options that a command takes. */
void options_print(const struct command *command, FILE *out);

#endif
