/* SPDX-License-Identifier: Apache-2.0 */
/* A real server whose password is exchanged while a program uses it. */
#include "redis/live_server.h"
#include "support/asserts.h"

#include <fcntl.h>
#include <jtiguard/redis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LONG_BYTES = JTG_REDIS_PASSWORD_MAX_BYTES };

static struct redis_server server;
static char path[] = "/tmp/jtiguard-rotation-XXXXXX";
static char long_password[LONG_BYTES + 1];

static const jtg_owner owner = {"0123456789abcde"};

static void write_password(const char *password)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, password, strlen(password)), (ssize_t)strlen(password));
    (void)close(fd);
}

/* As the operator does it: who was connected has to log in again. */
static void set_password(const char *before, const char *password)
{
    redisContext *context = live_connect(&server);
    if (before != NULL)
        freeReplyObject(live_ask(context, "AUTH %s", before));
    freeReplyObject(live_ask(context, "CONFIG SET requirepass %s", password));
    freeReplyObject(live_ask(context, "CLIENT KILL TYPE normal SKIPME yes"));
    redisFree(context);
}

static jtg_cache *open_cache(void)
{
    jtg_cache *cache = NULL;
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    options.port = server.port;
    options.timeout_ms = 5000;
    options.password_file = path;
    options.continuity = 0;
    assert_status(jtg_redis_new(&cache, &options, NULL), JTG_OK);
    return cache;
}

static jtg_status reserve(jtg_cache *cache, const char *jti, jtg_error *err)
{
    jtg_key key = {jti, strlen(jti), NULL, 0};
    return jtg_cache_reserve(cache, &key, &owner, 60000, err);
}

/* What was sent on a connection that was killed at that moment has an unknown outcome first; and
 * the pauses between attempts are over within a second. */
static void assert_comes_to(jtg_cache *cache, const char *jti, jtg_status expected, jtg_error *err)
{
    static const jtg_error none = JTG_ERROR_INIT;
    jtg_status status = JTG_ERR_TIMEOUT;
    for (unsigned tries = 0; tries < 5000 && status != expected; tries++) {
        *err = none;
        status = reserve(cache, jti, err);
        if (status != expected)
            (void)usleep(1000);
    }
    assert_status(status, expected);
}

static void a_new_password_is_taken_at_the_next_connect(void **state)
{
    jtg_cache *cache = open_cache();
    (void)state;
    assert_status(reserve(cache, "one", NULL), JTG_OK);
    write_password("second\n");
    set_password("first", "second");
    assert_status(reserve(cache, "two", NULL), JTG_OK);
    assert_int_equal(live_stats(cache).connects, 2);
    assert_int_equal(live_stats(cache).connect_failures, 0);
    jtg_cache_free(cache);
    set_password("second", "first");
    write_password("first\n");
}

static void a_password_that_comes_late_is_taken_when_it_comes(void **state)
{
    jtg_error err = JTG_ERROR_INIT;
    jtg_cache *cache = open_cache();
    (void)state;
    assert_status(reserve(cache, "three", NULL), JTG_OK);
    set_password("first", long_password);
    assert_comes_to(cache, "four", JTG_ERR_REFUSED, &err);
    assert_null(strstr(err.text, "password_file"));
    write_password(long_password);
    assert_comes_to(cache, "four", JTG_OK, &err);
    jtg_cache_free(cache);
    set_password(long_password, "first");
    write_password("first\n");
}

/* A file that is being exchanged by somebody who removes it first. */
static void a_missing_file_keeps_the_store_in_use(void **state)
{
    jtg_error err = JTG_ERROR_INIT;
    jtg_cache *cache = open_cache();
    (void)state;
    assert_status(reserve(cache, "five", NULL), JTG_OK);
    (void)unlink(path);
    set_password("first", "first");
    assert_status(reserve(cache, "six", NULL), JTG_OK);
    assert_int_equal(live_stats(cache).connects, 2);
    set_password("first", "second");
    assert_comes_to(cache, "seven", JTG_ERR_REFUSED, &err);
    assert_non_null(strstr(err.text, "password_file"));
    assert_null(strstr(err.text, "first"));
    write_password("second");
    assert_comes_to(cache, "seven", JTG_OK, &err);
    jtg_cache_free(cache);
    set_password("second", "first");
    write_password("first\n");
}

static int start(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    (void)close(fd);
    memset(long_password, 'p', LONG_BYTES);
    redis_server_start(&server, NULL);
    set_password(NULL, "first");
    write_password("first\n");
    return 0;
}

static int halt(void **state)
{
    (void)state;
    (void)unlink(path);
    redis_server_stop(&server);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_password_is_taken_at_the_next_connect),
        cmocka_unit_test(a_password_that_comes_late_is_taken_when_it_comes),
        cmocka_unit_test(a_missing_file_keeps_the_store_in_use),
    };
    return cmocka_run_group_tests(tests, start, halt);
}
