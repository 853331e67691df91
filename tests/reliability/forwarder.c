/* SPDX-License-Identifier: Apache-2.0 */
#include "reliability/forwarder.h"

#include "support/asserts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    PAIRS_MAX = 128,
    BACKLOG = 64,
    CHUNK_BYTES = 65536,
    ENTRANCE = 0,
    ORDERS = 1,
    FIRST_END = 2
};

/* Both ends of a connection stand next to each other in the list of what is waited for. */
struct works {
    struct pollfd waits[FIRST_END + 2 * PAIRS_MAX];
    nfds_t count;
    struct sockaddr_in targets[FORWARDER_TARGETS];
    unsigned target;
    unsigned turn;
    int done;
};

static struct sockaddr_in address_of(unsigned host, unsigned port)
{
    char text[HOST_ADDRESS_BYTES];
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    hosts_address(host, text);
    (void)inet_pton(AF_INET, text, &address.sin_addr);
    return address;
}

static int open_entrance(unsigned host, unsigned port)
{
    int on = 1;
    struct sockaddr_in address = address_of(host, port);
    int entrance = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (entrance < 0 || setsockopt(entrance, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(entrance, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(entrance, BACKLOG) != 0)
        _exit(1);
    return entrance;
}

static void drop_pair(struct works *works, nfds_t end)
{
    nfds_t first = FIRST_END + (end - FIRST_END) / 2 * 2;
    close(works->waits[first].fd);
    close(works->waits[first + 1].fd);
    works->count -= 2;
    works->waits[first] = works->waits[works->count];
    works->waits[first + 1] = works->waits[works->count + 1];
}

static void add_pair(struct works *works)
{
    int on = 1;
    unsigned target =
        works->target < FORWARDER_TARGETS ? works->target : works->turn++ % FORWARDER_TARGETS;
    const struct sockaddr_in *address = &works->targets[target];
    int caller = accept4(works->waits[ENTRANCE].fd, NULL, NULL, SOCK_CLOEXEC);
    int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (caller < 0 || server < 0 || works->count + 2 > FIRST_END + 2 * PAIRS_MAX ||
        connect(server, (const struct sockaddr *)address, sizeof *address) != 0) {
        close(caller);
        close(server);
        return;
    }
    (void)setsockopt(caller, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    (void)setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    works->waits[works->count++] = (struct pollfd){caller, POLLIN, 0};
    works->waits[works->count++] = (struct pollfd){server, POLLIN, 0};
}

/* False: it is over. */
static bool pass_on(const struct works *works, nfds_t end)
{
    char chunk[CHUNK_BYTES];
    int from = works->waits[end].fd;
    int to = works->waits[FIRST_END + ((end - FIRST_END) ^ 1)].fd;
    ssize_t len = read(from, chunk, sizeof chunk);
    for (ssize_t at = 0; at < len;) {
        ssize_t sent = send(to, chunk + at, (size_t)(len - at), MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        at += sent;
    }
    return len > 0;
}

static void obey(struct works *works)
{
    char order;
    if (read(works->waits[ORDERS].fd, &order, 1) != 1)
        _exit(0);
    while (works->count > FIRST_END)
        drop_pair(works, FIRST_END);
    works->target = (unsigned)order;
    if (write(works->done, "", 1) != 1)
        _exit(1);
}

static void work(struct works *works)
{
    if (poll(works->waits, works->count, -1) < 0 && errno != EINTR)
        _exit(1);
    if (works->waits[ORDERS].revents != 0) {
        obey(works);
        return;
    }
    for (nfds_t end = FIRST_END; end < works->count;) {
        bool has_news = works->waits[end].revents != 0;
        if (has_news && !pass_on(works, end)) {
            drop_pair(works, end);
            end = FIRST_END + (end - FIRST_END) / 2 * 2;
        } else {
            works->waits[end].revents = 0;
            end++;
        }
    }
    if (works->waits[ENTRANCE].revents != 0)
        add_pair(works);
}

static void become(struct works *works, unsigned host, unsigned port)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    hosts_enter(host);
    works->waits[ENTRANCE] = (struct pollfd){open_entrance(host, port), POLLIN, 0};
    works->count = FIRST_END;
    if (write(works->done, "", 1) != 1)
        _exit(1);
    for (;;)
        work(works);
}

static void await_done(const struct forwarder *forwarder)
{
    char byte;
    assert_int_equal(read(forwarder->done, &byte, 1), 1);
}

void forwarder_start(struct forwarder *forwarder, unsigned host, unsigned port,
                     const unsigned targets[FORWARDER_TARGETS])
{
    int orders[2];
    int done[2];
    static struct works works;
    assert_int_equal(pipe2(orders, O_CLOEXEC), 0);
    assert_int_equal(pipe2(done, O_CLOEXEC), 0);
    memset(&works, 0, sizeof works);
    for (unsigned i = 0; i < FORWARDER_TARGETS; i++)
        works.targets[i] = address_of(targets[i], port);
    works.waits[ORDERS] = (struct pollfd){orders[0], POLLIN, 0};
    works.done = done[1];
    forwarder->pid = fork();
    assert_true(forwarder->pid >= 0);
    if (forwarder->pid == 0)
        become(&works, host, port);
    close(orders[0]);
    close(done[1]);
    forwarder->orders = orders[1];
    forwarder->done = done[0];
    await_done(forwarder);
}

void forwarder_stop(struct forwarder *forwarder)
{
    assert_int_equal(kill(forwarder->pid, SIGKILL), 0);
    assert_int_equal(waitpid(forwarder->pid, NULL, 0), forwarder->pid);
    close(forwarder->orders);
    close(forwarder->done);
}

void forwarder_lead(struct forwarder *forwarder, unsigned target)
{
    char order = (char)target;
    assert_int_equal(write(forwarder->orders, &order, 1), 1);
    await_done(forwarder);
}

void forwarder_lead_to_all(struct forwarder *forwarder)
{
    forwarder_lead(forwarder, FORWARDER_TARGETS);
}
