/* SPDX-License-Identifier: Apache-2.0 */
/* The servers that a cache talks to: one, or the primaries of a Cluster with the slots that they
 * hold. Whoever uses one of a Cluster holds it meanwhile, for it may leave the map.
 *
 * Lock. `lock` guards list, owners and references; it is held for short copies. Without Cluster
 * nothing changes, and nothing is locked. */
#ifndef JTGI_REDIS_NODES_H
#define JTGI_REDIS_NODES_H

#include "redis/route/node.h"
#include "redis/say/slots/slot_map.h"
#include "redis/say/slots/slots.h"

struct jtgi_nodes {
    struct jtgi_shared *shared;     /* borrowed, as the next */
    const struct jtgi_guide *guide; /* of each node */
    pthread_mutex_t lock;
    struct jtgi_node *list[JTG_REDIS_NODES_LIMIT];
    unsigned count;
    uint8_t *owners; /* a slot: one more than the place in the list, 0 = nobody; NULL: no Cluster */
    uint64_t next_serial;
    uint64_t gone_requests; /* of nodes that have left */
    uint64_t gone_max_batch;
};

/* One node for ever, at this address; empty while it is not known.
 *
 * Returns: JTG_OK · JTG_ERR_MEMORY, as the next; then it holds nothing */
jtg_status jtgi_nodes_init_one(struct jtgi_nodes *nodes, struct jtgi_shared *shared,
                               const struct jtgi_guide *guide, const struct jtgi_address *address,
                               jtg_error *err);

/* As many as a Cluster's map has; none yet. */
jtg_status jtgi_nodes_init_many(struct jtgi_nodes *nodes, struct jtgi_shared *shared,
                                const struct jtgi_guide *guide, jtg_error *err);

/* No call may be under way. Neither talks nor waits. */
void jtgi_nodes_clear(struct jtgi_nodes *nodes, bool in_child);

/* The node that holds a slot, held; NULL while nobody is known to. */
struct jtgi_node *jtgi_nodes_at_slot(struct jtgi_nodes *nodes, uint16_t slot);

/* All of now, each held. */
unsigned jtgi_nodes_hold_all(struct jtgi_nodes *nodes,
                             struct jtgi_node *held[JTG_REDIS_NODES_LIMIT]);
void jtgi_nodes_let_go_all(struct jtgi_nodes *nodes, struct jtgi_node *const *held, unsigned count);

/* NULL does nothing. */
void jtgi_nodes_let_go(struct jtgi_nodes *nodes, struct jtgi_node *node);

/* Take a map over: nodes that it lacks leave, and end with the last who holds them.
 * Returns: JTG_OK · JTG_ERR_MEMORY (unchanged) */
jtg_status jtgi_nodes_adopt(struct jtgi_nodes *nodes, const struct jtgi_slot_map *map,
                            jtg_error *err);

/* The node at an address, held, made if need be; NULL when there is no room for one more. In a
 * Cluster only, as is the next. */
struct jtgi_node *jtgi_nodes_at_address(struct jtgi_nodes *nodes,
                                        const struct jtgi_address *address);

/* Is it in the list? */
bool jtgi_nodes_have(struct jtgi_nodes *nodes, const struct jtgi_node *node);

/* A slot is with this node from now on, which must be in the list. */
void jtgi_nodes_move(struct jtgi_nodes *nodes, uint16_t slot, const struct jtgi_node *node);

/* Slots that have an owner. */
unsigned jtgi_nodes_covered(struct jtgi_nodes *nodes);

/* Those slots that it holds now; slot 0 without Cluster. */
void jtgi_nodes_slots_of(struct jtgi_nodes *nodes, const struct jtgi_node *node,
                         struct jtgi_slot_set *slots);

/* A slot of the node that has a marker: a look at it tells of a loss of the whole node. False when
 * it has none. */
bool jtgi_nodes_marked_slot(struct jtgi_nodes *nodes, const struct jtgi_node *node, uint16_t *slot);

/* A slot was found unmarked: others will be too, for a server that took no writes when its
 * connection was made was passed over with all its slots. The next connection marks them at once,
 * rather than that each refuses the first token that needs it. At most once a second. */
void jtgi_nodes_mark_anew(struct jtgi_nodes *nodes, uint64_t serial);

/* Where the node of this serial number is; false when it has left the list. */
bool jtgi_nodes_address_of(struct jtgi_nodes *nodes, uint64_t serial, struct jtgi_address *address);

/* Close the calling thread's connection to a node, if that is still there. */
void jtgi_nodes_retire_connection(struct jtgi_nodes *nodes, uint64_t serial);

#endif
