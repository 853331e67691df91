/* SPDX-License-Identifier: Apache-2.0 */
#include "contract/contract_case.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

jtg_key key_of_bytes(const void *data, size_t data_len)
{
    jtg_key key = {data, data_len, NULL, 0};
    return key;
}

jtg_key key_of(const char *text)
{
    return key_of_bytes(text, strlen(text));
}

jtg_key key_in_group(const char *text, const char *group)
{
    jtg_key key = {text, strlen(text), group, strlen(group)};
    return key;
}

jtg_owner owner_of(unsigned number)
{
    jtg_owner owner = {"owner of a test"};
    memcpy(owner.bytes, &number, sizeof number);
    return owner;
}

/* ---- calls ---- */

static jtg_status judge(const jtg_key *key, const jtg_error *err, jtg_status status)
{
    assert_err_tells(err, status);
    /* Short keys may be words of the text by chance. */
    if (key != NULL && key->data_len >= 5)
        assert_null(memmem(err->text, strlen(err->text), key->data, key->data_len));
    return status;
}

jtg_status reserve(const struct fixture *f, jtg_key key, unsigned owner, uint64_t ttl_ms)
{
    jtg_error err = {JTG_ERR_SYSTEM, 1, "left from an earlier call"};
    jtg_owner by = owner_of(owner);
    return judge(&key, &err, jtg_cache_reserve(f->cache, &key, &by, ttl_ms, &err));
}

jtg_status release(const struct fixture *f, jtg_key key, unsigned owner)
{
    jtg_error err = {JTG_ERR_SYSTEM, 1, "left from an earlier call"};
    jtg_owner by = owner_of(owner);
    return judge(&key, &err, jtg_cache_release(f->cache, &key, &by, &err));
}

jtg_status put(const struct fixture *f, jtg_key key, const char *value, uint64_t ttl_ms,
               size_t keep)
{
    jtg_error err = {JTG_ERR_SYSTEM, 1, "left from an earlier call"};
    return judge(&key, &err,
                 jtg_cache_put(f->cache, &key, value, strlen(value), ttl_ms, keep, &err));
}

jtg_status swap(const struct fixture *f, jtg_key key, const char *expected, const char *value,
                uint64_t ttl_ms)
{
    jtg_error err = {JTG_ERR_SYSTEM, 1, "left from an earlier call"};
    size_t expected_len = expected == NULL ? 0 : strlen(expected);
    size_t value_len = value == NULL ? 0 : strlen(value);
    return judge(
        &key, &err,
        jtg_cache_swap(f->cache, &key, expected, expected_len, value, value_len, ttl_ms, &err));
}

jtg_status drop(const struct fixture *f, jtg_key key)
{
    jtg_error err = {JTG_ERR_SYSTEM, 1, "left from an earlier call"};
    return judge(&key, &err, jtg_cache_drop(f->cache, &key, &err));
}

jtg_status ping(const struct fixture *f)
{
    jtg_error err = {JTG_ERR_SYSTEM, 1, "left from an earlier call"};
    return judge(NULL, &err, jtg_cache_ping(f->cache, &err));
}

jtg_status clear(const struct fixture *f)
{
    jtg_error err = {JTG_ERR_SYSTEM, 1, "left from an earlier call"};
    return judge(NULL, &err, jtg_cache_clear(f->cache, &err));
}

uint64_t count(const struct fixture *f)
{
    jtg_error err = {JTG_ERR_SYSTEM, 1, "left from an earlier call"};
    uint64_t number = UINT64_MAX;
    assert_status(judge(NULL, &err, jtg_cache_count(f->cache, &number, &err)), JTG_OK);
    return number;
}

uint64_t prune(const struct fixture *f)
{
    jtg_error err = {JTG_ERR_SYSTEM, 1, "left from an earlier call"};
    uint64_t removed = UINT64_MAX;
    assert_status(judge(NULL, &err, jtg_cache_prune(f->cache, &removed, &err)), JTG_OK);
    return removed;
}

typedef jtg_status (*read_call)(jtg_cache *, const jtg_key *, jtg_value *, jtg_error *);

static void read_is(const struct fixture *f, jtg_key key, const char *text, read_call read)
{
    jtg_error err = {JTG_ERR_SYSTEM, 1, "left from an earlier call"};
    jtg_value value = {NULL, 99, 99};
    jtg_status status = judge(&key, &err, read(f->cache, &key, &value, &err));
    assert_status(status, text == NULL ? JTG_NOT_FOUND : JTG_OK);
    assert_int_equal(value.data_len, text == NULL ? 0 : strlen(text));
    if (text == NULL) {
        assert_null(value.data);
        assert_int_equal(value.ttl_ms, 0);
    } else {
        assert_memory_equal(value.data, text, value.data_len);
        assert_true(value.ttl_ms >= 1);
    }
    jtg_value_clear(&value);
}

void get_is(const struct fixture *f, jtg_key key, const char *value)
{
    read_is(f, key, value, jtg_cache_get);
}

void take_is(const struct fixture *f, jtg_key key, const char *value)
{
    read_is(f, key, value, jtg_cache_take);
}

/* ---- time ---- */

void advance(const struct fixture *f, uint64_t ms)
{
    f->backend->advance(f->store, ms);
}

void advance_to_last_moment(const struct fixture *f, uint64_t life_ms)
{
    advance(f, life_ms - 1 - f->backend->slack_ms);
}

void advance_past_end(const struct fixture *f)
{
    advance(f, 1 + f->backend->slack_ms);
}

/* ---- a loss ---- */

static int64_t wall_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void let_time_pass(const struct fixture *f, int64_t since_ms)
{
    advance(f, 2);
    while (f->backend->slack_ms != 0 && wall_ms() <= since_ms + 1)
        (void)poll(NULL, 0, 1);
}

void forget(const struct fixture *f, int64_t since_ms)
{
    let_time_pass(f, since_ms);
    f->backend->forget(f->store);
}

/* ---- many ---- */

void reserve_many(const struct fixture *f, const char *prefix, unsigned number, uint64_t ttl_ms)
{
    char key[64];
    for (unsigned i = 0; i < number; i++) {
        (void)snprintf(key, sizeof key, "%s%u", prefix, i);
        assert_status(reserve(f, key_of(key), i, ttl_ms), JTG_OK);
    }
}

unsigned count_held(const struct fixture *f, const char *prefix, unsigned number)
{
    char key[64];
    unsigned held = 0;
    for (unsigned i = 0; i < number; i++) {
        (void)snprintf(key, sizeof key, "%s%u", prefix, i);
        held += reserve(f, key_of(key), i + 1000000, LIFE_MS) == JTG_REPLAYED;
    }
    return held;
}
