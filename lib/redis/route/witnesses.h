/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes that were asked for the map of a Cluster before any was believed: which of them belong
 * together? An address may by now lead to a node of another Cluster, as a pod's does that was given
 * again; its map is whole and sound, and of the wrong store. Nodes of one Cluster know one another
 * by their ids. No I/O, no locks. */
#ifndef JTGI_REDIS_WITNESSES_H
#define JTGI_REDIS_WITNESSES_H

#include "redis/say/slots/slot_map.h"

enum { JTGI_WITNESSES_MAX = 64 };

struct jtgi_witness {
    struct jtgi_address address;
    char run_id[48]; /* who it is, by whatever address it was reached */
    struct jtgi_node_ids ids;
};

/* All zero: none. */
struct jtgi_witnesses {
    unsigned count;
    struct jtgi_witness *list[JTGI_WITNESSES_MAX];
};

void jtgi_witnesses_clear(struct jtgi_witnesses *witnesses);

/* One that has answered. Who was heard before is not counted again. False when out of memory. */
bool jtgi_witnesses_add(struct jtgi_witnesses *witnesses, const struct jtgi_address *address,
                        const char *run_id, const struct jtgi_node_ids *ids);

/* The one that most know of; *agreeing counts it and them. NULL when there is none. */
const struct jtgi_witness *jtgi_witnesses_best(const struct jtgi_witnesses *witnesses,
                                               unsigned *agreeing);

/* Somebody that does not know it; NULL when all do. */
const struct jtgi_witness *jtgi_witnesses_stranger(const struct jtgi_witnesses *witnesses,
                                                   const struct jtgi_witness *to);

#endif
