/* SPDX-License-Identifier: Apache-2.0 */
#include "tokens/common/safe_file.h"

#include "support/asserts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];
static char path[96];

static int set_up(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/jtiguard-safe.XXXXXX");
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/file", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(path);
    rmdir(path);
    return rmdir(folder); /* nothing else was left in it */
}

static void assert_content(const char *expected)
{
    char content[128] = {0};
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t len = fread(content, 1, sizeof content, file);
    fclose(file);
    assert_int_equal(len, strlen(expected));
    assert_memory_equal(content, expected, len);
}

static void it_is_written_for_its_owner_alone(void **state)
{
    (void)state;
    struct stat about;
    mode_t before = umask(0);
    assert_status(jtgi_safe_file_write(path, "first", 5, NULL), JTG_OK);
    umask(before);
    assert_content("first");
    assert_int_equal(stat(path, &about), 0);
    assert_int_equal(about.st_mode & 07777, 0600);
}

static void it_is_replaced_also_where_it_was_open_to_all(void **state)
{
    (void)state;
    struct stat about;
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fclose(file);
    assert_int_equal(chmod(path, 0666), 0);
    assert_status(jtgi_safe_file_write(path, "second", 6, NULL), JTG_OK);
    assert_content("second");
    assert_int_equal(stat(path, &about), 0);
    assert_int_equal(about.st_mode & 07777, 0600);
}

/* A folder in its place: the rename fails, and what was written goes. */
static void a_failure_leaves_nothing_behind(void **state)
{
    (void)state;
    jtg_error err = JTG_ERROR_INIT;
    char beyond[160];
    assert_int_equal(mkdir(path, 0700), 0);
    assert_status(jtgi_safe_file_write(path, "x", 1, &err), JTG_ERR_SYSTEM);
    assert_int_equal(err.system_errno, EISDIR);
    snprintf(beyond, sizeof beyond, "%s/none/file", folder);
    err = (jtg_error)JTG_ERROR_INIT;
    assert_status(jtgi_safe_file_write(beyond, "x", 1, &err), JTG_ERR_SYSTEM);
    assert_int_equal(err.system_errno, ENOENT);
}

/* In an open folder, in two steps; what one that was killed has left does not matter. */
static void it_is_written_and_then_moved(void **state)
{
    (void)state;
    struct stat about;
    bool moved = false;
    int at = open(folder, O_RDONLY | O_DIRECTORY);
    assert_true(at >= 0);
    assert_status(jtgi_safe_file_write(path, "old", 3, NULL), JTG_OK);
    mode_t before = umask(0777);
    assert_status(jtgi_safe_file_write_at(at, "file.new", "left behind", 11, NULL), JTG_OK);
    assert_status(jtgi_safe_file_write_at(at, "file.new", "new", 3, NULL), JTG_OK);
    umask(before);
    assert_content("old");
    assert_status(jtgi_safe_file_move_at(at, "file.new", "file", &moved, NULL), JTG_OK);
    assert_true(moved);
    assert_content("new");
    assert_int_equal(stat(path, &about), 0);
    assert_int_equal(about.st_mode & 07777, 0600);
    assert_status(jtgi_safe_file_move_at(at, "file.new", "file", &moved, NULL), JTG_ERR_SYSTEM);
    assert_false(moved);
    assert_content("new");
    close(at);
}

static void a_folder_in_its_place_is_a_failure(void **state)
{
    (void)state;
    jtg_error err = JTG_ERROR_INIT;
    bool moved = true;
    int at = open(folder, O_RDONLY | O_DIRECTORY);
    assert_true(at >= 0);
    assert_int_equal(mkdirat(at, "file", 0700), 0);
    assert_status(jtgi_safe_file_write_at(at, "file", "x", 1, &err), JTG_ERR_SYSTEM);
    assert_int_equal(err.system_errno, EISDIR);
    assert_status(jtgi_safe_file_write_at(at, "file.new", "x", 1, NULL), JTG_OK);
    assert_status(jtgi_safe_file_move_at(at, "file.new", "file", &moved, NULL), JTG_ERR_SYSTEM);
    assert_false(moved);
    close(at); /* tear_down() finds nothing but the folder: what was written is gone */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_is_written_for_its_owner_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_is_replaced_also_where_it_was_open_to_all, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_failure_leaves_nothing_behind, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_is_written_and_then_moved, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_folder_in_its_place_is_a_failure, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
