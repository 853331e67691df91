/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/line/password/password.h"
#include "support/alloc_walk.h"
#include "support/asserts.h"

#include "core/log.h"

#include <fcntl.h>
#include <jtiguard/redis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char path[] = "/tmp/jtiguard-pw-XXXXXX";
static char last_line[256];
static unsigned lines;

static void note(void *context, jtg_log_level level, const char *line)
{
    (void)context;
    (void)level;
    (void)snprintf(last_line, sizeof last_line, "%s", line);
    lines++;
}

static const jtg_logger logger = {
    .struct_size = sizeof logger, .max_level = JTG_LOG_DEBUG, .write = note};

static void write_file(const void *data, size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, len), (ssize_t)len);
    (void)close(fd);
}

static int make_file(void **state)
{
    (void)state;
    lines = 0;
    last_line[0] = '\0';
    write_file("first\n", 6);
    return 0;
}

static int remove_file(void **state)
{
    (void)state;
    (void)unlink(path);
    return 0;
}

static jtg_status open_file(struct jtgi_password *password, jtg_error *err)
{
    return jtgi_password_init(password, NULL, path, "password_file", err);
}

static void assert_gives(struct jtgi_password *password, const char *expected)
{
    char *copy = NULL;
    assert_status(jtgi_password_copy(password, &logger, &copy, NULL), JTG_OK);
    assert_string_equal(copy, expected);
    jtgi_password_free(copy);
}

/* ---- what a file may hold ---- */

static jtg_status read_one(const void *data, size_t len, const char *expected)
{
    struct jtgi_password password;
    jtg_error err = JTG_ERROR_INIT;
    write_file(data, len);
    jtg_status status = open_file(&password, &err);
    assert_err_tells(&err, status);
    assert_null(strstr(err.text, "s3cret"));
    if (status != JTG_OK)
        return status;
    assert_gives(&password, expected);
    jtgi_password_clear(&password);
    return status;
}

/* Who can write it could log us in at a server of theirs. That others can read it is common:
 * containers mount secrets so. */
static void one_that_others_can_write(void **state)
{
    (void)state;
    static const mode_t bad[] = {0620, 0602, 0622, 0666, 0777};
    static const mode_t good[] = {0400, 0600, 0440, 0640, 0444, 0644};
    struct jtgi_password password;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        jtg_error err = JTG_ERROR_INIT;
        assert_int_equal(chmod(path, bad[i]), 0);
        assert_status(open_file(&password, &err), JTG_ERR_ARGUMENT);
        assert_non_null(strstr(err.text, "password_file: others than its owner may write it"));
    }
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_int_equal(chmod(path, good[i]), 0);
        assert_status(open_file(&password, NULL), JTG_OK);
        assert_gives(&password, "first");
        jtgi_password_clear(&password);
    }
}

static void one_line_end_is_not_part_of_it(void **state)
{
    (void)state;
    assert_status(read_one("s3cret", 6, "s3cret"), JTG_OK);
    assert_status(read_one("s3cret\n", 7, "s3cret"), JTG_OK);
    assert_status(read_one("s3cret\r\n", 8, "s3cret"), JTG_OK);
    assert_status(read_one(" s3 \n\n", 6, " s3 \n"), JTG_OK);
    assert_status(read_one("", 0, ""), JTG_ERR_ARGUMENT);
    assert_status(read_one("\n", 1, ""), JTG_ERR_ARGUMENT);
    assert_status(read_one("s3cret\0s3cret", 13, ""), JTG_ERR_ARGUMENT);
}

static void it_may_be_long_but_not_endless(void **state)
{
    static char text[JTG_REDIS_PASSWORD_MAX_BYTES + 2];
    (void)state;
    memset(text, 'x', JTG_REDIS_PASSWORD_MAX_BYTES + 1);
    assert_status(read_one(text, JTG_REDIS_PASSWORD_MAX_BYTES + 1, ""), JTG_ERR_ARGUMENT);
    text[JTG_REDIS_PASSWORD_MAX_BYTES] = '\0';
    assert_status(read_one(text, JTG_REDIS_PASSWORD_MAX_BYTES, text), JTG_OK);
}

static void a_file_that_is_not_there_is_told_by_its_option(void **state)
{
    struct jtgi_password password;
    jtg_error err = JTG_ERROR_INIT;
    (void)state;
    (void)unlink(path);
    assert_status(open_file(&password, &err), JTG_ERR_SYSTEM);
    assert_non_null(strstr(err.text, "password_file"));
    assert_null(strstr(err.text, path));
}

/* ---- a file that changes ---- */

static void a_new_password_is_taken_for_the_next_login(void **state)
{
    struct jtgi_password password;
    (void)state;
    assert_status(open_file(&password, NULL), JTG_OK);
    assert_gives(&password, "first");
    write_file("other", 5);
    assert_gives(&password, "other");
    write_file("third", 5); /* as long, and perhaps in the same moment */
    assert_gives(&password, "third");
    assert_int_equal(lines, 0);
    jtgi_password_clear(&password);
}

/* Told once, and once more when it is over. */
static void a_file_that_is_gone_leaves_what_it_held(void **state)
{
    struct jtgi_password password;
    (void)state;
    assert_status(open_file(&password, NULL), JTG_OK);
    (void)unlink(path);
    assert_gives(&password, "first");
    assert_gives(&password, "first");
    assert_int_equal(lines, 1);
    assert_non_null(strstr(last_line, "password_file"));
    assert_null(strstr(last_line, "first"));
    write_file("", 0); /* somebody begins to write it */
    assert_gives(&password, "first");
    assert_int_equal(lines, 1);
    write_file("other\n", 6);
    assert_gives(&password, "other");
    assert_int_equal(lines, 2);
    jtgi_password_clear(&password);
}

static void a_refusal_says_that_the_password_was_old(void **state)
{
    struct jtgi_password password;
    jtg_error err = JTG_ERROR_INIT;
    (void)state;
    assert_status(open_file(&password, NULL), JTG_OK);
    err.status = JTG_ERR_REFUSED;
    (void)snprintf(err.text, sizeof err.text, "it was refused");
    jtgi_password_explain(&password, &err);
    assert_string_equal(err.text, "it was refused");
    (void)unlink(path);
    assert_gives(&password, "first");
    jtgi_password_explain(&password, &err);
    assert_status(err.status, JTG_ERR_REFUSED);
    assert_non_null(strstr(err.text, "it was refused"));
    assert_non_null(strstr(err.text, "password_file"));
    jtgi_password_explain(&password, NULL);
    jtgi_password_clear(&password);
}

/* As a shell's <(…) gives it: it has its bytes once, and who reads it again waits. */
static void a_pipe_is_read_once(void **state)
{
    struct jtgi_password password;
    char pipe_path[32];
    int ends[2];
    (void)state;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "of a pipe\n", 10), 10);
    (void)close(ends[1]);
    (void)snprintf(pipe_path, sizeof pipe_path, "/dev/fd/%d", ends[0]);
    assert_status(jtgi_password_init(&password, NULL, pipe_path, "password_file", NULL), JTG_OK);
    assert_gives(&password, "of a pipe");
    assert_gives(&password, "of a pipe");
    assert_int_equal(lines, 0);
    jtgi_password_clear(&password);
    (void)close(ends[0]);
}

/* ---- no file ---- */

static void what_was_given_stays(void **state)
{
    struct jtgi_password password;
    char *copy = NULL;
    (void)state;
    assert_status(jtgi_password_init(&password, "given", NULL, "password_file", NULL), JTG_OK);
    assert_true(jtgi_password_is_set(&password));
    assert_gives(&password, "given");
    jtgi_password_clear(&password);
    assert_status(jtgi_password_init(&password, NULL, NULL, "password_file", NULL), JTG_OK);
    assert_false(jtgi_password_is_set(&password));
    assert_status(jtgi_password_copy(&password, &logger, &copy, NULL), JTG_OK);
    assert_null(copy);
    jtgi_password_clear(&password);
}

static void without_memory_there_is_no_login(void **state)
{
    struct jtgi_password password;
    char *copy = NULL;
    (void)state;
    assert_status(open_file(&password, NULL), JTG_OK);
    alloc_walk_fail_all();
    assert_status(jtgi_password_copy(&password, &logger, &copy, NULL), JTG_ERR_MEMORY);
    assert_true(alloc_walk_end());
    assert_null(copy);
    assert_gives(&password, "first");
    jtgi_password_clear(&password);
}

#define ON_FILE(name) cmocka_unit_test_setup_teardown(name, make_file, remove_file)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_FILE(one_that_others_can_write),
        ON_FILE(one_line_end_is_not_part_of_it),
        ON_FILE(it_may_be_long_but_not_endless),
        ON_FILE(a_file_that_is_not_there_is_told_by_its_option),
        ON_FILE(a_new_password_is_taken_for_the_next_login),
        ON_FILE(a_file_that_is_gone_leaves_what_it_held),
        ON_FILE(a_refusal_says_that_the_password_was_old),
        ON_FILE(a_pipe_is_read_once),
        ON_FILE(what_was_given_stays),
        ON_FILE(without_memory_there_is_no_login),
    };
    int fd = mkstemp(path);
    if (fd < 0)
        return 1;
    (void)close(fd);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
