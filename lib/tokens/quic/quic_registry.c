/* SPDX-License-Identifier: Apache-2.0 */
#include "tokens/quic/quic_tokens.h"

#include "core/alloc.h"
#include "core/error.h"
#include "core/object.h"

#include <jtiguard/status.h>
#include <pthread.h>
#include <string.h>

struct entry {
    jtg_quic_tokens *tokens; /* a share */
    struct entry *next;
};

struct jtg_quic_registry {
    struct jtgi_object base;
    pthread_mutex_t lock;
    struct entry *first; /* guarded by the lock */
};

jtg_status jtg_quic_registry_new(jtg_quic_registry **registry, jtg_error *err)
{
    jtgi_error_begin(err);
    if (registry == NULL)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "no place for the registry");
    *registry = NULL;
    jtg_quic_registry *made = jtgi_alloc(sizeof *made);
    if (made == NULL)
        return jtg_error_set(err, JTG_ERR_MEMORY, 0, "no memory for the registry");
    jtg_status status = jtgi_object_begin(&made->base, NULL, NULL, 0, err);
    if (status == JTG_OK && pthread_mutex_init(&made->lock, NULL) != 0)
        status = jtg_error_set(err, JTG_ERR_MEMORY, 0, "no memory for the registry");
    if (status != JTG_OK) {
        jtgi_free(made);
        return status;
    }
    *registry = made;
    return JTG_OK;
}

static void free_entry(struct entry *entry)
{
    jtg_quic_tokens_free(entry->tokens);
    jtgi_free(entry);
}

void jtg_quic_registry_free(jtg_quic_registry *registry)
{
    if (registry == NULL)
        return;
    while (registry->first != NULL) {
        struct entry *entry = registry->first;
        registry->first = entry->next;
        free_entry(entry);
    }
    (void)pthread_mutex_destroy(&registry->lock);
    jtgi_free(registry);
}

/* ---- what every call begins with ---- */

static jtg_status begin(const jtg_quic_registry *registry, const void *given, jtg_error *err)
{
    jtgi_error_begin(err);
    if (registry == NULL || given == NULL)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "registry, name or tokens is NULL");
    return jtgi_object_check(&registry->base, "the registry was", err);
}

/* The link to the entry of a name, or to the end. */
static struct entry **find_locked(jtg_quic_registry *registry, const char *name)
{
    struct entry **link = &registry->first;
    while (*link != NULL && strcmp(jtgi_quic_tokens_name((*link)->tokens), name) != 0)
        link = &(*link)->next;
    return link;
}

static jtg_status say_unknown(jtg_error *err)
{
    return jtg_error_set(err, JTG_NOT_FOUND, 0, "no store of tokens of that name is started");
}

/* ---- starting, finding, stopping ---- */

jtg_status jtg_quic_registry_start(jtg_quic_registry *registry, jtg_quic_tokens *tokens,
                                   jtg_error *err)
{
    jtg_status status = begin(registry, tokens, err);
    if (status != JTG_OK)
        return status;
    struct entry *entry = jtgi_alloc(sizeof *entry);
    if (entry == NULL)
        return jtg_error_set(err, JTG_ERR_MEMORY, 0, "no memory for the registry");
    entry->tokens = tokens;
    (void)pthread_mutex_lock(&registry->lock);
    struct entry **link = find_locked(registry, jtgi_quic_tokens_name(tokens));
    bool taken = *link != NULL;
    if (!taken)
        *link = entry;
    (void)pthread_mutex_unlock(&registry->lock);
    if (!taken)
        return JTG_OK;
    jtgi_free(entry);
    return jtg_error_set(err, JTG_ERR_REFUSED, 0, "a store of tokens of that name is started");
}

jtg_status jtg_quic_registry_find(jtg_quic_registry *registry, const char *name,
                                  jtg_quic_tokens **tokens, jtg_error *err)
{
    jtgi_error_begin(err);
    if (tokens == NULL)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "no place for the tokens");
    *tokens = NULL;
    jtg_status status = begin(registry, name, err);
    if (status != JTG_OK)
        return status;
    (void)pthread_mutex_lock(&registry->lock);
    struct entry *entry = *find_locked(registry, name);
    if (entry != NULL)
        *tokens = jtgi_quic_tokens_share(entry->tokens);
    (void)pthread_mutex_unlock(&registry->lock);
    return entry != NULL ? JTG_OK : say_unknown(err);
}

jtg_status jtg_quic_registry_stop(jtg_quic_registry *registry, const char *name, jtg_error *err)
{
    jtg_status status = begin(registry, name, err);
    if (status != JTG_OK)
        return status;
    (void)pthread_mutex_lock(&registry->lock);
    struct entry **link = find_locked(registry, name);
    struct entry *entry = *link;
    if (entry != NULL)
        *link = entry->next;
    (void)pthread_mutex_unlock(&registry->lock);
    if (entry == NULL)
        return say_unknown(err);
    free_entry(entry);
    return JTG_OK;
}
