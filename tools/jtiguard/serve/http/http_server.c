/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/http/http_server.h"

#include "digits.h"
#include "monotonic.h"
#include "serve/http/reply.h"

#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

struct http_server {
    struct http_rules rules;
    struct listener listener;
    struct MHD_Daemon *daemon;
};

/* ---- a connection, and its request ---- */

/* What the library keeps for us with a connection. */
struct socket {
    struct connection *connection;
    struct request *request; /* under way, or NULL */
};

static struct socket *socket_of(struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info != NULL ? info->socket_context : NULL;
}

static struct socket *open_socket(const struct http_server *server, struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct socket *socket = calloc(1, sizeof *socket);
    if (info == NULL || socket == NULL) {
        free(socket);
        return NULL;
    }
    socket->connection = connection_opened(server->rules.connections, info->connect_fd);
    return socket;
}

static void end_request(const struct http_server *server, struct socket *socket, bool complete)
{
    struct request *request = socket->request;
    socket->request = NULL;
    if (request != NULL)
        server->rules.answerer.close(request, complete);
}

static void notify_connection(void *context, struct MHD_Connection *mhd, void **socket_context,
                              enum MHD_ConnectionNotificationCode code)
{
    if (code != MHD_CONNECTION_NOTIFY_CLOSED) {
        *socket_context = open_socket(context, mhd);
        return;
    }
    struct socket *socket = *socket_context;
    *socket_context = NULL;
    if (socket == NULL)
        return;
    /* The library forgets to tell the end of a request whose cookies it has no room for. */
    end_request(context, socket, false);
    connection_closed(socket->connection);
    free(socket);
}

/* A proxy may send the whole URL (RFC 9112 section 3.2.2): which host it names is nothing to us. */
static char *own_path(const char *uri)
{
    static const char *const schemes[] = {"http://", "https://"};
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        size_t len = strlen(schemes[i]);
        if (strncasecmp(uri, schemes[i], len) != 0)
            continue;
        const char *path = uri + len + strcspn(uri + len, "/?");
        return strdup(*path == '/' ? path : "/");
    }
    return strdup(uri);
}

/* The first line has come. What is returned is handed to all that follows. */
static void *begin_request(void *context, const char *uri, struct MHD_Connection *mhd)
{
    const struct http_server *server = context;
    struct socket *socket = socket_of(mhd);
    if (socket == NULL)
        return NULL;
    connection_request_begins(socket->connection);
    struct request begun = {.mhd = mhd,
                            .connection = socket->connection,
                            .role = server->rules.role,
                            .is_local = listen_address_is_unix(&server->listener.address),
                            .uri = own_path(uri),
                            .raw_uri = head_uri_of(uri),
                            .began_ns = monotonic_ns(),
                            .lay_ms = connection_lay_ms(socket->connection)};
    end_request(server, socket, false);
    socket->request = server->rules.answerer.open(server->rules.answerer.context, &begun);
    if (socket->request == NULL)
        request_clear(&begun);
    return socket->request;
}

static void complete_request(void *context, struct MHD_Connection *mhd, void **request_context,
                             enum MHD_RequestTerminationCode code)
{
    struct socket *socket = socket_of(mhd);
    *request_context = NULL;
    if (socket == NULL)
        return;
    connection_request_ended(socket->connection);
    end_request(context, socket, code == MHD_REQUEST_TERMINATED_COMPLETED_OK);
}

/* ---- a request ---- */

static bool announces_too_much(const struct request *request)
{
    struct header_value length = request_header(request, MHD_HTTP_HEADER_CONTENT_LENGTH);
    uint64_t announced = 0;
    return length.text.data_len > 0 && !digits_read(length.text.data, length.text.data_len,
                                                    request->max_body_bytes, &announced);
}

/* A body that is too long is thrown away as it comes; the request's time bounds how much of it
 * comes. */
static void keep_body(struct request *request, const char *data, size_t data_len)
{
    uint32_t max = request->max_body_bytes;
    if (request->body_too_long)
        return;
    if (data_len > max - request->body.len || !bytes_append(&request->body, data, data_len)) {
        request->body_too_long = true;
        bytes_clear(&request->body);
    }
}

/* And the connection ends: what comes behind such a head is not to be taken for a request. */
static bool refuse_head(struct request *request, enum head_verdict verdict)
{
    struct reply reply = verdict == HEAD_TOO_LONG ? reply_text(431, "request head too long\n")
                                                  : reply_text(400, "malformed request head\n");
    reply_header(&reply, MHD_HTTP_HEADER_CONNECTION, "close");
    return reply_send(&reply, request);
}

static bool begin_body(const struct http_rules *rules, struct request *request, const char *version)
{
    const struct head_line line = {request->method, request->raw_uri, version};
    enum head_verdict head = head_judge(request->mhd, &line, rules->max_header_bytes);
    request->seen = true;
    if (head != HEAD_GOOD)
        return refuse_head(request, head);
    request->body_too_long = announces_too_much(request);
    /* An answer before the body ends the connection with it. */
    return !request->body_too_long || rules->answerer.answer(request);
}

static bool go_on(const struct http_rules *rules, struct request *request, const char *version,
                  const char *data, size_t *data_len)
{
    if (!request->seen)
        return begin_body(rules, request, version);
    if (*data_len > 0) {
        keep_body(request, data, *data_len);
        *data_len = 0;
        return true;
    }
    return head_has_trailer(request->mhd) ? refuse_head(request, HEAD_MALFORMED)
                                          : rules->answerer.answer(request);
}

static enum MHD_Result handle(void *context, struct MHD_Connection *mhd, const char *url,
                              const char *method, const char *version, const char *upload_data,
                              size_t *upload_data_len, void **request_context)
{
    const struct http_server *server = context;
    struct request *request = *request_context;
    (void)mhd;
    (void)url;
    if (request == NULL || request->uri == NULL)
        return MHD_NO;
    request->method = method;
    /* Its token would be used up, and nobody would learn that. */
    if (request_has_left(request))
        return MHD_NO;
    return go_on(&server->rules, request, version, upload_data, upload_data_len) ? MHD_YES : MHD_NO;
}

/* ---- a server ---- */

/* Its messages hold parts of requests: only the fixed part of each is logged. */
static void log_message(void *context, const char *format, va_list arguments)
{
    const struct http_server *server = context;
    char text[128];
    (void)arguments;
    (void)snprintf(text, sizeof text, "%.*s", (int)strcspn(format, "%\n"), format);
    server->rules.answerer.log(server->rules.answerer.context, text);
}

static struct MHD_Daemon *start_daemon(struct http_server *server)
{
    const struct http_rules *rules = &server->rules;
    const struct MHD_OptionItem options[] = {
        {MHD_OPTION_EXTERNAL_LOGGER, (intptr_t)log_message, server},
        {MHD_OPTION_LISTEN_SOCKET, server->listener.fd, NULL},
        {MHD_OPTION_THREAD_POOL_SIZE, (intptr_t)rules->threads, NULL},
        {MHD_OPTION_CONNECTION_LIMIT, (intptr_t)rules->max_connections, NULL},
        {MHD_OPTION_PER_IP_CONNECTION_LIMIT, (intptr_t)rules->max_connections_per_client, NULL},
        {MHD_OPTION_CONNECTION_TIMEOUT, (intptr_t)rules->idle_timeout_s, NULL},
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, head_memory(rules->max_header_bytes), NULL},
        {MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL},
        {MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)begin_request, server},
        {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)complete_request, server},
        {MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)notify_connection, server},
        {MHD_OPTION_END, 0, NULL}};
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
    return MHD_start_daemon(flags, 0, NULL, NULL, handle, server, MHD_OPTION_ARRAY, options,
                            MHD_OPTION_END);
}

struct http_server *http_server_start(struct listener *listener, const struct http_rules *rules)
{
    struct http_server *server = calloc(1, sizeof *server);
    if (server == NULL) {
        listener_close(listener, false);
        return NULL;
    }
    *server = (struct http_server){*rules, *listener, NULL};
    server->daemon = start_daemon(server);
    if (server->daemon != NULL)
        return server;
    listener_close(&server->listener, false);
    free(server);
    return NULL;
}

void http_server_quiesce(struct http_server *server)
{
    listener_shut(&server->listener);
}

/* The library closes the descriptor that it was given. */
void http_server_stop(struct http_server *server)
{
    http_server_quiesce(server);
    MHD_stop_daemon(server->daemon);
    listener_close(&server->listener, true);
    free(server);
}

enum http_role http_server_role(const struct http_server *server)
{
    return server->rules.role;
}

const struct listener *http_server_listener(const struct http_server *server)
{
    return &server->listener;
}
