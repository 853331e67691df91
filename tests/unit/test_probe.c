/* SPDX-License-Identifier: Apache-2.0 */
/* A probe of a store reserves for real, and leaves nothing. */
#include "core/probe.h"
#include "support/asserts.h"

#include <string.h>

/* A backend that notes what it is asked. */
struct noting_cache {
    jtg_cache base;
    jtg_status reserves, releases; /* its answers */
    unsigned reserved, released;
    unsigned char key[JTG_OWNER_BYTES];
    jtg_owner owner;
};

static jtg_status reserve(jtg_cache *self, const jtg_key *key, const jtg_owner *owner,
                          uint64_t ttl_ms, jtg_error *err)
{
    struct noting_cache *cache = (struct noting_cache *)self;
    assert_int_equal(key->data_len, sizeof cache->key);
    assert_int_equal(key->group_len, 0);
    assert_in_range(ttl_ms, 1, 60000);
    assert_non_null(err);
    memcpy(cache->key, key->data, sizeof cache->key);
    cache->owner = *owner;
    cache->reserved++;
    return cache->reserves;
}

static jtg_status release(jtg_cache *self, const jtg_key *key, const jtg_owner *owner,
                          jtg_error *err)
{
    struct noting_cache *cache = (struct noting_cache *)self;
    assert_non_null(err);
    assert_int_equal(key->data_len, sizeof cache->key);
    assert_memory_equal(key->data, cache->key, sizeof cache->key);
    assert_memory_equal(owner, &cache->owner, sizeof cache->owner);
    cache->released++;
    return cache->releases;
}

static const jtg_backend noting = {
    .struct_size = sizeof noting, .name = "noting", .reserve = reserve, .release = release};

static struct noting_cache cache_of(jtg_status reserves, jtg_status releases)
{
    return (struct noting_cache){
        .base = {.backend = &noting}, .reserves = reserves, .releases = releases};
}

static void what_was_reserved_is_given_back(void **state)
{
    struct noting_cache cache = cache_of(JTG_OK, JTG_OK);
    jtg_error err = JTG_ERROR_INIT;
    (void)state;
    assert_status(jtgi_probe(&cache.base, &err), JTG_OK);
    assert_int_equal(cache.reserved, 1);
    assert_int_equal(cache.released, 1);
}

static void one_that_has_ended_meanwhile_was_stored(void **state)
{
    struct noting_cache cache = cache_of(JTG_OK, JTG_NOT_FOUND);
    jtg_error err = JTG_ERROR_INIT;
    (void)state;
    assert_status(jtgi_probe(&cache.base, &err), JTG_OK);
}

static void what_was_refused_is_told_and_not_given_back(void **state)
{
    struct noting_cache cache = cache_of(JTG_ERR_FULL, JTG_OK);
    jtg_error err = JTG_ERROR_INIT;
    (void)state;
    assert_status(jtgi_probe(&cache.base, &err), JTG_ERR_FULL);
    assert_int_equal(cache.reserved, 1);
    assert_int_equal(cache.released, 0);
}

/* Two probes at once, of two processes, must not meet. */
static void no_two_are_the_same(void **state)
{
    struct noting_cache first = cache_of(JTG_OK, JTG_OK);
    struct noting_cache second = cache_of(JTG_OK, JTG_OK);
    jtg_error err = JTG_ERROR_INIT;
    (void)state;
    assert_status(jtgi_probe(&first.base, &err), JTG_OK);
    assert_status(jtgi_probe(&second.base, &err), JTG_OK);
    assert_memory_not_equal(first.key, second.key, sizeof first.key);
    assert_memory_not_equal(&first.owner, &second.owner, sizeof first.owner);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_reserved_is_given_back),
        cmocka_unit_test(one_that_has_ended_meanwhile_was_stored),
        cmocka_unit_test(what_was_refused_is_told_and_not_given_back),
        cmocka_unit_test(no_two_are_the_same),
    };
    return cmocka_run_group_tests_name("probe", tests, NULL, NULL);
}
