/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/link.h"

#include "redis/socket.h"
#include "redis/store.h"

#include <jtiguard/backend.h>

/* Which certificate will do: with a name that was configured that one, else one for the host or for
 * the other host. Both come from where the address does, and a Cluster's certificates carry the one
 * or the other. */
struct names {
    const char *name; /* NULL: in clear */
    const char *other;
};

static struct names names_for(const struct jtgi_address *address, bool tls, const char *configured)
{
    struct names names = {NULL, NULL};
    if (!tls)
        return names;
    names.name = configured != NULL ? configured : address->host;
    names.other = configured != NULL || address->other_host[0] == '\0' ? NULL : address->other_host;
    return names;
}

/* On success the connection owns descriptor and session. */
static jtg_status open_link(struct jtgi_redis *redis, const struct jtgi_address *address,
                            struct names names, int64_t deadline_ns,
                            struct jtgi_connection **connection, jtg_error *err)
{
    struct jtgi_tls_session *session = NULL;
    struct jtgi_transport transport;
    int fd = -1;
    jtg_status status = jtgi_socket_connect(address, redis->config.options.keepalive_s,
                                            &redis->resolver, deadline_ns, &fd, err);
    if (status != JTG_OK)
        return status;
    if (names.name != NULL)
        status =
            jtgi_tls_connect(redis->tls, names.name, names.other, fd, deadline_ns, &session, err);
    jtgi_transport_init(&transport, fd, session);
    if (status == JTG_OK)
        status = jtgi_connection_new(connection, &transport, err);
    if (status != JTG_OK)
        jtgi_transport_close(&transport);
    else
        jtgi_address_format(address, (*connection)->server, sizeof(*connection)->server);
    return status;
}

jtg_status jtgi_link_open(struct jtgi_redis *redis, const struct jtgi_address *address,
                          int64_t deadline_ns, struct jtgi_connection **connection, jtg_error *err)
{
    const jtg_redis_options *options = &redis->config.options;
    return open_link(redis, address,
                     names_for(address, options->tls != 0, options->tls_server_name), deadline_ns,
                     connection, err);
}

jtg_status jtgi_link_open_sentinel(struct jtgi_redis *redis, const struct jtgi_address *address,
                                   int64_t deadline_ns, struct jtgi_connection **connection,
                                   jtg_error *err)
{
    bool tls = redis->config.options.sentinel_tls != 0;
    return open_link(redis, address, names_for(address, tls, NULL), deadline_ns, connection, err);
}

jtg_status jtgi_link_ask_each(struct jtgi_connection *connection,
                              const struct jtgi_command *command, const struct jtgi_taker *taker,
                              int64_t deadline_ns, redisReply **reply, jtg_error *err)
{
    struct jtgi_fault fault;
    size_t sent = 0;
    *reply = NULL;
    if (command->failed)
        return jtg_error_set(err, JTG_ERR_MEMORY, 0, "redis: no memory for a command");
    if (jtgi_connection_send(connection, command->bytes, command->len, &sent, deadline_ns, &fault))
        *reply = taker == NULL
                     ? jtgi_connection_receive(connection, deadline_ns, &fault)
                     : jtgi_connection_receive_each(connection, taker, deadline_ns, &fault);
    if (*reply == NULL)
        return jtg_error_set(err, JTG_ERR_UNAVAILABLE, fault.cause, "redis: %s", fault.text);
    return JTG_OK;
}

jtg_status jtgi_link_ask(struct jtgi_connection *connection, const struct jtgi_command *command,
                         int64_t deadline_ns, redisReply **reply, jtg_error *err)
{
    return jtgi_link_ask_each(connection, command, NULL, deadline_ns, reply, err);
}
