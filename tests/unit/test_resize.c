/* SPDX-License-Identifier: Apache-2.0 */
/* Another size for a store that is in use: what goes along, and what a kill leaves at each system
 * call of it. */
#include "host/visit.h"
#include "support/asserts.h"
#include "support/host_store.h"
#include "table/layout.h"
#include "table/transfer.h"

#include <jtiguard/backend.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ENTRIES = 400, OLD_SIZE = 5000, LARGER = 20000, SKIPPED = 77 };

static jtg_status reserve_number(jtg_cache *cache, unsigned number, unsigned owner)
{
    char text[16];
    (void)snprintf(text, sizeof text, "%u", number);
    return host_store_reserve(cache, text, owner);
}

static const jtg_key value_key = {"ticket keys", 11, NULL, 0};
static const unsigned char stored[1000] = "keys that seal tickets";

static void fill(jtg_cache *cache)
{
    for (unsigned i = 0; i < ENTRIES; i++)
        assert_status(reserve_number(cache, i, 1), JTG_OK);
    assert_status(
        jtg_cache_put(cache, &value_key, stored, sizeof stored, HOST_STORE_LIFE_MS, 1, NULL),
        JTG_OK);
}

static void assert_filled(jtg_cache *cache)
{
    jtg_value value = JTG_VALUE_INIT;
    for (unsigned i = 0; i < ENTRIES; i++)
        assert_status(reserve_number(cache, i, 2), JTG_REPLAYED);
    assert_status(jtg_cache_get(cache, &value_key, &value, NULL), JTG_OK);
    assert_int_equal(value.data_len, sizeof stored);
    assert_memory_equal(value.data, stored, sizeof stored);
    jtg_value_clear(&value);
}

static unsigned files_in_folder(void)
{
    struct stat about;
    char other[sizeof store.folder.store + sizeof JTGI_HOST_OTHER_NAME];
    (void)snprintf(other, sizeof other, "%s" JTGI_HOST_OTHER_NAME, store.folder.store);
    return (unsigned)(stat(store.folder.store, &about) == 0) + (unsigned)(stat(other, &about) == 0);
}

static void remove_what_a_kill_left(void)
{
    char other[sizeof store.folder.store + sizeof JTGI_HOST_OTHER_NAME];
    (void)snprintf(other, sizeof other, "%s" JTGI_HOST_OTHER_NAME, store.folder.store);
    (void)unlink(other);
}

/* ---- what goes along ---- */

/* Also of a process that knows nothing of it, with a look that is still good. */
static void everything_goes_along(void **state)
{
    const uint64_t sizes[] = {LARGER, 2000, OLD_SIZE, 1600, UINT64_C(300000)};
    (void)state;
    jtg_cache *cache = host_store_open(), *other = host_store_open();
    test_clock_advance(&store.hands, 3000);
    fill(cache);
    int64_t since_ms = host_store_kept_since(cache), epoch = 0, later_epoch = 0;
    assert_status(jtg_cache_epoch(cache, &epoch, NULL), JTG_OK);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        assert_status(jtg_host_resize(cache, sizes[i], NULL), JTG_OK);
        assert_filled(other);
        assert_filled(cache);
        assert_true(host_store_kept_since(cache) == since_ms);
        assert_true(host_store_kept_since(other) == since_ms);
        assert_int_equal(host_store_stats(other).max_entries, sizes[i]);
        assert_int_equal(host_store_stats(other).entries, ENTRIES);
        assert_int_equal(host_store_stats(other).replaced, i + 1);
        assert_int_equal(files_in_folder(), 1);
    }
    assert_status(jtg_cache_epoch(other, &later_epoch, NULL), JTG_OK);
    assert_true(epoch == later_epoch);
    assert_status(reserve_number(other, 0, 1), JTG_OK); /* it is still its owner's */
    jtg_cache_free(cache);
    jtg_cache_free(other);
}

/* Each is taken once, whatever file it was put into. */
static void values_go_along(void **state)
{
    const uint64_t sizes[] = {LARGER, 2000, OLD_SIZE};
    const jtg_key key = {"a host", 6, NULL, 0};
    jtg_value value = JTG_VALUE_INIT;
    (void)state;
    jtg_cache *cache = host_store_open(), *other = host_store_open();
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        assert_status(
            jtg_cache_put(cache, &key, &sizes[i], sizeof sizes[i], HOST_STORE_LIFE_MS, 8, NULL),
            JTG_OK);
    for (size_t i = sizeof sizes / sizeof sizes[0]; i > 0; i--) {
        assert_status(jtg_host_resize(cache, sizes[i - 1], NULL), JTG_OK);
        assert_int_equal(host_store_stats(other).values, i);
        assert_status(jtg_cache_take(other, &key, &value, NULL), JTG_OK);
        assert_memory_equal(value.data, &sizes[i - 1], sizeof sizes[0]);
        jtg_value_clear(&value);
    }
    assert_status(jtg_cache_take(cache, &key, &value, NULL), JTG_NOT_FOUND);
    jtg_cache_free(cache);
    jtg_cache_free(other);
}

static void a_token_of_before_is_not_refused(void **state)
{
    (void)state;
    jtg_cache *cache = host_store_open(), *other = host_store_open();
    test_clock_advance(&store.hands, 3000);
    int64_t since_ms = host_store_kept_since(cache);
    assert_status(host_store_reserve_kept(other, "a jti", 1, since_ms), JTG_OK);
    assert_status(jtg_host_resize(cache, LARGER, NULL), JTG_OK);
    assert_status(host_store_reserve_kept(other, "a jti", 2, since_ms), JTG_REPLAYED);
    assert_status(host_store_reserve_kept(other, "another", 2, since_ms), JTG_OK);
    assert_status(host_store_reserve_kept(other, "a third", 2, since_ms - 1), JTG_ERR_CONTINUITY);
    jtg_cache *late = host_store_open();
    assert_status(host_store_reserve_kept(late, "another", 3, since_ms), JTG_REPLAYED);
    assert_status(host_store_reserve_kept(late, "a fourth", 3, since_ms), JTG_OK);
    jtg_cache_free(cache);
    jtg_cache_free(other);
    jtg_cache_free(late);
}

static void it_holds_as_many_as_it_says(void **state)
{
    (void)state;
    jtg_cache *cache = host_store_open();
    fill(cache);
    assert_status(jtg_host_resize(cache, ENTRIES + 10, NULL), JTG_OK);
    for (unsigned i = 0; i < 10; i++)
        assert_status(reserve_number(cache, ENTRIES + i, 1), JTG_OK);
    assert_status(reserve_number(cache, ENTRIES + 10, 1), JTG_ERR_FULL);
    test_clock_advance(&store.hands, HOST_STORE_LIFE_MS);
    assert_status(jtg_host_resize(cache, 20, NULL), JTG_OK); /* what has ended stays behind */
    assert_int_equal(host_store_stats(cache).entries, 0);
    for (unsigned i = 0; i < 20; i++)
        assert_status(reserve_number(cache, i, 1), JTG_OK);
    assert_status(reserve_number(cache, 20, 1), JTG_ERR_FULL);
    jtg_cache_free(cache);
}

static jtg_status reserve_of_issuer(jtg_cache *cache, unsigned number)
{
    jtg_key key = {&number, sizeof number, "an issuer", 9};
    jtg_owner by = {{1}};
    return jtg_cache_reserve(cache, &key, &by, HOST_STORE_LIFE_MS, NULL);
}

static void a_share_stays(void **state)
{
    (void)state;
    store.options.max_entries_per_group = 30;
    jtg_cache *cache = host_store_open();
    for (unsigned i = 0; i < 20; i++)
        assert_status(reserve_of_issuer(cache, i), JTG_OK);
    assert_status(jtg_host_resize(cache, LARGER, NULL), JTG_OK);
    for (unsigned i = 20; i < 30; i++)
        assert_status(reserve_of_issuer(cache, i), JTG_OK);
    assert_status(reserve_of_issuer(cache, 30), JTG_ERR_GROUP_FULL);
    assert_status(jtg_host_resize(cache, 30, NULL), JTG_OK);
    assert_int_equal(host_store_stats(cache).max_entries_per_group, 30);
    assert_int_equal(host_store_stats(cache).groups, 1);
    jtg_cache_free(cache);
}

static void what_is_lent_goes_along(void **state)
{
    void *before = NULL, *after = NULL;
    (void)state;
    jtg_cache *cache = host_store_open(), *other = host_store_open();
    assert_status(other->backend->lend(other, JTG_BORROWER_GUARD, &before, NULL), JTG_OK);
    memset(before, 7, JTG_LENT_BYTES);
    assert_status(jtg_host_resize(cache, LARGER, NULL), JTG_OK);
    assert_status(other->backend->lend(other, JTG_BORROWER_GUARD, &after, NULL), JTG_OK);
    assert_ptr_not_equal(before, after); /* at once: what is noted in the old one stays there */
    assert_memory_equal(before, after, JTG_LENT_BYTES);
    jtg_cache_free(cache);
    jtg_cache_free(other);
}

static void what_an_operator_says_reaches_the_new_one(void **state)
{
    (void)state;
    jtg_cache *cache = host_store_open(), *other = host_store_open();
    assert_status(jtg_host_resize(cache, LARGER, NULL), JTG_OK);
    assert_status(jtg_host_vouch(other, 0, NULL), JTG_OK);
    assert_true(host_store_kept_since(cache) == 0);
    assert_status(jtg_host_resize(cache, OLD_SIZE, NULL), JTG_OK);
    assert_status(jtg_host_lose(other, NULL), JTG_OK);
    assert_true(host_store_kept_since(cache) >= TEST_CLOCK_WALL_MS);
    assert_status(jtg_host_resize(cache, LARGER, NULL), JTG_OK);
    assert_status(jtg_cache_clear(other, NULL), JTG_OK);
    assert_int_equal(host_store_stats(cache).entries, 0);
    jtg_cache_free(cache);
    jtg_cache_free(other);
}

/* And no other, whatever its name. */
static void the_old_file_goes(void **state)
{
    struct stat about;
    char other[sizeof store.folder.store + sizeof JTGI_HOST_OTHER_NAME];
    (void)state;
    (void)snprintf(other, sizeof other, "%s.new", store.folder.store);
    FILE *another = fopen(other, "w"); /* of somebody, who calls it so */
    assert_non_null(another);
    (void)fclose(another);
    jtg_cache *cache = host_store_open();
    assert_status(jtg_host_resize(cache, LARGER, NULL), JTG_OK);
    assert_int_equal(stat(other, &about), 0);
    assert_int_equal(files_in_folder(), 1);
    jtg_cache_free(cache);
}

/* ---- what is refused ---- */

static void what_is_refused_changes_nothing(void **state)
{
    jtg_error err = JTG_ERROR_INIT;
    struct stat before, after;
    (void)state;
    jtg_cache *cache = host_store_open();
    fill(cache);
    assert_int_equal(stat(store.folder.store, &before), 0);
    assert_status(jtg_host_resize(cache, 0, &err), JTG_ERR_ARGUMENT);
    assert_err_tells(&err, JTG_ERR_ARGUMENT);
    assert_status(jtg_host_resize(cache, JTG_HOST_MAX_ENTRIES_LIMIT + 1, NULL), JTG_ERR_ARGUMENT);
    assert_status(jtg_host_resize(NULL, 10, NULL), JTG_ERR_ARGUMENT);
    assert_status(jtg_host_resize(cache, ENTRIES - 1, &err), JTG_ERR_FULL);
    assert_err_tells(&err, JTG_ERR_FULL);
    assert_status(jtg_host_resize(cache, OLD_SIZE, &err), JTG_OK); /* as it is */
    assert_int_equal(stat(store.folder.store, &after), 0);
    assert_true(before.st_ino == after.st_ino);
    assert_filled(cache);
    assert_int_equal(host_store_stats(cache).max_entries, OLD_SIZE);
    assert_int_equal(files_in_folder(), 1);
    jtg_cache_free(cache);
}

static void many_reach_the_new_one(void **state)
{
    char texts[JTG_MANY_MAX][16];
    jtg_reserve_call calls[JTG_MANY_MAX];
    jtg_owner owner = {{1}};
    (void)state;
    jtg_cache *cache = host_store_open(), *other = host_store_open();
    test_clock_advance(&store.hands, 3000);
    fill(cache);
    assert_status(jtg_host_resize(cache, LARGER, NULL), JTG_OK);
    for (unsigned i = 0; i < JTG_MANY_MAX; i++) {
        (void)snprintf(texts[i], sizeof texts[i], "%u", ENTRIES - 1 + i);
        calls[i] = (jtg_reserve_call)JTG_RESERVE_CALL_INIT;
        calls[i].key = (jtg_key){texts[i], strlen(texts[i]), NULL, 0};
        calls[i].owner = &owner;
        calls[i].ttl_ms = HOST_STORE_LIFE_MS;
        calls[i].kept_since_ms = i % 2 == 0 ? JTG_KEPT_ANY : host_store_kept_since(cache);
    }
    owner.bytes[0] = 2;
    (void)jtg_cache_reserve_many(other, calls, JTG_MANY_MAX);
    for (unsigned i = 0; i < JTG_MANY_MAX; i++)
        assert_status(calls[i].status, i == 0 ? JTG_REPLAYED : JTG_OK);
    jtg_cache_free(cache);
    jtg_cache_free(other);
}

/* ---- who is in the way ---- */

/* As another process has it: its words in the locks are others. */
static struct jtgi_host_attachment *attachment_of(jtg_cache *cache)
{
    return atomic_load(&jtgi_host_cache_of(cache)->current);
}

static void is_blocked(jtg_cache *cache)
{
    jtg_error err = JTG_ERROR_INIT;
    assert_status(jtg_host_resize(cache, LARGER, &err), JTG_ERR_BLOCKED);
    assert_err_tells(&err, JTG_ERR_BLOCKED);
}

static void is_blocked_by(jtg_cache *cache, _Atomic uint32_t *lock,
                          const struct jtgi_lock_party *other)
{
    assert_int_equal(jtgi_lock_take(lock, other), JTGI_LOCK_TAKEN);
    is_blocked(cache);
    jtgi_lock_leave(lock, other);
}

/* And lets go of what it has taken itself. */
static void whoever_stays_in_a_lock_blocks_it(void **state)
{
    (void)state;
    jtg_cache *cache = host_store_open(), *other = host_store_open();
    struct jtgi_host_attachment *at = attachment_of(other);
    struct jtgi_host_header *header = at->file.header;
    fill(cache);
    is_blocked_by(cache, &header->dating, &at->party);
    is_blocked_by(cache, &at->table->partitions[at->table->plan.partitions - 1].lock, &at->party);
    is_blocked_by(cache, &header->pieces[JTG_BORROWER_COUNT - 1].lock, &at->party);
    assert_true(jtgi_value_area_hold(at->values));
    is_blocked(cache);
    jtgi_value_area_let_go_locked(at->values);
    assert_filled(other);
    assert_int_equal(host_store_stats(other).max_entries, OLD_SIZE);
    assert_int_equal(files_in_folder(), 1);
    assert_status(jtg_host_resize(cache, LARGER, NULL), JTG_OK);
    assert_filled(other);
    jtg_cache_free(cache);
    jtg_cache_free(other);
}

/* The one that came there may have admitted what this one does not know. */
static void another_file_is_not_replaced(void **state)
{
    jtg_error err = JTG_ERROR_INIT;
    struct stat before, after;
    (void)state;
    jtg_cache *cache = host_store_open();
    host_folder_remove_store(&store.folder);
    jtg_cache_free(host_store_open());
    assert_int_equal(stat(store.folder.store, &before), 0);
    assert_status(jtg_host_resize(cache, LARGER, &err), JTG_ERR_UNAVAILABLE);
    assert_err_tells(&err, JTG_ERR_UNAVAILABLE);
    assert_int_equal(stat(store.folder.store, &after), 0);
    assert_true(before.st_ino == after.st_ino);
    assert_int_equal(files_in_folder(), 1);
    jtg_cache_free(cache);
}

/* The others would not trust a file of his. */
static void a_member_of_the_group_may_not(void **state)
{
    enum { SOMEBODY = 4321 };
    (void)state;
    if (geteuid() != 0)
        return;
    store.options.group = "4321";
    jtg_cache *cache = host_store_open();
    fill(cache);
    assert_int_equal(chmod(store.folder.path, 0777 | S_ISVTX), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (setgid(SOMEBODY) != 0 || setuid(SOMEBODY) != 0)
            _exit(2);
        jtg_cache *own = host_store_open();
        assert_filled(own);
        _exit(jtg_host_resize(own, LARGER, NULL) == JTG_ERR_UNAVAILABLE ? 0 : 1);
    }
    host_store_await(child, 0);
    assert_status(jtg_host_resize(cache, LARGER, NULL), JTG_OK);
    struct stat about;
    assert_int_equal(stat(store.folder.store, &about), 0);
    assert_int_equal(about.st_mode & 07777, 0660);
    assert_int_equal(about.st_gid, SOMEBODY);
    jtg_cache_free(cache);
}

enum { WAITING = 40 };

static void *reserve_at_once(void *cache)
{
    static char texts[WAITING][16];
    jtg_owner owner = {{3}};
    jtg_reserve_call calls[WAITING];
    for (unsigned i = 0; i < WAITING; i++) {
        (void)snprintf(texts[i], sizeof texts[i], "w%u", i);
        calls[i] = (jtg_reserve_call)JTG_RESERVE_CALL_INIT;
        calls[i].key = (jtg_key){texts[i], strlen(texts[i]), NULL, 0};
        calls[i].owner = &owner;
        calls[i].ttl_ms = HOST_STORE_LIFE_MS;
    }
    (void)jtg_cache_reserve_many(cache, calls, WAITING);
    for (unsigned i = 0; i < WAITING; i++)
        if (calls[i].status != JTG_OK)
            return NULL;
    return cache;
}

static void *reserve_alone(void *cache)
{
    return host_store_reserve(cache, "w0", 3) == JTG_OK ? cache : NULL;
}

static void await_a_waiter(const struct jtgi_table *table)
{
    for (uint32_t i = 0; (atomic_load(&table->partitions[i].lock) & JTGI_LOCK_WAITERS) == 0;
         i = (i + 1) % table->plan.partitions)
        (void)sched_yield();
}

/* In a call already, when the marks are set; then whoever set them dies. */
static void goes_on_behind_marks(void *(*call)(void *))
{
    pthread_t thread;
    void *went = NULL;
    store.options.lock_wait_ms = JTG_HOST_LOCK_WAIT_MS_LIMIT;
    jtg_cache *cache = host_store_open(), *other = host_store_open();
    struct jtgi_host_attachment *at = attachment_of(other);
    assert_true(jtgi_table_hold(at->table));
    assert_int_equal(pthread_create(&thread, NULL, call, cache), 0);
    await_a_waiter(at->table);
    atomic_store(&at->file.header->moving, 1);
    jtgi_table_mark_locked(at->table, true);
    jtgi_table_let_go_locked(at->table);
    assert_int_equal(pthread_join(thread, &went), 0);
    assert_ptr_equal(went, cache);
    assert_int_equal(atomic_load(&at->file.header->moving), 0);
    assert_status(host_store_reserve(other, "w0", 4), JTG_REPLAYED);
    jtg_cache_free(cache);
    jtg_cache_free(other);
}

static void who_waits_goes_on_when_the_mover_dies(void **state)
{
    (void)state;
    goes_on_behind_marks(reserve_alone);
}

static void many_that_wait_do_too(void **state)
{
    (void)state;
    goes_on_behind_marks(reserve_at_once);
}

/* ---- killed at each system call ---- */

static pid_t start_resizer(uint64_t size)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        jtg_cache *cache = host_store_open();
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
            _exit(SKIPPED);
        (void)raise(SIGSTOP);
        _exit(jtg_host_resize(cache, size, NULL) == JTG_OK ? 0 : 1);
    }
    return child;
}

/* To the next system call, or out of it. False: it has ended. */
static bool step(pid_t child, int *status)
{
    return ptrace(PTRACE_SYSCALL, child, NULL, NULL) == 0 && waitpid(child, status, 0) == child &&
           WIFSTOPPED(*status);
}

/* Before the call number `calls`, or behind it. False: it had come to its end. */
static bool kill_within(unsigned stops, uint64_t size)
{
    int status = 0;
    pid_t child = start_resizer(size);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED)
        skip();
    bool within = true;
    for (unsigned i = 0; i < stops && within; i++)
        within = step(child, &status);
    if (within) {
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(waitpid(child, &status, 0), child);
    } else {
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
    }
    return within;
}

/* Whoever is there goes on, and so does whoever comes, in the one or the other. */
static bool one_is_left(jtg_cache *cache, int64_t since_ms, uint64_t size, unsigned number)
{
    char text[32];
    (void)snprintf(text, sizeof text, "after %u", number);
    print_message("stop %u\n", number);
    assert_status(host_store_reserve_kept(cache, text, 1, since_ms), JTG_OK);
    assert_filled(cache);
    jtg_cache *late = host_store_open();
    assert_status(host_store_reserve_kept(late, text, 2, since_ms), JTG_REPLAYED);
    assert_true(host_store_kept_since(late) == since_ms);
    assert_true(host_store_kept_since(cache) == since_ms);
    uint64_t is_size = host_store_stats(late).max_entries;
    assert_true(is_size == size || is_size == OLD_SIZE);
    jtg_cache_free(late);
    return is_size == size;
}

static void a_kill_leaves_the_old_one_or_the_new_one(void **state)
{
    unsigned old_ones = 0, new_ones = 0;
    bool within = true;
    (void)state;
    for (unsigned stops = 1; within; stops++) {
        jtg_cache *cache = host_store_open();
        test_clock_advance(&store.hands, 3000);
        fill(cache);
        int64_t since_ms = host_store_kept_since(cache);
        within = kill_within(stops, LARGER);
        bool is_new = one_is_left(cache, since_ms, LARGER, stops);
        new_ones += is_new;
        old_ones += !is_new;
        assert_status(jtg_host_resize(cache, 2000, NULL), JTG_OK); /* whatever was left */
        assert_filled(cache);
        assert_int_equal(files_in_folder(), 1);
        jtg_cache_free(cache);
        host_folder_remove_store(&store.folder);
    }
    assert_true(old_ones > 10);
    assert_true(new_ones > 5);
}

/* The same, and nobody has seen what the new one took the place of before a second had passed, in
 * which a third file may have come and gone. */
static void an_heir_that_nobody_saw_in_time_is_a_new_file(void **state)
{
    bool within = true;
    unsigned doubted = 0;
    (void)state;
    for (unsigned stops = 1; within; stops++) {
        jtg_cache *cache = host_store_open();
        test_clock_advance(&store.hands, 3000);
        fill(cache);
        int64_t since_ms = host_store_kept_since(cache);
        within = kill_within(stops, LARGER);
        test_clock_advance(&store.hands, 1001);
        assert_filled(cache);
        int64_t after_ms = host_store_kept_since(cache);
        if (after_ms != since_ms) {
            doubted++;
            assert_true(after_ms == atomic_load(&store.hands.wall_ms) + 1001);
        }
        jtg_cache_free(cache);
        host_folder_remove_store(&store.folder);
        remove_what_a_kill_left();
    }
    assert_true(doubted > 0);
}

/* ---- while others go on ---- */

enum { THREADS = 3, ROUNDS = 20 };

struct user {
    atomic_bool is_over;
    atomic_uint admitted[20000];
    atomic_uint refused; /* for whatever else than a replay */
    atomic_ulong calls;
    int64_t since_ms;
};

static void *use(void *argument)
{
    struct user *user = argument;
    jtg_cache *cache = host_store_open();
    for (unsigned i = 0; !atomic_load(&user->is_over); i++) {
        unsigned number = i % 20000;
        char text[16];
        (void)snprintf(text, sizeof text, "u%u", number);
        jtg_owner owner;
        jtg_owner_generate(&owner);
        jtg_key key = {text, strlen(text), NULL, 0};
        jtg_status status =
            jtg_cache_reserve_kept(cache, &key, &owner, HOST_STORE_LIFE_MS, user->since_ms, NULL);
        atomic_fetch_add(&user->admitted[number], status == JTG_OK);
        if (status != JTG_OK && status != JTG_REPLAYED)
            print_message("st %d\n", status);
        atomic_fetch_add(&user->refused, status != JTG_OK && status != JTG_REPLAYED);
        atomic_fetch_add(&user->calls, 1);
    }
    jtg_cache_free(cache);
    return NULL;
}

/* Nobody meets more moves in one call than a call follows. */
static void await_calls(struct user *user)
{
    unsigned long until = atomic_load(&user->calls) + 2 * THREADS;
    while (atomic_load(&user->calls) < until)
        (void)sched_yield();
}

static void users_go_on_meanwhile(void **state)
{
    static struct user user;
    pthread_t threads[THREADS];
    (void)state;
    store.options.max_entries = 60000;
    store.options.lock_wait_ms = JTG_HOST_LOCK_WAIT_MS_LIMIT;
    jtg_cache *cache = host_store_open();
    test_clock_advance(&store.hands, 3000);
    user.since_ms = host_store_kept_since(cache);
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, use, &user), 0);
    for (unsigned i = 0; i < ROUNDS; i++) {
        assert_status(jtg_host_resize(cache, i % 2 == 0 ? 25000 : 60000, NULL), JTG_OK);
        await_calls(&user);
    }
    atomic_store(&user.is_over, true);
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(atomic_load(&user.refused), 0);
    for (unsigned i = 0; i < 20000; i++)
        assert_true(atomic_load(&user.admitted[i]) <= 1);
    jtg_cache_free(cache);
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, host_store_begin, host_store_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(everything_goes_along),
        CASE(values_go_along),
        CASE(a_token_of_before_is_not_refused),
        CASE(it_holds_as_many_as_it_says),
        CASE(a_share_stays),
        CASE(what_is_lent_goes_along),
        CASE(what_an_operator_says_reaches_the_new_one),
        CASE(the_old_file_goes),
        CASE(what_is_refused_changes_nothing),
        CASE(many_reach_the_new_one),
        CASE(whoever_stays_in_a_lock_blocks_it),
        CASE(another_file_is_not_replaced),
        CASE(a_member_of_the_group_may_not),
        CASE(who_waits_goes_on_when_the_mover_dies),
        CASE(many_that_wait_do_too),
        CASE(a_kill_leaves_the_old_one_or_the_new_one),
        CASE(an_heir_that_nobody_saw_in_time_is_a_new_file),
        CASE(users_go_on_meanwhile),
    };
    return cmocka_run_group_tests_name("resize", tests, NULL, NULL);
}
