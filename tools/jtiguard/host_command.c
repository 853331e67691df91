/* SPDX-License-Identifier: Apache-2.0 */
/* `jtiguard host`: makes, shows, dates and resizes the store of this host. */
#include "bytes.h"
#include "command.h"
#include "message.h"
#include "moment.h"
#include "store.h"
#include "store_host.h"

#include <errno.h>
#include <grp.h>
#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum act { ACT_CREATE, ACT_SHOW, ACT_LOST, ACT_RESIZE, ACTS };

static const char *const act_names[ACTS] = {"create", "show", "lost", "resize"};

/* ---- what was asked for ---- */

static enum exit_code refuse(const char *why)
{
    complain("host: %s", why);
    return EXIT_USAGE;
}

static bool find_act(const char *name, enum act *act)
{
    for (int i = 0; i < ACTS; i++) {
        *act = (enum act)i;
        if (strcmp(name, act_names[i]) == 0)
            return true;
    }
    return false;
}

static const char *find_conflict(const struct settings *settings, enum act act)
{
    bool makes = settings->host.group != NULL || settings->memory.max_entries_per_group != 0 ||
                 settings->host.max_values != 0 || settings->host.max_value_bytes != 0;
    bool sizes = settings->memory.max_entries != 0;
    if (makes && act != ACT_CREATE)
        return "--group, --issuer-share, --max-values and --max-value-bytes go with create only";
    if (sizes && act != ACT_CREATE && act != ACT_RESIZE)
        return "--max-entries goes with create and resize only";
    if (!sizes && act == ACT_RESIZE)
        return "resize: wants --max-entries N";
    if (act == ACT_LOST && !settings->yes)
        return "lost: with --yes you say that what was remembered before now counts no more: "
               "tokens that can have been used before are refused, 90 seconds with the default "
               "margins";
    return NULL;
}

/* An operand before --store before the environment. */
static const char *take_path(struct settings *settings, char uri[PATH_MAX + 8], const char *path)
{
    if (path == NULL)
        return store_kind(settings) == STORE_HOST
                   ? NULL
                   : "the store that is named is not of this host: give a PATH, or --store host:";
    if (path[0] != '/' || strlen(path) >= PATH_MAX)
        return "wants an absolute PATH";
    (void)snprintf(uri, PATH_MAX + 8, "host:%s", path);
    settings->store = uri;
    return NULL;
}

/* ---- the store ---- */

static enum exit_code fail(const char *act, jtg_status status, const jtg_error *err)
{
    const char *advice = store_host_advice(status, err);
    complain("host: %s: %s", act, err->text[0] != '\0' ? err->text : jtg_status_text(status));
    if (advice != NULL)
        complain("host: %s", advice);
    return status == JTG_ERR_ARGUMENT ? EXIT_USAGE : EXIT_TROUBLE;
}

static jtg_status open_store(jtg_cache **cache, const struct settings *settings, bool must_exist,
                             jtg_error *err)
{
    static const jtg_error none = JTG_ERROR_INIT;
    jtg_logger logger = message_logger();
    jtg_host_options options = store_host_options(settings);
    options.must_exist = must_exist;
    options.logger = &logger;
    *err = none;
    return jtg_host_new(cache, &options, err);
}

struct facts {
    jtg_host_stats stats;
    char owner[32];
    char group[32];
    unsigned mode;
};

/* By name where there is one. */
static void name_owner(struct facts *facts, const struct stat *about)
{
    const struct passwd *user = getpwuid(about->st_uid); /* NOLINT(concurrency-mt-unsafe) */
    const struct group *group = getgrgid(about->st_gid); /* NOLINT(concurrency-mt-unsafe) */
    if (user != NULL)
        (void)snprintf(facts->owner, sizeof facts->owner, "%s", user->pw_name);
    else
        (void)snprintf(facts->owner, sizeof facts->owner, "%u", (unsigned)about->st_uid);
    if (group != NULL)
        (void)snprintf(facts->group, sizeof facts->group, "%s", group->gr_name);
    else
        (void)snprintf(facts->group, sizeof facts->group, "%u", (unsigned)about->st_gid);
    facts->mode = (unsigned)(about->st_mode & 07777);
}

static jtg_status learn(struct facts *facts, jtg_cache *cache, jtg_error *err)
{
    struct stat about;
    *facts = (struct facts){.stats.struct_size = sizeof facts->stats};
    jtg_status status = jtg_host_stats_get(cache, &facts->stats, err);
    if (status == JTG_OK && stat(facts->stats.path, &about) == 0)
        name_owner(facts, &about);
    return status;
}

/* ---- show ---- */

enum { PROCESS_NAME_BYTES = 32 };

/* Any process of the store may write any name. */
static void make_printable(char shown[PROCESS_NAME_BYTES], const char *name)
{
    (void)snprintf(shown, PROCESS_NAME_BYTES, "%s", name);
    for (char *at = shown; *at != '\0'; at++)
        if ((unsigned char)*at < 0x20 || (unsigned char)*at > 0x7e)
            *at = '?';
}

static void tell_as_json(void *context, uint32_t process_id, const char *name)
{
    char shown[PROCESS_NAME_BYTES];
    make_printable(shown, name);
    if (process_id != (uint32_t)getpid())
        (void)json_array_append_new(
            context, json_pack("{s:I, s:s}", "pid", (json_int_t)process_id, "name", shown));
}

static json_t *list_processes(jtg_cache *cache)
{
    json_t *list = json_array();
    jtg_status status = jtg_host_processes(cache, tell_as_json, list, NULL);
    if (status == JTG_OK)
        return list;
    json_decref(list);
    return NULL;
}

static json_t *facts_as_json(const struct facts *facts, json_t *processes)
{
    char mode[8];
    const jtg_host_stats *stats = &facts->stats;
    (void)snprintf(mode, sizeof mode, "%04o", facts->mode);
    return json_pack(
        "{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:s, s:s, s:s, s:o}", "path",
        stats->path, "bytes", (json_int_t)stats->bytes, "entries", (json_int_t)stats->entries,
        "max_entries", (json_int_t)stats->max_entries, "issuer_share",
        (json_int_t)stats->max_entries_per_group, "kept_since_ms",
        (json_int_t)(stats->kept_since_ms > 0 ? stats->kept_since_ms : 0), "repairs",
        (json_int_t)stats->repairs, "emptied", (json_int_t)stats->emptied, "values",
        (json_int_t)stats->values, "max_values", (json_int_t)stats->max_values, "value_bytes",
        (json_int_t)stats->value_bytes, "max_value_bytes", (json_int_t)stats->max_value_bytes,
        "owner", facts->owner, "group", facts->group, "mode", mode, "processes", processes);
}

static bool print_json(json_t *answer)
{
    bool good = answer != NULL && json_dumpf(answer, stdout, JSON_COMPACT) == 0;
    json_decref(answer);
    return good && putchar('\n') != EOF;
}

static void print_process(void *context, uint32_t process_id, const char *name)
{
    const char **before = context;
    char shown[PROCESS_NAME_BYTES];
    if (process_id == (uint32_t)getpid())
        return;
    make_printable(shown, name);
    (void)printf("%s%" PRIu32 " (%s)", *before, process_id, shown);
    *before = ", ";
}

static bool print_text(const struct facts *facts, jtg_cache *cache)
{
    char since[MOMENT_TEXT_BYTES];
    const jtg_host_stats *stats = &facts->stats;
    const char *before = "";
    moment_to_text(stats->kept_since_ms, since);
    bool good =
        printf("host:%s\n"
               "entries     %" PRIu64 " of %" PRIu64 "\n"
               "values      %" PRIu64 " of %" PRIu64 ", %" PRIu64 " bytes of %" PRIu64 "\n"
               "file        %" PRIu64 " bytes, all in memory; owner %s, group %s, mode %04o\n"
               "kept since  %s\n"
               "repairs     %" PRIu64 ", emptied %" PRIu64 "\n"
               "processes   ",
               stats->path, stats->entries, stats->max_entries, stats->values, stats->max_values,
               stats->value_bytes, stats->max_value_bytes, stats->bytes, facts->owner, facts->group,
               facts->mode, stats->kept_since_ms > 0 ? since : "ever", stats->repairs,
               stats->emptied) > 0;
    if (jtg_host_processes(cache, print_process, &before, NULL) != JTG_OK)
        return false;
    return printf("%s\n", *before == '\0' ? "none" : "") > 0 && good;
}

static enum exit_code show(const struct settings *settings)
{
    struct facts facts;
    jtg_cache *cache = NULL;
    jtg_error err;
    jtg_status status = open_store(&cache, settings, true, &err);
    if (status == JTG_OK)
        status = learn(&facts, cache, &err);
    bool printed = status == JTG_OK &&
                   (settings->json ? print_json(facts_as_json(&facts, list_processes(cache)))
                                   : print_text(&facts, cache));
    jtg_cache_free(cache);
    if (status != JTG_OK)
        return fail("show", status, &err);
    return printed ? EXIT_ADMITTED : EXIT_TROUBLE;
}

/* ---- create ---- */

static bool print_created(const struct settings *settings, const struct facts *facts, bool made)
{
    const jtg_host_stats *stats = &facts->stats;
    if (settings->json)
        return print_json(json_pack("{s:b, s:s, s:I, s:I}", "made", (int)made, "path", stats->path,
                                    "max_entries", (json_int_t)stats->max_entries, "max_values",
                                    (json_int_t)stats->max_values));
    return printf("%s host:%s, for %" PRIu64 " entries and %" PRIu64
                  " values, owner %s, group %s, mode %04o\n",
                  made ? "made" : "there already:", stats->path, stats->max_entries,
                  stats->max_values, facts->owner, facts->group, facts->mode) > 0;
}

/* A store that is there keeps its mode, and nobody else gets in. */
static void note_group(const struct settings *settings, const struct facts *facts)
{
    if (settings->host.group != NULL && (facts->mode & S_IRWXG) == 0)
        complain("host: create: note: it was made without a group, and stays so until it is "
                 "removed");
}

static enum exit_code conclude_create(const struct settings *settings, jtg_cache *cache, bool made)
{
    struct facts facts;
    jtg_error err = JTG_ERROR_INIT;
    char difference[STORE_HOST_DIFFERENCE_BYTES];
    jtg_status status = learn(&facts, cache, &err);
    if (status != JTG_OK)
        return fail("create", status, &err);
    store_host_difference(settings, cache, difference);
    if (difference[0] != '\0')
        complain("host: create: note: %s", difference);
    note_group(settings, &facts);
    return print_created(settings, &facts, made) ? EXIT_ADMITTED : EXIT_TROUBLE;
}

static enum exit_code create(const struct settings *settings)
{
    jtg_cache *cache = NULL;
    jtg_error err;
    jtg_status status = open_store(&cache, settings, true, &err);
    bool made = status == JTG_ERR_UNAVAILABLE && err.system_errno == ENOENT;
    if (made)
        status = open_store(&cache, settings, false, &err);
    if (status != JTG_OK)
        return fail("create", status, &err);
    enum exit_code code = conclude_create(settings, cache, made);
    jtg_cache_free(cache);
    return code;
}

/* ---- lost ---- */

static bool print_lost(const struct settings *settings, int64_t kept_since_ms)
{
    char text[MOMENT_TEXT_BYTES];
    moment_to_text(kept_since_ms, text);
    if (settings->json)
        return printf("{\"lost\":true,\"kept_since_ms\":%" PRId64 "}\n", kept_since_ms) > 0;
    return printf("lost: what was remembered before %s counts no more\n", text) > 0;
}

static enum exit_code lose(const struct settings *settings)
{
    jtg_cache *cache = NULL;
    jtg_error err;
    int64_t kept_since_ms = 0;
    jtg_status status = open_store(&cache, settings, true, &err);
    if (status == JTG_OK)
        status = jtg_host_lose(cache, &err);
    if (status == JTG_OK)
        status = jtg_cache_kept_since(cache, &kept_since_ms, &err);
    jtg_cache_free(cache);
    if (status != JTG_OK)
        return fail("lost", status, &err);
    return print_lost(settings, kept_since_ms) ? EXIT_ADMITTED : EXIT_TROUBLE;
}

/* ---- resize ---- */

static bool print_resized(const struct settings *settings, const jtg_host_stats *before,
                          const jtg_host_stats *after)
{
    if (settings->json)
        return printf("{\"resized\":true,\"max_entries\":%" PRIu64 ",\"before\":%" PRIu64 "}\n",
                      after->max_entries, before->max_entries) > 0;
    return printf("resized: host:%s is for %" PRIu64 " entries, and was for %" PRIu64
                  "; all that it held went along\n",
                  after->path, after->max_entries, before->max_entries) > 0;
}

static enum exit_code resize(const struct settings *settings)
{
    jtg_cache *cache = NULL;
    jtg_error err;
    jtg_host_stats before = {.struct_size = sizeof before}, after = before;
    jtg_status status = open_store(&cache, settings, true, &err);
    if (status == JTG_OK)
        status = jtg_host_stats_get(cache, &before, &err);
    if (status == JTG_OK)
        status = jtg_host_resize(cache, settings->memory.max_entries, &err);
    if (status == JTG_OK)
        status = jtg_host_stats_get(cache, &after, &err);
    jtg_cache_free(cache);
    if (status != JTG_OK)
        return fail("resize", status, &err);
    return print_resized(settings, &before, &after) ? EXIT_ADMITTED : EXIT_TROUBLE;
}

/* ---- the command ---- */

static enum exit_code run(const struct settings *settings, int operand_count, char **operands)
{
    static enum exit_code (*const acts[ACTS])(const struct settings *) = {create, show, lose,
                                                                          resize};
    struct settings local = *settings;
    char uri[PATH_MAX + 8];
    enum act act;
    if (operand_count < 1 || operand_count > 2 || !find_act(operands[0], &act))
        return refuse("takes create, show, lost or resize, and a PATH or none");
    const char *wrong = take_path(&local, uri, operand_count == 2 ? operands[1] : NULL);
    if (wrong == NULL)
        wrong = find_conflict(settings, act);
    return wrong != NULL ? refuse(wrong) : acts[act](&local);
}

const struct command host_command = {
    "host",
    COMMAND_HOST,
    "create|show|lost|resize [PATH]",
    "make, show, date and resize the store of this host",
    "The store that all processes of this host share: a file on a tmpfs, which PATH or --store\n"
    "host:PATH names, else /run/jtiguard-host/store, or where root has made no such folder that\n"
    "of the user's session.\n"
    "\n"
    "  create  make it, for so many entries, an owner and a group; nothing changes where there is\n"
    "          one. For a unit at boot, so that the store is old enough when it is needed\n"
    "  show    its path, size, entries, since when it has kept everything, who may use it and "
    "does\n"
    "  lost    say that what it remembered before now counts no more, as after a virtual machine\n"
    "          was set back to a snapshot; wants --yes\n"
    "  resize  make it larger or smaller while others use it, with --max-entries N: all that it\n"
    "          holds goes along. Its owner or root may; both files must fit for a moment\n"
    "\n"
    "Exit: 0 done, 2 usage, 3 trouble with the store or the output.\n",
    "  jtiguard host create --group jtiguard-host --max-entries 2000000\n"
    "  jtiguard host show\n",
    run};
