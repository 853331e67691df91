/* SPDX-License-Identifier: Apache-2.0 */
/* The connection of a front for event loops, and the batches that fly on it, in their order. One
 * thread, no lock: what a pipeline is for callers that block (flow/pipeline.h), by the same
 * batches, the same watch and the same rules of when a connection may be used. */
#ifndef JTGI_REDIS_LANE_H
#define JTGI_REDIS_LANE_H

#include "redis/flow/batch.h"
#include "redis/loop/bell.h"
#include "redis/loop/chain.h"
#include "redis/route/node.h"

enum { JTGI_LANE_FLIGHTS = 8 };

struct jtgi_lane_flight {
    struct jtgi_batch *batch; /* kept for the next flight in its place; NULL: none yet */
    size_t sent;
    struct jtgi_chain trips; /* that wait for it */
};

struct jtgi_lane {
    struct jtgi_node *node; /* borrowed, as the next */
    struct jtgi_bell *bell;
    struct jtgi_durability durability;
    struct jtgi_connection *connection; /* NULL: none */
    bool retired;                       /* nothing more goes out on it */
    struct jtgi_lane_flight flights[JTGI_LANE_FLIGHTS];
    unsigned first;
    unsigned count;
};

void jtgi_lane_init(struct jtgi_lane *lane, struct jtgi_node *node, struct jtgi_bell *bell);
void jtgi_lane_clear(struct jtgi_lane *lane);

/* A new connection; there is none. */
void jtgi_lane_take(struct jtgi_lane *lane, struct jtgi_connection *connection, int64_t asked_ns,
                    uint64_t gains);

/* Is there one that may be used now? What is not fit for it any more is let go of, unless something
 * flies on it. */
bool jtgi_lane_is_fit(struct jtgi_lane *lane, int64_t now_ns);

/* May another batch fly? */
bool jtgi_lane_has_room(const struct jtgi_lane *lane);

/* An empty flight, to be filled; NULL: out of memory. Then it departs, or is left. */
struct jtgi_lane_flight *jtgi_lane_open(struct jtgi_lane *lane);
void jtgi_lane_depart(struct jtgi_lane *lane, struct jtgi_lane_flight *flight, int64_t now_ns);

/* Send what can be sent. False: the line is lost, and fault says why. */
bool jtgi_lane_send(struct jtgi_lane *lane, struct jtgi_fault *fault);

/* Receive what is there. The first flight, if it has come home: take its answers, then let it land;
 * is_odd: one of them was none. NULL: not yet, or, if fault->io is another than LATER, the line is
 * lost. */
struct jtgi_lane_flight *jtgi_lane_receive(struct jtgi_lane *lane, struct jtgi_fault *fault);
void jtgi_lane_land(struct jtgi_lane *lane, bool is_odd);

/* The first flight, NULL: none. Its line is lost: let go of it, flight by flight, and then of the
 * connection. */
struct jtgi_lane_flight *jtgi_lane_first(struct jtgi_lane *lane);
void jtgi_lane_drop(struct jtgi_lane *lane);
void jtgi_lane_let_go(struct jtgi_lane *lane);

/* When its line is given up, if nothing has come by then; INT64_MAX: it is not in doubt. */
int64_t jtgi_lane_doubt_ns(struct jtgi_lane *lane);

/* That moment is over: is the line given up? */
bool jtgi_lane_gives_up(struct jtgi_lane *lane);

#endif
