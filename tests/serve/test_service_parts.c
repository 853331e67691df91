/* SPDX-License-Identifier: Apache-2.0 */
/* The small parts of the service, each alone. */
#include "serve/answer/authorization.h"
#include "serve/answer/outcome.h"
#include "serve/answer/refusal_limit.h"
#include "serve/answer/repeats.h"
#include "serve/answer/replay_cache.h"
#include "serve/answer/service_log.h"
#include "serve/http/address.h"
#include "serve/settings/secrets.h"
#include "serve/settings/service_settings.h"
#include "support/asserts.h"

#include <fcntl.h>
#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- slots ---- */

static void slots_keep_and_forget(void **state)
{
    (void)state;
    struct slots *slots = slots_new(64);
    int64_t number = 0;
    struct slot_key one = slots_key(slots, "one", 3);
    assert_false(slots_get(slots, one, &number));
    slots_put(slots, one, 7);
    assert_true(slots_get(slots, one, &number));
    assert_int_equal(number, 7);
    assert_int_equal(slots_raise(slots, one, 5, 2), 9);
    assert_int_equal(slots_raise(slots, one, 50, 2), 52);
    slots_clear(slots);
    assert_false(slots_get(slots, one, &number));
    slots_free(slots);
}

/* However many come, there is room for no more: the newest stay. */
static void slots_are_bounded(void **state)
{
    (void)state;
    enum { ROOM = 64, MANY = 10000 };
    struct slots *slots = slots_new(ROOM);
    int64_t number = 0;
    unsigned kept = 0;
    for (int i = 1; i <= MANY; i++)
        slots_put(slots, slots_key(slots, &i, sizeof i), i);
    for (int i = 1; i <= MANY; i++)
        if (slots_get(slots, slots_key(slots, &i, sizeof i), &number)) {
            assert_int_equal(number, i);
            kept++;
        }
    assert_in_range(kept, 1, ROOM);
    int last = MANY;
    assert_true(slots_get(slots, slots_key(slots, &last, sizeof last), &number));
    slots_free(slots);
}

static void a_pair_is_no_other_pair(void **state)
{
    (void)state;
    struct slots *slots = slots_new(64);
    struct slot_key a = slots_key(slots, "a", 1);
    struct slot_key b = slots_key(slots, "b", 1);
    struct slot_key ab = slots_key_pair(slots, a, b);
    struct slot_key ba = slots_key_pair(slots, b, a);
    struct slot_key joined = slots_key(slots, "ab", 2);
    assert_memory_not_equal(&ab, &ba, sizeof ab);
    assert_memory_not_equal(&ab, &joined, sizeof ab);
    slots_free(slots);
}

/* ---- known replays ---- */

static void a_known_replay_ends(void **state)
{
    (void)state;
    struct slots *cache = slots_new(1024);
    assert_non_null(cache);
    struct slot_key key = replay_cache_key(cache, jtg_text_of("token"), jtg_text_of(""));
    struct slot_key other = replay_cache_key(cache, jtg_text_of("token"), jtg_text_of("proof"));
    replay_cache_remember(cache, key, 1000, 0, 500);
    assert_true(replay_cache_knows(cache, key, 1000, 0, 500));
    assert_true(replay_cache_knows(cache, key, 1499, 0, 500));
    assert_false(replay_cache_knows(cache, key, 1500, 0, 500));
    assert_false(replay_cache_knows(cache, other, 1000, 0, 500));
    /* Being seen again meanwhile makes it live no longer. */
    replay_cache_remember(cache, key, 1499, 0, 500);
    assert_false(replay_cache_knows(cache, key, 1500, 0, 500));
    replay_cache_remember(cache, key, 1500, 0, 500);
    assert_true(replay_cache_knows(cache, key, 1999, 0, 500));
    /* Where owners may ask again it keeps quiet first. */
    slots_clear(cache);
    replay_cache_remember(cache, key, 0, 100, 500);
    assert_false(replay_cache_knows(cache, key, 99, 100, 500));
    assert_true(replay_cache_knows(cache, key, 100, 100, 500));
    assert_true(replay_cache_knows(cache, key, 599, 100, 500));
    assert_false(replay_cache_knows(cache, key, 600, 100, 500));
    slots_free(cache);
}

static void no_cache_knows_nothing(void **state)
{
    (void)state;
    struct slots *cache = NULL;
    struct slot_key key = replay_cache_key(cache, jtg_text_of("token"), jtg_text_of(""));
    replay_cache_remember(cache, key, 0, 0, 500);
    assert_false(replay_cache_knows(cache, key, 0, 0, 500));
    slots_clear(cache);
    slots_free(cache);
}

/* ---- refusals of a client ---- */

static void a_client_has_its_account(void **state)
{
    (void)state;
    struct slots *limit = slots_new(1024);
    const struct refusal_rule rule = {2, 4};
    for (int i = 0; i < 4; i++) {
        assert_false(refusal_limit_reached(limit, &rule, "a", 1, 1000));
        refusal_limit_count(limit, &rule, "a", 1, 1000);
    }
    assert_true(refusal_limit_reached(limit, &rule, "a", 1, 1000));
    assert_false(refusal_limit_reached(limit, &rule, "b", 1, 1000));
    /* Half a second buys one more. */
    assert_true(refusal_limit_reached(limit, &rule, "a", 1, 1499));
    assert_false(refusal_limit_reached(limit, &rule, "a", 1, 1500));
    refusal_limit_count(limit, &rule, "a", 1, 1500);
    assert_true(refusal_limit_reached(limit, &rule, "a", 1, 1500));
    slots_free(limit);
}

static void nobody_and_no_rate_are_not_limited(void **state)
{
    (void)state;
    struct slots *limit = slots_new(1024);
    const struct refusal_rule none = {0, 1};
    const struct refusal_rule rule = {1, 1};
    for (int i = 0; i < 10; i++) {
        refusal_limit_count(limit, &none, "a", 1, 0);
        refusal_limit_count(limit, &rule, "", 0, 0);
    }
    assert_false(refusal_limit_reached(limit, &none, "a", 1, 0));
    assert_false(refusal_limit_reached(limit, &rule, "", 0, 0));
    slots_free(limit);
}

/* ---- addresses ---- */

static struct peer peer_of(const char *address)
{
    struct peer peer;
    if (!peer_read(&peer, address, strlen(address)))
        fail_msg("not read: %s", address);
    return peer;
}

static void addresses_of_peers(void **state)
{
    (void)state;
    static const char *const good[][2] = {
        {"192.0.2.1", "192.0.2.1"},       {"192.0.2.1:80", "192.0.2.1"},
        {"2001:db8::1", "2001:db8::1"},   {"[2001:db8::1]:80", "2001:db8::1"},
        {"[2001:db8::1]", "2001:db8::1"}, {"::ffff:192.0.2.1", "192.0.2.1"},
        {"2001:DB8:0::1", "2001:db8::1"}};
    static const char *const bad[] = {"",        "unknown",    "_hidden",
                                      "192.0.2", "192.0.2.1.", "192.0.2.256",
                                      "::g",     "localhost",  "192.0.2.1 "};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        char got[PEER_TEXT_BYTES];
        struct peer peer = peer_of(good[i][0]);
        peer_write(&peer, got);
        assert_string_equal(got, good[i][1]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct peer peer;
        assert_false(peer_read(&peer, bad[i], strlen(bad[i])));
        assert_false(peer.known);
    }
}

/* A /64 is what one client is given. */
static void what_counts_as_one_client(void **state)
{
    (void)state;
    const struct {
        const char *a;
        const char *b;
        bool same;
    } pairs[] = {{"192.0.2.1", "192.0.2.2", false},
                 {"192.0.2.1", "::ffff:192.0.2.1", true},
                 {"2001:db8::1", "2001:db8::ffff:1", true},
                 {"2001:db8::1", "2001:db8:0:1::1", false}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        unsigned char a[PEER_KEY_BYTES];
        unsigned char b[PEER_KEY_BYTES];
        struct peer one = peer_of(pairs[i].a);
        struct peer other = peer_of(pairs[i].b);
        assert_int_equal(peer_key(&one, a), PEER_KEY_BYTES);
        assert_int_equal(peer_key(&other, b), PEER_KEY_BYTES);
        assert_int_equal(memcmp(a, b, sizeof a) == 0, pairs[i].same);
    }
}

static void networks(void **state)
{
    (void)state;
    static const char *const items[] = {"10.0.0.0/8", "192.0.2.7", "2001:db8::/33", "unix"};
    static const char *const inside[] = {"10.0.0.0", "10.255.255.255", "192.0.2.7",
                                         "2001:db8:7fff::1"};
    static const char *const outside[] = {"11.0.0.0", "9.255.255.255", "192.0.2.6",
                                          "2001:db8:8000::", "::"};
    static const char *const bad[] = {"10.0.0.1/8",  "10.0.0.0/33",    "10.0.0.0/", "10.0.0.0/-1",
                                      "example.com", "2001:db8::/129", "",          "/8",
                                      "10.0.0.0/8x"};
    const struct text_list list = {items, 4};
    struct networks nets;
    assert_null(networks_read(&nets, &list));
    for (size_t i = 0; i < sizeof inside / sizeof *inside; i++) {
        struct peer peer = peer_of(inside[i]);
        assert_true(networks_hold(&nets, &peer));
    }
    for (size_t i = 0; i < sizeof outside / sizeof *outside; i++) {
        struct peer peer = peer_of(outside[i]);
        assert_false(networks_hold(&nets, &peer));
    }
    struct peer local = {true, true, {0}};
    struct peer unknown = {false, false, {0}};
    assert_true(networks_hold(&nets, &local));
    assert_false(networks_hold(&nets, &unknown));
    networks_clear(&nets);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const struct text_list one = {&bad[i], 1};
        assert_non_null(networks_read(&nets, &one));
        assert_null(nets.items);
    }
}

/* All of IPv4 is no part of an IPv6 network by accident, nor the other way round. */
static void whole_families(void **state)
{
    (void)state;
    static const char *const items[] = {"0.0.0.0/0"};
    const struct text_list list = {items, 1};
    struct networks nets;
    assert_null(networks_read(&nets, &list));
    struct peer v4 = peer_of("203.0.113.1");
    struct peer v6 = peer_of("2001:db8::1");
    assert_true(networks_hold(&nets, &v4));
    assert_false(networks_hold(&nets, &v6));
    networks_clear(&nets);
}

/* ---- Authorization ---- */

static void schemes(void **state)
{
    (void)state;
    const struct {
        const char *header;
        enum authorization_answer answer;
        const char *token;
    } cases[] = {{"Bearer abc", AUTHORIZATION_OK, "abc"},
                 {"bEARER abc", AUTHORIZATION_OK, "abc"},
                 {"Bearer   abc  ", AUTHORIZATION_OK, "abc"},
                 {"Bearer", AUTHORIZATION_MALFORMED, NULL},
                 {"Bearer ", AUTHORIZATION_MALFORMED, NULL},
                 {"Bearer a b", AUTHORIZATION_MALFORMED, NULL},
                 {"Bearer a,b", AUTHORIZATION_MALFORMED, NULL},
                 {"Bearerabc", AUTHORIZATION_OTHER, NULL},
                 {"Bearer\tabc", AUTHORIZATION_OTHER, NULL},
                 {"", AUTHORIZATION_OTHER, NULL},
                 {"Basic abc", AUTHORIZATION_OTHER, NULL},
                 {"Bearer a\x01", AUTHORIZATION_MALFORMED, NULL},
                 {"Bearer \xc3\xa4", AUTHORIZATION_MALFORMED, NULL}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        jtg_text token = {NULL, 0};
        assert_int_equal(authorization_split(jtg_text_of(cases[i].header), "Bearer", &token),
                         cases[i].answer);
        if (cases[i].token != NULL) {
            assert_int_equal(token.data_len, strlen(cases[i].token));
            assert_memory_equal(token.data, cases[i].token, token.data_len);
        }
    }
}

/* ---- outcomes ---- */

static void each_outcome_has_its_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < OUTCOME_INDEXES; i++) {
        enum outcome outcome = outcome_at(i);
        unsigned check = outcome_check_status(outcome);
        unsigned api = outcome_api_status(outcome);
        assert_int_equal(outcome_index(outcome), i);
        assert_true(strlen(outcome_name(outcome)) > 0);
        assert_null(strpbrk(outcome_name(outcome), " \"\\\n"));
        assert_null(strpbrk(outcome_text(outcome), "\"\\\n"));
        assert_true(check == 200 || check == 401 || check == 403);
        assert_true(api == 200 || api == 409 || api == 422 || api == 503);
        /* One outcome admits, and no other answers as it does. */
        bool admits = outcome == OUTCOME_ADMITTED;
        assert_int_equal(check == 200, admits);
        assert_int_equal(api == 200, admits);
        assert_int_equal(outcome_verdict(outcome) == JTG_VERDICT_ADMITTED, admits);
    }
}

static void no_outcome_admits(void **state)
{
    (void)state;
    static const int strangers[] = {-1, 34, 999, 1999, 2000, 2000 + REFUSAL_COUNT, 5000, 1 << 30};
    for (size_t i = 0; i < sizeof strangers / sizeof *strangers; i++) {
        enum outcome stranger = (enum outcome)strangers[i];
        assert_int_not_equal(outcome_check_status(stranger), 200);
        assert_int_not_equal(outcome_api_status(stranger), 200);
        assert_true(outcome_index(stranger) < OUTCOME_INDEXES);
    }
    assert_int_equal(outcome_of_refusal(REFUSAL_NONE), OUTCOME_INTERNAL);
    assert_int_equal(outcome_of_refusal(REFUSAL_COUNT), OUTCOME_INTERNAL);
}

/* ---- secrets ---- */

static void secrets_match_whole(void **state)
{
    (void)state;
    struct secrets secrets;
    assert_null(secrets_read(&secrets, "0123456789abcdef\n\nfedcba9876543210\r\n"));
    assert_int_equal(secrets.count, 2);
    assert_true(secrets_hold(&secrets, "0123456789abcdef", 16));
    assert_true(secrets_hold(&secrets, "fedcba9876543210", 16));
    assert_false(secrets_hold(&secrets, "0123456789abcdee", 16));
    assert_false(secrets_hold(&secrets, "0123456789abcde", 15));
    assert_false(secrets_hold(&secrets, "0123456789abcdef0", 17));
    assert_false(secrets_hold(&secrets, "", 0));
    secrets_clear(&secrets);
    assert_false(secrets_hold(&secrets, "0123456789abcdef", 16));
    assert_non_null(secrets_read(&secrets, ""));
    assert_non_null(secrets_read(&secrets, "\n\n"));
    assert_non_null(secrets_read(&secrets, "0123456789abcde"));
    assert_non_null(secrets_read(&secrets, "0123456789 abcdef"));
    assert_non_null(secrets_read(&secrets, "0123456789abcde\xc3\xa4"));
}

/* ---- the log ---- */

static char *read_all(int fd)
{
    char *got = calloc(1, 1 << 20);
    assert_non_null(got);
    size_t len = 0;
    for (ssize_t more = 1; more > 0; len += more > 0 ? (size_t)more : 0)
        more = read(fd, got + len, (1 << 20) - 1 - len);
    return got;
}

/* Whatever a field holds, a line stays a line, and JSON stays JSON. */
static void no_field_breaks_a_line(void **state)
{
    (void)state;
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    const struct log_rules rules = {true, JTG_LOG_DEBUG, 10};
    struct service_log *log = service_log_new(fds[1], &rules);
    const struct log_field fields[] = {{"a", "line\nend \"quoted\" back\\slash \x1b[31m \xff"},
                                       {"absent", NULL},
                                       {"b", ""},
                                       {NULL, NULL}};
    service_log_event(log, JTG_LOG_ERROR, "event", fields);
    service_log_free(log);
    (void)close(fds[1]);
    char *got = read_all(fds[0]);
    (void)close(fds[0]);
    assert_int_equal(strcspn(got, "\n") + 1, strlen(got));
    json_t *root = json_loads(got, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(root);
    assert_string_equal(json_string_value(json_object_get(root, "event")), "event");
    assert_string_equal(json_string_value(json_object_get(root, "level")), "error");
    assert_non_null(strstr(json_string_value(json_object_get(root, "a")), "\"quoted\""));
    assert_null(json_object_get(root, "absent"));
    json_decref(root);
    free(got);
}

static void lines_have_levels(void **state)
{
    (void)state;
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    const struct log_rules rules = {false, JTG_LOG_WARNING, 10};
    const struct log_rules all = {false, JTG_LOG_DEBUG, 10};
    struct service_log *log = service_log_new(fds[1], &rules);
    service_log_text(log, JTG_LOG_INFO, "quiet", "x");
    service_log_text(log, JTG_LOG_WARNING, "heard", "two words");
    service_log_set_rules(log, &all);
    service_log_text(log, JTG_LOG_DEBUG, "also", "x");
    service_log_free(log);
    (void)close(fds[1]);
    char *got = read_all(fds[0]);
    (void)close(fds[0]);
    assert_null(strstr(got, "quiet"));
    assert_non_null(strstr(got, "Z warning heard text=\"two words\"\n"));
    assert_non_null(strstr(got, "Z debug also text=x\n"));
    free(got);
}

/* What strangers cause is logged up to a rate, and counted beyond. */
static void refusals_are_not_all_logged(void **state)
{
    (void)state;
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    const struct log_rules rules = {false, JTG_LOG_DEBUG, 3};
    const struct log_field none[] = {{NULL, NULL}};
    struct service_log *log = service_log_new(fds[1], &rules);
    for (int i = 0; i < 400; i++)
        service_log_refusal(log, "refused", none);
    struct log_losses losses = service_log_losses(log);
    service_log_free(log);
    (void)close(fds[1]);
    char *got = read_all(fds[0]);
    (void)close(fds[0]);
    unsigned lines = 0;
    for (const char *at = got; (at = strstr(at, " refused\n")) != NULL; at++)
        lines++;
    /* It may have taken more than a second. */
    assert_in_range(lines, 3, 60);
    assert_int_equal(lines + losses.suppressed, 400);
    assert_int_equal(losses.dropped, 0);
    free(got);
}

enum { SECOND_NS = 1000000000 };

/* A store that is down says so three times a second. */
static void a_text_is_not_said_again_at_once(void **state)
{
    (void)state;
    static struct repeats repeats;
    uint64_t left_out = 0;
    memset(&repeats, 0, sizeof repeats);
    assert_true(repeats_say(&repeats, "down", 0, &left_out));
    for (int i = 1; i < 30; i++)
        assert_false(repeats_say(&repeats, "down", i * (int64_t)SECOND_NS / 3, &left_out));
    assert_true(repeats_say(&repeats, "other", 5 * (int64_t)SECOND_NS, &left_out));
    assert_int_equal(left_out, 0);
    assert_true(repeats_say(&repeats, "down", 10 * (int64_t)SECOND_NS, &left_out));
    assert_int_equal(left_out, 29);
    assert_false(repeats_say(&repeats, "down", 11 * (int64_t)SECOND_NS, &left_out));
    assert_true(repeats_say(&repeats, "down", 20 * (int64_t)SECOND_NS, &left_out));
    assert_int_equal(left_out, 1);
}

/* More texts than there is room for: the one that was said longest ago is forgotten, and said. */
static void a_text_that_is_forgotten_is_said(void **state)
{
    (void)state;
    static struct repeats repeats;
    uint64_t left_out = 0;
    char text[8];
    memset(&repeats, 0, sizeof repeats);
    for (int i = 0; i <= REPEATS_TEXTS; i++) {
        (void)snprintf(text, sizeof text, "t%d", i);
        assert_true(repeats_say(&repeats, text, 1 + i, &left_out));
    }
    assert_false(repeats_say(&repeats, "t1", 20, &left_out));
    assert_true(repeats_say(&repeats, "t0", 21, &left_out));
}

/* Of the library the warnings and errors; what else it says, each time. */
static void the_library_does_not_repeat_itself(void **state)
{
    (void)state;
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    const struct log_rules rules = {false, JTG_LOG_DEBUG, 3};
    struct service_log *log = service_log_new(fds[1], &rules);
    jtg_logger logger = service_log_as_logger(log);
    for (int i = 0; i < 3; i++) {
        logger.write(logger.context, JTG_LOG_ERROR, "down");
        logger.write(logger.context, JTG_LOG_INFO, "connected");
    }
    service_log_free(log);
    (void)close(fds[1]);
    char *got = read_all(fds[0]);
    (void)close(fds[0]);
    unsigned down = 0;
    unsigned connected = 0;
    for (const char *at = got; (at = strstr(at, "library text=")) != NULL; at++) {
        down += strncmp(at, "library text=down\n", 18) == 0;
        connected += strncmp(at, "library text=connected\n", 23) == 0;
    }
    assert_int_equal(connected, 3);
    assert_int_equal(down, 1);
    free(got);
}

/* Who logs never waits for who reads, and the end does not either. */
static void a_reader_that_stalls(void **state)
{
    (void)state;
    int fds[2];
    assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
    const struct log_rules rules = {false, JTG_LOG_DEBUG, 10};
    struct service_log *log = service_log_new(fds[1], &rules);
    char long_text[900];
    memset(long_text, 'a', sizeof long_text - 1);
    long_text[sizeof long_text - 1] = '\0';
    for (int i = 0; i < 2000; i++)
        service_log_text(log, JTG_LOG_INFO, "event", long_text);
    assert_true(service_log_losses(log).dropped > 0);
    service_log_free(log);
    (void)close(fds[0]);
    (void)close(fds[1]);
}

static int start(void **state)
{
    (void)state;
    return sodium_init() < 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slots_keep_and_forget),
        cmocka_unit_test(slots_are_bounded),
        cmocka_unit_test(a_pair_is_no_other_pair),
        cmocka_unit_test(a_known_replay_ends),
        cmocka_unit_test(no_cache_knows_nothing),
        cmocka_unit_test(a_client_has_its_account),
        cmocka_unit_test(nobody_and_no_rate_are_not_limited),
        cmocka_unit_test(addresses_of_peers),
        cmocka_unit_test(what_counts_as_one_client),
        cmocka_unit_test(networks),
        cmocka_unit_test(whole_families),
        cmocka_unit_test(schemes),
        cmocka_unit_test(each_outcome_has_its_place),
        cmocka_unit_test(no_outcome_admits),
        cmocka_unit_test(secrets_match_whole),
        cmocka_unit_test(no_field_breaks_a_line),
        cmocka_unit_test(lines_have_levels),
        cmocka_unit_test(refusals_are_not_all_logged),
        cmocka_unit_test(a_text_is_not_said_again_at_once),
        cmocka_unit_test(a_text_that_is_forgotten_is_said),
        cmocka_unit_test(the_library_does_not_repeat_itself),
        cmocka_unit_test(a_reader_that_stalls),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
