/* SPDX-License-Identifier: Apache-2.0 */
/* Names, lock and replacing. What can lie in its place: tests/disk/test_places.c. */
#include "tokens/tls/tls_file.h"

#include "support/asserts.h"
#include "support/tls_cache.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct tls_cache cache;
static struct jtgi_tls_file file;

static int set_up(void **state)
{
    (void)state;
    static const struct jtgi_tls_file none;
    file = none;
    if (!tls_cache_set_up(&cache))
        return -1;
    return jtgi_tls_file_set(&file, cache.path, NULL) == JTG_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    jtgi_tls_file_clear(&file);
    (void)tls_cache_tear_down(&cache);
    return 0;
}

static void a_path_is_a_folder_and_a_name(void **state)
{
    (void)state;
    static const char *const good[][3] = {
        {"name", ".", "name"}, {"/name", "/", "name"}, {"a/b/name", "a/b", "name"}};
    static const char *const wrong[] = {"", "/", "a/", ".", "a/..", "a/."};
    char long_path[JTG_TLS_PATH_MAX_BYTES + 2];
    for (size_t i = 0; i < 3; i++) {
        struct jtgi_tls_file made = {0};
        assert_status(jtgi_tls_file_set(&made, good[i][0], NULL), JTG_OK);
        assert_string_equal(made.folder, good[i][1]);
        assert_string_equal(made.name, good[i][2]);
        assert_string_equal(made.bad_name, "name.bad");
        jtgi_tls_file_clear(&made);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct jtgi_tls_file made = {0};
        assert_status(jtgi_tls_file_set(&made, wrong[i], NULL), JTG_ERR_ARGUMENT);
        jtgi_tls_file_clear(&made);
    }
    memset(long_path, 'x', sizeof long_path);
    long_path[sizeof long_path - 1] = '\0';
    struct jtgi_tls_file made = {0};
    assert_status(jtgi_tls_file_set(&made, long_path, NULL), JTG_ERR_ARGUMENT);
    long_path[241] = '\0';
    assert_status(jtgi_tls_file_set(&made, long_path, NULL), JTG_ERR_ARGUMENT);
    long_path[240] = '\0';
    assert_status(jtgi_tls_file_set(&made, long_path, NULL), JTG_OK);
    jtgi_tls_file_clear(&made);
}

static void one_holds_the_lock(void **state)
{
    (void)state;
    struct jtgi_tls_hold first = JTGI_TLS_HOLD_INIT;
    struct jtgi_tls_hold second = JTGI_TLS_HOLD_INIT;
    jtg_error err = JTG_ERROR_INIT;
    assert_status(jtgi_tls_file_lock(&file, 0, &first, NULL), JTG_OK);
    assert_status(jtgi_tls_file_lock(&file, 0, &second, &err), JTG_ERR_UNAVAILABLE);
    assert_err_tells(&err, JTG_ERR_UNAVAILABLE);
    jtgi_tls_file_release(&second);
    jtgi_tls_file_release(&first);
    assert_int_equal(first.folder, -1);
    assert_status(jtgi_tls_file_lock(&file, 0, &second, NULL), JTG_OK);
    jtgi_tls_file_release(&second);
    jtgi_tls_file_release(&second); /* twice is nothing */
}

/* A child that was forked while the lock was held must not keep it from everybody. */
static void a_forked_child_does_not_keep_the_lock(void **state)
{
    (void)state;
    int go[2];
    int status = 0;
    char byte = 0;
    struct jtgi_tls_hold hold = JTGI_TLS_HOLD_INIT;
    assert_int_equal(pipe(go), 0);
    assert_status(jtgi_tls_file_lock(&file, 0, &hold, NULL), JTG_OK);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)close(go[1]);
        _exit(read(go[0], &byte, 1) == 0 ? 0 : 1); /* until the parent is done */
    }
    jtgi_tls_file_release(&hold);
    assert_status(jtgi_tls_file_lock(&file, 0, &hold, NULL), JTG_OK);
    jtgi_tls_file_release(&hold);
    (void)close(go[0]);
    (void)close(go[1]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void it_is_replaced_and_read(void **state)
{
    (void)state;
    struct jtgi_tls_hold hold = JTGI_TLS_HOLD_INIT;
    struct jtgi_tls_text text = {0};
    char first[] = "first";
    struct jtgi_tls_text given = {first, 5, 5};
    bool moved = false;
    assert_status(jtgi_tls_file_lock(&file, 0, &hold, NULL), JTG_OK);
    assert_status(jtgi_tls_file_read(&file, &hold, &text, NULL), JTG_NOT_FOUND);
    assert_status(jtgi_tls_file_set_aside(&file, &hold, NULL), JTG_ERR_SYSTEM);
    assert_status(jtgi_tls_file_replace(&file, &hold, &given, &moved, NULL), JTG_OK);
    assert_true(moved);
    assert_status(jtgi_tls_file_read(&file, &hold, &text, NULL), JTG_OK);
    assert_int_equal(text.len, 5);
    assert_memory_equal(text.bytes, "first", 5);
    jtgi_tls_text_clear(&text);
    assert_status(jtgi_tls_file_set_aside(&file, &hold, NULL), JTG_OK);
    assert_status(jtgi_tls_file_read(&file, &hold, &text, NULL), JTG_OK); /* it is there as well */
    jtgi_tls_text_clear(&text);
    assert_status(jtgi_tls_file_set_aside(&file, &hold, NULL), JTG_OK); /* in the other's place */
    jtgi_tls_file_release(&hold);
}

/* Another may hold a lock file of the same name: what we began must not replace what it writes. */
static void without_the_lock_nothing_is_replaced(void **state)
{
    (void)state;
    char lock[128];
    char *content = NULL;
    size_t len = 0;
    char late[] = "late";
    char good[] = "good";
    struct jtgi_tls_text given = {good, 4, 4};
    struct jtgi_tls_hold hold = JTGI_TLS_HOLD_INIT;
    struct jtgi_tls_hold other = JTGI_TLS_HOLD_INIT;
    bool moved = true;
    tls_cache_beside(&cache, ".lock", lock);
    assert_status(jtgi_tls_file_lock(&file, 0, &hold, NULL), JTG_OK);
    assert_int_equal(unlink(lock), 0);
    assert_status(jtgi_tls_file_lock(&file, 0, &other, NULL), JTG_OK);
    assert_status(jtgi_tls_file_replace(&file, &other, &given, &moved, NULL), JTG_OK);
    given.bytes = late;
    assert_status(jtgi_tls_file_replace(&file, &hold, &given, &moved, NULL), JTG_ERR_UNAVAILABLE);
    assert_false(moved);
    assert_true(tls_cache_read(cache.path, &content, &len));
    assert_string_equal(content, "good");
    free(content);
    jtgi_tls_file_release(&hold);
    jtgi_tls_file_release(&other);
}

static void looking_makes_nothing(void **state)
{
    (void)state;
    struct jtgi_tls_hold hold = JTGI_TLS_HOLD_INIT;
    struct stat about;
    assert_int_equal(rmdir(cache.folder), 0);
    assert_status(jtgi_tls_file_look(&file, &hold, NULL), JTG_NOT_FOUND);
    jtgi_tls_file_release(&hold);
    assert_int_equal(stat(cache.folder, &about), -1);
    assert_status(jtgi_tls_file_lock(&file, 0, &hold, NULL), JTG_OK);
    jtgi_tls_file_release(&hold);
    assert_int_equal(stat(cache.folder, &about), 0);
    assert_int_equal(about.st_mode & 07777, 0700);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_path_is_a_folder_and_a_name),         TEST(one_holds_the_lock),
        TEST(a_forked_child_does_not_keep_the_lock), TEST(it_is_replaced_and_read),
        TEST(without_the_lock_nothing_is_replaced),  TEST(looking_makes_nothing),
    };
    return cmocka_run_group_tests_name("file of tls tickets", tests, NULL, NULL);
}
