/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/say/address/address_map.h"
#include "support/asserts.h"

#include <string.h>

static void maps(const char *map, const char *from, const char *expected)
{
    struct jtgi_address address = {.unix_path = NULL};
    char text[JTGI_ADDRESS_MAX_BYTES];
    assert_null(jtgi_address_map_problem(map));
    assert_true(jtgi_address_read(from, strlen(from), 6379, &address));
    jtgi_address_map_apply(map, &address);
    jtgi_address_format(&address, text, sizeof text);
    assert_string_equal(text, expected);
}

static void an_address_is_mapped_by_host_and_port(void **state)
{
    static const char map[] = "10.0.0.1:7000=gate.example:17000,10.0.0.1:7001=gate.example:17001,"
                              "[2001:db8::1]:7000=[::1]:7";
    (void)state;
    maps(map, "10.0.0.1:7000", "gate.example:17000");
    maps(map, "10.0.0.1:7001", "gate.example:17001");
    maps(map, "10.0.0.1:7002", "10.0.0.1:7002");
    maps(map, "10.0.0.2:7000", "10.0.0.2:7000");
    maps(map, "[2001:db8::1]:7000", "[::1]:7");
}

static void without_a_port_it_is_every_port(void **state)
{
    (void)state;
    maps("pod-0=127.0.0.1", "pod-0:7000", "127.0.0.1:7000");
    maps("POD-0=127.0.0.1", "pod-0", "127.0.0.1:6379");
    maps("pod-0=127.0.0.1:1", "pod-0:7000", "127.0.0.1:1");
    maps("[::2]=[::1]", "[::2]:7000", "[::1]:7000");
}

static void the_port_goes_before_every_port(void **state)
{
    (void)state;
    maps("h=every,h:1=one", "h:1", "one:1");
    maps("h:1=one,h=every", "h:1", "one:1");
    maps("h:1=one,h=every", "h:2", "every:2");
}

/* What it is mapped to is not mapped again: two may change places. */
static void it_is_mapped_once(void **state)
{
    (void)state;
    maps("a=b,b=a", "a:1", "b:1");
    maps("a=b,b=a", "b:1", "a:1");
    maps(NULL, "a:1", "a:1");
}

static void the_other_host_counts_too(void **state)
{
    struct jtgi_address address = {.unix_path = NULL};
    struct jtgi_address path = {.unix_path = "/run/s", .host = "h"};
    (void)state;
    assert_true(jtgi_address_set(&address, "10.0.0.1", 8, 7000));
    assert_true(jtgi_address_set_other(&address, "pod-0", 5));
    struct jtgi_address both = address;
    jtgi_address_map_apply("pod-0=here", &address);
    assert_string_equal(address.host, "here");
    assert_string_equal(address.other_host, "");
    jtgi_address_map_apply("pod-0=other,10.0.0.1=first", &both);
    assert_string_equal(both.host, "first");
    jtgi_address_map_apply("h=here", &path);
    assert_string_equal(path.unix_path, "/run/s");
}

static void where_it_leads_to_is_not_mapped_again(void **state)
{
    struct jtgi_address address = {.unix_path = NULL};
    (void)state;
    assert_true(jtgi_address_set(&address, "a", 1, 7000));
    for (unsigned times = 0; times < 2; times++)
        jtgi_address_map_apply("a=b,b=c", &address);
    assert_string_equal(address.host, "b");
    assert_true(jtgi_address_set(&address, "b", 1, 7000)); /* another address in its place */
    jtgi_address_map_apply("a=b,b=c", &address);
    assert_string_equal(address.host, "c");
}

static void what_is_badly_formed_is_refused(void **state)
{
    static const char *const wrong[] = {
        "",        "a",     "a=",       "=b",        "a=b,",  ",a=b",  "a=b,,c=d", "a=b=c",
        "a:0=b",   "a=b:0", "a:x=b",    "a=b:65536", "a b=c", "::1=b", "a=::1",    "[::1=b",
        "a=b;c=d", "a/1=b", "[::1]x=b", "a:=b",      "a=b:",  "a=b c",
    };
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_non_null(jtgi_address_map_problem(wrong[i]));
}

static void an_entry_that_stands_twice_is_refused(void **state)
{
    (void)state;
    assert_non_null(jtgi_address_map_problem("a=b,a=c"));
    assert_non_null(jtgi_address_map_problem("a:1=b,c=d,A:1=b"));
    assert_null(jtgi_address_map_problem("a:1=b,a:2=b,a=b"));
    assert_null(jtgi_address_map_problem(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_is_mapped_by_host_and_port),
        cmocka_unit_test(without_a_port_it_is_every_port),
        cmocka_unit_test(the_port_goes_before_every_port),
        cmocka_unit_test(it_is_mapped_once),
        cmocka_unit_test(the_other_host_counts_too),
        cmocka_unit_test(where_it_leads_to_is_not_mapped_again),
        cmocka_unit_test(what_is_badly_formed_is_refused),
        cmocka_unit_test(an_entry_that_stands_twice_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
