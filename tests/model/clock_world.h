/* SPDX-License-Identifier: Apache-2.0 */
/* Guards that come and go on one record of the clock, a clock that is set at random, and a memory
 * that knows every use that was ever relied on. What decision 0003 claims is asked of the record
 * after every step, for each of them. */
#ifndef TESTS_MODEL_CLOCK_WORLD_H
#define TESTS_MODEL_CLOCK_WORLD_H

#include "core/wall_clock.h"
#include "support/lending_cache.h"
#include "support/random.h"
#include "support/test_clock.h"

enum { CLOCK_GUARDS = 4, CLOCK_USES = 64, CLOCK_PENDING = 4, CLOCK_OFFSETS = 4 };

/* A token that was admitted at this moment, by one with this margin. */
struct clock_use {
    int64_t wall_ms;
    int64_t monotonic_ms;
    int64_t margin_ms;
};

/* What two processes see of it: in memory that they share. */
struct clock_shared {
    struct test_clock clock;
    _Alignas(8) unsigned char record[JTG_LENT_BYTES];
};

struct clock_guard {
    bool lives;
    struct jtgi_wall_clock wall_clock;
};

/* A decision that waits for its store. */
struct clock_pending {
    unsigned guard;
    struct jtgi_reading asked;
    bool waits;
};

struct clock_world {
    struct clock_shared *shared;
    struct lending_cache store;
    jtg_clock clock;
    jtg_logger logger;
    struct random_source random;
    bool margins_differ;
    bool stops;                     /* threads stop between reading the clock and noting it */
    unsigned nested;                /* how deep in such stops we are */
    int64_t offsets[CLOCK_OFFSETS]; /* where the clock stood at times: it is put right, too */
    struct clock_guard guards[CLOCK_GUARDS];
    struct clock_pending pending[CLOCK_PENDING];
    struct clock_use uses[CLOCK_USES]; /* the last ones */
    unsigned used;                     /* how many in all */
    unsigned late;                     /* decisions that were not relied on */
    unsigned events;
    unsigned judged;
    const char *wrong; /* what must not be; NULL: nothing */
};

/* A world with nobody in it, on shared, whose record is all zero and whose clock is begun. */
void clock_world_init(struct clock_world *world, struct clock_shared *shared, uint64_t seed);
void clock_world_end(struct clock_world *world);

/* Everybody ends, as processes that are killed. What was used is not forgotten. */
void clock_world_kill(struct clock_world *world);

/* Something happens: time passes, the clock is set, a guard begins or ends, decides or hears from
 * its store. */
void clock_world_step(struct clock_world *world);

void clock_world_set_clock(struct clock_world *world);
int64_t clock_world_offset(const struct clock_world *world);
/* So that the wall clock is so far ahead of the monotonic one. */
void clock_world_set_offset(struct clock_world *world, int64_t offset_ms);
/* Somebody uses a token now, and hears at once. */
void clock_world_use(struct clock_world *world);
int64_t clock_world_draw_margin(struct clock_world *world);
jtg_status clock_world_begin(struct clock_world *world, struct clock_guard *guard,
                             int64_t margin_ms);

/* Ask of the record, as one that lives or begins now, for each use: could it be used again? Sets
 * wrong. */
void clock_world_judge(struct clock_world *world);

/* The same of a record as it lies there, for those that live and change nothing. */
void clock_world_judge_record(struct clock_world *world, const struct jtgi_clock_record *record);

#endif
