/* SPDX-License-Identifier: Apache-2.0 */
/* Options of a host cache: defaults, ranges, users and groups by name and number, the path. */
#include "host/settings.h"
#include "support/asserts.h"

#include <string.h>

static struct jtgi_host_settings settings;
static jtg_host_options given;

static jtg_status read_with(const jtg_host_options *options)
{
    jtg_error err = JTG_ERROR_INIT;
    memset(&settings, 0, sizeof settings);
    jtg_status status = jtgi_host_settings_read(&settings, options, &err);
    assert_err_tells(&err, status);
    return status;
}

/* Each member given by itself, beside a path. */
#define WITH(member, value)                                                                        \
    do {                                                                                           \
        jtg_host_options_init(&given);                                                             \
        given.path = "/a/store";                                                                   \
        given.max_entries = 1000;                                                                  \
        given.member = (value);                                                                    \
    } while (0)

#define READS(member, value, expected)                                                             \
    do {                                                                                           \
        WITH(member, value);                                                                       \
        assert_status(read_with(&given), (expected));                                              \
    } while (0)

static void the_defaults_are_the_same_by_macro_and_function(void **state)
{
    const jtg_host_options macro = JTG_HOST_OPTIONS_INIT;
    jtg_host_options function;
    (void)state;
    jtg_host_options_init(&function);
    assert_int_equal(function.struct_size, macro.struct_size);
    assert_int_equal(function.max_entries, JTG_HOST_MAX_ENTRIES_DEFAULT);
    assert_int_equal(macro.max_entries, JTG_HOST_MAX_ENTRIES_DEFAULT);
    assert_int_equal(function.lock_wait_ms, 100);
    assert_null(function.path);
    assert_false(function.must_exist);
}

static void ranges_are_kept(void **state)
{
    (void)state;
    READS(max_entries, 1, JTG_OK);
    READS(max_entries, 0, JTG_ERR_ARGUMENT);
    READS(max_entries, JTG_HOST_MAX_ENTRIES_LIMIT, JTG_OK);
    READS(max_entries, JTG_HOST_MAX_ENTRIES_LIMIT + 1, JTG_ERR_ARGUMENT);
    READS(max_entries_per_group, 1000, JTG_OK);
    READS(max_entries_per_group, 1001, JTG_ERR_ARGUMENT);
    READS(lock_wait_ms, 1, JTG_OK);
    READS(lock_wait_ms, 0, JTG_ERR_ARGUMENT);
    READS(lock_wait_ms, 10000, JTG_OK);
    READS(lock_wait_ms, 10001, JTG_ERR_ARGUMENT);
    READS(struct_size, 1, JTG_ERR_ARGUMENT);
}

static void a_path_is_absolute_and_a_files(void **state)
{
    static char longest[PATH_MAX + 1];
    (void)state;
    READS(path, "/a/store", JTG_OK);
    assert_string_equal(settings.terms.spot.path, "/a/store");
    assert_true(settings.terms.clock == &settings.clock);
    assert_false(settings.is_default);
    READS(path, "", JTG_ERR_ARGUMENT);
    READS(path, "store", JTG_ERR_ARGUMENT);
    READS(path, "/a/", JTG_ERR_ARGUMENT);
    memset(longest, 'a', sizeof longest - 1);
    longest[0] = '/';
    READS(path, longest, JTG_ERR_ARGUMENT);
}

static void users_and_groups_have_names_and_numbers(void **state)
{
    (void)state;
    READS(must_exist, true, JTG_OK);
    assert_true(settings.terms.must_exist);
    assert_true(settings.terms.spot.owner == (uid_t)-1);
    assert_true(settings.terms.spot.group == (gid_t)-1);
    READS(owner, "root", JTG_OK);
    assert_int_equal(settings.terms.spot.owner, 0);
    READS(owner, "4294967294", JTG_OK);
    assert_int_equal(settings.terms.spot.owner, 4294967294U);
    READS(owner, "4294967295", JTG_ERR_ARGUMENT);
    READS(owner, "no such user", JTG_ERR_ARGUMENT);
    READS(group, "root", JTG_OK);
    assert_int_equal(settings.terms.spot.group, 0);
    READS(group, "77", JTG_OK);
    assert_int_equal(settings.terms.spot.group, 77);
    READS(group, "no such group", JTG_ERR_ARGUMENT);
    READS(group, "", JTG_ERR_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_defaults_are_the_same_by_macro_and_function),
        cmocka_unit_test(ranges_are_kept),
        cmocka_unit_test(a_path_is_absolute_and_a_files),
        cmocka_unit_test(users_and_groups_have_names_and_numbers),
    };
    return cmocka_run_group_tests_name("settings", tests, NULL, NULL);
}
