/* SPDX-License-Identifier: Apache-2.0 */
/* Servers that belong together: one alone, a primary with two replicas and three Sentinels, or a
 * Cluster of three primaries and three replicas.
 *
 * Detection is set to be quick (DETECTION_MS), so that a failover takes seconds. All else is as the
 * packages have it, but that nothing is saved on its own. */
#ifndef TESTS_RELIABILITY_WORLD_H
#define TESTS_RELIABILITY_WORLD_H

#include "reliability/server.h"
#include "support/random.h"

enum {
    WORLD_SERVERS_MAX = 6,
    WORLD_SENTINELS = 3,
    WORLD_CLIENTS = 3,
    WORLD_PARTS_MAX = 6, /* of a Cluster's slots, each probed by itself */
    DETECTION_MS = 1000,

    /* The hosts. */
    FIRST_SERVER = 1,
    FIRST_SENTINEL = 7,
    TOOLS_HOST = 10,
    FIRST_CLIENT = 11
};

struct world;

struct topology {
    const char *name;
    unsigned servers;
    unsigned sentinels;
    unsigned parts;
    bool fails_over;
    /* What the configuration of each server says beyond what all say. */
    const char *server_lines;
    /* Make a whole of servers that run. */
    void (*found)(struct world *world);
    /* Does every server and Sentinel see one and the same whole? */
    bool (*is_whole)(struct world *world);
    /* Ask for an orderly change to a replica. False: ask again. */
    bool (*switch_over)(struct world *world, struct server *primary, struct server *replica);
    /* Does somebody whom clients ask name it as the primary? NULL: nobody is asked. */
    bool (*is_named)(struct world *world, const struct server *primary);
    /* How clients find it, without the query. */
    const char *uri;
};

extern const struct topology topology_single;
extern const struct topology topology_sentinel;
extern const struct topology topology_cluster;

struct world {
    const struct topology *topology;
    struct random_source random;
    char folder[64];
    struct server servers[WORLD_SERVERS_MAX];
    struct server sentinels[WORLD_SENTINELS];
};

/* Whole when this returns. quick: Sentinels look and tell each other more often than they do by
 * themselves, so that an old primary is made a replica within seconds instead of twenty. */
void world_start(struct world *world, const struct topology *topology, uint64_t seed, bool quick);
void world_stop(struct world *world);

/* Wait until it is whole. False after a minute. */
bool world_await(struct world *world);

struct server *world_server(struct world *world, unsigned host);

/* Run a program on the host for tools, its output into the folder. False unless it ends well within
 * two minutes. */
bool world_run_tool(const struct world *world, const char *const *words);

/* A primary drawn at random, of those that have a replica where the topology has any. */
struct server *world_pick_primary(struct world *world);

/* The tag of a part: keys with this in braces lie in the part's slot. */
const char *world_part_tag(unsigned part);
unsigned world_part_slot(unsigned part);
/* The parts, as bits, that a server is the primary of. */
uint32_t world_parts_of(struct world *world, struct server *primary);

#endif
