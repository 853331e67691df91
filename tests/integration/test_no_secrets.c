/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever goes wrong, no password, jti, key or owner stands in an error text or a log line. */
#include "integration/store.h"
#include "support/asserts.h"
#include "support/redis_server.h"

#include <jtiguard/jtiguard.h>
#include <jtiguard/redis.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define PASSWORD "canary-password-f3a1"
#define WRONG    "canary-wrong-77c2"
#define USER     "canary-user-09bd"
#define JTI      "canary-jti-5e6d"
#define PREFIX   "canary-prefix-c4:"

static struct redis_server server;

/* Everything that was said. */
static struct {
    pthread_mutex_t lock;
    char text[65536];
    size_t len;
} said = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void hear(void *context, jtg_log_level level, const char *line)
{
    (void)context;
    (void)level;
    pthread_mutex_lock(&said.lock);
    int len = snprintf(said.text + said.len, sizeof said.text - said.len, "%s\n", line);
    if (len > 0 && said.len + (size_t)len < sizeof said.text)
        said.len += (size_t)len;
    pthread_mutex_unlock(&said.lock);
}

static int start(void **state)
{
    (void)state;
    static const char *const options[] = {"--requirepass", PASSWORD, NULL};
    redis_server_start(&server, options);
    said.len = 0;
    return 0;
}

static int halt(void **state)
{
    (void)state;
    redis_server_stop(&server);
    return 0;
}

static jtg_cache *open_cache(const char *user, const char *password)
{
    static const jtg_logger logger = {sizeof logger, NULL, JTG_LOG_DEBUG, hear};
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    jtg_cache *cache = NULL;
    options.port = server.port;
    options.user = user;
    options.password = password;
    options.timeout_ms = 200;
    options.prefix = PREFIX;
    options.logger = &logger;
    assert_status(jtg_redis_new(&cache, &options, NULL), JTG_OK);
    return cache;
}

/* Every operation, each with a key that must not be told; what they answer is not the matter. */
static void use(jtg_cache *cache)
{
    jtg_key key = {JTI, strlen(JTI), NULL, 0};
    jtg_owner owner = {
        {'c', 'a', 'n', 'a', 'r', 'y', '-', 'o', 'w', 'n', 'e', 'r', '-', '1', '2', 0}};
    jtg_value value = JTG_VALUE_INIT;
    jtg_error err[6] = {JTG_ERROR_INIT};
    (void)!jtg_cache_reserve(cache, &key, &owner, 60000, &err[0]);
    (void)!jtg_cache_release(cache, &key, &owner, &err[1]);
    (void)!jtg_cache_put(cache, &key, PASSWORD, strlen(PASSWORD), 60000, 1, &err[2]);
    (void)!jtg_cache_take(cache, &key, &value, &err[3]);
    (void)!jtg_cache_ping(cache, &err[4]);
    (void)!jtg_cache_count(cache, &(uint64_t){0}, &err[5]);
    jtg_value_clear(&value);
    for (size_t i = 0; i < sizeof err / sizeof *err; i++)
        hear(NULL, JTG_LOG_ERROR, err[i].text);
}

static void assert_nothing_told(void)
{
    if (strstr(said.text, "canary") != NULL)
        fail_msg("told a secret:\n%s", said.text);
}

static void use_and_check(jtg_cache *cache)
{
    use(cache);
    assert_nothing_told();
}

static void not_when_all_is_well(void **state)
{
    (void)state;
    jtg_cache *cache = open_cache(NULL, PASSWORD);
    assert_status(jtg_cache_ping(cache, NULL), JTG_OK);
    use_and_check(cache);
    jtg_cache_free(cache);
}

static void not_when_the_login_fails(void **state)
{
    (void)state;
    jtg_cache *wrong = open_cache(USER, WRONG);
    jtg_cache *none = open_cache(NULL, NULL);
    assert_status(jtg_cache_ping(wrong, NULL), JTG_ERR_REFUSED);
    use_and_check(wrong);
    use_and_check(none);
    assert_true(said.len > 12); /* something was said, and none of it a secret */
    jtg_cache_free(wrong);
    jtg_cache_free(none);
}

static void not_when_the_server_dies_or_hangs(void **state)
{
    (void)state;
    jtg_cache *cache = open_cache(NULL, PASSWORD);
    use_and_check(cache);
    redis_server_freeze(&server);
    use_and_check(cache);
    redis_server_thaw(&server);
    redis_server_kill(&server);
    use_and_check(cache);
    assert_true(said.len > 12);
    jtg_cache_free(cache);
}

static void not_when_something_foreign_is_there(void **state)
{
    (void)state;
    jtg_cache *cache = open_cache(NULL, PASSWORD);
    jtg_cache *admin = open_cache(NULL, PASSWORD);
    jtg_key key = {JTI, strlen(JTI), NULL, 0};
    assert_status(jtg_cache_put(admin, &key, "x", 1, 60000, 1, NULL), JTG_OK);
    use_and_check(cache);
    jtg_cache_free(cache);
    jtg_cache_free(admin);
}

static void not_when_a_uri_is_wrong(void **state)
{
    (void)state;
    static const char *const uris[] = {
        "redis://" USER ":" PASSWORD "@localhost:99999/0",
        "redis://" USER ":" PASSWORD "@localhost/x",
        "redis://" USER ":" PASSWORD "@localhost/0?timeout=" JTI,
        "redis://" USER ":" PASSWORD "@localhost/0?prefix=" PREFIX "&prefix=" PREFIX,
        "redis://" USER ":" PASSWORD "@[::1/0",
        "redis://" USER ":" PASSWORD "%zz@localhost/0",
        "reddis://" USER ":" PASSWORD "@localhost/0",
        "redis+cluster://" USER ":" PASSWORD "@localhost/0?sentinel_tls=yes",
        "redis+sentinel://" USER ":" PASSWORD "@localhost,,localhost/" JTI,
        "redis://localhost/0?password_file=/nowhere/" PASSWORD,
        USER ":" PASSWORD,
    };
    for (size_t i = 0; i < sizeof uris / sizeof *uris; i++) {
        jtg_cache *cache = NULL;
        jtg_error err = JTG_ERROR_INIT;
        if (jtg_redis_new_uri(&cache, uris[i], &err) == JTG_OK)
            fail_msg("takes URI number %zu", i);
        assert_null(cache);
        hear(NULL, JTG_LOG_ERROR, err.text);
    }
    assert_nothing_told();
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, start, halt)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(not_when_all_is_well),
        CASE(not_when_the_login_fails),
        CASE(not_when_the_server_dies_or_hangs),
        CASE(not_when_something_foreign_is_there),
        CASE(not_when_a_uri_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
