/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a program as its users do: arguments and standard input in, two outputs and an exit code
 * out. Input and outputs are files without a name, so that no size of them can block. */
#ifndef TESTS_CLI_RUN_TOOL_H
#define TESTS_CLI_RUN_TOOL_H

#include <stddef.h>

struct tool_run {
    int exit_code; /* -1 when a signal ended it. */
    char *out;     /* Both NUL-terminated. */
    size_t out_len;
    char *err;
    size_t err_len;
};

/* $JTIGUARD_TOOL, or the one that the build made. */
const char *tool_path(void);

/* Run a program; args ends with NULL and begins with its first argument. Fails the test when it
 * cannot be run. */
void run_program(struct tool_run *run, const char *path, const char *const *args, const void *input,
                 size_t input_len);

/* The same for the tool, with a string as input. */
void run_tool(struct tool_run *run, const char *const *args, const char *input);
#define RUN(run, input, ...) run_tool((run), (const char *const[]){__VA_ARGS__, NULL}, (input))

void tool_run_clear(struct tool_run *run);

/* Whether the output holds the text. Fails the test if not, and shows the output. */
void assert_holds(const char *output, const char *text);

/* How often a text occurs. */
size_t occurrences(const char *output, const char *text);

#endif
