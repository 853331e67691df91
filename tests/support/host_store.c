/* SPDX-License-Identifier: Apache-2.0 */
#include "support/host_store.h"

#include "support/asserts.h"

#include <string.h>
#include <sys/wait.h>

struct host_store store;

int host_store_begin(void **state)
{
    (void)state;
    host_folder_make(&store.folder);
    test_clock_init(&store.hands);
    store.clock = test_clock_as_jtg(&store.hands);
    jtg_host_options_init(&store.options);
    store.options.path = store.folder.store;
    store.options.max_entries = 5000;
    store.options.lock_wait_ms = HOST_STORE_LOCK_WAIT_MS;
    store.options.clock = &store.clock;
    return 0;
}

int host_store_end(void **state)
{
    (void)state;
    host_folder_remove(&store.folder);
    return 0;
}

jtg_cache *host_store_open(void)
{
    jtg_cache *cache = NULL;
    assert_status(jtg_host_new(&cache, &store.options, NULL), JTG_OK);
    return cache;
}

jtg_status host_store_reserve(jtg_cache *cache, const char *text, unsigned owner)
{
    jtg_key key = {text, strlen(text), NULL, 0};
    jtg_owner by = {{(unsigned char)owner}};
    return jtg_cache_reserve(cache, &key, &by, HOST_STORE_LIFE_MS, NULL);
}

jtg_status host_store_reserve_kept(jtg_cache *cache, const char *text, unsigned owner,
                                   int64_t kept_since_ms)
{
    jtg_key key = {text, strlen(text), NULL, 0};
    jtg_owner by = {{(unsigned char)owner}};
    jtg_error err = JTG_ERROR_INIT;
    jtg_status status =
        jtg_cache_reserve_kept(cache, &key, &by, HOST_STORE_LIFE_MS, kept_since_ms, &err);
    assert_err_tells(&err, status);
    return status;
}

int64_t host_store_kept_since(jtg_cache *cache)
{
    int64_t since_ms = 0;
    assert_status(jtg_cache_kept_since(cache, &since_ms, NULL), JTG_OK);
    return since_ms;
}

jtg_host_stats host_store_stats(jtg_cache *cache)
{
    jtg_host_stats stats = {.struct_size = sizeof stats};
    assert_status(jtg_host_stats_get(cache, &stats, NULL), JTG_OK);
    return stats;
}

void host_store_await(pid_t child, int expected)
{
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), expected);
}
