/* SPDX-License-Identifier: Apache-2.0 */
#include "diagnosis_host.h"

#include "continuity.h"
#include "moment.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/stat.h>

enum { FULL_PERCENT = 90, HUNDRED = 100 };

/* ---- can it be used ---- */

static const char *advice_on_opening(const struct host_facts *facts)
{
    if (!facts->folder_found)
        return "make the folder on a tmpfs (packaging/tmpfiles.d), and the store by 'jtiguard host "
               "create'";
    if (facts->opened_errno == EACCES || facts->opened_errno == EPERM)
        return "let root make it for a group, 'jtiguard host create --group GROUP', and be a "
               "member";
    if (facts->opened == JTG_ERR_BLOCKED)
        return "a process that was stopped holds a lock: let it go on, or end it";
    return "see the other failures; 'jtiguard host show' lists who uses it; a file that nobody "
           "uses "
           "may be removed, and a new one refuses what may have been used before";
}

/* Nothing stands there, or what an earlier boot or another version left and nobody uses. */
static bool is_to_be_made(const struct host_facts *facts)
{
    return facts->opened == JTG_ERR_UNAVAILABLE && facts->folder_found &&
           (!facts->file_found || facts->opened_errno == ENOENT);
}

static void judge_opening(struct findings *findings, const struct host_facts *facts)
{
    if (facts->opened == JTG_OK)
        findings_add(findings, "file", LEVEL_OK, "", "", "%s", facts->path);
    else if (is_to_be_made(facts))
        findings_add(findings, "file", LEVEL_WARNING,
                     "the first command or service makes it, and it refuses tokens issued earlier "
                     "than 90 seconds after that",
                     "'jtiguard host create', at best at boot; if no token was used before, "
                     "'jtiguard vouch' says so",
                     "%s%s", facts->file_found ? "" : "there is none at ",
                     facts->file_found ? facts->opened_text : facts->path);
    else
        findings_add(findings, "file", LEVEL_FAILURE, "every token is refused",
                     advice_on_opening(facts), "%s", facts->opened_text);
}

static void judge_tmpfs(struct findings *findings, const struct host_facts *facts)
{
    if (!facts->folder_found)
        return;
    if (facts->on_tmpfs)
        findings_add(findings, "tmpfs", LEVEL_OK, "", "", "it ends with the boot, as it must");
    else
        findings_add(findings, "tmpfs", LEVEL_FAILURE,
                     "refused (store_unsafe): a disk brings back torn and old pages, and on an "
                     "overlay a living process reads as dead",
                     "a folder on a tmpfs: /run/jtiguard-host; in a container mount one",
                     "%s is not on a tmpfs", facts->path);
}

static const char *find_fault(const struct host_facts *facts, const char **advice)
{
    if (!S_ISREG(facts->file_mode)) {
        *advice = "another path, or remove what stands there";
        return "it is no regular file";
    }
    if (facts->file_is_mounted) {
        *advice = "mount its folder into the container";
        return "the file itself is mounted, and stays the same one for ever";
    }
    if (facts->file_links > 1) {
        *advice = "remove the other name";
        return "it has a second name";
    }
    if ((facts->file_mode & S_IRWXO) != 0) {
        *advice = "chmod o= on it; a group by 'jtiguard host create --group'";
        return "it is open to everybody";
    }
    if (facts->file_owner != 0 && facts->file_owner != facts->user) {
        *advice = "let root make it: remove it, and 'jtiguard host create --group GROUP'";
        return "it belongs to another user, who is neither root nor this one";
    }
    return NULL;
}

static bool folder_is_open(const struct host_facts *facts)
{
    return (facts->folder_mode & S_IWOTH) != 0 && (facts->folder_mode & S_ISVTX) == 0;
}

static void judge_access(struct findings *findings, const struct host_facts *facts)
{
    const char *advice = "";
    if (facts->folder_found && folder_is_open(facts))
        findings_add(
            findings, "folder", LEVEL_FAILURE,
            "refused (store_unsafe): whoever exchanges the file decides that tokens are new",
            "chmod o-w on the folder", "everybody may change it (mode %04o)", facts->folder_mode);
    if (!facts->file_found)
        return;
    const char *fault = find_fault(facts, &advice);
    if (fault != NULL)
        findings_add(findings, "access", LEVEL_FAILURE, "refused (store_unsafe)", advice, "%s",
                     fault);
    else if ((facts->file_mode & S_IRWXG) != 0)
        findings_add(findings, "access", LEVEL_NOTE,
                     "all members of the group are one trust domain: each can fill or break it", "",
                     "mode %04o, owner %u, group %u", facts->file_mode & 07777U,
                     (unsigned)facts->file_owner, (unsigned)facts->file_group);
    else
        findings_add(findings, "access", LEVEL_OK, "", "", "mode %04o, owner %u",
                     facts->file_mode & 07777U, (unsigned)facts->file_owner);
}

static void judge_clock(struct findings *findings, const struct host_facts *facts)
{
    if (facts->other_clock)
        findings_add(findings, "clock", LEVEL_FAILURE,
                     "its monotonic clock is not that of other processes: with it tokens would be "
                     "forgotten too early, so such a store is refused",
                     "run all processes of the store in one time namespace", "of a time namespace");
}

/* ---- does it hold ---- */

static void judge_probe(struct findings *findings, const struct host_facts *facts)
{
    if (facts->probe == JTG_OK)
        findings_add(findings, "reserve", LEVEL_OK, "", "", "a probe was reserved and given back");
    else
        findings_add(findings, "reserve", LEVEL_FAILURE, "every token is refused",
                     facts->probe == JTG_ERR_BLOCKED
                         ? "a process that was stopped holds a lock: let it go on, or end it"
                         : "see the other failures",
                     "%s", facts->probe_text);
}

static void judge_entries(struct findings *findings, const jtg_host_stats *stats)
{
    static const char advice[] =
        "make it larger: 'jtiguard host resize --max-entries N', while its processes go on";
    enum finding_level level = LEVEL_OK;
    if (stats->entries >= stats->max_entries)
        level = LEVEL_FAILURE;
    else if (stats->entries >= stats->max_entries / HUNDRED * FULL_PERCENT)
        level = LEVEL_WARNING;
    findings_add(findings, "entries", level,
                 level == LEVEL_OK
                     ? ""
                     : "beyond it new tokens are refused (store_full); nothing live is forgotten",
                 level == LEVEL_OK ? "" : advice, "%" PRIu64 " of %" PRIu64 ", ended ones included",
                 stats->entries, stats->max_entries);
}

static bool is_nearly_full(uint64_t used, uint64_t most)
{
    return most - used <= most / HUNDRED * (HUNDRED - FULL_PERCENT);
}

/* A guard needs none of them. */
static void judge_values(struct findings *findings, const jtg_host_stats *stats)
{
    bool full = is_nearly_full(stats->values, stats->max_values) ||
                is_nearly_full(stats->value_bytes, stats->max_value_bytes);
    findings_add(
        findings, "values", full ? LEVEL_WARNING : LEVEL_OK,
        full ? "beyond it token caches cannot store (store_full); nothing live is forgotten" : "",
        full ? "make a new one when that may be: 'jtiguard host create --max-values N "
               "--max-value-bytes N'"
             : "",
        "%" PRIu64 " of %" PRIu64 ", %" PRIu64 " bytes of %" PRIu64, stats->values,
        stats->max_values, stats->value_bytes, stats->max_value_bytes);
}

static void judge_processes(struct findings *findings, const jtg_host_stats *stats)
{
    uint64_t others = stats->processes > 0 ? stats->processes - 1 : 0;
    bool many = others >= (uint64_t)JTG_HOST_PROCESSES / HUNDRED * FULL_PERCENT;
    findings_add(findings, "processes", many ? LEVEL_WARNING : LEVEL_OK,
                 many ? "beyond 4096 a process cannot open it" : "",
                 many ? "end those that are not needed ('jtiguard host show')" : "",
                 "%" PRIu64 " beside this one", others);
}

static void judge_repairs(struct findings *findings, const jtg_host_stats *stats)
{
    if (stats->emptied > 0)
        findings_add(
            findings, "repairs", LEVEL_WARNING,
            "a stray write broke parts of it, which no death does; what they held counts "
            "as lost, and such tokens are refused",
            "find which process writes where it must not ('jtiguard host show' lists them)",
            "%" PRIu64 " parts emptied", stats->emptied);
    else
        findings_add(findings, "repairs", LEVEL_OK, "", "",
                     "%" PRIu64 " after deaths inside, none emptied", stats->repairs);
}

static void judge_limit(struct findings *findings, const struct host_facts *facts)
{
    if (facts->memory_limit != 0 && facts->memory_limit < facts->stats.bytes)
        findings_add(findings, "limit", LEVEL_WARNING,
                     "whoever makes the file pays for all of it: in this control group he is ended "
                     "by the kernel meanwhile",
                     "make it by jtiguard-host.service, or with a smaller --max-entries",
                     "%" PRIu64 " bytes allowed, %" PRIu64 " of the store", facts->memory_limit,
                     facts->stats.bytes);
}

/* ---- its life ---- */

static void judge_boot(struct findings *findings, const struct host_facts *facts)
{
    if (facts->is_default && facts->has_systemd && !facts->has_boot_unit)
        findings_add(findings, "boot", LEVEL_NOTE,
                     "after a boot whoever comes first makes it, and tokens are refused for 90 "
                     "seconds from then",
                     "systemctl enable jtiguard-host.service", "no unit makes it");
}

static void judge_continuity(struct findings *findings, const struct host_facts *facts)
{
    static const char advice[] = "wait; or, if no token was used before or none was forgotten, "
                                 "'jtiguard vouch' says so";
    char iat[MOMENT_TEXT_BYTES];
    char exp[MOMENT_TEXT_BYTES];
    jtg_guard_options guard = JTG_GUARD_OPTIONS_INIT;
    guard.future_leeway_s = (uint32_t)facts->future_leeway_s;
    guard.retention_margin_s = (uint32_t)facts->margin_s;
    guard.max_lifetime_s = (uint32_t)facts->max_lifetime_s;
    struct continuity_ends ends = continuity_ends_of(&guard, facts->stats.kept_since_ms);
    enum finding_level level = LEVEL_OK;
    if (facts->now_s * 1000 < ends.iat_ms)
        level = LEVEL_WARNING;
    else if (facts->now_s * 1000 < ends.exp_ms)
        level = LEVEL_NOTE;
    moment_to_text(ends.iat_ms, iat);
    moment_to_text(ends.exp_ms, exp);
    if (level == LEVEL_OK)
        findings_add(findings, "continuity", level, "", "", "it has kept everything that counts");
    else
        findings_add(findings, "continuity", level,
                     level == LEVEL_NOTE
                         ? "older tokens are refused (continuity_lost); new ones pass"
                         : "the store is new: until then every token is refused (continuity_lost)",
                     advice, "admits tokens issued from %s, without iat those that expire from %s",
                     iat, exp);
}

static void judge_readiness(struct findings *findings, const struct host_facts *facts)
{
    if (facts->ready == JTG_OK)
        findings_add(findings, "ready", LEVEL_OK, "", "",
                     "a token that is issued now would be admitted");
    else if (facts->ready != JTG_ERR_CONTINUITY)
        findings_add(findings, "ready", LEVEL_FAILURE,
                     "/readyz of the service answers 503, and balancers send it nothing",
                     "see the other failures", "%s", facts->ready_text);
}

void diagnose_host(struct findings *findings, const struct host_facts *facts)
{
    judge_opening(findings, facts);
    judge_tmpfs(findings, facts);
    judge_access(findings, facts);
    judge_clock(findings, facts);
    if (facts->opened == JTG_OK)
        judge_probe(findings, facts);
    if (facts->counted) {
        judge_entries(findings, &facts->stats);
        judge_values(findings, &facts->stats);
        judge_processes(findings, &facts->stats);
        judge_repairs(findings, &facts->stats);
        judge_limit(findings, facts);
        judge_continuity(findings, facts);
    }
    judge_boot(findings, facts);
    if (facts->opened == JTG_OK)
        judge_readiness(findings, facts);
}
