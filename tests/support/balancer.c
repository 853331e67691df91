/* SPDX-License-Identifier: Apache-2.0 */
#include "support/balancer.h"

#include "support/asserts.h"
#include "support/ports.h"

#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static struct sockaddr_in at(uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    return address;
}

static bool pass_on(int from, int to)
{
    char bytes[16384];
    ssize_t count = recv(from, bytes, sizeof bytes, 0);
    return count > 0 && send(to, bytes, (size_t)count, MSG_NOSIGNAL) == count;
}

/* One connection, in a process of its own, until either side closes. */
static void carry(int client, uint16_t port)
{
    struct sockaddr_in address = at(port);
    int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct pollfd ends[2] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
    bool open = connect(server, (const struct sockaddr *)&address, sizeof address) == 0;
    while (open && poll(ends, 2, -1) > 0) {
        if (ends[0].revents != 0)
            open = pass_on(client, server);
        if (open && ends[1].revents != 0)
            open = pass_on(server, client);
    }
    _exit(0);
}

static void balance(int listener, const uint16_t ports[2])
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)signal(SIGCHLD, SIG_IGN); /* nobody waits for them */
    for (unsigned turn = 0;; turn++) {
        int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (client < 0)
            _exit(1);
        if (fork() == 0) {
            (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
            carry(client, ports[turn % 2]);
        }
        (void)close(client);
    }
}

void balancer_start(struct balancer *balancer, uint16_t first, uint16_t second)
{
    const uint16_t ports[2] = {first, second};
    const int one = 1;
    balancer->port = port_take();
    struct sockaddr_in address = at(balancer->port);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(listener >= 0);
    assert_int_equal(setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one), 0);
    assert_int_equal(bind(listener, (const struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(listener, 64), 0);
    balancer->pid = fork();
    assert_true(balancer->pid >= 0);
    if (balancer->pid == 0)
        balance(listener, ports);
    (void)close(listener);
}

void balancer_stop(struct balancer *balancer)
{
    assert_int_equal(kill(balancer->pid, SIGKILL), 0);
    assert_int_equal(waitpid(balancer->pid, NULL, 0), balancer->pid);
    port_give_back(balancer->port);
}
