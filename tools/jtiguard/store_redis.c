/* SPDX-License-Identifier: Apache-2.0 */
#include "store_redis.h"

#include "message.h"
#include "store.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

bool store_redis_is_built(void)
{
    return true;
}

const jtg_redis_options *store_redis_options(const struct settings *settings)
{
    return jtg_redis_uri_options(settings->uri);
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
    const char *prefix = store_redis_options(settings)->prefix;
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

enum exit_code store_redis_settle(struct settings *settings)
{
    jtg_error err = JTG_ERROR_INIT;
    jtg_status status = jtg_redis_uri_parse(&settings->uri, settings->store, &err);
    if (status != JTG_OK)
        return store_refuse(status, &err);
    const char *wrong = take_key_form(settings);
    if (wrong == NULL)
        wrong = take_prefix(settings);
    if (wrong == NULL)
        wrong = judge_length(settings);
    if (wrong == NULL)
        return EXIT_ADMITTED;
    complain("%s", wrong);
    return EXIT_USAGE;
}

void store_redis_forget(struct settings *settings)
{
    jtg_redis_uri_free(settings->uri);
    settings->uri = NULL;
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

void store_redis_name(const struct settings *settings, char *text, size_t size)
{
    const jtg_redis_options *options = store_redis_options(settings);
    int len = name_place(options, text, size);
    if (len < 0 || (size_t)len >= size)
        return;
    (void)snprintf(text + len, size - (size_t)len, "%s%" PRIu32 "%s%s",
                   options->unix_path != NULL ? " database " : "/", options->database,
                   options->prefix != NULL ? "?prefix=" : "",
                   options->prefix != NULL ? options->prefix : "");
}

static enum exit_code make(jtg_cache **cache, const jtg_redis_options *silent,
                           const jtg_logger *chosen)
{
    jtg_error err = JTG_ERROR_INIT;
    jtg_logger logger = message_logger();
    jtg_redis_options options = *silent;
    options.logger = chosen != NULL ? chosen : &logger;
    jtg_status status = jtg_redis_new(cache, &options, &err);
    return status == JTG_OK ? EXIT_ADMITTED : store_refuse(status, &err);
}

enum exit_code store_redis_open(jtg_cache **cache, const struct settings *settings,
                                const char *prefix, const jtg_clock *clock)
{
    jtg_redis_options options = *store_redis_options(settings);
    options.prefix = prefix;
    options.clock = clock;
    return make(cache, &options, settings->logger);
}

enum exit_code store_redis_open_unwatched(jtg_cache **cache, const struct settings *settings,
                                          const char *prefix)
{
    jtg_redis_options options = *store_redis_options(settings);
    options.prefix = prefix;
    options.continuity = 0;
    return make(cache, &options, settings->logger);
}

jtg_status store_redis_describe(jtg_cache *cache, jtg_redis_server *server, jtg_error *err)
{
    return jtg_redis_server_get(cache, server, err);
}

jtg_status store_redis_count(jtg_cache *cache, jtg_redis_stats *stats, jtg_error *err)
{
    return jtg_redis_stats_get(cache, stats, err);
}

jtg_status store_redis_vouch(jtg_cache *cache, int64_t since_ms, jtg_error *err)
{
    return jtg_redis_vouch(cache, since_ms, err);
}

const char *store_redis_loss_name(jtg_redis_loss loss)
{
    return jtg_redis_loss_name(loss);
}

const char *store_redis_acl_commands(void)
{
    return jtg_redis_acl_commands();
}
