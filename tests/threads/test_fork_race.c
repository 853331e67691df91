/* SPDX-License-Identifier: Apache-2.0 */
/* fork() while other threads are in the cache and the sweeper runs: the child is refused and can
 * free what it inherited, whatever was half done there; the parent goes on.
 *
 * AddressSanitizer's allocator has no fork handlers: in a child of a process in which another
 * thread was inside malloc() or free(), the first of these waits for ever, whoever calls it. So
 * under it the child only asks, which allocates nothing; under ThreadSanitizer, whose allocator has
 * them, and in a plain build it frees and makes a cache too. */
#include "threads/shared_cache.h"

#include <sys/wait.h>
#include <unistd.h>

#ifdef __SANITIZE_ADDRESS__
#define ALLOCATES_IN_CHILD false
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ALLOCATES_IN_CHILD false
#endif
#endif
#ifndef ALLOCATES_IN_CHILD
#define ALLOCATES_IN_CHILD true
#endif

enum { WORKERS = 2, FORKS = 60, VALUE_BYTES = 20000 };

struct working {
    atomic_bool stop;
};

/* Long lists of large values make the moments long in which a list is half taken apart. */
static void work_on_values(struct shared *shared, uint64_t number)
{
    static const char text[VALUE_BYTES];
    jtg_key key = key_of(&number);
    for (unsigned i = 0; i < 16; i++)
        expect(shared,
               jtg_cache_put(shared->cache, &key, text, sizeof text, LIFE_MS, 16, NULL) == JTG_OK);
    if (number % 2 == 0) {
        jtg_status status = jtg_cache_drop(shared->cache, &key, NULL);
        expect(shared, status == JTG_OK || status == JTG_NOT_FOUND); /* the other one clears */
    } else {
        expect(shared, jtg_cache_clear(shared->cache, NULL) == JTG_OK);
    }
}

static void work_until_stopped(void *context, unsigned thread)
{
    struct shared *shared = context;
    struct working *working = shared->more;
    jtg_owner owner = owner_of(thread);
    for (uint64_t i = 0; !atomic_load(&working->stop); i++) {
        uint64_t number = i << 8 | thread;
        jtg_key key = key_of(&number);
        jtg_status status = jtg_cache_reserve(shared->cache, &key, &owner, 5, NULL);
        expect(shared, status == JTG_OK);
        test_clock_advance(&shared->clock, 1);
        if (i % 64 == 0)
            work_on_values(shared, thread);
    }
}

/* In the child no assert may be used: it would go on with the parent's tests. */
static int use_in_child(jtg_cache *cache)
{
    uint64_t number = 1;
    jtg_key key = key_of(&number);
    jtg_owner owner = owner_of(1);
    jtg_value value = JTG_VALUE_INIT;
    jtg_memory_stats stats = {.struct_size = sizeof stats};
    bool more = false;
    bool refused = jtg_cache_reserve(cache, &key, &owner, LIFE_MS, NULL) == JTG_ERR_FORKED &&
                   jtg_cache_take(cache, &key, &value, NULL) == JTG_ERR_FORKED &&
                   jtg_memory_sweep_step(cache, &more, NULL) == JTG_ERR_FORKED &&
                   jtg_memory_stats_get(cache, &stats, NULL) == JTG_ERR_FORKED;
    return refused ? 0 : 1;
}

/* A cache of the child's own works. Without a sweeper thread: thread sanitizers refuse to follow
 * a thread that a child of a threaded process starts. */
static int make_one_in_child(void)
{
    jtg_cache *cache = NULL;
    jtg_memory_options options = JTG_MEMORY_OPTIONS_INIT;
    uint64_t number = 1;
    jtg_key key = key_of(&number);
    jtg_owner owner = owner_of(1);
    options.sweep_interval_ms = 0;
    if (jtg_memory_new(&cache, &options, NULL) != JTG_OK)
        return 2;
    bool works = jtg_cache_reserve(cache, &key, &owner, LIFE_MS, NULL) == JTG_OK;
    jtg_cache_free(cache);
    return works ? 0 : 3;
}

static int free_and_make_one_in_child(jtg_cache *cache)
{
    jtg_cache_free(cache);
    return make_one_in_child();
}

static void fork_once(struct shared *shared)
{
    pid_t child = fork();
    assert_int_not_equal(child, -1);
    if (child == 0) {
        int failed = use_in_child(shared->cache);
        if (failed == 0 && ALLOCATES_IN_CHILD)
            failed = free_and_make_one_in_child(shared->cache);
        _exit(failed);
    }
    int how = 0;
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFEXITED(how));
    assert_int_equal(WEXITSTATUS(how), 0);
}

static void a_busy_cache_survives_fork(void **state)
{
    struct working working = {.stop = false};
    static struct shared shared;
    jtg_memory_options options = JTG_MEMORY_OPTIONS_INIT;
    uint64_t kept = UINT64_MAX;
    jtg_key key = key_of(&kept);
    jtg_owner owner = owner_of(1);
    (void)state;
    shared.more = &working;
    options.max_entries = 20000;
    options.max_entries_per_group = 10000;
    options.sweep_interval_ms = 1;
    shared_open(&shared, options);
    struct threads *workers = threads_start(WORKERS, work_until_stopped, &shared);
    for (unsigned i = 0; i < FORKS; i++)
        fork_once(&shared);
    assert_status(jtg_cache_ping(shared.cache, NULL), JTG_OK);
    atomic_store(&working.stop, true);
    threads_join(workers);
    assert_status(jtg_cache_reserve(shared.cache, &key, &owner, LIFE_MS, NULL), JTG_OK);
    shared_close(&shared);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_busy_cache_survives_fork)};
    return cmocka_run_group_tests_name("fork race", tests, NULL, NULL);
}
