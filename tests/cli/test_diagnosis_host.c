/* SPDX-License-Identifier: Apache-2.0 */
/* Every finding about a store of a host, at every level that it can have. A case takes one of which
 * all is well and spoils one thing. */
#include "diagnosis_host.h"
#include "support/asserts.h"
#include "support/text_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Two days after 1970 began: a store that was vouched for has no doubtful tokens any more. */
enum { NOW_S = 172800 };

static struct host_facts good(void)
{
    return (struct host_facts){.path = "/run/jtiguard-host/store",
                               .is_default = true,
                               .counted = true,
                               .stats = {.bytes = 40000000,
                                         .entries = 10,
                                         .max_entries = 1000000,
                                         .processes = 3,
                                         .values = 1,
                                         .max_values = 1000,
                                         .value_bytes = 2560,
                                         .max_value_bytes = 2097152},
                               .folder_found = true,
                               .folder_mode = 0755,
                               .on_tmpfs = true,
                               .file_found = true,
                               .file_mode = S_IFREG | 0600,
                               .file_links = 1,
                               .has_systemd = true,
                               .has_boot_unit = true,
                               .future_leeway_s = 30,
                               .margin_s = 60,
                               .max_lifetime_s = 86400,
                               .now_s = NOW_S};
}

/* ---- what may be wrong ---- */

static void nothing(struct host_facts *f)
{
    (void)f;
}
static void no_folder(struct host_facts *f)
{
    f->opened = JTG_ERR_UNAVAILABLE;
    f->folder_found = f->file_found = f->counted = false;
}
static void no_file(struct host_facts *f)
{
    f->opened = JTG_ERR_UNAVAILABLE;
    f->file_found = f->counted = false;
}
static void no_file_of_use(struct host_facts *f)
{
    f->opened = JTG_ERR_UNAVAILABLE;
    f->opened_errno = ENOENT;
    f->counted = false;
}
static void no_right(struct host_facts *f)
{
    f->opened = JTG_ERR_UNAVAILABLE;
    f->opened_errno = EACCES;
    f->counted = false;
}
static void stopped_at_the_door(struct host_facts *f)
{
    f->opened = JTG_ERR_BLOCKED;
    f->counted = false;
}
static void disk(struct host_facts *f)
{
    f->on_tmpfs = false;
}
static void open_folder(struct host_facts *f)
{
    f->folder_mode = 0777;
}
static void sticky_folder(struct host_facts *f)
{
    f->folder_mode = 01777;
}
static void no_regular_file(struct host_facts *f)
{
    f->file_mode = S_IFLNK | 0777;
}
static void mounted(struct host_facts *f)
{
    f->file_is_mounted = true;
}
static void second_name(struct host_facts *f)
{
    f->file_links = 2;
}
static void open_to_all(struct host_facts *f)
{
    f->file_mode = S_IFREG | 0666;
}
static void of_another(struct host_facts *f)
{
    f->file_owner = 1001;
    f->user = 1000;
}
static void of_root(struct host_facts *f)
{
    f->user = 1000;
}
static void of_a_group(struct host_facts *f)
{
    f->file_mode = S_IFREG | 0660;
}
static void time_namespace(struct host_facts *f)
{
    f->other_clock = true;
}
static void no_probe(struct host_facts *f)
{
    f->probe = JTG_ERR_FULL;
}
static void blocked_probe(struct host_facts *f)
{
    f->probe = JTG_ERR_BLOCKED;
}
static void full(struct host_facts *f)
{
    f->stats.entries = 1000000;
}
static void nearly_full(struct host_facts *f)
{
    f->stats.entries = 900000;
}
static void not_nearly_full(struct host_facts *f)
{
    f->stats.entries = 899999;
}
static void many_values(struct host_facts *f)
{
    f->stats.values = 900;
}
static void not_so_many_values(struct host_facts *f)
{
    f->stats.values = 899;
}
static void large_values(struct host_facts *f)
{
    f->stats.value_bytes = 2097152;
}
static void crowded(struct host_facts *f)
{
    f->stats.processes = 4000;
}
static void stray_write(struct host_facts *f)
{
    f->stats.emptied = 1;
}
static void small_group(struct host_facts *f)
{
    f->memory_limit = 39999999;
}
static void large_group(struct host_facts *f)
{
    f->memory_limit = 40000000;
}
static void no_unit(struct host_facts *f)
{
    f->has_boot_unit = false;
}
static void no_unit_but_named(struct host_facts *f)
{
    f->has_boot_unit = false;
    f->is_default = false;
}
static void no_systemd(struct host_facts *f)
{
    f->has_boot_unit = f->has_systemd = false;
}
static void new_store(struct host_facts *f)
{
    f->stats.kept_since_ms = (NOW_S - 89) * INT64_C(1000);
    f->ready = JTG_ERR_CONTINUITY;
}
static void old_enough_for_iat(struct host_facts *f)
{
    f->stats.kept_since_ms = (NOW_S - 90) * INT64_C(1000);
}
static void not_ready(struct host_facts *f)
{
    f->ready = JTG_ERR_SYSTEM;
}

/* NULL: nothing is said of it. */
struct finding_case {
    void (*spoil)(struct host_facts *facts);
    const char *check;
    const char *level;
    const char *advice; /* a part of it */
};

static const struct finding_case cases[] = {
    {nothing, "file", "ok", ""},
    {no_folder, "file", "failure", "make the folder on a tmpfs"},
    {no_folder, "tmpfs", NULL, NULL},
    {no_file, "file", "warning", "host create"},
    {no_file, "access", NULL, NULL},
    {no_file_of_use, "file", "warning", "host create"},
    {no_right, "file", "failure", "--group GROUP"},
    {stopped_at_the_door, "file", "failure", "let it go on"},
    {nothing, "tmpfs", "ok", ""},
    {disk, "tmpfs", "failure", "/run/jtiguard-host"},
    {nothing, "folder", NULL, NULL},
    {open_folder, "folder", "failure", "chmod o-w"},
    {sticky_folder, "folder", NULL, NULL},
    {nothing, "access", "ok", ""},
    {no_regular_file, "access", "failure", "another path"},
    {mounted, "access", "failure", "mount its folder"},
    {second_name, "access", "failure", "remove the other name"},
    {open_to_all, "access", "failure", "chmod o="},
    {of_another, "access", "failure", "let root make it"},
    {of_root, "access", "ok", ""},
    {of_a_group, "access", "note", ""},
    {nothing, "clock", NULL, NULL},
    {time_namespace, "clock", "failure", "one time namespace"},
    {nothing, "reserve", "ok", ""},
    {no_probe, "reserve", "failure", "see the other failures"},
    {blocked_probe, "reserve", "failure", "let it go on"},
    {full, "entries", "failure", "--max-entries N"},
    {nearly_full, "entries", "warning", "--max-entries N"},
    {not_nearly_full, "entries", "ok", ""},
    {many_values, "values", "warning", "--max-values N"},
    {not_so_many_values, "values", "ok", ""},
    {large_values, "values", "warning", "--max-value-bytes N"},
    {nothing, "processes", "ok", ""},
    {crowded, "processes", "warning", "host show"},
    {nothing, "repairs", "ok", ""},
    {stray_write, "repairs", "warning", "host show"},
    {nothing, "limit", NULL, NULL},
    {small_group, "limit", "warning", "jtiguard-host.service"},
    {large_group, "limit", NULL, NULL},
    {nothing, "boot", NULL, NULL},
    {no_unit, "boot", "note", "systemctl enable"},
    {no_unit_but_named, "boot", NULL, NULL},
    {no_systemd, "boot", NULL, NULL},
    {nothing, "continuity", "ok", ""},
    {new_store, "continuity", "warning", "vouch"},
    {old_enough_for_iat, "continuity", "note", "vouch"},
    {nothing, "ready", "ok", ""},
    {new_store, "ready", NULL, NULL},
    {not_ready, "ready", "failure", "see the other failures"},
};

static const struct finding *find(const struct findings *findings, const char *check)
{
    for (size_t i = 0; i < findings->count; i++)
        if (strcmp(findings->list[i].check, check) == 0)
            return &findings->list[i];
    return NULL;
}

static void judges_each(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct findings findings = {.count = 0};
        struct host_facts facts = good();
        cases[i].spoil(&facts);
        diagnose_host(&findings, &facts);
        const struct finding *found = find(&findings, cases[i].check);
        const char *level = found != NULL ? finding_level_name(found->level) : NULL;
        bool same = level == NULL ? cases[i].level == NULL
                                  : cases[i].level != NULL && strcmp(level, cases[i].level) == 0;
        if (!same || (found != NULL && strstr(found->advice, cases[i].advice) == NULL))
            fail_msg("case %zu, %s: %s", i, cases[i].check, level != NULL ? level : "nothing");
    }
}

/* Nothing that is wrong goes without a word of what it means and what to do. */
static void says_what_to_do(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct findings findings = {.count = 0};
        struct host_facts facts = good();
        cases[i].spoil(&facts);
        diagnose_host(&findings, &facts);
        for (size_t j = 0; j < findings.count; j++)
            if (findings.list[j].level > LEVEL_NOTE &&
                (*findings.list[j].meaning == '\0' || *findings.list[j].advice == '\0'))
                fail_msg("case %zu: %s", i, findings.list[j].check);
    }
}

/* Each check has its row in the manual. */
static void all_checks_are_in_the_manual(void **state)
{
    (void)state;
    char *page = text_file_read(JTIGUARD_TOOL_PAGE);
    const char *table = strstr(page, "### Of the host's store");
    assert_non_null(table);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char row[32];
        (void)snprintf(row, sizeof row, "\n| `%s` |", cases[i].check);
        if (strstr(table, row) == NULL)
            fail_msg("%s has no row", cases[i].check);
    }
    free(page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judges_each),
        cmocka_unit_test(says_what_to_do),
        cmocka_unit_test(all_checks_are_in_the_manual),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
