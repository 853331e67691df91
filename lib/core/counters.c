/* SPDX-License-Identifier: Apache-2.0 */
#include "core/counters.h"

enum {
    SHARDS = 16, /* a power of two; more threads than this share a copy, which costs only time */
    PLACE_COUNTERS = JTGI_PLACE_BYTES / sizeof(uint64_t)
};

_Static_assert(offsetof(struct jtgi_counters, values) % JTGI_PLACE_BYTES == 0,
               "what every call reads stands on no line that a call writes");

static size_t shard_of_this_thread(void)
{
    static atomic_size_t next_shard;
    static _Thread_local size_t own_shard; /* one more than the shard; 0 = not yet drawn */
    if (own_shard == 0)
        own_shard = atomic_fetch_add_explicit(&next_shard, 1, memory_order_relaxed) % SHARDS + 1;
    return own_shard - 1;
}

struct jtgi_counters *jtgi_counters_new(size_t count)
{
    size_t stride = (count + PLACE_COUNTERS - 1) / PLACE_COUNTERS * PLACE_COUNTERS;
    struct jtgi_counters *counters =
        jtgi_alloc_apart(sizeof *counters + SHARDS * stride * sizeof counters->values[0]);
    if (counters == NULL)
        return NULL;
    counters->count = count;
    counters->stride = stride;
    return counters;
}

void jtgi_counters_free(struct jtgi_counters *counters)
{
    jtgi_free(counters);
}

void jtgi_counters_add(struct jtgi_counters *counters, size_t index)
{
    size_t at = shard_of_this_thread() * counters->stride + index;
    atomic_fetch_add_explicit(&counters->values[at], 1, memory_order_relaxed);
}

uint64_t jtgi_counters_read(const struct jtgi_counters *counters, size_t index)
{
    uint64_t sum = 0;
    if (index >= counters->count)
        return 0;
    for (size_t shard = 0; shard < SHARDS; shard++)
        sum += atomic_load_explicit(&counters->values[shard * counters->stride + index],
                                    memory_order_relaxed);
    return sum;
}
