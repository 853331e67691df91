/* SPDX-License-Identifier: Apache-2.0 */
/* What only this backend has: what an operator says to it, and asks. */
#include "core/error.h"
#include "core/options.h"
#include "host/keeping.h"
#include "host/since.h"
#include "host/sweep.h"
#include "host/visit.h"

#include <jtiguard/host.h>
#include <stdio.h>
#include <string.h>

#define STATS_OLDEST_SIZE sizeof(jtg_host_stats)

jtg_status jtg_host_vouch(jtg_cache *cache, int64_t kept_since_ms, jtg_error *err)
{
    struct jtgi_host_visit visit = JTGI_HOST_VISIT_INIT;
    jtg_status status;
    do {
        status = jtgi_host_visit_enter_checked(&visit, cache, err);
        if (status != JTG_OK)
            return status;
        status = jtgi_host_since_vouch(visit.at->file.header, &visit.at->party,
                                       &visit.host->settings.clock, kept_since_ms, err);
    } while (jtgi_host_visit_leave(&visit, status));
    return jtgi_error_end(status, err);
}

jtg_status jtg_host_lose(jtg_cache *cache, jtg_error *err)
{
    struct jtgi_host_visit visit = JTGI_HOST_VISIT_INIT;
    jtg_status status;
    do {
        status = jtgi_host_visit_enter_checked(&visit, cache, err);
        if (status != JTG_OK)
            return status;
        status = jtgi_host_lose(&visit, false);
    } while (jtgi_host_visit_leave(&visit, status));
    return jtgi_error_end(status, err);
}

struct teller {
    void (*tell)(void *context, uint32_t process_id, const char *name);
    void *context;
};

static void tell_one(void *context, const struct jtgi_place_record *record)
{
    const struct teller *teller = context;
    char name[JTGI_PLACE_NAME_BYTES];
    memcpy(name, record->name, sizeof name);
    name[sizeof name - 1] = '\0';
    teller->tell(teller->context, atomic_load(&record->pid), name);
}

jtg_status jtg_host_processes(jtg_cache *cache,
                              void (*tell)(void *context, uint32_t process_id, const char *name),
                              void *context, jtg_error *err)
{
    struct jtgi_host_visit visit = JTGI_HOST_VISIT_INIT;
    struct teller teller = {tell, context};
    if (tell == NULL)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "nobody to tell of the processes");
    jtg_status status = jtgi_host_visit_enter_checked(&visit, cache, err);
    if (status != JTG_OK)
        return status;
    (void)jtgi_place_count(visit.at->place, tell_one, &teller);
    (void)jtgi_host_visit_leave(&visit, JTG_OK);
    return JTG_OK;
}

static jtg_status fill(jtg_host_stats *stats, const struct jtgi_host_visit *visit)
{
    const struct jtgi_host_header *header = visit->at->file.header;
    struct jtgi_table_stats table;
    struct jtgi_value_stats values;
    jtg_status status = jtgi_table_stats_get(visit->at->table, &table);
    if (status == JTG_OK)
        status = jtgi_value_area_stats(visit->at->values, &values);
    if (status != JTG_OK)
        return status;
    (void)snprintf(stats->path, sizeof stats->path, "%.*s", JTG_HOST_PATH_BYTES - 1,
                   visit->at->path);
    stats->bytes = visit->at->file.facts.bytes;
    stats->entries = table.entries;
    stats->max_entries = header->max_entries;
    stats->max_entries_per_group = header->max_entries_per_group;
    stats->groups = table.groups;
    stats->swept = table.swept + values.swept;
    stats->sweep_passes = atomic_load(&header->sweep_at) / jtgi_host_sweep_parts(visit->at);
    stats->repairs = table.repairs + values.repairs;
    stats->emptied = table.losses + values.emptied;
    stats->processes = jtgi_place_count(visit->at->place, NULL, NULL);
    stats->replaced = atomic_load(&visit->host->replaced);
    stats->values = values.values;
    stats->max_values = header->max_values;
    stats->value_bytes = values.bytes;
    stats->max_value_bytes = header->max_value_bytes;
    return JTG_OK;
}

jtg_status jtg_host_stats_get(jtg_cache *cache, jtg_host_stats *stats, jtg_error *err)
{
    struct jtgi_host_visit visit = JTGI_HOST_VISIT_INIT;
    jtg_host_stats now = {.struct_size = sizeof now};
    jtgi_error_begin(err);
    if (stats == NULL || !jtgi_struct_size_ok(stats->struct_size, STATS_OLDEST_SIZE))
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "stats: struct_size is not set");
    jtg_status status;
    do {
        status = jtgi_host_visit_enter_checked(&visit, cache, err);
        if (status != JTG_OK)
            return status;
        status = fill(&now, &visit);
    } while (jtgi_host_visit_leave(&visit, status));
    if (status == JTG_OK)
        status = jtgi_host_kept_since(cache, &now.kept_since_ms, err);
    if (status == JTG_OK)
        jtgi_struct_give(stats, &now, sizeof now);
    return jtgi_error_end(status, err);
}
