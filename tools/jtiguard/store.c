/* SPDX-License-Identifier: Apache-2.0 */
#include "store.h"

#include "message.h"
#include "store_host.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

/* A clock that stands still is for audits, which share nothing. */
static enum store_kind kind_when_unnamed(const struct settings *settings)
{
    if (settings->now_ms != JTG_TIME_ABSENT || settings->store_default == STORE_DEFAULT_MEMORY)
        return STORE_MEMORY;
    return settings->store_default == STORE_DEFAULT_HOST ? STORE_HOST : STORE_EITHER;
}

enum store_kind store_kind(const struct settings *settings)
{
    if (settings->store == NULL)
        return kind_when_unnamed(settings);
    if (strcmp(settings->store, "memory") == 0)
        return STORE_MEMORY;
    return store_host_is_named(settings->store) ? STORE_HOST : STORE_REDIS;
}

uint64_t store_memory_entries(const struct settings *settings)
{
    return settings->memory.max_entries != 0 ? settings->memory.max_entries
                                             : TOOL_MAX_ENTRIES_DEFAULT;
}

/* Whatever begins like one, so that a build without Redis can say what it lacks. */
static bool is_redis(const char *store)
{
    return strncmp(store, "redis", 5) == 0 || strncmp(store, "valkey", 6) == 0 ||
           strncmp(store, "unix:", 5) == 0;
}

#define STORE_WITH_NOW                                                                             \
    "--now goes with --store memory only: it would give a shared store times to live by a clock "  \
    "that stands still"

/* The time to live is made by the clock of --now, and kept by the server's own. */
static const char *find_conflict(const struct settings *settings)
{
    if (settings->now_ms != JTG_TIME_ABSENT)
        return STORE_WITH_NOW;
    if (settings->memory.max_entries != 0 || settings->memory.max_entries_per_group != 0)
        return "--max-entries and --issuer-share go with --store memory and host: only (a Redis "
               "has issuer_share= in its URI)";
    return NULL;
}

static enum exit_code refuse(const char *problem)
{
    complain("%s", problem);
    return EXIT_USAGE;
}

static enum exit_code refuse_status(jtg_status status, const jtg_error *err)
{
    complain("cannot open the store: %s",
             err->text[0] != '\0' ? err->text : jtg_status_text(status));
    return status == JTG_ERR_ARGUMENT || status == JTG_ERR_UNSUPPORTED ? EXIT_USAGE : EXIT_TROUBLE;
}

bool store_has_redis(void)
{
    return jtg_redis_acl_commands()[0] != '\0';
}

static const char *take_key_form(struct settings *settings)
{
    jtg_redis_keys keys = jtg_redis_uri_keys(settings->uri);
    if (keys == JTG_REDIS_KEYS_UNSET)
        return NULL;
    jtg_key_form form = keys == JTG_REDIS_KEYS_PLAIN ? JTG_KEY_PLAIN : JTG_KEY_DIGEST;
    if (settings->key_form_given && settings->guard.key_form != form)
        return "--keys and keys= of the store contradict each other";
    settings->guard.key_form = form;
    return NULL;
}

/* As with --prefix: the tool shows keys, and JSON could not hold others. */
static bool is_utf8(const char *text)
{
    json_t *probe = json_string(text);
    json_decref(probe);
    return probe != NULL;
}

static const char *take_prefix(struct settings *settings)
{
    const char *prefix = jtg_redis_uri_options(settings->uri)->prefix;
    if (prefix == NULL)
        return NULL;
    if (!is_utf8(prefix))
        return "prefix= of the store is not UTF-8";
    if (settings->guard.key_form == JTG_KEY_DIGEST) {
        settings->store_prefix = prefix;
        return NULL;
    }
    if (settings->guard.key_prefix != NULL && strcmp(settings->guard.key_prefix, prefix) != 0)
        return "--prefix and prefix= of the store contradict each other: plain keys have one";
    settings->guard.key_prefix = prefix;
    return NULL;
}

/* One who looks at the store does so under the whole of it (doctor.c). */
static const char *judge_length(const struct settings *settings)
{
    size_t len = strlen(store_guard_prefix(settings));
    if (settings->store_prefix != NULL)
        len += strlen(settings->store_prefix);
    return len > JTG_REDIS_PREFIX_MAX_BYTES ? "the prefixes of the keys are longer than 128 bytes"
                                            : NULL;
}

/* The same URI must lead to the same keys in every program, or two of them would each admit a
 * token. So `prefix` is what it is to jtg_redis_new_uri(), the start of every key in the store, and
 * the guard's own prefix (--prefix) follows; but with plain keys, which are spelled exactly
 * prefix + jti, there is one prefix: it becomes the guard's. An option that contradicts the URI is
 * refused, for no guess between the two is safe. */
static enum exit_code settle_redis(struct settings *settings)
{
    jtg_error err = JTG_ERROR_INIT;
    if (!store_has_redis())
        return refuse(STORE_WITHOUT_REDIS);
    jtg_status status = jtg_redis_uri_parse(&settings->uri, settings->store, &err);
    if (status != JTG_OK)
        return refuse_status(status, &err);
    const char *wrong = take_key_form(settings);
    if (wrong == NULL)
        wrong = take_prefix(settings);
    if (wrong == NULL)
        wrong = judge_length(settings);
    return wrong == NULL ? EXIT_ADMITTED : refuse(wrong);
}

static enum exit_code settle_host(const struct settings *settings)
{
    const char *path = settings->store != NULL ? store_host_path(settings->store) : NULL;
    if (settings->now_ms != JTG_TIME_ABSENT)
        return refuse(STORE_WITH_NOW);
    if (path != NULL && (*path != '/' || strncmp(path, "//", 2) == 0))
        return refuse("the path of a host store is an absolute one: host:/PATH");
    return EXIT_ADMITTED;
}

/* Its name is not shown: a store's address may hold a password. */
static enum exit_code settle_other(struct settings *settings)
{
    if (!is_redis(settings->store))
        return refuse(store_has_redis()
                          ? "this build has no such store; it has: memory, host:, redis://, "
                            "rediss://, valkey://, valkeys://, unix://, redis+sentinel://, "
                            "redis+cluster://"
                          : "this build has no such store; it has: memory, host:");
    const char *conflict = find_conflict(settings);
    return conflict != NULL ? refuse(conflict) : settle_redis(settings);
}

enum exit_code store_settle(struct settings *settings)
{
    switch (store_kind(settings)) {
    case STORE_MEMORY:
        return EXIT_ADMITTED;
    case STORE_HOST:
    case STORE_EITHER:
        return settle_host(settings);
    case STORE_REDIS:
        break;
    }
    return settle_other(settings);
}

void store_forget(struct settings *settings)
{
    jtg_redis_uri_free(settings->uri);
    settings->uri = NULL;
}

static enum exit_code open_redis(jtg_cache **cache, const struct settings *settings,
                                 jtg_redis_options options)
{
    jtg_error err = JTG_ERROR_INIT;
    jtg_logger logger = message_logger();
    options.logger = settings->logger != NULL ? settings->logger : &logger;
    jtg_status status = jtg_redis_new(cache, &options, &err);
    return status == JTG_OK ? EXIT_ADMITTED : refuse_status(status, &err);
}

static enum exit_code open_memory(jtg_cache **cache, const struct settings *settings,
                                  const jtg_clock *clock)
{
    jtg_error err = JTG_ERROR_INIT;
    jtg_memory_options options = settings->memory;
    options.max_entries = store_memory_entries(settings);
    options.clock = clock;
    jtg_status status = jtg_memory_new(cache, &options, &err);
    return status == JTG_OK ? EXIT_ADMITTED : refuse_status(status, &err);
}

static void say_difference(const struct settings *settings, jtg_cache *cache)
{
    char text[STORE_HOST_DIFFERENCE_BYTES];
    store_host_difference(settings, cache, text);
    if (text[0] != '\0')
        complain("note: %s", text);
}

static enum exit_code open_host(jtg_cache **cache, const struct settings *settings,
                                const jtg_clock *clock)
{
    jtg_error err = JTG_ERROR_INIT;
    jtg_logger logger = message_logger();
    jtg_host_options options = store_host_options(settings);
    options.clock = clock;
    options.logger = settings->logger != NULL ? settings->logger : &logger;
    jtg_status status = jtg_host_new(cache, &options, &err);
    if (status == JTG_OK) {
        say_difference(settings, *cache);
        return EXIT_ADMITTED;
    }
    enum exit_code code = refuse_status(status, &err);
    const char *advice = store_host_advice(status, &err);
    if (advice != NULL)
        complain("%s", advice);
    return code;
}

/* Where the host has a place for a store there is no way around it: who cannot use that one, and
 * remembered by himself, would admit what others have admitted. */
static enum exit_code open_either(jtg_cache **cache, const struct settings *settings,
                                  const jtg_clock *clock)
{
    jtg_error err = JTG_ERROR_INIT;
    jtg_status status = jtg_host_place(&err);
    if (status == JTG_ERR_UNAVAILABLE)
        return open_memory(cache, settings, clock);
    return status == JTG_OK ? open_host(cache, settings, clock) : refuse_status(status, &err);
}

static enum exit_code open_watched_redis(jtg_cache **cache, const struct settings *settings,
                                         const jtg_clock *clock)
{
    jtg_redis_options options = *jtg_redis_uri_options(settings->uri);
    options.prefix = settings->store_prefix;
    options.clock = clock;
    return open_redis(cache, settings, options);
}

enum exit_code store_open(jtg_cache **cache, const struct settings *settings,
                          const jtg_clock *clock)
{
    switch (store_kind(settings)) {
    case STORE_MEMORY:
        return open_memory(cache, settings, clock);
    case STORE_HOST:
        return open_host(cache, settings, clock);
    case STORE_EITHER:
        return open_either(cache, settings, clock);
    case STORE_REDIS:
        break;
    }
    return open_watched_redis(cache, settings, clock);
}

enum exit_code store_open_unwatched(jtg_cache **cache, const struct settings *settings,
                                    const char *prefix)
{
    jtg_redis_options options = *jtg_redis_uri_options(settings->uri);
    options.prefix = prefix;
    options.continuity = 0;
    return open_redis(cache, settings, options);
}

/* On a host a call waits for one who was stopped while he held a lock: the guard's piece, and a
 * part of the table. */
uint32_t store_timeout_ms(const struct settings *settings)
{
    switch (store_kind(settings)) {
    case STORE_MEMORY:
        return 0;
    case STORE_HOST:
    case STORE_EITHER:
        return 2 * JTG_HOST_LOCK_WAIT_MS_DEFAULT;
    case STORE_REDIS:
        break;
    }
    return jtg_redis_uri_options(settings->uri)->timeout_ms;
}

/* Where it is, as a URI begins. */
static int name_place(const jtg_redis_options *options, char *text, size_t size)
{
    const char *tls = options->tls != 0 ? "s" : "";
    if (options->unix_path != NULL)
        return snprintf(text, size, "unix://%s", options->unix_path);
    if (options->cluster_nodes != NULL)
        return snprintf(text, size, "redis%s+cluster://%s", tls, options->cluster_nodes);
    if (options->sentinels != NULL)
        return snprintf(text, size, "redis%s+sentinel://%s/%s", tls, options->sentinels,
                        options->sentinel_primary);
    const char *host = options->host != NULL ? options->host : "127.0.0.1";
    bool bare = strchr(host, ':') == NULL;
    return snprintf(text, size, "redis%s://%s%s%s:%" PRIu32, tls, bare ? "" : "[", host,
                    bare ? "" : "]", options->port);
}

static void name_redis(const jtg_redis_options *options, char *text, size_t size)
{
    int len = name_place(options, text, size);
    if (len < 0 || (size_t)len >= size)
        return;
    (void)snprintf(text + len, size - (size_t)len, "%s%" PRIu32 "%s%s",
                   options->unix_path != NULL ? " database " : "/", options->database,
                   options->prefix != NULL ? "?prefix=" : "",
                   options->prefix != NULL ? options->prefix : "");
}

static void name_host(jtg_cache *cache, char text[STORE_NAME_BYTES])
{
    jtg_host_stats stats = {.struct_size = sizeof stats};
    bool known = jtg_host_stats_get(cache, &stats, NULL) == JTG_OK;
    (void)snprintf(text, STORE_NAME_BYTES, "host:%s", known ? stats.path : "");
}

void store_name(const struct settings *settings, jtg_cache *cache, char text[STORE_NAME_BYTES])
{
    if (strcmp(jtg_cache_backend(cache), "host") == 0)
        name_host(cache, text);
    else if (settings->uri != NULL)
        name_redis(jtg_redis_uri_options(settings->uri), text, STORE_NAME_BYTES);
    else
        (void)snprintf(text, STORE_NAME_BYTES, "memory");
}

void store_note(const char *command, const struct settings *settings, jtg_cache *cache)
{
    char name[STORE_NAME_BYTES];
    store_name(settings, cache, name);
    if (strcmp(name, "memory") != 0 && settings->store == NULL)
        complain("%s: note: the store is %s", command, name);
    else if (strcmp(name, "memory") == 0 && store_kind(settings) == STORE_EITHER)
        complain("%s: note: there is no place for a host store (/run/jtiguard-host): the memory "
                 "store begins and ends with this process",
                 command);
    else if (strcmp(name, "memory") == 0)
        complain("%s: note: the memory store begins and ends with this process", command);
}

void store_note_default(const char *command, const struct settings *settings, jtg_cache *cache)
{
    if (settings->store == NULL)
        store_note(command, settings, cache);
}

const char *store_guard_prefix(const struct settings *settings)
{
    if (settings->guard.key_prefix != NULL)
        return settings->guard.key_prefix;
    return settings->guard.key_form == JTG_KEY_PLAIN ? JTG_KEY_PREFIX_PLAIN_DEFAULT
                                                     : JTG_KEY_PREFIX_DIGEST_DEFAULT;
}
