/* SPDX-License-Identifier: Apache-2.0 */
/* The set of ticket keys as one instance has loaded it, and how it changes. A set that is shared by
 * threads never changes: a new one takes its place. */
#ifndef JTGI_TOKENS_TICKETS_KEY_SET_H
#define JTGI_TOKENS_TICKETS_KEY_SET_H

#include "tokens/tickets/ticket_key.h"

enum { JTGI_EPOCH_BYTES = 16 };

/* The options that shape a set, checked, in milliseconds. */
struct jtgi_key_schedule {
    int64_t rotation_ms;
    int64_t lifetime_ms;
    int64_t lead_ms;
    int64_t margin_ms;
};

/* How far the times of two instances may be apart before something is wrong. */
static inline int64_t jtgi_key_schedule_slack(const struct jtgi_key_schedule *schedule)
{
    enum { LEAST_MS = 1000 };
    return schedule->margin_ms > LEAST_MS ? schedule->margin_ms : LEAST_MS;
}

struct jtgi_set_entry {
    struct jtgi_ticket_key *key; /* held */
    int64_t published_ms;
    int64_t not_before_ms;
    int64_t encrypt_until_ms;
    int64_t decrypt_until_ms;
};

/* Where the time of the set stood when it was read, by the clocks of this process. */
struct jtgi_set_anchor {
    int64_t set_ms;
    int64_t asked_monotonic_ms;    /* before the store was asked, */
    int64_t answered_monotonic_ms; /* and after */
    int64_t asked_wall_ms;
};

struct jtgi_key_set {
    atomic_uint holders;
    unsigned char epoch[JTGI_EPOCH_BYTES]; /* of sets that come one from the other */
    uint64_t version;                      /* counts the changes within an epoch, from 1 */
    int64_t revoked_ms; /* keys published until here are not taken in again; 0 = never revoked */
    struct jtgi_set_anchor anchor;
    size_t count;
    struct jtgi_set_entry entries[JTG_TICKET_KEYS_MAX]; /* by not_before, oldest first */
};

/* The time of the set lies between the two, whatever happened to the clocks here: a rule that waits
 * for a time asks `low`, a rule that ends at a time asks `high`. */
struct jtgi_set_time {
    int64_t low_ms;
    int64_t high_ms;
};

/* An empty set, held once; NULL when out of memory. */
struct jtgi_key_set *jtgi_key_set_new(void);
/* A copy to be changed, held once; NULL when out of memory. */
struct jtgi_key_set *jtgi_key_set_copy(const struct jtgi_key_set *set);
struct jtgi_key_set *jtgi_key_set_hold(struct jtgi_key_set *set);
/* NULL is fine. */
void jtgi_key_set_drop(struct jtgi_key_set *set);

bool jtgi_key_set_same_epoch(const struct jtgi_key_set *a, const struct jtgi_key_set *b);

struct jtgi_set_time jtgi_key_set_time(const struct jtgi_key_set *set, int64_t monotonic_ms,
                                       int64_t wall_ms);

/* NULL where there is none. */
const struct jtgi_set_entry *jtgi_key_set_find(const struct jtgi_key_set *set,
                                               const unsigned char name[JTG_TICKET_NAME_BYTES]);

/* The key whose turn it is to seal: the newest one that may. Else NULL, and why. */
const struct jtgi_set_entry *jtgi_key_set_sealing(const struct jtgi_key_set *set,
                                                  const struct jtgi_set_time *now,
                                                  jtg_ticket_reason *why);

/* Add an entry, in its place; its hold is taken. The set has room and is not shared. */
void jtgi_key_set_add(struct jtgi_key_set *set, const struct jtgi_set_entry *entry);

/* ---- changes; the set is not shared yet ---- */

/* Forget keys that open nothing any more. */
void jtgi_key_set_prune(struct jtgi_key_set *set, const struct jtgi_key_schedule *schedule,
                        int64_t now_ms);

/* Throw away the keys that were published until then, for good: they are not taken in again. */
void jtgi_key_set_revoke(struct jtgi_key_set *set, int64_t until_ms);

/* Is there no key yet that comes after the one whose turn it is? */
bool jtgi_key_set_lacks_next(const struct jtgi_key_set *set, int64_t now_ms);

/* Publish the next key. Returns: JTG_OK · JTG_ERR_FULL · JTG_ERR_MEMORY · JTG_ERR_SYSTEM */
jtg_status jtgi_key_set_publish(struct jtgi_key_set *set, const struct jtgi_key_schedule *schedule,
                                struct jtgi_span zone, int64_t now_ms);

/* Let the next key seal as soon as it may. False if it may already, or there is none. */
bool jtgi_key_set_hurry(struct jtgi_key_set *set, const struct jtgi_key_schedule *schedule,
                        int64_t now_ms);

/* Take in the live keys that only `other` has, to open with; newest first, as long as there is room
 * beside one to be published. Where the epochs differ, shift_ms moves their times to this set's. A
 * revocation is taken over too; and a set that was revoked takes in no key of another epoch. True
 * if anything changed. */
bool jtgi_key_set_merge(struct jtgi_key_set *set, const struct jtgi_key_set *other, int64_t now_ms,
                        int64_t shift_ms);

/* When the last key ends. */
int64_t jtgi_key_set_end(const struct jtgi_key_set *set);

#endif
