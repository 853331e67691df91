/* SPDX-License-Identifier: Apache-2.0 */
/* How a table of so many entries is cut up, and how its memory begins. */
#include "table/layout.h"

#include <sodium.h>

enum {
    PARTITIONS_MANY = 64,           /* so many from small caches on; more only for large ones */
    PARTITION_ENTRIES_MIN = 1024,   /* a smaller cache has fewer partitions */
    PARTITION_ENTRIES_MANY = 16384, /* beyond PARTITIONS_MANY, no partition has fewer */
    PLACES_BATCH_MAX = 64,
    LOAD_PERCENT = 85,     /* of a segment that cannot split, at most */
    LOAD_MIN_PERCENT = 40, /* of those that split, on average, at least: for the address space */
    SEGMENT_HOMES = 2048,  /* of a segment that can split, at most */
    OVERRUN_SPLIT = 32,    /* of a segment that splits when its overrun is full */
    OVERRUN = 128,         /* of one that cannot: see below */
    STAGGER = 64,          /* steps in which the homes go down to one half */
    FIRST_PART = 32, /* of its homes a first segment begins with this part, staggered as they are */
    FIRST_HOMES_MIN = 32,
    PAGE_BYTES = 4096
};

/* A smaller cache takes no huge pages: the one that is begun would be nearly a byte an entry. */
#define HUGE_ENTRIES_MIN UINT64_C(3000000)

static size_t round_up(size_t size, size_t unit)
{
    return (size + unit - 1) / unit * unit;
}

static uint32_t partitions_for(uint64_t max_entries)
{
    uint32_t number = 1;
    while (number < PARTITIONS_MANY && max_entries / number / 2 >= PARTITION_ENTRIES_MIN)
        number *= 2;
    while (number >= PARTITIONS_MANY && number < (uint32_t)JTGI_PARTITIONS_MAX &&
           max_entries / number / 2 >= PARTITION_ENTRIES_MANY)
        number *= 2;
    return number;
}

/* Entries that the fullest partition gets. Keys fall on the partitions at random: with a mean of m
 * one goes beyond m + 9 sqrt(m) with a probability below 1e-15. If it ever did, it would refuse. */
static uint64_t entries_of_fullest(uint64_t max_entries, uint32_t number)
{
    if (number == 1)
        return max_entries;
    uint64_t mean = max_entries / number + 1;
    uint64_t root = 1;
    while (root * root < mean)
        root++;
    return mean + 9 * root;
}

/* Homes of the segments of a partition. If all had the same number, all would split at about the
 * same time, and the table would have twice the slots that it needs just after it. So the numbers
 * go down from one to a half in STAGGER steps, in a geometric row: at each moment the partitions
 * are spread over the whole way between two splits, and the memory an entry is the same at all
 * times. */
static uint32_t homes_of(const struct jtgi_table_plan *plan, uint32_t index)
{
    const uint64_t ratio = UINT64_C(4248701966); /* 2^(-1 / STAGGER) * 2^32 */
    uint64_t homes = (uint64_t)plan->homes << 16;
    for (uint32_t step = index % STAGGER; plan->depth_max > 0 && step > 0; step--)
        homes = homes * ratio >> 32;
    return (uint32_t)(homes >> 16);
}

static uint32_t depth_for(uint64_t entries)
{
    uint32_t depth = 1;
    while ((entries >> depth) * 100 > (uint64_t)SEGMENT_HOMES / 2 * LOAD_MIN_PERCENT)
        depth++;
    return depth + 1;
}

/* The overrun of a segment that cannot split takes what its homes push beyond the end: at a load of
 * 85 % that is more than n slots with a probability of e^(-0.33 n). */
static void plan_segments(struct jtgi_table_plan *plan)
{
    uint64_t fullest = entries_of_fullest(plan->max_entries, plan->partitions);
    uint64_t homes = fullest * 100 / LOAD_PERCENT + 1;
    bool splits = plan->grows && homes > SEGMENT_HOMES;
    plan->homes = splits ? SEGMENT_HOMES : (uint32_t)homes;
    plan->overrun = splits ? OVERRUN_SPLIT : OVERRUN;
    plan->depth_max = splits ? depth_for(fullest) : 0;
    plan->huge = splits && plan->max_entries >= HUGE_ENTRIES_MIN;
    plan->slots = 0;
    plan->arena_slot = 0;
    for (uint32_t i = 0; i < plan->partitions; i++) {
        uint64_t slots = homes_of(plan, i) + plan->overrun;
        plan->arena_slot += slots;
        if (splits)
            plan->slots += (fullest * 100 / LOAD_MIN_PERCENT / homes_of(plan, i) + 2) * slots;
    }
}

static size_t bytes_of_slots(uint64_t slots)
{
    return (size_t)slots * sizeof(struct jtgi_slot);
}

/* The arena begins at a huge page of the memory. */
static void plan_arena(struct jtgi_table_plan *plan)
{
    size_t unit = plan->huge ? JTGI_HUGE_BYTES : PAGE_BYTES;
    size_t at = round_up(plan->slots_at + bytes_of_slots(plan->arena_slot), unit) - plan->slots_at;
    plan->arena_slot = (at + sizeof(struct jtgi_slot) - 1) / sizeof(struct jtgi_slot);
    plan->slots += plan->arena_slot;
    plan->bytes = round_up(plan->slots_at + bytes_of_slots(plan->slots), unit);
}

/* Of so many entries, share, growth and partitions. */
static void plan_all(struct jtgi_table_plan *plan)
{
    uint64_t batch = plan->max_entries / ((uint64_t)plan->partitions * 16);
    plan->batch = batch == 0 ? 1 : batch > PLACES_BATCH_MAX ? PLACES_BATCH_MAX : (uint32_t)batch;
    plan_segments(plan);

    plan->partitions_at = sizeof(struct jtgi_table_head);
    plan->directories_at = plan->partitions_at + plan->partitions * sizeof(struct jtgi_partition);
    plan->groups_at =
        plan->directories_at + sizeof(uint64_t) * ((size_t)plan->partitions << plan->depth_max);
    size_t groups = plan->max_entries_per_group != 0 ? JTGI_GROUPS_BYTES : 0;
    plan->slots_at = round_up(plan->groups_at + groups, PAGE_BYTES);
    plan_arena(plan);
}

void jtgi_table_plan(struct jtgi_table_plan *plan, uint64_t max_entries,
                     uint64_t max_entries_per_group, bool grows)
{
    *plan = (struct jtgi_table_plan){.max_entries = max_entries,
                                     .max_entries_per_group = max_entries_per_group,
                                     .grows = grows,
                                     .partitions = partitions_for(max_entries)};
    plan_all(plan);
}

void jtgi_table_plan_like(struct jtgi_table_plan *plan, uint64_t max_entries,
                          uint64_t max_entries_per_group, uint32_t partitions)
{
    *plan = (struct jtgi_table_plan){.max_entries = max_entries,
                                     .max_entries_per_group = max_entries_per_group,
                                     .partitions = partitions};
    plan_all(plan);
}

static uint32_t first_homes_of(uint32_t homes)
{
    uint32_t first = homes / FIRST_PART;
    if (first < FIRST_HOMES_MIN)
        first = FIRST_HOMES_MIN;
    return first < homes ? first : homes;
}

static void format_partition(struct jtgi_partition *partition, const struct jtgi_table_plan *plan,
                             uint32_t homes, uint64_t first)
{
    partition->full_homes = homes;
    partition->first = (uint32_t)first;
    partition->earliest = JTGI_NEVER;
    partition->sweep_earliest = JTGI_NEVER;
    atomic_init(&partition->homes, plan->grows ? first_homes_of(homes) : homes);
}

void jtgi_table_format(void *memory, const struct jtgi_table_plan *plan)
{
    struct jtgi_table_head *head = memory;
    struct jtgi_partition *partitions = (void *)((unsigned char *)memory + plan->partitions_at);
    uint64_t first = 0;
    randombytes_buf(&head->keys, sizeof head->keys);
    atomic_init(&head->pool, plan->max_entries);
    atomic_init(&head->frontier, plan->arena_slot);
    for (uint32_t i = 0; i < plan->partitions; i++) {
        uint32_t homes = homes_of(plan, i);
        format_partition(&partitions[i], plan, homes, first);
        first += homes + plan->overrun;
    }
    if (plan->max_entries_per_group != 0)
        jtgi_groups_format((unsigned char *)memory + plan->groups_at, plan->max_entries_per_group);
}
