/* SPDX-License-Identifier: Apache-2.0 */
/* Threads and processes on host stores, some of which are exchanged under them all the time. */
#include "support/asserts.h"
#include "support/host_folder.h"
#include "support/test_clock.h"
#include "support/threads.h"

#include <jtiguard/host.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 4, PROCESSES = 3, TOKENS = 3000, EXCHANGES = 30 };

static struct host_folder folder;
static struct test_clock hands;

struct crowd {
    jtg_cache *caches[THREADS];
    atomic_uint admitted[TOKENS];
    atomic_uint strange; /* answers */
    atomic_bool over;
};

static jtg_cache *opened(void)
{
    jtg_cache *cache = NULL;
    jtg_host_options options = JTG_HOST_OPTIONS_INIT;
    jtg_clock clock = test_clock_as_jtg(&hands);
    options.path = folder.store;
    options.max_entries = TOKENS * 4;
    options.lock_wait_ms = 10000;
    options.clock = &clock;
    if (jtg_host_new(&cache, &options, NULL) != JTG_OK)
        return NULL;
    return cache;
}

static jtg_status show(jtg_cache *cache, uint32_t token, unsigned who)
{
    jtg_key key = {&token, sizeof token, NULL, 0};
    jtg_owner owner = {{(unsigned char)who, (unsigned char)(who >> 8)}};
    return jtg_cache_reserve(cache, &key, &owner, 100000, NULL);
}

static void show_all(void *context, unsigned thread)
{
    struct crowd *crowd = context;
    for (uint32_t token = 0; token < TOKENS; token++) {
        jtg_status status = show(crowd->caches[thread], token, thread);
        atomic_fetch_add(&crowd->admitted[token], status == JTG_OK);
        atomic_fetch_add(&crowd->strange, status != JTG_OK && status != JTG_REPLAYED);
    }
}

/* One cache of all threads, and one of each. */
static void each_token_passes_once(void **state)
{
    (void)state;
    for (int shared = 0; shared < 2; shared++) {
        static struct crowd crowd;
        crowd = (struct crowd){.caches = {NULL}};
        test_clock_init(&hands);
        host_folder_make(&folder);
        for (unsigned i = 0; i < THREADS; i++) {
            crowd.caches[i] = shared && i > 0 ? crowd.caches[0] : opened();
            assert_non_null(crowd.caches[i]);
        }
        threads_run(THREADS, show_all, &crowd);
        assert_int_equal(crowd.strange, 0);
        for (unsigned token = 0; token < TOKENS; token++)
            assert_int_equal(crowd.admitted[token], 1);
        for (unsigned i = 0; i < (shared ? 1 : THREADS); i++)
            jtg_cache_free(crowd.caches[i]);
        host_folder_remove(&folder);
    }
}

static int admitted_by_process(unsigned who)
{
    int admitted = 0;
    jtg_cache *cache = opened();
    for (uint32_t token = 0; cache != NULL && token < 100; token++)
        admitted += show(cache, token, who) == JTG_OK;
    jtg_cache_free(cache);
    return admitted;
}

static void also_by_processes(void **state)
{
    pid_t children[PROCESSES];
    int admitted = 0;
    (void)state;
    test_clock_init(&hands);
    host_folder_make(&folder);
    for (unsigned i = 0; i < PROCESSES; i++) {
        children[i] = fork();
        assert_true(children[i] >= 0);
        if (children[i] == 0)
            _exit(admitted_by_process(i));
    }
    for (unsigned i = 0; i < PROCESSES; i++) {
        int status = 0;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_true(WIFEXITED(status));
        admitted += WEXITSTATUS(status);
    }
    assert_int_equal(admitted, 100);
    host_folder_remove(&folder);
}

/* ---- exchanged under them ---- */

static void show_until_over(void *context, unsigned thread)
{
    struct crowd *crowd = context;
    for (uint32_t token = 0; !atomic_load(&crowd->over); token++) {
        jtg_status status = show(crowd->caches[thread], token % TOKENS, thread);
        bool fits = status == JTG_OK || status == JTG_REPLAYED || status == JTG_ERR_CONTINUITY ||
                    status == JTG_ERR_UNAVAILABLE;
        atomic_fetch_add(&crowd->strange, !fits);
    }
}

static void who_is_inside_comes_to_no_harm(void **state)
{
    static struct crowd crowd;
    jtg_host_stats stats = {.struct_size = sizeof stats};
    (void)state;
    test_clock_init(&hands);
    host_folder_make(&folder);
    crowd = (struct crowd){.caches = {NULL}};
    for (unsigned i = 0; i < THREADS; i++)
        crowd.caches[i] = i > 0 ? crowd.caches[0] : opened();
    struct threads *threads = threads_start(THREADS, show_until_over, &crowd);
    for (unsigned i = 0; i < EXCHANGES; i++) {
        host_folder_remove_store(&folder);
        test_clock_advance(&hands, 1001);
        while (access(folder.store, F_OK) != 0)
            (void)show(crowd.caches[0], 0, THREADS);
    }
    atomic_store(&crowd.over, true);
    threads_join(threads);
    assert_int_equal(crowd.strange, 0);
    assert_status(jtg_host_stats_get(crowd.caches[0], &stats, NULL), JTG_OK);
    assert_int_equal(stats.replaced, EXCHANGES);
    jtg_cache_free(crowd.caches[0]);
    host_folder_remove(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_token_passes_once),
        cmocka_unit_test(also_by_processes),
        cmocka_unit_test(who_is_inside_comes_to_no_harm),
    };
    return cmocka_run_group_tests_name("host race", tests, NULL, NULL);
}
