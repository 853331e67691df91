/* SPDX-License-Identifier: Apache-2.0 */
#include "http.h"

#include "digits.h"
#include "head.h"
#include "monotonic.h"
#include "reply.h"
#include "routes.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* From when on an end of the client's half is taken for the end of all of it. */
enum { LATE_MS = 1000 };

struct http_server {
    struct service *service;
    struct http_rules rules;
    struct listener listener;
    struct MHD_Daemon *daemon;
};

/* ---- a connection, and its request ---- */

/* What the library keeps for us with a connection. */
struct socket {
    struct connection *connection;
    struct exchange *exchange; /* under way, or NULL */
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

static void end_exchange(struct socket *socket, bool complete)
{
    struct exchange *exchange = socket->exchange;
    socket->exchange = NULL;
    if (exchange == NULL)
        return;
    struct metrics *metrics = &exchange->service->metrics;
    if (exchange->status != 0)
        metrics_answered(metrics, exchange->endpoint, exchange->status);
    if (!complete)
        metrics_add(&metrics->unfinished);
    policy_release(exchange->policy);
    bytes_clear(&exchange->body);
    free(exchange->uri);
    free(exchange);
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
    end_exchange(socket, false);
    connection_closed(socket->connection);
    free(socket);
}

static void pause_connection(void *context)
{
    MHD_suspend_connection(context);
}

static void wake_connection(void *context)
{
    MHD_resume_connection(context);
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

/* Whoever waits behind workers that are busy waits before our own clocks start. */
static int64_t measure_wait(const struct http_server *server, const struct socket *socket)
{
    int64_t lay_ms = -1;
    if (server->rules.role != HTTP_ADMIN && socket->connection != NULL)
        lay_ms = connection_lay_ms(socket->connection);
    if (lay_ms >= 0)
        latency_add(&server->service->metrics.wait, lay_ms * 1000000);
    return lay_ms > 0 ? lay_ms : 0;
}

/* The first line has come. What is returned is handed to all that follows. */
static void *begin_request(void *context, const char *uri, struct MHD_Connection *mhd)
{
    const struct http_server *server = context;
    struct socket *socket = socket_of(mhd);
    struct exchange *exchange = socket != NULL ? calloc(1, sizeof *exchange) : NULL;
    if (exchange == NULL)
        return NULL;
    connection_request_begins(socket->connection);
    int64_t lay_ms = measure_wait(server, socket);
    end_exchange(socket, false);
    socket->exchange = exchange;
    exchange->service = server->service;
    exchange->server = server;
    exchange->mhd = mhd;
    exchange->waiter =
        (struct verify_waiter){.pause = pause_connection, .wake = wake_connection, .context = mhd};
    exchange->began_ns = monotonic_ns();
    exchange->lay_ms = lay_ms;
    exchange->endpoint = METRICS_OTHER;
    exchange->uri = own_path(uri);
    exchange->raw_uri = head_uri_of(uri);
    exchange->policy = policy_hold(&server->service->policy);
    return exchange;
}

static void end_request(void *context, struct MHD_Connection *mhd, void **request_context,
                        enum MHD_RequestTerminationCode code)
{
    struct socket *socket = socket_of(mhd);
    (void)context;
    *request_context = NULL;
    if (socket == NULL)
        return;
    connection_request_ended(socket->connection);
    end_exchange(socket, code == MHD_REQUEST_TERMINATED_COMPLETED_OK);
}

/* ---- a request ---- */

static bool announces_too_much(const struct exchange *exchange, uint32_t max_bytes)
{
    struct header_value length = exchange_header(exchange, MHD_HTTP_HEADER_CONTENT_LENGTH);
    uint64_t announced = 0;
    return length.text.data_len > 0 &&
           !digits_read(length.text.data, length.text.data_len, max_bytes, &announced);
}

/* A body that is too long is thrown away as it comes; the request's time bounds how much of it
 * comes. */
static void keep_body(struct exchange *exchange, const char *data, size_t data_len)
{
    uint32_t max = policy_settings(exchange->policy)->max_body_bytes;
    if (exchange->body_too_long)
        return;
    if (data_len > max - exchange->body.len || !bytes_append(&exchange->body, data, data_len)) {
        exchange->body_too_long = true;
        bytes_clear(&exchange->body);
    }
}

/* And the connection ends: what comes behind such a head is not to be taken for a request. */
static enum MHD_Result refuse_head(struct exchange *exchange, enum head_verdict verdict)
{
    struct reply reply = verdict == HEAD_TOO_LONG ? reply_text(431, "request head too long\n")
                                                  : reply_text(400, "malformed request head\n");
    reply_header(&reply, MHD_HTTP_HEADER_CONNECTION, "close");
    return reply_send(&reply, exchange);
}

static enum MHD_Result begin_body(struct exchange *exchange, const char *version)
{
    const struct head_line line = {exchange->method, exchange->raw_uri, version};
    enum head_verdict head =
        head_judge(exchange->mhd, &line, exchange->server->rules.max_header_bytes);
    exchange->seen = true;
    if (head != HEAD_GOOD)
        return refuse_head(exchange, head);
    exchange->body_too_long =
        announces_too_much(exchange, policy_settings(exchange->policy)->max_body_bytes);
    /* An answer before the body ends the connection with it. */
    return exchange->body_too_long ? routes_answer(exchange) : MHD_YES;
}

static enum MHD_Result handle(void *context, struct MHD_Connection *mhd, const char *url,
                              const char *method, const char *version, const char *upload_data,
                              size_t *upload_data_len, void **request_context)
{
    struct exchange *exchange = *request_context;
    (void)context;
    (void)url;
    if (exchange == NULL || exchange->uri == NULL)
        return MHD_NO;
    exchange->method = method;
    /* Its token would be used up, and nobody would learn that. */
    if (exchange_has_left(exchange))
        return MHD_NO;
    if (!exchange->seen)
        return begin_body(exchange, version);
    if (*upload_data_len > 0) {
        keep_body(exchange, upload_data, *upload_data_len);
        *upload_data_len = 0;
        return MHD_YES;
    }
    return head_has_trailer(mhd) ? refuse_head(exchange, HEAD_MALFORMED) : routes_answer(exchange);
}

struct one_header {
    const char *name;
    struct header_value value;
};

static enum MHD_Result count_header(void *context, enum MHD_ValueKind kind, const char *name,
                                    size_t name_len, const char *value, size_t value_len)
{
    struct one_header *wanted = context;
    (void)kind;
    (void)name_len;
    if (strcasecmp(name, wanted->name) != 0)
        return MHD_YES;
    if (wanted->value.count++ == 0)
        wanted->value.text = (jtg_text){value != NULL ? value : "", value_len};
    return MHD_YES;
}

struct header_value exchange_header(const struct exchange *exchange, const char *name)
{
    struct one_header wanted = {name, {0, {NULL, 0}}};
    (void)MHD_get_connection_values_n(exchange->mhd, MHD_HEADER_KIND, count_header, &wanted);
    return wanted.value;
}

bool exchange_await(struct exchange *exchange, struct verified *verified)
{
    if (exchange->waited && !exchange->waiter.moved)
        return false;
    bool waits = verified_await(verified, &exchange->waiter);
    exchange->waited = exchange->waited || waits;
    return waits;
}

void exchange_renew_policy(struct exchange *exchange)
{
    policy_release(exchange->policy);
    exchange->policy = policy_hold(&exchange->service->policy);
}

bool exchange_has_time(const struct exchange *exchange, uint64_t wanted_ms)
{
    const struct service_settings *settings = policy_settings(exchange->policy);
    int64_t end_ns = exchange->began_ns + (int64_t)settings->request_timeout_s * 1000000000;
    int64_t cut_ns = atomic_load(&exchange->service->cut_ns);
    if (cut_ns != 0 && cut_ns < end_ns)
        end_ns = cut_ns;
    return monotonic_ns() + (int64_t)wanted_ms * 1000000 < end_ns;
}

bool exchange_has_left(const struct exchange *exchange)
{
    int64_t age_ms = exchange->lay_ms + (monotonic_ns() - exchange->began_ns) / 1000000;
    bool late = exchange->waited || age_ms >= LATE_MS;
    return connection_is_gone(socket_of(exchange->mhd)->connection, late);
}

struct peer exchange_peer(const struct exchange *exchange)
{
    if (listen_address_is_unix(&exchange->server->listener.address))
        return (struct peer){true, true, {0}};
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(exchange->mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    return peer_from_socket(info != NULL ? info->client_addr : NULL);
}

/* ---- a server ---- */

/* Its messages hold parts of requests: only the fixed part of each is logged. */
static void log_message(void *context, const char *format, va_list arguments)
{
    const struct http_server *server = context;
    char text[128];
    (void)arguments;
    (void)snprintf(text, sizeof text, "%.*s", (int)strcspn(format, "%\n"), format);
    service_log_text(server->service->log, JTG_LOG_DEBUG, "http", text);
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
        {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)end_request, server},
        {MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)notify_connection, server},
        {MHD_OPTION_END, 0, NULL}};
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
    return MHD_start_daemon(flags, 0, NULL, NULL, handle, server, MHD_OPTION_ARRAY, options,
                            MHD_OPTION_END);
}

struct http_server *http_server_start(struct service *service, struct listener *listener,
                                      const struct http_rules *rules)
{
    struct http_server *server = calloc(1, sizeof *server);
    if (server == NULL) {
        listener_close(listener, false);
        return NULL;
    }
    *server = (struct http_server){service, *rules, *listener, NULL};
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
