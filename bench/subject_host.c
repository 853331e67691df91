/* SPDX-License-Identifier: Apache-2.0 */
#include "subject_cache.h"

#include "isolate.h"

#include <jtiguard/host.h>

/* The store at the setup's path, made where there is none. */
static void *make(const struct bench_setup *setup)
{
    jtg_host_options options = JTG_HOST_OPTIONS_INIT;
    options.path = setup->path;
    options.max_entries = setup->max_entries;
    jtg_cache *cache = NULL;
    jtg_error err = JTG_ERROR_INIT;
    if (jtg_host_new(&cache, &options, &err) != JTG_OK)
        bench_die("host backend: %s", err.text);
    return cache;
}

const struct bench_subject bench_subject_host = {.name = "host",
                                                 .make = make,
                                                 .reserve = bench_cache_reserve,
                                                 .release = bench_cache_release,
                                                 .reserve_told = bench_cache_reserve_told,
                                                 .reserve_many = bench_cache_reserve_many};
