/* SPDX-License-Identifier: Apache-2.0 */
/* Where the output goes: a full disk, a reader that went away, one that waits, a terminal. */
#include "cli/run_tool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* However loaded the machine is, an answer comes before. */
enum { PATIENCE_MS = 60000 };

static const char claims[] = "{\"iss\":\"i\",\"aud\":\"a\",\"jti\":\"1\",\"exp\":1795176060}\n";

/* The tool with its three files, by a shell-free fork. */
static pid_t start(int input, int output, int errors, const char *command, const char *option)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child > 0)
        return child;
    if (dup2(input, 0) < 0 || dup2(output, 1) < 0 || dup2(errors, 2) < 0)
        _exit(127);
    (void)execl(tool_path(), "jtiguard", command, option, "--now", "2026-11-20T12:00:00Z", NULL);
    _exit(127);
}

static int end_of(pid_t child)
{
    int status = 0;
    while (waitpid(child, &status, 0) < 0)
        assert_int_equal(errno, EINTR);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int input_with(const char *text)
{
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fflush(file), 0);
    rewind(file);
    int fd = dup(fileno(file));
    (void)fclose(file);
    return fd;
}

static void set_close_on_exec(int fd)
{
    assert_int_equal(fcntl(fd, F_SETFD, FD_CLOEXEC), 0);
}

static size_t read_until(int fd, char *buffer, size_t size, const char *wanted)
{
    size_t len = 0;
    buffer[0] = '\0';
    while (strstr(buffer, wanted) == NULL) {
        struct pollfd wait = {fd, POLLIN, 0};
        assert_int_equal(poll(&wait, 1, PATIENCE_MS), 1);
        ssize_t got = read(fd, buffer + len, size - 1 - len);
        if (got <= 0)
            fail_msg("\"%s\" did not come, but: %s", wanted, buffer);
        len += (size_t)got;
        buffer[len] = '\0';
    }
    return len;
}

static void notices_a_full_disk(void **state)
{
    (void)state;
    static const char *const commands[] = {"check", "reserve"};
    for (size_t i = 0; i < 2; i++) {
        int errors[2];
        char text[512];
        int input = input_with(claims);
        int full = open("/dev/full", O_WRONLY);
        assert_true(full >= 0);
        assert_int_equal(pipe(errors), 0);
        pid_t child = start(input, full, errors[1], commands[i], "-");
        (void)close(errors[1]);
        assert_int_equal(end_of(child), 3);
        (void)read_until(errors[0], text, sizeof text, "jtiguard: cannot write: No space left");
        assert_int_equal(occurrences(text, "cannot write"), 1);
        (void)close(errors[0]);
        (void)close(full);
        (void)close(input);
    }
}

static void notices_a_reader_that_went_away(void **state)
{
    (void)state;
    int output[2];
    int input = input_with(claims);
    int nothing = open("/dev/null", O_WRONLY);
    assert_int_equal(pipe(output), 0);
    (void)close(output[0]);
    assert_int_equal(end_of(start(input, output[1], nothing, "check", "-")), 3);
    (void)close(output[1]);
    (void)close(nothing);
    (void)close(input);
}

/* `something-that-goes-on | jtiguard check`: a verdict comes when its line has come, not when the
 * buffer is full. */
static void answers_each_line_as_it_comes(void **state)
{
    (void)state;
    int input[2];
    int output[2];
    char text[1024];
    assert_int_equal(pipe(input), 0);
    assert_int_equal(pipe(output), 0);
    set_close_on_exec(input[1]);
    pid_t child = start(input[0], output[1], 2, "check", "--threads=2");
    (void)close(output[1]);
    (void)close(input[0]);
    for (int line = 1; line <= 3; line++) {
        char wanted[80];
        assert_int_equal(write(input[1], claims, sizeof claims - 1), sizeof claims - 1);
        (void)snprintf(wanted, sizeof wanted, "line %d: %s", line,
                       line == 1 ? "admitted\n" : "replayed (the token was used before)\n");
        (void)read_until(output[0], text, sizeof text, wanted);
    }
    (void)close(input[1]);
    (void)read_until(output[0], text, sizeof text, "1 admitted, 2 replayed, 0 refused");
    (void)close(output[0]);
    assert_int_equal(end_of(child), 1);
}

static int open_terminal(int *tool_side)
{
    int own_side = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(own_side >= 0);
    assert_int_equal(grantpt(own_side), 0);
    assert_int_equal(unlockpt(own_side), 0);
    *tool_side = open(ptsname(own_side), O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(*tool_side >= 0);
    return own_side;
}

static bool has_input(int fd, int timeout_ms)
{
    struct pollfd wait = {fd, POLLIN, 0};
    return poll(&wait, 1, timeout_ms) == 1 && (wait.revents & POLLIN) != 0;
}

/* Lines are given until the progress line shows, however fast the machine is. It is erased before
 * the tool ends. */
static void shows_progress_on_a_terminal_and_takes_it_away(void **state)
{
    (void)state;
    int input[2];
    int terminal_side;
    int terminal = open_terminal(&terminal_side);
    int nothing = open("/dev/null", O_WRONLY);
    char text[4096];
    assert_int_equal(pipe(input), 0);
    set_close_on_exec(input[1]);
    pid_t child = start(input[0], nothing, terminal_side, "check", "--report");
    (void)close(input[0]);
    while (!has_input(terminal, 0))
        assert_int_equal(write(input[1], claims, sizeof claims - 1), sizeof claims - 1);
    (void)close(input[1]);
    assert_int_equal(end_of(child), 0);
    (void)close(nothing);
    (void)read_until(terminal, text, sizeof text, " a second");
    while (has_input(terminal, 0)) {
        ssize_t got = read(terminal, text, sizeof text - 1);
        text[got > 0 ? got : 0] = '\0';
    }
    (void)close(terminal_side);
    (void)close(terminal);
    size_t len = strlen(text);
    assert_true(len >= 4);
    assert_string_equal(text + len - 4, "\r\033[K");
}

static void is_quiet_on_a_terminal_when_short(void **state)
{
    (void)state;
    int terminal_side;
    int terminal = open_terminal(&terminal_side);
    int nothing = open("/dev/null", O_WRONLY);
    int input = input_with(claims);
    assert_int_equal(end_of(start(input, nothing, terminal_side, "check", "-")), 0);
    assert_false(has_input(terminal, 0));
    (void)close(input);
    (void)close(nothing);
    (void)close(terminal_side);
    (void)close(terminal);
}

int main(void)
{
    (void)setenv("JTIGUARD_STORE", "memory", 1);
    /* A tool that ended early must show as a failed test, not end it. */
    (void)signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(notices_a_full_disk),
        cmocka_unit_test(notices_a_reader_that_went_away),
        cmocka_unit_test(answers_each_line_as_it_comes),
        cmocka_unit_test(shows_progress_on_a_terminal_and_takes_it_away),
        cmocka_unit_test(is_quiet_on_a_terminal_when_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
