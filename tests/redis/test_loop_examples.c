/* SPDX-License-Identifier: Apache-2.0 */
/* The examples with an event loop, on a store in memory and on a Redis of their own. */
#include "cli/run_tool.h"
#include "support/asserts.h"
#include "support/redis_server.h"

#include <stdio.h>

static struct redis_server server;

static const char *const examples[] = {LOOP_EXAMPLES};

static void run_each(const char *uri)
{
    for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++) {
        const char *const arguments[] = {uri, NULL};
        struct tool_run run;
        char reply[16] = "";
        if (uri != NULL)
            assert_true(redis_server_ask(&server, "FLUSHALL", reply, sizeof reply));
        run_program(&run, examples[i], arguments, "", 0);
        if (run.err_len != 0 || run.exit_code != 0)
            fail_msg("%s: %s", examples[i], run.err);
        assert_string_equal(run.out, "8 admitted, 8 replayed\n");
        tool_run_clear(&run);
    }
}

static void on_a_store_that_answers_at_once(void **state)
{
    (void)state;
    run_each(NULL);
}

static void on_redis(void **state)
{
    char uri[96];
    (void)state;
    (void)snprintf(uri, sizeof uri, "redis://127.0.0.1:%u/?prefix=loop:&continuity=no",
                   (unsigned)server.port);
    run_each(uri);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(on_a_store_that_answers_at_once),
        cmocka_unit_test(on_redis),
    };
    redis_server_start(&server, NULL);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    redis_server_stop(&server);
    return failed;
}
