/* SPDX-License-Identifier: Apache-2.0 */
#include "host/sweep.h"

#include "table/slot.h"

enum {
    SWEEP_PASS_MS = 5000, /* a whole pass, where calls come often enough */
    SWEEP_STUCK_MS = 10   /* a step that took longer waited for somebody */
};

static int64_t sweep_pause_ms(const struct jtgi_host_visit *visit)
{
    int64_t steps =
        (int64_t)(visit->at->file.facts.bytes / sizeof(struct jtgi_slot)) / JTGI_SWEEP_SLOTS + 1;
    return steps < SWEEP_PASS_MS ? SWEEP_PASS_MS / steps : 1;
}

/* The part that it stuck at is left for the next pass. */
static void sweep_one(struct jtgi_host_visit *visit, struct jtgi_host_header *header)
{
    uint64_t at = atomic_load(&header->sweep_at);
    uint64_t parts = jtgi_table_partitions(visit->at->table);
    bool more =
        jtgi_table_sweep(visit->at->table, (size_t)(at % parts), visit->now, at / parts + 1);
    int64_t end_ms = jtgi_clock_monotonic_ms(&visit->host->settings.clock);
    if (!more || end_ms - visit->now_ms > SWEEP_STUCK_MS)
        (void)atomic_compare_exchange_strong(&header->sweep_at, &at, at + 1);
}

void jtgi_host_sweep_if_due(struct jtgi_host_visit *visit)
{
    struct jtgi_host_header *header = visit->at->file.header;
    int64_t due_ms = atomic_load_explicit(&header->sweep_due_ms, memory_order_relaxed);
    if (visit->now_ms >= due_ms &&
        atomic_compare_exchange_strong(&header->sweep_due_ms, &due_ms,
                                       visit->now_ms + sweep_pause_ms(visit)))
        sweep_one(visit, header);
}
