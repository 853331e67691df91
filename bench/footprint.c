/* SPDX-License-Identifier: Apache-2.0 */
#include "footprint.h"

#include "histogram.h"
#include "isolate.h"
#include "phase.h"
#include "warm.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Without stdio, whose buffers would be counted. */
static double resident_bytes(int statm)
{
    char text[128] = {0};
    unsigned long long pages = 0;
    if (pread(statm, text, sizeof text - 1, 0) <= 0 || sscanf(text, "%*u %llu", &pages) != 1)
        bench_die("cannot read /proc/self/statm");
    return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

struct fill {
    const struct bench_footprint_input *input;
    void *self;
    struct bench_item *items;
    struct bench_histogram *waits;
    int statm;
    double bytes_before;
};

static void reserve_timed(const struct fill *fill, const struct bench_item *item)
{
    uint64_t begin = bench_now_ns();
    jtg_status status = fill->input->subject->reserve(fill->self, item, BENCH_TTL_MS);
    bench_histogram_add(fill->waits, bench_now_ns() - begin);
    if (status != JTG_OK)
        bench_die("%s table: a fresh key was answered with %s", fill->input->subject->name,
                  jtg_status_name(status));
}

static void fill_up_to(const struct fill *fill, uint64_t *live, uint64_t target)
{
    struct bench_range range = {0, fill->input->entries, 0};
    while (*live < target) {
        uint64_t left = target - *live;
        size_t count = left < BENCH_BLOCK_ITEMS ? (size_t)left : BENCH_BLOCK_ITEMS;
        bench_items_fill(fill->items, count, &range, *live, BENCH_HOLDER);
        for (size_t i = 0; i < count; i++)
            reserve_timed(fill, &fill->items[i]);
        *live += count;
    }
}

static double bytes_per_entry(const struct fill *fill, uint64_t live)
{
    return (resident_bytes(fill->statm) - fill->bytes_before) / (double)live;
}

static void fill_and_look(const struct fill *fill, struct bench_footprint *footprint)
{
    uint64_t entries = fill->input->entries, live = 0;
    for (uint64_t look = 0; look <= BENCH_LOOKS; look++) {
        fill_up_to(fill, &live, entries / 2 + (entries - entries / 2) * look / BENCH_LOOKS);
        footprint->bytes_per_entry = bytes_per_entry(fill, live);
        footprint->bytes_at[look] = footprint->bytes_per_entry;
        if (footprint->bytes_per_entry > footprint->bytes_per_entry_worst)
            footprint->bytes_per_entry_worst = footprint->bytes_per_entry;
    }
    footprint->fill_p999_us = bench_histogram_quantile_us(fill->waits, 0.999);
    footprint->fill_max_us = bench_histogram_max_us(fill->waits);
}

static void *measure(const struct bench_footprint_input *input, struct bench_footprint *footprint)
{
    static struct bench_histogram waits;
    bench_warm_memory(input->entries);
    struct fill fill = {.input = input, .items = bench_block_new(), .waits = &waits};
    fill.statm = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    for (size_t i = 0; i < BENCH_HISTOGRAM_BUCKETS; i++)
        *(volatile uint64_t *)&waits.buckets[i] = 0; /* resident before we look */
    fill.bytes_before = resident_bytes(fill.statm);

    struct bench_setup setup = {.max_entries = input->entries * 2, .thread = input->thread};
    fill.self = input->subject->make(&setup);
    fill_and_look(&fill, footprint);
    (void)close(fill.statm);
    free(fill.items);
    return fill.self;
}

void bench_footprint_measure(const void *input, void *result)
{
    const struct bench_footprint_input *of = input;
    (void)measure(of, result);
}

void bench_footprint_measure_memory(const void *input, void *result)
{
    const struct bench_footprint_input *of = input;
    struct bench_memory_footprint *both = result;
    void *self = measure(of, &both->footprint);
    both->stats = bench_memory_stats(self);
}
