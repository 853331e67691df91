/* SPDX-License-Identifier: Apache-2.0 */
/* fault_proxy HOST PORT: a TCP proxy that misbehaves on demand.
 *
 * Listens on 127.0.0.1, any port, and prints "port N". Then it obeys lines on stdin (see
 * fault_rules.h), each answered by "ok" or "error"; "stats" is answered by one line that tells how
 * often each fault was set and how many connections there were. It ends with stdin, so that it
 * never outlives its test.
 *
 * One thread, one poll: the order of what it does to two connections is the order of events. */
#include "integration/fault_link.h"
#include "support/history.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LINKS_MAX = 4096, BACKLOG = 512 };

struct proxy {
    struct sockaddr_in target;
    struct sockaddr_in address;
    int listener; /* -1 while connections are refused */
    struct fault_rules rules;
    struct fault_chaos chaos;
    struct random_source random;
    struct link *links;
    uint32_t resets_done;
    uint64_t connections;
    char line[256];
    size_t line_len;
    struct pollfd fds[2 + 2 * LINKS_MAX];
};

static int listen_on(struct sockaddr_in *address)
{
    int one = 1;
    socklen_t len = sizeof *address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listener < 0)
        return -1;
    (void)setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)address, sizeof *address) == 0 &&
        listen(listener, BACKLOG) == 0 &&
        getsockname(listener, (struct sockaddr *)address, &len) == 0)
        return listener;
    close(listener);
    return -1;
}

static int connect_to(const struct sockaddr_in *target)
{
    int one = 1;
    int server = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (server < 0)
        return -1;
    (void)setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(server, (const struct sockaddr *)target, sizeof *target) == 0 ||
        errno == EINPROGRESS)
        return server;
    close(server);
    return -1;
}

/* A client of a server that is not there is reset, as by a real one that has just gone. */
static void accept_one(struct proxy *proxy)
{
    int one = 1;
    int client = accept4(proxy->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (client < 0)
        return;
    (void)setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    int server = connect_to(&proxy->target);
    struct link *link = server < 0 ? NULL : link_new(client, server);
    if (link == NULL) {
        close(client);
        if (server >= 0)
            close(server);
        return;
    }
    link->next = proxy->links;
    proxy->links = link;
    proxy->connections++;
}

/* Bring listener and connections in line with rules that have just changed. */
static bool enforce(struct proxy *proxy)
{
    if (proxy->rules.refuse && proxy->listener >= 0) {
        close(proxy->listener);
        proxy->listener = -1;
    }
    if (!proxy->rules.refuse && proxy->listener < 0)
        proxy->listener = listen_on(&proxy->address);
    bool reset = proxy->rules.resets != proxy->resets_done;
    proxy->resets_done = proxy->rules.resets;
    while (reset && proxy->links != NULL) {
        struct link *link = proxy->links;
        proxy->links = link->next;
        link_free(link, true);
    }
    for (struct link *link = proxy->links; link != NULL; link = link->next)
        link_rules_changed(link);
    return proxy->rules.refuse || proxy->listener >= 0;
}

static void print_stats(const struct proxy *proxy)
{
    printf("connections=%" PRIu64, proxy->connections);
    for (enum fault_kind kind = 0; kind < FAULT_KINDS; kind++)
        printf(" %s=%" PRIu64, fault_kind_name(kind), proxy->rules.times[kind]);
    printf("\n");
}

static bool obey(struct proxy *proxy, const char *line)
{
    if (strcmp(line, "stats") == 0) {
        print_stats(proxy);
        return true;
    }
    bool ok = fault_rules_obey(&proxy->rules, &proxy->chaos, line, history_now_ns());
    bool goes_on = !ok || enforce(proxy);
    puts(ok ? "ok" : "error");
    return goes_on;
}

/* False at the end of stdin. */
static bool read_control(struct proxy *proxy)
{
    size_t room = sizeof proxy->line - 1 - proxy->line_len;
    ssize_t len = read(STDIN_FILENO, proxy->line + proxy->line_len, room);
    if (len <= 0)
        return len < 0 && errno == EINTR;
    proxy->line_len += (size_t)len;
    proxy->line[proxy->line_len] = '\0';
    char *end;
    while ((end = strchr(proxy->line, '\n')) != NULL) {
        *end = '\0';
        if (!obey(proxy, proxy->line))
            return false;
        proxy->line_len -= (size_t)(end + 1 - proxy->line);
        memmove(proxy->line, end + 1, proxy->line_len + 1);
    }
    return proxy->line_len < sizeof proxy->line - 1;
}

/* Fill the poll table; *wakes_ns is when to go on without any socket. */
static nfds_t prepare(struct proxy *proxy, uint64_t now_ns, uint64_t *wakes_ns)
{
    nfds_t count = 2;
    proxy->fds[0] = (struct pollfd){STDIN_FILENO, POLLIN, 0};
    *wakes_ns = proxy->chaos.mean_ms == 0 ? UINT64_MAX : proxy->chaos.next_ns;
    for (struct link *link = proxy->links; link != NULL; link = link->next) {
        link_wants(link, &proxy->rules, now_ns, &proxy->fds[count]);
        uint64_t wakes = link_wakes_at(link, &proxy->rules, now_ns);
        if (wakes < *wakes_ns)
            *wakes_ns = wakes;
        count += 2;
    }
    bool full = count + 2 > sizeof proxy->fds / sizeof *proxy->fds;
    proxy->fds[1] = (struct pollfd){full ? -1 : proxy->listener, POLLIN, 0};
    return count;
}

static void wait_for(struct proxy *proxy, nfds_t count, uint64_t now_ns, uint64_t wakes_ns)
{
    uint64_t left = wakes_ns > now_ns ? wakes_ns - now_ns : 0;
    struct timespec time = {(time_t)(left / 1000000000), (long)(left % 1000000000)};
    if (ppoll(proxy->fds, count, wakes_ns == UINT64_MAX ? NULL : &time, NULL) <= 0)
        for (nfds_t i = 0; i < count; i++)
            proxy->fds[i].revents = 0;
}

static void step_links(struct proxy *proxy, uint64_t now_ns)
{
    const struct pollfd *fds = &proxy->fds[2];
    struct link **place = &proxy->links;
    while (*place != NULL) {
        struct link *link = *place;
        enum link_state state = link_step(link, &proxy->rules, &proxy->random, fds, now_ns);
        fds += 2;
        if (state == LINK_OPEN) {
            place = &link->next;
            continue;
        }
        *place = link->next;
        link_free(link, state == LINK_BROKEN);
    }
}

static bool step(struct proxy *proxy)
{
    uint64_t wakes_ns;
    uint64_t now_ns = history_now_ns();
    if (fault_chaos_step(&proxy->chaos, &proxy->rules, now_ns) && !enforce(proxy))
        return false;
    nfds_t count = prepare(proxy, now_ns, &wakes_ns);
    wait_for(proxy, count, now_ns, wakes_ns);
    step_links(proxy, history_now_ns());
    if (proxy->fds[1].fd >= 0 && (proxy->fds[1].revents & POLLIN) != 0)
        accept_one(proxy);
    return proxy->fds[0].revents == 0 || read_control(proxy);
}

static bool resolve(const char *host, const char *port, struct sockaddr_in *target)
{
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found;
    if (getaddrinfo(host, port, &hints, &found) != 0)
        return false;
    memcpy(target, found->ai_addr, sizeof *target);
    freeaddrinfo(found);
    return true;
}

int main(int argc, char **argv)
{
    static struct proxy proxy;
    if (argc != 3 || !resolve(argv[1], argv[2], &proxy.target)) {
        fprintf(stderr, "usage: fault_proxy HOST PORT\n");
        return 2;
    }
    (void)signal(SIGPIPE, SIG_IGN);
    setvbuf(stdout, NULL, _IOLBF, 0);
    random_init(&proxy.random, 1);
    proxy.address.sin_family = AF_INET;
    proxy.address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    proxy.listener = listen_on(&proxy.address);
    if (proxy.listener < 0) {
        perror("fault_proxy");
        return 2;
    }
    printf("port %u\n", (unsigned)ntohs(proxy.address.sin_port));
    while (step(&proxy))
        ;
    while (proxy.links != NULL) {
        struct link *link = proxy.links;
        proxy.links = link->next;
        link_free(link, true);
    }
    return 0;
}
