/* SPDX-License-Identifier: Apache-2.0 */
/* The commands on a Redis that several processes share; each run of the tool is one. */
#include "cli/run_tool.h"
#include "support/redis_server.h"
#include "support/redis_vouch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TOKEN(jti)                                                                                 \
    "--kind", "id_token", "--issuer", "https://id.example.com", "--audience", "api", "--jti",      \
        (jti), "--ttl", "5m"

static struct redis_server server;

/* No output may hold these: a jti, and a password. */
#define CANARY_JTI      "canary-jti-7f3a"
#define CANARY_PASSWORD "canary-password-91c2"

static void shows_no_secret(const struct tool_run *run)
{
    assert_null(strstr(run->out, "canary"));
    assert_null(strstr(run->err, "canary"));
}

static void ask(const char *line, const char *expected)
{
    char reply[128];
    assert_true(redis_server_ask(&server, line, reply, sizeof reply));
    assert_string_equal(reply, expected);
}

static void make_claims(struct tool_run *claims, const char *lines)
{
    char exp[24];
    (void)snprintf(exp, sizeof exp, "%lld", (long long)time(NULL) + 600);
    run_program(claims, JTIGUARD_MAKE_CLAIMS_PATH, (const char *const[]){lines, exp, NULL}, "", 0);
}

static void check_counts(const char *input, const char *threads, const char *summary, int exit_code)
{
    struct tool_run run;
    RUN(&run, input, "check", "--quiet", "--threads", threads, "--store", server.uri);
    assert_holds(run.out, summary);
    assert_int_equal(run.exit_code, exit_code);
    assert_int_equal(run.err_len, 0);
    tool_run_clear(&run);
}

/* Nothing in it, and somebody who knows that nothing was: by the tool, whose URIs may say more than
 * the library's. */
static void start_empty(const char *store)
{
    struct tool_run run;
    ask("FLUSHALL", "+OK");
    RUN(&run, "", "vouch", "--yes", "--store", store);
    assert_int_equal(run.exit_code, 0);
    tool_run_clear(&run);
}

/* What one process has seen is a replay for the next. */
static void checks_against_what_others_have_seen(void **state)
{
    (void)state;
    struct tool_run claims;
    start_empty(server.uri);
    make_claims(&claims, "1000");
    check_counts(claims.out, "1", "1000 tokens: 900 admitted, 100 replayed, 0 refused\n", 1);
    check_counts(claims.out, "1", "1000 tokens: 0 admitted, 1000 replayed, 0 refused\n", 1);
    ask("DBSIZE", ":901"); /* and the marker */
    tool_run_clear(&claims);
}

/* Good lines, replays of them near and far, and bad ones among them. */
static void make_mixture(char *input, size_t input_len)
{
    static const char *const bad[] = {"no JSON", "{}", "[]", "{\"iss\":1}", ""};
    long long now = (long long)time(NULL);
    size_t len = 0;
    for (unsigned i = 0; i < 1500; i++) {
        int added =
            i % 7 == 3
                ? snprintf(input + len, input_len - len, "%s\n", bad[i % 5])
                : snprintf(input + len, input_len - len,
                           "{\"iss\":\"i\",\"aud\":\"a\",\"jti\":\"%u\",\"iat\":%lld,"
                           "\"exp\":%lld}\n",
                           i % 5 == 0 ? i / 3 : i, now - 900, now + (i % 11 == 0 ? -600 : 600));
        assert_in_range(added, 1, input_len - len - 1);
        len += (size_t)added;
    }
}

/* Which store it is and how many lines go out together changes nothing of what is printed. */
static void prints_what_it_prints_of_any_store(void **state)
{
    static char input[200000];
    struct tool_run memory;
    struct tool_run redis;
    (void)state;
    make_mixture(input, sizeof input);
    start_empty(server.uri);
    RUN(&memory, input, "check", "--json", "--threads", "1");
    RUN(&redis, input, "check", "--json", "--threads", "1", "--store", server.uri);
    assert_string_equal(redis.out, memory.out);
    assert_holds(redis.out, "\"verdict\":\"replayed\"");
    assert_holds(redis.out, "\"reason\":\"malformed_json\"");
    assert_holds(redis.out, "\"reason\":\"expired\"");
    assert_int_equal(redis.exit_code, memory.exit_code);
    tool_run_clear(&memory);
    tool_run_clear(&redis);
}

/* How many of the first lines with a verdict are told as admitted; each of them is marked. */
static unsigned mark_admitted(const char *output, bool admitted[], unsigned lines)
{
    unsigned marked = 0;
    for (const char *at = output; strchr(at, '\n') != NULL; at = strchr(at, '\n') + 1) {
        unsigned line = 0;
        if (sscanf(at, "{\"line\":%u,", &line) != 1 || line > lines ||
            strncmp(strchr(at, ',') + 1, "\"verdict\":\"admitted\"", 20) != 0)
            continue;
        assert_false(admitted[line]); /* by this run or by one before */
        admitted[line] = true;
        marked++;
    }
    return marked;
}

/* Stop it by a signal as ^C is one, when the first verdicts are there. */
static void run_and_interrupt(const char *input_path, const char *output_path)
{
    struct stat written = {.st_size = 0};
    int how = 0;
    pid_t child = fork();
    assert_int_not_equal(child, -1);
    if (child == 0) {
        if (freopen(output_path, "w", stdout) == NULL)
            _exit(99);
        (void)execl(tool_path(), "jtiguard", "check", "--json", "--threads", "1", "--store",
                    server.uri, input_path, (char *)NULL);
        _exit(99);
    }
    while (written.st_size == 0 && waitpid(child, &how, WNOHANG) == 0) {
        (void)poll(NULL, 0, 1);
        (void)stat(output_path, &written);
    }
    (void)kill(child, SIGINT);
    (void)waitpid(child, &how, 0);
}

static char *read_whole(const char *path)
{
    enum { MOST = 8000000 };
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    char *text = calloc(1, MOST);
    assert_non_null(text);
    assert_true(fread(text, 1, MOST - 1, file) < MOST - 1);
    (void)fclose(file);
    return text;
}

/* What was asked for and not yet told is used all the same; nothing is told as admitted twice. */
static void admits_nothing_again_after_an_interruption(void **state)
{
    enum { LINES = 40000 };
    static bool admitted[LINES + 1];
    char input_path[] = "/tmp/jtiguard-test-input-XXXXXX";
    char output_path[] = "/tmp/jtiguard-test-output-XXXXXX";
    struct tool_run claims;
    struct tool_run again;
    (void)state;
    int input = mkstemp(input_path);
    int output = mkstemp(output_path);
    assert_true(input >= 0 && output >= 0);
    start_empty(server.uri);
    make_claims(&claims, "40000");
    assert_int_equal(write(input, claims.out, claims.out_len), claims.out_len);
    run_and_interrupt(input_path, output_path);
    char *told = read_whole(output_path);
    unsigned first = mark_admitted(told, admitted, LINES);
    RUN(&again, claims.out, "check", "--json", "--threads", "1", "--store", server.uri);
    unsigned second = mark_admitted(again.out, admitted, LINES);
    assert_in_range(first + second, 1, 36000);
    assert_true(first > 0);
    free(told);
    (void)close(input);
    (void)close(output);
    (void)unlink(input_path);
    (void)unlink(output_path);
    tool_run_clear(&claims);
    tool_run_clear(&again);
}

static void threads_share_one_cache(void **state)
{
    (void)state;
    struct tool_run claims;
    start_empty(server.uri);
    make_claims(&claims, "5000");
    check_counts(claims.out, "8", "5000 tokens: 4500 admitted, 500 replayed, 0 refused\n", 1);
    check_counts(claims.out, "8", "5000 tokens: 0 admitted, 5000 replayed, 0 refused\n", 1);
    tool_run_clear(&claims);
}

static void reserve_answers(const char *answer, int exit_code, char owner[33])
{
    struct tool_run run;
    RUN(&run, "", "reserve", TOKEN(CANARY_JTI), "--store", server.uri);
    assert_memory_equal(run.out, answer, strlen(answer));
    assert_int_equal(run.exit_code, exit_code);
    assert_int_equal(run.err_len, 0);
    shows_no_secret(&run);
    const char *at = strstr(run.out, "owner ");
    assert_int_equal(at != NULL, exit_code == 0);
    if (at != NULL)
        (void)snprintf(owner, 33, "%s", at + strlen("owner "));
    tool_run_clear(&run);
}

static void release_answers(const char *owner, const char *answer, int exit_code)
{
    struct tool_run run;
    RUN(&run, "", "release", TOKEN(CANARY_JTI), "--owner", owner, "--store", server.uri);
    assert_memory_equal(run.out, answer, strlen(answer));
    assert_int_equal(run.exit_code, exit_code);
    assert_int_equal(run.err_len, 0);
    tool_run_clear(&run);
}

static void gives_back_what_another_process_reserved(void **state)
{
    (void)state;
    char owner[33] = "";
    char unused[33] = "";
    start_empty(server.uri);
    reserve_answers("admitted\nowner ", 0, owner);
    reserve_answers("replayed", 1, unused);
    release_answers("00000000000000000000000000000000", "not released, not_owner", 1);
    reserve_answers("replayed", 1, unused);
    release_answers(owner, "released\n", 0);
    release_answers(owner, "not released, not_found", 1);
    reserve_answers("admitted\nowner ", 0, unused);
}

static void admits_the_same_owner_again(void **state)
{
    (void)state;
    start_empty(server.uri);
    for (int i = 0; i < 2; i++) {
        struct tool_run run;
        RUN(&run, "", "reserve", TOKEN("t1"), "--owner-from", "r1", "--store", server.uri);
        assert_int_equal(run.exit_code, 0);
        tool_run_clear(&run);
    }
    struct tool_run run;
    RUN(&run, "", "reserve", TOKEN("t1"), "--owner-from", "r2", "--store", server.uri);
    assert_int_equal(run.exit_code, 1);
    tool_run_clear(&run);
}

/* Both ways: a jti that one of the two has seen is a replay for the other. */
static void shares_plain_keys_with_the_go_verifiers(void **state)
{
    (void)state;
    char store[128];
    struct tool_run run;
    (void)snprintf(store, sizeof store, "%s?prefix=sts:jti:&keys=plain", server.uri);
    start_empty(store);
    ask("SETNX sts:jti:theirs 1", ":1");
    RUN(&run, "", "reserve", TOKEN("theirs"), "--store", store);
    assert_int_equal(run.exit_code, 1);
    tool_run_clear(&run);
    RUN(&run, "", "reserve", TOKEN("ours"), "--store", store);
    assert_int_equal(run.exit_code, 0);
    tool_run_clear(&run);
    ask("SETNX sts:jti:ours 1", ":0");
    ask("DBSIZE", ":3"); /* and the marker */
}

/* `key` prints what is in the store. */
static void prints_the_key_that_is_stored(void **state)
{
    (void)state;
    char store[128];
    char line[256];
    struct tool_run run;
    (void)snprintf(store, sizeof store, "%s?prefix=app:", server.uri);
    start_empty(store);
    RUN(&run, "", "reserve", TOKEN("t1"), "--store", store);
    assert_int_equal(run.exit_code, 0);
    tool_run_clear(&run);
    RUN(&run, "", "key", TOKEN("t1"), "--store", store);
    (void)snprintf(line, sizeof line, "EXISTS %.*s", (int)run.out_len - 1, run.out);
    ask(line, ":1");
    tool_run_clear(&run);
}

static double seconds_now(void)
{
    struct timespec now;
    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &now), 0);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Every command on a store that is in trouble: 3, a reason, and soon. */
static void all_fail_within_the_deadline(const char *store, const char *what)
{
    static const char *const commands[][16] = {
        {"reserve", TOKEN(CANARY_JTI), NULL},
        {"release", TOKEN(CANARY_JTI), "--owner-from", "r", NULL},
        {"doctor", NULL}};
    assert_int_equal(setenv("JTIGUARD_STORE", store, 1), 0);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        struct tool_run run;
        double start = seconds_now();
        run_tool(&run, commands[i], "");
        /* The timeout is 300 ms; the rest is for a busy machine. */
        assert_true(seconds_now() - start < 5);
        assert_int_equal(run.exit_code, 3);
        assert_holds(run.out, i < 2 ? what : "failure  connection");
        shows_no_secret(&run);
        tool_run_clear(&run);
    }
    struct tool_run claims;
    struct tool_run run;
    make_claims(&claims, "20");
    RUN(&run, claims.out, "check", "--json", "--threads", "4");
    assert_int_equal(run.exit_code, 3);
    assert_int_equal(occurrences(run.out, "\"verdict\":\"refused\""), 20);
    assert_int_equal(occurrences(run.out, what), 21);
    tool_run_clear(&run);
    tool_run_clear(&claims);
    assert_int_equal(setenv("JTIGUARD_STORE", "memory", 1), 0);
}

static void fails_closed_when_the_server_is_down(void **state)
{
    (void)state;
    char store[128];
    (void)snprintf(store, sizeof store, "%s?timeout=300ms", server.uri);
    redis_server_kill(&server);
    all_fail_within_the_deadline(store, "store_unavailable");
    redis_server_start_again(&server);
    redis_vouch(server.uri);
}

static void fails_closed_when_the_server_hangs(void **state)
{
    (void)state;
    char store[128];
    (void)snprintf(store, sizeof store, "%s?timeout=300ms", server.uri);
    redis_server_freeze(&server);
    all_fail_within_the_deadline(store, "store_unavailable");
    redis_server_thaw(&server);
}

static void fails_closed_with_a_wrong_password(void **state)
{
    (void)state;
    char store[128];
    ask("ACL SETUSER gate on >right ~* +@all", "+OK");
    (void)snprintf(store, sizeof store, "redis://gate:" CANARY_PASSWORD "@127.0.0.1:%u?timeout=2s",
                   (unsigned)server.port);
    all_fail_within_the_deadline(store, "store_refused");
    (void)snprintf(store, sizeof store, "redis://gate:right@127.0.0.1:%u", (unsigned)server.port);
    struct tool_run run;
    RUN(&run, "", "reserve", TOKEN("t2"), "--store", store);
    assert_int_equal(run.exit_code, 0);
    tool_run_clear(&run);
}

static void refuses_a_store_that_evicts(void **state)
{
    (void)state;
    char store[128];
    struct tool_run run;
    ask("CONFIG SET maxmemory-policy volatile-ttl", "+OK");
    ask("CONFIG SET maxmemory 1000000000", "+OK");
    RUN(&run, "", "reserve", TOKEN("t3"), "--store", server.uri);
    assert_holds(run.out, "refused, store_unsafe");
    assert_holds(run.err, "maxmemory 1000000000, maxmemory-policy volatile-ttl");
    assert_int_equal(run.exit_code, 3);
    tool_run_clear(&run);
    (void)snprintf(store, sizeof store, "%s?allow_eviction=yes", server.uri);
    RUN(&run, "", "reserve", TOKEN("t3"), "--store", store);
    assert_holds(run.err, "UNSAFE");
    assert_int_equal(run.exit_code, 0);
    tool_run_clear(&run);
    ask("CONFIG SET maxmemory 0", "+OK");
    ask("CONFIG SET maxmemory-policy noeviction", "+OK");
}

static int start(void **state)
{
    (void)state;
    (void)setenv("JTIGUARD_STORE", "memory", 1);
    redis_server_start(&server, NULL);
    redis_vouch(server.uri);
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
        cmocka_unit_test(checks_against_what_others_have_seen),
        cmocka_unit_test(prints_what_it_prints_of_any_store),
        cmocka_unit_test(admits_nothing_again_after_an_interruption),
        cmocka_unit_test(threads_share_one_cache),
        cmocka_unit_test(gives_back_what_another_process_reserved),
        cmocka_unit_test(admits_the_same_owner_again),
        cmocka_unit_test(shares_plain_keys_with_the_go_verifiers),
        cmocka_unit_test(prints_the_key_that_is_stored),
        cmocka_unit_test(fails_closed_when_the_server_is_down),
        cmocka_unit_test(fails_closed_when_the_server_hangs),
        cmocka_unit_test(fails_closed_with_a_wrong_password),
        cmocka_unit_test(refuses_a_store_that_evicts),
    };
    return cmocka_run_group_tests(tests, start, halt);
}
