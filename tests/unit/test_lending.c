/* SPDX-License-Identifier: Apache-2.0 */
/* What a host store lends: whose it is, and who stays in its lock. */
#include "host/lending.h"

#include "core/clock.h"
#include "support/asserts.h"
#include "support/host_store.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void a_piece_is_the_stores(void **state)
{
    void *one_piece = NULL, *two_piece = NULL, *later = NULL;
    (void)state;
    jtg_cache *one = host_store_open(), *two = host_store_open();
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
    host_folder_remove_store(&store.folder);
    test_clock_advance(&store.hands, 1001);
    assert_status(host_store_reserve(one, "a jti", 1), JTG_OK);
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
        jtg_cache *cache = host_store_open();
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
    jtg_cache *cache = host_store_open();
    pid_t child = start_holder();
    assert_int_equal(kill(child, SIGSTOP), 0);
    assert_int_equal(waitpid(child, &status, WUNTRACED), child);
    assert_status(cache->backend->lend(cache, JTG_BORROWER_GUARD, &piece, NULL), JTG_OK);
    int64_t start_ms = jtgi_clock_system_ms();
    assert_status(cache->backend->lock_lent(cache, piece, NULL), JTG_ERR_BLOCKED);
    assert_in_range(jtgi_clock_system_ms() - start_ms, HOST_STORE_LOCK_WAIT_MS, 2000);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_status(cache->backend->lock_lent(cache, piece, NULL), JTG_OK);
    cache->backend->unlock_lent(cache, piece);
    jtg_cache_free(cache);
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, host_store_begin, host_store_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_piece_is_the_stores),
        CASE(who_stays_inside_blocks_until_killed),
    };
    return cmocka_run_group_tests_name("lending", tests, NULL, NULL);
}
