/* SPDX-License-Identifier: Apache-2.0 */
/* Put, get, take, drop: newest first, each with a life of its own, no value handed out twice. */
#include "contract/contract_case.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void nothing_is_found_where_nothing_was_put(void **state)
{
    const struct fixture *f = *state;
    get_is(f, key_of("a host"), NULL);
    take_is(f, key_of("a host"), NULL);
    assert_status(drop(f, key_of("a host")), JTG_NOT_FOUND);
}

static void get_leaves_and_take_removes(void **state)
{
    const struct fixture *f = *state;
    assert_status(put(f, key_of("a host"), "ticket", LIFE_MS, 1), JTG_OK);
    get_is(f, key_of("a host"), "ticket");
    get_is(f, key_of("a host"), "ticket");
    take_is(f, key_of("a host"), "ticket");
    take_is(f, key_of("a host"), NULL);
    get_is(f, key_of("a host"), NULL);
    assert_status(drop(f, key_of("a host")), JTG_NOT_FOUND);
}

static void values_are_copied_in_and_out(void **state)
{
    const struct fixture *f = *state;
    jtg_key key = key_of("a host");
    char text[] = "ticket";
    jtg_value value = JTG_VALUE_INIT;
    assert_status(put(f, key, text, LIFE_MS, 1), JTG_OK);
    memset(text, 'x', strlen(text));
    assert_status(jtg_cache_get(f->cache, &key, &value, NULL), JTG_OK);
    memset(value.data, 'y', value.data_len);
    jtg_value_clear(&value);
    assert_null(value.data);
    assert_int_equal(value.data_len, 0);
    get_is(f, key, "ticket");
}

static void values_are_binary(void **state)
{
    const struct fixture *f = *state;
    jtg_key key = key_of("a host");
    unsigned char all[256];
    jtg_value value = JTG_VALUE_INIT;
    for (unsigned i = 0; i < sizeof all; i++)
        all[i] = (unsigned char)i;
    assert_status(jtg_cache_put(f->cache, &key, all, sizeof all, LIFE_MS, 2, NULL), JTG_OK);
    assert_status(jtg_cache_put(f->cache, &key, "", 1, LIFE_MS, 2, NULL), JTG_OK);
    assert_status(jtg_cache_take(f->cache, &key, &value, NULL), JTG_OK);
    assert_int_equal(value.data_len, 1);
    assert_int_equal(value.data[0], 0);
    jtg_value_clear(&value);
    assert_status(jtg_cache_take(f->cache, &key, &value, NULL), JTG_OK);
    assert_int_equal(value.data_len, sizeof all);
    assert_memory_equal(value.data, all, sizeof all);
    jtg_value_clear(&value);
}

static void a_value_tells_what_is_left_of_its_life(void **state)
{
    const struct fixture *f = *state;
    jtg_key key = key_of("a host");
    jtg_value value = JTG_VALUE_INIT;
    uint64_t slack = f->backend->slack_ms;
    assert_status(put(f, key, "ticket", LIFE_MS, 1), JTG_OK);
    assert_status(jtg_cache_get(f->cache, &key, &value, NULL), JTG_OK);
    assert_in_range(value.ttl_ms, LIFE_MS - slack, LIFE_MS);
    jtg_value_clear(&value);
    advance(f, LIFE_MS / 4);
    assert_status(jtg_cache_take(f->cache, &key, &value, NULL), JTG_OK);
    assert_in_range(value.ttl_ms, LIFE_MS - LIFE_MS / 4 - slack, LIFE_MS - LIFE_MS / 4);
    jtg_value_clear(&value);
}

static void the_newest_are_kept_and_come_first(void **state)
{
    const struct fixture *f = *state;
    jtg_key key = key_of("a host");
    static const char *const texts[] = {"one", "two", "three", "four", "five"};
    for (size_t i = 0; i < 5; i++)
        assert_status(put(f, key, texts[i], LIFE_MS, 3), JTG_OK);
    get_is(f, key, "five");
    take_is(f, key, "five");
    take_is(f, key, "four");
    take_is(f, key, "three");
    take_is(f, key, NULL);
}

static void keep_of_one_replaces(void **state)
{
    const struct fixture *f = *state;
    jtg_key key = key_of("a host");
    assert_status(put(f, key, "one", LIFE_MS, 3), JTG_OK);
    assert_status(put(f, key, "two", LIFE_MS, 3), JTG_OK);
    assert_status(put(f, key, "three", LIFE_MS, 1), JTG_OK);
    take_is(f, key, "three");
    take_is(f, key, NULL);
}

static void as_many_as_can_be_kept_are_kept(void **state)
{
    const struct fixture *f = *state;
    jtg_key key = key_of("a host");
    char text[16];
    for (unsigned i = 0; i < JTG_KEEP_MAX + 3; i++) {
        (void)snprintf(text, sizeof text, "ticket %u", i);
        assert_status(put(f, key, text, LIFE_MS, JTG_KEEP_MAX), JTG_OK);
    }
    for (unsigned i = JTG_KEEP_MAX + 3; i > 3; i--) {
        (void)snprintf(text, sizeof text, "ticket %u", i - 1);
        take_is(f, key, text);
    }
    take_is(f, key, NULL);
}

static void each_value_has_its_own_end(void **state)
{
    const struct fixture *f = *state;
    jtg_key key = key_of("a host");
    assert_status(put(f, key, "oldest, longest", 3 * LIFE_MS, 3), JTG_OK);
    assert_status(put(f, key, "middle, shortest", LIFE_MS, 3), JTG_OK);
    assert_status(put(f, key, "newest", 2 * LIFE_MS, 3), JTG_OK);
    advance(f, LIFE_MS + f->backend->slack_ms);
    get_is(f, key, "newest");
    advance(f, LIFE_MS + f->backend->slack_ms);
    get_is(f, key, "oldest, longest");
    advance(f, LIFE_MS + f->backend->slack_ms);
    get_is(f, key, NULL);
    assert_status(drop(f, key), JTG_NOT_FOUND);
}

static void an_ended_value_takes_no_place_among_the_kept(void **state)
{
    const struct fixture *f = *state;
    jtg_key key = key_of("a host");
    assert_status(put(f, key, "long", 3 * LIFE_MS, 2), JTG_OK);
    assert_status(put(f, key, "short", LIFE_MS, 2), JTG_OK);
    advance(f, LIFE_MS + f->backend->slack_ms);
    assert_status(put(f, key, "fresh", LIFE_MS, 2), JTG_OK);
    take_is(f, key, "fresh");
    take_is(f, key, "long");
    take_is(f, key, NULL);
}

static void a_value_ends_to_the_millisecond(void **state)
{
    const struct fixture *f = *state;
    assert_status(put(f, key_of("got"), "value", LIFE_MS, 1), JTG_OK);
    assert_status(put(f, key_of("taken"), "value", LIFE_MS, 1), JTG_OK);
    assert_status(put(f, key_of("dropped"), "value", LIFE_MS, 1), JTG_OK);
    advance_to_last_moment(f, LIFE_MS);
    get_is(f, key_of("got"), "value");
    advance_past_end(f);
    get_is(f, key_of("got"), NULL);
    take_is(f, key_of("taken"), NULL);
    assert_status(drop(f, key_of("dropped")), JTG_NOT_FOUND);
}

static void drop_removes_all_values_of_one_key(void **state)
{
    const struct fixture *f = *state;
    assert_status(put(f, key_of("a host"), "one", LIFE_MS, 2), JTG_OK);
    assert_status(put(f, key_of("a host"), "two", LIFE_MS, 2), JTG_OK);
    assert_status(put(f, key_of("another"), "stays", LIFE_MS, 2), JTG_OK);
    assert_status(drop(f, key_of("a host")), JTG_OK);
    assert_status(drop(f, key_of("a host")), JTG_NOT_FOUND);
    get_is(f, key_of("a host"), NULL);
    get_is(f, key_of("another"), "stays");
}

static void another_handle_takes_the_same_value(void **state)
{
    const struct fixture *f = *state;
    struct fixture other = *f;
    other.cache = f->backend->open_again(f->store);
    assert_status(put(f, key_of("a host"), "ticket", LIFE_MS, 1), JTG_OK);
    take_is(&other, key_of("a host"), "ticket");
    take_is(f, key_of("a host"), NULL);
    jtg_cache_free(other.cache);
}

const struct contract_case contract_values[] = {
    {CONTRACT_CASE(nothing_is_found_where_nothing_was_put), .needs = CONTRACT_VALUES},
    {CONTRACT_CASE(get_leaves_and_take_removes), .needs = CONTRACT_VALUES},
    {CONTRACT_CASE(values_are_copied_in_and_out), .needs = CONTRACT_VALUES},
    {CONTRACT_CASE(values_are_binary), .needs = CONTRACT_VALUES},
    {CONTRACT_CASE(a_value_tells_what_is_left_of_its_life), .needs = CONTRACT_VALUES},
    {CONTRACT_CASE(the_newest_are_kept_and_come_first), .needs = CONTRACT_VALUES},
    {CONTRACT_CASE(keep_of_one_replaces), .needs = CONTRACT_VALUES},
    {CONTRACT_CASE(as_many_as_can_be_kept_are_kept), .needs = CONTRACT_VALUES},
    {CONTRACT_CASE(each_value_has_its_own_end), .needs = CONTRACT_VALUES},
    {CONTRACT_CASE(an_ended_value_takes_no_place_among_the_kept), .needs = CONTRACT_VALUES},
    {CONTRACT_CASE(a_value_ends_to_the_millisecond), .needs = CONTRACT_VALUES},
    {CONTRACT_CASE(drop_removes_all_values_of_one_key), .needs = CONTRACT_VALUES},
    {CONTRACT_CASE(another_handle_takes_the_same_value),
     .needs = CONTRACT_VALUES | CONTRACT_SHARED},
    {.name = NULL},
};
