/* SPDX-License-Identifier: Apache-2.0 */
#include "support/host_table.h"

#include <netdb.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* As the linker names them. NOLINTBEGIN(bugprone-reserved-identifier) */
int __real_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                       struct addrinfo **found);
void __real_freeaddrinfo(struct addrinfo *found);
int __wrap_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                       struct addrinfo **found);
void __wrap_freeaddrinfo(struct addrinfo *found);

static struct {
    pthread_mutex_t lock;
    pthread_cond_t let_go;
    char name[64];
    char addresses[256];
    unsigned lookups;
    bool held;
} table = {.lock = PTHREAD_MUTEX_INITIALIZER, .let_go = PTHREAD_COND_INITIALIZER};

void host_table_set(const char *name, const char *addresses)
{
    pthread_mutex_lock(&table.lock);
    (void)snprintf(table.name, sizeof table.name, "%s", name);
    (void)snprintf(table.addresses, sizeof table.addresses, "%s", addresses);
    table.lookups = 0;
    pthread_mutex_unlock(&table.lock);
}

unsigned host_table_lookups(void)
{
    pthread_mutex_lock(&table.lock);
    unsigned lookups = table.lookups;
    pthread_mutex_unlock(&table.lock);
    return lookups;
}

void host_table_hold(void)
{
    pthread_mutex_lock(&table.lock);
    table.held = true;
    pthread_mutex_unlock(&table.lock);
}

void host_table_let_go(void)
{
    pthread_mutex_lock(&table.lock);
    table.held = false;
    pthread_cond_broadcast(&table.let_go);
    pthread_mutex_unlock(&table.lock);
}

/* False: not one of ours. */
static bool find(const char *host, char *addresses, size_t size)
{
    pthread_mutex_lock(&table.lock);
    bool ours = host != NULL && table.name[0] != '\0' && strcmp(host, table.name) == 0;
    table.lookups += ours;
    while (ours && table.held)
        pthread_cond_wait(&table.let_go, &table.lock);
    (void)snprintf(addresses, size, "%s", table.addresses);
    pthread_mutex_unlock(&table.lock);
    return ours;
}

int __wrap_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                       struct addrinfo **found)
{
    char addresses[sizeof table.addresses];
    char *rest = addresses;
    struct addrinfo **last = found;
    /* What the table says holds on a machine without IPv6 too (AI_ADDRCONFIG would leave it out).
     */
    struct addrinfo as_it_stands = *hints;
    as_it_stands.ai_flags = AI_NUMERICHOST;
    if ((hints->ai_flags & AI_NUMERICHOST) != 0 || !find(host, addresses, sizeof addresses))
        return __real_getaddrinfo(host, service, hints, found);
    *found = NULL;
    for (char *one = strtok_r(rest, ",", &rest); one != NULL; one = strtok_r(NULL, ",", &rest)) {
        int result = __real_getaddrinfo(one, service, &as_it_stands, last);
        if (result != 0)
            return result;
        last = &(*last)->ai_next;
    }
    return *found == NULL ? EAI_NONAME : 0;
}

void __wrap_freeaddrinfo(struct addrinfo *found)
{
    while (found != NULL) {
        struct addrinfo *next = found->ai_next;
        found->ai_next = NULL;
        __real_freeaddrinfo(found);
        found = next;
    }
}
/* NOLINTEND(bugprone-reserved-identifier) */
