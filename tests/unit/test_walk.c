/* SPDX-License-Identifier: Apache-2.0 */
/* count and clear: which pages are asked for, what of them counts, and what is deleted. */
#include "redis/scripted_answers.h"

#include <stdio.h>
#include <string.h>

#define SCAN(cursor, pattern) "SCAN " cursor " MATCH " pattern " COUNT 500 "
#define LOST                  .fate = JTGI_FATE_UNKNOWN

static int close_cache(void **state)
{
    (void)state;
    scripted_answers_close();
    return 0;
}

static int open_one(void **state)
{
    (void)state;
    scripted_answers_open(NULL);
    return 0;
}

static int open_cluster(void **state)
{
    (void)state;
    scripted_answers_open_cluster(NULL);
    return 0;
}

static void open_prefixed(const char *prefix)
{
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    options.prefix = prefix;
    scripted_answers_open(&options);
}

/* A page of these keys, which have no blank; of the last few that were made. */
static const char *page(const char *cursor, const char *keys)
{
    static char made[8][16384];
    static unsigned next;
    char *text = made[next++ % 8];
    char *at = text + snprintf(text, 128, "*2\r\n$%zu\r\n%s\r\n*", strlen(cursor), cursor);
    size_t count = 0;
    for (const char *key = keys; *key != '\0'; key += strspn(key, " "), count++)
        key += strcspn(key, " ");
    at += snprintf(at, 32, "%zu\r\n", count);
    for (const char *key = keys; *key != '\0'; key += strspn(key, " ")) {
        int len = (int)strcspn(key, " ");
        at += snprintf(at, 512, "$%d\r\n%.*s\r\n", len, len, key);
        key += len;
    }
    return text;
}

static uint64_t counted(void)
{
    uint64_t count = 0;
    assert_status(jtg_cache_count(scripted.cache, &count, &scripted.err), JTG_OK);
    scripted_answers_done();
    return count;
}

static jtg_status count_status(void)
{
    uint64_t count = 7;
    jtg_status status = jtg_cache_count(scripted.cache, &count, &scripted.err);
    assert_true(status == JTG_OK || count == 7);
    scripted_answers_done();
    scripted.err.text[0] = '\0';
    return status;
}

static jtg_status cleared(void)
{
    jtg_status status = jtg_cache_clear(scripted.cache, &scripted.err);
    scripted_answers_done();
    scripted.err.text[0] = '\0';
    return status;
}

static const char *words(size_t number)
{
    return scripted.questions[number].words;
}

/* ---- count ---- */

static void pages_are_asked_for_until_the_cursor_ends(void **state)
{
    (void)state;
    ANSWERS({SCAN("0", "t:*"), REPLY(page("17", "t:a t:b"))},
            {SCAN("17", "t:*"), REPLY(page("18446744073709551615", ""))},
            {SCAN("18446744073709551615", "t:*"), REPLY(page("0", "t:c"))});
    assert_int_equal(counted(), 3);
}

/* What the cache keeps for itself is nobody's entry. */
static void markers_and_shares_do_not_count(void **state)
{
    (void)state;
    ANSWERS({SCAN("0", "t:*"), REPLY(page("0", "t:a t:\xff"
                                               "c t:\xff"
                                               "cg0123456789ab t:\xffv:value t:\xffr:\xff"))});
    assert_int_equal(counted(), 3);
}

static void the_prefix_means_itself(void **state)
{
    (void)state;
    open_prefixed("a*?[b]^-\\:");
    ANSWERS({SCAN("0", "a\\*\\?\\[b\\]\\^\\-\\\\:*"), REPLY(page("0", ""))});
    assert_int_equal(counted(), 0);
    scripted_answers_close();
}

/* A cursor is good at the server that gave it: the first page alone may be asked for again. */
static void only_the_first_page_is_asked_for_again(void **state)
{
    (void)state;
    ANSWERS({SCAN("0", "t:*"), LOST}, {SCAN("0", "t:*"), REPLY(page("9", "t:a"))},
            {SCAN("9", "t:*"), LOST});
    assert_status(count_status(), JTG_ERR_UNAVAILABLE); /* it only read */
    assert_true(scripted.questions[0].question.repeatable);
    assert_false(scripted.questions[2].question.repeatable);
}

static void what_is_no_page_is_no_count(void **state)
{
    static const char *const replies[] = {"+OK\r\n", "*0\r\n", "*2\r\n$1\r\n0\r\n+x\r\n",
                                          "*2\r\n$1\r\nx\r\n*0\r\n", "$-1\r\n"};
    (void)state;
    for (size_t i = 0; i < sizeof replies / sizeof replies[0]; i++) {
        ANSWERS({SCAN("0", "t:*"), REPLY(replies[i])});
        assert_status(count_status(), JTG_ERR_PROTOCOL);
    }
    ANSWERS({SCAN("0", "t:*"), REPLY(page("0", "t:a foreign"))});
    assert_status(count_status(), JTG_ERR_PROTOCOL);
    ANSWERS({SCAN("0", "t:*"), REPLY(page("0", "t"))});
    assert_status(count_status(), JTG_ERR_PROTOCOL);
    ANSWERS({SCAN("0", "t:*"), REPLY("-NOPERM x\r\n")});
    assert_status(count_status(), JTG_ERR_REFUSED);
}

/* ---- clear ---- */

#define MARKER "t:?c "

/* The marker goes with them: while it stands nobody notices that a reservation is gone. */
static void a_page_is_deleted_with_its_marker(void **state)
{
    (void)state;
    ANSWERS({SCAN("0", "t:*"), REPLY(page("5", "t:a t:b"))},
            {"DEL t:a t:b " MARKER, REPLY(":2\r\n")}, {SCAN("5", "t:*"), REPLY(page("0", ""))});
    assert_status(cleared(), JTG_OK);
    assert_string_equal(words(1), "DEL t:a t:b " MARKER);
    assert_false(scripted.questions[1].question.watched);
}

static void a_hundred_are_deleted_at_once(void **state)
{
    static char keys[1024];
    (void)state;
    keys[0] = '\0';
    for (size_t i = 0; i < 101; i++)
        (void)snprintf(keys + 6 * i, 8, "t:%03zu ", i);
    ANSWERS({SCAN("0", "t:*"), REPLY(page("0", keys))}, {"DEL t:000 ", REPLY(":101\r\n")},
            {"DEL t:100 " MARKER, REPLY(":1\r\n")});
    assert_status(cleared(), JTG_OK);
    assert_non_null(strstr(words(1), " t:099 " MARKER));
}

/* Whoever says that it matches. */
static void what_is_not_ours_is_never_deleted(void **state)
{
    (void)state;
    ANSWERS({SCAN("0", "t:*"), REPLY(page("0", "t:a T:b"))});
    assert_status(cleared(), JTG_ERR_PROTOCOL);
}

static void what_became_of_a_deletion_is_told(void **state)
{
    (void)state;
    ANSWERS({SCAN("0", "t:*"), REPLY(page("0", "t:a"))}, {"DEL t:a ", LOST});
    assert_status(cleared(), JTG_ERR_TIMEOUT);
    ANSWERS({SCAN("0", "t:*"), REPLY(page("0", "t:a"))}, {"DEL t:a ", REPLY(":3\r\n")});
    assert_status(cleared(), JTG_ERR_TIMEOUT);
    ANSWERS({SCAN("0", "t:*"), REPLY(page("9", "t:a"))}, {"DEL t:a ", REPLY("-READONLY x\r\n")});
    assert_status(cleared(), JTG_ERR_UNAVAILABLE);
}

static void without_a_prefix_nothing_is_asked(void **state)
{
    (void)state;
    open_prefixed("");
    assert_status(jtg_cache_clear(scripted.cache, &scripted.err), JTG_ERR_ARGUMENT);
    scripted_answers_close();
}

/* Others of its prefix may watch the store though this one does not. */
static void a_cache_that_does_not_watch_deletes_the_marker_too(void **state)
{
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    (void)state;
    options.continuity = 0;
    scripted_answers_open(&options);
    ANSWERS({SCAN("0", "t:*"), REPLY(page("0", "t:a"))}, {"DEL t:a " MARKER, REPLY(":1\r\n")});
    assert_status(cleared(), JTG_OK);
    scripted_answers_close();
}

/* ---- in a Cluster ---- */

/* Every primary, and one key at a time, for those of one command must lie in one slot; with the
 * marker of that slot. */
static void each_primary_is_cleared_key_by_key(void **state)
{
    (void)state;
    ANSWERS({SCAN("0", "t:*"), REPLY(page("3", "t:a t:b"))}, {"DEL t:a t:?c", REPLY(":2\r\n")},
            {"DEL t:b t:?c", REPLY(":1\r\n")}, {SCAN("3", "t:*"), REPLY(page("0", ""))},
            {SCAN("0", "t:*"), REPLY(page("0", "t:c"))}, {"DEL t:c t:?c", REPLY(":1\r\n")});
    assert_status(cleared(), JTG_OK);
    for (size_t i = 0; i < 6; i++)
        assert_string_equal(scripted.questions[i].at, i < 4 ? "127.0.0.1:1" : "127.0.0.1:2");
    for (size_t i = 1; i < 3; i++) {
        const char *tag = strstr(words(i), "?c{"); /* which alone says where the marker lies */
        assert_non_null(tag);
        assert_int_equal(jtgi_slot_of(tag + 2, strcspn(tag + 2, " ")),
                         jtgi_slot_of(i == 1 ? "t:a" : "t:b", 3));
    }
}

static void a_page_that_fails_ends_the_count(void **state)
{
    (void)state;
    ANSWERS({SCAN("0", "t:*"), REPLY(page("0", "t:a t:b"))},
            {SCAN("0", "t:*"), REPLY(page("0", "t:c"))});
    assert_int_equal(counted(), 3);
    ANSWERS({SCAN("0", "t:*"), REPLY("-CLUSTERDOWN x\r\n")});
    assert_status(count_status(), JTG_ERR_UNAVAILABLE);
}

#define ONE(name)     cmocka_unit_test_setup_teardown(name, open_one, close_cache)
#define CLUSTER(name) cmocka_unit_test_setup_teardown(name, open_cluster, close_cache)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ONE(pages_are_asked_for_until_the_cursor_ends),
        ONE(markers_and_shares_do_not_count),
        cmocka_unit_test(the_prefix_means_itself),
        ONE(only_the_first_page_is_asked_for_again),
        ONE(what_is_no_page_is_no_count),
        ONE(a_page_is_deleted_with_its_marker),
        ONE(a_hundred_are_deleted_at_once),
        ONE(what_is_not_ours_is_never_deleted),
        ONE(what_became_of_a_deletion_is_told),
        cmocka_unit_test(without_a_prefix_nothing_is_asked),
        cmocka_unit_test(a_cache_that_does_not_watch_deletes_the_marker_too),
        CLUSTER(each_primary_is_cleared_key_by_key),
        CLUSTER(a_page_that_fails_ends_the_count),
    };
    return cmocka_run_group_tests_name("walk", tests, NULL, NULL);
}
