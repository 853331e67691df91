/* SPDX-License-Identifier: Apache-2.0 */
/* Servers that belong together: one alone, a primary with two replicas and three Sentinels, or a
 * Cluster of three primaries and three replicas.
 *
 * Detection is set to be quick (DETECTION_MS), so that a failover takes seconds. All else is as the
 * packages have it, but that nothing is saved on its own. */
#ifndef TESTS_RELIABILITY_WORLD_H
#define TESTS_RELIABILITY_WORLD_H

#include "reliability/forwarder.h"
#include "reliability/server.h"
#include "support/random.h"

enum {
    WORLD_SERVERS_MAX = 6,
    WORLD_SENTINELS = 3,
    WORLD_CLIENTS = 3,
    WORLD_PARTS_MAX = 6, /* of a Cluster's slots, each probed by itself */
    DETECTION_MS = 1000,
    WORLD_URI_BYTES = 160,

    /* The hosts. */
    FIRST_SERVER = 1,
    FIRST_SENTINEL = 7,
    TOOLS_HOST = 10,
    FIRST_CLIENT = 11
};

struct world;

struct clients;

/* Bits of enum incident_kind. */
#define KIND(kind) (UINT32_C(1) << (kind))

enum incident_kind {
    INCIDENT_SWITCHOVER, /* an orderly change, asked for */
    INCIDENT_KILL,       /* kill -9 of the primary, which comes back after the promotion */
    INCIDENT_FREEZE,     /* SIGSTOP until after the promotion */
    INCIDENT_PARTITION,  /* the primary, a client and a Sentinel on one side, all else on the other
                          */
    INCIDENT_FLUSH,      /* FLUSHALL or FLUSHDB */
    INCIDENT_EMPTIED,    /* kill -9, and back at once without its data */
    INCIDENT_OUTDATED,   /* kill -9, and back at once with a snapshot of some seconds ago */
    INCIDENT_RESHARD,    /* slots wander to another primary, keys and all */
    INCIDENT_RETURN,   /* SIGSTOP until the new primary has died, and the old one is named again */
    INCIDENT_EXCHANGE, /* the address leads to the other store, and back */
    INCIDENT_SHUFFLE,  /* every connection is cut, and may lead to the other store */
    INCIDENT_STRANGER, /* a node dies, and another Cluster's is found under its address */
    INCIDENT_KINDS
};

struct topology {
    const char *name;
    unsigned servers;
    unsigned sentinels;
    unsigned parts;
    bool fails_over;
    bool splits; /* several primaries at once, so that only within a process tokens are used once */
    uint32_t kinds; /* of incidents that it has */
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
    /* Lead the address to the store of that place; with INCIDENT_SHUFFLE to any. NULL: it leads to
     * one for ever. */
    void (*lead)(struct world *world, unsigned place);
    /* Undo what else than servers was started. NULL: nothing was. */
    void (*leave)(struct world *world);
    /* How clients find it, without the query; NULL: found() says it. */
    const char *uri;
    /* How the first client does, if otherwise: a slip of its operator. */
    const char *slip_uri;
};

extern const struct topology topology_single;
extern const struct topology topology_sentinel;
extern const struct topology topology_sentinel_pair;
extern const struct topology topology_sentinel_twin;
extern const struct topology topology_cluster;
extern const struct topology topology_strangers;
/* Two servers that know nothing of each other, behind one address. */
extern const struct topology topology_forwarder;
extern const struct topology topology_name;
extern const struct topology topology_link;
extern const struct topology topology_balancer;

struct world {
    const struct topology *topology;
    struct random_source random;
    char folder[64];
    struct server servers[WORLD_SERVERS_MAX];
    struct server sentinels[WORLD_SENTINELS];
    struct forwarder forwarder;
    char uri[WORLD_URI_BYTES];
    unsigned place;          /* that the address leads to */
    struct clients *clients; /* borrowed */
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
/* The same on any host. */
bool world_run_on(const struct world *world, unsigned host, const char *const *words);

/* Does every Sentinel see this of a server that it takes for a replica: that it is down; that it
 * says to be a primary? */
bool world_sentinels_see_down(struct world *world, const struct server *server);
bool world_sentinels_see_primary(struct world *world, const struct server *server);

/* A primary drawn at random, of those that have a replica where the topology has any. */
struct server *world_pick_primary(struct world *world);

/* The tag of a part: keys with this in braces lie in the part's slot. */
const char *world_part_tag(unsigned part);
unsigned world_part_slot(unsigned part);
/* The parts, as bits, that a server is the primary of. */
uint32_t world_parts_of(struct world *world, struct server *primary);

#endif
