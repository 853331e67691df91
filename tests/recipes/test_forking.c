/* SPDX-License-Identifier: Apache-2.0 */
/* examples/forking_server.c: many processes of one server, killed and restarted, one guard. */
#include "recipes/lines.h"
#include "support/asserts.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { RESTARTS = 3, TOKENS = 200, KILL_EVERY = 10 };

struct server {
    struct lines lines; /* first: the context of a crowd is one */
    struct process process;
    const char *workers;
};

static const char *door(const struct server *server)
{
    return server->lines.doors[0];
}

static void start(struct server *server, struct crowd *crowd)
{
    const char *const words[] = {EXAMPLE_FORKING_SERVER, door(server), server->lines.place.store,
                                 server->workers, NULL};
    (void)unlink(door(server)); /* those of old may still be ending */
    process_start(&server->process, server->lines.place.log_path, words);
    crowd_restarted(crowd, server->process.pid);
}

/* As an update ends it, and as a lack of memory does. */
static void end(struct server *server, unsigned time)
{
    bool killed = time % 2 == 1;
    assert_int_equal(process_stop(&server->process, killed ? SIGKILL : SIGTERM), killed ? -1 : 0);
}

static void restarts_and_kills(const char *workers, const char *name)
{
    static struct crowd crowd;
    static char path[128];
    struct server server = {.workers = workers};
    place_init(&server.lines.place);
    (void)snprintf(path, sizeof path, "%s/door", server.lines.place.folder);
    for (unsigned i = 0; i < CROWD_SHOWN; i++)
        server.lines.doors[i] = path;
    crowd_init(&crowd, &lines_server, &server);
    start(&server, &crowd);
    for (unsigned i = 0; i <= RESTARTS; i++) {
        crowd_show_new(&crowd, TOKENS, KILL_EVERY);
        end(&server, i);
        if (i == RESTARTS)
            break;
        start(&server, &crowd);
        crowd_show_all_again(&crowd);
    }
    assert_int_equal(crowd.restarts, RESTARTS);
    assert_in_range(crowd.spread, crowd.count * (CROWD_SHOWN - 1), crowd.count * CROWD_SHOWN);
    assert_in_range(crowd.kills, 1, crowd.count);
    crowd_end(&crowd, name);
    place_end(&server.lines.place);
}

static void eight_workers_are_one_guard(void **state)
{
    (void)state;
    restarts_and_kills("8", "8 prefork workers");
}

static void a_child_a_connection_is_one_guard(void **state)
{
    (void)state;
    restarts_and_kills("0", "a child a connection");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eight_workers_are_one_guard),
        cmocka_unit_test(a_child_a_connection_is_one_guard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
