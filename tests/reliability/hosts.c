/* SPDX-License-Identifier: Apache-2.0 */
#include "reliability/hosts.h"

#include "integration/store.h"
#include "support/asserts.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static const char network[] = "10.77.0.";
static int own = -1;
static int all[HOSTS + 1];

void hosts_find(void)
{
    const char *made = getenv("JTIGUARD_HOSTS");
    if (made == NULL || strcmp(made, "built") != 0)
        fail_msg("no hosts: run this by tests/reliability/with-hosts");
    own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    assert_true(own >= 0);
    for (unsigned host = 1; host <= HOSTS; host++) {
        char path[32];
        snprintf(path, sizeof path, "/run/netns/h%u", host);
        all[host] = open(path, O_RDONLY | O_CLOEXEC);
        assert_true(all[host] >= 0);
    }
}

void hosts_address(unsigned host, char address[HOST_ADDRESS_BYTES])
{
    snprintf(address, HOST_ADDRESS_BYTES, "%s%u", network, host);
}

unsigned hosts_number(const char *address)
{
    size_t len = strlen(network);
    if (strncmp(address, network, len) != 0 || address[len] < '0' || address[len] > '9')
        return 0;
    return (unsigned)store_number(address + len, HOSTS);
}

void hosts_enter(unsigned host)
{
    assert_int_equal(setns(all[host], CLONE_NEWNET), 0);
}

void hosts_leave(void)
{
    assert_int_equal(setns(own, CLONE_NEWNET), 0);
}

static void become(const char *const *words, const char *output_path)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int input = open("/dev/null", O_RDONLY);
    int output = open(output_path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (input < 0 || output < 0 || dup2(input, STDIN_FILENO) < 0 ||
        dup2(output, STDOUT_FILENO) < 0 || dup2(output, STDERR_FILENO) < 0)
        _exit(126);
    /* execvp() takes char *const *, and changes nothing. */
    union {
        const char *const *ours;
        char *const *its;
    } arguments = {words};
    execvp(words[0], arguments.its);
    _exit(127);
}

pid_t hosts_spawn(unsigned host, const char *const *words, const char *output_path)
{
    fflush(stdout);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid != 0)
        return pid;
    if (setns(all[host], CLONE_NEWNET) != 0)
        _exit(125);
    become(words, output_path);
    _exit(127);
}

static void plug(unsigned host, const char *bridge)
{
    char cable[16];
    int status;
    snprintf(cable, sizeof cable, "cable%u", host);
    fflush(stdout);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        execlp("ip", "ip", "link", "set", cable, "master", bridge, (char *)NULL);
        _exit(127);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

void hosts_cut_off(unsigned host)
{
    plug(host, "far");
}

void hosts_join(unsigned host)
{
    plug(host, "near");
}
