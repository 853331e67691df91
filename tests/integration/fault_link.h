/* SPDX-License-Identifier: Apache-2.0 */
/* One connection through the fault proxy: a client's socket, the server's, and a queue each way. */
#ifndef TESTS_INTEGRATION_FAULT_LINK_H
#define TESTS_INTEGRATION_FAULT_LINK_H

#include "integration/fault_rules.h"

#include <poll.h>
#include <stddef.h>

struct chunk;

/* One direction. */
struct lane {
    int from;
    int to;
    struct chunk *first;
    struct chunk *last;
    size_t queued;     /* bytes */
    uint64_t passed;   /* bytes since the limit in force was set */
    uint64_t pause_ns; /* nothing is sent before */
    uint64_t last_due_ns;
    uint64_t ended_ns; /* when the sender closed; 0 = not yet */
    bool finished;     /* and the receiver has been told */
};

struct link {
    struct lane up;
    struct lane down;
    struct link *next;
};

/* Takes both sockets, non-blocking ones. NULL without memory: then they are still the caller's. */
struct link *link_new(int client, int server);

/* Close both sides; abort = with a reset instead of an orderly end. */
void link_free(struct link *link, bool abort);

/* A new limit counts from here. */
void link_rules_changed(struct link *link);

/* What to wait for, for the client's and the server's socket. */
void link_wants(const struct link *link, const struct fault_rules *rules, uint64_t now_ns,
                struct pollfd fds[2]);

/* The moment at which something is to be done although no socket is ready. UINT64_MAX = never.
 * What is due already and waits for a socket that takes it is link_wants()' matter. */
uint64_t link_wakes_at(const struct link *link, const struct fault_rules *rules, uint64_t now_ns);

enum link_state { LINK_OPEN, LINK_CLOSED, LINK_BROKEN };

/* Read, delay and pass on what can be. BROKEN: one side was reset, the other is to be too. */
enum link_state link_step(struct link *link, const struct fault_rules *rules,
                          struct random_source *random, const struct pollfd fds[2],
                          uint64_t now_ns);

#endif
