/* SPDX-License-Identifier: Apache-2.0 */
#include "integration/fault_link.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define MS_NS UINT64_C(1000000)
#define S_NS  UINT64_C(1000000000)

enum { CHUNK_BYTES = 16384, QUEUE_BYTES = 1 << 20 };

struct chunk {
    struct chunk *next;
    uint64_t due_ns;
    size_t sent;
    size_t len;
    unsigned char data[];
};

struct link *link_new(int client, int server)
{
    struct link *link = calloc(1, sizeof *link);
    if (link == NULL)
        return NULL;
    link->up.from = link->down.to = client;
    link->up.to = link->down.from = server;
    return link;
}

static void drop_first(struct lane *lane)
{
    struct chunk *chunk = lane->first;
    lane->first = chunk->next;
    if (lane->first == NULL)
        lane->last = NULL;
    free(chunk);
}

static void close_socket(int descriptor, bool abort)
{
    struct linger at_once = {1, 0};
    if (abort)
        (void)setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(descriptor);
}

void link_free(struct link *link, bool abort)
{
    while (link->up.first != NULL)
        drop_first(&link->up);
    while (link->down.first != NULL)
        drop_first(&link->down);
    close_socket(link->up.from, abort);
    close_socket(link->up.to, abort);
    free(link);
}

void link_rules_changed(struct link *link)
{
    link->up.passed = link->down.passed = 0;
    link->up.pause_ns = link->down.pause_ns = 0;
}

/* When the lane may next pass something on, sockets permitting. */
static uint64_t lane_due(const struct lane *lane, const struct lane_rules *rules)
{
    if (lane->first == NULL || rules->hole)
        return UINT64_MAX;
    return lane->first->due_ns > lane->pause_ns ? lane->first->due_ns : lane->pause_ns;
}

/* When the lane is to pass on that its sender has closed. Behind a hole nobody hears of it. */
static uint64_t end_due(const struct lane *lane, const struct lane_rules *rules,
                        uint32_t slow_close_ms)
{
    if (lane->ended_ns == 0 || lane->finished || lane->first != NULL || rules->hole)
        return UINT64_MAX;
    return lane->ended_ns + slow_close_ms * MS_NS;
}

static short lane_reads(const struct lane *lane)
{
    return lane->ended_ns == 0 && lane->queued < QUEUE_BYTES ? POLLIN : 0;
}

static short lane_writes(const struct lane *lane, const struct lane_rules *rules, uint64_t now_ns)
{
    return lane_due(lane, rules) <= now_ns ? POLLOUT : 0;
}

void link_wants(const struct link *link, const struct fault_rules *rules, uint64_t now_ns,
                struct pollfd fds[2])
{
    fds[0].fd = link->up.from;
    fds[0].events = (short)(lane_reads(&link->up) | lane_writes(&link->down, &rules->down, now_ns));
    fds[1].fd = link->up.to;
    fds[1].events = (short)(lane_reads(&link->down) | lane_writes(&link->up, &rules->up, now_ns));
    /* A socket that nobody wants anything of would wake us for its hang-up again and again. */
    for (int i = 0; i < 2; i++)
        if (fds[i].events == 0)
            fds[i].fd = -1;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t lane_wakes_at(const struct lane *lane, const struct lane_rules *rules,
                              uint32_t slow_close_ms, uint64_t now_ns)
{
    uint64_t due = lane_due(lane, rules);
    return earlier(due > now_ns ? due : UINT64_MAX, end_due(lane, rules, slow_close_ms));
}

uint64_t link_wakes_at(const struct link *link, const struct fault_rules *rules, uint64_t now_ns)
{
    return earlier(lane_wakes_at(&link->up, &rules->up, rules->slow_close_ms, now_ns),
                   lane_wakes_at(&link->down, &rules->down, rules->slow_close_ms, now_ns));
}

/* Bytes stay in order: none is due before those ahead of it. */
static uint64_t due_for(struct lane *lane, const struct lane_rules *rules,
                        struct random_source *random, uint64_t now_ns)
{
    uint64_t delay_ms = rules->latency_ms;
    if (rules->jitter_ms > 0)
        delay_ms += random_below(random, rules->jitter_ms + UINT64_C(1));
    if (now_ns + delay_ms * MS_NS > lane->last_due_ns)
        lane->last_due_ns = now_ns + delay_ms * MS_NS;
    return lane->last_due_ns;
}

static void enqueue(struct lane *lane, struct chunk *chunk)
{
    if (lane->last == NULL)
        lane->first = chunk;
    else
        lane->last->next = chunk;
    lane->last = chunk;
    lane->queued += chunk->len;
}

static bool passing_trouble(void)
{
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR || errno == ENOTCONN;
}

/* False if the socket is broken. */
static bool lane_read(struct lane *lane, const struct lane_rules *rules,
                      struct random_source *random, uint64_t now_ns)
{
    struct chunk *chunk = malloc(sizeof *chunk + CHUNK_BYTES);
    if (chunk == NULL)
        return false;
    ssize_t len = recv(lane->from, chunk->data, CHUNK_BYTES, 0);
    if (len <= 0) {
        free(chunk);
        if (len == 0)
            lane->ended_ns = now_ns;
        return len == 0 || passing_trouble();
    }
    chunk->next = NULL;
    chunk->sent = 0;
    chunk->len = (size_t)len;
    chunk->due_ns = due_for(lane, rules, random, now_ns);
    enqueue(lane, chunk);
    return true;
}

/* How many of the first chunk's bytes may go now. */
static size_t allowance(const struct lane *lane, const struct lane_rules *rules)
{
    uint64_t most = lane->first->len - lane->first->sent;
    if (rules->slice_bytes > 0)
        most = earlier(most, rules->slice_bytes);
    if (rules->bytes_per_s > 0)
        most = earlier(most, 1 + rules->bytes_per_s / 100);
    if (rules->limit_bytes > 0)
        most = earlier(most, rules->limit_bytes - lane->passed);
    return (size_t)most;
}

static void account(struct lane *lane, const struct lane_rules *rules, size_t sent, uint64_t now_ns)
{
    lane->first->sent += sent;
    lane->passed += sent;
    lane->queued -= sent;
    if (rules->slice_bytes > 0)
        lane->pause_ns = now_ns + MS_NS;
    if (rules->bytes_per_s > 0)
        lane->pause_ns = now_ns + sent * S_NS / rules->bytes_per_s;
    if (lane->first->sent == lane->first->len)
        drop_first(lane);
}

static bool limit_reached(const struct lane *lane, const struct lane_rules *rules)
{
    return rules->limit_bytes > 0 && lane->passed >= rules->limit_bytes;
}

/* False if the socket is broken. */
static bool lane_write(struct lane *lane, const struct lane_rules *rules, uint64_t now_ns)
{
    while (lane_due(lane, rules) <= now_ns && !limit_reached(lane, rules)) {
        size_t most = allowance(lane, rules);
        ssize_t sent = send(lane->to, lane->first->data + lane->first->sent, most, MSG_NOSIGNAL);
        if (sent < 0)
            return passing_trouble();
        account(lane, rules, (size_t)sent, now_ns);
    }
    return true;
}

static bool lane_step(struct lane *lane, const struct lane_rules *rules, uint32_t slow_close_ms,
                      struct random_source *random, short ready, uint64_t now_ns)
{
    bool may_read = lane_reads(lane) != 0 && (ready & (POLLIN | POLLHUP | POLLERR)) != 0;
    if (may_read && !lane_read(lane, rules, random, now_ns))
        return false;
    if (!lane_write(lane, rules, now_ns))
        return false;
    if (end_due(lane, rules, slow_close_ms) <= now_ns) {
        lane->finished = true;
        (void)shutdown(lane->to, SHUT_WR);
    }
    return true;
}

static short ready_for(const struct pollfd *fd)
{
    if (fd->fd < 0)
        return 0;
    return fd->revents;
}

enum link_state link_step(struct link *link, const struct fault_rules *rules,
                          struct random_source *random, const struct pollfd fds[2], uint64_t now_ns)
{
    short client = ready_for(&fds[0]);
    short server = ready_for(&fds[1]);
    if (!lane_step(&link->up, &rules->up, rules->slow_close_ms, random, client, now_ns) ||
        !lane_step(&link->down, &rules->down, rules->slow_close_ms, random, server, now_ns))
        return LINK_BROKEN;
    if (limit_reached(&link->up, &rules->up) || limit_reached(&link->down, &rules->down))
        return LINK_CLOSED;
    return link->up.finished && link->down.finished ? LINK_CLOSED : LINK_OPEN;
}
