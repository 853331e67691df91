/* SPDX-License-Identifier: Apache-2.0 */
/* The break-glass token and anti-replay on a Redis that several processes share, that is killed,
 * and that comes back with its data or without. */
#include "support/asserts.h"
#include "support/redis_server.h"
#include "support/threads.h"

#include <jtiguard/anti_replay.h>
#include <jtiguard/breakglass.h>
#include <jtiguard/redis.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PROCESSES = 3, TURNS = 60, TEXT_LEN = JTG_BREAKGLASS_TEXT_BYTES - 1 };

static struct redis_server server;

/* As a process of its own. Asserts. */
static jtg_cache *open_cache_with(const char *query)
{
    jtg_cache *cache = NULL;
    char uri[96];
    (void)snprintf(uri, sizeof uri, "%s%s", server.uri, query);
    assert_status(jtg_redis_new_uri(&cache, uri, NULL), JTG_OK);
    return cache;
}

static jtg_cache *open_cache(void)
{
    return open_cache_with("");
}

static jtg_breakglass *open_breakglass(jtg_cache *cache, const void *key)
{
    jtg_breakglass *breakglass = NULL;
    jtg_breakglass_options options = JTG_BREAKGLASS_OPTIONS_INIT;
    options.key = key;
    assert_status(jtg_breakglass_new(&breakglass, cache, &options, NULL), JTG_OK);
    return breakglass;
}

static jtg_status look_up(jtg_breakglass *breakglass, const char *text)
{
    return jtg_breakglass_lookup(breakglass, text, TEXT_LEN, NULL, NULL);
}

static void ask(const char *line, const char *expected)
{
    char reply[128];
    assert_true(redis_server_ask(&server, line, reply, sizeof reply));
    assert_string_equal(reply, expected);
}

/* After a kill the first call finds its connection dead. */
static void await(jtg_cache *cache)
{
    time_t end = time(NULL) + 20;
    while (jtg_cache_ping(cache, NULL) != JTG_OK)
        assert_true(time(NULL) < end);
}

static int start(void **state)
{
    static const char *const lasting[] = {"--appendonly", "yes", "--appendfsync", "always", NULL};
    (void)state;
    redis_server_start(&server, lasting);
    return 0;
}

static int halt(void **state)
{
    (void)state;
    redis_server_stop(&server);
    return 0;
}

/* ---- break-glass ---- */

/* The dump holds the record; the key went with the process. */
static void a_restart_ends_the_token_though_redis_persists(void **state)
{
    (void)state;
    char text[JTG_BREAKGLASS_TEXT_BYTES];
    jtg_cache *cache = open_cache_with("?continuity=no");
    jtg_breakglass *breakglass = open_breakglass(cache, NULL);
    assert_status(jtg_breakglass_issue(breakglass, JTG_BREAKGLASS_REPLACE, text, NULL, NULL),
                  JTG_OK);
    redis_server_kill(&server);
    jtg_status down = look_up(breakglass, text);
    assert_true(down != JTG_OK && down != JTG_NOT_FOUND);
    redis_server_start_again(&server);
    await(cache);
    assert_status(look_up(breakglass, text), JTG_OK); /* this process still has the key */
    jtg_breakglass_free(breakglass);
    jtg_cache_free(cache);

    cache = open_cache_with("?continuity=no");
    breakglass = open_breakglass(cache, NULL);
    jtg_breakglass_info info = JTG_BREAKGLASS_INFO_INIT;
    assert_status(look_up(breakglass, text), JTG_NOT_FOUND);
    assert_status(jtg_breakglass_status(breakglass, &info, NULL), JTG_OK);
    assert_int_equal(info.own_key, 0);
    assert_status(jtg_breakglass_delete(breakglass, text, TEXT_LEN, NULL), JTG_NOT_FOUND);
    assert_status(jtg_breakglass_clear(breakglass, NULL), JTG_OK);
    assert_status(jtg_breakglass_status(breakglass, NULL, NULL), JTG_NOT_FOUND);
    jtg_breakglass_free(breakglass);
    jtg_cache_free(cache);
}

/* It came back with all its data, but nobody can know that: a token that was used up or revoked a
 * moment before the kill would come back as well. */
static void a_redis_that_may_have_forgotten_ends_the_token(void **state)
{
    (void)state;
    char text[JTG_BREAKGLASS_TEXT_BYTES];
    jtg_cache *cache = open_cache();
    jtg_breakglass *breakglass = open_breakglass(cache, NULL);
    assert_status(jtg_breakglass_issue(breakglass, JTG_BREAKGLASS_REPLACE, text, NULL, NULL),
                  JTG_OK);
    assert_status(look_up(breakglass, text), JTG_OK);
    redis_server_kill(&server);
    redis_server_start_again(&server);
    await(cache);
    assert_status(look_up(breakglass, text), JTG_NOT_FOUND);
    assert_status(jtg_breakglass_issue(breakglass, JTG_BREAKGLASS_IF_NONE, text, NULL, NULL),
                  JTG_OK);
    assert_status(look_up(breakglass, text), JTG_OK);
    redis_server_kill(&server);
    redis_server_start_again(&server);
    await(cache);
    assert_status(look_up(breakglass, text), JTG_NOT_FOUND);
    assert_status(jtg_redis_vouch(cache, 0, NULL), JTG_OK); /* an operator knows */
    assert_status(look_up(breakglass, text), JTG_OK);
    jtg_breakglass_free(breakglass);
    jtg_cache_free(cache);
}

static void a_redis_that_forgets_ends_the_token(void **state)
{
    (void)state;
    char text[JTG_BREAKGLASS_TEXT_BYTES];
    jtg_cache *cache = open_cache();
    jtg_breakglass *breakglass = open_breakglass(cache, NULL);
    assert_status(jtg_breakglass_issue(breakglass, JTG_BREAKGLASS_REPLACE, text, NULL, NULL),
                  JTG_OK);
    ask("FLUSHALL", "+OK");
    assert_status(look_up(breakglass, text), JTG_NOT_FOUND);
    assert_status(jtg_breakglass_issue(breakglass, JTG_BREAKGLASS_IF_NONE, text, NULL, NULL),
                  JTG_OK);
    assert_status(look_up(breakglass, text), JTG_OK);
    jtg_breakglass_free(breakglass);
    jtg_cache_free(cache);
}

static void nothing_of_the_token_is_in_the_store(void **state)
{
    (void)state;
    char text[JTG_BREAKGLASS_TEXT_BYTES];
    char path[128];
    static char file[1 << 20];
    jtg_cache *cache = open_cache();
    jtg_breakglass *breakglass = open_breakglass(cache, NULL);
    assert_status(jtg_breakglass_issue(breakglass, JTG_BREAKGLASS_REPLACE, text, NULL, NULL),
                  JTG_OK);
    ask("SAVE", "+OK");
    (void)snprintf(path, sizeof path, "%s/dump.rdb", server.folder);
    FILE *dump = fopen(path, "rb");
    assert_non_null(dump);
    size_t len = fread(file, 1, sizeof file, dump);
    (void)fclose(dump);
    assert_non_null(memmem(file, len, "jtg:bg1:default", 15));
    for (size_t at = 0; at + 6 <= TEXT_LEN; at++)
        assert_null(memmem(file, len, text + at, 6));
    jtg_breakglass_free(breakglass);
    jtg_cache_free(cache);
}

/* In a child: no asserts. Issues where none is active, uses, and ends it; two that are active at
 * once would both be told that theirs was there to be ended. */
static int compete(const unsigned char *key)
{
    jtg_cache *cache = NULL;
    jtg_breakglass *breakglass = NULL;
    jtg_breakglass_options options = JTG_BREAKGLASS_OPTIONS_INIT;
    char text[JTG_BREAKGLASS_TEXT_BYTES];
    options.key = key;
    options.max_uses = 2;
    if (jtg_redis_new_uri(&cache, server.uri, NULL) != JTG_OK ||
        jtg_breakglass_new(&breakglass, cache, &options, NULL) != JTG_OK)
        return 1;
    for (int turn = 0; turn < TURNS;) {
        jtg_status status =
            jtg_breakglass_issue(breakglass, JTG_BREAKGLASS_IF_NONE, text, NULL, NULL);
        if (status == JTG_MISMATCH)
            continue;
        if (status != JTG_OK || look_up(breakglass, text) != JTG_OK ||
            jtg_breakglass_delete(breakglass, text, TEXT_LEN, NULL) != JTG_OK ||
            look_up(breakglass, text) != JTG_NOT_FOUND)
            return 2;
        turn++;
    }
    jtg_breakglass_free(breakglass);
    jtg_cache_free(cache);
    return 0;
}

static void processes_have_one_token_between_them(void **state)
{
    static const unsigned char key[JTG_BREAKGLASS_KEY_BYTES] = "one key of all the processes";
    pid_t children[PROCESSES];
    (void)state;
    ask("FLUSHALL", "+OK");
    for (int i = 0; i < PROCESSES; i++) {
        children[i] = fork();
        assert_true(children[i] >= 0);
        if (children[i] == 0)
            _exit(compete(i % 2 == 0 ? key : NULL));
    }
    for (int i = 0; i < PROCESSES; i++) {
        int status = -1;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
    }
}

/* ---- anti-replay ---- */

static int64_t wall_ms(void)
{
    jtg_clock clock = jtg_clock_system();
    return clock.wall_ms(clock.context);
}

static jtg_anti_replay *open_anti_replay(jtg_cache *cache)
{
    jtg_anti_replay *anti_replay = NULL;
    jtg_anti_replay_options options = JTG_ANTI_REPLAY_OPTIONS_INIT;
    options.start_rule = 0; /* the server has been there all the time, and has lost nothing */
    assert_status(jtg_cache_ping(cache, NULL), JTG_OK); /* if it watches: from now on */
    assert_status(jtg_anti_replay_new(&anti_replay, cache, &options, NULL), JTG_OK);
    return anti_replay;
}

/* Of a ticket that cannot have been used before now, though its issuer's clock be ahead. */
static jtg_flight flight_of(const uint64_t *identity)
{
    jtg_flight flight = JTG_FLIGHT_INIT;
    flight.ticket = identity;
    flight.ticket_len = sizeof *identity;
    flight.issued_ms = wall_ms() + JTG_ANTI_REPLAY_MARGIN_MS_DEFAULT;
    flight.lifetime_ms = 3600000;
    return flight;
}

struct race {
    jtg_anti_replay *anti_replay[2];
    atomic_uint accepted[200];
};

static void take_flights(void *context, unsigned thread)
{
    struct race *race = context;
    for (uint64_t i = 0; i < 200; i++) {
        jtg_flight flight = flight_of(&i);
        if (jtg_anti_replay_accept(race->anti_replay[thread % 2], &flight, NULL, NULL))
            atomic_fetch_add(&race->accepted[i], 1);
    }
}

static void two_servers_accept_a_flight_once(void **state)
{
    static struct race race;
    jtg_cache *caches[2];
    (void)state;
    for (int i = 0; i < 2; i++) {
        caches[i] = open_cache();
        race.anti_replay[i] = open_anti_replay(caches[i]);
    }
    threads_run(8, take_flights, &race);
    for (int i = 0; i < 200; i++)
        assert_int_equal(atomic_load(&race.accepted[i]), 1);
    for (int i = 0; i < 2; i++) {
        jtg_anti_replay_free(race.anti_replay[i]);
        jtg_cache_free(caches[i]);
    }
}

static void a_server_that_starts_anew_knows_the_flight(void **state)
{
    uint64_t identity = 1077;
    (void)state;
    jtg_cache *cache = open_cache();
    jtg_anti_replay *anti_replay = open_anti_replay(cache);
    jtg_flight flight = flight_of(&identity);
    assert_true(jtg_anti_replay_accept(anti_replay, &flight, NULL, NULL));
    jtg_anti_replay_free(anti_replay);
    jtg_cache_free(cache);
    redis_server_kill(&server);
    redis_server_start_again(&server);
    cache = open_cache();
    await(cache);
    anti_replay = open_anti_replay(cache);
    assert_false(jtg_anti_replay_accept(anti_replay, &flight, NULL, NULL));
    jtg_anti_replay_free(anti_replay);
    jtg_cache_free(cache);
}

/* Early data is refused, and that without a wait beyond the store's timeout. */
static void a_redis_that_is_away_is_unsure(void **state)
{
    uint64_t identity = 1078;
    (void)state;
    jtg_cache *cache = open_cache();
    jtg_anti_replay *anti_replay = open_anti_replay(cache);
    jtg_flight_decision decision = JTG_FLIGHT_DECISION_INIT;
    jtg_flight flight = flight_of(&identity);
    redis_server_kill(&server);
    assert_false(jtg_anti_replay_accept(anti_replay, &flight, &decision, NULL));
    assert_int_equal(decision.seen, JTG_SEEN_UNSURE);
    redis_server_start_again(&server);
    jtg_anti_replay_free(anti_replay);
    jtg_cache_free(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_restart_ends_the_token_though_redis_persists),
        cmocka_unit_test(a_redis_that_may_have_forgotten_ends_the_token),
        cmocka_unit_test(a_redis_that_forgets_ends_the_token),
        cmocka_unit_test(nothing_of_the_token_is_in_the_store),
        cmocka_unit_test(processes_have_one_token_between_them),
        cmocka_unit_test(two_servers_accept_a_flight_once),
        cmocka_unit_test(a_server_that_starts_anew_knows_the_flight),
        cmocka_unit_test(a_redis_that_is_away_is_unsure),
    };
    return cmocka_run_group_tests_name("tokens on Redis", tests, start, halt);
}
