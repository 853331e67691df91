/* SPDX-License-Identifier: Apache-2.0 */
#include "subject_cache.h"

static jtg_key key_of(const struct bench_item *item)
{
    jtg_key key = {item->key, BENCH_KEY_BYTES, NULL, 0};
    return key;
}

jtg_status bench_cache_reserve(void *self, const struct bench_item *item, uint64_t ttl_ms)
{
    jtg_key key = key_of(item);
    return jtg_cache_reserve(self, &key, &item->owner, ttl_ms, NULL);
}

jtg_status bench_cache_reserve_told(void *self, const struct bench_item *item, uint64_t ttl_ms)
{
    jtg_key key = key_of(item);
    jtg_error err;
    jtg_status status = jtg_cache_reserve(self, &key, &item->owner, ttl_ms, &err);
    return err.text[0] != '\0' ? status : JTG_OK;
}

jtg_status bench_cache_release(void *self, const struct bench_item *item)
{
    jtg_key key = key_of(item);
    return jtg_cache_release(self, &key, &item->owner, NULL);
}

size_t bench_cache_reserve_many(void *self, const struct bench_item *items, size_t count,
                                uint64_t ttl_ms, jtg_status expected)
{
    jtg_reserve_call calls[BENCH_BATCH];
    size_t wrong = 0;
    for (size_t i = 0; i < count; i++)
        calls[i] = (jtg_reserve_call){.key = key_of(&items[i]),
                                      .owner = &items[i].owner,
                                      .ttl_ms = ttl_ms,
                                      .kept_since_ms = JTG_KEPT_ANY};
    jtg_cache_reserve_many(self, calls, count);
    for (size_t i = 0; i < count; i++)
        wrong += calls[i].status != expected || calls[i].reserved != (expected == JTG_OK);
    return wrong;
}
