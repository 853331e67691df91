/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/config.h"

#include "core/alloc.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/options.h"

#include <errno.h>
#include <fcntl.h>
#include <jtiguard/backend.h>
#include <sodium.h>
#include <string.h>
#include <unistd.h>

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

struct range {
    const char *name;
    uint32_t value;
    uint32_t lowest;
    uint32_t highest;
};

static jtg_status check_numbers(const jtg_redis_options *options, jtg_error *err)
{
    const struct range ranges[] = {
        {"port", options->port, 1, 65535},
        {"database", options->database, 0, JTG_REDIS_DATABASE_LIMIT},
        {"timeout_ms", options->timeout_ms, 1, JTG_REDIS_TIMEOUT_MS_LIMIT},
        {"connect_timeout_ms", options->connect_timeout_ms, 0, JTG_REDIS_TIMEOUT_MS_LIMIT},
        {"walk_timeout_ms", options->walk_timeout_ms, 1, JTG_REDIS_WALK_TIMEOUT_MS_LIMIT},
        {"connections", options->connections, 1, JTG_REDIS_CONNECTIONS_LIMIT},
        {"keepalive_s", options->keepalive_s, 0, JTG_REDIS_KEEPALIVE_S_LIMIT},
        {"allow_eviction", options->allow_eviction, 0, 1},
        {"tls", options->tls, 0, 1},
    };
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++)
        if (ranges[i].value < ranges[i].lowest || ranges[i].value > ranges[i].highest)
            return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "redis: %s is not between %u and %u",
                                 ranges[i].name, ranges[i].lowest, ranges[i].highest);
    return JTG_OK;
}

/* An empty text is a setting that was lost on the way here, and never means "none": OpenSSL takes
 * an empty name for "verify no name", and an empty path names an abstract socket. */
static jtg_status check_texts(jtg_redis_options *options, jtg_error *err)
{
    for (size_t i = 0; i < TEXT_COUNT; i++) {
        const char *text = *text_at(options, i);
        if (text != NULL && *text == '\0' && text_offsets[i] != offsetof(jtg_redis_options, prefix))
            return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "redis: a text is empty: leave it out");
        if (text != NULL && strnlen(text, JTG_REDIS_TEXT_MAX_BYTES + 1) > JTG_REDIS_TEXT_MAX_BYTES)
            return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "redis: a text has more than %d bytes",
                                 JTG_REDIS_TEXT_MAX_BYTES);
    }
    if (options->prefix != NULL && strlen(options->prefix) > JTG_REDIS_PREFIX_MAX_BYTES)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "redis: prefix has more than %d bytes",
                             JTG_REDIS_PREFIX_MAX_BYTES);
    if (options->client_name != NULL && strpbrk(options->client_name, " \r\n\t") != NULL)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "redis: client_name has a space");
    return JTG_OK;
}

static jtg_status check_combinations(const jtg_redis_options *options, jtg_error *err)
{
    const char *problem = NULL;
    if (options->host != NULL && options->unix_path != NULL)
        problem = "host and unix_path exclude each other";
    else if (options->password != NULL && options->password_file != NULL)
        problem = "password and password_file exclude each other";
    else if (options->user != NULL && options->password == NULL && options->password_file == NULL)
        problem = "a user without a password";
    else if ((options->tls_cert_file == NULL) != (options->tls_key_file == NULL))
        problem = "tls_cert_file and tls_key_file go together";
    else if (options->tls == 0 && (options->tls_ca_file != NULL || options->tls_cert_file != NULL ||
                                   options->tls_server_name != NULL))
        problem = "settings of TLS without TLS";
    else if (options->tls != 0 && options->unix_path != NULL && options->tls_server_name == NULL)
        problem = "TLS over a unix socket needs tls_server_name";
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

/* The name that the certificate must carry is settled here, once. */
static jtg_status fill_defaults(jtg_redis_options *options, jtg_error *err)
{
    if (options->host == NULL && options->unix_path == NULL)
        options->host = jtgi_strdup(JTG_REDIS_HOST_DEFAULT);
    if (options->prefix == NULL)
        options->prefix = jtgi_strdup("");
    if (options->tls != 0 && options->tls_server_name == NULL && options->host != NULL)
        options->tls_server_name = jtgi_strdup(options->host);
    if ((options->host == NULL && options->unix_path == NULL) || options->prefix == NULL ||
        (options->tls != 0 && options->tls_server_name == NULL))
        return jtg_error_set(err, JTG_ERR_MEMORY, 0, "no memory for the options");
    if (options->connect_timeout_ms == 0)
        options->connect_timeout_ms = options->timeout_ms;
    return JTG_OK;
}

/* ---- the password file ---- */

static ssize_t read_whole(const char *path, char *buffer, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    size_t len = 0;
    ssize_t got = 0;
    do {
        got = read(fd, buffer + len, size - len);
        len += got > 0 ? (size_t)got : 0;
    } while ((got > 0 && len < size) || (got < 0 && errno == EINTR));
    int cause = errno;
    (void)close(fd);
    errno = cause;
    return got < 0 ? -1 : (ssize_t)len;
}

static jtg_status take_password(jtg_redis_options *options, char *buffer, size_t len,
                                jtg_error *err)
{
    if (len > 0 && buffer[len - 1] == '\n')
        len--;
    if (len > 0 && buffer[len - 1] == '\r')
        len--;
    if (len == 0 || len > JTG_REDIS_TEXT_MAX_BYTES || memchr(buffer, '\0', len) != NULL)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0,
                             "redis: password_file holds no password of 1 … %d bytes",
                             JTG_REDIS_TEXT_MAX_BYTES);
    buffer[len] = '\0';
    options->password = jtgi_strdup(buffer);
    if (options->password == NULL)
        return jtg_error_set(err, JTG_ERR_MEMORY, 0, "no memory for the options");
    return JTG_OK;
}

static jtg_status read_password_file(jtg_redis_options *options, jtg_error *err)
{
    char buffer[JTG_REDIS_TEXT_MAX_BYTES + 4];
    if (options->password_file == NULL)
        return JTG_OK;
    ssize_t len = read_whole(options->password_file, buffer, sizeof buffer - 1);
    jtg_status status = len < 0
                            ? jtg_error_set(err, JTG_ERR_SYSTEM, errno,
                                            "redis: cannot read password_file: %s", strerror(errno))
                            : take_password(options, buffer, (size_t)len, err);
    sodium_memzero(buffer, sizeof buffer);
    return status;
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
        status = jtgi_clock_read_option(&config->clock, options->clock, err);
    if (status == JTG_OK)
        status = jtgi_log_read_option(&config->logger, options->logger, err);
    return status;
}

jtg_status jtgi_redis_config_read(struct jtgi_redis_config *config,
                                  const jtg_redis_options *options, jtg_error *err)
{
    memset(config, 0, sizeof *config);
    jtg_redis_options_init(&config->options);
    jtg_status status = JTG_OK;
    if (options != NULL)
        status = jtgi_options_read(&config->options, sizeof config->options, sizeof config->options,
                                   options, "redis", err);
    if (status == JTG_OK)
        status = check_all(config, err);
    if (status == JTG_OK)
        status = copy_texts(&config->options, err);
    if (status != JTG_OK)
        return status;
    status = read_password_file(&config->options, err);
    if (status == JTG_OK)
        status = fill_defaults(&config->options, err);
    if (status != JTG_OK)
        jtgi_redis_config_clear(config);
    else
        config->prefix_len = strlen(config->options.prefix);
    return status;
}

void jtgi_redis_config_clear(struct jtgi_redis_config *config)
{
    free_texts(&config->options);
}
