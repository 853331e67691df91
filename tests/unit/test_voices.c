/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/route/voices.h"

#include "support/alloc_walk.h"
#include "support/asserts.h"

#include <stdio.h>
#include <string.h>

#define DOES_NOT_SAY NULL

/* peers: a letter each; NULL: it does not say. Its primary is at `host`. */
static struct jtgi_sentinel_answer answer_of(const char *id, const char *peers, const char *host,
                                             uint64_t epoch)
{
    struct jtgi_sentinel_answer answer = {.epoch = epoch};
    (void)snprintf(answer.id, sizeof answer.id, "%s", id);
    assert_true(jtgi_address_set(&answer.primary, host, strlen(host), 6379));
    answer.peers.told = peers != NULL;
    for (; peers != NULL && peers[answer.peers.count] != '\0'; answer.peers.count++)
        answer.peers.ids[answer.peers.count][0] = peers[answer.peers.count];
    answer.others = answer.peers.count;
    return answer;
}

static void hear(struct jtgi_voices *voices, const char *id, const char *peers, const char *host,
                 uint64_t epoch)
{
    struct jtgi_sentinel_answer answer = answer_of(id, peers, host, epoch);
    struct jtgi_address address = {.port = 26379};
    (void)snprintf(address.host, sizeof address.host, "s-%s", id);
    if (!jtgi_voices_have(voices, id))
        assert_true(jtgi_voices_add(voices, &address, &answer));
}

/* What comes of those that were heard, who are forgotten. */
static void expect(struct jtgi_voices *voices, unsigned count, bool clear, const char *best,
                   const char *other)
{
    struct jtgi_voices_group group = jtgi_voices_largest(voices);
    assert_int_equal(group.count, count);
    assert_int_equal(group.clear, clear);
    assert_string_equal(group.best == NULL ? "" : group.best->answer.id, best);
    assert_string_equal(group.other == NULL ? "" : group.other->answer.id, other);
    jtgi_voices_clear(voices);
}

static void nobody_is_the_best_of_none(void **state)
{
    struct jtgi_voices none = {.count = 0};
    (void)state;
    expect(&none, 0, true, "", "");
}

static void the_latest_of_those_that_know_one_another_wins(void **state)
{
    struct jtgi_voices heard = {.count = 0};
    (void)state;
    hear(&heard, "a", "bc", "p", 5);
    hear(&heard, "b", "ac", "q", 6);
    hear(&heard, "c", "ab", "p", 5);
    expect(&heard, 3, true, "b", "");
}

static void a_stranger_is_not_believed_whatever_its_epoch(void **state)
{
    static const char *const places[][3] = {{"f", "a", "b"}, {"a", "f", "b"}, {"a", "b", "f"}};
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        struct jtgi_voices heard = {.count = 0};
        for (unsigned at = 0; at < 3; at++)
            if (places[i][at][0] == 'f')
                hear(&heard, "f", "xy", "f", 12);
            else
                hear(&heard, places[i][at], places[i][at][0] == 'a' ? "b" : "a", "p", 5);
        expect(&heard, 2, true, "a", "f");
    }
}

/* One of two was told to forget the others; and of three none may know both others. */
static void knowing_is_mutual_and_goes_on(void **state)
{
    struct jtgi_voices heard = {.count = 0};
    (void)state;
    hear(&heard, "a", "", "p", 5);
    hear(&heard, "b", "a", "q", 6);
    expect(&heard, 2, true, "b", "");
    hear(&heard, "a", "b", "p", 5);
    hear(&heard, "c", "d", "r", 7);
    hear(&heard, "d", "", "r", 7);
    hear(&heard, "b", "c", "q", 6);
    expect(&heard, 4, true, "c", "");
}

/* That both know a third is not yet that they know each other: it may be gone for long. */
static void two_halves_are_no_group(void **state)
{
    struct jtgi_voices heard = {.count = 0};
    (void)state;
    hear(&heard, "a", "bz", "p", 5);
    hear(&heard, "b", "a", "p", 5);
    hear(&heard, "f", "gz", "f", 12);
    hear(&heard, "g", "f", "f", 12);
    expect(&heard, 2, false, "a", "f");
}

static void who_does_not_say_agrees_with_everybody(void **state)
{
    struct jtgi_voices heard = {.count = 0};
    (void)state;
    hear(&heard, "a", DOES_NOT_SAY, "p", 5);
    hear(&heard, "b", DOES_NOT_SAY, "q", 6);
    hear(&heard, "c", DOES_NOT_SAY, "p", 5);
    expect(&heard, 3, true, "b", "");
    hear(&heard, "a", "b", "p", 5);
    hear(&heard, "b", "a", "p", 5);
    hear(&heard, "c", DOES_NOT_SAY, "q", 6);
    hear(&heard, "f", "g", "f", 12);
    expect(&heard, 3, true, "c", "f");
}

/* It is of both, so it tips no scales. */
static void who_does_not_say_decides_nothing(void **state)
{
    struct jtgi_voices heard = {.count = 0};
    (void)state;
    hear(&heard, "a", "b", "p", 5);
    hear(&heard, "c", DOES_NOT_SAY, "p", 5);
    hear(&heard, "f", "g", "f", 12);
    expect(&heard, 2, false, "a", "f");
}

static void one_that_knows_nobody_yet_counts_with_who_says_the_same(void **state)
{
    struct jtgi_voices heard = {.count = 0};
    (void)state;
    hear(&heard, "a", "", "p", 5);
    hear(&heard, "b", "", "p", 5);
    expect(&heard, 2, true, "a", "");
    hear(&heard, "a", "", "p", 5);
    hear(&heard, "b", "", "p", 6);
    expect(&heard, 1, false, "a", "b");
    hear(&heard, "a", "", "p", 5);
    hear(&heard, "b", "", "q", 5);
    expect(&heard, 1, false, "a", "b");
    hear(&heard, "a", "x", "p", 5);
    hear(&heard, "b", "y", "p", 5);
    expect(&heard, 1, false, "a", "b");
}

/* How many there are is not for a stranger to say. */
static void a_stranger_does_not_count_the_others(void **state)
{
    struct jtgi_voices heard = {.count = 0};
    (void)state;
    hear(&heard, "a", "b", "p", 5);
    hear(&heard, "b", "ac", "p", 5);
    hear(&heard, "f", "vwxyz", "f", 12);
    assert_int_equal(jtgi_voices_largest(&heard).most_told, 3);
    jtgi_voices_clear(&heard);
}

static void there_is_an_end_to_them(void **state)
{
    struct jtgi_voices heard = {.count = 0};
    char id[8];
    (void)state;
    for (unsigned i = 0; i < JTGI_VOICES_MAX + 5; i++) {
        (void)snprintf(id, sizeof id, "%u", i);
        hear(&heard, id, DOES_NOT_SAY, "p", 1);
    }
    expect(&heard, JTGI_VOICES_MAX, true, "0", "");
}

static void out_of_memory_is_told(void **state)
{
    struct jtgi_voices heard = {.count = 0};
    struct jtgi_address address = {.port = 1};
    struct jtgi_sentinel_answer answer = answer_of("a", "", "p", 1);
    (void)state;
    alloc_walk_fail_nth(1);
    assert_false(jtgi_voices_add(&heard, &address, &answer));
    assert_true(alloc_walk_end());
    assert_int_equal(heard.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_is_the_best_of_none),
        cmocka_unit_test(the_latest_of_those_that_know_one_another_wins),
        cmocka_unit_test(a_stranger_is_not_believed_whatever_its_epoch),
        cmocka_unit_test(knowing_is_mutual_and_goes_on),
        cmocka_unit_test(two_halves_are_no_group),
        cmocka_unit_test(who_does_not_say_agrees_with_everybody),
        cmocka_unit_test(who_does_not_say_decides_nothing),
        cmocka_unit_test(one_that_knows_nobody_yet_counts_with_who_says_the_same),
        cmocka_unit_test(a_stranger_does_not_count_the_others),
        cmocka_unit_test(there_is_an_end_to_them),
        cmocka_unit_test(out_of_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
