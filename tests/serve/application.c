/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/application.h"

#include "support/asserts.h"

#include <microhttpd.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct application {
    struct MHD_Daemon *daemon;
    atomic_uint requests;
};

static enum MHD_Result answer(void *context, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *data,
                              size_t *data_len, void **state)
{
    struct application *application = context;
    char text[256];
    (void)url;
    (void)method;
    (void)version;
    (void)data;
    (void)state;
    if (*data_len > 0) {
        *data_len = 0;
        return MHD_YES;
    }
    const char *subject = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "X-JTI-Subject");
    const char *issuer = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "X-JTI-Issuer");
    atomic_fetch_add(&application->requests, 1);
    (void)snprintf(text, sizeof text, "%s of %s\n", subject != NULL ? subject : "",
                   issuer != NULL ? issuer : "");
    struct MHD_Response *response =
        MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_COPY);
    enum MHD_Result queued = MHD_queue_response(connection, 200, response);
    MHD_destroy_response(response);
    return queued;
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
        MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, answer, application,
                         MHD_OPTION_SOCK_ADDR, &at.any, MHD_OPTION_END);
    assert_non_null(application->daemon);
    return application;
}

void application_stop(struct application *application)
{
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
