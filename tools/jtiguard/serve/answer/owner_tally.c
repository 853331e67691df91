/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/answer/owner_tally.h"

/* Under each pair: when all is even again, by the monotonic clock, in microseconds. */
enum { US_PER_MS = 1000 };

static struct slot_key key_of(const struct slots *slots, jtg_text text)
{
    return slots_key(slots, text.data, text.data_len);
}

bool owner_tally_take(struct slots *tally, const struct owned_token *owned, int64_t now_ms,
                      int64_t window_ms)
{
    struct slot_key key =
        slots_key_pair(tally, key_of(tally, owned->id), key_of(tally, owned->key));
    int64_t now_us = now_ms * US_PER_MS;
    int64_t window_us = window_ms * US_PER_MS;
    return slots_raise(tally, key, now_us, window_us / OWNER_TIMES) - now_us <= window_us;
}
