/* SPDX-License-Identifier: Apache-2.0 */
#include "store_host.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char scheme[] = "host:";

bool store_host_is_named(const char *store)
{
    return strncmp(store, scheme, sizeof scheme - 1) == 0;
}

const char *store_host_path(const char *store)
{
    const char *path = store + sizeof scheme - 1;
    return *path != '\0' ? path : NULL;
}

jtg_host_options store_host_options(const struct settings *settings)
{
    jtg_host_options options = JTG_HOST_OPTIONS_INIT;
    if (settings->store != NULL && store_host_is_named(settings->store))
        options.path = store_host_path(settings->store);
    if (settings->memory.max_entries != 0)
        options.max_entries = settings->memory.max_entries;
    options.max_entries_per_group = settings->memory.max_entries_per_group;
    if (settings->host.max_values != 0)
        options.max_values = settings->host.max_values;
    if (settings->host.max_value_bytes != 0)
        options.max_value_bytes = settings->host.max_value_bytes;
    options.owner = settings->host.owner;
    options.group = settings->host.group;
    return options;
}

/* By errno where the library had one: it says more than the status. */
static const char *advice_by_cause(int cause)
{
    switch (cause) {
    case EACCES:
    case EPERM:
    case EROFS:
        return "let root make the store for a group, 'jtiguard host create --group GROUP', and let "
               "every user of it be a member; under systemd also ReadWritePaths= for its folder; "
               "in a container mount the folder";
    case ENOENT:
        return "make the folder first (packaging/tmpfiles.d), or see that 'jtiguard host create' "
               "runs at boot; another folder goes too, on a tmpfs: --store host:PATH";
    case ENOSPC:
    case ENOMEM:
        return "all its memory is taken when it is made, 31 bytes an entry: name a smaller "
               "--max-entries, or give the tmpfs more room";
    default:
        return NULL;
    }
}

const char *store_host_advice(jtg_status status, const jtg_error *err)
{
    const char *advice = advice_by_cause(err->system_errno);
    if (advice != NULL)
        return advice;
    switch ((int)status) {
    case JTG_ERR_UNSAFE:
        return "'jtiguard doctor --store host:PATH' says what to do; docs/host-store.md why it is "
               "refused";
    case JTG_ERR_UNAVAILABLE:
        return "a host store needs a folder on a tmpfs and /proc: --store host:PATH names another "
               "folder, --store memory remembers for one process alone";
    case JTG_ERR_BLOCKED:
        return "a process that was stopped holds a lock: let it go on, or end it ('jtiguard host "
               "show' lists them)";
    default:
        return NULL;
    }
}

void store_host_difference(const struct settings *settings, jtg_cache *cache,
                           char text[STORE_HOST_DIFFERENCE_BYTES])
{
    jtg_host_stats stats = {.struct_size = sizeof stats};
    uint64_t entries = settings->memory.max_entries;
    uint64_t share = settings->memory.max_entries_per_group;
    text[0] = '\0';
    if (entries == 0 && share == 0)
        return;
    if (jtg_host_stats_get(cache, &stats, NULL) != JTG_OK)
        return;
    if ((entries == 0 || entries == stats.max_entries) &&
        (share == 0 || share == stats.max_entries_per_group))
        return;
    (void)snprintf(text, STORE_HOST_DIFFERENCE_BYTES,
                   "the host store was made for %" PRIu64 " entries and a share of %" PRIu64
                   " (0: none), and keeps to that",
                   stats.max_entries, stats.max_entries_per_group);
}
