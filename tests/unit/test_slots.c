/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/say/slots/slots.h"
#include "support/asserts.h"

#include <string.h>

static uint16_t slot_of(const char *key)
{
    return jtgi_slot_of(key, strlen(key));
}

/* As CLUSTER KEYSLOT of Redis 7.0.15 answers. */
static void the_slots_are_those_of_the_server(void **state)
{
    (void)state;
    assert_int_equal(slot_of("123456789"), 0x31c3 % JTGI_SLOTS);
    assert_int_equal(slot_of("foo"), 12182);
    assert_int_equal(slot_of("somekey"), 11058);
    assert_int_equal(slot_of(""), 0);
    assert_int_equal(jtgi_slot_of("\xff\x00\x80", 3), 7915);
}

static void a_tag_decides_alone(void **state)
{
    (void)state;
    assert_int_equal(slot_of("foo{hash_tag}"), slot_of("hash_tag"));
    assert_int_equal(slot_of("foo{hash_tag}"), 2515);
    assert_int_equal(slot_of("{user1000}.following"), slot_of("{user1000}.followers"));
    assert_int_equal(slot_of("foo{{bar}}zap"), slot_of("{bar"));
    assert_int_equal(slot_of("foo{bar}{zap}"), slot_of("bar"));
}

static void an_empty_or_open_tag_is_none(void **state)
{
    (void)state;
    assert_int_equal(slot_of("foo{}{bar}"), 8363);
    assert_int_equal(slot_of("foo{bar"), 15278);
    assert_false(jtgi_slot_is_tagged("foo{}", 5));
    assert_false(jtgi_slot_is_tagged("}a{", 3));
    assert_false(jtgi_slot_is_tagged("{ab", 3));
    assert_false(jtgi_slot_is_tagged("", 0));
    assert_true(jtgi_slot_is_tagged("x{y}", 4));
    assert_false(jtgi_slot_is_tagged("x{y}", 3)); /* as long as it says */
}

static void a_set_holds_what_was_added(void **state)
{
    struct jtgi_slot_set set;
    (void)state;
    memset(&set, 0, sizeof set);
    jtgi_slot_set_add(&set, 0);
    jtgi_slot_set_add(&set, JTGI_SLOTS - 1);
    assert_true(jtgi_slot_set_has(&set, 0));
    assert_true(jtgi_slot_set_has(&set, JTGI_SLOTS - 1));
    for (unsigned slot = 1; slot < JTGI_SLOTS - 1; slot++)
        assert_false(jtgi_slot_set_has(&set, slot));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_slots_are_those_of_the_server),
        cmocka_unit_test(a_tag_decides_alone),
        cmocka_unit_test(an_empty_or_open_tag_is_none),
        cmocka_unit_test(a_set_holds_what_was_added),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
