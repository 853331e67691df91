/* SPDX-License-Identifier: Apache-2.0 */
/* `jtiguard doctor`: is this a store that the promise can rest on? */
#include "command.h"
#include "diagnosis.h"
#include "doctor_host.h"
#include "message.h"
#include "store.h"

#include <jtiguard/host.h>
#include <stdio.h>
#include <string.h>

static enum exit_code print(const struct settings *settings, const char *store,
                            const struct findings *findings)
{
    struct bytes out = {NULL, 0, 0};
    bool good = findings_write(&out, settings->json, store, findings) &&
                fwrite(out.data, 1, out.len, stdout) == out.len;
    bytes_clear(&out);
    enum finding_level worst = findings_worst(findings);
    if (!good || worst == LEVEL_FAILURE || (worst == LEVEL_WARNING && settings->strict))
        return EXIT_TROUBLE;
    return EXIT_ADMITTED;
}

/* ---- memory ---- */

static enum exit_code examine_memory(const struct settings *settings)
{
    struct findings findings = {.count = 0};
    jtg_cache *cache = NULL;
    enum exit_code code = store_open(&cache, settings, NULL);
    if (code != EXIT_ADMITTED)
        return code;
    diagnose_memory(&findings, settings, jtg_cache_ping(cache, NULL));
    jtg_cache_free(cache);
    return print(settings, "memory", &findings);
}

/* ---- the host's ---- */

static enum exit_code examine_this_host(const struct settings *settings)
{
    struct findings findings = {.count = 0};
    examine_host(&findings, settings);
    return print(settings, "host", &findings);
}

/* Where nobody names one: that which the other commands take. */
static enum exit_code examine_either(const struct settings *settings)
{
    struct settings local = *settings;
    if (jtg_host_place(NULL) != JTG_ERR_UNAVAILABLE)
        return examine_this_host(settings);
    local.store = "memory";
    return examine_memory(&local);
}

/* ---- Redis ---- */

/* A server that was reached has said something. */
static bool is_described(const jtg_redis_server *server)
{
    return server->software[0] != '\0' || server->role[0] != '\0' || server->run_id[0] != '\0';
}

static const char *text_of(const jtg_error *err, jtg_status status)
{
    return err->text[0] != '\0' ? err->text : jtg_status_text(status);
}

/* Since when it has kept everything, as the guard's own cache sees it. */
static void ask_continuity(struct redis_facts *facts, jtg_cache *watching, jtg_error *err)
{
    jtg_redis_stats stats = {.struct_size = sizeof stats};
    facts->watches = jtg_cache_watches(watching) != 0;
    if (!facts->watches)
        return;
    facts->kept = jtg_cache_kept_since(watching, &facts->kept_since_ms, err);
    facts->kept_text = text_of(err, facts->kept);
    facts->loss = jtg_redis_stats_get(watching, &stats, NULL) == JTG_OK
                      ? jtg_redis_loss_name(stats.last_loss)
                      : "unknown";
}

/* The question that the service's /readyz asks, with a guard as every user has it. */
static jtg_status ask_guard(const struct settings *settings, jtg_cache *cache, jtg_error *err)
{
    jtg_guard *guard = NULL;
    jtg_status status = jtg_guard_new(&guard, cache, &settings->guard, err);
    if (status == JTG_OK)
        status = jtg_guard_ping(guard, err);
    jtg_guard_free(guard);
    return status;
}

enum { LOOKS_LEAST = 8, LOOKS_MAX = 2 * JTG_REDIS_CONNECTIONS_LIMIT };

/* Who was met. */
struct meeting {
    char run_id[sizeof((jtg_redis_server *)0)->run_id];
};

static bool is_among(const struct meeting *seen, unsigned count, const char *run_id)
{
    for (unsigned i = 0; i < count; i++)
        if (strcmp(seen[i].run_id, run_id) == 0)
            return true;
    return false;
}

/* Each look is a connection of its own: at least as many as a guard makes, twice. */
static void look_again(struct redis_facts *facts, jtg_cache *cache, uint32_t connections)
{
    struct meeting seen[LOOKS_MAX];
    unsigned looks = 2 * connections < LOOKS_LEAST ? LOOKS_LEAST : 2 * connections;
    (void)snprintf(seen[0].run_id, sizeof seen[0].run_id, "%s", facts->server->run_id);
    facts->looks = 1;
    facts->servers = 1;
    for (unsigned i = 1; i < looks; i++) {
        jtg_redis_server server = {.struct_size = sizeof server};
        jtg_status unasked = jtg_redis_server_get(cache, &server, NULL);
        (void)unasked; /* it may have described itself in part */
        if (server.run_id[0] == '\0')
            continue;
        facts->looks++;
        if (!is_among(seen, facts->servers, server.run_id))
            (void)snprintf(seen[facts->servers++].run_id, sizeof seen[0].run_id, "%s",
                           server.run_id);
    }
}

/* Two caches: one as the guard has it, and one whose probes have names of the tokens' kind. */
static void examine_server(struct findings *findings, const struct settings *settings,
                           jtg_cache *probing, jtg_cache *watching)
{
    const jtg_redis_options *options = jtg_redis_uri_options(settings->uri);
    jtg_clock clock = jtg_clock_system();
    jtg_redis_server server = {.struct_size = sizeof server};
    jtg_error answer_err = JTG_ERROR_INIT;
    jtg_error probe_err = JTG_ERROR_INIT;
    jtg_error kept_err = JTG_ERROR_INIT;
    jtg_error ready_err = JTG_ERROR_INIT;
    struct redis_facts facts = {
        .server = &server,
        .route = route_of(options),
        .topology = topology_of(options),
        .login = options->password != NULL || options->password_file != NULL,
        .fsync = options->fsync != 0,
        .replicas = options->replicas,
        .timeout_ms = options->timeout_ms,
        .future_leeway_s = settings->guard.future_leeway_s,
        .margin_s = settings->guard.retention_margin_s,
        .max_lifetime_s = settings->guard.max_lifetime_s,
        .now_s = clock.wall_ms(clock.context) / 1000,
    };
    facts.answer = jtg_redis_server_get(probing, &server, &answer_err);
    facts.answer_text = text_of(&answer_err, facts.answer);
    facts.described = is_described(&server);
    facts.probe = facts.described ? jtg_cache_ping(probing, &probe_err) : facts.answer;
    facts.probe_text = text_of(&probe_err, facts.probe);
    if (server.run_id[0] != '\0' && facts.topology != TOPOLOGY_CLUSTER)
        look_again(&facts, probing, options->connections);
    if (facts.described)
        ask_continuity(&facts, watching, &kept_err);
    facts.ready = ask_guard(settings, watching, &ready_err);
    facts.ready_text = text_of(&ready_err, facts.ready);
    diagnose_redis(findings, &facts);
}

static const char *kind_of(const struct settings *settings)
{
    static const char *const names[][2] = {
        [TOPOLOGY_SINGLE] = {"redis", "rediss"},
        [TOPOLOGY_SENTINEL] = {"redis+sentinel", "rediss+sentinel"},
        [TOPOLOGY_CLUSTER] = {"redis+cluster", "rediss+cluster"}};
    const jtg_redis_options *options = jtg_redis_uri_options(settings->uri);
    if (options->unix_path != NULL)
        return "unix";
    return names[topology_of(options)][options->tls != 0];
}

/* Under the prefix of the tokens' keys, for the ACL user may have no other. A marker there would be
 * nobody's. */
static enum exit_code open_under_keys(jtg_cache **cache, const struct settings *settings)
{
    char prefix[JTG_REDIS_PREFIX_MAX_BYTES + 1];
    (void)snprintf(prefix, sizeof prefix, "%s%s",
                   settings->store_prefix != NULL ? settings->store_prefix : "",
                   store_guard_prefix(settings));
    return store_open_unwatched(cache, settings, prefix);
}

static enum exit_code examine_redis(const struct settings *settings)
{
    struct findings findings = {.count = 0};
    jtg_cache *probing = NULL;
    jtg_cache *watching = NULL;
    enum exit_code code = open_under_keys(&probing, settings);
    if (code == EXIT_ADMITTED)
        code = store_open(&watching, settings, NULL);
    if (code == EXIT_ADMITTED)
        examine_server(&findings, settings, probing, watching);
    jtg_cache_free(watching);
    jtg_cache_free(probing);
    return code == EXIT_ADMITTED ? print(settings, kind_of(settings), &findings) : code;
}

static enum exit_code run(const struct settings *settings, int operand_count, char **operands)
{
    (void)operands;
    if (operand_count > 0) {
        complain("doctor: takes no operand");
        return EXIT_USAGE;
    }
    switch (store_kind(settings)) {
    case STORE_MEMORY:
        return examine_memory(settings);
    case STORE_HOST:
        return examine_this_host(settings);
    case STORE_EITHER:
        return examine_either(settings);
    case STORE_REDIS:
        break;
    }
    return examine_redis(settings);
}

const struct command doctor_command = {
    "doctor",
    COMMAND_DOCTOR,
    "",
    "examine a store",
    "Asks the store about itself, makes and removes a probe reservation, and says of each finding\n"
    "whether it is ok, a note, a warning or a failure, what it means, and what to do. What it\n"
    "looks at is listed in docs/operations.md.\n"
    "\n"
    "Exit: 0 nothing worse than a warning (with --strict: than a note), 3 a failure, or the store\n"
    "cannot be reached, 2 usage.\n",
    "  jtiguard doctor --store redis://cache.example\n"
    "  jtiguard doctor --strict --json --store host:\n",
    run};
