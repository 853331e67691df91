/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/link.h"

#include "redis/socket.h"
#include "redis/store.h"

#include <jtiguard/backend.h>

/* server_name NULL: in clear. On success the connection owns descriptor and session. */
static jtg_status open_link(struct jtgi_redis *redis, const struct jtgi_address *address,
                            const char *server_name, int64_t deadline_ns,
                            struct jtgi_connection **connection, jtg_error *err)
{
    struct jtgi_tls_session *session = NULL;
    struct jtgi_transport transport;
    int fd = -1;
    jtg_status status = jtgi_socket_connect(address, redis->config.options.keepalive_s,
                                            &redis->resolver, deadline_ns, &fd, err);
    if (status != JTG_OK)
        return status;
    if (server_name != NULL)
        status = jtgi_tls_connect(redis->tls, server_name, fd, deadline_ns, &session, err);
    jtgi_transport_init(&transport, fd, session);
    if (status == JTG_OK)
        status = jtgi_connection_new(connection, &transport, err);
    if (status != JTG_OK)
        jtgi_transport_close(&transport);
    return status;
}

jtg_status jtgi_link_open(struct jtgi_redis *redis, const struct jtgi_address *address,
                          int64_t deadline_ns, struct jtgi_connection **connection, jtg_error *err)
{
    const jtg_redis_options *options = &redis->config.options;
    const char *name = options->tls_server_name != NULL ? options->tls_server_name : address->host;
    return open_link(redis, address, options->tls != 0 ? name : NULL, deadline_ns, connection, err);
}

jtg_status jtgi_link_open_sentinel(struct jtgi_redis *redis, const struct jtgi_address *address,
                                   int64_t deadline_ns, struct jtgi_connection **connection,
                                   jtg_error *err)
{
    bool tls = redis->config.options.sentinel_tls != 0;
    return open_link(redis, address, tls ? address->host : NULL, deadline_ns, connection, err);
}

jtg_status jtgi_link_ask(struct jtgi_connection *connection, const struct jtgi_command *command,
                         int64_t deadline_ns, redisReply **reply, jtg_error *err)
{
    struct jtgi_fault fault;
    size_t sent = 0;
    *reply = NULL;
    if (command->failed)
        return jtg_error_set(err, JTG_ERR_MEMORY, 0, "redis: no memory for a command");
    if (jtgi_connection_send(connection, command->bytes, command->len, &sent, deadline_ns, &fault))
        *reply = jtgi_connection_receive(connection, deadline_ns, &fault);
    if (*reply == NULL)
        return jtg_error_set(err, JTG_ERR_UNAVAILABLE, fault.cause, "redis: %s", fault.text);
    return JTG_OK;
}
