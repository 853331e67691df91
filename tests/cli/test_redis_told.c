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

/* ---- what is configured on one side alone ---- */

static void what_the_server_does_not_have(void **state)
{
    struct redis_server server;
    (void)state;
    redis_server_start(&server, NULL);
    is_told(uri_of("redis://", &server, "/16"), "store_refused", "SELECT 16 was refused",
            "no database of this number");
    is_told(uri_of("redis://:" CANARY "@", &server, ""), "store_refused", "AUTH was refused",
            "none for the server's default user");
    redis_server_stop(&server);
}

/* Nothing can be asked without these. */
static void a_command_that_every_question_needs(void **state)
{
    static const char *const commands[][2] = {{"INFO", "INFO was refused"},
                                              {"PING", "PING was refused"}};
    (void)state;
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        const char *options[] = {"--rename-command", commands[i][0], "", NULL};
        struct redis_server server;
        redis_server_start(&server, options);
        is_told(server.uri, "store_refused", commands[i][1], "renamed, or switched off");
        redis_server_stop(&server);
    }
}

/* The doctor names each, also those that a first use does not need. */
static void a_command_that_some_questions_need(void **state)
{
    static const char *const commands[] = {"eval", "set", "get", "evalsha", "del", "pttl", "scan"};
    (void)state;
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        const char *options[] = {"--rename-command", commands[i], "", NULL};
        struct redis_server server;
        struct tool_run run;
        redis_server_start(&server, options);
        RUN(&run, "", "doctor", "--store", server.uri);
        assert_holds(run.out, "failure  commands");
        assert_holds(run.out, commands[i]);
        assert_holds(run.out, "rename-command");
        assert_int_equal(run.exit_code, 3);
        tool_run_clear(&run);
        redis_server_stop(&server);
    }
}

static void a_command_that_a_token_needs(void **state)
{
    static const char *const commands[] = {"EVAL", "GET"};
    char told[32];
    (void)state;
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        const char *options[] = {"--rename-command", commands[i], "", NULL};
        struct redis_server server;
        struct tool_run run;
        redis_server_start(&server, options);
        (void)snprintf(told, sizeof told, "switched off (%s)", commands[i]);
        RUN(&run, "", "reserve", TOKEN(CANARY), "--store", server.uri);
        assert_holds(run.out, "store_refused");
        assert_holds(run.err, told);
        assert_int_equal(occurrences(run.err, "canary"), 0);
        tool_run_clear(&run);
        redis_server_stop(&server);
    }
}

int main(void)
{
    (void)setenv("JTIGUARD_STORE", "memory", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(another_kind_than_the_scheme_says),
        cmocka_unit_test(what_the_server_does_not_have),
        cmocka_unit_test(a_command_that_every_question_needs),
        cmocka_unit_test(a_command_that_some_questions_need),
        cmocka_unit_test(a_command_that_a_token_needs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
