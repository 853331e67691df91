/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/flow/shared.h"

#include "core/object.h"
#include "redis/flow/blocking.h"
#include "redis/flow/counts.h"

#include <jtiguard/status.h>
#include <string.h>

static jtg_status make_parts(struct jtgi_shared *shared, jtg_error *err)
{
    const struct jtgi_redis_config *config = &shared->config;
    struct jtgi_object base;
    jtg_status status = jtgi_object_begin(&base, NULL, NULL, JTGI_COUNTERS, err);
    if (status != JTG_OK)
        return status;
    shared->counters = base.counters;
    if (jtgi_config_watches(config))
        status = jtgi_watch_init(&shared->watch, config, shared->counters, err);
    return status == JTG_OK ? jtgi_dialer_init(&shared->dialer, config, &jtgi_blocking, err)
                            : status;
}

jtg_status jtgi_shared_init(struct jtgi_shared *shared, const jtg_redis_options *options,
                            jtg_error *err)
{
    memset(shared, 0, sizeof *shared);
    jtg_status status = jtgi_redis_config_read(&shared->config, options, err);
    if (status != JTG_OK)
        return status;
    status = make_parts(shared, err);
    if (status != JTG_OK) {
        jtgi_watch_clear(&shared->watch, false);
        jtgi_counters_free(shared->counters);
        jtgi_redis_config_clear(&shared->config);
    }
    return status;
}

void jtgi_shared_clear(struct jtgi_shared *shared, bool in_child)
{
    jtgi_dialer_clear(&shared->dialer);
    jtgi_watch_clear(&shared->watch, in_child);
    jtgi_counters_free(shared->counters);
    jtgi_redis_config_clear(&shared->config);
}

struct jtgi_watch *jtgi_shared_watch(struct jtgi_shared *shared)
{
    return jtgi_config_watches(&shared->config) ? &shared->watch : NULL;
}
