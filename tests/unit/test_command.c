/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/say/resp/command.h"
#include "support/alloc_walk.h"
#include "support/asserts.h"

#include <string.h>

#define assert_bytes(command, text)                                                                \
    do {                                                                                           \
        assert_false((command).failed);                                                            \
        assert_int_equal((command).len, sizeof(text) - 1);                                         \
        assert_memory_equal((command).bytes, text, sizeof(text) - 1);                              \
    } while (0)

static void words_carry_their_length(void **state)
{
    struct jtgi_command command;
    (void)state;
    jtgi_command_init(&command);
    jtgi_command_begin(&command, 4);
    jtgi_command_text(&command, "EVAL");
    jtgi_command_bytes(&command, "a\0\r\nb", 5);
    jtgi_command_joined(&command, "pre:", 4, "key", 3);
    jtgi_command_bytes(&command, NULL, 0);
    assert_bytes(command, "*4\r\n$4\r\nEVAL\r\n$5\r\na\0\r\nb\r\n$7\r\npre:key\r\n$0\r\n\r\n");
    jtgi_command_clear(&command);
}

static void numbers_are_decimal(void **state)
{
    struct jtgi_command command;
    (void)state;
    jtgi_command_init(&command);
    jtgi_command_number(&command, 0);
    jtgi_command_number(&command, 1000);
    jtgi_command_number(&command, UINT64_MAX);
    assert_bytes(command, "$1\r\n0\r\n$4\r\n1000\r\n$20\r\n18446744073709551615\r\n");
    jtgi_command_clear(&command);
}

static void a_reserve_is_one_set(void **state)
{
    struct jtgi_command command;
    jtg_owner owner;
    (void)state;
    memcpy(owner.bytes, "0123456789abcdef", sizeof owner.bytes);
    jtgi_command_init(&command);
    jtgi_command_reserve(&command, "jti", 3, &owner, 30000);
    assert_bytes(command, "*6\r\n$3\r\nSET\r\n$3\r\njti\r\n$16\r\n0123456789abcdef\r\n$2\r\nNX\r\n"
                          "$2\r\nPX\r\n$5\r\n30000\r\n");
    jtgi_command_clear(&command);
}

/* The longest key and prefix, without an allocation: out of memory never refuses a token. */
static void the_longest_reserve_needs_no_allocation(void **state)
{
    struct jtgi_command command;
    unsigned char key[128 + 8 + JTG_KEY_MAX_BYTES] = {0};
    jtg_owner owner = {{0}};
    (void)state;
    alloc_walk_fail_all();
    jtgi_command_init(&command);
    jtgi_command_reserve(&command, key, sizeof key, &owner, JTG_TTL_MAX_MS);
    (void)alloc_walk_end();
    assert_false(command.failed);
    assert_ptr_equal(command.bytes, command.inline_bytes);
    jtgi_command_clear(&command);
}

static void a_large_value_grows_the_command(void **state)
{
    static unsigned char value[100000];
    struct jtgi_command command;
    (void)state;
    memset(value, 'v', sizeof value);
    jtgi_command_init(&command);
    jtgi_command_text(&command, "PUT");
    jtgi_command_bytes(&command, value, sizeof value);
    assert_false(command.failed);
    assert_memory_equal(command.bytes, "$3\r\nPUT\r\n$100000\r\nv", 19);
    assert_int_equal(command.len, 9 + 9 + sizeof value + 2);
    assert_memory_equal(command.bytes + command.len - 3, "v\r\n", 3);
    jtgi_command_clear(&command);
    assert_int_equal(command.len, 0);
}

static void out_of_memory_fails_the_command(void **state)
{
    static const unsigned char value[5000];
    struct jtgi_command command;
    (void)state;
    jtgi_command_init(&command);
    alloc_walk_fail_all();
    jtgi_command_bytes(&command, value, sizeof value);
    jtgi_command_text(&command, "x");
    assert_true(alloc_walk_end());
    assert_true(command.failed);
    jtgi_command_clear(&command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_carry_their_length),
        cmocka_unit_test(numbers_are_decimal),
        cmocka_unit_test(a_reserve_is_one_set),
        cmocka_unit_test(the_longest_reserve_needs_no_allocation),
        cmocka_unit_test(a_large_value_grows_the_command),
        cmocka_unit_test(out_of_memory_fails_the_command),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
