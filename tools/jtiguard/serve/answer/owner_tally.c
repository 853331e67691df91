/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/answer/owner_tally.h"

#include <stdlib.h>

enum { US_PER_MS = 1000 };

struct owner_tally {
    struct slots *even_us; /* when all is even again, by the monotonic clock */
};

struct owner_tally *owner_tally_new(uint64_t entries)
{
    struct owner_tally *tally = calloc(1, sizeof *tally);
    if (tally == NULL)
        return NULL;
    tally->even_us = slots_new(entries);
    if (tally->even_us != NULL)
        return tally;
    free(tally);
    return NULL;
}

void owner_tally_free(struct owner_tally *tally)
{
    if (tally != NULL)
        slots_free(tally->even_us);
    free(tally);
}

static struct slot_key key_of(const struct slots *slots, jtg_text text)
{
    return slots_key(slots, text.data, text.data_len);
}

bool owner_tally_take(struct owner_tally *tally, const struct owned_token *owned, int64_t now_ms,
                      int64_t window_ms)
{
    const struct slots *slots = tally->even_us;
    struct slot_key key =
        slots_key_pair(slots, key_of(slots, owned->id), key_of(slots, owned->key));
    int64_t now_us = now_ms * US_PER_MS;
    int64_t window_us = window_ms * US_PER_MS;
    return slots_raise(tally->even_us, key, now_us, window_us / OWNER_TIMES) - now_us <= window_us;
}
