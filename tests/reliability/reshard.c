/* SPDX-License-Identifier: Apache-2.0 */
#include "reliability/reshard.h"

#include "integration/store.h"
#include "support/asserts.h"

#include <stdio.h>
#include <string.h>

enum {
    ID_BYTES = 48,
    SLOTS_LEAST = 500,
    SLOTS_MOST = 2500,
    KEYS_AT_ONCE = 4,
    PAUSE_MS = 5,
    MIGRATE_LIMIT_MS = 1000
};

static void node_id(struct server *server, char id[ID_BYTES])
{
    redisReply *reply = server_ask(server, "CLUSTER MYID");
    assert_true(reply != NULL && reply->type == REDIS_REPLY_STRING);
    snprintf(id, ID_BYTES, "%s", reply->str);
    freeReplyObject(reply);
}

static struct server *other_primary(struct world *world, const struct server *one)
{
    struct server *other;
    do {
        other = world_pick_primary(world);
    } while (other == one);
    return other;
}

static void move_many(struct world *world, struct server *from, struct server *to)
{
    char from_id[ID_BYTES];
    char to_id[ID_BYTES];
    char slots[8];
    node_id(from, from_id);
    node_id(to, to_id);
    snprintf(slots, sizeof slots, "%u",
             SLOTS_LEAST + (unsigned)random_below(&world->random, SLOTS_MOST - SLOTS_LEAST));
    const char *words[] = {server_client_program(), "--cluster", "reshard",       "10.77.0.1:6379",
                           "--cluster-from",        from_id,     "--cluster-to",  to_id,
                           "--cluster-slots",       slots,       "--cluster-yes", NULL};
    if (!world_run_tool(world, words))
        fail_msg("slots cannot be moved, see %s/tools", world->folder);
}

/* A key that has ended meanwhile is none to move. */
static void migrate(struct world *world, struct server *from, const struct server *to,
                    const redisReply *key)
{
    char address[HOST_ADDRESS_BYTES];
    hosts_address(to->host, address);
    redisReply *reply = server_ask(from, "MIGRATE %s %u %b 0 %d", address, to->port, key->str,
                                   key->len, MIGRATE_LIMIT_MS);
    if (reply == NULL || reply->type != REDIS_REPLY_STATUS)
        fail_msg("a key cannot be moved: %s, see %s", reply == NULL ? "no answer" : reply->str,
                 world->folder);
    freeReplyObject(reply);
}

/* False: none is left. */
static bool migrate_some(struct world *world, unsigned slot, struct server *from,
                         const struct server *to)
{
    redisReply *keys = server_ask(from, "CLUSTER GETKEYSINSLOT %u %d", slot, KEYS_AT_ONCE);
    assert_true(keys != NULL && keys->type == REDIS_REPLY_ARRAY);
    size_t count = keys->elements;
    for (size_t i = 0; i < count; i++)
        migrate(world, from, to, keys->element[i]);
    freeReplyObject(keys);
    return count > 0;
}

/* The new owner is told first, so that at no time nobody has the slot. */
static void move_slowly(struct world *world, unsigned slot, struct server *from, struct server *to)
{
    char from_id[ID_BYTES];
    char to_id[ID_BYTES];
    node_id(from, from_id);
    node_id(to, to_id);
    assert_true(server_order(to, "CLUSTER SETSLOT %u IMPORTING %s", slot, from_id));
    assert_true(server_order(from, "CLUSTER SETSLOT %u MIGRATING %s", slot, to_id));
    store_sleep_ms(random_below(&world->random, DETECTION_MS));
    while (migrate_some(world, slot, from, to))
        store_sleep_ms(PAUSE_MS);
    store_sleep_ms(random_below(&world->random, DETECTION_MS));
    assert_true(server_order(to, "CLUSTER SETSLOT %u NODE %s", slot, to_id));
    assert_true(server_order(from, "CLUSTER SETSLOT %u NODE %s", slot, to_id));
}

static struct server *holder_of(struct world *world, uint32_t part)
{
    for (unsigned i = 0; i < world->topology->servers; i++)
        if ((world_parts_of(world, &world->servers[i]) & part) != 0)
            return &world->servers[i];
    fail_msg("nobody has a slot");
    return NULL;
}

uint32_t reshard_run(struct world *world, struct server *from)
{
    move_many(world, from, other_primary(world, from));
    if (!world_await(world))
        fail_msg("the slots are not settled, see %s", world->folder);
    unsigned part = (unsigned)random_below(&world->random, world->topology->parts);
    struct server *holder = holder_of(world, UINT32_C(1) << part);
    move_slowly(world, world_part_slot(part), holder, other_primary(world, holder));
    return UINT32_C(1) << part;
}
