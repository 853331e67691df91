/* SPDX-License-Identifier: Apache-2.0 */
/* What the fault proxy does to the bytes that pass: the rules in force, and who changes them. */
#ifndef TESTS_INTEGRATION_FAULT_RULES_H
#define TESTS_INTEGRATION_FAULT_RULES_H

#include "support/random.h"

#include <stdbool.h>
#include <stdint.h>

/* Rules of one direction. Zero = no such fault. */
struct lane_rules {
    uint32_t latency_ms;
    uint32_t jitter_ms;
    uint32_t bytes_per_s;
    uint32_t slice_bytes; /* that many at a time, a millisecond apart */
    uint32_t limit_bytes; /* the connection is closed when so many have passed */
    bool hole;            /* nothing passes; what came is delivered late, when the hole ends */
};

enum fault_kind {
    FAULT_PASS,
    FAULT_LATENCY,
    FAULT_HOLE,
    FAULT_BANDWIDTH,
    FAULT_SLICER,
    FAULT_LIMIT,
    FAULT_SLOW_CLOSE,
    FAULT_REFUSE,
    FAULT_RESET,
    FAULT_KINDS
};

struct fault_rules {
    struct lane_rules up;   /* client to server */
    struct lane_rules down; /* server to client */
    uint32_t slow_close_ms; /* one side's close reaches the other so much later */
    bool refuse;            /* nobody listens */
    uint32_t resets;        /* counts up: every open connection is to be reset */
    uint64_t times[FAULT_KINDS];
};

struct fault_chaos {
    struct random_source random;
    uint32_t mean_ms; /* 0 = off */
    uint64_t next_ns;
};

const char *fault_kind_name(enum fault_kind kind);

/* One line of control:
 *
 *   pass                           no fault from now on
 *   latency MS [JITTER_MS] [LANE]
 *   hole [LANE]                    black hole
 *   bandwidth BYTES_PER_S [LANE]
 *   slicer BYTES [LANE]
 *   limit BYTES [LANE]
 *   slowclose MS
 *   refuse                         connections are refused; open ones go on
 *   reset                          every open connection is reset, once
 *   random SEED [MEAN_MS]          another of these every now and then, MEAN_MS on average
 *
 * LANE is up, down or both (default). A line replaces the rules before it; reset leaves them.
 * False for a line that is none of these: then nothing has changed. */
bool fault_rules_obey(struct fault_rules *rules, struct fault_chaos *chaos, const char *line,
                      uint64_t now_ns);

/* In random mode: change the rules if it is time. True if they have changed. */
bool fault_chaos_step(struct fault_chaos *chaos, struct fault_rules *rules, uint64_t now_ns);

#endif
