/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/application.h"

#include "support/asserts.h"

#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { VALUE_BYTES = 512, TUNNELS_MAX = 32 };

struct application {
    struct MHD_Daemon *daemon;
    atomic_uint requests;
    atomic_uint unasked;
    pthread_t tunnels[TUNNELS_MAX]; /* by the daemon's own thread */
    unsigned tunnel_count;
};

/* One request, as it comes. */
struct request {
    size_t body_len;
};

/* ---- what it believes ---- */

struct belief {
    struct MHD_Connection *connection;
    const char *name;
    char value[VALUE_BYTES];
};

static bool is_alphanumeric(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool folds_to(const char *given, const char *name)
{
    for (; *given != '\0' && *name != '\0'; given++, name++)
        if (is_alphanumeric(*name) ? strncasecmp(given, name, 1) != 0 : is_alphanumeric(*given))
            return false;
    return *given == '\0' && *name == '\0';
}

struct drop {
    const char *name;
    bool named;
};

static enum MHD_Result look_for_drop(void *context, enum MHD_ValueKind kind, const char *name,
                                     const char *value)
{
    struct drop *drop = context;
    size_t len = strlen(drop->name);
    (void)kind;
    for (const char *at = strcasecmp(name, "Connection") == 0 ? value : NULL; at != NULL;
         at = strchr(at, ',')) {
        at += strspn(at, ", \t");
        drop->named = drop->named ||
                      (strncasecmp(at, drop->name, len) == 0 && strchr(", \t", at[len]) != NULL);
    }
    return MHD_YES;
}

static bool is_dropped(struct MHD_Connection *connection, const char *name)
{
    struct drop drop = {name, false};
    (void)MHD_get_connection_values(connection, MHD_HEADER_KIND, look_for_drop, &drop);
    return drop.named;
}

static enum MHD_Result believe(void *context, enum MHD_ValueKind kind, const char *name,
                               const char *value)
{
    struct belief *belief = context;
    (void)kind;
    if (!folds_to(name, belief->name) || is_dropped(belief->connection, name))
        return MHD_YES;
    size_t len = strlen(belief->value);
    (void)snprintf(belief->value + len, sizeof belief->value - len, "%s%s", len > 0 ? "," : "",
                   value != NULL ? value : "");
    return MHD_YES;
}

static struct belief believed(struct MHD_Connection *connection, const char *name)
{
    struct belief belief = {connection, name, ""};
    (void)MHD_get_connection_values(connection, MHD_HEADER_KIND, believe, &belief);
    (void)MHD_get_connection_values(connection, MHD_FOOTER_KIND, believe, &belief);
    return belief;
}

/* ---- an upgraded connection ---- */

struct tunnel {
    struct application *application;
    MHD_socket fd;
    struct MHD_UpgradeResponseHandle *handle;
};

/* Whatever comes is one more request that nobody was asked about. */
static void *serve_tunnel(void *context)
{
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nunasked\n";
    struct tunnel *tunnel = context;
    char bytes[VALUE_BYTES];
    while (recv(tunnel->fd, bytes, sizeof bytes, 0) > 0) {
        atomic_fetch_add(&tunnel->application->unasked, 1);
        atomic_fetch_add(&tunnel->application->requests, 1);
        (void)send(tunnel->fd, answer, strlen(answer), MSG_NOSIGNAL);
    }
    (void)MHD_upgrade_action(tunnel->handle, MHD_UPGRADE_ACTION_CLOSE);
    free(tunnel);
    return NULL;
}

static void upgraded(void *context, struct MHD_Connection *connection, void *request_context,
                     const char *early, size_t early_len, MHD_socket fd,
                     struct MHD_UpgradeResponseHandle *handle)
{
    struct application *application = context;
    struct tunnel *tunnel = malloc(sizeof *tunnel);
    (void)connection;
    (void)request_context;
    (void)early;
    if (early_len > 0) {
        atomic_fetch_add(&application->unasked, 1);
        atomic_fetch_add(&application->requests, 1);
    }
    if (tunnel == NULL || application->tunnel_count == TUNNELS_MAX) {
        free(tunnel);
        (void)MHD_upgrade_action(handle, MHD_UPGRADE_ACTION_CLOSE);
        return;
    }
    *tunnel = (struct tunnel){application, fd, handle};
    pthread_t *thread = &application->tunnels[application->tunnel_count];
    if (pthread_create(thread, NULL, serve_tunnel, tunnel) == 0)
        application->tunnel_count++;
}

/* ---- an answer ---- */

static enum MHD_Result send_response(struct MHD_Connection *connection, unsigned status,
                                     struct MHD_Response *response)
{
    enum MHD_Result queued = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return queued;
}

static enum MHD_Result send_upgrade(struct application *application,
                                    struct MHD_Connection *connection, const char *protocol)
{
    struct MHD_Response *response = MHD_create_response_for_upgrade(upgraded, application);
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_UPGRADE, protocol);
    return send_response(connection, MHD_HTTP_SWITCHING_PROTOCOLS, response);
}

static enum MHD_Result send_page(struct MHD_Connection *connection, const char *url,
                                 const char *seen)
{
    char text[2 * VALUE_BYTES + 16];
    struct belief subject = believed(connection, "X-JTI-Subject");
    struct belief issuer = believed(connection, "X-JTI-Issuer");
    struct belief email = believed(connection, "X-JTI-Email");
    struct belief result = believed(connection, "X-JTI-Result");
    char told[2 * VALUE_BYTES + 32];
    (void)snprintf(text, sizeof text, "%s of %s\n", subject.value, issuer.value);
    (void)snprintf(told, sizeof told, "email=%s result=%s", email.value, result.value);
    struct MHD_Response *response =
        MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_COPY);
    (void)MHD_add_response_header(response, "X-Seen", seen);
    (void)MHD_add_response_header(response, "X-Told", told);
    if (strcmp(url, "/private") == 0)
        (void)MHD_add_response_header(response, "X-Accel-Redirect", "/files/private");
    return send_response(connection, strcmp(url, "/busy") == 0 ? 503 : 200, response);
}

/* Some proxies pass the whole URL on where the client sent it. */
static const char *path_of(const char *url)
{
    const char *host = strncmp(url, "http://", 7) == 0 ? strchr(url + 7, '/') : NULL;
    return host != NULL ? host : url;
}

static enum MHD_Result answer(void *context, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *data,
                              size_t *data_len, void **state)
{
    struct application *application = context;
    struct request *request = *state;
    char seen[VALUE_BYTES];
    (void)version;
    (void)data;
    if (request == NULL) {
        *state = calloc(1, sizeof *request);
        return *state != NULL ? MHD_YES : MHD_NO;
    }
    request->body_len += *data_len;
    if (*data_len > 0) {
        *data_len = 0;
        return MHD_YES;
    }
    atomic_fetch_add(&application->requests, 1);
    if (strcmp(url, "/break") == 0)
        return MHD_NO;
    const char *upgrade =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_UPGRADE);
    if (upgrade != NULL)
        return send_upgrade(application, connection, upgrade);
    (void)snprintf(seen, sizeof seen, "%s %s %zu", method, path_of(url), request->body_len);
    return send_page(connection, url, seen);
}

static void forget_request(void *context, struct MHD_Connection *connection, void **state,
                           enum MHD_RequestTerminationCode code)
{
    (void)context;
    (void)connection;
    (void)code;
    free(*state);
    *state = NULL;
}

struct application *application_start(void)
{
    const union {
        struct sockaddr_in v4;
        struct sockaddr any;
    } at = {.v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}};
    struct application *application = calloc(1, sizeof *application);
    assert_non_null(application);
    application->daemon =
        MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_UPGRADE, 0, NULL, NULL, answer,
                         application, MHD_OPTION_SOCK_ADDR, &at.any, MHD_OPTION_NOTIFY_COMPLETED,
                         forget_request, NULL, MHD_OPTION_END);
    assert_non_null(application->daemon);
    return application;
}

void application_stop(struct application *application)
{
    /* The proxy has ended: nothing more comes on a tunnel. */
    for (unsigned i = 0; i < application->tunnel_count; i++)
        (void)pthread_join(application->tunnels[i], NULL);
    MHD_stop_daemon(application->daemon);
    free(application);
}

uint16_t application_port(const struct application *application)
{
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(application->daemon, MHD_DAEMON_INFO_BIND_PORT);
    assert_non_null(info);
    return info->port;
}

unsigned application_requests(const struct application *application)
{
    return atomic_load(&application->requests);
}

unsigned application_unasked(const struct application *application)
{
    return atomic_load(&application->unasked);
}
