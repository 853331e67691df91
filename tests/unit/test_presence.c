/* SPDX-License-Identifier: Apache-2.0 */
/* Threads that come and go are all counted. */
#include "host/presence.h"
#include "support/asserts.h"
#include "support/threads.h"

enum { THREADS = 40, TURNS = 1000 };

static void come_and_go(void *context, unsigned thread)
{
    struct jtgi_presence *presence = context;
    for (unsigned turn = 0; turn < TURNS + thread % 2; turn++) {
        jtgi_presence_enter(presence);
        jtgi_presence_leave(presence);
    }
    if (thread == 0)
        jtgi_presence_enter(presence);
}

static void all_are_counted(void **state)
{
    static struct jtgi_presence presence;
    (void)state;
    assert_true(jtgi_presence_is_none(&presence));
    jtgi_presence_enter(&presence);
    jtgi_presence_enter(&presence);
    assert_false(jtgi_presence_is_none(&presence));
    jtgi_presence_leave(&presence);
    assert_false(jtgi_presence_is_none(&presence));
    jtgi_presence_leave(&presence);
    assert_true(jtgi_presence_is_none(&presence));
    threads_run(THREADS, come_and_go, &presence);
    assert_false(jtgi_presence_is_none(&presence)); /* one has stayed */
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(all_are_counted)};
    return cmocka_run_group_tests_name("presence", tests, NULL, NULL);
}
