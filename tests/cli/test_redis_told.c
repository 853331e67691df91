/* SPDX-License-Identifier: Apache-2.0 */
/* A store that is set up wrongly: what the tool says of it names what is wrong, and what to do. */
#include "cli/run_tool.h"
#include "support/redis_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#define TOKEN(jti)                                                                                 \
    "--kind", "id_token", "--issuer", "https://id.example.com", "--audience", "api", "--jti",      \
        (jti), "--ttl", "5m"
#define CANARY "canary-91c2"

/* A URI of the server, with what follows its port. */
static const char *uri_of(const char *scheme, const struct redis_server *server, const char *rest)
{
    static char uri[256];
    (void)snprintf(uri, sizeof uri, "%s127.0.0.1:%u%s", scheme, (unsigned)server->port, rest);
    return uri;
}

/* A token is refused for that reason, and both say so: what is wrong, and what to do. */
static void is_told(const char *store, const char *reason, const char *wrong, const char *advice)
{
    struct tool_run run;
    RUN(&run, "", "reserve", TOKEN(CANARY), "--store", store);
    assert_holds(run.out, reason);
    assert_holds(run.err, wrong);
    assert_holds(run.err, advice);
    assert_int_equal(run.exit_code, 3);
    assert_int_equal(occurrences(run.out, "canary") + occurrences(run.err, "canary"), 0);
    tool_run_clear(&run);
    RUN(&run, "", "doctor", "--store", store);
    assert_holds(run.out, wrong);
    assert_holds(run.out, advice);
    assert_int_equal(run.exit_code, 3);
    assert_int_equal(occurrences(run.out, "canary") + occurrences(run.err, "canary"), 0);
    tool_run_clear(&run);
}

/* ---- another kind of server ---- */

static void another_kind_than_the_scheme_says(void **state)
{
    static const char *const as_node[] = {"--cluster-enabled", "yes", NULL};
    struct redis_server single;
    struct redis_server node;
    struct redis_server sentinel;
    (void)state;
    redis_server_start(&single, NULL);
    redis_server_start(&node, as_node);
    redis_server_start_sentinel(&sentinel, NULL);
    is_told(uri_of("redis://", &node, ""), "store_unsupported", "is a node of a Cluster",
            "redis+cluster://");
    is_told(uri_of("redis://", &sentinel, ""), "store_unsupported", "is a Sentinel",
            "redis+sentinel://");
    is_told(uri_of("redis+cluster://", &single, ""), "store_unsupported",
            "not a node of a Cluster, its mode is standalone", "redis://");
    is_told(uri_of("redis+cluster://", &sentinel, ""), "store_unsupported", "is a Sentinel",
            "redis+sentinel://");
    redis_server_stop(&single);
    redis_server_stop(&node);
    redis_server_stop(&sentinel);
}

int main(void)
{
    (void)unsetenv("JTIGUARD_STORE");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(another_kind_than_the_scheme_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
