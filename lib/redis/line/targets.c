/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/line/targets.h"

#include "redis/line/deadline.h"
#include "redis/line/socket.h"

#include <jtiguard/status.h>
#include <string.h>

static jtg_status find_other(struct jtgi_address *address, struct jtgi_resolver *resolver,
                             int64_t deadline_ns, struct addrinfo **found)
{
    if (address->other_host[0] == '\0')
        return JTG_ERR_UNAVAILABLE;
    jtg_status status =
        jtgi_resolve(resolver, address->other_host, address->port, deadline_ns, found, NULL);
    if (status == JTG_OK)
        memcpy(address->host, address->other_host, sizeof address->host);
    return status;
}

static jtg_status find_all(struct jtgi_address *address, struct jtgi_resolver *resolver,
                           int64_t deadline_ns, struct addrinfo **found, jtg_error *err)
{
    jtg_status status =
        jtgi_resolve(resolver, address->host, address->port, deadline_ns, found, err);
    if (status == JTG_ERR_UNAVAILABLE &&
        find_other(address, resolver, deadline_ns, found) == JTG_OK)
        return JTG_OK;
    return status;
}

jtg_status jtgi_targets_find(struct jtgi_targets *targets, const struct jtgi_address *address,
                             struct jtgi_resolver *resolver, int64_t deadline_ns, jtg_error *err)
{
    memset(targets, 0, sizeof *targets);
    targets->address = *address;
    if (address->unix_path != NULL) {
        targets->path_left = true;
        targets->count = 1;
        return JTG_OK;
    }
    jtg_status status = find_all(&targets->address, resolver, deadline_ns, &targets->found, err);
    targets->next = targets->found;
    for (const struct addrinfo *at = targets->found; at != NULL; at = at->ai_next)
        targets->count++;
    return status;
}

void jtgi_targets_clear(struct jtgi_targets *targets)
{
    if (targets->found != NULL)
        freeaddrinfo(targets->found);
    memset(targets, 0, sizeof *targets);
}

bool jtgi_targets_left(const struct jtgi_targets *targets)
{
    return targets->next != NULL || targets->path_left;
}

int64_t jtgi_targets_share(const struct jtgi_targets *targets, int64_t deadline_ns)
{
    int64_t now = jtgi_now_ns();
    int64_t left = targets->path_left;
    for (const struct addrinfo *at = targets->next; at != NULL; at = at->ai_next)
        left++;
    return left == 0 ? deadline_ns : now + (deadline_ns - now) / left;
}

jtg_status jtgi_targets_connect(struct jtgi_targets *targets, uint32_t keepalive_s,
                                const struct jtgi_waiter *waiter, int64_t deadline_ns, int *fd,
                                jtg_error *err)
{
    const struct addrinfo *tried = targets->next;
    targets->path_left = false;
    if (tried == NULL)
        return jtgi_socket_connect_unix(targets->address.unix_path, waiter, deadline_ns, fd, err);
    targets->next = tried->ai_next;
    return jtgi_socket_connect(tried->ai_addr, tried->ai_addrlen, keepalive_s, waiter, deadline_ns,
                               fd, err);
}
