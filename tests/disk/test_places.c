/* SPDX-License-Identifier: Apache-2.0 */
/* What can lie in the place of the file, of its lock and of its folder, and disks that are full or
 * cannot be written. */
#include "support/asserts.h"
#include "support/tls_cache.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { NOBODY = 65534 };

static struct tls_cache cache;

static int set_up(void **state)
{
    (void)state;
    return tls_cache_set_up(&cache) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    (void)chmod(cache.folder, 0700);
    (void)tls_cache_tear_down(&cache);
    return 0;
}

/* With tickets 1 and 2 in it. */
static jtg_tls_tickets *open_filled(void)
{
    jtg_tls_tickets *tickets = tls_cache_open(&cache);
    assert_non_null(tickets);
    assert_status(tls_cache_put(tickets, "a", 1, NULL), JTG_OK);
    assert_status(tls_cache_put(tickets, "a", 2, NULL), JTG_OK);
    return tickets;
}

static void assert_refused(jtg_tls_tickets *tickets, const char *why)
{
    jtg_error err = JTG_ERROR_INIT;
    jtg_tls_ticket ticket = JTG_TLS_TICKET_INIT;
    jtg_endpoint endpoint = tls_cache_endpoint("a");
    unsigned char pin[JTG_TLS_PIN_BYTES] = {1};
    assert_status(jtg_tls_tickets_take(tickets, &endpoint, NULL, &ticket, &err), JTG_ERR_UNSAFE);
    if (strstr(err.text, why) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", err.text, why);
    assert_status(jtg_tls_tickets_get(tickets, &endpoint, NULL, &ticket, NULL), JTG_ERR_UNSAFE);
    assert_status(jtg_tls_tickets_load(tickets, NULL, NULL), JTG_ERR_UNSAFE);
    assert_status(tls_cache_put(tickets, "b", 9, NULL), JTG_ERR_UNSAFE);
    assert_status(jtg_tls_tickets_pin_seen(tickets, &endpoint, pin, NULL), JTG_ERR_UNSAFE);
    assert_status(jtg_tls_tickets_invalidate(tickets, &endpoint, NULL), JTG_ERR_UNSAFE);
    assert_status(jtg_tls_tickets_save(tickets, NULL), JTG_ERR_UNSAFE);
    assert_int_equal(jtg_tls_tickets_len(tickets), 0);
}

/* ---- in the place of the file ---- */

/* Neither is what it points to read, nor is the link replaced. */
static void a_symbolic_link_is_not_followed(void **state)
{
    (void)state;
    char target[128];
    struct stat about;
    jtg_tls_tickets *tickets = open_filled();
    tls_cache_beside(&cache, ".elsewhere", target);
    assert_int_equal(rename(cache.path, target), 0);
    assert_int_equal(symlink(target, cache.path), 0);
    assert_refused(tickets, "symbolic link");
    assert_int_equal(lstat(cache.path, &about), 0);
    assert_true(S_ISLNK(about.st_mode));
    assert_int_equal(unlink(cache.path), 0);
    assert_int_equal(symlink("/nonexistent/anywhere", cache.path), 0);
    assert_refused(tickets, "symbolic link");
    jtg_tls_tickets_free(tickets);
}

static void only_a_regular_file_is_read(void **state)
{
    (void)state;
    jtg_tls_tickets *tickets = open_filled();
    assert_int_equal(unlink(cache.path), 0);
    assert_int_equal(mkfifo(cache.path, 0600), 0); /* must not hang either */
    assert_refused(tickets, "regular");
    assert_int_equal(unlink(cache.path), 0);
    assert_int_equal(mkdir(cache.path, 0700), 0);
    assert_refused(tickets, "regular");
    assert_int_equal(rmdir(cache.path), 0);
    if (geteuid() == 0 && mknod(cache.path, S_IFCHR | 0600, makedev(1, 5)) == 0)
        assert_refused(tickets, "regular"); /* /dev/zero has no end */
    jtg_tls_tickets_free(tickets);
}

static void nobody_else_may_use_it(void **state)
{
    (void)state;
    static const mode_t modes[] = {0640, 0620, 0604, 0602, 0660, 0666};
    jtg_tls_tickets *tickets = open_filled();
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        assert_int_equal(chmod(cache.path, modes[i]), 0);
        assert_refused(tickets, "chmod 0600");
    }
    assert_int_equal(chmod(cache.path, 0600), 0);
    if (geteuid() == 0) {
        assert_int_equal(chown(cache.path, NOBODY, NOBODY), 0);
        assert_refused(tickets, "another user");
        assert_int_equal(chown(cache.path, 0, 0), 0);
    }
    /* What could not be written has waited: a ticket, and a pin that those before do not have. */
    assert_int_equal(jtg_tls_tickets_len(tickets), 1);
    jtg_tls_tickets_free(tickets);
}

static void nobody_else_may_change_its_folder(void **state)
{
    (void)state;
    jtg_tls_tickets *tickets = open_filled();
    assert_int_equal(chmod(cache.folder, 0770), 0);
    assert_refused(tickets, "folder");
    assert_int_equal(chmod(cache.folder, 01777), 0);
    assert_refused(tickets, "folder");
    assert_int_equal(chmod(cache.folder, 0755), 0);
    assert_status(jtg_tls_tickets_load(tickets, NULL, NULL), JTG_OK);
    if (geteuid() == 0) {
        assert_int_equal(chown(cache.folder, NOBODY, NOBODY), 0);
        assert_refused(tickets, "another user");
        assert_int_equal(chown(cache.folder, 0, 0), 0);
    }
    jtg_tls_tickets_free(tickets);
}

/* 1 TiB that takes no room: none of it is read. */
static void a_huge_file_counts_as_empty(void **state)
{
    (void)state;
    char bad[128];
    struct stat about;
    jtg_tls_tickets_state found = JTG_TLS_TICKETS_STATE_INIT;
    jtg_tls_tickets *tickets = open_filled();
    assert_int_equal(truncate(cache.path, JTG_TLS_FILE_MAX_BYTES), 0); /* NULs at its end */
    assert_status(jtg_tls_tickets_load(tickets, &found, NULL), JTG_OK);
    assert_int_equal(found.is_corrupt, 1);
    assert_int_equal(truncate(cache.path, INT64_C(1) << 40), 0);
    assert_status(jtg_tls_tickets_load(tickets, &found, NULL), JTG_OK);
    assert_int_equal(found.is_corrupt, 1);
    assert_int_equal(found.tickets, 0);
    assert_status(tls_cache_put(tickets, "a", 3, NULL), JTG_OK);
    tls_cache_beside(&cache, ".bad", bad);
    assert_int_equal(stat(bad, &about), 0);
    assert_int_equal(about.st_size, INT64_C(1) << 40);
    assert_int_equal(jtg_tls_tickets_len(tickets), 1);
    jtg_tls_tickets_free(tickets);
}

/* ---- in the place of what lies beside it ---- */

static void the_lock_is_as_strict(void **state)
{
    (void)state;
    char lock[128];
    uint32_t number = 0;
    jtg_tls_tickets *tickets = open_filled();
    tls_cache_beside(&cache, ".lock", lock);
    assert_int_equal(unlink(lock), 0);
    assert_int_equal(symlink("/dev/null", lock), 0);
    assert_status(tls_cache_take(tickets, "a", &number), JTG_ERR_UNSAFE);
    assert_int_equal(unlink(lock), 0);
    assert_int_equal(mkfifo(lock, 0600), 0);
    assert_status(tls_cache_take(tickets, "a", &number), JTG_ERR_UNSAFE);
    assert_int_equal(unlink(lock), 0);
    assert_true(tls_cache_write(lock, "", 0));
    assert_int_equal(chmod(lock, 0666), 0); /* anybody could hold it for ever */
    assert_status(tls_cache_take(tickets, "a", &number), JTG_ERR_UNSAFE);
    assert_int_equal(unlink(lock), 0);
    assert_status(tls_cache_take(tickets, "a", &number), JTG_OK);
    jtg_tls_tickets_free(tickets);
}

/* What lies where the new file is to be written goes, and is not followed. */
static void a_trap_for_the_new_file_goes(void **state)
{
    (void)state;
    char new[128];
    char target[128];
    struct stat about;
    uint32_t number = 0;
    jtg_tls_tickets *tickets = open_filled();
    tls_cache_beside(&cache, ".new", new);
    tls_cache_beside(&cache, ".target", target);
    assert_int_equal(symlink(target, new), 0);
    assert_status(tls_cache_take(tickets, "a", &number), JTG_OK);
    assert_int_equal(stat(target, &about), -1);
    assert_int_equal(mkdir(new, 0700), 0);
    assert_status(tls_cache_take(tickets, "a", &number), JTG_ERR_SYSTEM);
    assert_int_equal(rmdir(new), 0);
    assert_status(tls_cache_take(tickets, "a", &number), JTG_OK);
    jtg_tls_tickets_free(tickets);
}

/* Somebody holds the lock and does not let go: the call ends, without a ticket. */
static void a_held_lock_does_not_hang(void **state)
{
    (void)state;
    char lock[128];
    struct timespec began;
    struct timespec ended;
    uint32_t number = 0;
    cache.options.lock_wait_ms = 30;
    jtg_tls_tickets *tickets = open_filled();
    tls_cache_beside(&cache, ".lock", lock);
    int held = open(lock, O_RDWR | O_CLOEXEC);
    assert_int_equal(flock(held, LOCK_EX), 0);
    (void)clock_gettime(CLOCK_MONOTONIC, &began);
    assert_status(tls_cache_take(tickets, "a", &number), JTG_ERR_UNAVAILABLE);
    (void)clock_gettime(CLOCK_MONOTONIC, &ended);
    assert_true((ended.tv_sec - began.tv_sec) * 1000 + (ended.tv_nsec - began.tv_nsec) / 1000000 >=
                29);
    assert_status(tls_cache_put(tickets, "c", 3, NULL), JTG_ERR_UNAVAILABLE);
    assert_int_equal(jtg_tls_tickets_len(tickets), 3); /* remembered; and looking needs no lock */
    assert_status(tls_cache_take(tickets, "none", &number), JTG_NOT_FOUND);
    /* Somebody takes the file away, and thinks that helps: the lock is the one that has the name.
     */
    assert_int_equal(unlink(lock), 0);
    assert_status(tls_cache_take(tickets, "c", &number), JTG_OK);
    assert_int_equal(number, 3);
    (void)close(held);
    jtg_tls_tickets_free(tickets);
}

/* ---- disks ---- */

/* The rest runs in a process that can lose its rights or its disk. Its exit says where it failed.
 */
typedef int (*task)(jtg_tls_tickets *tickets);

static void in_a_child(task run, const char *path)
{
    int status = 0;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        jtg_tls_tickets *tickets = NULL;
        int code = 99;
        if (jtg_tls_tickets_open(&tickets, path, &cache.options, NULL) == JTG_OK)
            code = run(tickets);
        jtg_tls_tickets_free(tickets);
        _exit(code);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static int read_only(jtg_tls_tickets *tickets)
{
    uint32_t number = 0;
    jtg_tls_ticket ticket = JTG_TLS_TICKET_INIT;
    jtg_endpoint endpoint = tls_cache_endpoint("a");
    jtg_error err = JTG_ERROR_INIT;
    if (jtg_tls_tickets_get(tickets, &endpoint, NULL, &ticket, NULL) != JTG_OK)
        return 2;
    jtg_tls_ticket_clear(&ticket);
    if (jtg_tls_tickets_take(tickets, &endpoint, NULL, &ticket, &err) != JTG_ERR_SYSTEM ||
        ticket.storage != NULL || err.system_errno != EACCES)
        return 3;
    if (tls_cache_put(tickets, "b", 3, NULL) != JTG_ERR_SYSTEM)
        return 4;
    if (tls_cache_take(tickets, "none", &number) != JTG_NOT_FOUND)
        return 5;
    return jtg_tls_tickets_len(tickets) == 3 ? 0 : 6;
}

static void nothing_is_handed_out_from_a_read_only_folder(void **state)
{
    (void)state;
    jtg_tls_tickets *tickets = open_filled();
    jtg_tls_tickets_free(tickets);
    uid_t user = geteuid() == 0 ? NOBODY : geteuid();
    char lock[128];
    tls_cache_beside(&cache, ".lock", lock);
    assert_int_equal(chown(cache.folder, user, (gid_t)-1), 0);
    assert_int_equal(chown(cache.path, user, (gid_t)-1), 0);
    assert_int_equal(chown(lock, user, (gid_t)-1), 0);
    assert_int_equal(chmod(cache.folder, 0500), 0);
    int status = 0;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        jtg_tls_tickets *own = NULL;
        if (setresuid(user, user, user) != 0 ||
            jtg_tls_tickets_open(&own, cache.path, &cache.options, NULL) != JTG_OK)
            _exit(1);
        int code = read_only(own);
        jtg_tls_tickets_free(own);
        _exit(code);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(chown(cache.folder, geteuid(), (gid_t)-1), 0);
    assert_int_equal(chown(cache.path, geteuid(), (gid_t)-1), 0);
    assert_int_equal(chown(lock, geteuid(), (gid_t)-1), 0);
    assert_int_equal(chmod(cache.folder, 0700), 0);
    tickets = tls_cache_open(&cache);
    assert_int_equal(jtg_tls_tickets_len(tickets), 2); /* the file is as it was */
    jtg_tls_tickets_free(tickets);
}

/* Nothing more fits. What was stored holds, what is full is said, and later all goes on. */
static int fill_up(jtg_tls_tickets *tickets)
{
    jtg_error err = JTG_ERROR_INIT;
    jtg_endpoint endpoint = tls_cache_endpoint("big");
    jtg_tls_ticket ticket = JTG_TLS_TICKET_INIT;
    static unsigned char bytes[40000];
    jtg_status status = JTG_OK;
    uint32_t number = 0;
    if (tls_cache_put(tickets, "a", 1, NULL) != JTG_OK)
        return 2;
    for (unsigned char i = 0; status == JTG_OK && i < 100; i++) {
        memset(bytes, i + 1, sizeof bytes);
        char host[8];
        (void)snprintf(host, sizeof host, "big%u", (unsigned)i);
        endpoint.host = host;
        ticket = (jtg_tls_ticket)JTG_TLS_TICKET_INIT;
        ticket.ticket = bytes;
        ticket.ticket_len = sizeof bytes;
        ticket.lifetime_s = 100;
        status = jtg_tls_tickets_put(tickets, &endpoint, &ticket, NULL, &err);
    }
    if (status != JTG_ERR_SYSTEM || (err.system_errno != ENOSPC && err.system_errno != EFBIG))
        return 3;
    if (tls_cache_take(tickets, "a", &number) != JTG_ERR_SYSTEM) /* too large with what waits */
        return 4;
    jtg_tls_tickets_state state = JTG_TLS_TICKETS_STATE_INIT;
    if (jtg_tls_tickets_load(tickets, &state, NULL) != JTG_OK || state.is_corrupt != 0 ||
        state.unsaved != 1)
        return 5;
    return state.tickets >= 2 ? 0 : 6;
}

static int at_a_limit(jtg_tls_tickets *tickets)
{
    struct rlimit before;
    uint32_t number = 0;
    if (signal(SIGXFSZ, SIG_IGN) == SIG_ERR || getrlimit(RLIMIT_FSIZE, &before) != 0)
        return 1;
    const struct rlimit limit = {300000, before.rlim_max};
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
        return 1;
    int code = fill_up(tickets);
    if (code != 0 || setrlimit(RLIMIT_FSIZE, &before) != 0)
        return code;
    return tls_cache_take(tickets, "a", &number) == JTG_OK && number == 1 ? 0 : 7;
}

static void a_full_quota_is_said(void **state)
{
    (void)state;
    in_a_child(at_a_limit, cache.path);
    jtg_tls_tickets *tickets = tls_cache_open(&cache);
    assert_true(jtg_tls_tickets_len(tickets) >= 1);
    jtg_tls_tickets_free(tickets);
}

/* A disk of 512 KiB of its own, in a mount namespace of its own. Where that is not allowed, the
 * quota above has to do. */
static int on_a_small_disk(jtg_tls_tickets *tickets)
{
    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("none", cache.folder, "tmpfs", 0, "size=512k,mode=0700") != 0) {
        print_message("no disk of its own: %s\n", strerror(errno));
        return 0;
    }
    return fill_up(tickets);
}

static void a_full_disk_is_said(void **state)
{
    (void)state;
    in_a_child(on_a_small_disk, cache.path);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_symbolic_link_is_not_followed),
        TEST(only_a_regular_file_is_read),
        TEST(nobody_else_may_use_it),
        TEST(nobody_else_may_change_its_folder),
        TEST(a_huge_file_counts_as_empty),
        TEST(the_lock_is_as_strict),
        TEST(a_trap_for_the_new_file_goes),
        TEST(a_held_lock_does_not_hang),
        TEST(nothing_is_handed_out_from_a_read_only_folder),
        TEST(a_full_quota_is_said),
        TEST(a_full_disk_is_said),
    };
    return cmocka_run_group_tests_name("places of the file", tests, NULL, NULL);
}
