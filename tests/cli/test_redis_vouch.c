/* SPDX-License-Identifier: Apache-2.0 */
/* First contact with an empty Redis, a loss, and an operator who vouches: as a user meets them. */
#include "cli/run_tool.h"
#include "support/balancer.h"
#include "support/redis_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TOKEN(jti)                                                                                 \
    "--kind", "id_token", "--issuer", "https://id.example.com", "--audience", "api", "--jti", jti, \
        "--ttl", "5m"

static struct redis_server server;

static void reserve(const char *jti, const char *says, int exit_code)
{
    struct tool_run run;
    RUN(&run, "", "reserve", TOKEN(jti), "--store", server.uri);
    assert_holds(run.out, says);
    assert_int_equal(run.exit_code, exit_code);
    tool_run_clear(&run);
}

static void vouch(const char *store, const char *option, const char *says)
{
    struct tool_run run;
    RUN(&run, "", "vouch", "--yes", "--store", store, option);
    assert_string_equal(run.out, says);
    assert_int_equal(run.exit_code, 0);
    tool_run_clear(&run);
}

static void flush(void)
{
    char reply[16];
    assert_true(redis_server_ask(&server, "FLUSHALL", reply, sizeof reply));
    assert_string_equal(reply, "+OK");
}

/* It says what to do, and admits nothing by itself. */
static void a_new_store_asks_for_a_word(void **state)
{
    (void)state;
    struct tool_run run;
    flush();
    RUN(&run, "", "reserve", TOKEN("a"), "--store", server.uri);
    assert_holds(run.out, "refused, continuity_lost");
    assert_holds(run.err, "the store is new");
    assert_holds(run.err, "it admits tokens issued from 20");
    assert_holds(run.err, "'jtiguard vouch'");
    assert_int_equal(run.exit_code, 3);
    tool_run_clear(&run);

    RUN(&run, "", "vouch", "--store", server.uri);
    assert_holds(run.err, "with --yes you say");
    assert_int_equal(run.exit_code, 2);
    tool_run_clear(&run);
    reserve("a", "continuity_lost", 3);

    vouch(server.uri, NULL, "vouched: the store has kept everything\n");
    reserve("a", "admitted", 0);
    reserve("a", "replayed", 1);
}

static void a_check_says_it_once(void **state)
{
    (void)state;
    static const char lines[] =
        "{\"iss\":\"i\",\"aud\":\"a\",\"jti\":\"1\",\"exp\":%" PRId64 "}\n"
        "{\"iss\":\"i\",\"aud\":\"a\",\"jti\":\"2\",\"exp\":%" PRId64 ",\"iat\":%" PRId64 "}\n";
    char input[512];
    int64_t now_s = time(NULL);
    struct tool_run run;
    flush();
    (void)snprintf(input, sizeof input, lines, now_s + 60, now_s + 60, now_s);
    RUN(&run, input, "check", "--store", server.uri);
    assert_int_equal(occurrences(run.out, "refused, continuity_lost"), 2);
    assert_int_equal(occurrences(run.err, "'jtiguard vouch'"), 1);
    assert_int_equal(run.exit_code, 3);
    tool_run_clear(&run);
    vouch(server.uri, "--json", "{\"vouched\":true,\"kept_since_ms\":0}\n");
    RUN(&run, input, "check", "--store", server.uri);
    assert_int_equal(occurrences(run.out, ": admitted"), 2);
    assert_int_equal(run.exit_code, 0);
    tool_run_clear(&run);
}

/* A token that was used is not admitted after a flush, whoever asks. */
static void a_loss_is_noticed_by_the_next_call(void **state)
{
    (void)state;
    flush();
    vouch(server.uri, NULL, "vouched: the store has kept everything\n");
    reserve("b", "admitted", 0);
    flush();
    reserve("b", "continuity_lost", 3);
    redis_server_kill(&server);
    redis_server_start_again(&server);
    reserve("b", "continuity_lost", 3);
    vouch(server.uri, NULL, "vouched: the store has kept everything\n");
    redis_server_kill(&server);
    redis_server_start_again(&server);
    reserve("b", "continuity_lost", 3);
}

/* Only what may have been used before that time stays refused. */
static void vouching_can_have_a_date(void **state)
{
    (void)state;
    char since[64];
    char says[128];
    struct tool_run run;
    int64_t then_s = time(NULL) - 600;
    flush();
    (void)snprintf(since, sizeof since, "--since=%" PRId64, then_s);
    (void)snprintf(says, sizeof says, "{\"vouched\":true,\"kept_since_ms\":%" PRId64 "}\n",
                   then_s * 1000);
    RUN(&run, "", "vouch", "--yes", "--json", "--store", server.uri, since);
    assert_string_equal(run.out, says);
    assert_int_equal(run.exit_code, 0);
    tool_run_clear(&run);
    reserve("c", "continuity_lost", 3); /* without iat it can be a day old */
    (void)snprintf(since, sizeof since, "--iat=%" PRId64, then_s + 89);
    RUN(&run, "", "reserve", TOKEN("c"), "--store", server.uri, since);
    assert_holds(run.out, "continuity_lost");
    tool_run_clear(&run);
    (void)snprintf(since, sizeof since, "--iat=%" PRId64, then_s + 90);
    RUN(&run, "", "reserve", TOKEN("c"), "--store", server.uri, since);
    assert_holds(run.out, "admitted");
    tool_run_clear(&run);
}

static void refuse_since(int64_t since_s, const char *says)
{
    char since[64];
    struct tool_run run;
    (void)snprintf(since, sizeof since, "--since=%" PRId64, since_s);
    RUN(&run, "", "vouch", "--yes", "--json", "--store", server.uri, since);
    assert_int_equal(run.out_len, 0);
    assert_holds(run.err, "nothing was changed: the store has kept everything");
    assert_holds(run.err, says);
    assert_int_equal(run.exit_code, 2);
    tool_run_clear(&run);
}

/* Who gives a later time than holds must not believe that it does. */
static void a_later_time_is_not_taken_and_says_so(void **state)
{
    (void)state;
    char since[64];
    int64_t then_s = time(NULL) - 600;
    flush();
    vouch(server.uri, NULL, "vouched: the store has kept everything\n");
    refuse_since(then_s, "kept everything already, and --since is later");
    reserve("f", "admitted", 0); /* what was vouched for holds */

    flush();
    (void)snprintf(since, sizeof since, "--since=%" PRId64, (int64_t)1767225600);
    vouch(server.uri, since, "vouched: the store has kept everything since 2026-01-01T00:00:00Z\n");
    vouch(server.uri, since, "vouched: the store has kept everything since 2026-01-01T00:00:00Z\n");
    refuse_since(then_s, "since 2026-01-01T00:00:00Z already");

    /* The way that it names. */
    char says[128];
    struct tool_run run;
    redis_server_kill(&server);
    redis_server_start_again(&server);
    (void)snprintf(since, sizeof since, "--since=%" PRId64, then_s);
    (void)snprintf(says, sizeof says, "{\"vouched\":true,\"kept_since_ms\":%" PRId64 "}\n",
                   then_s * 1000);
    RUN(&run, "", "vouch", "--yes", "--json", "--store", server.uri, since);
    assert_string_equal(run.out, says);
    assert_int_equal(run.exit_code, 0);
    tool_run_clear(&run);
}

/* Each prefix is a store of its own. */
static void vouching_is_for_one_prefix(void **state)
{
    (void)state;
    char store[128];
    flush();
    (void)snprintf(store, sizeof store, "%s?prefix=app:", server.uri);
    vouch(store, NULL, "vouched: the store has kept everything\n");
    reserve("d", "continuity_lost", 3);
}

static void without_continuity_nothing_is_noticed(void **state)
{
    (void)state;
    char store[128];
    struct tool_run run;
    (void)snprintf(store, sizeof store, "%s?continuity=no", server.uri);
    for (unsigned i = 0; i < 2; i++) {
        flush();
        RUN(&run, "", "reserve", TOKEN("e"), "--store", store);
        assert_holds(run.out, "admitted");
        assert_int_equal(run.exit_code, 0);
        tool_run_clear(&run);
    }
    RUN(&run, "", "doctor", "--store", store);
    assert_holds(run.out, "warning  continuity   off\n");
    tool_run_clear(&run);
}

static void a_store_that_is_down_cannot_be_vouched_for(void **state)
{
    (void)state;
    struct tool_run run;
    redis_server_kill(&server);
    RUN(&run, "", "vouch", "--yes", "--store", server.uri);
    assert_int_equal(run.out_len, 0);
    assert_int_equal(run.exit_code, 3);
    tool_run_clear(&run);
    redis_server_start_again(&server);
}

/* Each connection meets another store: what one was told the other does not know. */
static void two_stores_behind_one_address(void **state)
{
    struct redis_server second;
    struct balancer balancer;
    struct tool_run run;
    char store[64];
    (void)state;
    flush();
    redis_server_start(&second, NULL);
    balancer_start(&balancer, server.port, second.port);
    (void)snprintf(store, sizeof store, "redis://127.0.0.1:%u", (unsigned)balancer.port);
    RUN(&run, "", "vouch", "--yes", "--store", store);
    assert_int_equal(run.out_len, 0);
    assert_holds(run.err, "another, which answers at the same address");
    assert_holds(run.err, "take the balancer away");
    assert_int_equal(run.exit_code, 3);
    tool_run_clear(&run);
    balancer_stop(&balancer);
    redis_server_stop(&second);
}

static int start(void **state)
{
    (void)state;
    (void)setenv("JTIGUARD_STORE", "memory", 1);
    redis_server_start(&server, NULL);
    return 0;
}

static int halt(void **state)
{
    (void)state;
    redis_server_stop(&server);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_store_asks_for_a_word),
        cmocka_unit_test(a_check_says_it_once),
        cmocka_unit_test(a_loss_is_noticed_by_the_next_call),
        cmocka_unit_test(vouching_can_have_a_date),
        cmocka_unit_test(a_later_time_is_not_taken_and_says_so),
        cmocka_unit_test(vouching_is_for_one_prefix),
        cmocka_unit_test(without_continuity_nothing_is_noticed),
        cmocka_unit_test(a_store_that_is_down_cannot_be_vouched_for),
        cmocka_unit_test(two_stores_behind_one_address),
    };
    return cmocka_run_group_tests(tests, start, halt);
}
