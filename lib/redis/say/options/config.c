/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/say/options/config.h"

#include "core/alloc.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/options.h"
#include "core/range.h"
#include "redis/say/address/address.h"
#include "redis/say/address/address_map.h"

#include <jtiguard/status.h>
#include <string.h>

/* The struct as it was first released. */
#define OLDEST_SIZE offsetof(jtg_redis_options, sentinels)

/* The strings of the options, so that copying and freeing need no list of their own. */
static const size_t text_offsets[] = {
    offsetof(jtg_redis_options, host),
    offsetof(jtg_redis_options, unix_path),
    offsetof(jtg_redis_options, user),
    offsetof(jtg_redis_options, password),
    offsetof(jtg_redis_options, password_file),
    offsetof(jtg_redis_options, client_name),
    offsetof(jtg_redis_options, prefix),
    offsetof(jtg_redis_options, tls_ca_file),
    offsetof(jtg_redis_options, tls_cert_file),
    offsetof(jtg_redis_options, tls_key_file),
    offsetof(jtg_redis_options, tls_server_name),
    offsetof(jtg_redis_options, sentinels),
    offsetof(jtg_redis_options, sentinel_primary),
    offsetof(jtg_redis_options, sentinel_user),
    offsetof(jtg_redis_options, sentinel_password),
    offsetof(jtg_redis_options, sentinel_password_file),
    offsetof(jtg_redis_options, cluster_nodes),
    offsetof(jtg_redis_options, address_map),
};

enum { TEXT_COUNT = sizeof text_offsets / sizeof text_offsets[0] };

static const char **text_at(jtg_redis_options *options, size_t index)
{
    return (const char **)(void *)((unsigned char *)options + text_offsets[index]);
}

void jtg_redis_options_init(jtg_redis_options *options)
{
    const jtg_redis_options defaults = JTG_REDIS_OPTIONS_INIT;
    *options = defaults;
}

/* ---- checks ---- */

static jtg_status check_numbers(const jtg_redis_options *options, jtg_error *err)
{
    const struct jtgi_range ranges[] = {
        {"max_entries_per_group", options->max_entries_per_group, 0,
         JTG_REDIS_ENTRIES_PER_GROUP_LIMIT},
        {"port", options->port, 1, 65535},
        {"database", options->database, 0, JTG_REDIS_DATABASE_LIMIT},
        {"timeout_ms", options->timeout_ms, 1, JTG_REDIS_TIMEOUT_MS_LIMIT},
        {"connect_timeout_ms", options->connect_timeout_ms, 0, JTG_REDIS_TIMEOUT_MS_LIMIT},
        {"walk_timeout_ms", options->walk_timeout_ms, 1, JTG_REDIS_WALK_TIMEOUT_MS_LIMIT},
        {"connections", options->connections, 1, JTG_REDIS_CONNECTIONS_LIMIT},
        {"keepalive_s", options->keepalive_s, 0, JTG_REDIS_KEEPALIVE_S_LIMIT},
        {"max_age_s", options->max_age_s, 0, JTG_REDIS_MAX_AGE_S_LIMIT},
        {"allow_eviction", options->allow_eviction, 0, 1},
        {"tls", options->tls, 0, 1},
        {"sentinel_tls", options->sentinel_tls, 0, 1},
        {"replicas", options->replicas, 0, JTG_REDIS_REPLICAS_LIMIT},
        {"replicas_timeout_ms", options->replicas_timeout_ms, 0, options->timeout_ms},
        {"fsync", options->fsync, 0, 1},
        {"continuity", options->continuity, 0, 1},
    };
    return jtgi_ranges_check(ranges, sizeof ranges / sizeof ranges[0], "redis: ", err);
}

/* Tokens of cloud identity services stand for passwords, and are longer than any name; a Cluster
 * may have many nodes to map. */
static int text_limit(size_t index)
{
    size_t offset = text_offsets[index];
    if (offset == offsetof(jtg_redis_options, address_map))
        return JTG_REDIS_ADDRESS_MAP_MAX_BYTES;
    bool secret = offset == offsetof(jtg_redis_options, password) ||
                  offset == offsetof(jtg_redis_options, sentinel_password);
    return secret ? JTG_REDIS_PASSWORD_MAX_BYTES : JTG_REDIS_TEXT_MAX_BYTES;
}

/* An empty text is a setting that was lost on the way here, and never means "none": OpenSSL takes
 * an empty name for "verify no name", and an empty path names an abstract socket. */
static jtg_status check_texts(jtg_redis_options *options, jtg_error *err)
{
    for (size_t i = 0; i < TEXT_COUNT; i++) {
        const char *text = *text_at(options, i);
        int limit = text_limit(i);
        if (text != NULL && *text == '\0' && text_offsets[i] != offsetof(jtg_redis_options, prefix))
            return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "redis: a text is empty: leave it out");
        if (text != NULL && strnlen(text, (size_t)limit + 1) > (size_t)limit)
            return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "redis: a text has more than %d bytes",
                                 limit);
    }
    if (options->prefix != NULL && strlen(options->prefix) > JTG_REDIS_PREFIX_MAX_BYTES)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "redis: prefix has more than %d bytes",
                             JTG_REDIS_PREFIX_MAX_BYTES);
    if (options->client_name != NULL && strpbrk(options->client_name, " \r\n\t") != NULL)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "redis: client_name has a space");
    return JTG_OK;
}

/* What stands for the place of the store. */
static const char *place_problem(const jtg_redis_options *options)
{
    int places = (options->host != NULL) + (options->unix_path != NULL) +
                 (options->sentinels != NULL) + (options->cluster_nodes != NULL);
    bool has_port = options->host != NULL || places == 0;
    if (options->host != NULL && options->unix_path != NULL)
        return "host and unix_path exclude each other";
    if (places > 1)
        return "host, unix_path, sentinels and cluster_nodes exclude each other";
    if (!has_port && options->port != JTG_REDIS_PORT_DEFAULT)
        return "port goes with host: a list has the ports in it";
    if ((options->sentinels == NULL) != (options->sentinel_primary == NULL))
        return "sentinels and sentinel_primary go together";
    return NULL;
}

static const char *login_problem(const char *user, const char *password, const char *file)
{
    if (password != NULL && file != NULL)
        return "a password and a password file exclude each other";
    if (user != NULL && password == NULL && file == NULL)
        return "a user without a password";
    return NULL;
}

static const char *sentinel_problem(const jtg_redis_options *options)
{
    if (options->sentinels == NULL &&
        (options->sentinel_user != NULL || options->sentinel_password != NULL ||
         options->sentinel_password_file != NULL || options->sentinel_tls != 0))
        return "settings of Sentinels without sentinels";
    return login_problem(options->sentinel_user, options->sentinel_password,
                         options->sentinel_password_file);
}

static const char *tls_problem(const jtg_redis_options *options)
{
    bool files = options->tls_ca_file != NULL || options->tls_cert_file != NULL;
    if ((options->tls_cert_file == NULL) != (options->tls_key_file == NULL))
        return "tls_cert_file and tls_key_file go together";
    if ((files && options->tls == 0 && options->sentinel_tls == 0) ||
        (options->tls_server_name != NULL && options->tls == 0))
        return "settings of TLS without TLS";
    if (options->tls != 0 && options->unix_path != NULL && options->tls_server_name == NULL)
        return "TLS over a unix socket needs tls_server_name";
    return NULL;
}

static const char *replicas_problem(const jtg_redis_options *options)
{
    bool waits = options->replicas != 0 || options->fsync != 0;
    return options->replicas_timeout_ms != 0 && !waits
               ? "replicas_timeout_ms without replicas or fsync"
               : NULL;
}

static jtg_status check_combinations(const jtg_redis_options *options, jtg_error *err)
{
    const char *problem = place_problem(options);
    if (problem == NULL)
        problem = login_problem(options->user, options->password, options->password_file);
    if (problem == NULL)
        problem = sentinel_problem(options);
    if (problem == NULL)
        problem = tls_problem(options);
    if (problem == NULL)
        problem = replicas_problem(options);
    if (problem != NULL)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "redis: %s", problem);
    return JTG_OK;
}

static bool is_list(const char *list)
{
    struct jtgi_address address;
    unsigned count = 0;
    while (list != NULL)
        if (++count > JTG_REDIS_ADDRESSES_LIMIT || !jtgi_address_next(&list, 1, &address))
            return false;
    return true;
}

/* An entry that stands twice, as a copy in haste leaves it: then fewer are asked than the list
 * seems to say. */
static bool holds_twice(const char *list, uint32_t default_port)
{
    struct jtgi_address seen[JTG_REDIS_ADDRESSES_LIMIT];
    unsigned count = 0;
    while (list != NULL && jtgi_address_next(&list, default_port, &seen[count])) {
        for (unsigned i = 0; i < count; i++)
            if (jtgi_address_equals(&seen[i], &seen[count]))
                return true;
        count++;
    }
    return false;
}

/* A name with a space is none that a Sentinel could know. */
static bool is_name(const char *name)
{
    for (; name != NULL && *name != '\0'; name++)
        if (*name < 0x21 || *name > 0x7e)
            return false;
    return true;
}

static jtg_status check_addresses(const jtg_redis_options *options, jtg_error *err)
{
    struct jtgi_address address;
    const char *problem = NULL;
    if (options->host != NULL &&
        !jtgi_address_set(&address, options->host, strlen(options->host), options->port))
        problem = "host is no name or address";
    else if (!is_list(options->sentinels))
        problem = "sentinels is not a list of host[:port] with at most 32 of them";
    else if (!is_list(options->cluster_nodes))
        problem = "cluster_nodes is not a list of host[:port] with at most 32 of them";
    else if (holds_twice(options->sentinels, JTGI_SENTINEL_PORT_DEFAULT))
        problem = "an entry of sentinels stands twice";
    else if (holds_twice(options->cluster_nodes, JTG_REDIS_PORT_DEFAULT))
        problem = "an entry of cluster_nodes stands twice";
    else if (!is_name(options->sentinel_primary))
        problem = "sentinel_primary is no name";
    else
        problem = jtgi_address_map_problem(options->address_map);
    if (problem != NULL)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "redis: %s", problem);
    return JTG_OK;
}

/* ---- copies ---- */

static void free_texts(jtg_redis_options *options)
{
    for (size_t i = 0; i < TEXT_COUNT; i++) {
        const char **text = text_at(options, i);
        if (*text != NULL)
            /* ours, and const for the callers' sake only */
            jtgi_free_wiped((void *)(uintptr_t)*text, /* NOLINT(performance-no-int-to-ptr) */
                            strlen(*text) + 1);
        *text = NULL;
    }
}

/* All or nothing: what is not yet copied is cleared first, so that a failure frees only ours. */
static jtg_status copy_texts(jtg_redis_options *options, jtg_error *err)
{
    const jtg_redis_options given = *options;
    for (size_t i = 0; i < TEXT_COUNT; i++)
        *text_at(options, i) = NULL;
    for (size_t i = 0; i < TEXT_COUNT; i++) {
        const char *text = NULL;
        memcpy(&text, (const unsigned char *)&given + text_offsets[i], sizeof text);
        if (text == NULL)
            continue;
        *text_at(options, i) = jtgi_strdup(text);
        if (*text_at(options, i) == NULL) {
            free_texts(options);
            return jtg_error_set(err, JTG_ERR_MEMORY, 0, "no memory for the options");
        }
    }
    return JTG_OK;
}

static void fill_times(jtg_redis_options *options)
{
    bool waits = options->replicas != 0 || options->fsync != 0;
    if (options->connect_timeout_ms == 0)
        options->connect_timeout_ms = options->timeout_ms;
    if (waits && options->replicas_timeout_ms == 0)
        options->replicas_timeout_ms = (options->timeout_ms + 1) / 2;
}

/* The name that the certificate of a single server must carry is settled here, once. With Sentinels
 * and in a Cluster it is that of the address. */
static jtg_status fill_defaults(jtg_redis_options *options, jtg_error *err)
{
    bool placed =
        options->unix_path != NULL || options->sentinels != NULL || options->cluster_nodes != NULL;
    if (options->host == NULL && !placed)
        options->host = jtgi_strdup(JTG_REDIS_HOST_DEFAULT);
    if (options->prefix == NULL)
        options->prefix = jtgi_strdup("");
    bool named = options->tls == 0 || options->tls_server_name != NULL || placed;
    if (!named && options->host != NULL)
        options->tls_server_name = jtgi_strdup(options->host);
    if ((options->host == NULL && !placed) || options->prefix == NULL ||
        (!named && options->tls_server_name == NULL))
        return jtg_error_set(err, JTG_ERR_MEMORY, 0, "no memory for the options");
    fill_times(options);
    return JTG_OK;
}

/* ---- */

static jtg_status check_all(struct jtgi_redis_config *config, jtg_error *err)
{
    jtg_redis_options *options = &config->options;
    jtg_status status = check_numbers(options, err);
    if (status == JTG_OK)
        status = check_texts(options, err);
    if (status == JTG_OK)
        status = check_combinations(options, err);
    if (status == JTG_OK)
        status = check_addresses(options, err);
    if (status == JTG_OK)
        status = jtgi_clock_read_option(&config->clock, options->clock, err);
    if (status == JTG_OK)
        status = jtgi_log_read_option(&config->logger, options->logger, err);
    return status;
}

static void derive(struct jtgi_redis_config *config)
{
    const jtg_redis_options *options = &config->options;
    config->prefix_len = strlen(options->prefix);
    config->slots = options->cluster_nodes != NULL ? JTGI_SLOTS : 1;
    if (options->cluster_nodes != NULL)
        config->topology = JTGI_TOPOLOGY_CLUSTER;
    else if (options->sentinels != NULL)
        config->topology = JTGI_TOPOLOGY_SENTINELS;
}

jtg_status jtgi_redis_config_read(struct jtgi_redis_config *config,
                                  const jtg_redis_options *options, jtg_error *err)
{
    memset(config, 0, sizeof *config);
    jtg_redis_options_init(&config->options);
    jtg_status status = jtg_struct_read(&config->options, sizeof config->options, OLDEST_SIZE,
                                        options, "redis", err);
    if (status == JTG_OK)
        status = check_all(config, err);
    if (status == JTG_OK)
        status = copy_texts(&config->options, err);
    if (status != JTG_OK)
        return status;
    status = fill_defaults(&config->options, err);
    if (status != JTG_OK)
        jtgi_redis_config_clear(config);
    else
        derive(config);
    return status;
}

void jtgi_redis_config_clear(struct jtgi_redis_config *config)
{
    free_texts(&config->options);
}

bool jtgi_config_watches(const struct jtgi_redis_config *config)
{
    return config->options.continuity != 0;
}
