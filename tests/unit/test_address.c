/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/say/address/address.h"
#include "support/asserts.h"

#include <string.h>

static void assert_address(const struct jtgi_address *address, const char *host, uint32_t port)
{
    assert_string_equal(address->host, host);
    assert_int_equal(address->port, port);
}

static void a_list_is_read_in_turn(void **state)
{
    const char *list = "one,two.example:7000,[2001:db8::1],[::1]:7001,10.0.0.1:65535";
    struct jtgi_address address;
    (void)state;
    assert_true(jtgi_address_next(&list, 26379, &address));
    assert_address(&address, "one", 26379);
    assert_true(jtgi_address_next(&list, 26379, &address));
    assert_address(&address, "two.example", 7000);
    assert_true(jtgi_address_next(&list, 26379, &address));
    assert_address(&address, "2001:db8::1", 26379);
    assert_true(jtgi_address_next(&list, 26379, &address));
    assert_address(&address, "::1", 7001);
    assert_true(jtgi_address_next(&list, 26379, &address));
    assert_address(&address, "10.0.0.1", 65535);
    assert_null(list);
}

static void what_is_badly_formed_is_refused(void **state)
{
    static const char *const wrong[] = {
        "",        ",one",     ":7000",  "one:",       "one:0",   "one:65536", "one:7x",
        "one:1:2", "::1",      "[::1",   "[]",         "[::1]7",  "[::1]:",    "[::1]:0",
        "one two", "one/path", "a[b]:1", "one:123456", "one\n:1", "one@two",   " one"};
    struct jtgi_address address;
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        const char *list = wrong[i];
        bool read = jtgi_address_next(&list, 1, &address);
        if (strcmp(wrong[i], "one@two") == 0) /* odd, but a resolver's business */
            assert_true(read);
        else
            assert_false(read);
    }
}

static void a_host_has_a_limit(void **state)
{
    char host[JTGI_HOST_MAX_BYTES + 1];
    struct jtgi_address address;
    (void)state;
    memset(host, 'h', sizeof host);
    assert_true(jtgi_address_set(&address, host, JTGI_HOST_MAX_BYTES, 1));
    assert_false(jtgi_address_set(&address, host, JTGI_HOST_MAX_BYTES + 1, 1));
    assert_false(jtgi_address_set(&address, "", 0, 1));
    assert_int_equal(strlen(address.host), JTGI_HOST_MAX_BYTES); /* as it was */
}

static void names_are_compared_without_case(void **state)
{
    struct jtgi_address one = {.host = "Redis.Example", .port = 1};
    struct jtgi_address two = {.host = "redis.example", .port = 1};
    struct jtgi_address path = {.unix_path = "/run/s"};
    (void)state;
    assert_true(jtgi_address_equals(&one, &two));
    two.port = 2;
    assert_false(jtgi_address_equals(&one, &two));
    assert_false(jtgi_address_equals(&one, &path));
    assert_true(jtgi_address_equals(&path, &path));
}

static void an_address_may_have_another_host(void **state)
{
    struct jtgi_address one = {.unix_path = NULL};
    struct jtgi_address two = {.unix_path = NULL};
    (void)state;
    assert_true(jtgi_address_set(&one, "10.0.0.1", 8, 1));
    assert_true(jtgi_address_set(&two, "redis.example", 13, 1));
    assert_false(jtgi_address_crosses(&one, &two));
    assert_false(jtgi_address_set_other(&one, "redis example", 13));
    assert_string_equal(one.other_host, "");
    assert_true(jtgi_address_set_other(&one, "Redis.Example", 13));
    assert_true(jtgi_address_crosses(&one, &two));
    assert_true(jtgi_address_crosses(&two, &one));
    assert_false(jtgi_address_equals(&one, &two));
    two.port = 2;
    assert_false(jtgi_address_crosses(&one, &two));
    assert_true(jtgi_address_set(&one, "10.0.0.1", 8, 1)); /* anew: without it */
    assert_string_equal(one.other_host, "");
}

static void it_is_written_as_it_is_read(void **state)
{
    char text[JTGI_ADDRESS_MAX_BYTES];
    struct jtgi_address address = {.host = "::1", .port = 6379};
    struct jtgi_address path = {.unix_path = "/run/s"};
    (void)state;
    jtgi_address_format(&address, text, sizeof text);
    assert_string_equal(text, "[::1]:6379");
    memcpy(address.host, "h", 2);
    jtgi_address_format(&address, text, sizeof text);
    assert_string_equal(text, "h:6379");
    jtgi_address_format(&path, text, sizeof text);
    assert_string_equal(text, "/run/s");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_is_read_in_turn),
        cmocka_unit_test(what_is_badly_formed_is_refused),
        cmocka_unit_test(a_host_has_a_limit),
        cmocka_unit_test(names_are_compared_without_case),
        cmocka_unit_test(an_address_may_have_another_host),
        cmocka_unit_test(it_is_written_as_it_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
