/* SPDX-License-Identifier: Apache-2.0 */
#include "host/settings.h"

#include "core/digits.h"
#include "core/log.h"
#include "core/options.h"
#include "core/range.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define OPTIONS_OLDEST_SIZE sizeof(jtg_host_options)

enum { ENTRY_BYTES = 16384 /* of the user database */ };

void jtg_host_options_init(jtg_host_options *options)
{
    const jtg_host_options defaults = JTG_HOST_OPTIONS_INIT;
    *options = defaults;
}

static jtg_status check_ranges(const jtg_host_options *options, jtg_error *err)
{
    const struct jtgi_range ranges[] = {
        {"max_entries", options->max_entries, 1, JTG_HOST_MAX_ENTRIES_LIMIT},
        {"max_entries_per_group", options->max_entries_per_group, 0, options->max_entries},
        {"max_values", options->max_values, 1, JTG_HOST_MAX_VALUES_LIMIT},
        {"max_value_bytes", options->max_value_bytes, 1, JTG_HOST_MAX_VALUE_BYTES_LIMIT},
        {"lock_wait_ms", options->lock_wait_ms, 1, JTG_HOST_LOCK_WAIT_MS_LIMIT},
    };
    return jtgi_ranges_check(ranges, sizeof ranges / sizeof ranges[0], "host options: ", err);
}

/* ---- users and groups ---- */

/* -1 itself means "none" to the kernel. */
static bool read_number(const char *name, uint32_t *number)
{
    uint64_t read = 0;
    for (const char *at = name; *at != '\0'; at++) {
        if (*at < '0' || *at > '9' || read >= UINT32_MAX)
            return false;
        read = read * 10 + (uint64_t)(*at - '0');
    }
    *number = (uint32_t)read;
    return *name != '\0' && read < UINT32_MAX;
}

static jtg_status find_owner(const char *name, uid_t *owner, jtg_error *err)
{
    char buffer[ENTRY_BYTES];
    struct passwd entry, *found = NULL;
    *owner = (uid_t)-1;
    if (name == NULL || read_number(name, owner))
        return JTG_OK;
    int error = getpwnam_r(name, &entry, buffer, sizeof buffer, &found);
    if (found == NULL)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, error, "host options: no user %s", name);
    *owner = found->pw_uid;
    return JTG_OK;
}

static jtg_status find_group(const char *name, gid_t *group, jtg_error *err)
{
    char buffer[ENTRY_BYTES];
    struct group entry, *found = NULL;
    *group = (gid_t)-1;
    if (name == NULL || read_number(name, group))
        return JTG_OK;
    int error = getgrnam_r(name, &entry, buffer, sizeof buffer, &found);
    if (found == NULL)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, error, "host options: no group %s", name);
    *group = found->gr_gid;
    return JTG_OK;
}

/* ---- the path ---- */

jtg_status jtgi_host_settings_choose_path(struct jtgi_host_settings *settings, jtg_error *err)
{
    return jtgi_store_path_choose(settings->path, sizeof settings->path, &settings->is_users_own,
                                  &jtgi_store_places_system, geteuid(), !settings->terms.must_exist,
                                  err);
}

/* Another name is appended to it when a store is replaced. */
static jtg_status take_path(struct jtgi_host_settings *settings, const char *path, jtg_error *err)
{
    settings->is_default = path == NULL;
    if (path == NULL)
        return jtgi_host_settings_choose_path(settings, err);
    size_t length = strlen(path);
    if (path[0] != '/' || path[length - 1] == '/' ||
        length + sizeof JTGI_HOST_OTHER_NAME > sizeof settings->path)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0,
                             "host options: path must be an absolute path of a file");
    (void)snprintf(settings->path, sizeof settings->path, "%s", path);
    return JTG_OK;
}

static jtg_status take_known(struct jtgi_host_settings *settings, const jtg_host_options *known,
                             jtg_error *err)
{
    struct jtgi_host_terms *terms = &settings->terms;
    *terms = (struct jtgi_host_terms){.max_entries = known->max_entries,
                                      .max_entries_per_group = known->max_entries_per_group,
                                      .max_values = known->max_values,
                                      .max_value_bytes = known->max_value_bytes,
                                      .spot.path = settings->path,
                                      .lock_wait_ms = known->lock_wait_ms,
                                      .must_exist = known->must_exist,
                                      .clock = &settings->clock};
    jtg_status status = find_owner(known->owner, &terms->spot.owner, err);
    if (status == JTG_OK)
        status = find_group(known->group, &terms->spot.group, err);
    return status == JTG_OK ? take_path(settings, known->path, err) : status;
}

jtg_status jtgi_host_settings_read(struct jtgi_host_settings *settings,
                                   const jtg_host_options *options, jtg_error *err)
{
    jtg_host_options known;
    jtg_host_options_init(&known);
    jtg_status status =
        jtg_struct_read(&known, sizeof known, OPTIONS_OLDEST_SIZE, options, "host options", err);
    if (status == JTG_OK)
        status = check_ranges(&known, err);
    if (status == JTG_OK)
        status = jtgi_clock_read_option(&settings->clock, known.clock, err);
    if (status == JTG_OK)
        status = jtgi_log_read_option(&settings->logger, known.logger, err);
    return status == JTG_OK ? take_known(settings, &known, err) : status;
}
