/* SPDX-License-Identifier: Apache-2.0 */
/* redis://, rediss:// and unix:// to options. Strict: what is not understood is an error, and no
 * error repeats a part of the URI, for any part may be the password in the wrong place. */
#include "core/alloc.h"

#include <jtiguard/backend.h>
#include <jtiguard/redis.h>
#include <stdbool.h>
#include <string.h>

struct jtg_redis_uri {
    jtg_redis_options options;
    jtg_redis_keys keys;
    bool has_database; /* its path names one */
    size_t text_size;
    char *text; /* a copy of the URI, cut into pieces in place; the options point into it */
};

static jtg_status refuse(jtg_error *err, const char *problem)
{
    return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "store URI: %s", problem);
}

/* ---- pieces ---- */

static int hex_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return -1;
}

/* In place; false for a broken escape, or one that means NUL. */
static bool decode(char *text)
{
    char *to = text;
    for (const char *from = text; *from != '\0'; from++) {
        if (*from != '%') {
            *to++ = *from;
            continue;
        }
        int high = hex_value(from[1]);
        int low = high < 0 ? -1 : hex_value(from[2]);
        if (low < 0 || (high == 0 && low == 0))
            return false;
        *to++ = (char)(high * 16 + low);
        from += 2;
    }
    *to = '\0';
    return true;
}

/* Cut at the first separator; NULL when there is none. */
static char *cut(char *text, char separator)
{
    char *at = strchr(text, separator);
    if (at == NULL)
        return NULL;
    *at = '\0';
    return at + 1;
}

static bool read_number(const char *text, uint32_t highest, uint32_t *number)
{
    uint32_t value = 0;
    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9' || value > (highest - (uint32_t)(*text - '0')) / 10)
            return false;
        value = value * 10 + (uint32_t)(*text - '0');
    }
    *number = value;
    return true;
}

/* A number with its unit, "300ms" or "2s"; a bare number says too little. */
static bool read_duration(char *text, uint32_t *ms)
{
    size_t digits = strspn(text, "0123456789");
    bool seconds = strcmp(text + digits, "s") == 0;
    if (!seconds && strcmp(text + digits, "ms") != 0)
        return false;
    text[digits] = '\0';
    if (!read_number(text, seconds ? JTG_REDIS_TIMEOUT_MS_LIMIT / 1000 : JTG_REDIS_TIMEOUT_MS_LIMIT,
                     ms) ||
        *ms == 0)
        return false;
    if (seconds)
        *ms *= 1000;
    return true;
}

/* ---- the query ---- */

enum kind { KIND_TEXT, KIND_NUMBER, KIND_DURATION, KIND_FLAG, KIND_KEYS };

struct query_key {
    const char *name;
    size_t offset; /* of the option */
    enum kind kind;
    uint32_t highest;
};

#define OPTION(member) offsetof(jtg_redis_options, member)
static const struct query_key query_keys[] = {
    {"timeout", OPTION(timeout_ms), KIND_DURATION, 0},
    {"connect_timeout", OPTION(connect_timeout_ms), KIND_DURATION, 0},
    {"prefix", OPTION(prefix), KIND_TEXT, 0},
    {"keys", 0, KIND_KEYS, 0},
    {"connections", OPTION(connections), KIND_NUMBER, JTG_REDIS_CONNECTIONS_LIMIT},
    {"db", OPTION(database), KIND_NUMBER, JTG_REDIS_DATABASE_LIMIT},
    {"ca", OPTION(tls_ca_file), KIND_TEXT, 0},
    {"cert", OPTION(tls_cert_file), KIND_TEXT, 0},
    {"key", OPTION(tls_key_file), KIND_TEXT, 0},
    {"server_name", OPTION(tls_server_name), KIND_TEXT, 0},
    {"client_name", OPTION(client_name), KIND_TEXT, 0},
    {"password_file", OPTION(password_file), KIND_TEXT, 0},
    {"allow_eviction", OPTION(allow_eviction), KIND_FLAG, 0},
};

enum { QUERY_KEYS = sizeof query_keys / sizeof query_keys[0] };

static bool read_keys(struct jtg_redis_uri *uri, const char *text)
{
    if (strcmp(text, "digest") == 0)
        uri->keys = JTG_REDIS_KEYS_DIGEST;
    else if (strcmp(text, "plain") == 0)
        uri->keys = JTG_REDIS_KEYS_PLAIN;
    return uri->keys != JTG_REDIS_KEYS_UNSET;
}

static bool read_flag(const char *text, uint32_t *flag)
{
    *flag = strcmp(text, "yes") == 0;
    return *flag == 1 || strcmp(text, "no") == 0;
}

static bool read_value(struct jtg_redis_uri *uri, const struct query_key *key, char *text)
{
    unsigned char *option = (unsigned char *)&uri->options + key->offset;
    uint32_t number = 0;
    bool good = false;
    if (key->kind == KIND_KEYS)
        return read_keys(uri, text);
    if (key->kind == KIND_TEXT) {
        memcpy(option, &text, sizeof text);
        return true;
    }
    if (key->kind == KIND_NUMBER)
        good = read_number(text, key->highest, &number);
    else if (key->kind == KIND_DURATION)
        good = read_duration(text, &number);
    else
        good = read_flag(text, &number);
    memcpy(option, &number, sizeof number);
    return good;
}

static const struct query_key *find_key(const char *name)
{
    for (size_t i = 0; i < QUERY_KEYS; i++)
        if (strcmp(query_keys[i].name, name) == 0)
            return &query_keys[i];
    return NULL;
}

static jtg_status read_pair(struct jtg_redis_uri *uri, char *pair, bool seen[QUERY_KEYS],
                            jtg_error *err)
{
    char *value = cut(pair, '=');
    const struct query_key *key = find_key(pair);
    if (key == NULL)
        return refuse(err, "a query key is not known");
    bool *again = &seen[key - query_keys];
    const char *problem = NULL;
    if (*again)
        problem = "is given twice";
    else if (value == NULL || *value == '\0')
        problem = "has no value";
    else if (!decode(value) || !read_value(uri, key, value))
        problem = "has a value that is not understood or out of its range";
    *again = true;
    if (problem != NULL)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "store URI: %s %s", key->name, problem);
    return JTG_OK;
}

static jtg_status read_query(struct jtg_redis_uri *uri, char *query, jtg_error *err)
{
    bool seen[QUERY_KEYS] = {false};
    jtg_status status = JTG_OK;
    seen[find_key("db") - query_keys] = uri->has_database;
    while (query != NULL && status == JTG_OK) {
        char *next = cut(query, '&');
        status = read_pair(uri, query, seen, err);
        query = next;
    }
    return status;
}

/* ---- the rest ---- */

static jtg_status read_login(struct jtg_redis_uri *uri, char *login, jtg_error *err)
{
    char *password = cut(login, ':');
    if (!decode(login) || (password != NULL && !decode(password)))
        return refuse(err, "user or password is badly encoded");
    if (*login != '\0')
        uri->options.user = login;
    if (password != NULL && *password == '\0')
        return refuse(err, "the password is empty");
    uri->options.password = password;
    return JTG_OK;
}

/* host, host:port, [v6] or [v6]:port. */
static jtg_status read_server(struct jtg_redis_uri *uri, char *host, jtg_error *err)
{
    char *port = NULL;
    if (*host == '[') {
        char *after = cut(++host, ']');
        if (after == NULL || (*after != '\0' && *after != ':'))
            return refuse(err, "the address in brackets is badly formed");
        port = *after == ':' ? after + 1 : NULL;
    } else {
        port = cut(host, ':');
    }
    if (!decode(host) || *host == '\0')
        return refuse(err, "the host is missing or badly encoded");
    uri->options.host = host;
    if (port != NULL && (!read_number(port, 65535, &uri->options.port) || uri->options.port == 0))
        return refuse(err, "the port is not between 1 and 65535");
    return JTG_OK;
}

static jtg_status read_network(struct jtg_redis_uri *uri, char *server, jtg_error *err)
{
    char *database = cut(server, '/');
    uri->has_database = database != NULL && *database != '\0';
    if (uri->has_database &&
        !read_number(database, JTG_REDIS_DATABASE_LIMIT, &uri->options.database))
        return refuse(err, "the database number is not between 0 and 65535");
    return read_server(uri, server, err);
}

static jtg_status read_socket(struct jtg_redis_uri *uri, char *path, jtg_error *err)
{
    if (!decode(path) || *path != '/' || path[1] == '\0')
        return refuse(err, "the path of the socket is missing or badly encoded");
    uri->options.unix_path = path;
    return JTG_OK;
}

/* A path may hold '@', so a login ends before the first '/' there. */
static jtg_status read_place(struct jtg_redis_uri *uri, char *place, bool is_socket, jtg_error *err)
{
    char *slash = strchr(place, '/');
    char *at = NULL;
    for (char *c = place; *c != '\0' && c != slash; c++)
        if (*c == '@')
            at = c;
    if (at != NULL) {
        *at = '\0';
        jtg_status status = read_login(uri, place, err);
        if (status != JTG_OK)
            return status;
        place = at + 1;
    }
    return is_socket ? read_socket(uri, place, err) : read_network(uri, place, err);
}

static jtg_status read_uri(struct jtg_redis_uri *uri, jtg_error *err)
{
    char *rest = strstr(uri->text, "://");
    if (rest == NULL)
        return refuse(err, "it has no scheme");
    *rest = '\0';
    rest += 3;
    const char *scheme = uri->text;
    if (strcmp(scheme, "redis+sentinel") == 0 || strcmp(scheme, "redis+cluster") == 0 ||
        strcmp(scheme, "rediss+sentinel") == 0 || strcmp(scheme, "rediss+cluster") == 0)
        return jtg_error_set(err, JTG_ERR_UNSUPPORTED, 0,
                             "store URI: Sentinel and Cluster are not in this version");
    bool is_socket = strcmp(scheme, "unix") == 0;
    uri->options.tls = strcmp(scheme, "rediss") == 0;
    if (!is_socket && uri->options.tls == 0 && strcmp(scheme, "redis") != 0)
        return refuse(err, "the scheme is not redis, rediss or unix");
    if (strchr(rest, '#') != NULL)
        return refuse(err, "it has a fragment");
    char *query = cut(rest, '?');
    jtg_status status = read_place(uri, rest, is_socket, err);
    return status == JTG_OK ? read_query(uri, query, err) : status;
}

jtg_status jtg_redis_uri_parse(jtg_redis_uri **uri, const char *text, jtg_error *err)
{
    if (uri == NULL)
        return refuse(err, "no place for it");
    *uri = NULL;
    if (text == NULL)
        return refuse(err, "it is NULL");
    struct jtg_redis_uri *made = jtgi_alloc(sizeof *made);
    if (made == NULL)
        return jtg_error_set(err, JTG_ERR_MEMORY, 0, "no memory for the store URI");
    jtg_redis_options_init(&made->options);
    made->text_size = strlen(text) + 1;
    made->text = jtgi_strdup(text);
    jtg_status status = made->text == NULL
                            ? jtg_error_set(err, JTG_ERR_MEMORY, 0, "no memory for the store URI")
                            : read_uri(made, err);
    if (status == JTG_OK)
        *uri = made;
    else
        jtg_redis_uri_free(made);
    return status;
}

const jtg_redis_options *jtg_redis_uri_options(const jtg_redis_uri *uri)
{
    return &uri->options;
}

jtg_redis_keys jtg_redis_uri_keys(const jtg_redis_uri *uri)
{
    return uri->keys;
}

void jtg_redis_uri_free(jtg_redis_uri *uri)
{
    if (uri == NULL)
        return;
    jtgi_free_wiped(uri->text, uri->text_size);
    jtgi_free(uri);
}
