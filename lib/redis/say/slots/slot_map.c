/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/say/slots/slot_map.h"

#include <jtiguard/status.h>
#include <string.h>

static const char too_many[] = "it has too many primaries";

/* A range of slots is an array: first, last, primary, replicas … A node is one too: where it is
 * reached, port, id, and since Redis 7 names and values in turn. */
enum { RANGE_FIRST, RANGE_LAST, RANGE_PRIMARY };
enum { NODE_ENDPOINT, NODE_PORT, NODE_ID, NODE_NAMES };

static bool is_text(const redisReply *reply)
{
    return reply->type == REDIS_REPLY_STRING && reply->len > 0;
}

/* What the node announces beside its endpoint; NULL if it does not. */
static const redisReply *announced(const redisReply *node, const char *name)
{
    if (node->elements <= NODE_NAMES || node->element[NODE_NAMES]->type != REDIS_REPLY_ARRAY)
        return NULL;
    const redisReply *names = node->element[NODE_NAMES];
    for (size_t i = 0; i + 1 < names->elements; i += 2)
        if (jtgi_reply_is_bytes(names->element[i], name, strlen(name)) &&
            is_text(names->element[i + 1]))
            return names->element[i + 1];
    return NULL;
}

/* The endpoint that the server prefers (cluster-preferred-endpoint-type), which redirects name too.
 * A name may be announced for the certificate, or for people, where nobody can resolve it. No
 * endpoint is that of the node that was asked; "?" is one that the node does not know. */
static bool read_endpoint(const redisReply *node, const struct jtgi_address *asked, uint32_t port,
                          struct jtgi_address *address)
{
    const redisReply *endpoint = node->element[NODE_ENDPOINT];
    if (endpoint->type == REDIS_REPLY_NIL ||
        (endpoint->type == REDIS_REPLY_STRING && endpoint->len == 0))
        return jtgi_address_set(address, asked->host, strlen(asked->host), port);
    if (jtgi_reply_is_bytes(endpoint, "?", 1))
        endpoint = announced(node, "ip");
    return endpoint != NULL && is_text(endpoint) &&
           jtgi_address_set(address, endpoint->str, endpoint->len, port);
}

/* What stands beside the endpoint: one of the two is the endpoint itself, where there is one. */
static void read_other(const redisReply *node, struct jtgi_address *address)
{
    static const char *const names[] = {"hostname", "ip"};
    for (size_t i = 0; i < 2; i++) {
        const redisReply *other = announced(node, names[i]);
        if (other != NULL && !jtgi_reply_is_bytes(other, address->host, strlen(address->host)) &&
            jtgi_address_set_other(address, other->str, other->len))
            return;
    }
}

/* False when the node cannot be reached by what is said of it. */
static bool read_node(const redisReply *node, const struct jtgi_address *asked,
                      struct jtgi_address *address)
{
    long long port = 0;
    if (node->type != REDIS_REPLY_ARRAY || node->elements <= NODE_PORT ||
        !jtgi_reply_integer(node->element[NODE_PORT], 1, UINT16_MAX, &port) ||
        !read_endpoint(node, asked, (uint32_t)port, address))
        return false;
    read_other(node, address);
    return true;
}

/* ---- who they are ---- */

/* FNV-1a. The ids are the servers' own random numbers: who sends them to collide delays a look at
 * them, which is bounded. */
static unsigned first_place(const char *id, size_t len)
{
    uint32_t hash = 2166136261U;
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (unsigned char)id[i]) * 16777619U;
    return hash % JTGI_NODE_ID_PLACES;
}

/* Where it is, or would be: there is a free place always. */
static unsigned id_place(const struct jtgi_node_ids *ids, const char *id, size_t len)
{
    unsigned place = first_place(id, len);
    while (ids->places[place][0] != '\0' &&
           (strlen(ids->places[place]) != len || memcmp(ids->places[place], id, len) != 0))
        place = (place + 1) % JTGI_NODE_ID_PLACES;
    return place;
}

static void note_id(struct jtgi_node_ids *ids, const redisReply *node)
{
    if (node->type != REDIS_REPLY_ARRAY || node->elements <= NODE_ID)
        return;
    const redisReply *id = node->element[NODE_ID];
    if (!is_text(id) || id->len > JTGI_NODE_ID_MAX_BYTES || memchr(id->str, '\0', id->len) != NULL)
        return;
    char *place = ids->places[id_place(ids, id->str, id->len)];
    if (place[0] != '\0' || ids->count == JTGI_NODE_IDS_MAX)
        return;
    memcpy(place, id->str, id->len);
    ids->count++;
}

bool jtgi_node_ids_have(const struct jtgi_node_ids *ids, const char *id, size_t id_len)
{
    return id_len > 0 && ids->places[id_place(ids, id, id_len)][0] != '\0';
}

bool jtgi_node_ids_agree(const struct jtgi_node_ids *one, const struct jtgi_node_ids *other)
{
    unsigned smaller = one->count < other->count ? one->count : other->count;
    unsigned larger = one->count < other->count ? other->count : one->count;
    unsigned shared = 0;
    for (unsigned i = 0; i < JTGI_NODE_ID_PLACES; i++)
        shared += jtgi_node_ids_have(other, one->places[i], strlen(one->places[i]));
    return 2 * shared > smaller && (shared > 1 || larger <= 2);
}

/* ---- where they are ---- */

/* Its place in the map, found or new; the limit when there is no room. */
static unsigned place_of(struct jtgi_slot_map *map, const struct jtgi_address *address)
{
    unsigned place = 0;
    while (place < map->count && !jtgi_address_equals(&map->primaries[place].address, address))
        place++;
    if (place == map->count && place < JTG_REDIS_NODES_LIMIT) {
        map->primaries[place].address = *address;
        map->count++;
    }
    return place;
}

static const char *read_range(struct jtgi_slot_map *map, const redisReply *range,
                              const struct jtgi_address *asked)
{
    long long first = 0;
    long long last = 0;
    struct jtgi_address address = {.unix_path = NULL};
    if (range->type != REDIS_REPLY_ARRAY || range->elements <= RANGE_PRIMARY ||
        !jtgi_reply_integer(range->element[RANGE_FIRST], 0, JTGI_SLOTS - 1, &first) ||
        !jtgi_reply_integer(range->element[RANGE_LAST], first, JTGI_SLOTS - 1, &last))
        return "a range of slots is badly formed";
    for (size_t i = RANGE_PRIMARY; i < range->elements; i++)
        note_id(&map->ids, range->element[i]);
    if (!read_node(range->element[RANGE_PRIMARY], asked, &address))
        return NULL;
    unsigned place = place_of(map, &address);
    if (place == JTG_REDIS_NODES_LIMIT)
        return too_many;
    for (long long slot = first; slot <= last; slot++) {
        if (map->owners[slot] != 0)
            return "a slot has two primaries";
        map->owners[slot] = (uint8_t)(place + 1);
        map->covered++;
    }
    return NULL;
}

void jtgi_slot_map_begin(struct jtgi_slot_map *map)
{
    memset(map, 0, sizeof *map);
}

void jtgi_slot_map_add(struct jtgi_slot_map *map, const redisReply *range,
                       const struct jtgi_address *asked)
{
    if (map->problem == NULL)
        map->problem = read_range(map, range, asked);
}

jtg_status jtgi_slot_map_end(const struct jtgi_slot_map *map, const redisReply *reply,
                             jtg_error *err)
{
    const struct jtgi_error_row *row = jtgi_reply_error(reply);
    const char *problem = map->problem;
    if (row != NULL)
        return jtg_error_set(err, row->status, 0, "redis: CLUSTER SLOTS was refused: %s",
                             row->text);
    if (reply->type != REDIS_REPLY_ARRAY)
        problem = "it is no list";
    if (problem != NULL)
        return jtg_error_set(err, problem == too_many ? JTG_ERR_UNSUPPORTED : JTG_ERR_PROTOCOL, 0,
                             "redis: the map of the Cluster is not understood: %s", problem);
    return JTG_OK;
}
