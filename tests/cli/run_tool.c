/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/run_tool.h"

/* cmocka needs these before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_ARGUMENTS = 40 };

const char *tool_path(void)
{
    const char *path = getenv("JTIGUARD_TOOL");
    return path != NULL ? path : JTIGUARD_TOOL_PATH;
}

static FILE *file_with(const void *data, size_t data_len)
{
    FILE *file = tmpfile();
    assert_non_null(file);
    if (data_len > 0)
        assert_int_equal(fwrite(data, 1, data_len, file), data_len);
    assert_int_equal(fflush(file), 0);
    rewind(file);
    return file;
}

static char *read_whole(FILE *file, size_t *len)
{
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    *len = (size_t)ftell(file);
    rewind(file);
    char *text = malloc(*len + 1);
    assert_non_null(text);
    assert_int_equal(fread(text, 1, *len, file), *len);
    text[*len] = '\0';
    return text;
}

/* execv() takes strings that it does not change, and cannot say so in C. */
static void become(const char *path, const char *const *args, FILE *const files[3])
{
    union {
        const char *given;
        char *taken;
    } arguments[MAX_ARGUMENTS + 2] = {{.given = path}};
    char *list[MAX_ARGUMENTS + 2] = {arguments[0].taken};
    for (int i = 0; args[i] != NULL && i < MAX_ARGUMENTS; i++) {
        arguments[i + 1].given = args[i];
        list[i + 1] = arguments[i + 1].taken;
    }
    for (int fd = 0; fd < 3; fd++)
        if (dup2(fileno(files[fd]), fd) < 0)
            _exit(127);
    (void)execv(path, list);
    _exit(127);
}

static int wait_for(pid_t child)
{
    int status = 0;
    while (waitpid(child, &status, 0) < 0)
        assert_int_equal(errno, EINTR);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void run_program(struct tool_run *run, const char *path, const char *const *args, const void *input,
                 size_t input_len)
{
    FILE *files[3] = {file_with(input, input_len), file_with("", 0), file_with("", 0)};
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        become(path, args, files);
    run->exit_code = wait_for(child);
    assert_int_not_equal(run->exit_code, 127);
    run->out = read_whole(files[1], &run->out_len);
    run->err = read_whole(files[2], &run->err_len);
    for (int i = 0; i < 3; i++)
        (void)fclose(files[i]);
}

void run_tool(struct tool_run *run, const char *const *args, const char *input)
{
    run_program(run, tool_path(), args, input, strlen(input));
}

void tool_run_clear(struct tool_run *run)
{
    free(run->out);
    free(run->err);
    *run = (struct tool_run){0, NULL, 0, NULL, 0};
}

void assert_holds(const char *output, const char *text)
{
    if (strstr(output, text) == NULL)
        fail_msg("\"%s\" is not in:\n%.4000s", text, output);
}

size_t occurrences(const char *output, const char *text)
{
    size_t count = 0;
    for (const char *at = output; (at = strstr(at, text)) != NULL; at += strlen(text))
        count++;
    return count;
}
