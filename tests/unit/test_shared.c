/* SPDX-License-Identifier: Apache-2.0 */
/* All of what callers share is made, or nothing of it is left. */
#include "redis/flow/shared.h"

#include "redis/flow/counts.h"
#include "support/alloc_walk.h"
#include "support/asserts.h"

#include <sodium.h>
#include <string.h>

static bool ready;   /* libsodium, as far as the library has asked for it */
static bool is_poor; /* it finds no source of randomness */
static unsigned hashes;

int __real_sodium_init(void);
int __wrap_sodium_init(void);
int __real_crypto_generichash_init(crypto_generichash_state *state, const unsigned char *key,
                                   size_t key_len, size_t out_len);
int __wrap_crypto_generichash_init(crypto_generichash_state *state, const unsigned char *key,
                                   size_t key_len, size_t out_len);

int __wrap_sodium_init(void)
{
    int result = is_poor ? -1 : __real_sodium_init();
    ready = result >= 0;
    return result;
}

int __wrap_crypto_generichash_init(crypto_generichash_state *state, const unsigned char *key,
                                   size_t key_len, size_t out_len)
{
    assert_true(ready);
    hashes++;
    return __real_crypto_generichash_init(state, key, key_len, out_len);
}

/* A store is known by a digest, and another thread may make libsodium ready at the same time. */
static void libsodium_is_ready_before_it_is_used(void **state)
{
    struct jtgi_shared shared;
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    (void)state;
    ready = false;
    assert_status(jtgi_shared_init(&shared, &options, NULL), JTG_OK);
    assert_true(hashes > 0);
    assert_ptr_equal(jtgi_shared_watch(&shared), &shared.watch);
    jtgi_shared_clear(&shared, false);
}

static void without_randomness_there_is_none(void **state)
{
    struct jtgi_shared shared;
    jtg_error err = JTG_ERROR_INIT;
    (void)state;
    is_poor = true;
    assert_status(jtgi_shared_init(&shared, NULL, &err), JTG_ERR_SYSTEM);
    is_poor = false;
    assert_err_tells(&err, JTG_ERR_SYSTEM);
}

static void it_watches_where_continuity_is_on(void **state)
{
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    struct jtgi_shared shared;
    (void)state;
    assert_status(jtgi_shared_init(&shared, &options, NULL), JTG_OK);
    assert_ptr_equal(jtgi_shared_watch(&shared), &shared.watch);
    assert_ptr_equal(shared.watch.config, &shared.config);
    assert_ptr_equal(shared.watch.counters, shared.counters);
    assert_ptr_equal(shared.dialer.config, &shared.config);
    assert_int_equal(shared.watch.slots, 1);
    jtgi_shared_clear(&shared, false);
    options.continuity = 0;
    assert_status(jtgi_shared_init(&shared, &options, NULL), JTG_OK);
    assert_null(jtgi_shared_watch(&shared));
    assert_null(shared.watch.kept);
    assert_int_equal(jtgi_counters_read(shared.counters, JTGI_COUNTERS - 1), 0);
    jtgi_shared_clear(&shared, false);
}

/* Wrong options, and a password's file that is not there: the sanitizer sees what is left. */
static void what_cannot_be_made_leaves_nothing(void **state)
{
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    struct jtgi_shared shared;
    jtg_error err = JTG_ERROR_INIT;
    (void)state;
    options.port = 0;
    assert_status(jtgi_shared_init(&shared, &options, &err), JTG_ERR_ARGUMENT);
    jtg_redis_options_init(&options);
    options.password_file = "/nowhere/at/all";
    memset(&err, 0, sizeof err);
    assert_status(jtgi_shared_init(&shared, &options, &err), JTG_ERR_SYSTEM);
    assert_non_null(strstr(err.text, "password_file"));
}

static void without_memory_it_holds_nothing(void **state)
{
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    struct jtgi_shared shared;
    jtg_status status = JTG_ERR_MEMORY;
    unsigned failures = 0;
    (void)state;
    options.cluster_nodes = "127.0.0.1:1";
    options.user = "u";
    options.password = "p";
    while (status == JTG_ERR_MEMORY) {
        alloc_walk_fail_nth(failures + 1);
        status = jtgi_shared_init(&shared, &options, NULL);
        failures += alloc_walk_end();
    }
    assert_status(status, JTG_OK);
    assert_true(failures > 5);
    jtgi_shared_clear(&shared, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(libsodium_is_ready_before_it_is_used),
        cmocka_unit_test(without_randomness_there_is_none),
        cmocka_unit_test(it_watches_where_continuity_is_on),
        cmocka_unit_test(what_cannot_be_made_leaves_nothing),
        cmocka_unit_test(without_memory_it_holds_nothing),
    };
    return cmocka_run_group_tests_name("shared", tests, NULL, NULL);
}
