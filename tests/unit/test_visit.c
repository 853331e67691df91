/* SPDX-License-Identifier: Apache-2.0 */
/* Into the store as it is now: a file that is exchanged or comes back, threads that are cancelled,
 * and one that holds every place. */
#include "host/visit.h"

#include "core/clock.h"
#include "support/asserts.h"
#include "support/host_store.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* ---- a file that is exchanged ---- */

static ino_t inode_of_store(void)
{
    struct stat about;
    assert_int_equal(stat(store.folder.store, &about), 0);
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
        found |= strstr(line, store.folder.path) != NULL && strstr(line, number) != NULL;
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

static void it_is_noticed_after_a_second(void **state)
{
    (void)state;
    jtg_cache *cache = host_store_open();
    test_clock_advance(&store.hands, 1001);
    int64_t before_ms = host_store_kept_since(cache);
    assert_status(host_store_reserve_kept(cache, "a jti", 1, before_ms), JTG_OK);
    host_folder_remove_store(&store.folder);
    jtg_cache *other = host_store_open();
    test_clock_advance(&store.hands, 1000);
    assert_status(host_store_reserve_kept(cache, "a jti", 2, before_ms), JTG_REPLAYED);
    test_clock_advance(&store.hands, 1);
    assert_status(host_store_reserve_kept(cache, "a jti", 2, before_ms), JTG_ERR_CONTINUITY);
    assert_int_equal(host_store_stats(cache).replaced, 1);
    assert_true(host_store_kept_since(cache) == host_store_kept_since(other));
    assert_status(host_store_reserve(cache, "a jti", 2), JTG_OK);
    assert_status(host_store_reserve(other, "a jti", 3), JTG_REPLAYED);
    jtg_cache_free(cache);
    jtg_cache_free(other);
}

/* Nothing holds its memory: it is the machine's again, before the cache is freed. */
static void a_file_that_is_gone_is_let_go(void **state)
{
    (void)state;
    jtg_cache *cache = host_store_open();
    int before = lowest_free_descriptor();
    for (unsigned i = 0; i < 3; i++) {
        ino_t gone = inode_of_store();
        assert_true(maps(gone));
        host_folder_remove_store(&store.folder);
        test_clock_advance(&store.hands, 1001);
        assert_status(host_store_reserve(cache, "a jti", i), JTG_OK); /* by a new one */
        test_clock_advance(&store.hands, 1001);
        assert_status(host_store_reserve(cache, "a jti", 9), JTG_REPLAYED);
        assert_false(maps(gone));
        assert_in_range(lowest_free_descriptor(), before - 1, before);
    }
    jtg_cache_free(cache);
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
    (void)snprintf(away, sizeof away, "%s-away", store.folder.store);
    jtg_cache *cache = host_store_open();
    test_clock_advance(&store.hands, 2000);
    assert_status(host_store_reserve(cache, "warm", 1), JTG_OK);
    await_next_tick();
    assert_int_equal(rename(store.folder.store, away), 0);
    jtg_cache *other = host_store_open();
    test_clock_advance(&store.hands, 2000);
    int64_t since_ms = host_store_kept_since(other);
    assert_status(host_store_reserve_kept(other, "a jti", 1, since_ms), JTG_OK);
    jtg_cache_free(other);
    assert_int_equal(rename(away, store.folder.store), 0);
    assert_status(host_store_reserve_kept(cache, "a jti", 2, since_ms), JTG_ERR_CONTINUITY);
    assert_status(host_store_reserve(cache, "warm", 2), JTG_REPLAYED);
    test_clock_advance(&store.hands, 1001);
    assert_status(host_store_reserve_kept(cache, "b", 2, since_ms + 3001), JTG_OK);
    jtg_cache_free(cache);
}

/* Nothing was done to the file itself: its store.folder was elsewhere, or covered by another mount.
 */
static void a_file_that_was_left_is_not_believed_again(void **state)
{
    char away[80];
    (void)state;
    (void)snprintf(away, sizeof away, "%s-away", store.folder.path);
    jtg_cache *cache = host_store_open();
    test_clock_advance(&store.hands, 2000);
    assert_int_equal(rename(store.folder.path, away), 0);
    assert_int_equal(mkdir(store.folder.path, S_IRWXU), 0);
    assert_status(host_store_reserve(cache, "warm", 1), JTG_OK);
    test_clock_advance(&store.hands, 2000);
    int64_t since_ms = host_store_kept_since(cache);
    assert_status(host_store_reserve_kept(cache, "a jti", 1, since_ms), JTG_OK);
    host_folder_remove(&store.folder);
    assert_int_equal(rename(away, store.folder.path), 0);
    test_clock_advance(&store.hands, 1001);
    assert_status(host_store_reserve_kept(cache, "a jti", 2, since_ms), JTG_ERR_CONTINUITY);
    jtg_cache *other = host_store_open();
    assert_status(host_store_reserve_kept(other, "a jti", 2, since_ms), JTG_ERR_CONTINUITY);
    assert_true(host_store_kept_since(cache) == host_store_kept_since(other));
    jtg_cache_free(cache);
    jtg_cache_free(other);
}

static void a_path_out_of_reach_refuses(void **state)
{
    char away[80];
    (void)state;
    jtg_cache *cache = host_store_open();
    (void)snprintf(away, sizeof away, "%s-away", store.folder.path);
    assert_int_equal(rename(store.folder.path, away), 0);
    test_clock_advance(&store.hands, 1001);
    assert_status(host_store_reserve(cache, "a jti", 1), JTG_ERR_UNAVAILABLE);
    assert_status(jtg_cache_ping(cache, NULL), JTG_ERR_UNAVAILABLE);
    assert_int_equal(rename(away, store.folder.path), 0);
    assert_status(host_store_reserve(cache, "a jti", 1), JTG_OK);
    assert_int_equal(host_store_stats(cache).replaced, 0);
    jtg_cache_free(cache);
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
    jtg_status status = jtg_host_new(cache, &store.options, NULL);
    return status == JTG_OK ? cache : NULL;
}

static void *reserve_cancelled(void *cache)
{
    atomic_store(&is_cancelled_now, true);
    return host_store_reserve(cache, "a jti", 1) == JTG_OK ? cache : NULL;
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
    store.clock.monotonic_ms = cancel_and_tell;
    assert_ptr_equal(result_of(open_cancelled, &cache), &cache);
    host_folder_remove_store(&store.folder);
    test_clock_advance(&store.hands, 1001);
    assert_ptr_equal(result_of(reserve_cancelled, cache), cache);
    assert_status(host_store_reserve(cache, "a jti", 2), JTG_REPLAYED);
    assert_int_equal(host_store_stats(cache).processes, 1);
    jtg_cache_free(cache);
}

/* ---- one that holds every place, and was stopped ---- */

enum { CALLERS = 4 };

/* NULL: it was not refused for that. */
static void *reserve_in_vain(void *cache)
{
    jtg_status status = host_store_reserve(cache, "a jti", 1);
    return status == JTG_ERR_BLOCKED || status == JTG_ERR_UNAVAILABLE ? cache : NULL;
}

/* As a process that is alone, between taking its place and settling. */
static int hold_all_places(void)
{
    const uint64_t first_byte = offsetof(struct jtgi_host_header, users);
    int fd = open(store.folder.store, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_true(jtgi_places_take_all(&(struct jtgi_places){.fd = fd, .first_byte = first_byte}));
    return fd;
}

/* Each of them: nobody waits for the failures of the others. */
static void a_call_waits_as_long_as_a_call_may(void **state)
{
    pthread_t threads[CALLERS];
    (void)state;
    jtg_cache *cache = host_store_open();
    host_folder_remove_store(&store.folder);
    jtg_cache_free(host_store_open());
    int fd = hold_all_places();
    test_clock_advance(&store.hands, 1001);
    int64_t start_ms = jtgi_clock_system_ms();
    for (unsigned i = 0; i < CALLERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, reserve_in_vain, cache), 0);
    for (unsigned i = 0; i < CALLERS; i++) {
        void *refused = NULL;
        assert_int_equal(pthread_join(threads[i], &refused), 0);
        assert_non_null(refused);
    }
    assert_in_range(jtgi_clock_system_ms() - start_ms, HOST_STORE_LOCK_WAIT_MS, 4000);
    (void)close(fd);
    assert_status(host_store_reserve(cache, "a jti", 1), JTG_OK);
    jtg_cache_free(cache);
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, host_store_begin, host_store_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(it_is_noticed_after_a_second),
        CASE(a_file_that_is_gone_is_let_go),
        CASE(a_file_that_comes_back_is_noticed_by_who_was_idle),
        CASE(a_file_that_was_left_is_not_believed_again),
        CASE(a_path_out_of_reach_refuses),
        CASE(who_is_cancelled_ends_after_the_call),
        CASE(a_call_waits_as_long_as_a_call_may),
    };
    return cmocka_run_group_tests_name("visit", tests, NULL, NULL);
}
