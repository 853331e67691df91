/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of the tags: one that the program gives; or one that lies in the store, where all
 * instances of a set find it, and where the first of them has put it.
 *
 * It lies under "jtg:ch1:key:" and the name of the set, as a byte 1 and the 32 bytes. A store that
 * has lost it is given it back by whoever knows it. One that others have put there meanwhile is
 * taken over, and the one before is remembered: what was issued under it is told from what is made
 * up. */
#ifndef JTGI_TOKENS_CHALLENGES_CHALLENGE_KEYS_H
#define JTGI_TOKENS_CHALLENGES_CHALLENGE_KEYS_H

#include "tokens/challenges/challenge_text.h"

#include <pthread.h>

enum { JTGI_CHALLENGE_KEYS_MAX = 4, JTGI_CHALLENGE_KEY_PLACE_BYTES = 80 };

struct jtgi_challenge_keys {
    pthread_mutex_t lock;             /* short copies; never held while the store is asked */
    struct jtgi_challenge_key *known; /* secret memory; the newest first */
    size_t count;
    bool given;
    jtg_cache *cache; /* borrowed */
    jtg_key place;
    char place_bytes[JTGI_CHALLENGE_KEY_PLACE_BYTES];
    int64_t looked_ms; /* for a key that was not known; INT64_MIN: never */
};

/* secret: NULL, where the key lies in the store. libsodium must be ready.
 * Returns: JTG_OK · JTG_ERR_MEMORY */
jtg_status jtgi_challenge_keys_init(struct jtgi_challenge_keys *keys, jtg_cache *cache,
                                    const char *name, const void *secret, jtg_error *err);
void jtgi_challenge_keys_clear(struct jtgi_challenge_keys *keys);

/* See that the store has our key, or we have the store's.
 * Returns: JTG_OK · the store's JTG_ERR_… */
jtg_status jtgi_challenge_keys_sync(struct jtgi_challenge_keys *keys, jtg_error *err);

/* The one to issue with, after a sync. */
void jtgi_challenge_keys_newest(struct jtgi_challenge_keys *keys, struct jtgi_challenge_key *key);

/* The one of an id. The store is asked for one that is not known at most ten times a second: else
 * whoever makes ids up would ask it as often.
 * Returns: JTG_OK · JTG_MISMATCH · the store's JTG_ERR_… */
jtg_status jtgi_challenge_keys_find(struct jtgi_challenge_keys *keys,
                                    const unsigned char id[JTGI_CHALLENGE_KEY_ID_BYTES],
                                    int64_t now_ms, struct jtgi_challenge_key *key, jtg_error *err);

#endif
