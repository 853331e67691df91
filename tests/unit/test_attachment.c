/* SPDX-License-Identifier: Apache-2.0 */
/* Processes that come, die and leave; files that are not what they should be. */
#include "host/attachment.h"
#include "host/since.h"
#include "support/asserts.h"
#include "support/host_folder.h"
#include "support/test_clock.h"

#include <errno.h>
#include <fcntl.h>
#include <jtiguard/host.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

enum { MANY = 8, CROWD = 200, ROUNDS = 20, TTL_MS = 60000 };

static struct host_folder folder;
static struct test_clock hands;
static jtg_clock clock_of_test;
static struct jtgi_host_terms terms;

static int begin(void **state)
{
    (void)state;
    host_folder_make(&folder);
    test_clock_init(&hands);
    clock_of_test = test_clock_as_jtg(&hands);
    terms = (struct jtgi_host_terms){.max_entries = 5000,
                                     .max_values = 50,
                                     .max_value_bytes = 20000,
                                     .max_entries_per_group = 100,
                                     .spot = {folder.store, (uid_t)-1, (gid_t)-1},
                                     .lock_wait_ms = 50,
                                     .clock = &clock_of_test};
    return 0;
}

static int end(void **state)
{
    (void)state;
    host_folder_remove(&folder);
    return 0;
}

static struct jtgi_host_attachment *attached(void)
{
    struct jtgi_host_attachment *at = NULL;
    assert_status(jtgi_host_attach(&at, &terms, NULL), JTG_OK);
    return at;
}

static void refused(jtg_status expected, const char *said)
{
    struct jtgi_host_attachment *at = NULL;
    jtg_error err = JTG_ERROR_INIT;
    assert_status(jtgi_host_attach(&at, &terms, &err), expected);
    assert_err_tells(&err, expected);
    assert_non_null(strstr(err.text, said));
    assert_null(at);
}

static jtg_status reserve(struct jtgi_host_attachment *at, const char *text, unsigned owner)
{
    jtg_key key = {text, strlen(text), "a group", 7};
    jtg_owner by = {{(unsigned char)owner}};
    return jtgi_table_reserve(at->table, &key, &by, 1000, TTL_MS);
}

static void ends_well(pid_t child)
{
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

/* ---- coming and going ---- */

static void all_have_the_same_entries(void **state)
{
    (void)state;
    struct jtgi_host_attachment *one = attached();
    terms.max_entries = 77; /* the file's hold */
    struct jtgi_host_attachment *two = attached();
    assert_true(one->made && !two->made);
    assert_int_equal(two->file.header->max_entries, 5000);
    assert_true(one->party.word != two->party.word);
    assert_status(reserve(one, "a jti", 1), JTG_OK);
    assert_status(reserve(two, "a jti", 2), JTG_REPLAYED);
    assert_int_equal(atomic_load(&one->file.header->users_noted), 2);
    jtgi_host_detach(one, false);
    struct jtgi_host_attachment *three = attached();
    assert_status(reserve(three, "a jti", 3), JTG_REPLAYED);
    jtgi_host_detach(two, false);
    jtgi_host_detach(three, false);
    three = attached();
    assert_int_equal(atomic_load(&three->file.header->users_noted), 1);
    jtgi_host_detach(three, false);
}

static void it_must_exist_where_that_is_asked(void **state)
{
    (void)state;
    terms.must_exist = true;
    refused(JTG_ERR_UNAVAILABLE, "none");
    terms.must_exist = false;
    jtgi_host_detach(attached(), false);
    terms.must_exist = true;
    jtgi_host_detach(attached(), false);
}

/* Places in the pool that a dead process had drawn, and what groups counted, are counted anew. */
static void who_is_alone_counts_what_the_dead_left(void **state)
{
    struct jtgi_table_stats stats;
    (void)state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct jtgi_host_attachment *at = attached();
        _exit(reserve(at, "a jti", 1) == JTG_OK ? 0 : 1); /* without leaving */
    }
    ends_well(child);
    struct jtgi_host_attachment *at = attached();
    assert_int_equal(atomic_load(&at->file.header->users_noted), 1);
    assert_status(jtgi_table_stats_get(at->table, &stats), JTG_OK);
    assert_int_equal(stats.entries, 1);
    assert_status(reserve(at, "a jti", 2), JTG_REPLAYED);
    jtgi_host_detach(at, false);
}

/* Its maker is killed between the name and the date. */
static void an_undated_file_is_dated_by_who_comes(void **state)
{
    (void)state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct jtgi_host_attachment *at = attached();
        atomic_store(&at->file.header->dating, at->party.word);
        atomic_store(&at->file.header->since_ms, JTGI_HOST_UNDATED);
        _exit(0);
    }
    ends_well(child);
    test_clock_advance(&hands, 30000);
    struct jtgi_host_attachment *at = attached();
    assert_true(atomic_load(&at->file.header->since_ms) == TEST_CLOCK_MONOTONIC_MS + 31001);
    assert_int_equal(atomic_load(&at->file.header->dating), 0);
    jtgi_host_detach(at, false);
}

/* Each begins when the last one is there: when nobody holds the other end any more. */
static pid_t start_maker(const int gate[2], unsigned number)
{
    char byte;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)close(gate[1]);
        if (read(gate[0], &byte, 1) != 0)
            _exit(2);
        struct jtgi_host_attachment *at = attached();
        jtg_status status = reserve(at, "a jti", number);
        jtgi_host_detach(at, false);
        _exit(status == JTG_OK ? 1 : status == JTG_REPLAYED ? 0 : 2);
    }
    return child;
}

/* One of them makes it, and one is admitted. */
static void make_at_once(unsigned count)
{
    pid_t children[CROWD];
    int gate[2], admitted = 0;
    assert_int_equal(pipe(gate), 0);
    for (unsigned i = 0; i < count; i++)
        children[i] = start_maker(gate, i);
    (void)close(gate[0]);
    (void)close(gate[1]);
    for (unsigned i = 0; i < count; i++) {
        int status = 0;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 2);
        admitted += WEXITSTATUS(status);
    }
    assert_int_equal(admitted, 1);
    host_folder_remove_store(&folder);
}

static void many_make_one(void **state)
{
    (void)state;
    for (int round = 0; round < ROUNDS; round++)
        make_at_once(MANY);
}

static void two_hundred_make_one(void **state)
{
    (void)state;
    terms.lock_wait_ms = JTG_HOST_LOCK_WAIT_MS_LIMIT; /* on a machine that has much to do */
    make_at_once(CROWD);
}

/* ---- a machine's limits ---- */

/* As 4,096 processes would. */
static int take_all_places(void)
{
    const uint64_t first_byte = offsetof(struct jtgi_host_header, users);
    int descriptor = open(folder.store, O_RDWR | O_CLOEXEC);
    assert_true(descriptor >= 0);
    assert_true(
        jtgi_places_take_all(&(struct jtgi_places){.fd = descriptor, .first_byte = first_byte}));
    return descriptor;
}

static void one_more_than_there_are_places_is_refused(void **state)
{
    (void)state;
    jtgi_host_detach(attached(), false);
    terms.is_in_call = true; /* it does not wait as long as a start may */
    int descriptor = take_all_places();
    refused(JTG_ERR_UNAVAILABLE, "no place in it is free");
    struct flock last = {.l_type = F_UNLCK,
                         .l_whence = SEEK_SET,
                         .l_start =
                             (off_t)offsetof(struct jtgi_host_header, users) + JTGI_PLACES - 1,
                         .l_len = 1};
    assert_int_equal(fcntl(descriptor, F_OFD_SETLK, &last), 0);
    struct jtgi_host_attachment *at = attached();
    assert_int_equal(jtgi_lock_place(at->party.word), JTGI_PLACES);
    assert_status(reserve(at, "a jti", 1), JTG_OK);
    refused(JTG_ERR_UNAVAILABLE, "no place in it is free");
    jtgi_host_detach(at, false);
    (void)close(descriptor);
}

enum { CANNOT = 2 };

/* A child that may do what it wants to the machine that it sees: 0 if all was right. */
static void in_a_world_of_its_own(int how, bool (*act)(void))
{
    int status = 0;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(unshare(how) != 0 ? CANNOT : act() ? 0 : 1);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_not_equal(WEXITSTATUS(status), 1);
    if (WEXITSTATUS(status) == CANNOT)
        print_message("cannot be done here\n");
}

/* Room for one of them, and for nothing beside it. */
static bool fill_a_small_tmpfs(void)
{
    struct jtgi_host_attachment *at = NULL;
    jtg_error err = JTG_ERROR_INIT;
    if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("none", folder.path, "tmpfs", 0, "size=1m,mode=0700") != 0)
        _exit(CANNOT);
    terms.max_entries_per_group = 0; /* the counters of it take a MiB */
    terms.max_entries = 100000;
    bool full = jtgi_host_attach(&at, &terms, &err) == JTG_ERR_MEMORY &&
                err.system_errno == ENOSPC && access(folder.store, F_OK) != 0;
    terms.max_entries = 10000;
    bool made = jtgi_host_attach(&at, &terms, NULL) == JTG_OK;
    for (unsigned i = 0; made && i < 5000; i++) {
        char text[16];
        (void)snprintf(text, sizeof text, "%u", i);
        made = reserve(at, text, 1) != JTG_ERR_FULL;
    }
    return full && made;
}

static void a_small_tmpfs_that_is_full_is_an_answer(void **state)
{
    (void)state;
    in_a_world_of_its_own(CLONE_NEWNS, fill_a_small_tmpfs);
}

/* Who comes into it by its next fork has another clock than those who use the store. */
static bool come_with_another_clock(void)
{
    struct jtgi_host_attachment *at = NULL;
    jtg_error err = JTG_ERROR_INIT;
    int status = 0;
    int offsets = open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC);
    if (offsets < 0 || write(offsets, "monotonic 86400 0", 17) != 17)
        _exit(CANNOT);
    pid_t child = fork();
    if (child == 0)
        _exit(jtgi_host_attach(&at, &terms, &err) == JTG_ERR_UNSAFE &&
                      strstr(err.text, "time namespace") != NULL &&
                      strstr(err.text, "in use") != NULL
                  ? 0
                  : 1);
    return waitpid(child, &status, 0) == child && status == 0;
}

static void another_clock_is_refused(void **state)
{
    (void)state;
    struct jtgi_host_attachment *at = attached();
    in_a_world_of_its_own(CLONE_NEWTIME, come_with_another_clock);
    assert_status(reserve(at, "a jti", 1), JTG_OK);
    jtgi_host_detach(at, false);
}

/* ---- files that are not what they should be ---- */

static void write_at(off_t at, const void *bytes, size_t count)
{
    int descriptor = open(folder.store, O_WRONLY);
    assert_true(descriptor >= 0);
    assert_int_equal(pwrite(descriptor, bytes, count, at), count);
    (void)close(descriptor);
}

static void break_layout(void)
{
    static const uint32_t other = 99;
    write_at(offsetof(struct jtgi_host_header, layout), &other, sizeof other);
}

static void break_boot(void)
{
    write_at(offsetof(struct jtgi_host_header, identity), "x", 1);
}

static void break_namespace(void)
{
    static const uint64_t other = 99;
    write_at(offsetof(struct jtgi_host_header, identity.time_namespace), &other, sizeof other);
}

static void lengthen(void)
{
    struct stat about;
    assert_int_equal(stat(folder.store, &about), 0);
    assert_int_equal(truncate(folder.store, about.st_size + 1), 0);
}

static void (*const breaks[])(void) = {break_layout, break_boot, break_namespace, lengthen};

static void who_is_used_is_left_alone(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof breaks / sizeof breaks[0]; i++) {
        char number[32];
        struct jtgi_host_attachment *at = attached();
        breaks[i]();
        (void)snprintf(number, sizeof number, "process %d", (int)getpid());
        refused(JTG_ERR_UNSAFE, number);
        jtgi_host_detach(at, false);
        host_folder_remove_store(&folder);
    }
}

static void who_is_not_is_replaced(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof breaks / sizeof breaks[0]; i++) {
        struct jtgi_host_attachment *at = attached();
        assert_status(reserve(at, "a jti", 1), JTG_OK);
        jtgi_host_detach(at, false);
        breaks[i]();
        test_clock_advance(&hands, 1000);
        at = attached();
        assert_true(at->made);
        assert_non_null(at->replaced);
        assert_true(atomic_load(&at->file.header->since_ms) ==
                    atomic_load(&hands.monotonic_ms) + 1001);
        assert_status(reserve(at, "a jti", 2), JTG_OK); /* which is why it says since when */
        jtgi_host_detach(at, false);
        host_folder_remove_store(&folder);
    }
}

/* Who only looks makes none in its place, and takes nothing away. */
static void who_is_not_stays_where_one_must_exist(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof breaks / sizeof breaks[0]; i++) {
        struct stat before, after;
        terms.must_exist = false;
        jtgi_host_detach(attached(), false);
        breaks[i]();
        assert_int_equal(stat(folder.store, &before), 0);
        terms.must_exist = true;
        refused(JTG_ERR_UNAVAILABLE, "there is none at");
        assert_int_equal(stat(folder.store, &after), 0);
        assert_true(before.st_ino == after.st_ino);
        terms.must_exist = false;
        struct jtgi_host_attachment *at = attached();
        assert_non_null(at->replaced);
        jtgi_host_detach(at, false);
        host_folder_remove_store(&folder);
    }
}

static void what_is_empty_is_replaced_and_what_is_foreign_is_not(void **state)
{
    (void)state;
    int descriptor = open(folder.store, O_CREAT | O_WRONLY, 0600);
    assert_true(descriptor >= 0);
    (void)close(descriptor);
    jtgi_host_detach(attached(), false);
    write_at(0, "precious", 8);
    refused(JTG_ERR_UNSAFE, "something else");
}

/* Numbers that do not belong together are no reason to read behind the end. */
static void a_size_that_does_not_fit_is_refused(void **state)
{
    static const uint64_t wrong[] = {0, 99, 40000, 1000000, UINT64_MAX};
    (void)state;
    jtgi_host_detach(attached(), false);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        write_at(offsetof(struct jtgi_host_header, max_entries), &wrong[i], sizeof wrong[i]);
        refused(JTG_ERR_UNSAFE, "size");
    }
}

static void a_copy_is_none(void **state)
{
    static char bytes[1 << 20];
    char copy[80];
    (void)state;
    struct jtgi_host_attachment *at = attached();
    assert_status(reserve(at, "a jti", 1), JTG_OK);
    jtgi_host_detach(at, false);
    (void)snprintf(copy, sizeof copy, "%s2", folder.store);
    int from = open(folder.store, O_RDONLY);
    int to = open(copy, O_CREAT | O_WRONLY, 0600);
    assert_true(from >= 0 && to >= 0);
    for (ssize_t got = read(from, bytes, sizeof bytes); got > 0;
         got = read(from, bytes, sizeof bytes))
        assert_int_equal(write(to, bytes, (size_t)got), got);
    (void)close(from);
    (void)close(to);
    assert_int_equal(rename(copy, folder.store), 0);
    at = attached();
    assert_non_null(strstr(at->replaced, "copy"));
    jtgi_host_detach(at, false);
}

/* ---- one that is exchanged ---- */

static int64_t since_of(const struct jtgi_host_attachment *at)
{
    return atomic_load(&at->file.header->since_ms);
}

/* Times of files are of the kernel's ticks; what is done in the next one has another. */
static void await_next_tick(void)
{
    struct timespec first, now;
    (void)clock_gettime(CLOCK_REALTIME_COARSE, &first);
    do
        (void)clock_gettime(CLOCK_REALTIME_COARSE, &now);
    while (first.tv_nsec == now.tv_nsec);
}

/* What another one has admitted meanwhile it does not know. Nobody had it open. */
static void one_that_comes_back_is_dated_anew(void **state)
{
    char away[80];
    (void)state;
    (void)snprintf(away, sizeof away, "%s-away", folder.store);
    jtgi_host_detach(attached(), false);
    assert_int_equal(rename(folder.store, away), 0);
    test_clock_advance(&hands, 1001);
    jtgi_host_detach(attached(), false);
    await_next_tick();
    assert_int_equal(rename(away, folder.store), 0);
    test_clock_advance(&hands, 1001);
    struct jtgi_host_attachment *at = attached();
    assert_true(since_of(at) == TEST_CLOCK_MONOTONIC_MS + 2002 + 1001);
    test_clock_advance(&hands, 1001);
    struct jtgi_host_attachment *later = attached();
    assert_true(since_of(later) == TEST_CLOCK_MONOTONIC_MS + 2002 + 1001);
    jtgi_host_detach(at, false);
    jtgi_host_detach(later, false);
}

/* Who comes is stopped for so long that the file may have been elsewhere and back. */
static int64_t a_second_later(void *context)
{
    static unsigned reads;
    struct test_clock *moved = context;
    if (++reads == 2)
        test_clock_advance(moved, 1001);
    return atomic_load(&moved->monotonic_ms);
}

static void who_takes_long_to_come_begins_anew(void **state)
{
    (void)state;
    jtgi_host_detach(attached(), false);
    clock_of_test.monotonic_ms = a_second_later;
    struct jtgi_host_attachment *at = attached();
    assert_int_equal(atomic_load(&at->looked_ms), TEST_CLOCK_MONOTONIC_MS + 1001);
    assert_int_equal(at->party.word >> JTGI_LOCK_PLACE_BITS, 3); /* the third who has the place */
    jtgi_host_detach(at, false);
}

/* A thread that still finds the old one current, in the moment in which another one exchanges it,
 * has to look for itself. */
static void a_look_says_nothing_of_another_file(void **state)
{
    (void)state;
    struct jtgi_host_attachment *old = attached();
    test_clock_advance(&hands, 1000);
    assert_true(jtgi_host_attachment_is_fresh(old, atomic_load(&hands.monotonic_ms)));
    test_clock_advance(&hands, 1);
    host_folder_remove_store(&folder);
    struct jtgi_host_attachment *new_one = attached();
    assert_true(jtgi_host_attachment_is_fresh(new_one, atomic_load(&hands.monotonic_ms)));
    assert_false(jtgi_host_attachment_is_fresh(old, atomic_load(&hands.monotonic_ms)));
    jtgi_host_attachment_note_look(old, TEST_CLOCK_MONOTONIC_MS + 1001);
    jtgi_host_attachment_note_look(old, TEST_CLOCK_MONOTONIC_MS);
    assert_true(jtgi_host_attachment_is_fresh(old, TEST_CLOCK_MONOTONIC_MS + 2001));
    jtgi_host_detach(old, false);
    jtgi_host_detach(new_one, false);
}

static void what_is_retired_can_be_used_without_harm(void **state)
{
    (void)state;
    struct jtgi_host_attachment *one = attached();
    struct jtgi_host_attachment *two = attached();
    assert_status(reserve(one, "a jti", 1), JTG_OK);
    jtgi_host_attachment_retire(one);
    (void)reserve(one, "another", 1);
    assert_false(jtgi_place_is_dead(one->place, one->party.word));
    assert_false(jtgi_place_is_dead(one->place, two->party.word));
    assert_status(reserve(two, "another", 2), JTG_OK);
    assert_status(reserve(two, "a jti", 2), JTG_REPLAYED);
    jtgi_host_detach(one, false);
    jtgi_host_detach(two, false);
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(all_have_the_same_entries),
        CASE(it_must_exist_where_that_is_asked),
        CASE(who_is_alone_counts_what_the_dead_left),
        CASE(an_undated_file_is_dated_by_who_comes),
        CASE(many_make_one),
        CASE(two_hundred_make_one),
        CASE(one_more_than_there_are_places_is_refused),
        CASE(a_small_tmpfs_that_is_full_is_an_answer),
        CASE(another_clock_is_refused),
        CASE(who_is_used_is_left_alone),
        CASE(who_is_not_is_replaced),
        CASE(who_is_not_stays_where_one_must_exist),
        CASE(what_is_empty_is_replaced_and_what_is_foreign_is_not),
        CASE(a_size_that_does_not_fit_is_refused),
        CASE(a_copy_is_none),
        CASE(a_look_says_nothing_of_another_file),
        CASE(one_that_comes_back_is_dated_anew),
        CASE(who_takes_long_to_come_begins_anew),
        CASE(what_is_retired_can_be_used_without_harm),
    };
    return cmocka_run_group_tests_name("attachment", tests, NULL, NULL);
}
