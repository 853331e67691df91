/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/keys_server.h"

#include "support/asserts.h"
#include "support/tls_certificate.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_PAGES = 4, PATIENCE_S = 10 };

struct page {
    char path[64];
    unsigned status;
    char *body;
    char header[128];
    char wanted[64]; /* Authorization; empty: none */
    bool held;
    unsigned count;
    unsigned shown;
};

struct keys_server {
    struct MHD_Daemon *daemon;
    char base[64];
    struct tls_certificate identity; /* only with TLS */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct page pages[MAX_PAGES];
    unsigned drip_ms;
};

/* Body and place in it of a response that drips. */
struct drip {
    struct keys_server *server;
    char *body;
};

static struct page *find_page_locked(struct keys_server *server, const char *path)
{
    for (size_t i = 0; i < MAX_PAGES; i++)
        if (strcmp(server->pages[i].path, path) == 0)
            return &server->pages[i];
    return NULL;
}

static struct page *make_page_locked(struct keys_server *server, const char *path)
{
    struct page *page = find_page_locked(server, path);
    if (page == NULL) {
        page = find_page_locked(server, "");
        assert_non_null(page);
        (void)snprintf(page->path, sizeof page->path, "%s", path);
    }
    return page;
}

static ssize_t send_drop(void *context, uint64_t position, char *out, size_t max)
{
    struct drip *drip = context;
    size_t left = strlen(drip->body) - (size_t)position;
    (void)pthread_mutex_lock(&drip->server->lock);
    unsigned pause_ms = drip->server->drip_ms;
    (void)pthread_mutex_unlock(&drip->server->lock);
    if (left == 0 || max == 0)
        return left == 0 ? MHD_CONTENT_READER_END_OF_STREAM : 0;
    if (pause_ms == 0) {
        size_t count = left < max ? left : max;
        memcpy(out, drip->body + position, count);
        return (ssize_t)count;
    }
    (void)poll(NULL, 0, (int)pause_ms);
    *out = drip->body[position];
    return 1;
}

static void free_drip(void *context)
{
    struct drip *drip = context;
    free(drip->body);
    free(drip);
}

static struct MHD_Response *make_response_locked(struct keys_server *server,
                                                 const struct page *page)
{
    char *body = strdup(page != NULL ? page->body : "nothing here");
    struct MHD_Response *response = NULL;
    if (server->drip_ms == 0) {
        response = MHD_create_response_from_buffer(strlen(body), body, MHD_RESPMEM_MUST_FREE);
    } else {
        struct drip *drip = calloc(1, sizeof *drip);
        *drip = (struct drip){server, body};
        response = MHD_create_response_from_callback(strlen(body), 256, send_drop, drip, free_drip);
    }
    if (page != NULL && page->header[0] != '\0') {
        char name[64];
        const char *colon = strchr(page->header, ':');
        (void)snprintf(name, sizeof name, "%.*s", (int)(colon - page->header), page->header);
        (void)MHD_add_response_header(response, name, colon + 2);
    }
    return response;
}

static bool is_authorized_locked(struct page *page, struct MHD_Connection *connection)
{
    const char *shown =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_AUTHORIZATION);
    page->shown += shown != NULL;
    return page->wanted[0] == '\0' || (shown != NULL && strcmp(shown, page->wanted) == 0);
}

static enum MHD_Result answer(void *context, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *data,
                              size_t *data_len, void **state)
{
    struct keys_server *server = context;
    (void)method;
    (void)version;
    (void)data;
    *data_len = 0; /* whatever was sent is read */
    (void)state;
    (void)pthread_mutex_lock(&server->lock);
    struct page *page = find_page_locked(server, url);
    if (page != NULL) {
        page->count++;
        (void)pthread_cond_broadcast(&server->changed);
        while (page->held)
            (void)pthread_cond_wait(&server->changed, &server->lock);
    }
    unsigned status = page != NULL ? page->status : MHD_HTTP_NOT_FOUND;
    if (page != NULL && !is_authorized_locked(page, connection))
        status = MHD_HTTP_UNAUTHORIZED;
    struct MHD_Response *response = make_response_locked(server, page);
    (void)pthread_mutex_unlock(&server->lock);
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static void start_daemon(struct keys_server *server, bool with_tls)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION;
    if (with_tls)
        server->daemon = MHD_start_daemon(
            flags | MHD_USE_TLS, 0, NULL, NULL, answer, server, MHD_OPTION_SOCK_ADDR,
            (struct sockaddr *)&address, MHD_OPTION_HTTPS_MEM_KEY, server->identity.key_pem,
            MHD_OPTION_HTTPS_MEM_CERT, server->identity.certificate_pem, MHD_OPTION_END);
    else
        server->daemon =
            MHD_start_daemon(flags, 0, NULL, NULL, answer, server, MHD_OPTION_SOCK_ADDR,
                             (struct sockaddr *)&address, MHD_OPTION_END);
    assert_non_null(server->daemon);
}

struct keys_server *keys_server_new(bool with_tls)
{
    struct keys_server *server = calloc(1, sizeof *server);
    assert_non_null(server);
    assert_int_equal(pthread_mutex_init(&server->lock, NULL), 0);
    assert_int_equal(pthread_cond_init(&server->changed, NULL), 0);
    if (with_tls)
        tls_certificate_make_for(&server->identity, 0, "DNS:localhost");
    start_daemon(server, with_tls);
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_BIND_PORT);
    assert_non_null(info);
    (void)snprintf(server->base, sizeof server->base, "%s:%u",
                   with_tls ? "https://localhost" : "http://127.0.0.1", (unsigned)info->port);
    return server;
}

void keys_server_free(struct keys_server *server)
{
    (void)pthread_mutex_lock(&server->lock);
    server->drip_ms = 0;
    for (size_t i = 0; i < MAX_PAGES; i++)
        server->pages[i].held = false;
    (void)pthread_cond_broadcast(&server->changed);
    (void)pthread_mutex_unlock(&server->lock);
    MHD_stop_daemon(server->daemon);
    for (size_t i = 0; i < MAX_PAGES; i++)
        free(server->pages[i].body);
    if (server->identity.key_pem != NULL)
        tls_certificate_clear(&server->identity);
    (void)pthread_cond_destroy(&server->changed);
    (void)pthread_mutex_destroy(&server->lock);
    free(server);
}

const char *keys_server_base(const struct keys_server *server)
{
    return server->base;
}

const char *keys_server_ca(const struct keys_server *server)
{
    return server->identity.certificate_path;
}

void keys_server_put(struct keys_server *server, const char *path, unsigned status,
                     const char *body, const char *header)
{
    (void)pthread_mutex_lock(&server->lock);
    struct page *page = make_page_locked(server, path);
    free(page->body);
    page->body = strdup(body);
    page->status = status;
    (void)snprintf(page->header, sizeof page->header, "%s", header != NULL ? header : "");
    (void)pthread_mutex_unlock(&server->lock);
}

void keys_server_want(struct keys_server *server, const char *path, const char *authorization)
{
    (void)pthread_mutex_lock(&server->lock);
    struct page *page = make_page_locked(server, path);
    (void)snprintf(page->wanted, sizeof page->wanted, "%s", authorization);
    (void)pthread_mutex_unlock(&server->lock);
}

unsigned keys_server_shown(struct keys_server *server, const char *path)
{
    (void)pthread_mutex_lock(&server->lock);
    const struct page *page = find_page_locked(server, path);
    unsigned shown = page != NULL ? page->shown : 0;
    (void)pthread_mutex_unlock(&server->lock);
    return shown;
}

void keys_server_hold(struct keys_server *server, const char *path, bool hold)
{
    (void)pthread_mutex_lock(&server->lock);
    make_page_locked(server, path)->held = hold;
    (void)pthread_cond_broadcast(&server->changed);
    (void)pthread_mutex_unlock(&server->lock);
}

void keys_server_drip(struct keys_server *server, unsigned pause_ms)
{
    (void)pthread_mutex_lock(&server->lock);
    server->drip_ms = pause_ms;
    (void)pthread_mutex_unlock(&server->lock);
}

unsigned keys_server_count(struct keys_server *server, const char *path)
{
    (void)pthread_mutex_lock(&server->lock);
    const struct page *page = find_page_locked(server, path);
    unsigned count = page != NULL ? page->count : 0;
    (void)pthread_mutex_unlock(&server->lock);
    return count;
}

bool keys_server_await(struct keys_server *server, const char *path, unsigned count)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_S;
    (void)pthread_mutex_lock(&server->lock);
    const struct page *page = make_page_locked(server, path);
    while (page->count < count &&
           pthread_cond_timedwait(&server->changed, &server->lock, &until) == 0)
        continue;
    bool is_there = page->count >= count;
    (void)pthread_mutex_unlock(&server->lock);
    return is_there;
}
