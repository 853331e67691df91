/* SPDX-License-Identifier: Apache-2.0 */
/* `jtiguard doctor`: is this a store that the promise can rest on? */
#include "command.h"
#include "diagnosis.h"
#include "message.h"
#include "store.h"
#include "store_redis.h"

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

static void examine_server(struct findings *findings, const struct settings *settings,
                           jtg_cache *cache)
{
    const jtg_redis_options *options = store_redis_options(settings);
    jtg_clock clock = jtg_clock_system();
    jtg_redis_server server = {.struct_size = sizeof server};
    jtg_error answer_err = JTG_ERROR_INIT;
    jtg_error probe_err = JTG_ERROR_INIT;
    struct redis_facts facts = {
        .server = &server,
        .route = route_of(options),
        .login = options->password != NULL || options->password_file != NULL,
        .timeout_ms = options->timeout_ms,
        .margin_s = settings->guard.retention_margin_s,
        .max_lifetime_s = settings->guard.max_lifetime_s,
        .now_s = clock.wall_ms(clock.context) / 1000,
    };
    facts.answer = store_redis_describe(cache, &server, &answer_err);
    facts.answer_text = text_of(&answer_err, facts.answer);
    facts.described = is_described(&server);
    facts.probe = facts.described ? jtg_cache_ping(cache, &probe_err) : facts.answer;
    facts.probe_text = text_of(&probe_err, facts.probe);
    diagnose_redis(findings, &facts);
}

static const char *kind_of(const struct settings *settings)
{
    const jtg_redis_options *options = store_redis_options(settings);
    if (options->unix_path != NULL)
        return "unix";
    return options->tls != 0 ? "rediss" : "redis";
}

/* Under the prefix of the tokens' keys, for the ACL user may have no other. */
static enum exit_code open_under_keys(jtg_cache **cache, const struct settings *settings)
{
    char prefix[JTG_REDIS_PREFIX_MAX_BYTES + 1];
    (void)snprintf(prefix, sizeof prefix, "%s%s",
                   settings->store_prefix != NULL ? settings->store_prefix : "",
                   store_guard_prefix(settings));
    return store_redis_open(cache, settings, prefix, NULL);
}

static enum exit_code examine_redis(const struct settings *settings)
{
    struct findings findings = {.count = 0};
    jtg_cache *cache = NULL;
    enum exit_code code = open_under_keys(&cache, settings);
    if (code != EXIT_ADMITTED)
        return code;
    examine_server(&findings, settings, cache);
    jtg_cache_free(cache);
    return print(settings, kind_of(settings), &findings);
}

static enum exit_code run(const struct settings *settings, int operand_count, char **operands)
{
    (void)operands;
    if (operand_count > 0) {
        complain("doctor: takes no operand");
        return EXIT_USAGE;
    }
    return store_is_lasting(settings) ? examine_redis(settings) : examine_memory(settings);
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
    run};
