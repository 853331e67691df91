/* SPDX-License-Identifier: Apache-2.0 */
/* Where a store lies when nobody says: one folder for the host, and another only where there is
 * none. */
#include "host/store_path.h"
#include "support/asserts.h"
#include "support/host_folder.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SOMEBODY = 4321 };

static struct host_folder run;
static struct jtgi_store_places places;

static int begin(void **state)
{
    (void)state;
    host_folder_make(&run);
    places = (struct jtgi_store_places){run.path, "hosts", "user"};
    return 0;
}

static void in_run(char path[128], const char *name)
{
    (void)snprintf(path, 128, "%.60s/%s", run.path, name);
}

static int end(void **state)
{
    static const char *const names[] = {"user/4321/jtiguard", "user/4321", "user", "hosts"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[128];
        in_run(path, names[i]);
        (void)rmdir(path);
    }
    host_folder_remove(&run);
    return 0;
}

static void make(const char *name, mode_t mode, uid_t owner)
{
    char path[128];
    in_run(path, name);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(chmod(path, mode), 0);
    assert_int_equal(chown(path, owner, (gid_t)-1), 0);
}

static void chosen(uid_t user, const char *name, bool is_users_own)
{
    char path[128], expected[128];
    bool own = !is_users_own;
    assert_status(jtgi_store_path_choose(path, sizeof path, &own, &places, user, true, NULL),
                  JTG_OK);
    in_run(expected, name);
    assert_string_equal(path, expected);
    assert_int_equal(own, is_users_own);
}

static void refused(uid_t user)
{
    char path[128];
    bool own = false;
    jtg_error err = JTG_ERROR_INIT;
    assert_status(jtgi_store_path_choose(path, sizeof path, &own, &places, user, true, &err),
                  JTG_ERR_UNAVAILABLE);
    assert_err_tells(&err, JTG_ERR_UNAVAILABLE);
}

static void root_makes_the_hosts(void **state)
{
    (void)state;
    assert_false(jtgi_store_path_is_outdated(&places));
    chosen(0, "hosts/store", false);
    assert_true(jtgi_store_path_is_outdated(&places));
    chosen(SOMEBODY, "hosts/store", false);
}

static void only_on_a_tmpfs(void **state)
{
    (void)state;
    places.run = "/proc";
    refused(0);
    places.run = run.path;
}

static void a_user_has_one_in_a_session(void **state)
{
    (void)state;
    if (geteuid() != 0)
        return; /* only root gives folders away */
    refused(SOMEBODY);
    make("user", 0755, 0);
    refused(SOMEBODY);
    make("user/4321", 0700, SOMEBODY);
    chosen(SOMEBODY, "user/4321/jtiguard/store", true);
    chosen(SOMEBODY, "user/4321/jtiguard/store", true);
    make("hosts", 0700, 0);
    chosen(SOMEBODY, "hosts/store", false);
}

static void anothers_folder_is_no_session(void **state)
{
    (void)state;
    if (geteuid() != 0)
        return; /* only root gives folders away */
    make("user", 0755, 0);
    make("user/4321", 0755, SOMEBODY);
    refused(SOMEBODY);
    char path[128];
    in_run(path, "user/4321");
    assert_int_equal(chmod(path, 0700), 0);
    assert_int_equal(chown(path, SOMEBODY + 1, (gid_t)-1), 0);
    refused(SOMEBODY);
}

static void nothing_is_made_where_none_may_be(void **state)
{
    char path[128], hosts[128];
    bool own = true;
    (void)state;
    if (geteuid() != 0)
        return; /* only root gives folders away */
    assert_status(jtgi_store_path_choose(path, sizeof path, &own, &places, 0, false, NULL), JTG_OK);
    in_run(hosts, "hosts/store");
    assert_string_equal(path, hosts);
    assert_false(jtgi_store_path_is_outdated(&places));
    make("user", 0755, 0);
    make("user/4321", 0700, SOMEBODY);
    assert_status(jtgi_store_path_choose(path, sizeof path, &own, &places, SOMEBODY, false, NULL),
                  JTG_OK);
    assert_true(own);
    assert_int_equal(access(path, F_OK), -1);
}

static void what_is_too_long_is_none(void **state)
{
    char path[16];
    bool own = false;
    (void)state;
    assert_status(jtgi_store_path_choose(path, sizeof path, &own, &places, 0, true, NULL),
                  JTG_ERR_UNAVAILABLE);
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(root_makes_the_hosts),
        CASE(only_on_a_tmpfs),
        CASE(a_user_has_one_in_a_session),
        CASE(anothers_folder_is_no_session),
        CASE(nothing_is_made_where_none_may_be),
        CASE(what_is_too_long_is_none),
    };
    return cmocka_run_group_tests_name("store path", tests, NULL, NULL);
}
