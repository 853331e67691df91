/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/line/residence.h"

#include "redis/line/deadline.h"
#include "redis/line/resolver.h"

#include <netinet/in.h>
#include <sodium.h>
#include <string.h>

/* Of a use that has to wait for the answer: this part of its time. */
enum { PATIENCE = 4 };

#define RETRY_NS JTGI_NS_PER_S

void jtgi_residence_init(struct jtgi_residence *residence, const struct jtgi_waiter *waiter)
{
    memset(residence, 0, sizeof *residence);
    residence->waiter = waiter;
    residence->due_ns = INT64_MAX;
}

void jtgi_residence_look_at_path(struct jtgi_residence *residence, const char *path)
{
    if (stat(path, &residence->path) != 0)
        memset(&residence->path, 0, sizeof residence->path);
}

/* Not all processes, nor all connections of one, at the same moment. */
static void look_again_later(struct jtgi_residence *residence, int64_t now_ns)
{
    int64_t quarter = residence->age_ns / 4;
    int64_t jitter = quarter * (int64_t)randombytes_uniform(1024) / 1024;
    residence->due_ns = now_ns + 3 * quarter + jitter;
}

static bool can_change(const struct jtgi_residence *residence)
{
    if (residence->address.unix_path != NULL)
        return residence->path.st_ino != 0;
    return !jtgi_resolver_is_numeric(residence->address.host);
}

void jtgi_residence_settle(struct jtgi_residence *residence, const struct jtgi_address *address,
                           int fd, uint32_t age_s)
{
    socklen_t size = sizeof residence->peer;
    residence->address = *address;
    residence->age_ns = age_s * JTGI_NS_PER_S;
    bool known = address->unix_path != NULL ||
                 getpeername(fd, (struct sockaddr *)&residence->peer, &size) == 0;
    if (age_s != 0 && known && can_change(residence))
        look_again_later(residence, jtgi_now_ns());
}

static bool is_peer(const struct jtgi_residence *residence, const struct sockaddr *address)
{
    /* Both are as large as their family says, and aligned for all. */
    const void *one = address;
    const void *other = &residence->peer;
    if (address->sa_family != residence->peer.ss_family)
        return false;
    if (address->sa_family == AF_INET)
        return ((const struct sockaddr_in *)one)->sin_addr.s_addr ==
               ((const struct sockaddr_in *)other)->sin_addr.s_addr;
    return address->sa_family == AF_INET6 &&
           memcmp(&((const struct sockaddr_in6 *)one)->sin6_addr,
                  &((const struct sockaddr_in6 *)other)->sin6_addr, sizeof(struct in6_addr)) == 0;
}

static bool has_peer(const struct jtgi_residence *residence, const struct addrinfo *found)
{
    for (; found != NULL; found = found->ai_next)
        if (is_peer(residence, found->ai_addr))
            return true;
    return false;
}

static void forget_lookup(struct jtgi_residence *residence)
{
    jtgi_lookup_end(residence->lookup);
    residence->lookup = NULL;
}

static bool is_elsewhere(struct jtgi_residence *residence, int64_t now_ns)
{
    const struct addrinfo *found = jtgi_lookup_result(residence->lookup);
    bool elsewhere = found != NULL && !has_peer(residence, found);
    forget_lookup(residence);
    if (!elsewhere)
        look_again_later(residence, now_ns);
    return elsewhere;
}

/* A path may lead to another socket by now, or be that of a link that does. */
static bool has_other_path(struct jtgi_residence *residence, int64_t now_ns)
{
    struct stat now;
    look_again_later(residence, now_ns);
    return stat(residence->address.unix_path, &now) == 0 &&
           (now.st_dev != residence->path.st_dev || now.st_ino != residence->path.st_ino);
}

/* Begun anew when the last one ended so long ago that it says nothing of now. */
static bool has_lookup(struct jtgi_residence *residence, int64_t now_ns)
{
    if (residence->lookup != NULL &&
        jtgi_lookup_ended_before(residence->lookup, now_ns - residence->age_ns))
        forget_lookup(residence);
    if (residence->lookup == NULL)
        residence->lookup =
            jtgi_lookup_begin(residence->waiter, residence->address.host, residence->address.port);
    if (residence->lookup == NULL) /* no memory, or no thread */
        residence->due_ns = now_ns + RETRY_NS;
    return residence->lookup != NULL;
}

bool jtgi_residence_is_left(struct jtgi_residence *residence, int64_t now_ns, int64_t deadline_ns)
{
    if (residence->address.unix_path != NULL)
        return has_other_path(residence, now_ns);
    if (!has_lookup(residence, now_ns))
        return false;
    bool overdue = now_ns - residence->due_ns >= residence->age_ns;
    int64_t until = overdue ? now_ns + (deadline_ns - now_ns) / PATIENCE : 0;
    if (jtgi_lookup_await(residence->lookup, until))
        return is_elsewhere(residence, now_ns);
    if (overdue) /* one use has waited: the others need not */
        residence->due_ns = now_ns;
    return false;
}

void jtgi_residence_clear(struct jtgi_residence *residence)
{
    forget_lookup(residence);
}
