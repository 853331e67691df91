/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/say/slots/redirect.h"
#include "support/asserts.h"

#include <string.h>

static const struct jtgi_address asked = {.host = "asked.example", .port = 6379};

static bool read_it(const char *text, struct jtgi_redirect *redirect)
{
    return jtgi_redirect_read(redirect, text, strlen(text), &asked);
}

static void assert_leads(const char *text, unsigned slot, const char *host, uint32_t port)
{
    struct jtgi_redirect redirect;
    assert_true(read_it(text, &redirect));
    assert_int_equal(redirect.slot, slot);
    assert_string_equal(redirect.address.host, host);
    assert_int_equal(redirect.address.port, port);
}

static void it_names_slot_and_place(void **state)
{
    (void)state;
    assert_leads("MOVED 3999 127.0.0.1:6381", 3999, "127.0.0.1", 6381);
    assert_leads("ASK 16383 redis-3.example:7000", 16383, "redis-3.example", 7000);
    assert_leads("MOVED 0 2001:db8::7:6381", 0, "2001:db8::7", 6381);
}

static void no_host_is_the_one_that_was_asked(void **state)
{
    struct jtgi_redirect redirect;
    struct jtgi_address path = {.unix_path = "/run/s"};
    (void)state;
    assert_leads("MOVED 1 :6381", 1, "asked.example", 6381);
    assert_false(jtgi_redirect_read(&redirect, "MOVED 1 :6381", 13, &path));
}

static void what_is_badly_formed_leads_nowhere(void **state)
{
    static const char *const wrong[] = {
        "MOVED",           "MOVED ",          "MOVED 1",
        "MOVED 1 ",        "MOVED 1 h",       "MOVED 1 h:",
        "MOVED 1 h:0",     "MOVED 1 h:65536", "MOVED 1 h:6x",
        "MOVED x h:1",     "MOVED -1 h:1",    "MOVED  1 h:1",
        "MOVED 16384 h:1", "MOVED 1 ?:6379",  "MOVED 1 h h:1",
        "MOVED 1 h\n:1",   "MOVED 1 h:1 x",   "MOVED 99999999999999999999 h:1"};
    struct jtgi_redirect redirect;
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(read_it(wrong[i], &redirect));
}

static void it_is_as_long_as_it_says(void **state)
{
    struct jtgi_redirect redirect;
    (void)state;
    assert_true(jtgi_redirect_read(&redirect, "MOVED 1 h:12", 11, &asked));
    assert_int_equal(redirect.address.port, 1);
    for (size_t len = 0; len < 11; len++)
        assert_false(jtgi_redirect_read(&redirect, "MOVED 1 h:12", len, &asked));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_names_slot_and_place),
        cmocka_unit_test(no_host_is_the_one_that_was_asked),
        cmocka_unit_test(what_is_badly_formed_leads_nowhere),
        cmocka_unit_test(it_is_as_long_as_it_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
