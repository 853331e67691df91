/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked where an issuer has a share, and what each answer means. */
#include "redis/scripted_cache.h"

#include <string.h>

/* The digests by which a server knows the scripts are the library's: any will do here. */
#define SHARE         EXPECT("EVALSHA")
#define ANSWER(words) SHARE, SEND(words), SEAL
#define LIMITED       5
/* A group's name as a reservation has it. */
#define OTHER_GROUP "$12\r\n0123456789ab\r\n"
#define CONNECTED   SCRIPT_HANDSHAKE

static void open_with_share(struct scripted_cache *s, const struct script_step *steps, size_t count)
{
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    options.continuity = 0;
    options.max_entries_per_group = LIMITED;
    scripted_cache_open_with(s, &options, steps, count);
}

#define OPEN(s, ...) open_with_share(s, SCRIPT(__VA_ARGS__), COUNT_OF(__VA_ARGS__))

static const jtg_key jti = {"jti", 3, "issuer", 6};

static jtg_status reserve(struct scripted_cache *s)
{
    return jtg_cache_reserve(s->cache, &jti, &s->owner, 60000, &s->err);
}

static jtg_status release(struct scripted_cache *s)
{
    return jtg_cache_release(s->cache, &jti, &s->owner, &s->err);
}

static void answers(const char *words, jtg_status status)
{
    struct scripted_cache s;
    OPEN(&s, CONNECTED, ANSWER(words), ANSWER(":1\r\n"));
    assert_status(reserve(&s), status);
    assert_status(reserve(&s), JTG_OK); /* on the same connection */
    assert_int_equal(scripted_stats(&s).connects, 1);
    scripted_cache_close(&s);
}

/* One question decides: the script knows whose the key is. */
static void each_answer_has_its_meaning(void **state)
{
    (void)state;
    answers(":1\r\n", JTG_OK);
    answers(":0\r\n", JTG_REPLAYED);
    answers(":-1\r\n", JTG_ERR_GROUP_FULL);
    answers("-OOM x\r\n", JTG_ERR_FULL);
    answers("-WRONGTYPE x\r\n", JTG_ERR_REFUSED);
}

static void a_full_share_says_so(void **state)
{
    struct scripted_cache s;
    (void)state;
    OPEN(&s, CONNECTED, ANSWER(":-1\r\n"));
    assert_status(reserve(&s), JTG_ERR_GROUP_FULL);
    assert_non_null(strstr(s.err.text, "share"));
    assert_err_tells(&s.err, JTG_ERR_GROUP_FULL);
    scripted_cache_close(&s);
}

static void what_no_script_of_ours_answers_is_no_answer(void **state)
{
    static const char *const words[] = {":2\r\n",       ":-2\r\n", "+OK\r\n",
                                        "$2\r\nOK\r\n", "$-1\r\n", "*0\r\n"};
    (void)state;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        struct scripted_cache s;
        OPEN(&s, CONNECTED, SHARE, SEND(words[i]), SEAL, {SCRIPT_DEAF, NULL, 0});
        assert_status(reserve(&s), JTG_ERR_TIMEOUT);
        scripted_cache_close(&s);
    }
}

static void a_server_that_lacks_the_script_is_given_it(void **state)
{
    struct scripted_cache s;
    (void)state;
    OPEN(&s, CONNECTED, ANSWER("-NOSCRIPT x\r\n"), EXPECT("EVAL "), SEND(":1\r\n"), SEAL);
    assert_status(reserve(&s), JTG_OK);
    scripted_cache_close(&s);
}

static void a_reservation_of_another_group_is_asked_about_with_that_one(void **state)
{
    struct scripted_cache s;
    (void)state;
    OPEN(&s, CONNECTED, ANSWER(OTHER_GROUP), ANSWER(":1\r\n"), ANSWER(OTHER_GROUP),
         ANSWER(":1\r\n"));
    assert_status(reserve(&s), JTG_OK);
    assert_status(release(&s), JTG_OK);
    scripted_cache_close(&s);
}

/* A server that never ends saying so is believed no more. */
static void it_is_asked_twice_at_most(void **state)
{
    struct scripted_cache s;
    (void)state;
    OPEN(&s, CONNECTED, ANSWER(OTHER_GROUP), SHARE, SEND(OTHER_GROUP), SEAL,
         {SCRIPT_DEAF, NULL, 0});
    assert_status(reserve(&s), JTG_ERR_TIMEOUT);
    scripted_cache_close(&s);
}

static void a_lost_answer_is_asked_for_again(void **state)
{
    struct scripted_cache s;
    (void)state;
    OPEN(&s, CONNECTED, SHARE, CLOSE, CONNECTED, EXPECT_SAME, SEND(":1\r\n"), SEAL);
    assert_status(reserve(&s), JTG_OK);
    assert_int_equal(scripted_stats(&s).asked_again, 1);
    scripted_cache_close(&s);
}

/* The first question may have taken the last place, and its reservation have ended, or may arrive
 * yet. */
static void a_full_share_after_a_lost_answer_is_not_certain(void **state)
{
    struct scripted_cache s;
    (void)state;
    OPEN(&s, CONNECTED, SHARE, CLOSE, CONNECTED, ANSWER(":-1\r\n"));
    assert_status(reserve(&s), JTG_ERR_TIMEOUT);
    scripted_cache_close(&s);
}

static void who_has_no_group_is_asked_as_ever(void **state)
{
    struct scripted_cache s;
    (void)state;
    OPEN(&s, CONNECTED, EXPECT("SET t:jti"), SEND("+OK\r\n"), SEAL, ANSWER(":1\r\n"));
    assert_status(scripted_reserve(&s, "jti"), JTG_OK);
    assert_status(scripted_release(&s, "jti"), JTG_OK);
    scripted_cache_close(&s);
}

static void without_a_limit_a_group_changes_nothing(void **state)
{
    struct scripted_cache s;
    (void)state;
    scripted_cache_open(&s, CONNECTED, EXPECT("SET t:jti"), SEND("+OK\r\n"), SEAL);
    assert_status(reserve(&s), JTG_OK);
    scripted_cache_close(&s);
}

/* ---- watched ---- */

#define IDENTITY "run_id:R1\r\nmaster_replid:H1\r\nevicted_keys:0\r\n"
#define MARKER   "$37\r\n2 R1 H1 0 0 - 1000 0 00000000000000aa\r\n"
#define ASIDE(words)                                                                               \
    {                                                                                              \
        SCRIPT_EXPECT_ASIDE, words, 0                                                              \
    }
#define INFO(text)                                                                                 \
    {                                                                                              \
        SCRIPT_SEND_INFO, text, 0                                                                  \
    }
#define LOOK                                                                                       \
    ASIDE("GET"), ASIDE("INFO replication"),                                                       \
    {                                                                                              \
        SCRIPT_EXPECT_SEAL, NULL, 0                                                                \
    }
#define WATCHED_CONNECTION                                                                         \
    ACCEPT, ASIDE("INFO"), INFO(IDENTITY "loading:0\r\nmaxmemory:0\r\n"), ASIDE("GET"), SEND(MARKER)
#define SEEN(marker) SEND(marker), INFO("master_replid:H1\r\n"), SEAL

static void open_watched(struct scripted_cache *s, const struct script_step *steps, size_t count)
{
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    options.max_entries_per_group = LIMITED;
    scripted_cache_open_with(s, &options, steps, count);
}

#define OPEN_WATCHED(s, ...) open_watched(s, SCRIPT(__VA_ARGS__), COUNT_OF(__VA_ARGS__))

static jtg_status reserve_kept(struct scripted_cache *s, int64_t kept_since_ms)
{
    return jtg_cache_reserve_kept(s->cache, &jti, &s->owner, 60000, kept_since_ms, &s->err);
}

/* As behind a SET: nothing but the marker lets the yes count. */
static void the_look_is_behind_the_script(void **state)
{
    struct scripted_cache s;
    (void)state;
    OPEN_WATCHED(&s, WATCHED_CONNECTION, {SCRIPT_EXPECT, "EVALSHA", 0}, LOOK, SEND(":1\r\n"),
                 SEEN(MARKER));
    assert_status(reserve_kept(&s, 1000), JTG_OK);
    scripted_cache_close(&s);
}

static void a_yes_of_a_store_that_forgot_does_not_count(void **state)
{
    struct scripted_cache s;
    (void)state;
    OPEN_WATCHED(&s, WATCHED_CONNECTION, {SCRIPT_EXPECT, "EVALSHA", 0}, LOOK, SEND(":1\r\n"),
                 SEEN("$-1\r\n"), {SCRIPT_DEAF, NULL, 0});
    assert_status(reserve_kept(&s, 1000), JTG_ERR_TIMEOUT);
    scripted_cache_close(&s);
}

static void what_was_not_kept_is_left_out(void **state)
{
    struct scripted_cache s;
    (void)state;
    OPEN_WATCHED(&s, WATCHED_CONNECTION, LOOK, SEEN(MARKER));
    assert_status(reserve_kept(&s, 999), JTG_ERR_CONTINUITY);
    scripted_cache_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_answer_has_its_meaning),
        cmocka_unit_test(a_full_share_says_so),
        cmocka_unit_test(what_no_script_of_ours_answers_is_no_answer),
        cmocka_unit_test(a_server_that_lacks_the_script_is_given_it),
        cmocka_unit_test(a_reservation_of_another_group_is_asked_about_with_that_one),
        cmocka_unit_test(it_is_asked_twice_at_most),
        cmocka_unit_test(a_lost_answer_is_asked_for_again),
        cmocka_unit_test(a_full_share_after_a_lost_answer_is_not_certain),
        cmocka_unit_test(who_has_no_group_is_asked_as_ever),
        cmocka_unit_test(without_a_limit_a_group_changes_nothing),
        cmocka_unit_test(the_look_is_behind_the_script),
        cmocka_unit_test(a_yes_of_a_store_that_forgot_does_not_count),
        cmocka_unit_test(what_was_not_kept_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
