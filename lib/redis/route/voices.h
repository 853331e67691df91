/* SPDX-License-Identifier: Apache-2.0 */
/* Sentinels that answered one round of questions: which of them belong together? An address may by
 * now lead to a Sentinel of another deployment, which has a primary of the same name and epochs of
 * its own. Sentinels of one deployment know one another by their ids. No I/O, no locks. */
#ifndef JTGI_REDIS_VOICES_H
#define JTGI_REDIS_VOICES_H

#include "redis/route/sentinel.h"

enum { JTGI_VOICES_MAX = 64 };

struct jtgi_voice {
    struct jtgi_address address; /* by which it is known to us */
    struct jtgi_sentinel_answer answer;
    unsigned group; /* of those that say whom they know */
};

/* All zero: none. */
struct jtgi_voices {
    unsigned count;
    struct jtgi_voice *list[JTGI_VOICES_MAX];
};

void jtgi_voices_clear(struct jtgi_voices *voices);

/* Was this one heard before? More than fit are not told apart, which can only refuse. */
bool jtgi_voices_have(const struct jtgi_voices *voices, const char *id);

/* One that was not. False when out of memory. */
bool jtgi_voices_add(struct jtgi_voices *voices, const struct jtgi_address *address,
                     const struct jtgi_sentinel_answer *answer);

/* The largest group: those that know one another, directly or by way of others, and with them all
 * that do not say whom they know. */
struct jtgi_voices_group {
    unsigned number;
    unsigned count;
    bool clear;         /* more say that they are of it than of all the others */
    uint64_t most_told; /* how many there are, by the one of it who knows of the most */
    /* Of it, with the greatest epoch, and the primary that most name under that; NULL: nobody was
     * heard. */
    const struct jtgi_voice *best;
    const struct jtgi_voice *rival; /* as many name another under it; NULL: nobody does */
    const struct jtgi_voice *other; /* a stranger to it; NULL: there is none */
};

struct jtgi_voices_group jtgi_voices_largest(const struct jtgi_voices *voices);

bool jtgi_voices_is_in(const struct jtgi_voices_group *group, const struct jtgi_voice *voice);

#endif
