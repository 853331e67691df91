/* SPDX-License-Identifier: Apache-2.0 */
/* What may stand at a store's path, and how a file gets there. */
#include "host/file.h"
#include "support/asserts.h"
#include "support/host_folder.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BYTES = JTGI_HOST_TABLE_AT + 4096, SOMEBODY = 4321 };

static struct host_folder folder;
static struct jtgi_host_spot spot;
static struct jtgi_host_identity identity;

static int begin(void **state)
{
    (void)state;
    host_folder_make(&folder);
    spot = (struct jtgi_host_spot){folder.store, (uid_t)-1, (gid_t)-1};
    return jtgi_host_identity_read(&identity, "/proc", NULL) == JTG_OK ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    host_folder_remove(&folder);
    return 0;
}

static struct jtgi_host_file made(void)
{
    struct jtgi_host_file file;
    assert_status(jtgi_host_file_make(&file, &spot, BYTES, &identity, NULL), JTG_OK);
    return file;
}

static void make_store(void)
{
    struct jtgi_host_file file = made();
    assert_status(jtgi_host_file_link(&file, &spot, NULL), JTG_OK);
    jtgi_host_file_close(&file, false);
}

static void opens(jtg_status expected)
{
    struct jtgi_host_file file;
    jtg_error err = JTG_ERROR_INIT;
    jtg_status status = jtgi_host_file_open(&file, &spot, &err);
    assert_status(status, expected);
    if (status != JTG_NOT_FOUND)
        assert_err_tells(&err, status);
    assert_int_equal(file.descriptor >= 0, status == JTG_OK);
    jtgi_host_file_close(&file, false);
}

static const char *judged(jtg_status expected)
{
    struct jtgi_host_file file;
    const char *wrong = NULL;
    assert_status(jtgi_host_file_open(&file, &spot, NULL), JTG_OK);
    assert_status(jtgi_host_file_judge(&file, &identity, &wrong, NULL), expected);
    jtgi_host_file_close(&file, false);
    return wrong;
}

/* Files of others are made by root alone. */
static bool only_root_may(void)
{
    if (geteuid() != 0)
        print_message("only root gives files away\n");
    return geteuid() != 0;
}

/* ---- making ---- */

static void it_is_made_whole_and_then_named(void **state)
{
    (void)state;
    opens(JTG_NOT_FOUND);
    struct jtgi_host_file file = made();
    assert_non_null(file.header);
    assert_int_equal(file.facts.bytes, BYTES);
    opens(JTG_NOT_FOUND);
    assert_status(jtgi_host_file_link(&file, &spot, NULL), JTG_OK);
    assert_int_equal(jtgi_host_file_look(&file, folder.store), JTGI_HOST_AT_PATH_SAME);
    jtgi_host_file_close(&file, false);
    assert_null(judged(JTG_OK));
    struct stat about;
    assert_int_equal(stat(folder.store, &about), 0);
    assert_int_equal(about.st_mode & 07777, 0600);
    assert_int_equal(about.st_blocks * 512, BYTES); /* reserved, all of it */
}

static void the_second_maker_is_told(void **state)
{
    (void)state;
    make_store();
    struct jtgi_host_file file = made();
    assert_status(jtgi_host_file_link(&file, &spot, NULL), JTG_MISMATCH);
    jtgi_host_file_close(&file, false);
}

static void one_takes_the_place_of_another(void **state)
{
    char left[80];
    (void)state;
    make_store();
    (void)snprintf(left, sizeof left, "%s" JTGI_HOST_OTHER_NAME, folder.store);
    int descriptor = open(left, O_CREAT | O_WRONLY, 0600); /* by one that was killed here */
    assert_true(descriptor >= 0);
    (void)close(descriptor);
    struct jtgi_host_file old, file = made();
    assert_status(jtgi_host_file_open(&old, &spot, NULL), JTG_OK);
    assert_status(jtgi_host_file_supplant(&file, &spot, NULL), JTG_OK);
    assert_int_equal(jtgi_host_file_look(&file, folder.store), JTGI_HOST_AT_PATH_SAME);
    assert_int_equal(jtgi_host_file_look(&old, folder.store), JTGI_HOST_AT_PATH_OTHER);
    assert_int_equal(access(left, F_OK), -1);
    jtgi_host_file_close(&old, false);
    jtgi_host_file_close(&file, false);
}

static void a_full_tmpfs_is_an_answer(void **state)
{
    struct jtgi_host_file file;
    jtg_error err = JTG_ERROR_INIT;
    (void)state;
    assert_status(jtgi_host_file_make(&file, &spot, UINT64_C(1) << 60, &identity, &err),
                  JTG_ERR_MEMORY);
    assert_err_tells(&err, JTG_ERR_MEMORY);
    assert_true(file.descriptor < 0);
}

static void a_group_may_use_it(void **state)
{
    struct stat about;
    (void)state;
    if (only_root_may())
        return;
    spot.group = SOMEBODY;
    make_store();
    assert_int_equal(stat(folder.store, &about), 0);
    assert_int_equal(about.st_mode & 07777, 0660);
    assert_int_equal(about.st_gid, SOMEBODY);
    opens(JTG_OK);
    spot.group = SOMEBODY + 1;
    opens(JTG_ERR_UNSAFE);
    spot.group = (gid_t)-1;
    opens(JTG_OK);
}

static void it_must_be_a_tmpfs(void **state)
{
    struct jtgi_host_file file;
    (void)state;
    spot.path = "/proc/store";
    assert_status(jtgi_host_file_make(&file, &spot, BYTES, &identity, NULL), JTG_ERR_UNSAFE);
    spot.path = "/proc/self/status"; /* a file of a root's process, in a folder that is root's */
    opens(JTG_ERR_UNSAFE);
    spot.path = "/there/is/none";
    opens(JTG_ERR_UNAVAILABLE);
    assert_status(jtgi_host_file_make(&file, &spot, BYTES, &identity, NULL), JTG_ERR_UNAVAILABLE);
}

/* ---- what is not safe ---- */

static void others_may_not_use_it(void **state)
{
    (void)state;
    if (only_root_may())
        return;
    make_store();
    opens(JTG_OK);
    static const mode_t open_modes[] = {0604, 0602, 0601};
    for (size_t i = 0; i < sizeof open_modes / sizeof open_modes[0]; i++) {
        assert_int_equal(chmod(folder.store, open_modes[i]), 0);
        opens(JTG_ERR_UNSAFE);
    }
    assert_int_equal(chmod(folder.store, 0600), 0);
    assert_int_equal(chown(folder.store, SOMEBODY, (gid_t)-1), 0);
    opens(JTG_ERR_UNSAFE);
    spot.owner = SOMEBODY;
    opens(JTG_OK);
}

static void it_has_one_name(void **state)
{
    char second[80];
    (void)state;
    make_store();
    (void)snprintf(second, sizeof second, "%s2", folder.store);
    assert_int_equal(link(folder.store, second), 0);
    opens(JTG_ERR_UNSAFE);
    assert_int_equal(unlink(second), 0);
    opens(JTG_OK);
    assert_int_equal(rename(folder.store, second), 0);
    assert_int_equal(symlink(second, folder.store), 0);
    opens(JTG_ERR_UNSAFE);
}

static void it_is_a_regular_file(void **state)
{
    (void)state;
    assert_int_equal(mkdir(folder.store, 0700), 0);
    opens(JTG_ERR_UNSAFE);
    assert_int_equal(rmdir(folder.store), 0);
    assert_int_equal(mkfifo(folder.store, 0600), 0);
    opens(JTG_ERR_UNSAFE);
}

static void others_may_not_change_its_folder(void **state)
{
    (void)state;
    if (only_root_may())
        return;
    make_store();
    assert_int_equal(chmod(folder.path, 0777), 0);
    opens(JTG_ERR_UNSAFE);
    assert_int_equal(chmod(folder.path, 01777), 0);
    opens(JTG_OK);
    assert_int_equal(chmod(folder.path, 0700), 0);
    assert_int_equal(chown(folder.path, SOMEBODY, (gid_t)-1), 0);
    opens(JTG_ERR_UNSAFE);
    spot.owner = SOMEBODY;
    opens(JTG_OK);
    assert_int_equal(chown(folder.path, 0, (gid_t)-1), 0);
}

/* Where this test may not mount, it has nothing to say. */
static void a_file_that_is_mounted_is_refused(void **state)
{
    int status = 0;
    (void)state;
    make_store();
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct jtgi_host_file file;
        if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
            mount(folder.store, folder.store, NULL, MS_BIND, NULL) != 0)
            _exit(2);
        _exit(jtgi_host_file_open(&file, &spot, NULL) == JTG_ERR_UNSAFE ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_not_equal(WEXITSTATUS(status), 1);
    if (WEXITSTATUS(status) == 2)
        print_message("mounting is not allowed here\n");
}

/* ---- what it holds ---- */

static void write_at(off_t at, const void *bytes, size_t count)
{
    int descriptor = open(folder.store, O_WRONLY);
    assert_true(descriptor >= 0);
    assert_int_equal(pwrite(descriptor, bytes, count, at), count);
    (void)close(descriptor);
}

static void other_contents_are_wrong(void **state)
{
    static const uint32_t layout = JTGI_HOST_LAYOUT + 1;
    (void)state;
    make_store();
    write_at(offsetof(struct jtgi_host_header, layout), &layout, sizeof layout);
    assert_non_null(strstr(judged(JTG_OK), "version"));
    host_folder_remove_store(&folder);
    make_store();
    assert_int_equal(truncate(folder.store, BYTES - 1), 0);
    assert_non_null(strstr(judged(JTG_OK), "truncated"));
    assert_int_equal(truncate(folder.store, 20), 0);
    assert_non_null(judged(JTG_OK));
    assert_int_equal(truncate(folder.store, 0), 0);
    assert_non_null(judged(JTG_OK));
}

static void a_file_of_others_is_not_ours(void **state)
{
    (void)state;
    make_store();
    write_at(0, "precious", 8);
    (void)judged(JTG_ERR_UNSAFE);
    assert_int_equal(truncate(folder.store, 3), 0);
    (void)judged(JTG_ERR_UNSAFE);
}

/* ---- in use ---- */

static void what_happens_to_the_path_is_seen(void **state)
{
    (void)state;
    make_store();
    struct jtgi_host_file file;
    assert_status(jtgi_host_file_open(&file, &spot, NULL), JTG_OK);
    assert_int_equal(jtgi_host_file_look(&file, folder.store), JTGI_HOST_AT_PATH_SAME);
    host_folder_remove_store(&folder);
    assert_int_equal(jtgi_host_file_look(&file, folder.store), JTGI_HOST_AT_PATH_OTHER);
    make_store();
    assert_int_equal(jtgi_host_file_look(&file, folder.store), JTGI_HOST_AT_PATH_OTHER);
    char below[80];
    (void)snprintf(below, sizeof below, "%s/store", folder.store);
    assert_int_equal(jtgi_host_file_look(&file, below), JTGI_HOST_AT_PATH_UNSEEN);
    jtgi_host_file_close(&file, false);
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(it_is_made_whole_and_then_named),
        CASE(the_second_maker_is_told),
        CASE(one_takes_the_place_of_another),
        CASE(a_full_tmpfs_is_an_answer),
        CASE(a_group_may_use_it),
        CASE(it_must_be_a_tmpfs),
        CASE(others_may_not_use_it),
        CASE(it_has_one_name),
        CASE(it_is_a_regular_file),
        CASE(others_may_not_change_its_folder),
        CASE(a_file_that_is_mounted_is_refused),
        CASE(other_contents_are_wrong),
        CASE(a_file_of_others_is_not_ours),
        CASE(what_happens_to_the_path_is_seen),
    };
    return cmocka_run_group_tests_name("file", tests, NULL, NULL);
}
