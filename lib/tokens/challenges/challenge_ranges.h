/* SPDX-License-Identifier: Apache-2.0 */
/* The ranges of numbers that this process hands out.
 *
 * A range has a random name of 16 bytes, under which its bitmap lies in the store. It is made
 * before its first number goes out, so whoever holds a number holds the memory for its bit; and no
 * two processes hold one range, for nobody draws the same name. Numbers of a range that are left
 * when its time is up, or when the process ends, are never handed out. */
#ifndef JTGI_TOKENS_CHALLENGES_CHALLENGE_RANGES_H
#define JTGI_TOKENS_CHALLENGES_CHALLENGE_RANGES_H

#include "tokens/challenges/challenge_text.h"

#include <jtiguard/clock.h>
#include <pthread.h>

enum {
    JTGI_CHALLENGE_RANGES_SPARE = 8, /* that others had at the same time, and are handed out next */
    JTGI_CHALLENGE_PLACE_BYTES = 8 + JTG_CHALLENGE_NAME_MAX_BYTES + 1 + JTGI_CHALLENGE_RANGE_BYTES
};

struct jtgi_challenge_range {
    unsigned char name[JTGI_CHALLENGE_RANGE_BYTES];
    int64_t born_ms;  /* wall clock, before its bitmap was made */
    int64_t until_ms; /* monotonic: no number goes out from then on */
    uint32_t next;
    uint32_t count;
};

struct jtgi_challenge_ranges {
    pthread_mutex_t lock;   /* short copies; never held while the store is asked */
    jtg_cache *cache;       /* borrowed */
    const jtg_clock *clock; /* borrowed */
    const char *name;       /* of the set; borrowed */
    size_t name_len;
    uint64_t lifetime_ms;
    uint64_t window_ms; /* how long a range hands out numbers */
    int64_t margin_ms;
    uint32_t most;
    uint32_t size; /* of the next one */
    bool watches;
    struct jtgi_challenge_range ready[1 + JTGI_CHALLENGE_RANGES_SPARE]; /* in use is the first */
    size_t ready_count;
    bool adding; /* somebody has been told to have another one */
};

/* The options are those that were read; cache, clock and name stay the caller's. */
void jtgi_challenge_ranges_init(struct jtgi_challenge_ranges *ranges, jtg_cache *cache,
                                const jtg_clock *clock, const jtg_challenges_options *options);
void jtgi_challenge_ranges_clear(struct jtgi_challenge_ranges *ranges);

/* Up to so many numbers in a row: *piece is from next up to count. 0: there is no range now.
 * *runs_out: few are left, and this caller, alone of all, is to have another range, so that not all
 * of them do when none is left. */
uint32_t jtgi_challenge_ranges_take(struct jtgi_challenge_ranges *ranges, uint32_t most,
                                    struct jtgi_challenge_range *piece, bool *runs_out);

/* Have another range from the store. Returns: as jtg_challenges_issue() */
jtg_status jtgi_challenge_ranges_add(struct jtgi_challenge_ranges *ranges, jtg_error *err);

/* Whoever was told that they run out has asked, with or without success. */
void jtgi_challenge_ranges_asked(struct jtgi_challenge_ranges *ranges);

/* The store has forgotten this one: if it is of ours, no more of any that is ready goes out, for
 * what has lost one may have lost all. Of another's, or of one that is used up, nothing follows:
 * whoever showed old challenges again and again would else have new ranges made as often. */
void jtgi_challenge_ranges_drop(struct jtgi_challenge_ranges *ranges, const unsigned char *name);

/* Where the bitmap of a range lies: "jtg:ch1:", the name of the set, ":", and its own. */
size_t jtgi_challenge_place(const struct jtgi_challenge_ranges *ranges, const unsigned char *name,
                            unsigned char place[JTGI_CHALLENGE_PLACE_BYTES]);

/* What its bits need to have been kept: everything since it was born, by whatever clock. */
int64_t jtgi_challenge_needed_ms(const struct jtgi_challenge_ranges *ranges, int64_t born_ms);

#endif
