/* SPDX-License-Identifier: Apache-2.0 */
#include "chained_table.h"
#include "subject.h"

#include "isolate.h"

static void *make(const struct bench_setup *setup)
{
    struct chained_table *table = chained_table_new(setup->max_entries, setup->clock);
    if (table == NULL)
        bench_die("no memory for the chained table");
    return table;
}

static jtg_status reserve(void *self, const struct bench_item *item, uint64_t ttl_ms)
{
    return chained_table_reserve(self, item->key, BENCH_KEY_BYTES, &item->owner, ttl_ms);
}

static jtg_status release(void *self, const struct bench_item *item)
{
    return chained_table_release(self, item->key, BENCH_KEY_BYTES, &item->owner);
}

static bool sweep(void *self)
{
    chained_table_sweep(self);
    return false;
}

const struct bench_subject bench_subject_chained = {"chained", make, reserve, release,
                                                    NULL,      NULL, sweep};
