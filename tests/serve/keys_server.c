/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/keys_server.h"

#include "support/asserts.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MAX_PAGES = 4, PATIENCE_S = 10 };

struct page {
    char path[64];
    unsigned status;
    char *body;
    char header[128];
    bool held;
    unsigned count;
};

struct keys_server {
    struct MHD_Daemon *daemon;
    char base[64];
    char ca_path[64];
    char *key_pem;
    char *certificate_pem;
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
    struct MHD_Response *response = make_response_locked(server, page);
    (void)pthread_mutex_unlock(&server->lock);
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

/* Signed by itself, for localhost, for an hour. */
static X509 *make_certificate(EVP_PKEY *key)
{
    X509 *made = X509_new();
    X509_NAME *name = X509_get_subject_name(made);
    X509_EXTENSION *names = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:localhost");
    assert_int_equal(X509_set_version(made, 2), 1);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(made), 1), 1);
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(made), -60));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(made), 3600));
    assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                                (const unsigned char *)"localhost", -1, -1, 0),
                     1);
    assert_int_equal(X509_set_issuer_name(made, name), 1);
    assert_int_equal(X509_add_ext(made, names, -1), 1);
    assert_int_equal(X509_set_pubkey(made, key), 1);
    assert_true(X509_sign(made, key, EVP_sha256()) > 0);
    X509_EXTENSION_free(names);
    return made;
}

static char *text_of_bio(BIO *bio)
{
    char *data = NULL;
    long data_len = BIO_get_mem_data(bio, &data);
    char *text = strndup(data, (size_t)data_len);
    (void)BIO_free(bio);
    return text;
}

static void make_identity(struct keys_server *server)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = make_certificate(key);
    BIO *key_bio = BIO_new(BIO_s_mem());
    BIO *certificate_bio = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_PrivateKey(key_bio, key, NULL, NULL, 0, NULL, NULL), 1);
    assert_int_equal(PEM_write_bio_X509(certificate_bio, certificate), 1);
    server->key_pem = text_of_bio(key_bio);
    server->certificate_pem = text_of_bio(certificate_bio);
    (void)snprintf(server->ca_path, sizeof server->ca_path, "/tmp/jtiguard-ca-XXXXXX");
    int fd = mkstemp(server->ca_path);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    assert_non_null(file);
    assert_true(fputs(server->certificate_pem, file) >= 0);
    assert_int_equal(fclose(file), 0);
    X509_free(certificate);
    EVP_PKEY_free(key);
}

static void start_daemon(struct keys_server *server, bool with_tls)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION;
    if (with_tls)
        server->daemon = MHD_start_daemon(
            flags | MHD_USE_TLS, 0, NULL, NULL, answer, server, MHD_OPTION_SOCK_ADDR,
            (struct sockaddr *)&address, MHD_OPTION_HTTPS_MEM_KEY, server->key_pem,
            MHD_OPTION_HTTPS_MEM_CERT, server->certificate_pem, MHD_OPTION_END);
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
        make_identity(server);
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
    if (server->ca_path[0] != '\0')
        (void)unlink(server->ca_path);
    free(server->key_pem);
    free(server->certificate_pem);
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
    return server->ca_path;
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
