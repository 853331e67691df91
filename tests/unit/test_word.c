/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/flow/word.h"
#include "redis/line/deadline.h"
#include "support/asserts.h"
#include "support/threads.h"

static void a_changed_word_is_not_waited_for(void **state)
{
    jtgi_word word = 1;
    (void)state;
    int64_t start = jtgi_now_ns();
    jtgi_word_wait(&word, 0, jtgi_deadline_in_ms(5000));
    assert_true(jtgi_now_ns() - start < 1000 * JTGI_NS_PER_MS);
}

static void a_deadline_ends_the_wait(void **state)
{
    jtgi_word word = 0;
    int64_t deadline_ns = jtgi_deadline_in_ms(20);
    (void)state;
    while (jtgi_now_ns() < deadline_ns)
        jtgi_word_wait(&word, 0, deadline_ns);
    assert_true(jtgi_now_ns() - deadline_ns < 200 * JTGI_NS_PER_MS);
}

struct meeting {
    jtgi_word word;
    atomic_uint arrived;
    atomic_uint late;
};

static void wait_or_wake(void *context, unsigned index)
{
    struct meeting *meeting = context;
    int64_t deadline_ns = jtgi_deadline_in_ms(10000);
    if (index == 0) {
        while (atomic_load(&meeting->arrived) < 7)
            (void)0;
        atomic_store(&meeting->word, 1);
        jtgi_word_wake(&meeting->word, INT_MAX);
        return;
    }
    atomic_fetch_add(&meeting->arrived, 1);
    while (atomic_load(&meeting->word) == 0 && jtgi_now_ns() < deadline_ns)
        jtgi_word_wait(&meeting->word, 0, deadline_ns);
    if (jtgi_now_ns() >= deadline_ns)
        atomic_fetch_add(&meeting->late, 1);
}

static void one_wake_reaches_all(void **state)
{
    struct meeting meeting = {.word = 0};
    (void)state;
    threads_run(8, wait_or_wake, &meeting);
    assert_int_equal(meeting.late, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_changed_word_is_not_waited_for),
        cmocka_unit_test(a_deadline_ends_the_wait),
        cmocka_unit_test(one_wake_reaches_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
