/* SPDX-License-Identifier: Apache-2.0 */
/* A key is its bytes, all of them and nothing else. */
#include "contract/contract_case.h"

#include <stdio.h>
#include <string.h>

/* All of them different; each is one key. */
static const struct {
    const char *data;
    size_t data_len;
} different[] = {
    {"a", 1},         {"A", 1},    {"", 1}, /* one NUL */
    {"\0\0", 2},      {"a\0", 2},  {"a\0b", 3},     {"a\0c", 3},     {"\0a", 2}, {"ab", 2},
    {"abc", 3},       {"abd", 3},  {"a b", 3},      {" ab", 3},      {"ab ", 3}, {"ab\n", 3},
    {"ab\r\n", 4},    {"\xff", 1}, {"\xff\xfe", 2}, {"\xc3\xa9", 2}, /* e acute, composed */
    {"e\xcc\x81", 3}, /* the same to a reader, decomposed */
    {"%s", 2},        {"*", 1},    {"{a}", 3},      {"a:b", 3},
};

enum { DIFFERENT = sizeof different / sizeof different[0] };

static jtg_key different_key(unsigned i)
{
    return key_of_bytes(different[i].data, different[i].data_len);
}

static void keys_are_binary(void **state)
{
    const struct fixture *f = *state;
    for (unsigned i = 0; i < DIFFERENT; i++)
        assert_status(reserve(f, different_key(i), i, LIFE_MS), JTG_OK);
    for (unsigned i = 0; i < DIFFERENT; i++) {
        assert_status(reserve(f, different_key(i), i + 1, LIFE_MS), JTG_REPLAYED);
        assert_status(release(f, different_key(i), i), JTG_OK);
    }
}

static void keys_of_values_are_binary(void **state)
{
    const struct fixture *f = *state;
    char value[16];
    for (unsigned i = 0; i < DIFFERENT; i++) {
        (void)snprintf(value, sizeof value, "value %u", i);
        assert_status(put(f, different_key(i), value, LIFE_MS, 1), JTG_OK);
    }
    for (unsigned i = 0; i < DIFFERENT; i++) {
        (void)snprintf(value, sizeof value, "value %u", i);
        take_is(f, different_key(i), value);
    }
}

static void the_longest_keys_differ_in_every_byte(void **state)
{
    const struct fixture *f = *state;
    unsigned char bytes[JTG_KEY_MAX_BYTES];
    memset(bytes, 'k', sizeof bytes);
    assert_status(reserve(f, key_of_bytes(bytes, sizeof bytes), 1, LIFE_MS), JTG_OK);
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] ^= 1;
        assert_status(reserve(f, key_of_bytes(bytes, sizeof bytes), 2, LIFE_MS), JTG_OK);
        bytes[i] ^= 1;
    }
    assert_status(reserve(f, key_of_bytes(bytes, sizeof bytes), 2, LIFE_MS), JTG_REPLAYED);
}

static void every_length_is_another_key(void **state)
{
    const struct fixture *f = *state;
    unsigned char bytes[JTG_KEY_MAX_BYTES] = {0};
    for (unsigned len = 1; len <= sizeof bytes; len++)
        assert_status(reserve(f, key_of_bytes(bytes, len), len, LIFE_MS), JTG_OK);
    for (unsigned len = 1; len <= sizeof bytes; len++)
        assert_status(reserve(f, key_of_bytes(bytes, len), 0, LIFE_MS), JTG_REPLAYED);
}

static void reservations_and_values_do_not_meet(void **state)
{
    const struct fixture *f = *state;
    jtg_key key = key_of("one key");
    assert_status(reserve(f, key, 1, LIFE_MS), JTG_OK);
    get_is(f, key, NULL);
    take_is(f, key, NULL);
    assert_status(drop(f, key), JTG_NOT_FOUND);
    assert_status(swap(f, key, NULL, "value", LIFE_MS), JTG_OK);
    assert_status(reserve(f, key, 2, LIFE_MS), JTG_REPLAYED);
    assert_status(release(f, key, 1), JTG_OK);
    get_is(f, key, "value");
    assert_status(reserve(f, key, 2, LIFE_MS), JTG_OK);
    assert_status(drop(f, key), JTG_OK);
    assert_status(reserve(f, key, 3, LIFE_MS), JTG_REPLAYED);
}

static void the_group_is_no_part_of_the_key(void **state)
{
    const struct fixture *f = *state;
    assert_status(reserve(f, key_in_group("a jti", "https://one.example"), 1, LIFE_MS), JTG_OK);
    assert_status(reserve(f, key_in_group("a jti", "https://two.example"), 2, LIFE_MS),
                  JTG_REPLAYED);
    assert_status(reserve(f, key_of("a jti"), 2, LIFE_MS), JTG_REPLAYED);
    assert_status(reserve(f, key_in_group("a jti", "https://two.example"), 1, LIFE_MS), JTG_OK);
    assert_status(release(f, key_of("a jti"), 1), JTG_OK);
    assert_status(release(f, key_in_group("a jti", "https://one.example"), 1), JTG_NOT_FOUND);
}

static void the_longest_group_is_taken(void **state)
{
    const struct fixture *f = *state;
    char group[JTG_GROUP_MAX_BYTES];
    memset(group, 'g', sizeof group);
    jtg_key key = {"a jti", 5, group, sizeof group};
    assert_status(reserve(f, key, 1, LIFE_MS), JTG_OK);
    assert_status(reserve(f, key_of("a jti"), 2, LIFE_MS), JTG_REPLAYED);
}

static void many_keys_are_all_kept(void **state)
{
    const struct fixture *f = *state;
    reserve_many(f, "key ", 3000, LIFE_MS);
    assert_int_equal(count_held(f, "key ", 3000), 3000);
    assert_int_equal(count(f), 3000);
}

const struct contract_case contract_keys[] = {
    {CONTRACT_CASE(keys_are_binary)},
    {CONTRACT_CASE(keys_of_values_are_binary), .needs = CONTRACT_VALUES},
    {CONTRACT_CASE(the_longest_keys_differ_in_every_byte)},
    {CONTRACT_CASE(every_length_is_another_key)},
    {CONTRACT_CASE(reservations_and_values_do_not_meet), .needs = CONTRACT_VALUES},
    {CONTRACT_CASE(the_group_is_no_part_of_the_key)},
    {CONTRACT_CASE(the_longest_group_is_taken)},
    {CONTRACT_CASE(many_keys_are_all_kept)},
    {.name = NULL},
};
