/* SPDX-License-Identifier: Apache-2.0 */
/* Every system call that touches the disk fails once, in turn, in every kind of call. Either the
 * answer is JTG_OK and all was done, or it is a refusal: then no ticket was handed out, the file is
 * whole, and nothing that was stored is lost or doubled. */
#include "support/asserts.h"
#include "support/tls_cache.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NTH_MOST = 300, NTH_LEAST = 10 };

static struct tls_cache cache;
static unsigned fail_at; /* 0 = none */
static unsigned calls;
static int fail_errno;

static char order[64]; /* of writes, syncs and renames */

static void note(char call)
{
    size_t len = strlen(order);
    if (len + 1 < sizeof order)
        order[len] = call;
}

static bool fails(void)
{
    if (fail_at == 0 || ++calls != fail_at)
        return false;
    errno = fail_errno;
    return true;
}

/* The linker sends the library's calls here (--wrap). Those of the first four have a second name,
 * for large files, which the library uses or not as it is built. */
int __real_open(const char *path, int flags, mode_t mode);
int __wrap_open(const char *path, int flags, mode_t mode);
int __wrap_open64(const char *path, int flags, mode_t mode);
int __real_openat(int folder, const char *path, int flags, mode_t mode);
int __wrap_openat(int folder, const char *path, int flags, mode_t mode);
int __wrap_openat64(int folder, const char *path, int flags, mode_t mode);
int __real_fstat(int descriptor, struct stat *about);
int __wrap_fstat(int descriptor, struct stat *about);
int __wrap_fstat64(int descriptor, struct stat *about);
int __real_fstatat(int folder, const char *path, struct stat *about, int flags);
int __wrap_fstatat(int folder, const char *path, struct stat *about, int flags);
int __wrap_fstatat64(int folder, const char *path, struct stat *about, int flags);
int __real_fchmod(int descriptor, mode_t mode);
int __wrap_fchmod(int descriptor, mode_t mode);
int __real_fsync(int descriptor);
int __wrap_fsync(int descriptor);
int __real_linkat(int from_folder, const char *from, int to_folder, const char *to, int flags);
int __wrap_linkat(int from_folder, const char *from, int to_folder, const char *to, int flags);
int __real_mkdir(const char *path, mode_t mode);
int __wrap_mkdir(const char *path, mode_t mode);
ssize_t __real_read(int descriptor, void *bytes, size_t len);
ssize_t __wrap_read(int descriptor, void *bytes, size_t len);
int __real_renameat(int from_folder, const char *from, int to_folder, const char *to);
int __wrap_renameat(int from_folder, const char *from, int to_folder, const char *to);
int __real_unlinkat(int folder, const char *path, int flags);
int __wrap_unlinkat(int folder, const char *path, int flags);
ssize_t __real_write(int descriptor, const void *bytes, size_t len);
ssize_t __wrap_write(int descriptor, const void *bytes, size_t len);
int __real_flock(int descriptor, int operation);
int __wrap_flock(int descriptor, int operation);

int __wrap_open(const char *path, int flags, mode_t mode)
{
    return fails() ? -1 : __real_open(path, flags, mode);
}

int __wrap_open64(const char *path, int flags, mode_t mode)
{
    return __wrap_open(path, flags | O_LARGEFILE, mode);
}

int __wrap_openat(int folder, const char *path, int flags, mode_t mode)
{
    return fails() ? -1 : __real_openat(folder, path, flags, mode);
}

int __wrap_openat64(int folder, const char *path, int flags, mode_t mode)
{
    return __wrap_openat(folder, path, flags | O_LARGEFILE, mode);
}

int __wrap_fstat(int descriptor, struct stat *about)
{
    return fails() ? -1 : __real_fstat(descriptor, about);
}

int __wrap_fstat64(int descriptor, struct stat *about)
{
    return __wrap_fstat(descriptor, about);
}

int __wrap_fstatat(int folder, const char *path, struct stat *about, int flags)
{
    return fails() ? -1 : __real_fstatat(folder, path, about, flags);
}

int __wrap_fstatat64(int folder, const char *path, struct stat *about, int flags)
{
    return __wrap_fstatat(folder, path, about, flags);
}

int __wrap_fchmod(int descriptor, mode_t mode)
{
    return fails() ? -1 : __real_fchmod(descriptor, mode);
}

int __wrap_fsync(int descriptor)
{
    note('s');
    return fails() ? -1 : __real_fsync(descriptor);
}

int __wrap_linkat(int from_folder, const char *from, int to_folder, const char *to, int flags)
{
    return fails() ? -1 : __real_linkat(from_folder, from, to_folder, to, flags);
}

int __wrap_mkdir(const char *path, mode_t mode)
{
    return fails() ? -1 : __real_mkdir(path, mode);
}

ssize_t __wrap_read(int descriptor, void *bytes, size_t len)
{
    return fails() ? -1 : __real_read(descriptor, bytes, len);
}

int __wrap_renameat(int from_folder, const char *from, int to_folder, const char *to)
{
    note('r');
    return fails() ? -1 : __real_renameat(from_folder, from, to_folder, to);
}

int __wrap_unlinkat(int folder, const char *path, int flags)
{
    return fails() ? -1 : __real_unlinkat(folder, path, flags);
}

/* A disk that fills up takes the first half. */
ssize_t __wrap_write(int descriptor, const void *bytes, size_t len)
{
    note('w');
    if (!fails())
        return __real_write(descriptor, bytes, len);
    (void)!__real_write(descriptor, bytes, len / 2);
    errno = fail_errno;
    return -1;
}

/* Giving it back does not fail; a lock file that is closed is free. */
int __wrap_flock(int descriptor, int operation)
{
    return operation != LOCK_UN && fails() ? -1 : __real_flock(descriptor, operation);
}

/* ---- */

static uint32_t take_from(jtg_tls_tickets *tickets, const char *host)
{
    uint32_t number = UINT32_MAX;
    jtg_status status = tls_cache_take(tickets, host, &number);
    assert_true(status == JTG_OK || status == JTG_NOT_FOUND);
    return status == JTG_OK ? number : 0;
}

static void expect_rest(jtg_tls_tickets *tickets)
{
    jtg_tls_tickets_state state = JTG_TLS_TICKETS_STATE_INIT;
    assert_status(jtg_tls_tickets_load(tickets, &state, NULL), JTG_OK);
    assert_int_equal(state.is_corrupt + state.unreadable, 0);
    assert_int_equal(take_from(tickets, "b"), 2);
    assert_int_equal(take_from(tickets, "b"), 0);
}

/* Not handed out where the answer is a refusal, and in no case twice. */
static void try_take(jtg_tls_tickets *tickets, jtg_tls_tickets *other)
{
    uint32_t number = 0;
    jtg_status status = tls_cache_take(tickets, "a", &number);
    fail_at = 0;
    assert_int_equal(number, status == JTG_OK ? 1 : UINT32_MAX);
    uint32_t again = take_from(other, "a");
    assert_true(again == 0 || (again == 1 && status != JTG_OK));
    assert_int_equal(take_from(tickets, "a"), 0);
    expect_rest(other);
}

/* Stored, or remembered and stored by the next call. */
static void try_put(jtg_tls_tickets *tickets, jtg_tls_tickets *other)
{
    jtg_tls_fate fate = JTG_TLS_STORED;
    jtg_status status = tls_cache_put(tickets, "c", 3, &fate);
    fail_at = 0;
    assert_int_equal(fate, status == JTG_OK ? JTG_TLS_STORED : JTG_TLS_NOT_STORED);
    if (status == JTG_OK)
        assert_int_equal(take_from(other, "c"), 3);
    assert_status(jtg_tls_tickets_save(tickets, NULL), JTG_OK);
    if (status != JTG_OK)
        assert_int_equal(take_from(other, "c"), 3);
    assert_int_equal(take_from(tickets, "c"), 0);
    assert_int_equal(take_from(tickets, "a"), 1);
    expect_rest(tickets);
}

static void try_invalidate(jtg_tls_tickets *tickets, jtg_tls_tickets *other)
{
    jtg_endpoint endpoint = tls_cache_endpoint("a");
    jtg_status status = jtg_tls_tickets_invalidate(tickets, &endpoint, NULL);
    fail_at = 0;
    uint32_t left = take_from(other, "a");
    assert_true(left == 0 || (left == 1 && status != JTG_OK));
    expect_rest(tickets);
}

/* A purge that cannot be written holds in this object, and is written by the next call. */
static void try_purge(jtg_tls_tickets *tickets, jtg_tls_tickets *other)
{
    jtg_endpoint endpoint = tls_cache_endpoint("a");
    unsigned char pin[JTG_TLS_PIN_BYTES] = {1};
    jtg_status status = jtg_tls_tickets_pin_seen(tickets, &endpoint, pin, NULL);
    fail_at = 0;
    assert_int_equal(take_from(tickets, "a"), 0);
    if (status != JTG_OK)
        assert_status(jtg_tls_tickets_save(tickets, NULL), JTG_OK);
    assert_int_equal(take_from(other, "a"), 0);
    expect_rest(tickets);
}

/* The file is none of ours: it is never replaced before it is kept beside. */
static void try_corrupt(jtg_tls_tickets *tickets, jtg_tls_tickets *other)
{
    char bad[128];
    char *content = NULL;
    size_t len = 0;
    unsigned nth = fail_at;
    (void)other;
    fail_at = 0;
    tls_cache_beside(&cache, ".bad", bad);
    assert_true(tls_cache_write(cache.path, "none of ours", 12));
    fail_at = nth;
    jtg_status status = tls_cache_put(tickets, "a", 7, NULL);
    fail_at = 0;
    assert_true(tls_cache_read(cache.path, &content, &len));
    if (strcmp(content, "none of ours") != 0) {
        free(content);
        assert_true(tls_cache_read(bad, &content, &len));
        assert_string_equal(content, "none of ours");
    } else {
        assert_true(status != JTG_OK);
    }
    free(content);
    assert_int_equal(take_from(tickets, "a"), 7);
}

static void fail_everywhere(void (*try)(jtg_tls_tickets *, jtg_tls_tickets *), int with)
{
    bool failed = true;
    unsigned nth = 0;
    while (failed) {
        assert_in_range(++nth, 1, NTH_MOST);
        assert_true(tls_cache_set_up(&cache));
        jtg_tls_tickets *tickets = tls_cache_open(&cache);
        jtg_tls_tickets *other = tls_cache_open(&cache);
        assert_true(tickets != NULL && other != NULL);
        assert_status(tls_cache_put(other, "a", 1, NULL), JTG_OK);
        assert_status(tls_cache_put(other, "b", 2, NULL), JTG_OK);
        calls = 0;
        fail_errno = with;
        fail_at = nth;
        try(tickets, other);
        failed = calls >= nth;
        jtg_tls_tickets_free(tickets);
        jtg_tls_tickets_free(other);
        (void)tls_cache_tear_down(&cache);
    }
    assert_true(nth > NTH_LEAST);
}

static void of_a_take(void **state)
{
    (void)state;
    fail_everywhere(try_take, EIO);
    fail_everywhere(try_take, ENOSPC);
}

static void of_a_put(void **state)
{
    (void)state;
    fail_everywhere(try_put, EIO);
    fail_everywhere(try_put, EDQUOT);
}

static void of_an_invalidation(void **state)
{
    (void)state;
    fail_everywhere(try_invalidate, EIO);
}

static void of_a_purge(void **state)
{
    (void)state;
    fail_everywhere(try_purge, EROFS);
}

static void of_a_put_that_keeps_a_file_beside(void **state)
{
    (void)state;
    fail_everywhere(try_corrupt, EIO);
}

/* Killing a process does not show what a loss of power would: the order of the calls does. By the
 * time a take answers, the file is on the disk, and so is its name. */
static void a_take_is_on_the_disk_before_it_answers(void **state)
{
    (void)state;
    uint32_t number = 0;
    assert_true(tls_cache_set_up(&cache));
    jtg_tls_tickets *tickets = tls_cache_open(&cache);
    assert_non_null(tickets);
    memset(order, 0, sizeof order);
    assert_status(tls_cache_put(tickets, "a", 1, NULL), JTG_OK);
    assert_string_equal(order, "wsrs");
    memset(order, 0, sizeof order);
    assert_status(tls_cache_take(tickets, "a", &number), JTG_OK);
    assert_string_equal(order, "wsrs");
    memset(order, 0, sizeof order);
    assert_status(tls_cache_take(tickets, "a", &number), JTG_NOT_FOUND);
    assert_string_equal(order, "");
    jtg_tls_tickets_free(tickets);
    (void)tls_cache_tear_down(&cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_a_take),
        cmocka_unit_test(of_a_put),
        cmocka_unit_test(of_an_invalidation),
        cmocka_unit_test(of_a_purge),
        cmocka_unit_test(of_a_put_that_keeps_a_file_beside),
        cmocka_unit_test(a_take_is_on_the_disk_before_it_answers),
    };
    return cmocka_run_group_tests_name("every system call fails", tests, NULL, NULL);
}
