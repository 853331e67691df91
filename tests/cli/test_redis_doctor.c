/* SPDX-License-Identifier: Apache-2.0 */
/* `jtiguard doctor` on real servers: good ones, and ones that would forget. */
#include "cli/run_tool.h"
#include "support/redis_server.h"
#include "support/redis_vouch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CANARY_PASSWORD "canary-password-91c2"

/* What one run of the doctor said. */
struct visit {
    json_t *answer;
    int exit_code;
};

static void visit(struct visit *visit, const char *store, const char *option)
{
    struct tool_run run;
    RUN(&run, "", "doctor", "--json", "--store", store, option);
    visit->answer = json_loads(run.out, JSON_REJECT_DUPLICATES, NULL);
    if (visit->answer == NULL)
        fail_msg("no JSON: %s %s", run.out, run.err);
    visit->exit_code = run.exit_code;
    assert_null(strstr(run.out, "canary"));
    assert_null(strstr(run.err, "canary"));
    tool_run_clear(&run);
}

static const char *text_of(const json_t *object, const char *member)
{
    const char *text = json_string_value(json_object_get(object, member));
    assert_non_null(text);
    return text;
}

/* A finding of that check, with that level, whose value holds that text. */
static void found(const struct visit *visit, const char *check, const char *level,
                  const char *value)
{
    size_t i;
    const json_t *finding;
    json_array_foreach(json_object_get(visit->answer, "findings"), i, finding)
    {
        if (strcmp(text_of(finding, "check"), check) != 0)
            continue;
        assert_string_equal(text_of(finding, "level"), level);
        assert_holds(text_of(finding, "value"), value);
        assert_true(*text_of(finding, "meaning") != '\0');
        assert_true(strcmp(level, "failure") != 0 || *text_of(finding, "advice") != '\0');
        return;
    }
    fail_msg("no finding %s", check);
}

static void leave(struct visit *visit, const char *verdict, int exit_code)
{
    assert_string_equal(text_of(visit->answer, "verdict"), verdict);
    assert_int_equal(visit->exit_code, exit_code);
    json_decref(visit->answer);
}

static void ask(const struct redis_server *server, const char *line)
{
    char reply[128];
    assert_true(redis_server_ask(server, line, reply, sizeof reply));
    assert_string_equal(reply, "+OK");
}

static void finds_a_good_server_good(void **state)
{
    (void)state;
    static const char *const options[] = {"--appendonly", "yes", "--maxmemory", "100mb", NULL};
    struct redis_server server;
    struct visit v;
    redis_server_start(&server, options);
    redis_vouch(server.uri);
    visit(&v, server.uri, "--strict");
    found(&v, "connection", "ok", "reached");
    found(&v, "reserve", "ok", "probe");
    found(&v, "acl", "ok", "nothing is missing");
    found(&v, "login", "note", "none, on this host");
    found(&v, "tls", "ok", "in clear, on this host");
    found(&v, "latency", "ok", " us a round trip");
    found(&v, "version", "ok", " ");
    found(&v, "mode", "ok", "standalone");
    found(&v, "identity", "ok", "1 server in 8 looks");
    found(&v, "role", "ok", "primary");
    found(&v, "loading", "ok", "no");
    found(&v, "eviction", "ok", "noeviction");
    found(&v, "evicted_keys", "ok", "0");
    found(&v, "memory", "ok", "of 100.0 MiB used");
    found(&v, "persistence", "ok", "append-only file");
    found(&v, "snapshot", "ok", " s ago");
    found(&v, "uptime", "ok", "run id ");
    found(&v, "replicas", "ok", "none");
    found(&v, "continuity", "ok", "kept everything");
    found(&v, "ready", "ok", "issued now");
    assert_string_equal(text_of(v.answer, "store"), "redis");
    leave(&v, "ok", 0);
    redis_server_stop(&server);
}

/* New: what it may have forgotten is refused, and the doctor says until when. */
static void warns_of_a_new_server(void **state)
{
    (void)state;
    struct redis_server server;
    struct visit v;
    redis_server_start(&server, NULL);
    visit(&v, server.uri, NULL);
    found(&v, "continuity", "warning", "noticed: no_marker; admits tokens issued from 20");
    found(&v, "persistence", "note", "no append-only file");
    found(&v, "uptime", "ok", "run id ");
    found(&v, "memory", "note", "no limit");
    leave(&v, "warning", 0);
    visit(&v, server.uri, "--strict");
    leave(&v, "warning", 3);
    redis_vouch(server.uri);
    visit(&v, server.uri, "--strict");
    found(&v, "continuity", "ok", "kept everything");
    leave(&v, "ok", 0);
    redis_server_stop(&server);
}

static void warns_of_a_loss_that_nobody_would_notice(void **state)
{
    (void)state;
    struct redis_server server;
    struct visit v;
    char store[128];
    redis_server_start(&server, NULL);
    (void)snprintf(store, sizeof store, "%s?continuity=no", server.uri);
    visit(&v, store, NULL);
    found(&v, "continuity", "warning", "off");
    found(&v, "persistence", "warning", "no append-only file");
    found(&v, "uptime", "warning", "run id ");
    leave(&v, "warning", 0);
    redis_server_stop(&server);
}

static void compares_the_replicas_with_what_is_asked(void **state)
{
    (void)state;
    struct redis_server server;
    struct visit v;
    char store[128];
    redis_server_start(&server, NULL);
    (void)snprintf(store, sizeof store, "%s?replicas=1&replicas_timeout=20ms", server.uri);
    visit(&v, store, NULL);
    found(&v, "replicas", "failure", "1 asked, 0 connected");
    found(&v, "reserve", "failure", "too few replicas");
    leave(&v, "failure", 3);
    redis_server_stop(&server);
}

/* It lost what it was given, and goes on to do so; then it stops. What is lost stays lost, which
 * only a cache that watches knows. */
static void fails_a_server_that_evicts(void **state)
{
    (void)state;
    static const char *const options[] = {"--maxmemory", "2mb", NULL};
    struct redis_server server;
    struct visit v;
    char reply[64];
    char unwatched[128];
    redis_server_start(&server, options);
    (void)snprintf(unwatched, sizeof unwatched, "%s?continuity=no", server.uri);
    ask(&server, "CONFIG SET maxmemory-policy allkeys-lru");
    assert_true(redis_server_ask(&server,
                                 "EVAL \"for i = 1, 30 do redis.call('SET', i, "
                                 "string.rep('x', 100000)) end\" 0",
                                 reply, sizeof reply));
    assert_true(redis_server_ask(&server, "SET more x", reply, sizeof reply));
    visit(&v, server.uri, NULL);
    found(&v, "eviction", "failure", "allkeys-lru");
    found(&v, "evicted_keys", "warning", " since it started");
    found(&v, "reserve", "failure", "may evict");
    leave(&v, "failure", 3);
    ask(&server, "CONFIG SET maxmemory-policy noeviction");
    ask(&server, "CONFIG SET maxmemory 100mb");
    visit(&v, server.uri, NULL);
    found(&v, "eviction", "ok", "noeviction");
    found(&v, "evicted_keys", "warning", " since it started");
    found(&v, "reserve", "ok", "probe");
    leave(&v, "warning", 0);
    visit(&v, unwatched, NULL);
    found(&v, "evicted_keys", "failure", " since it started");
    leave(&v, "failure", 3);
    ask(&server, "CONFIG RESETSTAT");
    visit(&v, server.uri, NULL);
    found(&v, "evicted_keys", "ok", "0");
    leave(&v, "warning", 0);
    redis_server_stop(&server);
}

static void fails_a_replica(void **state)
{
    (void)state;
    struct redis_server server;
    struct visit v;
    redis_server_start(&server, NULL);
    ask(&server, "REPLICAOF 127.0.0.1 1");
    visit(&v, server.uri, NULL);
    found(&v, "role", "failure", "replica");
    found(&v, "reserve", "failure", "replica");
    leave(&v, "failure", 3);
    redis_server_stop(&server);
}

static void store_of_user(char *store, size_t size, const struct redis_server *server)
{
    (void)snprintf(store, size, "redis://gate:" CANARY_PASSWORD "@127.0.0.1:%u?prefix=app:",
                   (unsigned)server->port);
}

static void names_what_an_acl_user_lacks(void **state)
{
    (void)state;
    struct redis_server server;
    struct visit v;
    char store[128];
    redis_server_start(&server, NULL);
    store_of_user(store, sizeof store, &server);
    ask(&server, "ACL SETUSER gate reset on >" CANARY_PASSWORD " ~app:* +@all -evalsha -pttl");
    visit(&v, store, NULL);
    found(&v, "acl", "failure", "pttl evalsha");
    found(&v, "login", "ok", "with password");
    leave(&v, "failure", 3);
    ask(&server, "ACL SETUSER gate reset on >" CANARY_PASSWORD " ~other:* +@all");
    visit(&v, store, NULL);
    found(&v, "acl", "failure", "set get del");
    leave(&v, "failure", 3);
    ask(&server, "ACL SETUSER gate reset on >" CANARY_PASSWORD " ~app:* +@all -info");
    visit(&v, store, NULL);
    found(&v, "connection", "failure", "INFO");
    leave(&v, "failure", 3);
    redis_server_stop(&server);
}

/* What a share needs is asked for only where there is one: users made before it go on. */
static void names_what_a_share_lacks(void **state)
{
    (void)state;
    struct redis_server server;
    struct visit v;
    char store[160];
    redis_server_start(&server, NULL);
    store_of_user(store, sizeof store, &server);
    ask(&server, "ACL SETUSER gate reset on >" CANARY_PASSWORD " ~app:* +@all -@sortedset");
    visit(&v, store, NULL);
    found(&v, "acl", "ok", "");
    leave(&v, "warning", 0);
    size_t len = strlen(store);
    (void)snprintf(store + len, sizeof store - len, "&issuer_share=5");
    visit(&v, store, NULL);
    found(&v, "acl", "failure", "zadd zcount zscore zrangebyscore zrem");
    leave(&v, "failure", 3);
    redis_server_stop(&server);
}

/* The doctor itself, and whoever vouches, do with the user that `acl` makes. */
static void is_content_with_user_of(const struct redis_server *server, const char *store)
{
    struct tool_run run;
    struct visit v;
    char line[512];
    RUN(&run, "", "acl", "--store", store);
    const char *rest = strstr(run.out, "PASSWORD");
    assert_non_null(rest);
    (void)snprintf(line, sizeof line, "%.*s" CANARY_PASSWORD "%.*s", (int)(rest - run.out), run.out,
                   (int)strcspn(rest, "\n") - 8, rest + 8);
    tool_run_clear(&run);
    ask(server, line);
    redis_vouch(store);
    visit(&v, store, NULL);
    found(&v, "acl", "ok", "nothing is missing");
    found(&v, "reserve", "ok", "probe");
    found(&v, "continuity", "ok", "kept everything");
    found(&v, "ready", "ok", "issued now");
    leave(&v, "ok", 0);
}

/* Tokens are admitted, but a service with this store is never ready. */
static void asks_what_readiness_asks(void **state)
{
    (void)state;
    struct redis_server server;
    struct visit v;
    char store[128];
    redis_server_start(&server, NULL);
    store_of_user(store, sizeof store, &server);
    *strchr(store, '?') = '\0';
    ask(&server, "ACL SETUSER gate reset on >" CANARY_PASSWORD " ~jtg:* ~[^!-~]c* +@all");
    redis_vouch(store);
    visit(&v, store, NULL);
    found(&v, "reserve", "ok", "probe");
    found(&v, "continuity", "ok", "kept everything");
    found(&v, "ready", "failure", "ACL");
    leave(&v, "failure", 3);
    redis_server_stop(&server);
}

static void is_content_with_the_user_that_acl_makes(void **state)
{
    (void)state;
    struct redis_server server;
    char store[128];
    redis_server_start(&server, NULL);
    store_of_user(store, sizeof store, &server);
    is_content_with_user_of(&server, store);
    *strchr(store, '?') = '\0'; /* the marker lies outside of the guard's prefix */
    is_content_with_user_of(&server, store);
    redis_server_stop(&server);
}

static void says_so_when_nobody_answers(void **state)
{
    (void)state;
    struct visit v;
    visit(&v, "unix://:" CANARY_PASSWORD "@/no/such/socket", NULL);
    found(&v, "connection", "failure", "cannot connect");
    assert_string_equal(text_of(v.answer, "store"), "unix");
    assert_int_equal(json_array_size(json_object_get(v.answer, "findings")), 2);
    leave(&v, "failure", 3);
}

int main(void)
{
    (void)setenv("JTIGUARD_STORE", "memory", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_a_good_server_good),
        cmocka_unit_test(warns_of_a_new_server),
        cmocka_unit_test(warns_of_a_loss_that_nobody_would_notice),
        cmocka_unit_test(compares_the_replicas_with_what_is_asked),
        cmocka_unit_test(fails_a_server_that_evicts),
        cmocka_unit_test(fails_a_replica),
        cmocka_unit_test(names_what_an_acl_user_lacks),
        cmocka_unit_test(names_what_a_share_lacks),
        cmocka_unit_test(asks_what_readiness_asks),
        cmocka_unit_test(is_content_with_the_user_that_acl_makes),
        cmocka_unit_test(says_so_when_nobody_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
