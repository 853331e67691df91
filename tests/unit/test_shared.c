/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/flow/shared.h"
#include "support/asserts.h"

#include <sodium.h>

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

static void one_that_is_not_watched_has_no_watch(void **state)
{
    struct jtgi_shared shared;
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    (void)state;
    options.continuity = 0;
    assert_status(jtgi_shared_init(&shared, &options, NULL), JTG_OK);
    assert_null(jtgi_shared_watch(&shared));
    jtgi_shared_clear(&shared, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(libsodium_is_ready_before_it_is_used),
        cmocka_unit_test(without_randomness_there_is_none),
        cmocka_unit_test(one_that_is_not_watched_has_no_watch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
