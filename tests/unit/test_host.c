/* SPDX-License-Identifier: Apache-2.0 */
/* The host backend beyond the contract list: the making, and several processes. */
#include <jtiguard/host.h>

#include "support/asserts.h"
#include "support/host_store.h"

#include <jtiguard/backend.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

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
    (void)snprintf(uri, sizeof uri, "host:%s", store.folder.store);
    assert_status(jtg_host_new_uri(&cache, uri, NULL), JTG_OK);
    assert_string_equal(jtg_cache_backend(cache), "host");
    assert_int_equal(host_store_stats(cache).max_entries, JTG_HOST_MAX_ENTRIES_DEFAULT);
    jtg_cache_free(cache);
}

static void what_cannot_be_made_says_why(void **state)
{
    jtg_cache *cache = NULL;
    jtg_error err = JTG_ERROR_INIT;
    (void)state;
    store.options.max_entries = 0;
    assert_status(jtg_host_new(&cache, &store.options, &err), JTG_ERR_ARGUMENT);
    store.options.max_entries = 10;
    store.options.must_exist = true;
    assert_status(jtg_host_new(&cache, &store.options, &err), JTG_ERR_UNAVAILABLE);
    assert_err_tells(&err, JTG_ERR_UNAVAILABLE);
    store.options.must_exist = false;
    store.options.path = "/proc/store";
    assert_status(jtg_host_new(&cache, &store.options, &err), JTG_ERR_UNSAFE);
    assert_err_tells(&err, JTG_ERR_UNSAFE);
}

static bool is_shared = true;

bool __real_jtgi_table_can_be_shared(void);
bool __wrap_jtgi_table_can_be_shared(void);

bool __wrap_jtgi_table_can_be_shared(void)
{
    return is_shared && __real_jtgi_table_can_be_shared();
}

static void a_machine_that_cannot_share_has_none(void **state)
{
    jtg_cache *cache = NULL;
    jtg_error err = JTG_ERROR_INIT;
    (void)state;
    is_shared = false;
    assert_status(jtg_host_new(&cache, &store.options, &err), JTG_ERR_UNSUPPORTED);
    is_shared = true;
    assert_err_tells(&err, JTG_ERR_UNSUPPORTED);
    assert_null(cache);
    jtg_cache_free(host_store_open());
}

/* ---- several processes ---- */

/* The object is not for children, the store is. */
static void a_child_makes_its_own(void **state)
{
    (void)state;
    jtg_cache *cache = host_store_open();
    assert_status(host_store_reserve(cache, "a jti", 1), JTG_OK);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        jtg_host_stats stats = {.struct_size = sizeof stats};
        bool forked = host_store_reserve(cache, "another", 2) == JTG_ERR_FORKED &&
                      jtg_host_stats_get(cache, &stats, NULL) == JTG_ERR_FORKED &&
                      jtg_host_vouch(cache, 0, NULL) == JTG_ERR_FORKED;
        jtg_cache_free(cache);
        jtg_cache *own = host_store_open();
        bool same = host_store_reserve(own, "a jti", 2) == JTG_REPLAYED &&
                    host_store_reserve(own, "b", 2) == JTG_OK;
        jtg_cache_free(own);
        _exit(forked && same ? 0 : 1);
    }
    host_store_await(child, 0);
    assert_status(host_store_reserve(cache, "b", 1), JTG_REPLAYED);
    assert_int_equal(host_store_stats(cache).processes, 1);
    jtg_cache_free(cache);
}

static void what_was_reserved_outlives_all(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            _exit(host_store_reserve(host_store_open(), "a jti", (unsigned)i) == JTG_OK ? 1 : 0);
        host_store_await(child, i == 0);
    }
    jtg_cache *cache = host_store_open();
    assert_status(host_store_reserve(cache, "a jti", 9), JTG_REPLAYED);
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
    jtg_cache *cache = host_store_open();
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        jtg_cache *own = host_store_open();
        if (own->backend->lend(own, JTG_BORROWER_GUARD, &piece, NULL) != JTG_OK ||
            own->backend->lock_lent(own, piece, NULL) != JTG_OK)
            _exit(1);
        pid_t sleeper = fork();
        while (sleeper == 0)
            (void)pause();
        _exit(write(ready[1], &sleeper, sizeof sleeper) == sizeof sleeper ? 0 : 1);
    }
    host_store_await(child, 0);
    assert_int_equal(read(ready[0], &grandchild, sizeof grandchild), sizeof grandchild);
    assert_status(cache->backend->lend(cache, JTG_BORROWER_GUARD, &piece, NULL), JTG_OK);
    assert_status(cache->backend->lock_lent(cache, piece, NULL), JTG_OK);
    cache->backend->unlock_lent(cache, piece);
    assert_int_equal(kill(grandchild, SIGKILL), 0);
    (void)close(ready[0]);
    (void)close(ready[1]);
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
        jtg_cache *cache = host_store_open();
        if (truncate(store.folder.store, 4096) != 0)
            _exit(2);
        _exit(host_store_reserve(cache, "a jti", 1) == JTG_OK ? 3 : 4);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGBUS);
    jtg_cache *cache = host_store_open(); /* nobody uses it: a new one */
    assert_status(host_store_reserve_kept(cache, "a jti", 1, TEST_CLOCK_WALL_MS),
                  JTG_ERR_CONTINUITY);
    jtg_cache_free(cache);
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, host_store_begin, host_store_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_uri_names_it),
        CASE(what_cannot_be_made_says_why),
        CASE(a_machine_that_cannot_share_has_none),
        CASE(a_child_makes_its_own),
        CASE(what_was_reserved_outlives_all),
        CASE(a_child_does_not_keep_it_alive),
        CASE(a_truncation_ends_the_process),
    };
    return cmocka_run_group_tests_name("host", tests, NULL, NULL);
}
