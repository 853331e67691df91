/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/answer/replay_cache.h"

#include <stdlib.h>

struct replay_cache {
    struct slots *born; /* when the first replay was seen, by the monotonic clock */
};

struct replay_cache *replay_cache_new(uint64_t entries, bool *ok)
{
    *ok = true;
    if (entries == 0)
        return NULL;
    struct replay_cache *cache = calloc(1, sizeof *cache);
    if (cache != NULL)
        cache->born = slots_new(entries);
    *ok = cache != NULL && cache->born != NULL;
    if (*ok)
        return cache;
    free(cache);
    return NULL;
}

void replay_cache_free(struct replay_cache *cache)
{
    if (cache != NULL)
        slots_free(cache->born);
    free(cache);
}

struct slot_key replay_cache_key(const struct replay_cache *cache, jtg_text token, jtg_text proof)
{
    if (cache == NULL)
        return (struct slot_key){{0, 0}};
    return slots_key_pair(cache->born, slots_key(cache->born, token.data, token.data_len),
                          slots_key(cache->born, proof.data, proof.data_len));
}

bool replay_cache_knows(struct replay_cache *cache, struct slot_key key, int64_t now_ms,
                        int64_t quiet_ms, int64_t life_ms)
{
    int64_t born = 0;
    if (cache == NULL || !slots_get(cache->born, key, &born))
        return false;
    int64_t age = now_ms - born;
    return age >= quiet_ms && age - quiet_ms < life_ms;
}

void replay_cache_remember(struct replay_cache *cache, struct slot_key key, int64_t now_ms,
                           int64_t quiet_ms, int64_t life_ms)
{
    int64_t born = 0;
    if (cache == NULL)
        return;
    /* An entry keeps its birth, or a steady flood would keep it quiet for ever. */
    if (!slots_get(cache->born, key, &born) || now_ms - born >= quiet_ms + life_ms)
        slots_put(cache->born, key, now_ms);
}

void replay_cache_clear(struct replay_cache *cache)
{
    if (cache != NULL)
        slots_clear(cache->born);
}
