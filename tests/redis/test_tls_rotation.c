/* SPDX-License-Identifier: Apache-2.0 */
/* Authority, certificate and key are exchanged on both sides while a program uses the server, as a
 * private authority that is renewed has it. */
#include "redis/live_server.h"
#include "support/asserts.h"
#include "support/ports.h"
#include "support/tls_certificate.h"

#include <jtiguard/redis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_BYTES = 96 };

/* A server and its clients, each its own authority. */
struct generation {
    struct tls_certificate server;
    struct tls_certificate client;
};

static struct generation first;
static struct generation second;
static struct redis_server server;
static char folder[] = "/tmp/jtiguard-tls-rotation-XXXXXX";
static char ca[PATH_BYTES];
static char cert[PATH_BYTES];
static char key[PATH_BYTES];
static char tls_port[8];
static unsigned lines;
static char last_line[256];

static void note(void *context, jtg_log_level level, const char *line)
{
    (void)context;
    if (level > JTG_LOG_WARNING || strstr(line, "cannot be used") == NULL)
        return;
    (void)snprintf(last_line, sizeof last_line, "%s", line);
    lines++;
}

/* As one should: beside it, and over it. */
static void put(const char *path, const char *text)
{
    char beside[PATH_BYTES + 4];
    (void)snprintf(beside, sizeof beside, "%s.new", path);
    FILE *file = fopen(beside, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(rename(beside, path), 0);
}

static void give_client(const struct generation *generation)
{
    put(ca, generation->server.certificate_pem);
    put(cert, generation->client.certificate_pem);
    put(key, generation->client.key_pem);
}

static void close_connections(void)
{
    live_tell(&server, "CLIENT KILL TYPE normal SKIPME yes");
}

static void give_server(const struct generation *generation)
{
    redisContext *context = live_connect(&server);
    freeReplyObject(live_ask(context,
                             "CONFIG SET tls-cert-file %s tls-key-file %s tls-ca-cert-file %s",
                             generation->server.certificate_path, generation->server.key_path,
                             generation->client.certificate_path));
    redisFree(context);
    close_connections();
}

static jtg_cache *open_cache(void)
{
    static const jtg_logger logger = {
        .struct_size = sizeof logger, .max_level = JTG_LOG_DEBUG, .write = note};
    jtg_cache *cache = NULL;
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    lines = 0;
    options.port = (uint32_t)strtoul(tls_port, NULL, 10);
    options.timeout_ms = 5000;
    options.tls = 1;
    options.tls_ca_file = ca;
    options.tls_cert_file = cert;
    options.tls_key_file = key;
    options.logger = &logger;
    options.continuity = 0;
    assert_status(jtg_redis_new(&cache, &options, NULL), JTG_OK);
    return cache;
}

static jtg_status reserve(jtg_cache *cache, jtg_error *err)
{
    static const jtg_key jti = {"jti", 3, NULL, 0};
    static const jtg_owner owner = {"0123456789abcde"};
    static const jtg_error none = JTG_ERROR_INIT;
    *err = none;
    return jtg_cache_reserve(cache, &jti, &owner, 60000, err);
}

/* What was sent on a connection that was closed at that moment has an unknown outcome first; and
 * the pauses between attempts are over within a second. */
static void assert_comes_to(jtg_cache *cache, jtg_status expected, jtg_error *err)
{
    jtg_status status = reserve(cache, err);
    for (unsigned tries = 0; tries < 5000 && status != expected; tries++) {
        (void)usleep(1000);
        status = reserve(cache, err);
    }
    assert_status(status, expected);
}

static void new_files_are_taken_at_the_next_connect(void **state)
{
    jtg_error err;
    jtg_cache *cache = open_cache();
    (void)state;
    assert_status(reserve(cache, &err), JTG_OK);
    give_client(&second);
    give_server(&second);
    assert_comes_to(cache, JTG_OK, &err);
    assert_int_equal(live_stats(cache).connect_failures, 0);
    assert_int_equal(lines, 0);
    jtg_cache_free(cache);
}

static void files_that_come_late_are_taken_when_they_come(void **state)
{
    jtg_error err;
    jtg_cache *cache = open_cache();
    (void)state;
    assert_status(reserve(cache, &err), JTG_OK);
    give_server(&second);
    assert_comes_to(cache, JTG_ERR_UNAVAILABLE, &err);
    assert_non_null(strstr(err.text, "certificate"));
    assert_null(strstr(err.text, "tls_ca_file"));
    give_client(&second);
    assert_comes_to(cache, JTG_OK, &err);
    jtg_cache_free(cache);
}

/* Each of them alone; told once, by its option. */
static void what_cannot_be_used_leaves_what_was(void **state)
{
    static const struct {
        const char *path;
        const char *text;
        const char *told;
    } broken[] = {
        {ca, "", "tls_ca_file"},
        {cert, "-----BEGIN CERTIFICATE-----\nMIIB", "tls_cert_file"},
        {key, "", "tls_key_file"},
    };
    jtg_error err;
    (void)state;
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        jtg_cache *cache = open_cache();
        assert_status(reserve(cache, &err), JTG_OK);
        put(broken[i].path, broken[i].text);
        for (unsigned times = 0; times < 3; times++) {
            close_connections();
            assert_comes_to(cache, JTG_OK, &err);
        }
        assert_int_equal(lines, 1);
        assert_non_null(strstr(last_line, broken[i].told));
        give_client(&first);
        close_connections();
        assert_comes_to(cache, JTG_OK, &err);
        jtg_cache_free(cache);
    }
}

static void a_certificate_waits_for_its_key(void **state)
{
    jtg_error err;
    jtg_cache *cache = open_cache();
    (void)state;
    assert_status(reserve(cache, &err), JTG_OK);
    put(cert, second.client.certificate_pem);
    close_connections();
    assert_comes_to(cache, JTG_OK, &err);
    assert_non_null(strstr(last_line, "tls_key_file"));
    give_client(&second);
    give_server(&second);
    assert_comes_to(cache, JTG_OK, &err);
    jtg_cache_free(cache);
}

static void a_refusal_says_that_newer_files_were_not_used(void **state)
{
    jtg_error err;
    jtg_cache *cache = open_cache();
    (void)state;
    assert_status(reserve(cache, &err), JTG_OK);
    assert_int_equal(unlink(ca), 0);
    give_server(&second);
    assert_comes_to(cache, JTG_ERR_UNAVAILABLE, &err);
    assert_non_null(strstr(err.text, "tls_ca_file"));
    assert_null(strstr(err.text, folder));
    give_client(&second);
    assert_comes_to(cache, JTG_OK, &err);
    jtg_cache_free(cache);
}

static void a_file_that_cannot_be_used_is_told_at_once(void **state)
{
    jtg_error err = JTG_ERROR_INIT;
    jtg_cache *cache = NULL;
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    (void)state;
    options.tls = 1;
    options.tls_ca_file = "/nowhere/at/all";
    assert_status(jtg_redis_new(&cache, &options, &err), JTG_ERR_ARGUMENT);
    assert_non_null(strstr(err.text, "tls_ca_file"));
    assert_null(cache);
}

/* ---- the server ---- */

static void make(struct generation *generation)
{
    tls_certificate_make(&generation->server, 0);
    tls_certificate_make(&generation->client, 0);
}

static void clear(struct generation *generation)
{
    tls_certificate_clear(&generation->server);
    tls_certificate_clear(&generation->client);
}

static int start(void **state)
{
    (void)state;
    make(&first);
    make(&second);
    assert_non_null(mkdtemp(folder));
    (void)snprintf(ca, sizeof ca, "%s/ca.pem", folder);
    (void)snprintf(cert, sizeof cert, "%s/cert.pem", folder);
    (void)snprintf(key, sizeof key, "%s/key.pem", folder);
    (void)snprintf(tls_port, sizeof tls_port, "%u", (unsigned)port_take());
    const char *const options[] = {"--tls-port",
                                   tls_port,
                                   "--tls-cert-file",
                                   first.server.certificate_path,
                                   "--tls-key-file",
                                   first.server.key_path,
                                   "--tls-ca-cert-file",
                                   first.client.certificate_path,
                                   NULL};
    redis_server_start(&server, options);
    return 0;
}

static int halt(void **state)
{
    (void)state;
    redis_server_stop(&server);
    (void)unlink(ca);
    (void)unlink(cert);
    (void)unlink(key);
    (void)rmdir(folder);
    clear(&first);
    clear(&second);
    return 0;
}

static int begin(void **state)
{
    (void)state;
    give_client(&first);
    give_server(&first);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(new_files_are_taken_at_the_next_connect),
        TEST(files_that_come_late_are_taken_when_they_come),
        TEST(what_cannot_be_used_leaves_what_was),
        TEST(a_certificate_waits_for_its_key),
        TEST(a_refusal_says_that_newer_files_were_not_used),
        TEST(a_file_that_cannot_be_used_is_told_at_once),
    };
    return cmocka_run_group_tests(tests, start, halt);
}
