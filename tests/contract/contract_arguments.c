/* SPDX-License-Identifier: Apache-2.0 */
/* Arguments out of their range are refused, named, counted, and change nothing. */
#include "contract/contract_case.h"

#include <string.h>

static unsigned char too_large[JTG_VALUE_MAX_BYTES + 1];
static char too_long_key[JTG_KEY_MAX_BYTES + 1];
static char too_long_group[JTG_GROUP_MAX_BYTES + 1];

static const jtg_key bad_keys[] = {
    {NULL, 0, NULL, 0},
    {NULL, 5, NULL, 0},
    {"a jti", 0, NULL, 0},
    {too_long_key, sizeof too_long_key, NULL, 0},
    {too_long_key, SIZE_MAX, NULL, 0},
    {"a jti", 5, NULL, 3},
    {"a jti", 5, too_long_group, sizeof too_long_group},
    {"a jti", 5, too_long_group, SIZE_MAX},
};

enum { BAD_KEYS = sizeof bad_keys / sizeof bad_keys[0] };

/* Every call with one argument wrong passes through here. */
static void refused(const struct fixture *f, jtg_operation operation, const jtg_error *err,
                    jtg_status status, uint64_t before)
{
    assert_status(status, JTG_ERR_ARGUMENT);
    assert_err_tells(err, JTG_ERR_ARGUMENT);
    assert_null(strstr(err->text, "a jti"));
    assert_int_equal(jtg_cache_counter(f->cache, operation, JTG_ERR_ARGUMENT), before + 1);
}

/* REFUSED(operation, call): the call answers JTG_ERR_ARGUMENT, with and without err. */
#define REFUSED(operation, call)                                                                   \
    do {                                                                                           \
        jtg_error storage = JTG_ERROR_INIT;                                                        \
        jtg_error *err = &storage;                                                                 \
        uint64_t before = jtg_cache_counter(f->cache, (operation), JTG_ERR_ARGUMENT);              \
        jtg_status status = (call);                                                                \
        refused(f, (operation), &storage, status, before);                                         \
        err = NULL;                                                                                \
        assert_status((call), JTG_ERR_ARGUMENT);                                                   \
    } while (0)

static void bad_keys_are_refused(void **state)
{
    const struct fixture *f = *state;
    jtg_cache *cache = f->cache;
    jtg_owner owner = owner_of(1);
    jtg_value value = JTG_VALUE_INIT;
    for (unsigned i = 0; i <= BAD_KEYS; i++) {
        const jtg_key *key = i == BAD_KEYS ? NULL : &bad_keys[i];
        REFUSED(JTG_OP_RESERVE, jtg_cache_reserve(cache, key, &owner, LIFE_MS, err));
        REFUSED(JTG_OP_RELEASE, jtg_cache_release(cache, key, &owner, err));
        REFUSED(JTG_OP_PUT, jtg_cache_put(cache, key, "v", 1, LIFE_MS, 1, err));
        REFUSED(JTG_OP_GET, jtg_cache_get(cache, key, &value, err));
        REFUSED(JTG_OP_TAKE, jtg_cache_take(cache, key, &value, err));
        REFUSED(JTG_OP_SWAP, jtg_cache_swap(cache, key, NULL, 0, "v", 1, LIFE_MS, err));
        REFUSED(JTG_OP_DROP, jtg_cache_drop(cache, key, err));
    }
    assert_int_equal(count(f), 0);
}

static void bad_lives_are_refused(void **state)
{
    const struct fixture *f = *state;
    jtg_key key = key_of("a jti");
    jtg_owner owner = owner_of(1);
    static const uint64_t bad[] = {0, JTG_TTL_MAX_MS + 1, UINT64_C(1) << 63, UINT64_MAX};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        REFUSED(JTG_OP_RESERVE, jtg_cache_reserve(f->cache, &key, &owner, bad[i], err));
        REFUSED(JTG_OP_PUT, jtg_cache_put(f->cache, &key, "v", 1, bad[i], 1, err));
        REFUSED(JTG_OP_SWAP, jtg_cache_swap(f->cache, &key, NULL, 0, "v", 1, bad[i], err));
    }
    REFUSED(JTG_OP_SWAP, jtg_cache_swap(f->cache, &key, "v", 1, NULL, 0, LIFE_MS, err));
    assert_int_equal(count(f), 0);
}

static void a_missing_owner_is_refused(void **state)
{
    const struct fixture *f = *state;
    jtg_key key = key_of("a jti");
    REFUSED(JTG_OP_RESERVE, jtg_cache_reserve(f->cache, &key, NULL, LIFE_MS, err));
    REFUSED(JTG_OP_RELEASE, jtg_cache_release(f->cache, &key, NULL, err));
    assert_int_equal(count(f), 0);
}

static void bad_values_are_refused(void **state)
{
    const struct fixture *f = *state;
    jtg_key key = key_of("a jti");
    static const struct {
        const void *data;
        size_t data_len;
    } bad[] = {{NULL, 0}, {NULL, 5}, {"v", 0}, {too_large, sizeof too_large}, {"v", SIZE_MAX}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const void *data = bad[i].data;
        size_t len = bad[i].data_len;
        REFUSED(JTG_OP_PUT, jtg_cache_put(f->cache, &key, data, len, LIFE_MS, 1, err));
        if (i == 0)
            continue; /* in a swap this means: none */
        REFUSED(JTG_OP_SWAP, jtg_cache_swap(f->cache, &key, NULL, 0, data, len, LIFE_MS, err));
        REFUSED(JTG_OP_SWAP, jtg_cache_swap(f->cache, &key, data, len, "v", 1, LIFE_MS, err));
    }
    REFUSED(JTG_OP_SWAP, jtg_cache_swap(f->cache, &key, NULL, 0, NULL, 0, 0, err));
    assert_int_equal(count(f), 0);
}

static void bad_numbers_to_keep_are_refused(void **state)
{
    const struct fixture *f = *state;
    jtg_key key = key_of("a jti");
    static const size_t bad[] = {0, JTG_KEEP_MAX + 1, SIZE_MAX};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        REFUSED(JTG_OP_PUT, jtg_cache_put(f->cache, &key, "v", 1, LIFE_MS, bad[i], err));
    assert_int_equal(count(f), 0);
}

static void missing_places_are_refused(void **state)
{
    const struct fixture *f = *state;
    jtg_key key = key_of("a jti");
    REFUSED(JTG_OP_GET, jtg_cache_get(f->cache, &key, NULL, err));
    REFUSED(JTG_OP_TAKE, jtg_cache_take(f->cache, &key, NULL, err));
    REFUSED(JTG_OP_COUNT_ENTRIES, jtg_cache_count(f->cache, NULL, err));
}

/* A take that is refused must not have taken. */
static void a_refused_take_takes_nothing(void **state)
{
    const struct fixture *f = *state;
    jtg_key key = key_of("a jti");
    assert_status(put(f, key, "value", LIFE_MS, 1), JTG_OK);
    REFUSED(JTG_OP_TAKE, jtg_cache_take(f->cache, &key, NULL, err));
    get_is(f, key, "value");
}

static void a_refused_call_touches_no_entry(void **state)
{
    const struct fixture *f = *state;
    jtg_key key = key_of("a jti");
    jtg_owner owner = owner_of(1);
    assert_status(reserve(f, key, 1, LIFE_MS), JTG_OK);
    REFUSED(JTG_OP_RESERVE, jtg_cache_reserve(f->cache, &key, &owner, 0, err));
    REFUSED(JTG_OP_RELEASE, jtg_cache_release(f->cache, &key, NULL, err));
    advance_to_last_moment(f, LIFE_MS);
    assert_status(reserve(f, key, 2, LIFE_MS), JTG_REPLAYED);
}

static void the_limits_themselves_are_taken(void **state)
{
    const struct fixture *f = *state;
    jtg_key key = {too_long_key, JTG_KEY_MAX_BYTES, too_long_group, JTG_GROUP_MAX_BYTES};
    jtg_owner owner = owner_of(1);
    assert_status(jtg_cache_reserve(f->cache, &key, &owner, JTG_TTL_MAX_MS, NULL), JTG_OK);
    assert_status(jtg_cache_release(f->cache, &key, &owner, NULL), JTG_OK);
}

const struct contract_case contract_arguments[] = {
    {CONTRACT_CASE(bad_keys_are_refused)},
    {CONTRACT_CASE(bad_lives_are_refused)},
    {CONTRACT_CASE(a_missing_owner_is_refused)},
    {CONTRACT_CASE(bad_values_are_refused)},
    {CONTRACT_CASE(bad_numbers_to_keep_are_refused)},
    {CONTRACT_CASE(missing_places_are_refused)},
    {CONTRACT_CASE(a_refused_take_takes_nothing), .needs = CONTRACT_VALUES},
    {CONTRACT_CASE(a_refused_call_touches_no_entry)},
    {CONTRACT_CASE(the_limits_themselves_are_taken)},
    {.name = NULL},
};
