/* SPDX-License-Identifier: Apache-2.0 */
/* Where a key lies on a server: the forms are documented, and foreign verifiers read them. */
#include "redis/say/keys/stored_key.h"

#include "support/asserts.h"

#include <string.h>

static struct jtgi_redis_config config_of(char *prefix, unsigned slots)
{
    struct jtgi_redis_config config = {.slots = slots, .prefix_len = strlen(prefix)};
    config.options.prefix = prefix;
    return config;
}

static char prefix[] = "t:";

static void is(const struct jtgi_stored_key *stored, const char *bytes, size_t len)
{
    assert_int_equal(stored->len, len);
    assert_memory_equal(stored->bytes, bytes, len);
}

#define IS(stored, text) is(stored, text, sizeof(text) - 1)

static void a_reservation_is_prefix_and_key(void **state)
{
    const struct jtgi_redis_config config = config_of(prefix, 1);
    const jtg_key key = {"j\0ti", 4, "issuer", 6};
    struct jtgi_stored_key stored = {.len = 9};
    (void)state;
    jtgi_stored_reservation(&stored, &config, &key);
    IS(&stored, "t:j\0ti");
    assert_int_equal(stored.slot, 0);
}

/* A binary key that begins as our own keys do is set apart. */
static void no_key_can_meet_another_kind(void **state)
{
    const struct jtgi_redis_config config = config_of(prefix, 1);
    const jtg_key like_a_value = {"\xffv:x", 4, NULL, 0};
    const jtg_key late = {"v\xff", 2, NULL, 0};
    const jtg_key x = {"x", 1, NULL, 0};
    struct jtgi_stored_key stored;
    (void)state;
    jtgi_stored_reservation(&stored, &config, &like_a_value);
    IS(&stored, "t:\xffr:\xffv:x");
    jtgi_stored_reservation(&stored, &config, &late);
    IS(&stored, "t:v\xff");
    jtgi_stored_values(&stored, &config, &x);
    IS(&stored, "t:\xffv:x");
    jtgi_stored_values(&stored, &config, &like_a_value);
    IS(&stored, "t:\xffv:\xffv:x");
    jtgi_stored_bitmap(&stored, &config, &x);
    IS(&stored, "t:\xffm:x");
    jtgi_stored_bitmap(&stored, &config, &like_a_value);
    IS(&stored, "t:\xffm:\xffv:x");
}

static void in_a_cluster_it_has_a_slot(void **state)
{
    static char tagged[] = "{a}";
    static char none[] = "";
    const struct jtgi_redis_config plain = config_of(none, JTGI_SLOTS);
    const struct jtgi_redis_config in_one = config_of(tagged, JTGI_SLOTS);
    const jtg_key foo = {"foo", 3, NULL, 0};
    struct jtgi_stored_key stored;
    (void)state;
    jtgi_stored_reservation(&stored, &plain, &foo);
    assert_int_equal(stored.slot, 12182); /* of the Redis Cluster specification */
    assert_int_equal(jtgi_stored_slot(&plain, "foo", 3), 12182);
    jtgi_stored_values(&stored, &plain, &foo);
    assert_int_equal(stored.slot, jtgi_slot_of("\xffv:foo", 6));
    jtgi_stored_reservation(&stored, &in_one, &foo);
    assert_int_equal(stored.slot, jtgi_slot_of("a", 1));
}

static void the_longest_finds_room(void **state)
{
    static char longest[JTG_REDIS_PREFIX_MAX_BYTES + 1];
    static unsigned char bytes[JTG_KEY_MAX_BYTES];
    const jtg_key key = {bytes, sizeof bytes, NULL, 0};
    struct jtgi_stored_key stored;
    (void)state;
    memset(longest, 'p', sizeof longest - 1);
    memset(bytes, 0xff, sizeof bytes);
    const struct jtgi_redis_config config = config_of(longest, 1);
    jtgi_stored_reservation(&stored, &config, &key);
    assert_int_equal(stored.len, sizeof longest - 1 + 3 + sizeof bytes);
    assert_true(stored.len <= sizeof stored.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reservation_is_prefix_and_key),
        cmocka_unit_test(no_key_can_meet_another_kind),
        cmocka_unit_test(in_a_cluster_it_has_a_slot),
        cmocka_unit_test(the_longest_finds_room),
    };
    return cmocka_run_group_tests_name("stored key", tests, NULL, NULL);
}
