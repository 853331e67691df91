/* SPDX-License-Identifier: Apache-2.0 */
#include "core/error.h"
#include "support/asserts.h"

#include <ctype.h>
#include <jtiguard/backend.h>
#include <string.h>

static void only_ok_is_zero(void **state)
{
    (void)state;
    assert_int_equal(JTG_OK, 0);
    for (unsigned i = 1; i < JTG_STATUS_COUNT; i++)
        assert_int_not_equal(i, JTG_OK);
}

/* What programs were compiled with must keep its number. */
static void the_numbers_stay(void **state)
{
    (void)state;
    assert_int_equal(JTG_REPLAYED, 1);
    assert_int_equal(JTG_NOT_FOUND, 2);
    assert_int_equal(JTG_NOT_OWNER, 3);
    assert_int_equal(JTG_MISMATCH, 4);
    assert_int_equal(JTG_ERR_ARGUMENT, 5);
    assert_int_equal(JTG_ERR_MEMORY, 6);
    assert_int_equal(JTG_ERR_FULL, 7);
    assert_int_equal(JTG_ERR_GROUP_FULL, 8);
    assert_int_equal(JTG_ERR_UNAVAILABLE, 9);
    assert_int_equal(JTG_ERR_TIMEOUT, 10);
    assert_int_equal(JTG_ERR_UNSAFE, 11);
    assert_int_equal(JTG_ERR_CONTINUITY, 12);
    assert_int_equal(JTG_ERR_REFUSED, 13);
    assert_int_equal(JTG_ERR_PROTOCOL, 14);
    assert_int_equal(JTG_ERR_REPLICAS, 15);
    assert_int_equal(JTG_ERR_FORKED, 16);
    assert_int_equal(JTG_ERR_UNSUPPORTED, 17);
    assert_int_equal(JTG_ERR_SYSTEM, 18);
    assert_int_equal(JTG_ERR_BLOCKED, 19);
}

static void is_a_machines_name(const char *name)
{
    assert_non_null(name);
    assert_true(strlen(name) >= 2);
    for (const char *at = name; *at != '\0'; at++)
        assert_true(islower((unsigned char)*at) || *at == '_');
}

static void every_status_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (unsigned i = 0; i < JTG_STATUS_COUNT; i++) {
        is_a_machines_name(jtg_status_name((jtg_status)i));
        assert_true(strlen(jtg_status_text((jtg_status)i)) >= 4);
        for (unsigned other = 0; other < i; other++) {
            assert_string_not_equal(jtg_status_name((jtg_status)i),
                                    jtg_status_name((jtg_status)other));
            assert_string_not_equal(jtg_status_text((jtg_status)i),
                                    jtg_status_text((jtg_status)other));
        }
    }
}

static void what_is_no_status_is_unknown(void **state)
{
    (void)state;
    assert_string_equal(jtg_status_name(JTG_STATUS_COUNT), "unknown");
    assert_string_equal(jtg_status_name((jtg_status)-1), "unknown");
    assert_string_equal(jtg_status_text((jtg_status)1000), "unknown");
}

static void every_operation_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (unsigned i = 0; i < JTG_OPERATION_COUNT; i++) {
        is_a_machines_name(jtg_operation_name((jtg_operation)i));
        for (unsigned other = 0; other < i; other++)
            assert_string_not_equal(jtg_operation_name((jtg_operation)i),
                                    jtg_operation_name((jtg_operation)other));
    }
    assert_string_equal(jtg_operation_name(JTG_OPERATION_COUNT), "unknown");
    assert_string_equal(jtg_operation_name((jtg_operation)-1), "unknown");
}

/* ---- jtg_error_set ---- */

static void the_first_cause_stays(void **state)
{
    jtg_error err = JTG_ERROR_INIT;
    (void)state;
    assert_status(jtg_error_set(&err, JTG_ERR_UNAVAILABLE, 111, "no %s", "route"),
                  JTG_ERR_UNAVAILABLE);
    assert_status(jtg_error_set(&err, JTG_ERR_TIMEOUT, 5, "later"), JTG_ERR_TIMEOUT);
    assert_int_equal(err.status, JTG_ERR_UNAVAILABLE);
    assert_int_equal(err.system_errno, 111);
    assert_string_equal(err.text, "no route");
}

static void nobody_may_ask(void **state)
{
    (void)state;
    assert_status(jtg_error_set(NULL, JTG_ERR_MEMORY, 0, "lost"), JTG_ERR_MEMORY);
}

static void a_long_text_is_cut(void **state)
{
    jtg_error err = JTG_ERROR_INIT;
    char text[1000];
    (void)state;
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    assert_status(jtg_error_set(&err, JTG_ERR_REFUSED, 0, "%s", text), JTG_ERR_REFUSED);
    assert_int_equal(strlen(err.text), JTG_ERROR_TEXT_BYTES - 1);
}

static void control_characters_are_replaced(void **state)
{
    jtg_error err = JTG_ERROR_INIT;
    (void)state;
    (void)jtg_error_set(&err, JTG_ERR_REFUSED, 0, "%s", "-ERR\r\nfoo\033[2J\177\t.");
    assert_string_equal(err.text, "-ERR??foo?[2J??.");
}

/* ---- jtgi_error_set_status ---- */

static void a_status_tells_its_own_text(void **state)
{
    (void)state;
    for (unsigned i = 1; i <= JTG_STATUS_COUNT; i++) {
        jtg_error err;
        memset(&err, 0xaa, sizeof err);
        jtgi_error_begin(&err);
        err.system_errno = 7;
        assert_status(jtgi_error_set_status(&err, (jtg_status)i), (jtg_status)i);
        assert_int_equal(err.status, i);
        assert_int_equal(err.system_errno, 0);
        assert_string_equal(err.text, jtg_status_text((jtg_status)i));
    }
}

static void a_status_does_not_hide_the_cause(void **state)
{
    jtg_error err = JTG_ERROR_INIT;
    (void)state;
    (void)jtg_error_set(&err, JTG_ERR_UNAVAILABLE, 111, "no route");
    assert_status(jtgi_error_set_status(&err, JTG_REPLAYED), JTG_REPLAYED);
    assert_status(jtgi_error_set_status(NULL, JTG_REPLAYED), JTG_REPLAYED);
    assert_int_equal(err.status, JTG_ERR_UNAVAILABLE);
    assert_int_equal(err.system_errno, 111);
    assert_string_equal(err.text, "no route");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_ok_is_zero),
        cmocka_unit_test(the_numbers_stay),
        cmocka_unit_test(every_status_has_a_name_of_its_own),
        cmocka_unit_test(what_is_no_status_is_unknown),
        cmocka_unit_test(every_operation_has_a_name_of_its_own),
        cmocka_unit_test(the_first_cause_stays),
        cmocka_unit_test(nobody_may_ask),
        cmocka_unit_test(a_long_text_is_cut),
        cmocka_unit_test(control_characters_are_replaced),
        cmocka_unit_test(a_status_tells_its_own_text),
        cmocka_unit_test(a_status_does_not_hide_the_cause),
    };
    return cmocka_run_group_tests_name("status", tests, NULL, NULL);
}
