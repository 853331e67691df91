/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/flow/reliance.h"

#include "core/alloc.h"
#include "core/clock.h"
#include "core/fork.h"

#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

/* Stores that no cache uses any more and that are remembered all the same: a program that makes a
 * cache for each request comes back to the same few. */
enum { UNUSED_MAX = 16 };

/* All stores of one process. A child of fork() begins anew, for it may have been made while a
 * thread of its parent changed these; the parent's stay reachable and are left alone. */
struct registry {
    uint64_t generation;
    pthread_mutex_t lock; /* for a look at the list; never together with that of a store */
    struct jtgi_reliance *first;
    uint64_t freed;
    struct registry *of_parent;
};

static struct registry *_Atomic current;

static struct registry *registry_of_process(void)
{
    uint64_t generation = jtgi_fork_generation();
    struct registry *seen = atomic_load(&current);
    if (seen != NULL && seen->generation == generation)
        return seen;
    struct registry *made = jtgi_alloc(sizeof *made);
    if (made == NULL)
        return NULL;
    made->generation = generation;
    made->of_parent = seen;
    (void)pthread_mutex_init(&made->lock, NULL);
    if (atomic_compare_exchange_strong(&current, &seen, made))
        return made;
    jtgi_free(made); /* another thread of this process was faster */
    return seen;
}

/* ---- which store ---- */

static void hash_text(crypto_generichash_state *state, const char *text)
{
    uint64_t len = text == NULL ? UINT64_MAX : strlen(text);
    (void)crypto_generichash_update(state, (const unsigned char *)&len, sizeof len);
    if (text != NULL)
        (void)crypto_generichash_update(state, (const unsigned char *)text, strlen(text));
}

static void hash_number(crypto_generichash_state *state, uint64_t number)
{
    (void)crypto_generichash_update(state, (const unsigned char *)&number, sizeof number);
}

/* What the caches of one URI have in common: where it is and whose namespace, not how it is spoken
 * to. Two spellings of one address are two stores: neither knows of the other, as two processes. */
static void digest_of_store(const struct jtgi_redis_config *config, unsigned char digest[32])
{
    const jtg_redis_options *options = &config->options;
    crypto_generichash_state state;
    (void)crypto_generichash_init(&state, NULL, 0, 32);
    hash_text(&state, options->host);
    hash_number(&state, options->port);
    hash_text(&state, options->unix_path);
    hash_text(&state, options->sentinels);
    hash_text(&state, options->sentinel_primary);
    hash_text(&state, options->cluster_nodes);
    hash_text(&state, options->address_map);
    hash_number(&state, options->database);
    hash_number(&state, config->prefix_len);
    (void)crypto_generichash_update(&state, (const unsigned char *)options->prefix,
                                    config->prefix_len);
    (void)crypto_generichash_final(&state, digest, 32);
}

static struct jtgi_reliance *find_locked(const struct registry *registry,
                                         const unsigned char store[32])
{
    struct jtgi_reliance *at = registry->first;
    while (at != NULL && memcmp(at->store, store, sizeof at->store) != 0)
        at = at->next;
    return at;
}

static struct jtgi_reliance *make_locked(struct registry *registry, const unsigned char store[32],
                                         size_t slots)
{
    struct jtgi_reliance *made = jtgi_alloc(sizeof *made + slots * sizeof made->relied[0]);
    if (made == NULL)
        return NULL;
    (void)pthread_mutex_init(&made->lock, NULL);
    memcpy(made->store, store, sizeof made->store);
    made->slots = slots;
    for (size_t i = 0; i < slots; i++)
        made->relied[i].last.monotonic_ms = made->relied[i].others.monotonic_ms = JTGI_NEVER;
    made->next = registry->first;
    registry->first = made;
    return made;
}

struct jtgi_reliance *jtgi_reliance_of(const struct jtgi_redis_config *config, size_t slots)
{
    unsigned char store[32];
    struct registry *registry = registry_of_process();
    if (registry == NULL)
        return NULL;
    digest_of_store(config, store);
    pthread_mutex_lock(&registry->lock);
    struct jtgi_reliance *reliance = find_locked(registry, store);
    if (reliance == NULL)
        reliance = make_locked(registry, store, slots);
    if (reliance != NULL)
        reliance->refs++;
    pthread_mutex_unlock(&registry->lock);
    return reliance;
}

/* The one that was let go of first, if there are too many. */
static struct jtgi_reliance *take_oldest_locked(struct registry *registry)
{
    struct jtgi_reliance **oldest = NULL;
    unsigned unused = 0;
    for (struct jtgi_reliance **at = &registry->first; *at != NULL; at = &(*at)->next) {
        if ((*at)->refs > 0)
            continue;
        unused++;
        if (oldest == NULL || (*at)->freed < (*oldest)->freed)
            oldest = at;
    }
    if (unused <= UNUSED_MAX)
        return NULL;
    struct jtgi_reliance *taken = *oldest;
    *oldest = taken->next;
    return taken;
}

void jtgi_reliance_let_go(struct jtgi_reliance *reliance, bool in_child)
{
    struct registry *registry = atomic_load(&current);
    if (reliance == NULL || in_child || registry == NULL)
        return;
    pthread_mutex_lock(&registry->lock);
    struct jtgi_reliance *oldest = NULL;
    if (--reliance->refs == 0) {
        reliance->freed = ++registry->freed;
        oldest = take_oldest_locked(registry);
    }
    pthread_mutex_unlock(&registry->lock);
    jtgi_free(oldest);
}

/* ---- who was relied on ---- */

static bool is_same(const struct jtgi_who *one, const struct jtgi_who *other)
{
    return memcmp(one->bytes, other->bytes, sizeof one->bytes) == 0;
}

static struct jtgi_moment later_of(struct jtgi_moment one, struct jtgi_moment other)
{
    return one.monotonic_ms > other.monotonic_ms ? one : other;
}

struct jtgi_moment jtgi_reliance_elsewhere_locked(const struct jtgi_reliance *reliance,
                                                  uint16_t slot, const struct jtgi_who *who)
{
    const struct jtgi_relied *relied = &reliance->relied[slot];
    return is_same(&relied->who, who) ? relied->others : later_of(relied->others, relied->last);
}

void jtgi_reliance_note_locked(struct jtgi_reliance *reliance, uint16_t slot,
                               const struct jtgi_who *who, struct jtgi_moment now)
{
    struct jtgi_relied *relied = &reliance->relied[slot];
    relied->others = jtgi_reliance_elsewhere_locked(reliance, slot, who);
    relied->last = is_same(&relied->who, who) ? later_of(now, relied->last) : now;
    relied->who = *who;
}

int64_t jtgi_moment_wall_ms(struct jtgi_moment moment, struct jtgi_moment now)
{
    int64_t counted_ms = now.wall_ms - (now.monotonic_ms - moment.monotonic_ms);
    return counted_ms < moment.wall_ms ? counted_ms : moment.wall_ms;
}
