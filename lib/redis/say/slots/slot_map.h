/* SPDX-License-Identifier: Apache-2.0 */
/* Which primary holds which slots, as one node says (CLUSTER SLOTS). No I/O, no locks. */
#ifndef JTGI_REDIS_SLOT_MAP_H
#define JTGI_REDIS_SLOT_MAP_H

#include "redis/say/address/address.h"
#include "redis/say/resp/reply.h"
#include "redis/say/slots/slots.h"

#include <jtiguard/redis.h>

/* The nodes that a map names, primaries and replicas, by their ids: forty hexadecimal digits that a
 * node keeps for its life, whatever its address. An open table; NUL is a free place. Redis advises
 * against more than a thousand nodes; what finds no room is left out, so that two maps may seem to
 * share less than they do, and never more. */
enum {
    JTGI_NODE_ID_MAX_BYTES = 40,
    JTGI_NODE_ID_PLACES = 2048,
    JTGI_NODE_IDS_MAX = JTGI_NODE_ID_PLACES / 2
};

struct jtgi_node_ids {
    unsigned count;
    char places[JTGI_NODE_ID_PLACES][JTGI_NODE_ID_MAX_BYTES + 1];
};

struct jtgi_slot_map {
    unsigned count;
    unsigned covered; /* slots that have an owner */
    struct {
        struct jtgi_address address; /* by the endpoint that the answering node prefers */
    } primaries[JTG_REDIS_NODES_LIMIT];
    uint8_t owners[JTGI_SLOTS]; /* one more than the place of the primary; 0 = nobody */
    struct jtgi_node_ids ids;
    const char *problem; /* the first; static */
};

/* An answer is read range by range, for all of it can be larger than memory should be: as many
 * ranges as slots, each with all nodes that hold it. Slots that nobody holds are left out. All or
 * nothing: an answer that gives a slot twice, or one that there is not, says nothing.
 *
 * Begin with an empty map; add each element of the answer of the node `asked`; end with what is
 * left of the reply.
 *
 * Returns: JTG_OK · JTG_ERR_PROTOCOL · JTG_ERR_UNSUPPORTED (more than JTG_REDIS_NODES_LIMIT) ·
 *          as the row of an error reply says */
void jtgi_slot_map_begin(struct jtgi_slot_map *map);
void jtgi_slot_map_add(struct jtgi_slot_map *map, const redisReply *range,
                       const struct jtgi_address *asked);
jtg_status jtgi_slot_map_end(const struct jtgi_slot_map *map, const redisReply *reply,
                             jtg_error *err);

/* Are these of one Cluster? Two maps of one share most nodes, unless many were exchanged between
 * them. Those of two Clusters may share one: a node that was taken out of the one and put into the
 * other keeps its id (CLUSTER RESET SOFT). So they must share more than half of the smaller, and
 * two where either has three or more: the one that was taken out may be a Cluster by itself. */
bool jtgi_node_ids_agree(const struct jtgi_node_ids *one, const struct jtgi_node_ids *other);
bool jtgi_node_ids_have(const struct jtgi_node_ids *ids, const char *id, size_t id_len);

#endif
