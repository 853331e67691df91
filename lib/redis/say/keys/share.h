/* SPDX-License-Identifier: Apache-2.0 */
/* The share of a group (an issuer): which of its reservations live. No I/O, no locks.
 *
 * A sorted set behind the key of the marker ("g" and the group's name), one a group, and in a
 * Cluster one a group and slot: a member for each reservation, with the moment at which it ends.
 * What has ended is not counted, and is taken out by those that come. A reservation that is counted
 * has the group behind the owner in its value, so that whoever releases it gives the place back to
 * the right one. */
#ifndef JTGI_REDIS_SHARE_H
#define JTGI_REDIS_SHARE_H

#include "redis/say/keys/marker.h"
#include "redis/say/keys/stored_key.h"

enum {
    JTGI_SHARE_NAME_BYTES = 12, /* of a digest; of a group, and of a reservation within it */
    JTGI_SHARE_KEY_MAX_BYTES = JTGI_MARKER_KEY_MAX_BYTES + 1 + JTGI_SHARE_NAME_BYTES
};

/* What all shares of a cache have in common. */
struct jtgi_shares {
    uint64_t limit;                        /* of a group, or of a group in a slot; 0: no shares */
    const struct jtgi_marker_keys *beside; /* the key of a slot's marker is in that slot */
    struct jtgi_marker_keys own;           /* where nothing is watched */
};

struct jtgi_share {
    unsigned char key[JTGI_SHARE_KEY_MAX_BYTES];
    size_t key_len; /* 0: no group */
    unsigned char group[JTGI_SHARE_NAME_BYTES];
    unsigned char member[JTGI_SHARE_NAME_BYTES];
};

/* watched: the keys of the markers, where the store is watched; else NULL. Borrowed.
 *
 * Returns: JTG_OK · JTG_ERR_MEMORY */
jtg_status jtgi_shares_init(struct jtgi_shares *shares, const struct jtgi_redis_config *config,
                            const struct jtgi_marker_keys *watched, jtg_error *err);
void jtgi_shares_clear(struct jtgi_shares *shares);

/* How many reservations of a group one of `parts` slots holds at most, so that a group with `most`
 * in all of them is not refused by chance. */
uint64_t jtgi_share_of_slot(uint64_t most, unsigned parts);

/* That of a reservation, by its group. */
void jtgi_share_of(struct jtgi_share *share, const struct jtgi_shares *shares, const jtg_key *key,
                   const struct jtgi_stored_key *stored);

/* That of a group whose name a reservation has. False: that is no name. */
bool jtgi_share_rename(struct jtgi_share *share, const struct jtgi_shares *shares, uint16_t slot,
                       const void *group, size_t group_len);

/* Is a key of the server a share of this cache? For count. */
bool jtgi_share_is_key(const struct jtgi_redis_config *config, const void *key, size_t key_len);

#endif
