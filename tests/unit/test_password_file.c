/* SPDX-License-Identifier: Apache-2.0 */
/* The first reading of a password's file and the later ones. What a file may hold is
 * test_password.c's, which reads it by this. */
#include "redis/line/password/password_file.h"

#include "core/alloc.h"
#include "support/alloc_walk.h"
#include "support/asserts.h"

#include <jtiguard/redis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/jtg_password_file_XXXXXX";
static char path[64];

static int make_folder(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/password", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    (void)unlink(path);
    return rmdir(folder);
}

static void write_file(const char *text)
{
    (void)unlink(path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, 0600), 0);
}

static jtg_status read_file(bool again, char **password)
{
    jtg_error err = JTG_ERROR_INIT;
    jtg_status status = jtgi_password_file_read(path, "the_option", again, password, &err);
    assert_int_equal(status == JTG_OK, err.text[0] == '\0');
    assert_true(status == JTG_OK || status == JTG_ERR_MEMORY || strstr(err.text, "the_option"));
    assert_null(strstr(err.text, folder));
    return status;
}

static void it_gives_one_line(void **state)
{
    (void)state;
    for (int again = 0; again < 2; again++) {
        char *password = NULL;
        write_file("s3cret\r\n");
        assert_status(read_file(again != 0, &password), JTG_OK);
        assert_string_equal(password, "s3cret");
        jtgi_free_wiped(password, strlen(password));
        write_file("\n");
        assert_status(read_file(again != 0, &password), JTG_ERR_ARGUMENT);
        assert_null(password);
    }
}

static void the_longest_fits_with_its_end_of_line(void **state)
{
    static char text[JTG_REDIS_PASSWORD_MAX_BYTES + 4];
    char *password = NULL;
    (void)state;
    memset(text, 'x', JTG_REDIS_PASSWORD_MAX_BYTES);
    memcpy(text + JTG_REDIS_PASSWORD_MAX_BYTES, "\r\n", 3);
    write_file(text);
    assert_status(read_file(false, &password), JTG_OK);
    assert_int_equal(strlen(password), JTG_REDIS_PASSWORD_MAX_BYTES);
    jtgi_free_wiped(password, strlen(password));
    memcpy(text + JTG_REDIS_PASSWORD_MAX_BYTES, "x\r\n", 4);
    write_file(text);
    assert_status(read_file(false, &password), JTG_ERR_ARGUMENT);
}

/* A pipe gives what it has once, and later nobody may write to it: who reads again does not wait.
 */
static void a_pipe_is_not_read_again(void **state)
{
    char *password = (char *)path;
    (void)state;
    (void)unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_status(read_file(true, &password), JTG_OK);
    assert_null(password);
}

static void what_cannot_be_read_is_told_by_its_option(void **state)
{
    char *password = NULL;
    (void)state;
    (void)unlink(path);
    assert_status(read_file(false, &password), JTG_ERR_SYSTEM);
    write_file("s3cret");
    assert_int_equal(chmod(path, 0622), 0);
    assert_status(read_file(false, &password), JTG_ERR_ARGUMENT);
    assert_status(read_file(true, &password), JTG_ERR_ARGUMENT);
    assert_null(password);
}

static void without_memory_there_is_none(void **state)
{
    char *password = NULL;
    (void)state;
    write_file("s3cret");
    alloc_walk_fail_nth(1);
    assert_status(read_file(false, &password), JTG_ERR_MEMORY);
    alloc_walk_fail_nth(2);
    assert_status(read_file(false, &password), JTG_ERR_MEMORY);
    (void)alloc_walk_end();
    assert_null(password);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_gives_one_line),
        cmocka_unit_test(the_longest_fits_with_its_end_of_line),
        cmocka_unit_test(a_pipe_is_not_read_again),
        cmocka_unit_test(what_cannot_be_read_is_told_by_its_option),
        cmocka_unit_test(without_memory_there_is_none),
    };
    return cmocka_run_group_tests_name("password file", tests, make_folder, remove_folder);
}
