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

uint64_t jtgi_host_sweep_parts(const struct jtgi_host_attachment *at)
{
    return jtgi_table_partitions(at->table) + 1;
}

/* The values come behind the last partition. */
static bool sweep_part(const struct jtgi_host_visit *visit, uint64_t part, uint64_t pass)
{
    const struct jtgi_host_attachment *at = visit->at;
    return part < jtgi_table_partitions(at->table)
               ? jtgi_table_sweep(at->table, (size_t)part, visit->now, pass)
               : jtgi_value_area_sweep(at->values, visit->now, pass);
}

/* The part that it stuck at is left for the next pass. */
static void sweep_one(struct jtgi_host_visit *visit, struct jtgi_host_header *header)
{
    uint64_t at = atomic_load(&header->sweep_at);
    uint64_t parts = jtgi_host_sweep_parts(visit->at);
    bool more = sweep_part(visit, at % parts, at / parts + 1);
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
