/* SPDX-License-Identifier: Apache-2.0 */
/* `jtiguard host`: the store of this host as a file: make it, look at it, say that it was lost. */
#include "command.h"
#include "message.h"
#include "moment.h"
#include "store.h"

#include <inttypes.h>
#include <jansson.h>
#include <jtiguard/host.h>
#include <stdio.h>
#include <string.h>

static enum exit_code fail(jtg_status status, const jtg_error *err)
{
    complain("host: %s", err->text[0] != '\0' ? err->text : jtg_status_text(status));
    return status == JTG_ERR_ARGUMENT ? EXIT_USAGE : EXIT_TROUBLE;
}

/* ---- what is printed ---- */

static void tell_as_json(void *context, uint32_t process_id, const char *name)
{
    json_t *one =
        json_pack("{s:I, s:s%}", "pid", (json_int_t)process_id, "name", name, strlen(name));
    (void)json_array_append_new(context, one);
}

static bool print_json(jtg_cache *cache, const jtg_host_stats *stats)
{
    json_t *processes = json_array();
    bool told = jtg_host_processes(cache, tell_as_json, processes, NULL) == JTG_OK;
    json_t *answer = json_pack(
        "{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "path", stats->path, "bytes",
        (json_int_t)stats->bytes, "entries", (json_int_t)stats->entries, "max_entries",
        (json_int_t)stats->max_entries, "repairs", (json_int_t)stats->repairs, "emptied",
        (json_int_t)stats->emptied, "kept_since_ms",
        (json_int_t)(stats->kept_since_ms < 0 ? 0 : stats->kept_since_ms), "processes", processes);
    bool good = told && answer != NULL && json_dumpf(answer, stdout, JSON_COMPACT) == 0;
    json_decref(answer);
    return good && putchar('\n') != EOF;
}

static void tell_as_text(void *context, uint32_t process_id, const char *name)
{
    (void)context;
    (void)printf("  process %" PRIu32 " %s\n", process_id, name);
}

static bool print_text(jtg_cache *cache, const jtg_host_stats *stats)
{
    char since[MOMENT_TEXT_BYTES];
    moment_to_text(stats->kept_since_ms, since);
    bool is_ever = stats->kept_since_ms <= 0;
    int printed = printf("%s\n  %" PRIu64 " of at most %" PRIu64 " tokens, %" PRIu64
                         " MiB\n  has kept everything%s%s\n  %" PRIu64 " repairs\n",
                         stats->path, stats->entries, stats->max_entries, stats->bytes >> 20,
                         is_ever ? "" : " since ", is_ever ? "" : since, stats->repairs);
    return printed > 0 && jtg_host_processes(cache, tell_as_text, NULL, NULL) == JTG_OK;
}

/* ---- what is done ---- */

static enum exit_code show(const struct settings *settings, jtg_cache *cache)
{
    jtg_error err = JTG_ERROR_INIT;
    jtg_host_stats stats = {.struct_size = sizeof stats};
    jtg_status status = jtg_host_stats_get(cache, &stats, &err);
    if (status != JTG_OK)
        return fail(status, &err);
    bool printed = settings->json ? print_json(cache, &stats) : print_text(cache, &stats);
    return printed ? EXIT_ADMITTED : EXIT_TROUBLE;
}

static enum exit_code lose(const struct settings *settings, jtg_cache *cache)
{
    jtg_error err = JTG_ERROR_INIT;
    if (!settings->yes) {
        complain("host: with --yes you say that the store may have forgotten: tokens that can have "
                 "been used before now are refused");
        return EXIT_USAGE;
    }
    jtg_status status = jtg_host_lose(cache, &err);
    return status == JTG_OK ? show(settings, cache) : fail(status, &err);
}

enum act { ACT_CREATE, ACT_SHOW, ACT_LOST, ACTS };
static const char *const act_names[ACTS] = {"create", "show", "lost"};

static enum exit_code act_on(enum act act, const struct settings *settings, jtg_cache *cache)
{
    return act == ACT_LOST ? lose(settings, cache) : show(settings, cache);
}

static enum exit_code open_and(enum act act, const struct settings *settings)
{
    jtg_error err = JTG_ERROR_INIT;
    jtg_cache *cache = NULL;
    jtg_logger logger = message_logger();
    jtg_host_options options = store_host_options(settings);
    options.must_exist = act != ACT_CREATE;
    options.logger = &logger;
    jtg_status status = jtg_host_new(&cache, &options, &err);
    if (status != JTG_OK)
        return fail(status, &err);
    enum exit_code code = act_on(act, settings, cache);
    jtg_cache_free(cache);
    return code;
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

static enum exit_code run(const struct settings *settings, int operand_count, char **operands)
{
    struct settings local = *settings;
    enum act act = ACTS;
    const char *wrong = NULL;
    if (settings->store == settings_default_store)
        local.store = "host:";
    if (operand_count != 1 || !find_act(operands[0], &act))
        wrong = "takes one word: create, show or lost";
    else if (!store_is_host(&local))
        wrong = "is about a store of this host: --store host: or host:/path";
    if (wrong == NULL)
        return open_and(act, &local);
    complain("host: %s", wrong);
    return EXIT_USAGE;
}

const struct command host_command = {
    "host",
    COMMAND_HOST,
    "create|show|lost",
    "make the store of this host, look at it, or say that it was lost",
    "create: makes the store, if it is not there, and shows it; at boot, so that it is old enough\n"
    "        when the first token comes (packaging/systemd/jtiguard-host.service).\n"
    "show:   what it holds, since when it has kept everything, and which processes use it.\n"
    "lost:   tokens that can have been used before now are refused from now on: for the hook of a\n"
    "        virtual machine that was set back to a snapshot.\n"
    "\n"
    "Exit: 0 done, 2 usage, or no --yes, 3 trouble with the store or the output.\n",
    run};
