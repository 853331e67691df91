/* SPDX-License-Identifier: Apache-2.0 */
#include "store.h"

#include "message.h"
#include "store_redis.h"

#include <stdio.h>
#include <string.h>

static bool is_memory(const struct settings *settings)
{
    return strcmp(settings->store, "memory") == 0;
}

/* Whatever begins like one, so that a build without Redis can say what it lacks. */
static bool is_redis(const char *store)
{
    return strncmp(store, "redis", 5) == 0 || strncmp(store, "valkey", 6) == 0 ||
           strncmp(store, "unix:", 5) == 0;
}

/* The time to live is made by the clock of --now, and kept by the server's own. */
static const char *find_conflict(const struct settings *settings)
{
    if (settings->now_ms != JTG_TIME_ABSENT)
        return "--now goes with --store memory only: it would give a shared store times to live "
               "by a clock that stands still";
    if (settings->memory.max_entries != TOOL_MAX_ENTRIES_DEFAULT ||
        settings->memory.max_entries_per_group != 0)
        return "--max-entries and --issuer-share go with --store memory only (a Redis has "
               "issuer_share= in its URI)";
    return NULL;
}

static enum exit_code refuse(const char *problem)
{
    complain("%s", problem);
    return EXIT_USAGE;
}

enum exit_code store_settle(struct settings *settings)
{
    if (is_memory(settings))
        return EXIT_ADMITTED;
    /* Its name is not shown: a store's address may hold a password. */
    if (!is_redis(settings->store))
        return refuse(store_redis_is_built()
                          ? "this build has no such store; it has: memory, redis://, rediss://, "
                            "valkey://, valkeys://, unix://, redis+sentinel://, redis+cluster://"
                          : "this build has no such store; it has: memory");
    const char *conflict = find_conflict(settings);
    return conflict != NULL ? refuse(conflict) : store_redis_settle(settings);
}

void store_forget(struct settings *settings)
{
    store_redis_forget(settings);
}

enum exit_code store_refuse(jtg_status status, const jtg_error *err)
{
    complain("cannot open the store: %s",
             err->text[0] != '\0' ? err->text : jtg_status_text(status));
    return status == JTG_ERR_ARGUMENT || status == JTG_ERR_UNSUPPORTED ? EXIT_USAGE : EXIT_TROUBLE;
}

enum exit_code store_open(jtg_cache **cache, const struct settings *settings,
                          const jtg_clock *clock)
{
    if (!is_memory(settings))
        return store_redis_open(cache, settings, settings->store_prefix, clock);
    jtg_error err = JTG_ERROR_INIT;
    jtg_memory_options options = settings->memory;
    options.clock = clock;
    jtg_status status = jtg_memory_new(cache, &options, &err);
    return status == JTG_OK ? EXIT_ADMITTED : store_refuse(status, &err);
}

bool store_is_lasting(const struct settings *settings)
{
    return !is_memory(settings);
}

uint32_t store_timeout_ms(const struct settings *settings)
{
    return is_memory(settings) ? 0 : store_redis_options(settings)->timeout_ms;
}

void store_name(const struct settings *settings, char text[STORE_NAME_BYTES])
{
    if (is_memory(settings))
        (void)snprintf(text, STORE_NAME_BYTES, "memory");
    else
        store_redis_name(settings, text, STORE_NAME_BYTES);
}

const char *store_guard_prefix(const struct settings *settings)
{
    if (settings->guard.key_prefix != NULL)
        return settings->guard.key_prefix;
    return settings->guard.key_form == JTG_KEY_PLAIN ? JTG_KEY_PREFIX_PLAIN_DEFAULT
                                                     : JTG_KEY_PREFIX_DIGEST_DEFAULT;
}
