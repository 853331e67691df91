/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/route/nodes.h"

#include "core/alloc.h"

#include "redis/flow/counts.h"
#include "redis/line/deadline.h"

#include <jtiguard/status.h>
#include <string.h>

static bool has_slots(const struct jtgi_nodes *nodes)
{
    return nodes->owners != NULL;
}

static void init(struct jtgi_nodes *nodes, struct jtgi_shared *shared,
                 const struct jtgi_guide *guide)
{
    memset(nodes, 0, sizeof *nodes);
    nodes->shared = shared;
    nodes->guide = guide;
    nodes->next_serial = 1;
    (void)pthread_mutex_init(&nodes->lock, NULL);
}

static struct jtgi_node *make(struct jtgi_nodes *nodes, const struct jtgi_address *address)
{
    return jtgi_node_new(nodes->shared, nodes->guide, address, nodes->next_serial++);
}

jtg_status jtgi_nodes_init_one(struct jtgi_nodes *nodes, struct jtgi_shared *shared,
                               const struct jtgi_guide *guide, const struct jtgi_address *address,
                               jtg_error *err)
{
    init(nodes, shared, guide);
    nodes->list[0] = make(nodes, address);
    nodes->count = nodes->list[0] != NULL;
    return nodes->count == 1 ? JTG_OK
                             : jtg_error_set(err, JTG_ERR_MEMORY, 0, "no memory for a cache");
}

jtg_status jtgi_nodes_init_many(struct jtgi_nodes *nodes, struct jtgi_shared *shared,
                                const struct jtgi_guide *guide, jtg_error *err)
{
    init(nodes, shared, guide);
    nodes->owners = jtgi_alloc(JTGI_SLOTS);
    return nodes->owners != NULL ? JTG_OK
                                 : jtg_error_set(err, JTG_ERR_MEMORY, 0, "no memory for a cache");
}

void jtgi_nodes_clear(struct jtgi_nodes *nodes, bool in_child)
{
    for (unsigned i = 0; i < nodes->count; i++)
        if (in_child)
            jtgi_node_free_in_child(nodes->list[i]);
        else
            jtgi_node_free(nodes->list[i]);
    nodes->count = 0;
    jtgi_free(nodes->owners);
    nodes->owners = NULL;
}

struct jtgi_node *jtgi_nodes_at_slot(struct jtgi_nodes *nodes, uint16_t slot)
{
    if (!has_slots(nodes))
        return nodes->list[0];
    pthread_mutex_lock(&nodes->lock);
    unsigned place = nodes->owners[slot];
    struct jtgi_node *node = place == 0 ? NULL : nodes->list[place - 1];
    if (node != NULL)
        node->refs++;
    pthread_mutex_unlock(&nodes->lock);
    return node;
}

unsigned jtgi_nodes_hold_all(struct jtgi_nodes *nodes,
                             struct jtgi_node *held[JTG_REDIS_NODES_LIMIT])
{
    pthread_mutex_lock(&nodes->lock);
    unsigned count = nodes->count;
    for (unsigned i = 0; i < count; i++) {
        held[i] = nodes->list[i];
        held[i]->refs += has_slots(nodes) ? 1 : 0;
    }
    pthread_mutex_unlock(&nodes->lock);
    return count;
}

/* Nobody uses it any more; what it has done still counts. */
static void end_node(struct jtgi_nodes *nodes, struct jtgi_node *node)
{
    pthread_mutex_lock(&nodes->lock);
    for (size_t i = 0; i < JTG_REDIS_CONNECTIONS_LIMIT; i++) {
        nodes->gone_requests += node->pipelines[i].requests;
        if (node->pipelines[i].max_batch > nodes->gone_max_batch)
            nodes->gone_max_batch = node->pipelines[i].max_batch;
    }
    pthread_mutex_unlock(&nodes->lock);
    jtgi_node_free(node);
}

void jtgi_nodes_let_go(struct jtgi_nodes *nodes, struct jtgi_node *node)
{
    if (node == NULL || !has_slots(nodes))
        return;
    pthread_mutex_lock(&nodes->lock);
    bool last = --node->refs == 0;
    pthread_mutex_unlock(&nodes->lock);
    if (last)
        end_node(nodes, node);
}

void jtgi_nodes_let_go_all(struct jtgi_nodes *nodes, struct jtgi_node *const *held, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        jtgi_nodes_let_go(nodes, held[i]);
}

void jtgi_nodes_slots_of(struct jtgi_nodes *nodes, const struct jtgi_node *node,
                         struct jtgi_slot_set *slots)
{
    memset(slots, 0, sizeof *slots);
    if (!has_slots(nodes)) {
        jtgi_slot_set_add(slots, 0);
        return;
    }
    pthread_mutex_lock(&nodes->lock);
    for (unsigned slot = 0; slot < JTGI_SLOTS; slot++)
        if (nodes->owners[slot] != 0 && nodes->list[nodes->owners[slot] - 1] == node)
            jtgi_slot_set_add(slots, slot);
    pthread_mutex_unlock(&nodes->lock);
}

bool jtgi_nodes_marked_slot(struct jtgi_nodes *nodes, const struct jtgi_node *node, uint16_t *slot)
{
    const struct jtgi_watch *watch = &nodes->shared->watch;
    struct jtgi_slot_set slots = {{0}};
    jtgi_nodes_slots_of(nodes, node, &slots);
    for (unsigned i = 0; i < watch->slots; i++) {
        if (!jtgi_slot_set_has(&slots, i) || !jtgi_marker_keys_have(&watch->keys, (uint16_t)i))
            continue;
        *slot = (uint16_t)i;
        return true;
    }
    return false;
}

static struct jtgi_node *find_locked(const struct jtgi_nodes *nodes, uint64_t serial)
{
    for (unsigned i = 0; i < nodes->count; i++)
        if (nodes->list[i]->serial == serial)
            return nodes->list[i];
    return NULL;
}

void jtgi_nodes_retire_connection(struct jtgi_nodes *nodes, uint64_t serial)
{
    pthread_mutex_lock(&nodes->lock);
    struct jtgi_node *node = find_locked(nodes, serial);
    if (node != NULL)
        node->refs += has_slots(nodes) ? 1 : 0;
    pthread_mutex_unlock(&nodes->lock);
    if (node == NULL)
        return;
    jtgi_pipeline_retire(jtgi_node_pipeline(node));
    jtgi_nodes_let_go(nodes, node);
}

bool jtgi_nodes_address_of(struct jtgi_nodes *nodes, uint64_t serial, struct jtgi_address *address)
{
    pthread_mutex_lock(&nodes->lock);
    struct jtgi_node *node = find_locked(nodes, serial);
    if (node != NULL)
        jtgi_node_address(node, address);
    pthread_mutex_unlock(&nodes->lock);
    return node != NULL;
}

void jtgi_nodes_mark_anew(struct jtgi_nodes *nodes, uint64_t serial)
{
    if (!has_slots(nodes))
        return;
    int64_t now_ns = jtgi_now_ns();
    pthread_mutex_lock(&nodes->lock);
    struct jtgi_node *node = find_locked(nodes, serial);
    if (node != NULL && now_ns - node->gained_ns >= JTGI_NS_PER_S) {
        node->gained_ns = now_ns;
        atomic_fetch_add(&node->gains, 1);
    }
    pthread_mutex_unlock(&nodes->lock);
}

/* ---- a Cluster's map ---- */

static unsigned first_locked(const struct jtgi_nodes *nodes, const struct jtgi_address *address,
                             bool (*is_it)(const struct jtgi_address *,
                                           const struct jtgi_address *))
{
    struct jtgi_address own;
    for (unsigned place = 0; place < nodes->count; place++) {
        jtgi_node_address(nodes->list[place], &own);
        if (is_it(&own, address))
            return place;
    }
    return nodes->count;
}

/* Nodes may prefer different endpoints, and name one node by its address and by its name. */
static unsigned place_of_locked(const struct jtgi_nodes *nodes, const struct jtgi_address *address)
{
    unsigned place = first_locked(nodes, address, jtgi_address_equals);
    return place < nodes->count ? place : first_locked(nodes, address, jtgi_address_crosses);
}

/* What a new map makes of the list. */
struct change {
    struct jtgi_node *list[JTG_REDIS_NODES_LIMIT]; /* as the map has them */
    bool made[JTG_REDIS_NODES_LIMIT];
};

static bool has_node(struct jtgi_node *const *list, unsigned count, const struct jtgi_node *node)
{
    for (unsigned i = 0; i < count; i++)
        if (list[i] == node)
            return true;
    return false;
}

static bool prepare_locked(struct jtgi_nodes *nodes, const struct jtgi_slot_map *map,
                           struct change *change)
{
    for (unsigned i = 0; i < map->count; i++) {
        unsigned place = place_of_locked(nodes, &map->primaries[i].address);
        /* One node under two names in one map would be in the list twice. */
        change->made[i] = place == nodes->count || has_node(change->list, i, nodes->list[place]);
        change->list[i] =
            change->made[i] ? make(nodes, &map->primaries[i].address) : nodes->list[place];
        if (change->list[i] == NULL)
            return false;
    }
    return true;
}

/* Some slot that had an owner has another. */
static bool changes_owner_locked(const struct jtgi_nodes *nodes, const struct jtgi_slot_map *map,
                                 const struct change *change)
{
    for (unsigned slot = 0; slot < JTGI_SLOTS; slot++) {
        unsigned before = nodes->owners[slot];
        unsigned now = map->owners[slot];
        if (before != 0 && now != 0 && nodes->list[before - 1] != change->list[now - 1])
            return true;
    }
    return false;
}

/* One that is new has no connection yet, and marks what it has when it makes one. */
static void count_gains_locked(const struct jtgi_nodes *nodes, const struct jtgi_slot_map *map,
                               const struct change *change)
{
    bool gains[JTG_REDIS_NODES_LIMIT] = {false};
    for (unsigned slot = 0; slot < JTGI_SLOTS; slot++) {
        unsigned before = nodes->owners[slot];
        unsigned now = map->owners[slot];
        if (now != 0 && (before == 0 || nodes->list[before - 1] != change->list[now - 1]))
            gains[now - 1] = true;
    }
    for (unsigned i = 0; i < map->count; i++)
        if (gains[i])
            atomic_fetch_add(&change->list[i]->gains, 1);
}

/* *gone: the list's references to those that left. */
static unsigned apply_locked(struct jtgi_nodes *nodes, const struct jtgi_slot_map *map,
                             const struct change *change,
                             struct jtgi_node *gone[JTG_REDIS_NODES_LIMIT])
{
    unsigned gone_count = 0;
    for (unsigned i = 0; i < nodes->count; i++)
        if (!has_node(change->list, map->count, nodes->list[i]))
            gone[gone_count++] = nodes->list[i];
    for (unsigned i = 0; i < map->count; i++)
        jtgi_node_note_other(change->list[i], &map->primaries[i].address);
    memcpy(nodes->list, change->list, map->count * sizeof(nodes->list[0]));
    memcpy(nodes->owners, map->owners, JTGI_SLOTS);
    nodes->count = map->count;
    return gone_count;
}

jtg_status jtgi_nodes_adopt(struct jtgi_nodes *nodes, const struct jtgi_slot_map *map,
                            jtg_error *err)
{
    struct change change = {.list = {NULL}};
    struct jtgi_node *gone[JTG_REDIS_NODES_LIMIT] = {NULL};
    unsigned gone_count = 0;
    bool changed = false;
    pthread_mutex_lock(&nodes->lock);
    bool prepared = prepare_locked(nodes, map, &change);
    if (prepared) {
        changed = changes_owner_locked(nodes, map, &change);
        count_gains_locked(nodes, map, &change);
        gone_count = apply_locked(nodes, map, &change, gone);
    }
    pthread_mutex_unlock(&nodes->lock);
    jtgi_nodes_let_go_all(nodes, gone, gone_count);
    if (changed)
        jtgi_counters_add(nodes->shared->counters, JTGI_COUNT_PRIMARY_CHANGES);
    if (prepared)
        return JTG_OK;
    for (unsigned i = 0; i < map->count; i++)
        if (change.made[i] && change.list[i] != NULL)
            jtgi_node_free(change.list[i]);
    return jtg_error_set(err, JTG_ERR_MEMORY, 0, "redis: no memory for a node of the Cluster");
}

struct jtgi_node *jtgi_nodes_at_address(struct jtgi_nodes *nodes,
                                        const struct jtgi_address *address)
{
    struct jtgi_node *node = NULL;
    pthread_mutex_lock(&nodes->lock);
    unsigned place = place_of_locked(nodes, address);
    if (place < nodes->count)
        node = nodes->list[place];
    else if (place < JTG_REDIS_NODES_LIMIT)
        node = make(nodes, address);
    if (node != NULL && place == nodes->count)
        nodes->list[nodes->count++] = node;
    if (node != NULL)
        node->refs++;
    pthread_mutex_unlock(&nodes->lock);
    return node;
}

bool jtgi_nodes_have(struct jtgi_nodes *nodes, const struct jtgi_node *node)
{
    pthread_mutex_lock(&nodes->lock);
    bool have = has_node(nodes->list, nodes->count, node);
    pthread_mutex_unlock(&nodes->lock);
    return have;
}

void jtgi_nodes_move(struct jtgi_nodes *nodes, uint16_t slot, const struct jtgi_node *node)
{
    pthread_mutex_lock(&nodes->lock);
    for (unsigned i = 0; i < nodes->count; i++)
        if (nodes->list[i] == node)
            nodes->owners[slot] = (uint8_t)(i + 1);
    pthread_mutex_unlock(&nodes->lock);
}

unsigned jtgi_nodes_covered(struct jtgi_nodes *nodes)
{
    unsigned covered = 0;
    pthread_mutex_lock(&nodes->lock);
    for (unsigned slot = 0; nodes->owners != NULL && slot < JTGI_SLOTS; slot++)
        covered += nodes->owners[slot] != 0;
    pthread_mutex_unlock(&nodes->lock);
    return covered;
}
