/* SPDX-License-Identifier: Apache-2.0 */
/* The client processes of a campaign: those that run all the time, and newcomers, which know
 * nothing of what was before they started. */
#ifndef TESTS_RELIABILITY_CLIENTS_H
#define TESTS_RELIABILITY_CLIENTS_H

#include "integration/store.h"
#include "reliability/load.h"
#include "reliability/world.h"

enum { CLIENTS_MAX = 96, CLIENT_PATH_BYTES = 96 };

struct clients {
    const struct world *world;
    uint64_t seed;
    bool break_release;
    char folder[64];
    char uri[STORE_URI_BYTES];
    char slip_uri[STORE_URI_BYTES]; /* of the first client, if it has one of its own */
    /* The first WORLD_CLIENTS run all the time, the last may be a newcomer. */
    unsigned count;
    char paths[CLIENTS_MAX][CLIENT_PATH_BYTES];
    pid_t pids[CLIENTS_MAX];
    struct load_board *boards; /* of each, shared with it */
    int ready[2];
    int over[2];
    int leave[2]; /* the newcomer's */
};

/* Make the folder, start them and wait until each is served. query: more of the store's URI. */
void clients_start(struct clients *clients, const struct world *world, const char *query);
/* Fails the test if one has found a fault of its own. */
void clients_stop(struct clients *clients);
void clients_remove_histories(const struct clients *clients);

/* Wait until each that runs all the time was admitted a token, or answered a reserve, that it asked
 * for after a moment (history_now_ns). False after half a minute. */
bool clients_await_admitted(const struct clients *clients, uint64_t since_ns);
bool clients_await_answered(const struct clients *clients, uint64_t since_ns);

/* Start one more process, and end it. One at a time. */
void clients_add_newcomer(struct clients *clients);
void clients_dismiss_newcomer(struct clients *clients);

#endif
