/* SPDX-License-Identifier: Apache-2.0 */
/* What happens to a world (enum incident_kind): each kind is brought about, seen through and made
 * good again. */
#ifndef TESTS_RELIABILITY_INCIDENT_H
#define TESTS_RELIABILITY_INCIDENT_H

#include "reliability/world.h"

/* Times are history_now_ns(). */
struct incident {
    enum incident_kind kind;
    uint64_t start_ns;
    uint64_t promoted_ns; /* a replica was seen to be a primary; 0: none was */
    uint64_t named_ns;    /* and named to the clients: from here on they can find it */
    uint64_t healed_ns;   /* our hands are off it */
    uint64_t settled_ns;  /* the world is whole again */
    uint32_t parts;       /* that the primary held, as bits; 0: none that is probed */
    int client_apart;     /* that was cut off with the primary; -1: none */
};

const char *incident_name(enum incident_kind kind);
/* The first four: a replica is promoted. */
bool incident_is_failover(enum incident_kind kind);
bool incident_fits(enum incident_kind kind, const struct topology *topology);

/* Fails the test if it cannot be brought about, or if the world does not become whole again. */
struct incident incident_run(struct world *world, enum incident_kind kind);

#endif
