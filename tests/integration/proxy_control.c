/* SPDX-License-Identifier: Apache-2.0 */
#include "integration/proxy_control.h"

#include "support/asserts.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void become_proxy(const int orders[2], const int answers[2], const char *host,
                         const char *port)
{
    if (dup2(orders[0], STDIN_FILENO) >= 0 && dup2(answers[1], STDOUT_FILENO) >= 0)
        execl(FAULT_PROXY, FAULT_PROXY, host, port, (char *)NULL);
    _exit(127);
}

static void answer(struct proxy_control *proxy, char *line, size_t line_len)
{
    assert_non_null(fgets(line, (int)line_len, proxy->answers));
    line[strcspn(line, "\n")] = '\0';
}

void proxy_start(struct proxy_control *proxy, const char *host, uint16_t port)
{
    int orders[2];
    int answers[2];
    char number[8];
    char line[64];
    assert_int_equal(pipe2(orders, O_CLOEXEC), 0);
    assert_int_equal(pipe2(answers, O_CLOEXEC), 0);
    snprintf(number, sizeof number, "%u", (unsigned)port);
    proxy->pid = fork();
    assert_true(proxy->pid >= 0);
    if (proxy->pid == 0)
        become_proxy(orders, answers, host, number);
    close(orders[0]);
    close(answers[1]);
    proxy->orders = fdopen(orders[1], "w");
    proxy->answers = fdopen(answers[0], "r");
    assert_true(proxy->orders != NULL && proxy->answers != NULL);
    answer(proxy, line, sizeof line);
    assert_int_equal(strncmp(line, "port ", 5), 0);
    proxy->port = (uint16_t)strtoul(line + 5, NULL, 10);
    assert_int_not_equal(proxy->port, 0);
}

void proxy_order(struct proxy_control *proxy, const char *line)
{
    char said[64];
    assert_true(fprintf(proxy->orders, "%s\n", line) > 0);
    assert_int_equal(fflush(proxy->orders), 0);
    answer(proxy, said, sizeof said);
    assert_string_equal(said, "ok");
}

void proxy_stats(struct proxy_control *proxy, char *line, size_t line_len)
{
    assert_true(fputs("stats\n", proxy->orders) >= 0);
    assert_int_equal(fflush(proxy->orders), 0);
    answer(proxy, line, line_len);
}

void proxy_stop(struct proxy_control *proxy)
{
    int status;
    fclose(proxy->orders);
    fclose(proxy->answers);
    assert_int_equal(waitpid(proxy->pid, &status, 0), proxy->pid);
    assert_int_equal(status, 0);
}
