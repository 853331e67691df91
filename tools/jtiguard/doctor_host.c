/* SPDX-License-Identifier: Apache-2.0 */
#include "doctor_host.h"

#include "diagnosis_host.h"
#include "store_host.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

/* ---- the file, by its path ---- */

static bool is_tmpfs(const char *path)
{
    struct statfs system;
    return statfs(path, &system) == 0 && system.f_type == TMPFS_MAGIC;
}

static void look_at_folder(struct host_facts *facts)
{
    char folder[PATH_MAX];
    struct stat about;
    (void)snprintf(folder, sizeof folder, "%s", facts->path);
    char *slash = strrchr(folder, '/');
    if (slash == NULL)
        return;
    slash[slash == folder ? 1 : 0] = '\0';
    facts->folder_found = stat(folder, &about) == 0;
    if (!facts->folder_found)
        return;
    facts->folder_mode = (unsigned)(about.st_mode & 07777);
    facts->folder_owner = about.st_uid;
    facts->on_tmpfs = is_tmpfs(folder);
}

/* Of a file that is mounted by itself the kernel says so. */
static void look_at_file(struct host_facts *facts)
{
    struct statx about;
    facts->file_found =
        statx(AT_FDCWD, facts->path, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &about) == 0;
    if (!facts->file_found)
        return;
    facts->file_mode = (unsigned)about.stx_mode;
    facts->file_owner = about.stx_uid;
    facts->file_group = about.stx_gid;
    facts->file_links = about.stx_nlink;
    facts->file_is_mounted = (about.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
    if (S_ISREG(about.stx_mode))
        facts->on_tmpfs = is_tmpfs(facts->path);
}

/* ---- this process ---- */

static bool read_text(const char *path, char *text, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd >= 0 ? read(fd, text, size - 1) : -1;
    if (fd >= 0)
        (void)close(fd);
    text[got > 0 ? got : 0] = '\0';
    return got > 0;
}

/* A monotonic clock that is set off against the machine's: another time namespace. */
static bool has_other_clock(void)
{
    char text[256];
    long seconds = 0;
    if (!read_text("/proc/self/timens_offsets", text, sizeof text))
        return false;
    const char *at = strstr(text, "monotonic");
    if (at != NULL)
        seconds = strtol(at + strlen("monotonic"), NULL, 10);
    return seconds != 0;
}

/* Of the group of processes that this one is in, and version 2 of them: 0 = none, or unknown. */
static uint64_t memory_limit(void)
{
    char groups[PATH_MAX];
    char path[PATH_MAX + 32];
    char text[64];
    if (!read_text("/proc/self/cgroup", groups, sizeof groups))
        return 0;
    const char *own = strstr(groups, "0::");
    if (own == NULL)
        return 0;
    own += strlen("0::");
    (void)snprintf(path, sizeof path, "/sys/fs/cgroup%.*s/memory.max", (int)strcspn(own, "\n"),
                   own);
    return read_text(path, text, sizeof text) ? strtoull(text, NULL, 10) : 0;
}

/* ---- the machine ---- */

static bool is_enabled(const char *unit)
{
    static const char *const folders[] = {"/etc/systemd/system/multi-user.target.wants",
                                          "/etc/systemd/system/sysinit.target.wants",
                                          "/etc/systemd/system/basic.target.wants",
                                          "/usr/lib/systemd/system/multi-user.target.wants"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        char path[PATH_MAX];
        struct stat about;
        (void)snprintf(path, sizeof path, "%s/%s", folders[i], unit);
        if (lstat(path, &about) == 0)
            return true;
    }
    return false;
}

static void look_at_machine(struct host_facts *facts)
{
    struct stat about;
    facts->has_systemd = stat("/run/systemd/system", &about) == 0;
    facts->has_boot_unit = is_enabled("jtiguard-host.service");
    facts->memory_limit = memory_limit();
    facts->other_clock = has_other_clock();
    facts->user = geteuid();
}

/* ---- the store itself ---- */

static const char *text_of(const jtg_error *err, jtg_status status)
{
    return err->text[0] != '\0' ? err->text : jtg_status_text(status);
}

/* As the service's /readyz asks. */
static jtg_status ask_guard(const struct settings *settings, jtg_cache *cache, jtg_error *err)
{
    jtg_guard *guard = NULL;
    jtg_status status = jtg_guard_new(&guard, cache, &settings->guard, err);
    if (status == JTG_OK)
        status = jtg_guard_ping(guard, err);
    jtg_guard_free(guard);
    return status;
}

static void ask_store(struct host_facts *facts, const struct settings *settings, jtg_cache *cache)
{
    jtg_error probe = JTG_ERROR_INIT;
    jtg_error ready = JTG_ERROR_INIT;
    facts->stats.struct_size = sizeof facts->stats;
    facts->counted = jtg_host_stats_get(cache, &facts->stats, NULL) == JTG_OK;
    facts->probe = jtg_cache_ping(cache, &probe);
    (void)snprintf(facts->probe_text, sizeof facts->probe_text, "%s",
                   text_of(&probe, facts->probe));
    facts->ready = ask_guard(settings, cache, &ready);
    (void)snprintf(facts->ready_text, sizeof facts->ready_text, "%s",
                   text_of(&ready, facts->ready));
}

static void open_and_ask(struct host_facts *facts, const struct settings *settings)
{
    jtg_cache *cache = NULL;
    jtg_error err = JTG_ERROR_INIT;
    jtg_host_options options = store_host_options(settings);
    options.must_exist = true;
    facts->opened = jtg_host_new(&cache, &options, &err);
    facts->opened_errno = err.system_errno;
    (void)snprintf(facts->opened_text, sizeof facts->opened_text, "%s",
                   text_of(&err, facts->opened));
    if (facts->opened == JTG_OK)
        ask_store(facts, settings, cache);
    jtg_cache_free(cache);
}

/* Where nobody names a path the store itself says where it is. */
static void name_path(struct host_facts *facts, const char *named)
{
    const char *path = named != NULL ? named : facts->stats.path;
    facts->is_default = named == NULL;
    (void)snprintf(facts->path, sizeof facts->path, "%s",
                   path[0] != '\0' ? path : "/run/jtiguard-host/store");
}

void examine_host(struct findings *findings, const struct settings *settings)
{
    jtg_clock clock = jtg_clock_system();
    struct host_facts facts = {.future_leeway_s = settings->guard.future_leeway_s,
                               .margin_s = settings->guard.retention_margin_s,
                               .max_lifetime_s = settings->guard.max_lifetime_s,
                               .now_s = clock.wall_ms(clock.context) / 1000};
    open_and_ask(&facts, settings);
    name_path(&facts, settings->store != NULL ? store_host_path(settings->store) : NULL);
    look_at_folder(&facts);
    look_at_file(&facts);
    look_at_machine(&facts);
    diagnose_host(findings, &facts);
}
