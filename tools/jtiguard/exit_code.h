/* SPDX-License-Identifier: Apache-2.0 */
/* What the process ends with. Only 0 admits, so that `if jtiguard …; then` fails closed. */
#ifndef TOOL_EXIT_CODE_H
#define TOOL_EXIT_CODE_H

enum exit_code {
    EXIT_ADMITTED = 0, /* Everything that was asked for was admitted, or done. */
    EXIT_REPLAYED = 1, /* A token was used before; release: nothing was given back. */
    EXIT_USAGE = 2,    /* The command line is wrong. */
    EXIT_TROUBLE = 3,  /* The store, the input, the output or the memory failed. */
    EXIT_INVALID = 4   /* A token was refused for what it is. */
};

#endif
