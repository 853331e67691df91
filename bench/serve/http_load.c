/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/serve/http_load.h"

#include "bench/phase.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_S = 10, IN_BYTES = 16384, EVENTS = 256 };

#define PATIENCE_NS (UINT64_C(1000000000) * PATIENCE_S)

struct link {
    int fd;    /* -1: not connected */
    bool ends; /* the server closes behind the answer */
    size_t request;
    unsigned awaited; /* answers; 0: idle */
    uint64_t began_ns;
    size_t skip; /* bytes of a body that are still to come */
    size_t in_len;
    char in[IN_BYTES + 1];
};

struct run {
    const struct bench_http_load *load;
    struct bench_http_result *result;
    int epoll;
    struct link *links;
    unsigned *idle; /* a stack of them */
    unsigned idle_count;
    size_t next;
    uint64_t due_ns;
    uint64_t timed_from_ns;
    uint64_t heard_ns; /* when something came last */
};

static bool complain(const char *what)
{
    fprintf(stderr, "HTTP load: %s%s%s\n", what, errno != 0 ? ": " : "",
            errno != 0 ? strerror(errno) : "");
    return false;
}

/* ---- one connection ---- */

static bool connect_link(struct run *run, struct link *link)
{
    static const int one = 1;
    static const struct timeval patience = {PATIENCE_S, 0};
    union {
        struct sockaddr_in v4;
        struct sockaddr any;
    } to = {.v4 = {.sin_family = AF_INET,
                   .sin_port = htons(run->load->port),
                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}};
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = link};
    link->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (link->fd < 0)
        return complain("no socket");
    (void)setsockopt(link->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    (void)setsockopt(link->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (connect(link->fd, &to.any, sizeof to.v4) < 0)
        return complain("cannot connect");
    return epoll_ctl(run->epoll, EPOLL_CTL_ADD, link->fd, &event) == 0 || complain("epoll");
}

static void close_link(struct link *link)
{
    if (link->fd >= 0)
        (void)close(link->fd);
    link->fd = -1;
    link->ends = false;
    link->in_len = 0;
    link->skip = 0;
}

static void make_idle(struct run *run, struct link *link)
{
    link->awaited = 0;
    if (link->ends)
        close_link(link);
    run->idle[run->idle_count++] = (unsigned)(link - run->links);
}

static void break_link(struct run *run, struct link *link)
{
    run->result->broken += link->awaited;
    link->ends = true;
    if (link->awaited > 0)
        make_idle(run, link);
    else
        close_link(link); /* it stood idle, and the server was done with it */
}

/* What is sent is small beside the buffers of a socket, so this does not wait. */
static bool send_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t sent = send(fd, bytes, len, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return false;
        bytes += sent;
        len -= (size_t)sent;
    }
    return true;
}

static bool ask(struct run *run, struct link *link, uint64_t began_ns)
{
    const struct bench_http_load *load = run->load;
    const struct bench_http_request *request = &load->requests[run->next % load->count];
    if (link->fd < 0 && !connect_link(run, link))
        return false;
    link->request = run->next++ % load->count;
    link->awaited = request->answers;
    link->began_ns = began_ns;
    if (!send_all(link->fd, request->bytes, request->len))
        break_link(run, link);
    return true;
}

/* ---- answers ---- */

static void count_answer(struct run *run, struct link *link, unsigned status)
{
    struct bench_http_result *result = run->result;
    uint64_t now_ns = bench_now_ns();
    result->statuses[status]++;
    if (++result->answers == run->load->warm)
        run->timed_from_ns = now_ns;
    if (result->answers > run->load->warm)
        bench_histogram_add(&result->latency, now_ns - link->began_ns);
    if (run->load->answered != NULL)
        run->load->answered(run->load->context, link->request, status);
    if (--link->awaited == 0)
        make_idle(run, link);
}

/* "\r\nname: " with its value behind it, or NULL. */
static const char *find_header(const char *head, const char *name)
{
    const char *at = strcasestr(head, name);
    return at != NULL ? at + strlen(name) : NULL;
}

/* One answer from the front of what has come. false: it is none. */
static bool take_head(struct run *run, struct link *link, char *end)
{
    char kept = *end;
    *end = '\0';
    unsigned long status =
        strncmp(link->in, "HTTP/1.", 7) == 0 ? strtoul(link->in + 8, NULL, 10) : 0;
    const char *length = find_header(link->in, "\r\nContent-Length: ");
    link->skip = length != NULL ? (size_t)strtoul(length, NULL, 10) : 0;
    link->ends = link->ends || find_header(link->in, "\r\nConnection: close") != NULL;
    bool chunked = find_header(link->in, "\r\nTransfer-Encoding: ") != NULL;
    *end = kept;
    if (status < 200 || status >= BENCH_HTTP_STATUSES || chunked || link->awaited == 0)
        return false;
    size_t taken = (size_t)(end - link->in);
    link->in_len -= taken;
    memmove(link->in, end, link->in_len);
    count_answer(run, link, (unsigned)status);
    return true;
}

static void skip_body(struct link *link)
{
    size_t taken = link->skip < link->in_len ? link->skip : link->in_len;
    link->skip -= taken;
    link->in_len -= taken;
    memmove(link->in, link->in + taken, link->in_len);
}

static bool take_answers(struct run *run, struct link *link)
{
    for (;;) {
        skip_body(link);
        if (link->skip > 0 || link->in_len == 0)
            return true;
        link->in[link->in_len] = '\0';
        char *end = memmem(link->in, link->in_len, "\r\n\r\n", 4);
        if (end == NULL)
            return link->in_len < IN_BYTES;
        if (!take_head(run, link, end + 4))
            return false;
    }
}

static void receive(struct run *run, struct link *link)
{
    if (link->fd < 0)
        return;
    ssize_t got = recv(link->fd, link->in + link->in_len, IN_BYTES - link->in_len, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    link->in_len += got > 0 ? (size_t)got : 0;
    if (got <= 0 || !take_answers(run, link))
        break_link(run, link);
}

/* ---- all of them ---- */

static bool wants_more(const struct run *run)
{
    if (run->load->stop != NULL)
        return !atomic_load_explicit(run->load->stop, memory_order_relaxed);
    return run->next < run->load->count;
}

static bool ask_what_is_due(struct run *run)
{
    uint64_t now_ns = bench_now_ns();
    while (run->idle_count > 0 && wants_more(run) && run->due_ns <= now_ns) {
        bool paced = run->load->interval_ns > 0;
        if (!ask(run, &run->links[run->idle[--run->idle_count]], paced ? run->due_ns : now_ns))
            return false;
        run->due_ns += run->load->interval_ns;
    }
    return true;
}

/* epoll_wait() counts in milliseconds, and a paced request is due between two of them. */
static int wait_for_events(int epoll, struct epoll_event *events, const struct timespec *timeout)
{
#ifdef JTIGUARD_BENCH_HAS_EPOLL_PWAIT2
    return epoll_pwait2(epoll, events, EVENTS, timeout, NULL);
#else
    struct pollfd readable = {.fd = epoll, .events = POLLIN};
    if (ppoll(&readable, 1, timeout, NULL) <= 0)
        return 0;
    return epoll_wait(epoll, events, EVENTS, 0);
#endif
}

/* Until something comes, or the next request is due. */
static bool wait_and_receive(struct run *run)
{
    struct epoll_event events[EVENTS];
    uint64_t now_ns = bench_now_ns();
    uint64_t until_ns = now_ns + PATIENCE_NS / 100;
    if (run->load->interval_ns > 0 && run->due_ns < until_ns)
        until_ns = run->due_ns > now_ns ? run->due_ns : now_ns;
    struct timespec timeout = {(time_t)((until_ns - now_ns) / 1000000000),
                               (long)((until_ns - now_ns) % 1000000000)};
    int count = wait_for_events(run->epoll, events, &timeout);
    for (int i = 0; i < count; i++)
        receive(run, events[i].data.ptr);
    if (count > 0)
        run->heard_ns = bench_now_ns();
    errno = 0;
    return bench_now_ns() - run->heard_ns < PATIENCE_NS || complain("no answer for ten seconds");
}

static bool go(struct run *run)
{
    run->due_ns = run->timed_from_ns = run->heard_ns = bench_now_ns();
    while (wants_more(run) || run->idle_count < run->load->connections) {
        if (!ask_what_is_due(run))
            return false;
        if (!wait_and_receive(run))
            return false;
    }
    run->result->seconds = (double)(bench_now_ns() - run->timed_from_ns) / 1e9;
    run->result->ops_per_s = (double)run->result->latency.count / run->result->seconds;
    return true;
}

static bool prepare(struct run *run)
{
    unsigned count = run->load->connections;
    run->epoll = epoll_create1(EPOLL_CLOEXEC);
    run->links = calloc(count, sizeof *run->links);
    run->idle = calloc(count, sizeof *run->idle);
    if (run->epoll < 0 || run->links == NULL || run->idle == NULL)
        return complain("cannot start");
    for (unsigned i = 0; i < count; i++)
        run->links[i].fd = -1;
    /* The first one asks first. */
    for (unsigned i = count; i-- > 0;)
        make_idle(run, &run->links[i]);
    return true;
}

bool bench_http_load_run(const struct bench_http_load *load, struct bench_http_result *result)
{
    struct run run = {.load = load, .result = result, .epoll = -1};
    memset(result, 0, sizeof *result);
    bool good = prepare(&run) && go(&run);
    for (unsigned i = 0; run.links != NULL && i < load->connections; i++)
        close_link(&run.links[i]);
    if (run.epoll >= 0)
        (void)close(run.epoll);
    free(run.idle);
    free(run.links);
    return good;
}
