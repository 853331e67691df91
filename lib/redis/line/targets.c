/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/line/targets.h"

#include "redis/line/deadline.h"
#include "redis/line/socket.h"

#include <jtiguard/status.h>
#include <string.h>

void jtgi_targets_init(struct jtgi_targets *targets, const struct jtgi_address *address)
{
    memset(targets, 0, sizeof *targets);
    targets->address = *address;
}

static jtg_status look_up(struct jtgi_targets *targets, const char *host,
                          struct jtgi_resolver *resolver, int64_t deadline_ns, jtg_error *err)
{
    return jtgi_resolve(resolver, host, targets->address.port, deadline_ns, &targets->lookup,
                        &targets->found, err);
}

/* What is told when neither is found is what was said of the first. */
static jtg_status find_other(struct jtgi_targets *targets, struct jtgi_resolver *resolver,
                             int64_t deadline_ns, jtg_error *err)
{
    struct jtgi_address *address = &targets->address;
    const jtg_error *first = &targets->first_err;
    jtg_status status = JTG_ERR_UNAVAILABLE;
    targets->by_other = true;
    if (address->other_host[0] != '\0')
        status = look_up(targets, address->other_host, resolver, deadline_ns, NULL);
    if (status == JTG_OK)
        memcpy(address->host, address->other_host, sizeof address->host);
    return status == JTG_OK || status == JTGI_LATER
               ? status
               : jtg_error_set(err, JTG_ERR_UNAVAILABLE, first->system_errno, "%s", first->text);
}

static jtg_status find_all(struct jtgi_targets *targets, struct jtgi_resolver *resolver,
                           int64_t deadline_ns, jtg_error *err)
{
    jtg_status status = JTG_ERR_UNAVAILABLE;
    if (!targets->by_other)
        status =
            look_up(targets, targets->address.host, resolver, deadline_ns, &targets->first_err);
    if (status == JTG_ERR_UNAVAILABLE)
        return find_other(targets, resolver, deadline_ns, err);
    return status == JTG_OK || status == JTGI_LATER
               ? status
               : jtg_error_set(err, status, 0, "%s", targets->first_err.text);
}

jtg_status jtgi_targets_find(struct jtgi_targets *targets, struct jtgi_resolver *resolver,
                             int64_t deadline_ns, jtg_error *err)
{
    if (targets->address.unix_path != NULL) {
        targets->path_left = true;
        targets->count = 1;
        return JTG_OK;
    }
    jtg_status status = find_all(targets, resolver, deadline_ns, err);
    targets->next = targets->found;
    for (const struct addrinfo *at = targets->found; at != NULL; at = at->ai_next)
        targets->count++;
    return status;
}

void jtgi_targets_clear(struct jtgi_targets *targets)
{
    jtgi_lookup_end(targets->lookup);
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
    if (*fd < 0 && targets->next == NULL) {
        targets->path_left = false;
        return jtgi_socket_connect_unix(targets->address.unix_path, waiter, deadline_ns, fd, err);
    }
    if (*fd < 0) {
        targets->tried = targets->next;
        targets->next = targets->next->ai_next;
    }
    return jtgi_socket_connect(targets->tried->ai_addr, targets->tried->ai_addrlen, keepalive_s,
                               waiter, deadline_ns, fd, err);
}
