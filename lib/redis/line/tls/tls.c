/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/line/tls/tls.h"

#include "core/alloc.h"
#include "redis/line/deadline.h"
#include "redis/line/tls/tls_context.h"

#include <arpa/inet.h>
#include <errno.h>
#include <jtiguard/status.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>

struct jtgi_tls {
    struct jtgi_tls_context context;
    BIO_METHOD *sockets;
};

/* One thread sends while another receives, which an SSL object does not allow: each step takes
 * the lock. No step waits, so it is held for the ciphering of one record. */
struct jtgi_tls_session {
    pthread_mutex_t lock;
    SSL *ssl;
};

int jtg_redis_has_tls(void)
{
    return 1;
}

/* ---- a BIO that never waits and never raises SIGPIPE, which OpenSSL's own does ---- */

static int fd_of(BIO *bio)
{
    return (int)(intptr_t)BIO_get_data(bio);
}

static int bio_result(BIO *bio, ssize_t count, int retry)
{
    BIO_clear_retry_flags(bio);
    if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        BIO_set_flags(bio, retry | BIO_FLAGS_SHOULD_RETRY);
    return (int)count;
}

static int bio_write(BIO *bio, const char *data, int len)
{
    return bio_result(bio, send(fd_of(bio), data, (size_t)len, MSG_NOSIGNAL | MSG_DONTWAIT),
                      BIO_FLAGS_WRITE);
}

static int bio_read(BIO *bio, char *data, int len)
{
    return bio_result(bio, recv(fd_of(bio), data, (size_t)len, MSG_DONTWAIT), BIO_FLAGS_READ);
}

static long bio_control(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH;
}

/* OpenSSL has little more than a hundred of them for the whole program: one for all our caches. */
static int socket_type;
static pthread_once_t socket_type_once = PTHREAD_ONCE_INIT;

static void draw_socket_type(void)
{
    int index = BIO_get_new_index();
    socket_type = (index > 0 ? index : 0) | BIO_TYPE_SOURCE_SINK;
}

static BIO_METHOD *make_sockets(void)
{
    (void)pthread_once(&socket_type_once, draw_socket_type);
    BIO_METHOD *method = BIO_meth_new(socket_type, "jtiguard");
    if (method == NULL)
        return NULL;
    if (BIO_meth_set_write(method, bio_write) == 1 && BIO_meth_set_read(method, bio_read) == 1 &&
        BIO_meth_set_ctrl(method, bio_control) == 1)
        return method;
    BIO_meth_free(method);
    return NULL;
}

/* ---- what all connections share ---- */

static bool is_address(const char *name)
{
    unsigned char address[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1;
}

jtg_status jtgi_tls_new(struct jtgi_tls **tls, const struct jtgi_redis_config *config,
                        jtg_error *err)
{
    *tls = NULL;
    if (config->options.tls == 0 && config->options.sentinel_tls == 0)
        return JTG_OK;
    struct jtgi_tls *made = jtgi_alloc(sizeof *made);
    if (made == NULL)
        return jtg_error_set(err, JTG_ERR_MEMORY, 0, "no memory for TLS");
    made->sockets = make_sockets();
    jtg_status status = made->sockets == NULL
                            ? jtg_error_set(err, JTG_ERR_MEMORY, 0, "no memory for TLS")
                            : jtgi_tls_context_init(&made->context, config, err);
    if (status == JTG_OK)
        *tls = made;
    else
        jtgi_tls_free(made);
    return status;
}

void jtgi_tls_free(struct jtgi_tls *tls)
{
    if (tls == NULL)
        return;
    jtgi_tls_context_clear(&tls->context);
    BIO_meth_free(tls->sockets);
    jtgi_free(tls);
}

/* ---- one connection ---- */

/* hiredis verifies no name in any released version; here a session without one cannot be made. */
static bool set_name(SSL *ssl, const char *name)
{
    if (is_address(name))
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name) == 1;
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return SSL_set1_host(ssl, name) == 1;
}

/* The server may choose its certificate by it; an address is none. */
static bool tell_name(SSL *ssl, const char *name)
{
    return name == NULL || is_address(name) ||
           /* SSL_set_tlsext_host_name(), whose cast drops the const that it keeps. */
           SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                    (void *)(uintptr_t)name) /* NOLINT(performance-no-int-to-ptr) */
               == 1;
}

static bool carries(X509 *certificate, const char *name)
{
    if (is_address(name))
        return X509_check_ip_asc(certificate, name, 0) == 1;
    return X509_check_host(certificate, name, 0, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, NULL) == 1;
}

/* OpenSSL asks for a name and an address both to be there, where it is given both: here the one is
 * asked for, and when it is not there the other. Every other error stays what it is. */
static int accept_other_name(int accepted, X509_STORE_CTX *store)
{
    int error = X509_STORE_CTX_get_error(store);
    const SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    const char *other_name = ssl == NULL ? NULL : SSL_get_app_data(ssl);
    if (accepted != 0 || other_name == NULL ||
        (error != X509_V_ERR_HOSTNAME_MISMATCH && error != X509_V_ERR_IP_ADDRESS_MISMATCH) ||
        !carries(X509_STORE_CTX_get0_cert(store), other_name))
        return accepted;
    X509_STORE_CTX_set_error(store, X509_V_OK);
    return 1;
}

static bool set_other_name(SSL *ssl, const char *name)
{
    if (name == NULL)
        return true;
    SSL_set_verify(ssl, SSL_VERIFY_PEER, accept_other_name);
    /* NOLINTNEXTLINE(performance-no-int-to-ptr): it is only read */
    return SSL_set_app_data(ssl, (void *)(uintptr_t)name) == 1;
}

static SSL *new_ssl(struct jtgi_tls *tls)
{
    SSL_CTX *context = jtgi_tls_context_take(&tls->context);
    SSL *ssl = jtgi_alloc_permitted() ? SSL_new(context) : NULL;
    SSL_CTX_free(context);
    return ssl;
}

static SSL *make_ssl(struct jtgi_tls *tls, const char *server_name, const char *other_name, int fd)
{
    SSL *ssl = new_ssl(tls);
    BIO *bio = ssl == NULL ? NULL : BIO_new(tls->sockets);
    if (bio == NULL || !set_name(ssl, server_name) || !set_other_name(ssl, other_name) ||
        !tell_name(ssl, is_address(server_name) ? other_name : server_name)) {
        BIO_free(bio);
        SSL_free(ssl);
        return NULL;
    }
    BIO_set_data(bio, (void *)(intptr_t)fd); /* NOLINT(performance-no-int-to-ptr) */
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl, bio, bio);
    SSL_set_connect_state(ssl);
    return ssl;
}

static short wanted_events(SSL *ssl, int result)
{
    switch (SSL_get_error(ssl, result)) {
    case SSL_ERROR_WANT_READ:
        return POLLIN;
    case SSL_ERROR_WANT_WRITE:
        return POLLOUT;
    default:
        return 0;
    }
}

static jtg_status tell_failure(SSL *ssl, enum jtgi_io io, jtg_error *err)
{
    long verified = SSL_get_verify_result(ssl);
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    const char *what = "the TLS handshake failed";
    if (io == JTGI_IO_TIMEOUT) {
        reason = "it took too long";
    } else if (verified != X509_V_OK) {
        what = "the server's certificate was refused";
        reason = X509_verify_cert_error_string(verified);
    }
    ERR_clear_error();
    return jtg_error_set(err, JTG_ERR_UNAVAILABLE, 0, "redis: %s: %s", what,
                         reason != NULL ? reason : "the connection was lost");
}

static jtg_status shake_hands(SSL *ssl, int fd, const struct jtgi_waiter *waiter,
                              int64_t deadline_ns, jtg_error *err)
{
    for (;;) {
        ERR_clear_error();
        int result = SSL_do_handshake(ssl);
        if (result == 1)
            return JTG_OK;
        short wanted = wanted_events(ssl, result);
        enum jtgi_io io =
            wanted == 0 ? JTGI_IO_FAILED : waiter->fd(waiter, fd, wanted, deadline_ns);
        if (io == JTGI_IO_LATER)
            return JTGI_LATER;
        if (io != JTGI_IO_DONE)
            return tell_failure(ssl, io, err);
    }
}

static struct jtgi_tls_session *new_session(struct jtgi_tls *tls, const char *server_name,
                                            const char *other_name, int fd)
{
    struct jtgi_tls_session *made = jtgi_alloc(sizeof *made);
    if (made != NULL)
        made->ssl = make_ssl(tls, server_name, other_name, fd);
    if (made != NULL && made->ssl == NULL) {
        jtgi_free(made);
        return NULL;
    }
    if (made != NULL)
        (void)pthread_mutex_init(&made->lock, NULL);
    return made;
}

jtg_status jtgi_tls_connect(struct jtgi_tls *tls, const char *server_name, const char *other_name,
                            int fd, const struct jtgi_waiter *waiter, int64_t deadline_ns,
                            struct jtgi_tls_session **session, jtg_error *err)
{
    if (*session == NULL)
        *session = new_session(tls, server_name, other_name, fd);
    if (*session == NULL)
        return jtg_error_set(err, JTG_ERR_MEMORY, 0, "no memory for TLS");
    jtg_status status = shake_hands((*session)->ssl, fd, waiter, deadline_ns, err);
    if (status == JTGI_LATER)
        return status;
    if (status != JTG_OK)
        jtgi_tls_context_explain(&tls->context, err);
    (void)SSL_set_app_data((*session)->ssl, NULL); /* the name was borrowed */
    if (status != JTG_OK) {
        jtgi_tls_session_free(*session);
        *session = NULL;
    }
    return status;
}

void jtgi_tls_session_free(struct jtgi_tls_session *session)
{
    if (session == NULL)
        return;
    SSL_free(session->ssl);
    jtgi_free(session);
}

/* After a step that moved nothing: what now? */
static enum jtgi_io judge_step(SSL *ssl, int result, short *wanted)
{
    int error = SSL_get_error(ssl, result);
    *wanted = wanted_events(ssl, result);
    if (*wanted != 0)
        return JTGI_IO_DONE;
    ERR_clear_error();
    if (error == SSL_ERROR_ZERO_RETURN)
        return JTGI_IO_CLOSED;
    if (error != SSL_ERROR_SYSCALL)
        errno = EPROTO;
    else if (errno == 0) /* it ended without the word that ends a session */
        errno = ECONNRESET;
    return JTGI_IO_FAILED;
}

/* One record at most. Given more, OpenSSL may write several at a time (with the ciphers of CBC),
 * and when only some of them leave it counts none: what it calls unsent must not have been sent,
 * for it is sent again. A record of which a part is missing is no record to the other side. */
enum { RECORD_BYTES = SSL3_RT_MAX_PLAIN_LENGTH };

enum jtgi_io jtgi_tls_send(struct jtgi_tls_session *session, const void *data, size_t len,
                           size_t *sent, short *wanted)
{
    enum jtgi_io io = JTGI_IO_DONE;
    *sent = 0;
    pthread_mutex_lock(&session->lock);
    ERR_clear_error();
    errno = 0;
    int result = SSL_write_ex(session->ssl, data, len < RECORD_BYTES ? len : RECORD_BYTES, sent);
    if (result != 1)
        io = judge_step(session->ssl, result, wanted);
    pthread_mutex_unlock(&session->lock);
    return io;
}

enum jtgi_io jtgi_tls_receive(struct jtgi_tls_session *session, void *data, size_t capacity,
                              size_t *received, short *wanted)
{
    enum jtgi_io io = JTGI_IO_DONE;
    *received = 0;
    pthread_mutex_lock(&session->lock);
    ERR_clear_error();
    errno = 0;
    int result = SSL_read_ex(session->ssl, data, capacity, received);
    if (result != 1)
        io = judge_step(session->ssl, result, wanted);
    pthread_mutex_unlock(&session->lock);
    return io;
}
