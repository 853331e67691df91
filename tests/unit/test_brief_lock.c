/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever kind of lock the C library has for it: one thread holds it, and then the next. */
#include "core/brief_lock.h"
#include "support/asserts.h"

#include <stdbool.h>

static void *try_it(void *lock)
{
    int result = pthread_mutex_trylock(lock);
    if (result == 0)
        (void)pthread_mutex_unlock(lock);
    return result == 0 ? lock : NULL;
}

static bool another_thread_gets(pthread_mutex_t *lock)
{
    pthread_t thread;
    void *got = NULL;
    assert_int_equal(pthread_create(&thread, NULL, try_it, lock), 0);
    assert_int_equal(pthread_join(thread, &got), 0);
    return got != NULL;
}

static void one_thread_holds_it(void **state)
{
    (void)state;
    pthread_mutex_t lock;
    jtgi_brief_lock_init(&lock);
    assert_true(another_thread_gets(&lock));
    assert_int_equal(pthread_mutex_lock(&lock), 0);
    assert_false(another_thread_gets(&lock));
    assert_int_equal(pthread_mutex_unlock(&lock), 0);
    assert_true(another_thread_gets(&lock));
    assert_int_equal(pthread_mutex_destroy(&lock), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(one_thread_holds_it)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
