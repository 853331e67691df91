/* SPDX-License-Identifier: Apache-2.0 */
/* Two server processes with early data on one Redis, and what they have accepted. Failures assert,
 * so use it in the test's own thread. */
#ifndef TESTS_ADAPTERS_OPENSSL_EARLY_DATA_FLEET_H
#define TESTS_ADAPTERS_OPENSSL_EARLY_DATA_FLEET_H

#include "adapters/openssl/tls_ends.h"
#include "support/redis_server.h"

#include <jtiguard/anti_replay.h>
#include <stdatomic.h>

enum { FLEET_SERVERS = 2, FLEET_FLIGHTS = 65536, FLEET_EARLY_ROOM = 32 };

/* In memory that all processes share. */
struct fleet_board {
    atomic_uint accepted[FLEET_FLIGHTS];          /* how often early data of flight n was read */
    atomic_uint reasons[JTG_FLIGHT_REASON_COUNT]; /* what the servers were told */
    atomic_uint ready;                            /* servers that were started and can serve */
    atomic_uint waited, completed, broken;        /* how connections ended */
};

struct fleet {
    struct fleet_board *board;
    struct redis_server redis;
    char kek_file[64];
    bool stores; /* sessions lie in Redis, else in tickets */
    int listeners[FLEET_SERVERS];
    uint16_t ports[FLEET_SERVERS];
    pid_t pids[FLEET_SERVERS];
    unsigned started;
};

void fleet_start(struct fleet *fleet, bool stores);
void fleet_stop(struct fleet *fleet);

/* kill -9, and the same anew: another process, which knows nothing. */
void fleet_restart_server(struct fleet *fleet, unsigned server);

/* kill -9, and the same anew, empty. */
void fleet_restart_redis(struct fleet *fleet);

/* The early data of flight n. */
void fleet_early(char early[FLEET_EARLY_ROOM], unsigned n);

#endif
