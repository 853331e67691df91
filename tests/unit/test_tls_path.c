/* SPDX-License-Identifier: Apache-2.0 */
#include "support/asserts.h"

#include <jtiguard/tls_tickets.h>
#include <stdlib.h>
#include <string.h>

static char path[256];

static void set(const char *name, const char *value)
{
    assert_int_equal(value != NULL ? setenv(name, value, 1) : unsetenv(name), 0);
}

static jtg_status find(const char *xdg, const char *home)
{
    set("XDG_CACHE_HOME", xdg);
    set("HOME", home);
    return jtg_tls_tickets_default_path(path, sizeof path, NULL);
}

static void it_lies_in_the_users_cache(void **state)
{
    (void)state;
    assert_status(find("/var/cache/me", "/home/me"), JTG_OK);
    assert_string_equal(path, "/var/cache/me/jtiguard/tls-tickets.json");
    assert_status(find(NULL, "/home/me"), JTG_OK);
    assert_string_equal(path, "/home/me/.cache/jtiguard/tls-tickets.json");
}

static void what_is_not_absolute_is_ignored(void **state)
{
    (void)state;
    assert_status(find("cache", "/home/me"), JTG_OK);
    assert_string_equal(path, "/home/me/.cache/jtiguard/tls-tickets.json");
    assert_status(find("", "/home/me"), JTG_OK);
    assert_string_equal(path, "/home/me/.cache/jtiguard/tls-tickets.json");
    assert_status(find("cache", "home"), JTG_ERR_ARGUMENT);
    assert_string_equal(path, "");
    assert_status(find(NULL, NULL), JTG_ERR_ARGUMENT);
}

static void it_must_fit(void **state)
{
    (void)state;
    jtg_error err = JTG_ERROR_INIT;
    char small[40];
    assert_status(find("/c", NULL), JTG_OK);
    size_t len = strlen(path);
    assert_status(jtg_tls_tickets_default_path(small, len + 1, NULL), JTG_OK);
    assert_status(jtg_tls_tickets_default_path(small, len, &err), JTG_ERR_ARGUMENT);
    assert_err_tells(&err, JTG_ERR_ARGUMENT);
    assert_string_equal(small, "");
    assert_status(jtg_tls_tickets_default_path(NULL, 10, NULL), JTG_ERR_ARGUMENT);
    assert_status(jtg_tls_tickets_default_path(small, 0, NULL), JTG_ERR_ARGUMENT);
}

static void a_variable_switches_it_off(void **state)
{
    (void)state;
    set(JTG_TLS_DISABLE_VARIABLE, NULL);
    assert_false(jtg_tls_tickets_is_disabled());
    set(JTG_TLS_DISABLE_VARIABLE, "");
    assert_false(jtg_tls_tickets_is_disabled());
    set(JTG_TLS_DISABLE_VARIABLE, "0");
    assert_false(jtg_tls_tickets_is_disabled());
    set(JTG_TLS_DISABLE_VARIABLE, "1");
    assert_true(jtg_tls_tickets_is_disabled());
    set(JTG_TLS_DISABLE_VARIABLE, "yes");
    assert_true(jtg_tls_tickets_is_disabled());
    set(JTG_TLS_DISABLE_VARIABLE, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_lies_in_the_users_cache),
        cmocka_unit_test(what_is_not_absolute_is_ignored),
        cmocka_unit_test(it_must_fit),
        cmocka_unit_test(a_variable_switches_it_off),
    };
    return cmocka_run_group_tests_name("path of tls tickets", tests, NULL, NULL);
}
