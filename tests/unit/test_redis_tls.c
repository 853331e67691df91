/* SPDX-License-Identifier: Apache-2.0 */
/* Whose certificate will do, and how a session ends. The server is a thread of the test. */
#include "redis/line/tls/tls.h"

#include "redis/flow/blocking.h"
#include "redis/line/deadline.h"
#include "support/alloc_walk.h"
#include "support/asserts.h"
#include "support/tls_certificate.h"

#include <errno.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PATIENCE_MS = 30000 };

/* What the server does when it has shaken hands and has read one byte. */
enum act { ACT_SAY_BYE, ACT_VANISH };

struct server {
    int fd;
    SSL *ssl;
    enum act act;
    pthread_t thread;
};

static struct tls_certificate identity; /* for a.test, *.b.test and 10.0.0.1 */
static struct tls_certificate stranger;
static struct jtgi_redis_config config;
static struct jtgi_tls *tls;
static jtg_error err;

static int make_certificates(void **state)
{
    (void)state;
    (void)signal(SIGPIPE, SIG_IGN); /* OpenSSL's own sockets raise it */
    tls_certificate_make_for(&identity, 0, "DNS:a.test,DNS:*.b.test,IP:10.0.0.1");
    tls_certificate_make(&stranger, 0);
    return 0;
}

static int remove_certificates(void **state)
{
    (void)state;
    tls_certificate_clear(&identity);
    tls_certificate_clear(&stranger);
    return 0;
}

static void open_tls(const char *authority)
{
    memset(&config, 0, sizeof config);
    config.options.tls = 1;
    config.options.tls_ca_file = authority;
    assert_status(jtgi_tls_new(&tls, &config, NULL), JTG_OK);
}

static int open_trusting(void **state)
{
    (void)state;
    open_tls(identity.certificate_path);
    return 0;
}

static int close_tls(void **state)
{
    (void)state;
    jtgi_tls_free(tls);
    tls = NULL;
    return 0;
}

static void *serve(void *context)
{
    struct server *server = context;
    char byte = 0;
    if (SSL_accept(server->ssl) == 1 && SSL_write(server->ssl, "hi", 2) == 2 &&
        SSL_read(server->ssl, &byte, 1) == 1 && server->act == ACT_SAY_BYE)
        (void)SSL_shutdown(server->ssl);
    (void)shutdown(server->fd, SHUT_RDWR);
    return NULL;
}

/* Returns the client's end. */
static int start(struct server *server, enum act act)
{
    int ends[2];
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    assert_int_equal(
        SSL_CTX_use_certificate_file(context, identity.certificate_path, SSL_FILETYPE_PEM), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey_file(context, identity.key_path, SSL_FILETYPE_PEM), 1);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    server->act = act;
    server->fd = ends[1];
    server->ssl = SSL_new(context);
    SSL_CTX_free(context);
    assert_int_equal(SSL_set_fd(server->ssl, server->fd), 1);
    assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
    return ends[0];
}

static void end(struct server *server, int fd)
{
    (void)close(fd);
    assert_int_equal(pthread_join(server->thread, NULL), 0);
    SSL_free(server->ssl);
    (void)close(server->fd);
}

static jtg_status connect_over(int fd, const char *name, const char *other, int64_t deadline_ns,
                               struct jtgi_tls_session **session)
{
    memset(&err, 0, sizeof err);
    jtg_status status =
        jtgi_tls_connect(tls, name, other, fd, &jtgi_blocking, deadline_ns, session, &err);
    assert_int_equal(status == JTG_OK, *session != NULL);
    return status;
}

static jtg_status connected(const char *name, const char *other)
{
    struct server server;
    struct jtgi_tls_session *session = NULL;
    int fd = start(&server, ACT_VANISH);
    jtg_status status = connect_over(fd, name, other, jtgi_deadline_in_ms(PATIENCE_MS), &session);
    jtgi_tls_session_free(session);
    end(&server, fd);
    return status;
}

/* ---- whose certificate ---- */

static void who_does_not_ask_for_it_has_none(void **state)
{
    (void)state;
    memset(&config, 0, sizeof config);
    assert_status(jtgi_tls_new(&tls, &config, NULL), JTG_OK);
    assert_null(tls);
    config.options.sentinel_tls = 1;
    assert_status(jtgi_tls_new(&tls, &config, NULL), JTG_OK);
    assert_non_null(tls);
    assert_int_equal(jtg_redis_has_tls(), 1);
}

static void it_must_carry_the_name(void **state)
{
    (void)state;
    assert_status(connected("a.test", NULL), JTG_OK);
    assert_status(connected("x.b.test", NULL), JTG_OK);
    assert_status(connected("10.0.0.1", NULL), JTG_OK);
    static const char *const others[] = {"b.test",   "x.y.b.test", "A.test.",
                                         "10.0.0.2", "::1",        "localhost"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        if (connected(others[i], NULL) != JTG_ERR_UNAVAILABLE)
            fail_msg("%s was taken", others[i]);
        assert_non_null(strstr(err.text, "certificate was refused"));
    }
}

/* A node of a Cluster is known by two: one of them will do, and nothing else. */
static void it_may_carry_the_other_name(void **state)
{
    (void)state;
    assert_status(connected("10.0.0.2", "a.test"), JTG_OK);
    assert_status(connected("z.test", "10.0.0.1"), JTG_OK);
    assert_status(connected("a.test", "z.test"), JTG_OK);
    assert_status(connected("10.0.0.2", "z.test"), JTG_ERR_UNAVAILABLE);
}

/* Whatever name it carries. */
static void it_must_be_of_an_authority_of_ours(void **state)
{
    (void)state;
    open_tls(stranger.certificate_path);
    assert_status(connected("a.test", NULL), JTG_ERR_UNAVAILABLE);
    assert_non_null(strstr(err.text, "certificate was refused"));
    assert_status(connected("z.test", "a.test"), JTG_ERR_UNAVAILABLE);
}

static void a_file_that_cannot_be_used_is_told_at_once(void **state)
{
    (void)state;
    memset(&config, 0, sizeof config);
    memset(&err, 0, sizeof err);
    config.options.tls = 1;
    config.options.tls_ca_file = "/nowhere/at/all";
    assert_status(jtgi_tls_new(&tls, &config, &err), JTG_ERR_ARGUMENT);
    assert_null(tls);
    assert_non_null(strstr(err.text, "tls_ca_file"));
}

/* ---- a handshake that fails ---- */

static jtg_status over(const char *words, int64_t deadline_ns)
{
    int ends[2];
    struct jtgi_tls_session *session = NULL;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    if (words != NULL) {
        assert_int_equal(send(ends[1], words, strlen(words), 0), strlen(words));
        assert_int_equal(shutdown(ends[1], SHUT_WR), 0);
    }
    jtg_status status = connect_over(ends[0], "a.test", NULL, deadline_ns, &session);
    (void)close(ends[0]);
    (void)close(ends[1]);
    return status;
}

static void what_is_no_handshake_is_told(void **state)
{
    (void)state;
    assert_status(over("-ERR clear text\r\n", jtgi_deadline_in_ms(PATIENCE_MS)),
                  JTG_ERR_UNAVAILABLE);
    assert_non_null(strstr(err.text, "the TLS handshake failed"));
    assert_status(over("", jtgi_deadline_in_ms(PATIENCE_MS)), JTG_ERR_UNAVAILABLE);
    assert_non_null(strstr(err.text, "the TLS handshake failed"));
    assert_status(over(NULL, jtgi_now_ns()), JTG_ERR_UNAVAILABLE);
    assert_non_null(strstr(err.text, "it took too long"));
}

static void without_memory_there_is_no_session(void **state)
{
    struct jtgi_tls *none = NULL;
    (void)state;
    for (unsigned nth = 1; nth <= 2; nth++) {
        alloc_walk_fail_nth(nth);
        assert_status(over("", jtgi_deadline_in_ms(PATIENCE_MS)), JTG_ERR_MEMORY);
        assert_true(alloc_walk_end());
    }
    alloc_walk_fail_nth(1);
    assert_status(jtgi_tls_new(&none, &config, NULL), JTG_ERR_MEMORY);
    (void)alloc_walk_end();
    assert_null(none);
}

/* ---- a session ---- */

static enum jtgi_io receive(struct jtgi_tls_session *session, int fd, char bytes[8], size_t *count)
{
    short wanted = 0;
    enum jtgi_io io = JTGI_IO_DONE;
    do {
        io = jtgi_tls_receive(session, bytes, 8, count, &wanted);
        assert_true(io != JTGI_IO_DONE || *count > 0 || wanted == POLLIN);
    } while (io == JTGI_IO_DONE && *count == 0 &&
             jtgi_blocking.fd(&jtgi_blocking, fd, wanted, jtgi_deadline_in_ms(PATIENCE_MS)) ==
                 JTGI_IO_DONE);
    return io;
}

static enum jtgi_io ended_by(enum act act)
{
    struct server server;
    struct jtgi_tls_session *session = NULL;
    char bytes[8];
    size_t count = 0;
    short wanted = 0;
    int fd = start(&server, act);
    assert_status(connect_over(fd, "a.test", NULL, jtgi_deadline_in_ms(PATIENCE_MS), &session),
                  JTG_OK);
    assert_int_equal(receive(session, fd, bytes, &count), JTGI_IO_DONE);
    assert_int_equal(count, 2);
    assert_memory_equal(bytes, "hi", 2);
    assert_int_equal(jtgi_tls_receive(session, bytes, 8, &count, &wanted), JTGI_IO_DONE);
    assert_true(count == 0 && wanted == POLLIN); /* it does not wait */
    assert_int_equal(jtgi_tls_send(session, "x", 1, &count, &wanted), JTGI_IO_DONE);
    assert_int_equal(count, 1);
    enum jtgi_io io = receive(session, fd, bytes, &count);
    jtgi_tls_session_free(session);
    end(&server, fd);
    return io;
}

/* What ends without the word for it may have been cut by anybody. */
static void an_end_has_its_word(void **state)
{
    (void)state;
    assert_int_equal(ended_by(ACT_SAY_BYE), JTGI_IO_CLOSED);
    assert_int_equal(ended_by(ACT_VANISH), JTGI_IO_FAILED);
    assert_true(errno == ECONNRESET || errno == EPROTO);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_trusting, close_tls)
#define OWN(name)  cmocka_unit_test_teardown(name, close_tls)

int main(void)
{
    const struct CMUnitTest tests[] = {
        OWN(who_does_not_ask_for_it_has_none),
        TEST(it_must_carry_the_name),
        TEST(it_may_carry_the_other_name),
        OWN(it_must_be_of_an_authority_of_ours),
        OWN(a_file_that_cannot_be_used_is_told_at_once),
        TEST(what_is_no_handshake_is_told),
        TEST(without_memory_there_is_no_session),
        TEST(an_end_has_its_word),
    };
    return cmocka_run_group_tests_name("tls", tests, make_certificates, remove_certificates);
}
