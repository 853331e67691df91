/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/say/options/uri.h"

#include "core/alloc.h"
#include "redis/say/address/address.h"
#include "redis/say/options/uri_text.h"

#include <jtiguard/status.h>
#include <string.h>

static jtg_status read_login(struct jtg_redis_uri *uri, char *login, jtg_error *err)
{
    char *password = jtgi_uri_cut(login, ':');
    if (!jtgi_uri_decode(login) || (password != NULL && !jtgi_uri_decode(password)))
        return jtgi_uri_refuse(err, "user or password is badly encoded");
    if (*login != '\0')
        uri->options.user = login;
    if (password != NULL && *password == '\0')
        return jtgi_uri_refuse(err, "the password is empty");
    uri->options.password = password;
    return JTG_OK;
}

/* host, host:port, [v6] or [v6]:port. */
static jtg_status read_server(struct jtg_redis_uri *uri, char *host, jtg_error *err)
{
    char *port = NULL;
    if (*host == '[') {
        char *after = jtgi_uri_cut(++host, ']');
        if (after == NULL || (*after != '\0' && *after != ':'))
            return jtgi_uri_refuse(err, "the address in brackets is badly formed");
        port = *after == ':' ? after + 1 : NULL;
    } else {
        port = jtgi_uri_cut(host, ':');
    }
    if (!jtgi_uri_decode(host) || *host == '\0')
        return jtgi_uri_refuse(err, "the host is missing or badly encoded");
    uri->options.host = host;
    if (port != NULL &&
        (!jtgi_uri_number(port, 65535, &uri->options.port) || uri->options.port == 0))
        return jtgi_uri_refuse(err, "the port is not between 1 and 65535");
    return JTG_OK;
}

static jtg_status read_database(struct jtg_redis_uri *uri, const char *database, jtg_error *err)
{
    uri->has_database = database != NULL && *database != '\0';
    if (uri->has_database &&
        !jtgi_uri_number(database, JTG_REDIS_DATABASE_LIMIT, &uri->options.database))
        return jtgi_uri_refuse(err, "the database number is not between 0 and 65535");
    return JTG_OK;
}

static jtg_status read_network(struct jtg_redis_uri *uri, char *server, jtg_error *err)
{
    jtg_status status = read_database(uri, jtgi_uri_cut(server, '/'), err);
    return status == JTG_OK ? read_server(uri, server, err) : status;
}

/* Here only its form is looked at: a port that is left out has the default of its kind. */
static jtg_status read_list(char *list, jtg_error *err)
{
    struct jtgi_address address;
    const char *next = list;
    if (!jtgi_uri_decode(list))
        return jtgi_uri_refuse(err, "a host is badly encoded");
    while (next != NULL)
        if (!jtgi_address_next(&next, JTG_REDIS_PORT_DEFAULT, &address))
            return jtgi_uri_refuse(err, "a host or port of the list is badly formed");
    return JTG_OK;
}

static jtg_status read_socket(struct jtg_redis_uri *uri, char *path, jtg_error *err)
{
    if (!jtgi_uri_decode(path) || *path != '/' || path[1] == '\0')
        return jtgi_uri_refuse(err, "the path of the socket is missing or badly encoded");
    uri->options.unix_path = path;
    return JTG_OK;
}

/* "host,host/name/database" */
static jtg_status read_sentinels(struct jtg_redis_uri *uri, char *list, jtg_error *err)
{
    char *name = jtgi_uri_cut(list, '/');
    char *database = name == NULL ? NULL : jtgi_uri_cut(name, '/');
    if (name == NULL || *name == '\0' || !jtgi_uri_decode(name))
        return jtgi_uri_refuse(err, "the name of the primary is missing or badly encoded");
    uri->options.sentinel_primary = name;
    uri->options.sentinels = list;
    uri->options.sentinel_tls = uri->options.tls;
    jtg_status status = read_database(uri, database, err);
    return status == JTG_OK ? read_list(list, err) : status;
}

static jtg_status read_cluster(struct jtg_redis_uri *uri, char *list, jtg_error *err)
{
    char *database = jtgi_uri_cut(list, '/');
    uri->options.cluster_nodes = list;
    jtg_status status = read_database(uri, database, err);
    return status == JTG_OK ? read_list(list, err) : status;
}

/* A scheme is a base, and for several servers a kind behind '+' or '-': "rediss+sentinel". Programs
 * spell these differently, and mean the same. */
struct scheme {
    uint32_t tls;
    jtg_status (*read)(struct jtg_redis_uri *uri, char *place, jtg_error *err);
};

static const struct {
    const char *name;
    struct scheme scheme;
} bases[] = {
    {"redis", {0, read_network}},   {"rediss", {1, read_network}}, {"valkey", {0, read_network}},
    {"valkeys", {1, read_network}}, {"unix", {0, read_socket}},
};

static bool read_base(const char *name, struct scheme *scheme)
{
    for (size_t i = 0; i < sizeof bases / sizeof bases[0]; i++) {
        if (strcmp(bases[i].name, name) != 0)
            continue;
        *scheme = bases[i].scheme;
        return true;
    }
    return false;
}

static bool read_scheme(char *text, struct scheme *scheme)
{
    char *mark = strpbrk(text, "+-");
    const char *kind = mark == NULL ? NULL : mark + 1;
    if (mark != NULL)
        *mark = '\0';
    if (!read_base(text, scheme))
        return false;
    if (kind == NULL)
        return true;
    bool several = scheme->read == read_network;
    if (strcmp(kind, "sentinel") == 0)
        scheme->read = read_sentinels;
    else if (strcmp(kind, "cluster") == 0)
        scheme->read = read_cluster;
    else
        several = false;
    return several;
}

/* A path may hold '@', so a login ends before the first '/' there. */
static jtg_status read_place(struct jtg_redis_uri *uri, const struct scheme *scheme, char *place,
                             jtg_error *err)
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
    return scheme->read(uri, place, err);
}

static jtg_status read_uri(struct jtg_redis_uri *uri, jtg_error *err)
{
    char *rest = strstr(uri->text, "://");
    if (rest == NULL)
        return jtgi_uri_refuse(err, "it has no scheme");
    *rest = '\0';
    rest += 3;
    struct scheme scheme;
    if (!read_scheme(uri->text, &scheme))
        return jtgi_uri_refuse(err, "the scheme is not redis, rediss, valkey, valkeys, unix, or "
                                    "one of the first four with +sentinel or +cluster");
    uri->options.tls = scheme.tls;
    if (strchr(rest, '#') != NULL)
        return jtgi_uri_refuse(err, "it has a fragment");
    char *query = jtgi_uri_cut(rest, '?');
    jtg_status status = read_place(uri, &scheme, rest, err);
    return status == JTG_OK ? jtgi_uri_read_query(uri, query, err) : status;
}

jtg_status jtg_redis_uri_parse(jtg_redis_uri **uri, const char *text, jtg_error *err)
{
    if (uri == NULL)
        return jtgi_uri_refuse(err, "no place for it");
    *uri = NULL;
    if (text == NULL)
        return jtgi_uri_refuse(err, "it is NULL");
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
