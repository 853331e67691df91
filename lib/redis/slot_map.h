/* SPDX-License-Identifier: Apache-2.0 */
/* Which primary holds which slots, as one node says (CLUSTER SLOTS). No I/O, no locks. */
#ifndef JTGI_REDIS_SLOT_MAP_H
#define JTGI_REDIS_SLOT_MAP_H

#include "redis/address.h"
#include "redis/reply.h"
#include "redis/slots.h"

#include <jtiguard/redis.h>

struct jtgi_slot_map {
    unsigned count;
    unsigned covered; /* slots that have an owner */
    struct {
        struct jtgi_address address; /* by the name that it announces, if it does */
        struct jtgi_address alias;   /* as redirects may name it */
    } primaries[JTG_REDIS_NODES_LIMIT];
    uint8_t owners[JTGI_SLOTS]; /* one more than the place of the primary; 0 = nobody */
};

/* Read an answer, which came from the node `asked`. Slots that nobody holds are left out. All or
 * nothing: an answer that gives a slot twice, or one that there is not, says nothing.
 *
 * Returns: JTG_OK · JTG_ERR_PROTOCOL · JTG_ERR_UNSUPPORTED (more than JTG_REDIS_NODES_LIMIT) ·
 *          as the row of an error reply says */
jtg_status jtgi_slot_map_read(struct jtgi_slot_map *map, const redisReply *reply,
                              const struct jtgi_address *asked, jtg_error *err);

#endif
