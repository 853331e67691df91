/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/line/resolver.h"

#include "core/alloc.h"
#include "core/thread.h"
#include "redis/line/deadline.h"
#include "redis/line/waiter.h"

#include <jtiguard/status.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define KEPT_NS (5 * JTGI_NS_PER_S)

/* Shared by the thread and the callers; the last one frees it. */
struct jtgi_lookup {
    const struct jtgi_waiter *waiter; /* the callers', who are all of one cache or one loop */
    int told_fd; /* readable when it is done; -1: its callers wait on the word */
    atomic_int refs;
    jtgi_word done;
    int64_t ended_ns; /* with done */
    int result;       /* of getaddrinfo(), with done */
    struct addrinfo *addresses;
    char *host;
    char port[8];
};

static struct addrinfo hints_for(int flags)
{
    struct addrinfo hints;
    memset(&hints, 0, sizeof hints);
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_NUMERICSERV | flags;
    return hints;
}

static void lookup_unref(struct jtgi_lookup *lookup)
{
    if (lookup == NULL || atomic_fetch_sub(&lookup->refs, 1) != 1)
        return;
    if (lookup->addresses != NULL)
        freeaddrinfo(lookup->addresses);
    if (lookup->told_fd >= 0)
        (void)close(lookup->told_fd);
    jtgi_free(lookup->host);
    jtgi_free(lookup);
}

/* False: there is no descriptor left. */
static bool take_descriptor(struct jtgi_lookup *lookup)
{
    lookup->told_fd = lookup->waiter->word == NULL ? eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) : -1;
    return lookup->waiter->word != NULL || lookup->told_fd >= 0;
}

static struct jtgi_lookup *lookup_new(const struct jtgi_waiter *waiter, const char *host,
                                      const char *port)
{
    struct jtgi_lookup *lookup = jtgi_alloc(sizeof *lookup);
    if (lookup == NULL)
        return NULL;
    lookup->waiter = waiter;
    atomic_init(&lookup->refs, 1);
    atomic_init(&lookup->done, 0);
    (void)snprintf(lookup->port, sizeof lookup->port, "%s", port);
    lookup->host = jtgi_strdup(host);
    if (lookup->host == NULL || !take_descriptor(lookup)) {
        jtgi_free(lookup->host);
        jtgi_free(lookup);
        return NULL;
    }
    return lookup;
}

/* On the look-up's thread, which may outlive a loop with its waiter: not so the descriptor. */
static void tell_end(struct jtgi_lookup *lookup)
{
    const uint64_t one = 1;
    atomic_store(&lookup->done, 1);
    if (lookup->told_fd < 0)
        lookup->waiter->wake(&lookup->done, INT_MAX);
    else if (write(lookup->told_fd, &one, sizeof one) < 0)
        return; /* it is full: readable */
}

static void *run(void *argument)
{
    struct jtgi_lookup *lookup = argument;
    struct addrinfo hints = hints_for(AI_ADDRCONFIG);
    lookup->result = getaddrinfo(lookup->host, lookup->port, &hints, &lookup->addresses);
    lookup->ended_ns = jtgi_now_ns();
    tell_end(lookup);
    lookup_unref(lookup);
    return NULL;
}

/* The thread holds a reference of its own, and is left behind by whoever waits too long. */
static bool start_thread(struct jtgi_lookup *lookup)
{
    pthread_t thread;
    atomic_fetch_add(&lookup->refs, 1);
    if (!jtgi_thread_start(&thread, run, lookup)) {
        atomic_fetch_sub(&lookup->refs, 1);
        return false;
    }
    (void)pthread_detach(thread);
    return true;
}

/* An answer that nobody waited for any more is as good as new for a while, or names that take
 * longer than a deadline could never be resolved; then it is not: the server may have moved. */
static bool is_stale(struct jtgi_lookup *lookup)
{
    return atomic_load(&lookup->done) != 0 && jtgi_now_ns() - lookup->ended_ns > KEPT_NS;
}

static bool is_for(const struct jtgi_lookup *lookup, const char *host, const char *port)
{
    return strcmp(lookup->host, host) == 0 && strcmp(lookup->port, port) == 0;
}

/* The place of the lookup that runs for this name, or a free one; NULL when all hang. Those that
 * nobody waited for any more make room. */
static struct jtgi_lookup **find_place_locked(struct jtgi_resolver *resolver, const char *host,
                                              const char *port)
{
    struct jtgi_lookup **free_place = NULL;
    for (size_t i = 0; i < JTGI_LOOKUPS_MAX; i++) {
        struct jtgi_lookup **place = &resolver->running[i];
        if (*place != NULL && is_stale(*place)) {
            lookup_unref(*place);
            *place = NULL;
        }
        if (*place != NULL && is_for(*place, host, port))
            return place;
        if (*place == NULL && free_place == NULL)
            free_place = place;
    }
    return free_place;
}

static struct jtgi_lookup *start(const struct jtgi_waiter *waiter, const char *host,
                                 const char *port)
{
    struct jtgi_lookup *lookup = lookup_new(waiter, host, port);
    if (lookup != NULL && !start_thread(lookup)) {
        lookup_unref(lookup);
        lookup = NULL;
    }
    return lookup;
}

/* Join the lookup that runs, or start one. The caller gets a reference of its own. */
static struct jtgi_lookup *enter(struct jtgi_resolver *resolver, const char *host, const char *port)
{
    pthread_mutex_lock(&resolver->lock);
    struct jtgi_lookup **place = find_place_locked(resolver, host, port);
    struct jtgi_lookup *lookup = NULL;
    if (place != NULL && *place == NULL)
        *place = start(resolver->waiter, host, port);
    if (place != NULL)
        lookup = *place;
    if (lookup != NULL)
        atomic_fetch_add(&lookup->refs, 1);
    pthread_mutex_unlock(&resolver->lock);
    return lookup;
}

static bool leave_locked(struct jtgi_resolver *resolver, const struct jtgi_lookup *lookup)
{
    for (size_t i = 0; i < JTGI_LOOKUPS_MAX; i++)
        if (resolver->running[i] == lookup) {
            resolver->running[i] = NULL;
            return true;
        }
    return false;
}

/* The first who sees the result takes it; the others get NULL and look up anew. */
static struct addrinfo *take_result(struct jtgi_resolver *resolver, struct jtgi_lookup *lookup)
{
    pthread_mutex_lock(&resolver->lock);
    bool was_running = leave_locked(resolver, lookup);
    struct addrinfo *addresses = lookup->addresses;
    lookup->addresses = NULL;
    pthread_mutex_unlock(&resolver->lock);
    if (was_running)
        lookup_unref(lookup);
    return addresses;
}

/* JTG_OK without addresses: another took them. */
static jtg_status wait_for(struct jtgi_resolver *resolver, struct jtgi_lookup *lookup,
                           int64_t deadline_ns, struct addrinfo **addresses, jtg_error *err)
{
    bool ended = jtgi_lookup_await(lookup, deadline_ns);
    if (!ended && jtgi_now_ns() < deadline_ns)
        return JTGI_LATER;
    if (!ended)
        return jtg_error_set(err, JTG_ERR_UNAVAILABLE, 0,
                             "redis: the server's name was not resolved in time");
    int result = lookup->result;
    *addresses = take_result(resolver, lookup);
    if (result != 0)
        return jtg_error_set(err, JTG_ERR_UNAVAILABLE, 0,
                             "redis: the server's name was not resolved: %s", gai_strerror(result));
    return JTG_OK;
}

void jtgi_resolver_init(struct jtgi_resolver *resolver, const struct jtgi_waiter *waiter)
{
    memset(resolver, 0, sizeof *resolver);
    resolver->waiter = waiter;
    (void)pthread_mutex_init(&resolver->lock, NULL);
}

void jtgi_resolver_clear(struct jtgi_resolver *resolver)
{
    for (size_t i = 0; i < JTGI_LOOKUPS_MAX; i++) {
        lookup_unref(resolver->running[i]);
        resolver->running[i] = NULL;
    }
}

jtg_status jtgi_resolve(struct jtgi_resolver *resolver, const char *host, uint32_t port,
                        int64_t deadline_ns, struct jtgi_lookup **lookup,
                        struct addrinfo **addresses, jtg_error *err)
{
    char service[8];
    (void)snprintf(service, sizeof service, "%u", port % 65536);
    struct addrinfo hints = hints_for(AI_NUMERICHOST);
    *addresses = NULL;
    if (getaddrinfo(host, service, &hints, addresses) == 0)
        return JTG_OK;

    jtg_status status = JTG_OK;
    while (status == JTG_OK && *addresses == NULL) {
        if (*lookup == NULL)
            *lookup = enter(resolver, host, service);
        if (*lookup == NULL)
            return jtg_error_set(err, JTG_ERR_MEMORY, 0,
                                 "redis: no memory or thread to resolve a name");
        status = wait_for(resolver, *lookup, deadline_ns, addresses, err);
        if (status == JTGI_LATER)
            return status;
        lookup_unref(*lookup);
        *lookup = NULL;
    }
    return status;
}

bool jtgi_resolver_is_numeric(const char *host)
{
    struct addrinfo hints = hints_for(AI_NUMERICHOST);
    struct addrinfo *found = NULL;
    if (getaddrinfo(host, NULL, &hints, &found) != 0)
        return false;
    freeaddrinfo(found);
    return true;
}

/* ---- one that is not waited for ---- */

struct jtgi_lookup *jtgi_lookup_begin(const struct jtgi_waiter *waiter, const char *host,
                                      uint32_t port)
{
    char service[8];
    (void)snprintf(service, sizeof service, "%u", port % 65536);
    return start(waiter, host, service);
}

static bool wait_on(struct jtgi_lookup *lookup, int64_t until_ns)
{
    const struct jtgi_waiter *waiter = lookup->waiter;
    return lookup->told_fd < 0
               ? waiter->word(&lookup->done, 0, until_ns)
               : waiter->fd(waiter, lookup->told_fd, POLLIN, until_ns) == JTGI_IO_DONE;
}

bool jtgi_lookup_await(struct jtgi_lookup *lookup, int64_t until_ns)
{
    while (atomic_load(&lookup->done) == 0 && jtgi_now_ns() < until_ns && wait_on(lookup, until_ns))
        continue;
    return atomic_load(&lookup->done) != 0;
}

bool jtgi_lookup_ended_before(struct jtgi_lookup *lookup, int64_t moment_ns)
{
    return atomic_load(&lookup->done) != 0 && lookup->ended_ns < moment_ns;
}

const struct addrinfo *jtgi_lookup_result(const struct jtgi_lookup *lookup)
{
    return lookup->result == 0 ? lookup->addresses : NULL;
}

void jtgi_lookup_end(struct jtgi_lookup *lookup)
{
    lookup_unref(lookup);
}

/* ---- all of them ---- */

static bool set_numeric(struct jtgi_address *address, const struct addrinfo *found, uint32_t port)
{
    char host[JTGI_HOST_MAX_BYTES + 1];
    return getnameinfo(found->ai_addr, found->ai_addrlen, host, sizeof host, NULL, 0,
                       NI_NUMERICHOST) == 0 &&
           jtgi_address_set(address, host, strlen(host), port);
}

static bool has_address(const struct jtgi_address *list, unsigned count,
                        const struct jtgi_address *address)
{
    for (unsigned i = 0; i < count; i++)
        if (jtgi_address_equals(&list[i], address))
            return true;
    return false;
}

jtg_status jtgi_resolver_all(struct jtgi_resolver *resolver, const char *host, uint32_t port,
                             int64_t deadline_ns, struct jtgi_address *list, unsigned max,
                             unsigned *count, jtg_error *err)
{
    struct addrinfo *found = NULL;
    struct jtgi_lookup *lookup = NULL;
    struct jtgi_address address;
    *count = 0;
    jtg_status status = jtgi_resolve(resolver, host, port, deadline_ns, &lookup, &found, err);
    for (const struct addrinfo *at = found; at != NULL && status == JTG_OK; at = at->ai_next) {
        if (!set_numeric(&address, at, port) || has_address(list, *count, &address))
            continue;
        if (*count == max)
            status = jtg_error_set(err, JTG_ERR_UNSUPPORTED, 0,
                                   "redis: a name has more than %u addresses", max);
        else
            list[(*count)++] = address;
    }
    if (found != NULL)
        freeaddrinfo(found);
    jtgi_lookup_end(lookup); /* its end is waited for, or it is not there in time */
    if (status == JTG_OK && *count == 0)
        status = jtg_error_set(err, JTG_ERR_UNAVAILABLE, 0, "redis: a name has no address");
    if (status != JTG_OK)
        *count = 0;
    return status;
}
