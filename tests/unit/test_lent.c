/* SPDX-License-Identifier: Apache-2.0 */
#include "core/lent.h"
#include "support/asserts.h"
#include "support/lending_cache.h"

#include <stddef.h>
#include <sys/wait.h>
#include <unistd.h>

static void a_store_says_where_the_memory_is(void **state)
{
    struct lending_cache store;
    jtg_error err = JTG_ERROR_INIT;
    void *memory = &err;
    (void)state;
    lending_cache_init(&store);
    assert_true(jtgi_backend_lends(store.base.backend));
    assert_status(jtgi_lent_find(&store.base, JTG_BORROWER_ANTI_REPLAY, &memory, &err), JTG_OK);
    assert_ptr_equal(memory, store.pieces[0][JTG_BORROWER_ANTI_REPLAY]);
    assert_err_tells(&err, JTG_OK);
    assert_status(jtgi_lent_lock(&store.base, memory, &err), JTG_OK);
    assert_true(store.is_held);
    jtgi_lent_unlock(&store.base, memory);
    assert_false(store.is_held);
    jtg_cache_free(&store.base);
}

/* A store that gives no cause has one given. */
static void what_a_store_refuses_is_told(void **state)
{
    struct lending_cache store;
    void *memory = NULL;
    jtg_error err = JTG_ERROR_INIT;
    (void)state;
    lending_cache_init(&store);
    store.lend_answer = JTG_ERR_UNSAFE;
    assert_status(jtgi_lent_find(&store.base, JTG_BORROWER_GUARD, &memory, &err), JTG_ERR_UNSAFE);
    assert_err_tells(&err, JTG_ERR_UNSAFE);
    assert_status(jtgi_lent_find(&store.base, JTG_BORROWER_GUARD, &memory, NULL), JTG_ERR_UNSAFE);
    store.lock_answer = JTG_ERR_BLOCKED;
    err = (jtg_error)JTG_ERROR_INIT;
    assert_status(jtgi_lent_lock(&store.base, store.pieces[0][0], &err), JTG_ERR_BLOCKED);
    assert_err_tells(&err, JTG_ERR_BLOCKED);
    assert_status(jtgi_lent_lock(&store.base, store.pieces[0][0], NULL), JTG_ERR_BLOCKED);
    jtg_cache_free(&store.base);
}

/* A yes without memory, and a number that is no status. */
static void a_backend_that_breaks_its_contract_lends_nothing(void **state)
{
    struct lending_cache store;
    void *memory = NULL;
    jtg_error err = JTG_ERROR_INIT;
    (void)state;
    lending_cache_init(&store);
    store.lends_nothing = true;
    assert_status(jtgi_lent_find(&store.base, JTG_BORROWER_GUARD, &memory, &err), JTG_ERR_PROTOCOL);
    assert_err_tells(&err, JTG_ERR_PROTOCOL);
    store.lend_answer = JTG_STATUS_COUNT;
    assert_status(jtgi_lent_find(&store.base, JTG_BORROWER_GUARD, &memory, NULL), JTG_ERR_PROTOCOL);
    store.lock_answer = JTG_STATUS_COUNT;
    assert_status(jtgi_lent_lock(&store.base, store.pieces[0][0], NULL), JTG_ERR_PROTOCOL);
    jtg_cache_free(&store.base);
}

static void an_older_table_lends_nothing(void **state)
{
    struct lending_cache store;
    (void)state;
    lending_cache_init(&store);
    jtg_backend older = *store.base.backend;
    older.struct_size = offsetof(jtg_backend, lend);
    assert_false(jtgi_backend_lends(&older));
    older.struct_size = offsetof(jtg_backend, unlock_lent);
    assert_false(jtgi_backend_lends(&older));
    assert_false(jtgi_backend_lends_in_part(&older));
    jtg_cache_free(&store.base);
}

static void a_table_lends_wholly_or_not(void **state)
{
    struct lending_cache store;
    (void)state;
    lending_cache_init(&store);
    const jtg_backend whole = *store.base.backend;
    assert_false(jtgi_backend_lends_in_part(&whole));
    for (unsigned set = 1; set < 7; set++) {
        jtg_cache cache;
        jtg_error err = JTG_ERROR_INIT;
        jtg_backend part = whole;
        part.lend = (set & 1) != 0 ? whole.lend : NULL;
        part.lock_lent = (set & 2) != 0 ? whole.lock_lent : NULL;
        part.unlock_lent = (set & 4) != 0 ? whole.unlock_lent : NULL;
        assert_false(jtgi_backend_lends(&part));
        assert_status(jtg_cache_init(&cache, &part, &err), JTG_ERR_ARGUMENT);
        assert_err_tells(&err, JTG_ERR_ARGUMENT);
    }
    jtg_cache_free(&store.base);
}

static void a_child_of_fork_is_lent_nothing(void **state)
{
    struct lending_cache store;
    void *memory = NULL;
    int status = 0;
    (void)state;
    lending_cache_init(&store);
    pid_t child = fork();
    if (child == 0)
        _exit(jtgi_lent_find(&store.base, JTG_BORROWER_GUARD, &memory, NULL) == JTG_ERR_FORKED &&
                      memory == NULL
                  ? 0
                  : 1);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    jtg_cache_free(&store.base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_store_says_where_the_memory_is),
        cmocka_unit_test(what_a_store_refuses_is_told),
        cmocka_unit_test(a_backend_that_breaks_its_contract_lends_nothing),
        cmocka_unit_test(an_older_table_lends_nothing),
        cmocka_unit_test(a_table_lends_wholly_or_not),
        cmocka_unit_test(a_child_of_fork_is_lent_nothing),
    };
    return cmocka_run_group_tests_name("lent", tests, NULL, NULL);
}
