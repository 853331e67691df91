/* SPDX-License-Identifier: Apache-2.0 */
/* One address for several servers: a TCP forwarder on a host of its own, which leads to one of
 * them, or to each in turn. */
#ifndef TESTS_RELIABILITY_FORWARDER_H
#define TESTS_RELIABILITY_FORWARDER_H

#include "reliability/hosts.h"

#include <sys/types.h>

enum { FORWARDER_TARGETS = 2 };

struct forwarder {
    pid_t pid;
    int orders; /* one byte each: the place of the target, or FORWARDER_TARGETS for all by turns */
    int done;   /* one byte for each order that was carried out */
};

/* It accepts on host:port when this returns, and leads to the first target. */
void forwarder_start(struct forwarder *forwarder, unsigned host, unsigned port,
                     const unsigned targets[FORWARDER_TARGETS]);
void forwarder_stop(struct forwarder *forwarder);

/* Cut every connection, and lead the next ones to that target; all: to each in turn. */
void forwarder_lead(struct forwarder *forwarder, unsigned target);
void forwarder_lead_to_all(struct forwarder *forwarder);

#endif
