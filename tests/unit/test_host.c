/* SPDX-License-Identifier: Apache-2.0 */
/* The host backend beyond the contract list: several processes, deaths, stops and forks; a file
 * that is exchanged or cut off; what is lent; the numbers. */
#include <jtiguard/host.h>

#include "host/attachment.h"
#include "host/since.h"
#include "support/asserts.h"
#include "support/host_folder.h"
#include "support/test_clock.h"
#include "table/layout.h"

#include <fcntl.h>
#include <jtiguard/backend.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LIFE_MS = 100000, LOCK_WAIT_MS = 60 };

static struct host_folder folder;
static struct test_clock hands;
static jtg_clock clock_of_test;
static jtg_host_options options;

static int begin(void **state)
{
    (void)state;
    host_folder_make(&folder);
    test_clock_init(&hands);
    clock_of_test = test_clock_as_jtg(&hands);
    jtg_host_options_init(&options);
    options.path = folder.store;
    options.max_entries = 5000;
    options.lock_wait_ms = LOCK_WAIT_MS;
    options.clock = &clock_of_test;
    return 0;
}

static int end(void **state)
{
    (void)state;
    host_folder_remove(&folder);
    return 0;
}

static jtg_cache *opened(void)
{
    jtg_cache *cache = NULL;
    assert_status(jtg_host_new(&cache, &options, NULL), JTG_OK);
    return cache;
}

static jtg_status reserve(jtg_cache *cache, const char *text, unsigned owner)
{
    jtg_key key = {text, strlen(text), NULL, 0};
    jtg_owner by = {{(unsigned char)owner}};
    return jtg_cache_reserve(cache, &key, &by, LIFE_MS, NULL);
}

static jtg_status reserve_kept(jtg_cache *cache, const char *text, unsigned owner,
                               int64_t kept_since_ms)
{
    jtg_key key = {text, strlen(text), NULL, 0};
    jtg_owner by = {{(unsigned char)owner}};
    jtg_error err = JTG_ERROR_INIT;
    jtg_status status = jtg_cache_reserve_kept(cache, &key, &by, LIFE_MS, kept_since_ms, &err);
    assert_err_tells(&err, status);
    return status;
}

static int64_t kept_since(jtg_cache *cache)
{
    int64_t since_ms = 0;
    assert_status(jtg_cache_kept_since(cache, &since_ms, NULL), JTG_OK);
    return since_ms;
}

static jtg_host_stats stats_of(jtg_cache *cache)
{
    jtg_host_stats stats = {.struct_size = sizeof stats};
    assert_status(jtg_host_stats_get(cache, &stats, NULL), JTG_OK);
    return stats;
}

static int64_t real_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- making ---- */

static void a_uri_names_it(void **state)
{
    char uri[100];
    jtg_cache *cache = (jtg_cache *)&uri;
    jtg_error err = JTG_ERROR_INIT;
    (void)state;
    assert_status(jtg_host_new_uri(&cache, "memory:", &err), JTG_ERR_ARGUMENT);
    assert_err_tells(&err, JTG_ERR_ARGUMENT);
    assert_null(cache);
    assert_status(jtg_host_new_uri(&cache, NULL, NULL), JTG_ERR_ARGUMENT);
    assert_status(jtg_host_new_uri(&cache, "host:store", NULL), JTG_ERR_ARGUMENT);
    assert_status(jtg_host_new_uri(NULL, "host:/store", NULL), JTG_ERR_ARGUMENT);
    (void)snprintf(uri, sizeof uri, "host:%s", folder.store);
    assert_status(jtg_host_new_uri(&cache, uri, NULL), JTG_OK);
    assert_string_equal(jtg_cache_backend(cache), "host");
    assert_int_equal(stats_of(cache).max_entries, JTG_HOST_MAX_ENTRIES_DEFAULT);
    jtg_cache_free(cache);
}

static void what_cannot_be_made_says_why(void **state)
{
    jtg_cache *cache = NULL;
    jtg_error err = JTG_ERROR_INIT;
    (void)state;
    options.max_entries = 0;
    assert_status(jtg_host_new(&cache, &options, &err), JTG_ERR_ARGUMENT);
    options.max_entries = 10;
    options.must_exist = true;
    assert_status(jtg_host_new(&cache, &options, &err), JTG_ERR_UNAVAILABLE);
    assert_err_tells(&err, JTG_ERR_UNAVAILABLE);
    options.must_exist = false;
    options.path = "/proc/store";
    assert_status(jtg_host_new(&cache, &options, &err), JTG_ERR_UNSAFE);
    assert_err_tells(&err, JTG_ERR_UNSAFE);
}

static void values_are_not_kept(void **state)
{
    static const jtg_key key = {"a key", 5, NULL, 0};
    (void)state;
    jtg_cache *cache = opened();
    assert_status(jtg_cache_put(cache, &key, "v", 1, LIFE_MS, 1, NULL), JTG_ERR_UNSUPPORTED);
    jtg_cache_free(cache);
}

/* ---- several processes ---- */

static void run_child(pid_t child, int expected)
{
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), expected);
}

/* The object is not for children, the store is. */
static void a_child_makes_its_own(void **state)
{
    (void)state;
    jtg_cache *cache = opened();
    assert_status(reserve(cache, "a jti", 1), JTG_OK);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        jtg_host_stats stats = {.struct_size = sizeof stats};
        bool forked = reserve(cache, "another", 2) == JTG_ERR_FORKED &&
                      jtg_host_stats_get(cache, &stats, NULL) == JTG_ERR_FORKED &&
                      jtg_host_vouch(cache, 0, NULL) == JTG_ERR_FORKED;
        jtg_cache_free(cache);
        jtg_cache *own = opened();
        bool same = reserve(own, "a jti", 2) == JTG_REPLAYED && reserve(own, "b", 2) == JTG_OK;
        jtg_cache_free(own);
        _exit(forked && same ? 0 : 1);
    }
    run_child(child, 0);
    assert_status(reserve(cache, "b", 1), JTG_REPLAYED);
    assert_int_equal(stats_of(cache).processes, 1);
    jtg_cache_free(cache);
}

static void what_was_reserved_outlives_all(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            _exit(reserve(opened(), "a jti", (unsigned)i) == JTG_OK ? 1 : 0);
        run_child(child, i == 0);
    }
    jtg_cache *cache = opened();
    assert_status(reserve(cache, "a jti", 9), JTG_REPLAYED);
    jtg_cache_free(cache);
}

/* A child that holds the lock of a piece, and says so by a byte. */
static pid_t start_holder(void)
{
    int ready[2];
    char byte = 0;
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        void *piece = NULL;
        jtg_cache *cache = opened();
        if (cache->backend->lend(cache, JTG_BORROWER_GUARD, &piece, NULL) != JTG_OK ||
            cache->backend->lock_lent(cache, piece, NULL) != JTG_OK ||
            write(ready[1], &byte, 1) != 1)
            _exit(1);
        for (;;)
            (void)pause();
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    (void)close(ready[0]);
    (void)close(ready[1]);
    return child;
}

static void who_stays_inside_blocks_until_killed(void **state)
{
    void *piece = NULL;
    int status = 0;
    (void)state;
    jtg_cache *cache = opened();
    pid_t child = start_holder();
    assert_int_equal(kill(child, SIGSTOP), 0);
    assert_int_equal(waitpid(child, &status, WUNTRACED), child);
    assert_status(cache->backend->lend(cache, JTG_BORROWER_GUARD, &piece, NULL), JTG_OK);
    int64_t start_ms = real_ms();
    assert_status(cache->backend->lock_lent(cache, piece, NULL), JTG_ERR_BLOCKED);
    assert_in_range(real_ms() - start_ms, LOCK_WAIT_MS, 2000);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_status(cache->backend->lock_lent(cache, piece, NULL), JTG_OK);
    cache->backend->unlock_lent(cache, piece);
    jtg_cache_free(cache);
}

/* ---- a loss between the two looks of a reservation ---- */

enum { STAY_MS = 1000 };

/* Another process of the store, that stays in the lock of every partition. */
struct other_process {
    struct jtgi_host_attachment *at;
    _Atomic uint32_t *waited_for; /* the lock that a reservation waits for */
};

static struct other_process other_in_all_locks(const struct jtgi_host_terms *terms)
{
    struct other_process other = {NULL, NULL};
    assert_status(jtgi_host_attach(&other.at, terms, NULL), JTG_OK);
    struct jtgi_partition *partitions = other.at->table->partitions;
    for (size_t i = 0; i < jtgi_table_partitions(other.at->table); i++)
        (void)jtgi_lock_take(&partitions[i].lock, &other.at->party);
    return other;
}

static void leave_all_locks(const struct other_process *other)
{
    struct jtgi_partition *partitions = other->at->table->partitions;
    for (size_t i = 0; i < jtgi_table_partitions(other->at->table); i++)
        jtgi_lock_leave(&partitions[i].lock, &other->at->party);
}

/* Until somebody sleeps at one of them. */
static void await_a_waiter(const struct other_process *other)
{
    const struct jtgi_partition *partitions = other->at->table->partitions;
    for (size_t i = 0;; i = (i + 1) % jtgi_table_partitions(other->at->table))
        if ((atomic_load(&partitions[i].lock) & JTGI_LOCK_WAITERS) != 0)
            return;
        else
            (void)sched_yield();
}

struct asker {
    jtg_cache *cache;
    jtg_status status;
    bool as_many;
};

static void *ask(void *argument)
{
    struct asker *asker = argument;
    jtg_owner owner = {{1}};
    jtg_reserve_call call = JTG_RESERVE_CALL_INIT;
    call.key = (jtg_key){"a jti", 5, NULL, 0};
    call.owner = &owner;
    call.ttl_ms = LIFE_MS;
    call.kept_since_ms = TEST_CLOCK_WALL_MS + 2000;
    if (!asker->as_many) {
        asker->status = reserve_kept(asker->cache, "a jti", 1, call.kept_since_ms);
        return NULL;
    }
    (void)jtg_cache_reserve_many(asker->cache, &call, 1);
    asker->status = call.status;
    return NULL;
}

static void stored_and_blocked_is_not_told_as_blocked(bool as_many)
{
    int64_t before_ms = 0;
    pthread_t thread;
    const struct jtgi_host_terms terms = {.max_entries = 5000,
                                          .spot = {folder.store, (uid_t)-1, (gid_t)-1},
                                          .lock_wait_ms = STAY_MS,
                                          .clock = &clock_of_test};
    options.lock_wait_ms = STAY_MS;
    struct asker asker = {.cache = opened(), .as_many = as_many};
    struct other_process other = other_in_all_locks(&terms);
    test_clock_advance(&hands, 3000);
    assert_int_equal(pthread_create(&thread, NULL, ask, &asker), 0);
    await_a_waiter(&other);
    assert_status(jtgi_host_since_begin_loss(other.at->file.header, &other.at->party, &before_ms),
                  JTG_OK);
    leave_all_locks(&other);
    assert_int_equal(pthread_join(thread, NULL), 0);
    jtgi_host_since_end_loss(other.at->file.header, &other.at->party, &clock_of_test, before_ms);
    assert_status(asker.status, JTG_ERR_TIMEOUT);
    assert_status(reserve(asker.cache, "a jti", 1), JTG_OK); /* the same owner again */
    assert_status(reserve(asker.cache, "a jti", 2), JTG_REPLAYED);
    jtgi_host_detach(other.at, false);
    jtg_cache_free(asker.cache);
}

static void what_was_stored_is_not_told_as_blocked(void **state)
{
    (void)state;
    stored_and_blocked_is_not_told_as_blocked(false);
}

static void of_many_neither(void **state)
{
    (void)state;
    stored_and_blocked_is_not_told_as_blocked(true);
}

/* ---- threads that are cancelled ---- */

static _Atomic bool is_cancelled_now;

/* A clock whose reader is cancelled. */
static int64_t cancel_and_tell(void *context)
{
    if (atomic_exchange(&is_cancelled_now, false))
        (void)pthread_cancel(pthread_self());
    return atomic_load(&((struct test_clock *)context)->monotonic_ms);
}

static void *open_cancelled(void *cache)
{
    atomic_store(&is_cancelled_now, true);
    jtg_status status = jtg_host_new(cache, &options, NULL);
    return status == JTG_OK ? cache : NULL;
}

static void *reserve_cancelled(void *cache)
{
    atomic_store(&is_cancelled_now, true);
    return reserve(cache, "a jti", 1) == JTG_OK ? cache : NULL;
}

static void *result_of(void *(*run)(void *), void *argument)
{
    pthread_t thread;
    void *result = NULL;
    assert_int_equal(pthread_create(&thread, NULL, run, argument), 0);
    assert_int_equal(pthread_join(thread, &result), 0);
    return result;
}

/* And leaves no lock locked, and no place taken. */
static void who_is_cancelled_ends_after_the_call(void **state)
{
    jtg_cache *cache = NULL;
    (void)state;
    clock_of_test.monotonic_ms = cancel_and_tell;
    assert_ptr_equal(result_of(open_cancelled, &cache), &cache);
    host_folder_remove_store(&folder);
    test_clock_advance(&hands, 1001);
    assert_ptr_equal(result_of(reserve_cancelled, cache), cache);
    assert_status(reserve(cache, "a jti", 2), JTG_REPLAYED);
    assert_int_equal(stats_of(cache).processes, 1);
    jtg_cache_free(cache);
}

/* ---- one that holds every place, and was stopped ---- */

enum { CALLERS = 4 };

/* NULL: it was not refused for that. */
static void *reserve_in_vain(void *cache)
{
    jtg_status status = reserve(cache, "a jti", 1);
    return status == JTG_ERR_BLOCKED || status == JTG_ERR_UNAVAILABLE ? cache : NULL;
}

/* As a process that is alone, between taking its place and settling. */
static int hold_all_places(void)
{
    const uint64_t first_byte = offsetof(struct jtgi_host_header, users);
    int fd = open(folder.store, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_true(jtgi_places_take_all(&(struct jtgi_places){.fd = fd, .first_byte = first_byte}));
    return fd;
}

/* Each of them: nobody waits for the failures of the others. */
static void a_call_waits_as_long_as_a_call_may(void **state)
{
    pthread_t threads[CALLERS];
    (void)state;
    jtg_cache *cache = opened();
    host_folder_remove_store(&folder);
    jtg_cache_free(opened());
    int fd = hold_all_places();
    test_clock_advance(&hands, 1001);
    int64_t start_ms = real_ms();
    for (unsigned i = 0; i < CALLERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, reserve_in_vain, cache), 0);
    for (unsigned i = 0; i < CALLERS; i++) {
        void *refused = NULL;
        assert_int_equal(pthread_join(threads[i], &refused), 0);
        assert_non_null(refused);
    }
    assert_in_range(real_ms() - start_ms, LOCK_WAIT_MS, 4000);
    (void)close(fd);
    assert_status(reserve(cache, "a jti", 1), JTG_OK);
    jtg_cache_free(cache);
}

/* A child of its own that lives on does not keep a dead process alive; nor does running another
 * program. */
static void a_child_does_not_keep_it_alive(void **state)
{
    void *piece = NULL;
    int ready[2];
    pid_t grandchild = 0;
    (void)state;
    jtg_cache *cache = opened();
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        jtg_cache *own = opened();
        if (own->backend->lend(own, JTG_BORROWER_GUARD, &piece, NULL) != JTG_OK ||
            own->backend->lock_lent(own, piece, NULL) != JTG_OK)
            _exit(1);
        pid_t sleeper = fork();
        while (sleeper == 0)
            (void)pause();
        _exit(write(ready[1], &sleeper, sizeof sleeper) == sizeof sleeper ? 0 : 1);
    }
    run_child(child, 0);
    assert_int_equal(read(ready[0], &grandchild, sizeof grandchild), sizeof grandchild);
    assert_status(cache->backend->lend(cache, JTG_BORROWER_GUARD, &piece, NULL), JTG_OK);
    assert_status(cache->backend->lock_lent(cache, piece, NULL), JTG_OK);
    cache->backend->unlock_lent(cache, piece);
    assert_int_equal(kill(grandchild, SIGKILL), 0);
    (void)close(ready[0]);
    (void)close(ready[1]);
    jtg_cache_free(cache);
}

/* ---- a file that is exchanged ---- */

static void it_is_noticed_after_a_second(void **state)
{
    (void)state;
    jtg_cache *cache = opened();
    test_clock_advance(&hands, 1001);
    int64_t before_ms = kept_since(cache);
    assert_status(reserve_kept(cache, "a jti", 1, before_ms), JTG_OK);
    host_folder_remove_store(&folder);
    jtg_cache *other = opened();
    test_clock_advance(&hands, 1000);
    assert_status(reserve_kept(cache, "a jti", 2, before_ms), JTG_REPLAYED);
    test_clock_advance(&hands, 1);
    assert_status(reserve_kept(cache, "a jti", 2, before_ms), JTG_ERR_CONTINUITY);
    assert_int_equal(stats_of(cache).replaced, 1);
    assert_true(kept_since(cache) == kept_since(other));
    assert_status(reserve(cache, "a jti", 2), JTG_OK);
    assert_status(reserve(other, "a jti", 3), JTG_REPLAYED);
    jtg_cache_free(cache);
    jtg_cache_free(other);
}

static ino_t inode_of_store(void)
{
    struct stat about;
    assert_int_equal(stat(folder.store, &about), 0);
    return about.st_ino;
}

static bool maps(ino_t inode)
{
    char line[512], number[32];
    bool found = false;
    FILE *file = fopen("/proc/self/maps", "r");
    assert_non_null(file);
    (void)snprintf(number, sizeof number, " %llu ", (unsigned long long)inode);
    while (fgets(line, sizeof line, file) != NULL)
        found |= strstr(line, folder.path) != NULL && strstr(line, number) != NULL;
    (void)fclose(file);
    return found;
}

static int lowest_free_descriptor(void)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    (void)close(fd);
    return fd;
}

/* Nothing holds its memory: it is the machine's again, before the cache is freed. */
static void a_file_that_is_gone_is_let_go(void **state)
{
    (void)state;
    jtg_cache *cache = opened();
    int before = lowest_free_descriptor();
    for (unsigned i = 0; i < 3; i++) {
        ino_t gone = inode_of_store();
        assert_true(maps(gone));
        host_folder_remove_store(&folder);
        test_clock_advance(&hands, 1001);
        assert_status(reserve(cache, "a jti", i), JTG_OK); /* by a new one */
        test_clock_advance(&hands, 1001);
        assert_status(reserve(cache, "a jti", 9), JTG_REPLAYED);
        assert_false(maps(gone));
        assert_in_range(lowest_free_descriptor(), before - 1, before);
    }
    jtg_cache_free(cache);
}

/* What the old one admits in its last second is too old for the new one, and what that admits was
 * of the future. */
static void no_time_is_good_for_both(void **state)
{
    (void)state;
    for (int64_t issued_ms = 900; issued_ms <= 1100; issued_ms++) {
        jtg_cache *old = opened();
        test_clock_advance(&hands, 2000);
        assert_status(reserve(old, "warm", 1), JTG_OK);
        int64_t replaced_ms = atomic_load(&hands.wall_ms);
        host_folder_remove_store(&folder);
        jtg_cache *new_one = opened();
        bool by_old = false, by_new = false;
        for (int64_t passed_ms = 0; passed_ms < 1200; passed_ms += 100) {
            int64_t token_ms = replaced_ms + issued_ms;
            if (token_ms <= atomic_load(&hands.wall_ms)) { /* not of the future */
                by_old |= reserve_kept(old, "jti", 1, token_ms) == JTG_OK;
                by_new |= reserve_kept(new_one, "jti", 2, token_ms) == JTG_OK;
            }
            test_clock_advance(&hands, 100);
        }
        assert_false(by_old && by_new);
        jtg_cache_free(old);
        jtg_cache_free(new_one);
        host_folder_remove_store(&folder);
    }
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

/* It had no call while another file stood there. */
static void a_file_that_comes_back_is_noticed_by_who_was_idle(void **state)
{
    char away[80];
    (void)state;
    (void)snprintf(away, sizeof away, "%s-away", folder.store);
    jtg_cache *cache = opened();
    test_clock_advance(&hands, 2000);
    assert_status(reserve(cache, "warm", 1), JTG_OK);
    await_next_tick();
    assert_int_equal(rename(folder.store, away), 0);
    jtg_cache *other = opened();
    test_clock_advance(&hands, 2000);
    int64_t since_ms = kept_since(other);
    assert_status(reserve_kept(other, "a jti", 1, since_ms), JTG_OK);
    jtg_cache_free(other);
    assert_int_equal(rename(away, folder.store), 0);
    assert_status(reserve_kept(cache, "a jti", 2, since_ms), JTG_ERR_CONTINUITY);
    assert_status(reserve(cache, "warm", 2), JTG_REPLAYED);
    test_clock_advance(&hands, 1001);
    assert_status(reserve_kept(cache, "b", 2, since_ms + 3001), JTG_OK);
    jtg_cache_free(cache);
}

/* Nothing was done to the file itself: its folder was elsewhere, or covered by another mount. */
static void a_file_that_was_left_is_not_believed_again(void **state)
{
    char away[80];
    (void)state;
    (void)snprintf(away, sizeof away, "%s-away", folder.path);
    jtg_cache *cache = opened();
    test_clock_advance(&hands, 2000);
    assert_int_equal(rename(folder.path, away), 0);
    assert_int_equal(mkdir(folder.path, S_IRWXU), 0);
    assert_status(reserve(cache, "warm", 1), JTG_OK);
    test_clock_advance(&hands, 2000);
    int64_t since_ms = kept_since(cache);
    assert_status(reserve_kept(cache, "a jti", 1, since_ms), JTG_OK);
    host_folder_remove(&folder);
    assert_int_equal(rename(away, folder.path), 0);
    test_clock_advance(&hands, 1001);
    assert_status(reserve_kept(cache, "a jti", 2, since_ms), JTG_ERR_CONTINUITY);
    jtg_cache *other = opened();
    assert_status(reserve_kept(other, "a jti", 2, since_ms), JTG_ERR_CONTINUITY);
    assert_true(kept_since(cache) == kept_since(other));
    jtg_cache_free(cache);
    jtg_cache_free(other);
}

static void a_path_out_of_reach_refuses(void **state)
{
    char away[80];
    (void)state;
    jtg_cache *cache = opened();
    (void)snprintf(away, sizeof away, "%s-away", folder.path);
    assert_int_equal(rename(folder.path, away), 0);
    test_clock_advance(&hands, 1001);
    assert_status(reserve(cache, "a jti", 1), JTG_ERR_UNAVAILABLE);
    assert_status(jtg_cache_ping(cache, NULL), JTG_ERR_UNAVAILABLE);
    assert_int_equal(rename(away, folder.path), 0);
    assert_status(reserve(cache, "a jti", 1), JTG_OK);
    assert_int_equal(stats_of(cache).replaced, 0);
    jtg_cache_free(cache);
}

/* Shown, and documented: it ends, and admits nothing. */
static void a_truncation_ends_the_process(void **state)
{
    int status = 0;
    (void)state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)signal(SIGBUS, SIG_DFL);
        jtg_cache *cache = opened();
        if (truncate(folder.store, 4096) != 0)
            _exit(2);
        _exit(reserve(cache, "a jti", 1) == JTG_OK ? 3 : 4);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGBUS);
    jtg_cache *cache = opened(); /* nobody uses it: a new one */
    assert_status(reserve_kept(cache, "a jti", 1, TEST_CLOCK_WALL_MS), JTG_ERR_CONTINUITY);
    jtg_cache_free(cache);
}

/* ---- what is lent ---- */

static void a_piece_is_the_stores(void **state)
{
    void *one_piece = NULL, *two_piece = NULL, *later = NULL;
    (void)state;
    jtg_cache *one = opened(), *two = opened();
    assert_status(one->backend->lend(one, JTG_BORROWER_COUNT, &one_piece, NULL), JTG_ERR_ARGUMENT);
    for (int borrower = 0; borrower < JTG_BORROWER_COUNT; borrower++) {
        assert_status(one->backend->lend(one, (jtg_borrower)borrower, &one_piece, NULL), JTG_OK);
        assert_status(two->backend->lend(two, (jtg_borrower)borrower, &two_piece, NULL), JTG_OK);
        assert_int_equal(*(unsigned char *)one_piece, 0);
        memset(one_piece, borrower + 1, JTG_LENT_BYTES);
        assert_memory_equal(one_piece, two_piece, JTG_LENT_BYTES);
    }
    assert_status(jtg_cache_clear(one, NULL), JTG_OK);
    assert_int_equal(*(unsigned char *)two_piece, JTG_BORROWER_COUNT);
    host_folder_remove_store(&folder);
    test_clock_advance(&hands, 1001);
    assert_status(reserve(one, "a jti", 1), JTG_OK);
    assert_status(one->backend->lend(one, JTG_BORROWER_GUARD, &later, NULL), JTG_OK);
    assert_ptr_not_equal(later, one_piece);
    assert_int_equal(*(unsigned char *)later, 0);
    assert_int_equal(*(unsigned char *)one_piece, JTG_BORROWER_COUNT); /* as it was */
    assert_status(one->backend->lock_lent(one, one_piece, NULL), JTG_OK);
    memset(one_piece, 7, JTG_LENT_BYTES);
    one->backend->unlock_lent(one, one_piece);
    assert_int_equal(*(unsigned char *)later, 0);
    jtg_cache_free(one);
    jtg_cache_free(two);
}

/* ---- numbers, and what an operator says ---- */

static void numbers_are_told(void **state)
{
    jtg_host_stats stats = {.struct_size = 1};
    (void)state;
    options.max_entries_per_group = 50;
    jtg_cache *cache = opened(), *other = opened();
    assert_status(reserve(cache, "a jti", 1), JTG_OK);
    assert_status(jtg_host_stats_get(cache, &stats, NULL), JTG_ERR_ARGUMENT);
    assert_status(jtg_host_stats_get(NULL, &stats, NULL), JTG_ERR_ARGUMENT);
    stats = stats_of(cache);
    assert_string_equal(stats.path, folder.store);
    assert_int_equal(stats.entries, 1);
    assert_int_equal(stats.max_entries, 5000);
    assert_int_equal(stats.max_entries_per_group, 50);
    assert_int_equal(stats.processes, 2);
    assert_int_equal(stats.repairs + stats.emptied + stats.replaced, 0);
    assert_true(stats.kept_since_ms == TEST_CLOCK_WALL_MS + 1001);
    jtg_cache_free(cache);
    jtg_cache_free(other);
}

static void tell(void *context, uint32_t process_id, const char *name)
{
    assert_int_equal(process_id, getpid());
    assert_true(name[0] != '\0');
    ++*(int *)context;
}

static void processes_are_told(void **state)
{
    int told = 0;
    (void)state;
    jtg_cache *cache = opened(), *other = opened();
    assert_status(jtg_host_processes(cache, NULL, NULL, NULL), JTG_ERR_ARGUMENT);
    assert_status(jtg_host_processes(cache, tell, &told, NULL), JTG_OK);
    assert_int_equal(told, 2);
    jtg_cache_free(cache);
    jtg_cache_free(other);
}

static void an_operator_says_what_was_kept(void **state)
{
    jtg_error err = JTG_ERROR_INIT;
    (void)state;
    jtg_cache *cache = opened(), *other = opened();
    assert_status(reserve_kept(cache, "a jti", 1, 1000), JTG_ERR_CONTINUITY);
    assert_status(jtg_host_vouch(cache, INT64_MAX, &err), JTG_ERR_ARGUMENT);
    assert_err_tells(&err, JTG_ERR_ARGUMENT);
    assert_status(jtg_host_vouch(cache, 0, &err), JTG_OK);
    assert_status(reserve_kept(other, "a jti", 1, 1000), JTG_OK);
    assert_status(jtg_host_lose(cache, NULL), JTG_OK);
    assert_status(reserve_kept(other, "b", 1, TEST_CLOCK_WALL_MS), JTG_ERR_CONTINUITY);
    assert_status(reserve(other, "a jti", 2), JTG_REPLAYED);
    assert_status(reserve_kept(other, "a jti", 2, TEST_CLOCK_WALL_MS), JTG_REPLAYED);
    assert_status(reserve_kept(other, "a jti", 1, TEST_CLOCK_WALL_MS), JTG_ERR_CONTINUITY);
    assert_true(kept_since(other) == TEST_CLOCK_WALL_MS + 1);
    jtg_cache_free(cache);
    jtg_cache_free(other);
}

/* Calls do it, a step at a time. */
static void what_has_ended_is_swept_without_a_thread(void **state)
{
    (void)state;
    jtg_cache *cache = opened();
    for (unsigned i = 0; i < 2000; i++) {
        char text[16];
        (void)snprintf(text, sizeof text, "%u", i);
        assert_status(reserve(cache, text, 1), JTG_OK);
    }
    test_clock_advance(&hands, LIFE_MS);
    for (unsigned i = 0; i < 200 && stats_of(cache).swept < 2000; i++) {
        test_clock_advance(&hands, 1000);
        (void)reserve(cache, "another", 1);
    }
    assert_int_equal(stats_of(cache).swept, 2000);
    assert_true(stats_of(cache).sweep_passes >= 1);
    jtg_cache_free(cache);
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_uri_names_it),
        CASE(what_cannot_be_made_says_why),
        CASE(values_are_not_kept),
        CASE(a_child_makes_its_own),
        CASE(what_was_reserved_outlives_all),
        CASE(who_stays_inside_blocks_until_killed),
        CASE(what_was_stored_is_not_told_as_blocked),
        CASE(of_many_neither),
        CASE(a_call_waits_as_long_as_a_call_may),
        CASE(who_is_cancelled_ends_after_the_call),
        CASE(a_child_does_not_keep_it_alive),
        CASE(it_is_noticed_after_a_second),
        CASE(a_file_that_is_gone_is_let_go),
        CASE(no_time_is_good_for_both),
        CASE(a_file_that_comes_back_is_noticed_by_who_was_idle),
        CASE(a_file_that_was_left_is_not_believed_again),
        CASE(a_path_out_of_reach_refuses),
        CASE(a_truncation_ends_the_process),
        CASE(a_piece_is_the_stores),
        CASE(numbers_are_told),
        CASE(processes_are_told),
        CASE(an_operator_says_what_was_kept),
        CASE(what_has_ended_is_swept_without_a_thread),
    };
    return cmocka_run_group_tests_name("host", tests, NULL, NULL);
}
