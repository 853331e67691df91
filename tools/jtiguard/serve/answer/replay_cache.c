/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/answer/replay_cache.h"

/* Under each: when the first replay was seen, by the monotonic clock. */
struct slot_key replay_cache_key(const struct slots *cache, jtg_text token, jtg_text proof)
{
    if (cache == NULL)
        return (struct slot_key){{0, 0}};
    return slots_key_pair(cache, slots_key(cache, token.data, token.data_len),
                          slots_key(cache, proof.data, proof.data_len));
}

bool replay_cache_knows(struct slots *cache, struct slot_key key, int64_t now_ms, int64_t quiet_ms,
                        int64_t life_ms)
{
    int64_t born = 0;
    if (cache == NULL || !slots_get(cache, key, &born))
        return false;
    int64_t age = now_ms - born;
    return age >= quiet_ms && age - quiet_ms < life_ms;
}

void replay_cache_remember(struct slots *cache, struct slot_key key, int64_t now_ms,
                           int64_t quiet_ms, int64_t life_ms)
{
    int64_t born = 0;
    if (cache == NULL)
        return;
    /* An entry keeps its birth, or a steady flood would keep it quiet for ever. */
    if (!slots_get(cache, key, &born) || now_ms - born >= quiet_ms + life_ms)
        slots_put(cache, key, now_ms);
}
