/* SPDX-License-Identifier: Apache-2.0 */
/* The host backend: the table of operations, the making and the end. */
#include <jtiguard/host.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/probe.h"
#include "host/bitmaps.h"
#include "host/keeping.h"
#include "host/lending.h"
#include "host/storing.h"
#include "host/sweep.h"
#include "host/visit.h"

#include <jtiguard/backend.h>
#include <pthread.h>
#include <string.h>

/* ---- reservations ---- */

static jtg_status reserve(jtg_cache *self, const jtg_key *key, const jtg_owner *owner,
                          uint64_t ttl_ms, jtg_error *err)
{
    struct jtgi_host_visit visit = JTGI_HOST_VISIT_INIT;
    jtg_status status;
    do {
        status = jtgi_host_visit_enter(&visit, self, err);
        if (status != JTG_OK)
            return status;
        status = jtgi_table_check_end(visit.now, JTG_TTL_MAX_MS, err);
        if (status == JTG_OK)
            status = jtgi_table_reserve(visit.at->table, key, owner, visit.now, ttl_ms);
        jtgi_host_sweep_if_due(&visit);
    } while (jtgi_host_visit_leave(&visit, status));
    return status;
}

static jtg_status release(jtg_cache *self, const jtg_key *key, const jtg_owner *owner,
                          jtg_error *err)
{
    struct jtgi_host_visit visit = JTGI_HOST_VISIT_INIT;
    jtg_status status;
    do {
        status = jtgi_host_visit_enter(&visit, self, err);
        if (status != JTG_OK)
            return status;
        status = jtgi_table_release(visit.at->table, key, owner, visit.now);
    } while (jtgi_host_visit_leave(&visit, status));
    return status;
}

/* ---- the store as a whole ---- */

static jtg_status count(jtg_cache *self, uint64_t *counted, jtg_error *err)
{
    struct jtgi_host_visit visit = JTGI_HOST_VISIT_INIT;
    struct jtgi_value_stats values = {.keys = 0};
    jtg_status status;
    do {
        status = jtgi_host_visit_enter(&visit, self, err);
        if (status != JTG_OK)
            return status;
        status = jtgi_table_count(visit.at->table, counted);
        if (status == JTG_OK)
            status = jtgi_value_area_stats(visit.at->values, &values);
    } while (jtgi_host_visit_leave(&visit, status));
    *counted += values.keys;
    return status;
}

static jtg_status clear(jtg_cache *self, jtg_error *err)
{
    struct jtgi_host_visit visit = JTGI_HOST_VISIT_INIT;
    jtg_status status;
    do {
        status = jtgi_host_visit_enter(&visit, self, err);
        if (status != JTG_OK)
            return status;
        status = jtgi_host_lose(&visit, true);
    } while (jtgi_host_visit_leave(&visit, status));
    return status;
}

static jtg_status prune(jtg_cache *self, uint64_t *removed, jtg_error *err)
{
    struct jtgi_host_visit visit = JTGI_HOST_VISIT_INIT;
    jtg_status status;
    do {
        status = jtgi_host_visit_enter(&visit, self, err);
        if (status != JTG_OK)
            return status;
        status = jtgi_table_prune(visit.at->table, visit.now, removed);
        if (status == JTG_OK)
            status = jtgi_value_area_prune(visit.at->values, visit.now, removed);
    } while (jtgi_host_visit_leave(&visit, status));
    return status;
}

/* ---- life ---- */

static void destroy(jtg_cache *self)
{
    jtgi_host_cache_close(jtgi_host_cache_of(self));
    jtg_cache_clear_base(self);
    jtgi_free(jtgi_host_cache_of(self));
}

const jtg_backend jtgi_host_backend = {
    .struct_size = sizeof(jtg_backend),
    .name = "host",
    .reserve = reserve,
    .release = release,
    .count = count,
    .clear = clear,
    .ping = jtgi_probe,
    .destroy = destroy,
    .put = jtgi_host_put,
    .get = jtgi_host_get,
    .take = jtgi_host_take,
    .swap = jtgi_host_swap,
    .drop = jtgi_host_drop,
    .reserve_kept = jtgi_host_reserve_kept,
    .kept_since = jtgi_host_kept_since,
    .prune = prune,
    .reserve_many = jtgi_host_reserve_many,
    .lend = jtgi_host_lend,
    .lock_lent = jtgi_host_lock_lent,
    .unlock_lent = jtgi_host_unlock_lent,
    .epoch = jtgi_host_epoch,
    .bitmap_put = jtgi_host_bitmap_put,
    .bitmap_take_many = jtgi_host_bitmap_take_many,
};

static jtg_status build(struct jtgi_host_cache *host, const jtg_host_options *options,
                        jtg_error *err)
{
    jtg_status status = jtgi_host_settings_read(&host->settings, options, err);
    if (status == JTG_OK)
        status = jtg_cache_init(&host->base, &jtgi_host_backend, err);
    if (status != JTG_OK) {
        jtgi_free(host);
        return status;
    }
    status = jtgi_host_cache_open(host, err);
    if (status != JTG_OK)
        destroy(&host->base);
    return status;
}

jtg_status jtg_host_new(jtg_cache **cache, const jtg_host_options *options, jtg_error *err)
{
    jtgi_error_begin(err);
    if (cache == NULL)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "no place for the cache");
    *cache = NULL;
    if (!jtgi_table_can_be_shared())
        return jtg_error_set(err, JTG_ERR_UNSUPPORTED, 0,
                             "host store: this machine changes no 64 bits at once");
    struct jtgi_host_cache *host = jtgi_alloc(sizeof *host);
    if (host == NULL)
        return jtg_error_set(err, JTG_ERR_MEMORY, 0, "no memory for the cache");
    int cancel = 0;
    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
    jtg_status status = build(host, options, err);
    (void)pthread_setcancelstate(cancel, NULL);
    if (status == JTG_OK)
        *cache = &host->base;
    return status;
}

jtg_status jtg_host_new_uri(jtg_cache **cache, const char *uri, jtg_error *err)
{
    static const char scheme[] = "host:";
    jtg_host_options options = JTG_HOST_OPTIONS_INIT;
    jtgi_error_begin(err);
    if (cache != NULL)
        *cache = NULL;
    if (uri == NULL || strncmp(uri, scheme, sizeof scheme - 1) != 0)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "not a URI of a host store");
    const char *path = uri + sizeof scheme - 1;
    options.path = *path != '\0' ? path : NULL;
    return jtg_host_new(cache, &options, err);
}
