/* SPDX-License-Identifier: Apache-2.0 */
#include "memory/stripes.h"

#include "core/alloc.h"
#include "core/brief_lock.h"
#include "memory/groups.h"
#include "memory/huge.h"

#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <string.h>

enum {
    STRIPES_MAX = 64,          /* a power of two; two threads meet in one of 64 calls */
    STRIPE_ENTRIES_MIN = 1024, /* a smaller cache has fewer stripes */
    PLACES_BATCH_MAX = 64,     /* places that a stripe draws at once */
    RECLAIM_STEPS = 64,        /* sweep steps that one call makes when the store is full */
    PAGE_BYTES = 4096,
    CACHE_LINE = 64,
    PREFETCH_LINES = 4 /* what a search at the highest load reads, nearly always */
};

struct stripe {
    _Alignas(2 * CACHE_LINE) pthread_mutex_t lock;
    struct jtgi_table table;
    uint64_t places;           /* drawn from the pool and not used */
    uint64_t latest;           /* latest time that a visit has brought */
    uint64_t max_step_slots;   /* most work of a lock hold */
    _Atomic uint64_t homes;    /* table.homes, for the prefetch before the lock is taken */
    _Atomic size_t huge_tried; /* huge pages that settle has made or tried to make */
    struct jtgi_slot *slots;
};

struct jtgi_stripes {
    size_t number; /* a power of two */
    uint64_t batch;
    struct jtgi_groups *groups; /* NULL = no share per group */
    void (*grown)(void *context);
    void *grown_context;
    void *mapping; /* all slots of all stripes, and what their alignment takes */
    size_t mapping_len;
    size_t stripe_bytes;
    unsigned char hash_key[crypto_shorthash_siphashx24_KEYBYTES];
    unsigned char owner_key[crypto_shorthash_siphash24_KEYBYTES];
    unsigned char group_key[crypto_shorthash_siphash24_KEYBYTES];
    _Alignas(2 * CACHE_LINE) _Atomic uint64_t pool; /* places that no stripe has drawn */
    struct stripe stripes[];
};

/* ---- life ---- */

static size_t number_for(uint64_t max_entries)
{
    size_t number = 1;
    while (number < STRIPES_MAX && max_entries / (number * 2) >= STRIPE_ENTRIES_MIN)
        number *= 2;
    return number;
}

/* Entries that the fullest stripe gets. Keys fall on the stripes at random: with a mean of m a
 * stripe goes beyond m + 9 sqrt(m) with a probability below 1e-15. If it ever did, it would refuse.
 */
static uint64_t entries_of_fullest(uint64_t max_entries, size_t number)
{
    if (number == 1)
        return max_entries;
    uint64_t mean = max_entries / number + 1;
    uint64_t root = 1;
    while (root * root < mean)
        root++;
    return mean + 9 * root;
}

static void init_stripe(struct stripe *stripe, uint64_t max_homes, void *slots)
{
    jtgi_brief_lock_init(&stripe->lock);
    jtgi_table_init(&stripe->table, max_homes);
    atomic_init(&stripe->homes, stripe->table.homes);
    stripe->slots = slots;
}

static size_t round_up(size_t size, size_t unit)
{
    return (size + unit - 1) / unit * unit;
}

/* Address space for the slots of all stripes. A stripe that can fill a huge page begins at one. */
static bool map_slots(struct jtgi_stripes *stripes, uint64_t max_homes)
{
    size_t used = (size_t)jtgi_table_slot_count(max_homes) * sizeof(struct jtgi_slot);
    size_t unit = used < JTGI_HUGE_BYTES ? PAGE_BYTES : JTGI_HUGE_BYTES;
    stripes->stripe_bytes = round_up(used, unit);
    stripes->mapping_len = stripes->stripe_bytes * stripes->number + unit - PAGE_BYTES;
    stripes->mapping = jtgi_map(stripes->mapping_len);
    if (stripes->mapping == NULL)
        return false;

    unsigned char *first = stripes->mapping;
    first += round_up((uintptr_t)first, unit) - (uintptr_t)first;
    for (size_t i = 0; i < stripes->number; i++)
        init_stripe(&stripes->stripes[i], max_homes, first + i * stripes->stripe_bytes);
    return true;
}

static size_t bytes_of(size_t number)
{
    return sizeof(struct jtgi_stripes) + number * sizeof(struct stripe);
}

struct jtgi_stripes *jtgi_stripes_new(uint64_t max_entries, uint64_t max_per_group)
{
    size_t number = number_for(max_entries);
    struct jtgi_stripes *stripes = jtgi_map(bytes_of(number));
    if (stripes == NULL)
        return NULL;

    stripes->number = number;
    stripes->groups = max_per_group != 0 ? jtgi_groups_new(max_per_group) : NULL;
    if ((max_per_group != 0 && stripes->groups == NULL) ||
        !map_slots(stripes, jtgi_table_homes_for(entries_of_fullest(max_entries, number)))) {
        jtgi_groups_free(stripes->groups);
        jtgi_unmap(stripes, bytes_of(number));
        return NULL;
    }

    uint64_t batch = max_entries / (number * 16);
    stripes->batch = batch == 0 ? 1 : batch > PLACES_BATCH_MAX ? PLACES_BATCH_MAX : batch;
    atomic_init(&stripes->pool, max_entries);
    randombytes_buf(stripes->hash_key, sizeof stripes->hash_key);
    randombytes_buf(stripes->owner_key, sizeof stripes->owner_key);
    randombytes_buf(stripes->group_key, sizeof stripes->group_key);
    return stripes;
}

void jtgi_stripes_free(struct jtgi_stripes *stripes, bool in_child)
{
    if (stripes == NULL)
        return;
    size_t number = stripes->number;
    for (size_t i = 0; !in_child && i < number; i++)
        (void)pthread_mutex_destroy(&stripes->stripes[i].lock);
    jtgi_groups_free(stripes->groups);
    jtgi_unmap(stripes->mapping, stripes->mapping_len);
    sodium_memzero(stripes, sizeof *stripes);
    jtgi_unmap(stripes, bytes_of(number));
}

/* ---- hashing ---- */

struct hashed {
    uint64_t fingerprint;
    struct stripe *stripe;
};

static struct hashed hash_key(struct jtgi_stripes *stripes, const jtg_key *key)
{
    uint64_t halves[2];
    _Static_assert(sizeof halves == crypto_shorthash_siphashx24_BYTES, "two halves");
    (void)crypto_shorthash_siphashx24((unsigned char *)halves, key->data, key->data_len,
                                      stripes->hash_key);
    struct hashed hashed = {halves[0], &stripes->stripes[halves[1] & (stripes->number - 1)]};
    /* The greatest value means "no frontier" in the table. */
    if (hashed.fingerprint == UINT64_MAX)
        hashed.fingerprint--;
    return hashed;
}

/* Ask for the memory that the search will read, while the owner is hashed and the lock taken. */
static void prefetch(const struct hashed *hashed)
{
    uint64_t homes = atomic_load_explicit(&hashed->stripe->homes, memory_order_relaxed);
    const unsigned char *at =
        (const unsigned char *)&hashed->stripe->slots[jtgi_table_home(hashed->fingerprint, homes)];
    for (size_t line = 0; line < PREFETCH_LINES; line++)
        __builtin_prefetch(at + line * CACHE_LINE, 1);
}

static uint64_t tag_owner(const struct jtgi_stripes *stripes, const jtg_owner *owner)
{
    uint64_t tag = 0;
    (void)crypto_shorthash_siphash24((unsigned char *)&tag, owner->bytes, sizeof owner->bytes,
                                     stripes->owner_key);
    return tag;
}

static uint32_t group_of(struct jtgi_stripes *stripes, const jtg_key *key)
{
    uint64_t fingerprint = 0;
    if (stripes->groups == NULL || key->group_len == 0)
        return JTGI_GROUP_NONE;
    (void)crypto_shorthash_siphash24((unsigned char *)&fingerprint, key->group, key->group_len,
                                     stripes->group_key);
    return jtgi_groups_id(stripes->groups, fingerprint == 0 ? 1 : fingerprint);
}

/* ---- a visit under the lock ---- */

/* A thread may be stopped between reading the clock and getting here. Its old time must not see an
 * entry as not yet made whose end others have seen already: time does not go back within a stripe.
 */
static struct jtgi_visit enter(struct jtgi_stripes *stripes, struct stripe *stripe, uint64_t now)
{
    (void)pthread_mutex_lock(&stripe->lock);
    if (now > stripe->latest)
        stripe->latest = now;
    return (struct jtgi_visit){.table = &stripe->table,
                               .slots = stripe->slots,
                               .groups = stripes->groups,
                               .now = stripe->latest};
}

/* Huge pages that the table covers. */
static size_t huge_pages_of(uint64_t homes)
{
    return (size_t)homes * sizeof(struct jtgi_slot) / JTGI_HUGE_BYTES;
}

static void leave(struct jtgi_stripes *stripes, struct stripe *stripe,
                  const struct jtgi_visit *visit)
{
    uint64_t homes = stripe->table.homes;
    uint64_t homes_before = atomic_load_explicit(&stripe->homes, memory_order_relaxed);
    if (visit->work > stripe->max_step_slots)
        stripe->max_step_slots = visit->work;
    if (homes != homes_before)
        atomic_store_explicit(&stripe->homes, homes, memory_order_relaxed);
    (void)pthread_mutex_unlock(&stripe->lock);

    if (homes != homes_before && huge_pages_of(homes) > huge_pages_of(homes_before) &&
        stripes->grown != NULL)
        stripes->grown(stripes->grown_context);
}

/* ---- places ---- */

/* Take up to `wanted` places from the pool. */
static uint64_t draw(struct jtgi_stripes *stripes, uint64_t wanted)
{
    uint64_t left = atomic_load_explicit(&stripes->pool, memory_order_relaxed);
    uint64_t drawn;
    do
        drawn = left < wanted ? left : wanted;
    while (!atomic_compare_exchange_weak(&stripes->pool, &left, left - drawn));
    return drawn;
}

static bool draw_place_locked(struct jtgi_stripes *stripes, struct stripe *stripe)
{
    if (stripe->places == 0)
        stripe->places = draw(stripes, stripes->batch);
    if (stripe->places == 0)
        return false;
    stripe->places--;
    return true;
}

static void return_places_locked(struct jtgi_stripes *stripes, struct stripe *stripe,
                                 uint64_t freed, uint64_t keep)
{
    stripe->places += freed;
    if (stripe->places > keep) {
        atomic_fetch_add(&stripes->pool, stripe->places - keep);
        stripe->places = keep;
    }
}

/* How a stripe is swept, and what came of it. */
struct sweep {
    uint64_t now;
    uint64_t pass;
    uint64_t keep_places; /* places that the stripe does not give back to the pool */
    uint64_t removed;     /* entries removed so far because they had ended */
};

static bool sweep_stripe(struct jtgi_stripes *stripes, struct stripe *stripe, struct sweep *sweep)
{
    struct jtgi_visit visit = enter(stripes, stripe, sweep->now);
    uint64_t occupied = stripe->table.occupied;
    uint64_t swept = stripe->table.swept;
    bool more = jtgi_table_sweep_locked(&visit, sweep->pass);
    sweep->removed += stripe->table.swept - swept;
    return_places_locked(stripes, stripe, occupied - stripe->table.occupied, sweep->keep_places);
    leave(stripes, stripe, &visit);
    return more;
}

/* The store, or a group's share, looks full. Collect what the stripes have drawn and not used, and
 * sweep those that hold something that has ended, until a place is ours (or, for a share, until the
 * steps are used up). A stripe in which nothing has ended costs one look. Returns the place, which
 * nobody else can take any more. */
static uint64_t reclaim(struct jtgi_stripes *stripes, const struct stripe *first, uint64_t now,
                        bool for_place)
{
    size_t begin = (size_t)(first - stripes->stripes);
    struct sweep sweep = {.now = now, .pass = JTGI_SWEEP_ANYWAY, .keep_places = 0};
    int steps = RECLAIM_STEPS;
    uint64_t place = 0;

    for (size_t i = 0; i < stripes->number && place == 0; i++) {
        struct stripe *stripe = &stripes->stripes[(begin + i) & (stripes->number - 1)];
        /* Twice: the first pass may be one that began before something ended behind it. */
        for (int passes = 0; passes < 2 && steps > 0 && place == 0;) {
            if (sweep_stripe(stripes, stripe, &sweep))
                steps--;
            else
                passes++;
            place = for_place ? draw(stripes, 1) : 0;
        }
    }
    return place;
}

/* ---- the operations ---- */

struct request {
    struct hashed hashed;
    uint64_t owner_tag;
    uint64_t now;
    uint64_t ttl_ms;
    uint32_t group;
    uint64_t places; /* places that the request has of its own: 0 or 1 */
};

static jtg_status insert_locked(struct jtgi_stripes *stripes, struct jtgi_visit *visit,
                                struct request *request)
{
    struct stripe *stripe = request->hashed.stripe;
    enum jtgi_room room = jtgi_table_room_locked(visit, request->hashed.fingerprint);
    if (room == JTGI_ROOM_NONE)
        return JTG_ERR_FULL;
    if (request->group != JTGI_GROUP_NONE && !jtgi_groups_join(stripes->groups, request->group))
        return JTG_ERR_GROUP_FULL;
    if (room == JTGI_ROOM_ADDS && request->places > 0) {
        request->places--;
    } else if (room == JTGI_ROOM_ADDS && !draw_place_locked(stripes, stripe)) {
        if (request->group != JTGI_GROUP_NONE)
            jtgi_groups_leave(stripes->groups, request->group);
        return JTG_ERR_FULL;
    }
    jtgi_table_insert_locked(visit, request->hashed.fingerprint, request->owner_tag,
                             visit->now + request->ttl_ms, request->group);
    return JTG_OK;
}

static jtg_status try_reserve(struct jtgi_stripes *stripes, struct request *request)
{
    struct stripe *stripe = request->hashed.stripe;
    struct jtgi_visit visit = enter(stripes, stripe, request->now);
    jtg_status status = JTG_REPLAYED;
    switch (jtgi_table_find_locked(&visit, request->hashed.fingerprint, request->owner_tag)) {
    case JTGI_OURS:
        jtgi_table_extend_locked(&visit, visit.now + request->ttl_ms);
        status = JTG_OK;
        break;
    case JTGI_FREE:
        status = insert_locked(stripes, &visit, request);
        break;
    case JTGI_ANOTHERS:
        break;
    }
    leave(stripes, stripe, &visit);
    return status;
}

jtg_status jtgi_stripes_reserve(struct jtgi_stripes *stripes, const jtg_key *key,
                                const jtg_owner *owner, uint64_t now, uint64_t ttl_ms)
{
    struct request request = {.hashed = hash_key(stripes, key), .now = now, .ttl_ms = ttl_ms};
    prefetch(&request.hashed);
    request.owner_tag = tag_owner(stripes, owner);
    request.group = group_of(stripes, key);

    jtg_status status = try_reserve(stripes, &request);
    if (status == JTG_ERR_FULL || status == JTG_ERR_GROUP_FULL) {
        request.places = reclaim(stripes, request.hashed.stripe, now, status == JTG_ERR_FULL);
        status = try_reserve(stripes, &request);
        atomic_fetch_add(&stripes->pool, request.places);
    }
    return status;
}

jtg_status jtgi_stripes_release(struct jtgi_stripes *stripes, const jtg_key *key,
                                const jtg_owner *owner, uint64_t now)
{
    struct hashed hashed = hash_key(stripes, key);
    prefetch(&hashed);
    uint64_t tag = tag_owner(stripes, owner);

    struct jtgi_visit visit = enter(stripes, hashed.stripe, now);
    jtg_status status = JTG_NOT_FOUND;
    switch (jtgi_table_find_locked(&visit, hashed.fingerprint, tag)) {
    case JTGI_OURS:
        jtgi_table_remove_locked(&visit);
        return_places_locked(stripes, hashed.stripe, 1, 2 * stripes->batch);
        status = JTG_OK;
        break;
    case JTGI_ANOTHERS:
        status = JTG_NOT_OWNER;
        break;
    case JTGI_FREE:
        break;
    }
    leave(stripes, hashed.stripe, &visit);
    return status;
}

uint64_t jtgi_stripes_count(struct jtgi_stripes *stripes)
{
    uint64_t count = 0;
    for (size_t i = 0; i < stripes->number; i++) {
        (void)pthread_mutex_lock(&stripes->stripes[i].lock);
        count += stripes->stripes[i].table.occupied;
        (void)pthread_mutex_unlock(&stripes->stripes[i].lock);
    }
    return count;
}

void jtgi_stripes_clear(struct jtgi_stripes *stripes)
{
    struct sweep sweep = {.now = 1, .pass = JTGI_SWEEP_ANYWAY, .keep_places = 2 * stripes->batch};
    for (size_t i = 0; i < stripes->number; i++) {
        struct stripe *stripe = &stripes->stripes[i];
        struct jtgi_visit visit = enter(stripes, stripe, 1);
        jtgi_table_clear_locked(&visit);
        leave(stripes, stripe, &visit);
        while (sweep_stripe(stripes, stripe, &sweep))
            ;
    }
}

uint64_t jtgi_stripes_prune(struct jtgi_stripes *stripes, uint64_t now)
{
    struct sweep sweep = {.now = now, .pass = JTGI_SWEEP_ANYWAY, .keep_places = 2 * stripes->batch};
    for (size_t i = 0; i < stripes->number; i++)
        /* Twice: the first pass may be one that began before something ended behind it. */
        for (int passes = 0; passes < 2;)
            passes += !sweep_stripe(stripes, &stripes->stripes[i], &sweep);
    return sweep.removed;
}

bool jtgi_stripes_sweep(struct jtgi_stripes *stripes, size_t index, uint64_t now, uint64_t pass)
{
    struct sweep sweep = {.now = now, .pass = pass, .keep_places = 2 * stripes->batch};
    return sweep_stripe(stripes, &stripes->stripes[index], &sweep);
}

void jtgi_stripes_set_listener(struct jtgi_stripes *stripes, void (*grown)(void *context),
                               void *context)
{
    stripes->grown = grown;
    stripes->grown_context = context;
}

bool jtgi_stripes_settle(struct jtgi_stripes *stripes)
{
    for (size_t i = 0; i < stripes->number; i++) {
        struct stripe *stripe = &stripes->stripes[i];
        size_t covered = huge_pages_of(atomic_load(&stripe->homes));
        size_t next = atomic_load(&stripe->huge_tried);
        if (next >= covered)
            continue;
        if (atomic_compare_exchange_strong(&stripe->huge_tried, &next, next + 1))
            (void)jtgi_huge_collapse((unsigned char *)stripe->slots + next * JTGI_HUGE_BYTES);
        return true;
    }
    return false;
}

size_t jtgi_stripes_number(const struct jtgi_stripes *stripes)
{
    return stripes->number;
}

void jtgi_stripes_stats_get(struct jtgi_stripes *stripes, struct jtgi_stripes_stats *stats)
{
    memset(stats, 0, sizeof *stats);
    stats->groups = stripes->groups != NULL ? jtgi_groups_count(stripes->groups) : 0;
    for (size_t i = 0; i < stripes->number; i++) {
        struct stripe *stripe = &stripes->stripes[i];
        (void)pthread_mutex_lock(&stripe->lock);
        stats->entries += stripe->table.occupied;
        stats->slots += stripe->table.next_homes;
        stats->swept += stripe->table.swept;
        stats->growths += stripe->table.growths;
        if (stripe->max_step_slots > stats->max_step_slots)
            stats->max_step_slots = stripe->max_step_slots;
        (void)pthread_mutex_unlock(&stripe->lock);
    }
}
