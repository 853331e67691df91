/* SPDX-License-Identifier: Apache-2.0 */
/* One call of a front for event loops on its way: the attempt that it is, the round that its
 * question is in. It does no I/O; the loop says what has come of what it asked. */
#ifndef JTGI_REDIS_TRIP_H
#define JTGI_REDIS_TRIP_H

#include "core/loop.h"
#include "redis/ask/attempt.h"
#include "redis/loop/chain.h"

struct jtgi_trip {
    struct jtgi_loop_call *call;
    struct jtgi_attempt attempt;
    struct jtgi_errand errand;
    bool is_out;           /* its question is under way, be it in another round */
    int64_t not_before_ns; /* of that round */
    struct jtgi_chain by_age;
    struct jtgi_chain place; /* with those that are as far */
};

enum jtgi_trip_next {
    JTGI_TRIP_ASKS,  /* once more, or something else */
    JTGI_TRIP_MARKS, /* when its slot is marked: jtgi_trip_marked() */
    JTGI_TRIP_ENDS
};

/* *line_is_odd is set when an answer comes that nobody asked for. */
void jtgi_trip_begin(struct jtgi_trip *trip, struct jtgi_redis *redis, struct jtgi_loop_call *call,
                     bool *line_is_odd);

/* What it asks in this round, in the words of the command, which must stay until they are copied.
 * NULL: nothing; go on with it. */
struct jtgi_exchange *jtgi_trip_ask(struct jtgi_trip *trip, struct jtgi_command *command);

/* What came of it. why: unless it is ANSWERED. */
void jtgi_trip_hear(struct jtgi_trip *trip, enum jtgi_fate fate, const jtg_error *why);

/* Then. */
enum jtgi_trip_next jtgi_trip_go_on(struct jtgi_trip *trip, int64_t now_ns);

/* Of one that waits for its mark. */
enum jtgi_trip_next jtgi_trip_marked(struct jtgi_trip *trip, jtg_status status,
                                     const jtg_error *why);

/* It ends here, whatever time it had: with what is known of the question that is out, if one is. */
void jtgi_trip_give_up(struct jtgi_trip *trip, enum jtgi_fate fate, const char *text);

/* The call's answer. */
void jtgi_trip_end(struct jtgi_trip *trip);

#endif
