/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/http/connections.h"

#include "monotonic.h"
#include "ticker.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { REAP_INTERVAL_MS = 100 };

struct connection {
    struct connections *all;
    struct connection *next;
    struct connection *previous;
    int fd;
    bool busy;  /* a request is under way */
    bool fresh; /* no request was finished yet */
    bool ended; /* shut down by us */
    int64_t deadline_ns;
};

struct connections {
    int64_t request_ns;
    int64_t keepalive_ns;
    struct ticker *reaper;
    pthread_mutex_t lock; /* what stands below, and every connection */
    bool draining;
    struct connection_count count;
    struct connection *first;
};

/* A descriptor stays open until its connection has left the list, so it is still its own. The
 * worker that owns it sees the end of the stream, and cleans up. */
static void end_locked(struct connection *connection, int how)
{
    connection->ended = true;
    (void)shutdown(connection->fd, how);
}

static void reap_locked(struct connections *all)
{
    int64_t now = monotonic_ns();
    for (struct connection *at = all->first; at != NULL; at = at->next) {
        if (at->ended || now < at->deadline_ns)
            continue;
        /* An idle connection that ends after its time is no news. */
        if (at->busy || at->fresh)
            all->count.late++;
        end_locked(at, SHUT_RDWR);
    }
}

static int64_t reap(void *context)
{
    struct connections *all = context;
    (void)pthread_mutex_lock(&all->lock);
    reap_locked(all);
    (void)pthread_mutex_unlock(&all->lock);
    return REAP_INTERVAL_MS;
}

struct connections *connections_new(uint32_t request_timeout_ms, uint32_t keepalive_timeout_ms)
{
    struct connections *all = calloc(1, sizeof *all);
    if (all == NULL)
        return NULL;
    all->request_ns = (int64_t)request_timeout_ms * 1000000;
    all->keepalive_ns = (int64_t)keepalive_timeout_ms * 1000000;
    (void)pthread_mutex_init(&all->lock, NULL);
    all->reaper = ticker_new(reap, all, REAP_INTERVAL_MS);
    if (all->reaper != NULL)
        return all;
    connections_free(all);
    return NULL;
}

void connections_free(struct connections *connections)
{
    if (connections == NULL)
        return;
    ticker_free(connections->reaper);
    (void)pthread_mutex_destroy(&connections->lock);
    free(connections);
}

struct connection *connection_opened(struct connections *connections, int fd)
{
    struct connection *connection = calloc(1, sizeof *connection);
    if (connection == NULL)
        return NULL;
    *connection = (struct connection){.all = connections,
                                      .fd = fd,
                                      .fresh = true,
                                      .deadline_ns = monotonic_ns() + connections->request_ns};
    (void)pthread_mutex_lock(&connections->lock);
    connection->next = connections->first;
    if (connections->first != NULL)
        connections->first->previous = connection;
    connections->first = connection;
    connections->count.open++;
    connections->count.taken++;
    (void)pthread_mutex_unlock(&connections->lock);
    return connection;
}

static void set_busy_locked(struct connection *connection, bool busy)
{
    if (connection->busy != busy)
        connection->all->count.busy += busy ? 1U : -1U;
    connection->busy = busy;
}

void connection_closed(struct connection *connection)
{
    if (connection == NULL)
        return;
    struct connections *all = connection->all;
    (void)pthread_mutex_lock(&all->lock);
    set_busy_locked(connection, false);
    if (connection->previous != NULL)
        connection->previous->next = connection->next;
    else
        all->first = connection->next;
    if (connection->next != NULL)
        connection->next->previous = connection->previous;
    all->count.open--;
    (void)pthread_mutex_unlock(&all->lock);
    free(connection);
}

void connection_request_begins(struct connection *connection)
{
    if (connection == NULL)
        return;
    int64_t deadline = monotonic_ns() + connection->all->request_ns;
    (void)pthread_mutex_lock(&connection->all->lock);
    set_busy_locked(connection, true);
    /* The first one too: a connection may be opened long before it. */
    connection->deadline_ns = deadline;
    (void)pthread_mutex_unlock(&connection->all->lock);
}

int64_t connection_lay_ms(const struct connection *connection)
{
    struct tcp_info info;
    socklen_t len = sizeof info;
    if (connection == NULL || getsockopt(connection->fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0)
        return -1;
    return info.tcpi_last_data_recv;
}

/* A half that a drain has ended looks like one that the other side has ended. */
bool connection_is_gone(const struct connection *connection, bool half)
{
    if (connection == NULL)
        return false;
    (void)pthread_mutex_lock(&connection->all->lock);
    bool ours = connection->ended;
    (void)pthread_mutex_unlock(&connection->all->lock);
    int ends = POLLHUP | POLLERR | (half && !ours ? POLLRDHUP : 0);
    struct pollfd look = {.fd = connection->fd, .events = POLLRDHUP};
    return poll(&look, 1, 0) > 0 && (look.revents & ends) != 0;
}

void connection_request_ended(struct connection *connection)
{
    if (connection == NULL)
        return;
    struct connections *all = connection->all;
    int64_t now = monotonic_ns();
    (void)pthread_mutex_lock(&all->lock);
    set_busy_locked(connection, false);
    connection->fresh = false;
    /* Idle, and then a first line that drips: both within this. */
    connection->deadline_ns = now + all->keepalive_ns + all->request_ns;
    if (all->draining && !connection->ended)
        end_locked(connection, SHUT_RD);
    (void)pthread_mutex_unlock(&all->lock);
}

struct connection_count connections_count(struct connections *connections)
{
    (void)pthread_mutex_lock(&connections->lock);
    struct connection_count count = connections->count;
    (void)pthread_mutex_unlock(&connections->lock);
    return count;
}

void connections_drain(struct connections *connections)
{
    (void)pthread_mutex_lock(&connections->lock);
    connections->draining = true;
    for (struct connection *at = connections->first; at != NULL; at = at->next)
        if (!at->busy && !at->fresh && !at->ended)
            end_locked(at, SHUT_RD);
    (void)pthread_mutex_unlock(&connections->lock);
}
