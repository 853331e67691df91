/* SPDX-License-Identifier: Apache-2.0 */
/* What a server may say behind a reservation, where the store is watched: nothing but the marker
 * that names it, and that it is still the same primary, lets the reservation count. */
#include "redis/scripted_cache.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* The server R1 with the history H1; its marker, since 1000. */
#define IDENTITY "run_id:R1\r\nmaster_replid:H1\r\nevicted_keys:0\r\n"
#define FACTS    IDENTITY "loading:0\r\nmaxmemory:0\r\n"
#define WHO      "2 R1 H1 0 0 - "
#define MARKER   WHO "1000 0 00000000000000aa"
#define OTHER    WHO "5000 0 00000000000000bb"
#define PENDING  WHO "- 0 00000000000000cc"
#define SETTLED  WHO "7000 0 00000000000000cc"
#define MARKER_KEY                                                                                 \
    "t:\xff"                                                                                       \
    "c"

/* clang-format off: one line a word */
#define ASIDE(words)                                                                               \
    {                                                                                              \
        SCRIPT_EXPECT_ASIDE, words, 0                                                              \
    }
#define INFO_WITH(text)                                                                            \
    {                                                                                              \
        SCRIPT_SEND_INFO, text, 0                                                                  \
    }
#define CONNECT ACCEPT, ASIDE("INFO"), INFO_WITH(FACTS), ASIDE("GET " MARKER_KEY)
#define EXPECT_LOOK                                                                                \
    ASIDE("GET " MARKER_KEY), ASIDE("INFO replication"),                                           \
    {                                                                                              \
        SCRIPT_EXPECT_SEAL, NULL, 0                                                                \
    }
#define EXPECT_WATCHED(words) {SCRIPT_EXPECT, words, 0}, EXPECT_LOOK
/* clang-format on */

#define SAME           INFO_WITH("master_replid:H1\r\n")
#define LOOK(marker)   SEND(bulk(marker)), SAME, SEAL
#define CONNECTED      CONNECT, SEND(bulk(MARKER))
#define CONNECTED_ANEW CONNECT, SEND(bulk(OTHER))
#define OPEN(s, ...)   open_watched(s, SCRIPT(__VA_ARGS__), COUNT_OF(__VA_ARGS__))

/* A text as a reply; of the last few that were asked for. */
static const char *bulk(const char *text)
{
    static char made[16][128];
    static unsigned next;
    char *place = made[next++ % 16];
    (void)snprintf(place, sizeof made[0], "$%zu\r\n%s\r\n", strlen(text), text);
    return place;
}

static void open_watched(struct scripted_cache *s, const struct script_step *steps, size_t count)
{
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    scripted_cache_open_with(s, &options, steps, count);
}

/* ---- kept ---- */

static void a_marker_that_names_the_server_counts(void **state)
{
    struct scripted_cache s;
    (void)state;
    OPEN(&s, CONNECTED, EXPECT_WATCHED("SET t:jti "), SEND("+OK\r\n"), LOOK(MARKER));
    assert_status(scripted_reserve_kept(&s, "jti", 1000), JTG_OK);
    assert_int_equal(scripted_stats(&s).kept_since_ms, 1000);
    assert_int_equal(scripted_stats(&s).losses, 0);
    assert_int_equal(scripted_stats(&s).watches, 1);
    scripted_cache_close(&s);
}

/* What the store cannot have kept is not even sent: only the marker is looked at. */
static void what_was_not_kept_is_left_out(void **state)
{
    struct scripted_cache s;
    (void)state;
    OPEN(&s, CONNECTED, EXPECT_LOOK, LOOK(MARKER));
    assert_status(scripted_reserve_kept(&s, "jti", 999), JTG_ERR_CONTINUITY);
    assert_non_null(strstr(s.err.text, "1970-01-01T00:00:01Z"));
    scripted_cache_close(&s);
}

/* The look told of an operator who vouched: then it is sent after all. */
static void a_lowered_marker_is_believed(void **state)
{
    struct scripted_cache s;
    (void)state;
    OPEN(&s, CONNECTED, EXPECT_LOOK, LOOK(WHO "400 9000 00000000000000aa"),
         EXPECT_WATCHED("SET t:jti "), SEND("+OK\r\n"), LOOK(WHO "400 9000 00000000000000aa"));
    assert_status(scripted_reserve_kept(&s, "jti", 500), JTG_OK);
    assert_int_equal(scripted_stats(&s).kept_since_ms, 400);
    assert_int_equal(scripted_stats(&s).losses, 0);
    scripted_cache_close(&s);
}

static void a_release_looks_at_nothing(void **state)
{
    struct scripted_cache s;
    (void)state;
    OPEN(&s, CONNECTED, EXPECT("EVALSHA"), SEND(":1\r\n"), SEAL);
    assert_status(scripted_release(&s, "jti"), JTG_OK);
    scripted_cache_close(&s);
}

/* ---- lost in the round trip ---- */

/* The reservation was stored; what comes behind it says that it does not count. The connection
 * goes, and the next one learns since when all is kept now. */
static void is_lost(const char *marker_reply, struct script_step info)
{
    struct scripted_cache s;
    OPEN(&s, CONNECTED, EXPECT_WATCHED("SET t:jti "), SEND("+OK\r\n"), SEND(marker_reply), info,
         SEAL, CONNECTED_ANEW, EXPECT_LOOK, LOOK(OTHER));
    assert_status(scripted_reserve_kept(&s, "jti", 1000), JTG_ERR_CONTINUITY);
    assert_int_equal(scripted_stats(&s).connects, 2);
    assert_int_equal(scripted_stats(&s).losses, 1);
    assert_int_equal(scripted_stats(&s).kept_since_ms, 5000);
    scripted_cache_close(&s);
}

static void another_marker_is_a_loss(void **state)
{
    static const char *const markers[] = {
        "2 R1 H1 0 0 - 1000 0 00000000000000ab",  /* another nonce */
        "2 R1 H1 0 0 - 9000 0 00000000000000ab",  /* later */
        "2 R2 H1 0 0 - 1000 0 00000000000000aa",  /* another start */
        "2 R1 H2 0 0 - 1000 0 00000000000000aa",  /* another history */
        "2 R1 H1 1 0 - 1000 0 00000000000000aa",  /* another database */
        "2 R1 H1 0 1 - 1000 0 00000000000000aa",  /* evicted */
        "3 R1 H1 0 0 - 1000 0 00000000000000aa",  /* of a later version */
        "2 R1 H1 0 0 - - 0 00000000000000aa",     /* not settled */
        "2 R1 H1 0 0 - 1000 0",                   /* cut */
        "2 R1 H1 0 0 - 1000 0 00000000000000aa ", /* longer */
        "2 R1 H1 0 0 - -1 0 00000000000000aa",
        "",
    };
    (void)state;
    for (size_t i = 0; i < sizeof markers / sizeof markers[0]; i++)
        is_lost(bulk(markers[i]), (struct script_step)SAME);
}

static void no_marker_is_a_loss(void **state)
{
    static const char *const replies[] = {
        "$-1\r\n",
        ":1000\r\n",
        "+2 R1 H1 0 0 - 1000 0 00000000000000aa\r\n",
        "*1\r\n$1\r\n1\r\n",
        "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
        "-NOPERM this user has no permissions\r\n",
    };
    (void)state;
    for (size_t i = 0; i < sizeof replies / sizeof replies[0]; i++)
        is_lost(replies[i], (struct script_step)SAME);
}

static void another_server_is_a_loss(void **state)
{
    static const char *const replications[] = {
        "role:slave\r\nmaster_replid:H1\r\n",
        "master_replid:H2\r\n",
        "master_replid:H1\r\nmaster_replid:H1\r\n",
        "master_replid:\r\n",
        "x:y\r\n",
    };
    (void)state;
    for (size_t i = 0; i < sizeof replications / sizeof replications[0]; i++)
        is_lost(bulk(MARKER), (struct script_step)INFO_WITH(replications[i]));
    is_lost(bulk(MARKER), (struct script_step)SEND("$-1\r\n"));
    is_lost(bulk(MARKER), (struct script_step)SEND("+role:master\r\n"));
    is_lost(bulk(MARKER), (struct script_step)SEND("-LOADING Redis is loading\r\n"));
}

/* That another holds it stands. */
static void a_replay_stands(void **state)
{
    struct scripted_cache s;
    (void)state;
    OPEN(&s, CONNECTED, EXPECT_WATCHED("SET t:jti "), SEND("$-1\r\n"), SEND("$-1\r\n"), SAME, SEAL,
         CONNECTED_ANEW, EXPECT_WATCHED("EVALSHA"), SEND(":0\r\n"), LOOK(OTHER));
    assert_status(scripted_reserve_kept(&s, "jti", 1000), JTG_REPLAYED);
    scripted_cache_close(&s);
}

/* That it is ours proves nothing when what it was taken from was forgotten. */
static void a_hold_does_not(void **state)
{
    struct scripted_cache s;
    (void)state;
    OPEN(&s, CONNECTED, EXPECT_WATCHED("SET t:jti "), SEND("$-1\r\n"), SEND("$-1\r\n"), SAME, SEAL,
         CONNECTED_ANEW, EXPECT_WATCHED("EVALSHA"), SEND(":1\r\n"), LOOK(OTHER));
    assert_status(scripted_reserve_kept(&s, "jti", 1000), JTG_ERR_CONTINUITY);
    scripted_cache_close(&s);
}

/* A plain reserve is made again, with the same owner. */
static void a_plain_reserve_is_repeated(void **state)
{
    struct scripted_cache s;
    (void)state;
    OPEN(&s, CONNECTED, EXPECT_WATCHED("SET t:jti "), SEND("+OK\r\n"), SEND("$-1\r\n"), SAME, SEAL,
         CONNECTED_ANEW, {SCRIPT_EXPECT_SAME, NULL, 0}, EXPECT_LOOK, SEND("+OK\r\n"), LOOK(OTHER));
    assert_status(scripted_reserve(&s, "jti"), JTG_OK);
    assert_string_equal(jtg_redis_loss_name(scripted_stats(&s).last_loss), "flushed");
    scripted_cache_close(&s);
}

/* The store may go on forgetting; the call does not go on for ever. */
static void a_store_that_forgets_again_and_again(void **state)
{
    struct scripted_cache s;
    (void)state;
#define ROUND CONNECTED, EXPECT_WATCHED("SET t:jti "), SEND("+OK\r\n"), SEND("$-1\r\n"), SAME, SEAL
    OPEN(&s, ROUND, ROUND, ROUND, ROUND);
#undef ROUND
    assert_status(scripted_reserve(&s, "jti"), JTG_ERR_CONTINUITY);
    scripted_cache_close(&s);
}

/* ---- allowed to evict: all of INFO in every round trip ---- */

#define EVICTING(number)                                                                           \
    "run_id:R1\r\nmaster_replid:H1\r\nevicted_keys:" number                                        \
    "\r\nloading:0\r\nmaxmemory:1\r\nmaxmemory_policy:volatile-lru\r\n"

static void an_eviction_is_a_loss(void **state)
{
    struct scripted_cache s;
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    options.allow_eviction = 1;
    (void)state;
    const struct script_step steps[] = {
        ACCEPT,
        ASIDE("INFO"),
        INFO_WITH(EVICTING("0")),
        ASIDE("GET " MARKER_KEY),
        SEND(bulk(MARKER)),
        {SCRIPT_EXPECT, "SET t:jti ", 0},
        ASIDE("GET"),
        ASIDE("INFO"),
        {SCRIPT_EXPECT_SEAL, NULL, 0},
        SEND("+OK\r\n"),
        SEND(bulk(MARKER)),
        INFO_WITH(EVICTING("3")),
        SEAL,
        ACCEPT,
        ASIDE("INFO"),
        INFO_WITH(EVICTING("3")),
        ASIDE("GET " MARKER_KEY),
        SEND(bulk(MARKER)),
        ASIDE("EVAL"),
        SEND(bulk("2 R1 H1 0 3 - 5000 0 00000000000000bb")),
        ASIDE("GET"),
        ASIDE("INFO"),
        {SCRIPT_EXPECT_SEAL, NULL, 0},
        SEND(bulk("2 R1 H1 0 3 - 5000 0 00000000000000bb")),
        INFO_WITH(EVICTING("3")),
        SEAL,
    };
    scripted_cache_open_with(&s, &options, steps, sizeof steps / sizeof steps[0]);
    assert_status(scripted_reserve_kept(&s, "jti", 1000), JTG_ERR_CONTINUITY);
    assert_string_equal(jtg_redis_loss_name(scripted_stats(&s).last_loss), "evicted");
    scripted_cache_close(&s);
}

/* ---- when the connection is made ---- */

static void marks(const char *held, const char *loss)
{
    struct scripted_cache s;
    OPEN(&s, CONNECT, SEND(held), ASIDE("EVAL"), SEND(bulk(PENDING)), ASIDE("EVAL"),
         SEND(bulk(SETTLED)), EXPECT_WATCHED("SET t:jti "), SEND("+OK\r\n"), LOOK(SETTLED));
    assert_status(scripted_reserve_kept(&s, "jti", 7000), JTG_OK);
    assert_int_equal(scripted_stats(&s).kept_since_ms, 7000);
    assert_int_equal(scripted_stats(&s).losses, 1);
    assert_string_equal(jtg_redis_loss_name(scripted_stats(&s).last_loss), loss);
    scripted_cache_close(&s);
}

static void a_store_without_its_marker_is_marked(void **state)
{
    (void)state;
    marks("$-1\r\n", "no_marker");
    marks(bulk("nonsense"), "no_marker");
    marks(bulk("2 R1 H1 7 0 - 1000 0 00000000000000aa"), "no_marker");
    marks(bulk("2 R0 H1 0 0 - 1000 0 00000000000000aa"), "restarted");
    marks(bulk("2 R1 H0 0 0 - 1000 0 00000000000000aa"), "promoted");
    marks(bulk("2 R1 H1 0 4 - 1000 0 00000000000000aa"), "evicted");
}

/* Another instance was first: its marker is as good. */
static void anothers_mark_is_taken(void **state)
{
    struct scripted_cache s;
    (void)state;
    OPEN(&s, CONNECT, SEND("$-1\r\n"), ASIDE("EVAL"), SEND(bulk(OTHER)), EXPECT_LOOK, LOOK(OTHER));
    assert_status(scripted_reserve_kept(&s, "jti", 1000), JTG_ERR_CONTINUITY);
    assert_int_equal(scripted_stats(&s).kept_since_ms, 5000);
    scripted_cache_close(&s);
}

/* One that wrote it and went away: whoever comes next says since when. */
static void an_unsettled_mark_is_settled(void **state)
{
    struct scripted_cache s;
    (void)state;
    OPEN(&s, CONNECT, SEND(bulk(PENDING)), ASIDE("EVAL"), SEND(bulk(SETTLED)),
         EXPECT_WATCHED("SET t:jti "), SEND("+OK\r\n"), LOOK(SETTLED));
    assert_status(scripted_reserve_kept(&s, "jti", 7000), JTG_OK);
    scripted_cache_close(&s);
}

/* The mark that was written is not there any more, or is none: nothing goes out. */
static void a_mark_that_does_not_hold_fails(void **state)
{
    static const char *const replies[] = {"$-1\r\n", ":1\r\n", "$8\r\nnonsense\r\n",
                                          "-LOADING Redis is loading\r\n"};
    (void)state;
    for (size_t i = 0; i < sizeof replies / sizeof replies[0]; i++) {
        struct scripted_cache s;
        OPEN(&s, CONNECT, SEND("$-1\r\n"), ASIDE("EVAL"), SEND(replies[i]), CLOSED, DEAF);
        assert_status(scripted_reserve_kept(&s, "jti", 1000), JTG_ERR_UNAVAILABLE);
        scripted_cache_close(&s);
    }
}

/* ---- another server under the same address ---- */

#define OTHER_FACTS                                                                                \
    "run_id:R2\r\nmaster_replid:H1\r\nevicted_keys:0\r\nloading:0\r\nmaxmemory:0\r\n"
#define OTHER_WHO    "2 R2 H1 0 0 - "
#define OTHER_OLD    OTHER_WHO "1000 0 00000000000000dd"
#define OTHER_RAISED OTHER_WHO "9000000000000 0 00000000000000dd"
#define CONNECT_OTHER                                                                              \
    ACCEPT, ASIDE("INFO"), INFO_WITH(OTHER_FACTS), ASIDE("GET " MARKER_KEY), SEND(bulk(OTHER_OLD))

/* It has kept everything since long ago; but what was used on the first one it does not know. Its
 * marker is raised before anything is asked, for all instances. */
static void a_server_after_another_is_raised(void **state)
{
    struct scripted_cache s;
    (void)state;
    OPEN(&s, CONNECTED, EXPECT_WATCHED("SET t:jti "), SEND("+OK\r\n"), LOOK(MARKER), CLOSE,
         CONNECT_OTHER, ASIDE("EVAL"), SEND(bulk(OTHER_RAISED)), EXPECT_LOOK, LOOK(OTHER_RAISED));
    assert_status(scripted_reserve_kept(&s, "jti", 1000), JTG_OK);
    assert_status(scripted_reserve_kept(&s, "jti", 1000), JTG_ERR_CONTINUITY);
    assert_int_equal(scripted_stats(&s).kept_since_ms, INT64_C(9000000000000));
    assert_string_equal(jtg_redis_loss_name(scripted_stats(&s).last_loss), "exchanged");
    scripted_cache_close(&s);
}

/* An operator's word that came after the use on the first one covers it. */
static void a_vouch_after_it_is_believed(void **state)
{
    struct scripted_cache s;
    char facts[160];
    struct timespec now;
    (void)state;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    (void)snprintf(facts, sizeof facts, OTHER_FACTS "server_time_usec:%lld000000\r\n",
                   (long long)now.tv_sec);
    OPEN(&s, CONNECTED, EXPECT_WATCHED("SET t:jti "), SEND("+OK\r\n"), LOOK(MARKER), CLOSE, ACCEPT,
         ASIDE("INFO"), INFO_WITH(facts), ASIDE("GET " MARKER_KEY),
         SEND(bulk(OTHER_WHO "0 9000000000000 00000000000000dd")), EXPECT_WATCHED("SET t:jti "),
         SEND("+OK\r\n"), LOOK(OTHER_WHO "0 9000000000000 00000000000000dd"));
    assert_status(scripted_reserve_kept(&s, "jti", 1000), JTG_OK);
    assert_status(scripted_reserve_kept(&s, "jti", 1000), JTG_OK);
    scripted_cache_close(&s);
}

/* One that another instance's connection raised under ours is seen in the next look. */
static void a_marker_that_was_raised_refuses(void **state)
{
    struct scripted_cache s;
    (void)state;
    OPEN(&s, CONNECTED, EXPECT_WATCHED("SET t:jti "), SEND("+OK\r\n"),
         LOOK(WHO "7000 0 00000000000000aa"));
    assert_status(scripted_reserve_kept(&s, "jti", 1000), JTG_ERR_CONTINUITY);
    assert_int_equal(scripted_stats(&s).kept_since_ms, 7000);
    assert_int_equal(scripted_stats(&s).connects, 1);
    scripted_cache_close(&s);
}

static void a_server_that_does_not_say_who_it_is(void **state)
{
    static const char *const facts[] = {
        "loading:0\r\nmaxmemory:0\r\nmaster_replid:H1\r\n",
        "loading:0\r\nmaxmemory:0\r\nrun_id:R1\r\n",
    };
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct scripted_cache s;
        OPEN(&s, ACCEPT, ASIDE("INFO"), INFO_WITH(facts[i]), CLOSED);
        assert_status(scripted_reserve(&s, "jti"), JTG_ERR_UNSAFE);
        assert_non_null(strstr(s.err.text, "continuity=no"));
        scripted_cache_close(&s);
    }
}

/* ---- cut ---- */

/* What is missing of the tail leaves the outcome open: the same owner asks again. */
static void is_settled_after(const struct script_step *said, size_t count)
{
    struct scripted_cache s;
    struct script_step steps[48] = {CONNECTED, EXPECT_WATCHED("SET t:jti ")};
    const struct script_step then[] = {
        CLOSE,           CONNECTED,    {SCRIPT_EXPECT_SAME, NULL, 0}, EXPECT_LOOK,
        SEND("$-1\r\n"), LOOK(MARKER), EXPECT_WATCHED("EVALSHA"),     SEND(":1\r\n"),
        LOOK(MARKER)};
    size_t at = COUNT_OF(CONNECTED, EXPECT_WATCHED(""));
    memcpy(steps + at, said, count * sizeof *said);
    memcpy(steps + at + count, then, sizeof then);
    open_watched(&s, steps, at + count + sizeof then / sizeof then[0]);
    assert_status(scripted_reserve_kept(&s, "jti", 1000), JTG_OK);
    assert_int_equal(scripted_stats(&s).unknown, 1);
    scripted_cache_close(&s);
}

static void a_tail_that_is_cut_is_settled(void **state)
{
    const struct script_step whole[] = {SEND("+OK\r\n"), SEND(bulk(MARKER)), SAME};
    (void)state;
    for (size_t count = 0; count <= 3; count++)
        is_settled_after(whole, count);
}

static void a_seal_in_place_of_the_tail_is_settled(void **state)
{
    const struct script_step early[] = {SEND("+OK\r\n"), SEND(bulk(MARKER)), SEAL};
    (void)state;
    is_settled_after(early, 3);
}

/* A reply from before stands where the marker should: all that follows is one off. */
static void a_shifted_tail_is_settled(void **state)
{
    const struct script_step shifted[] = {SEND("+OK\r\n"), SEND("+OK\r\n"), SEND(bulk(MARKER)),
                                          SAME, SEAL};
    (void)state;
    is_settled_after(shifted, 5);
}

/* The server did it, and the second question found nobody: the key may be ours all the same. */
static void a_yes_that_was_doubted_leaves_no_failure_certain(void **state)
{
    struct scripted_cache s;
    (void)state;
    OPEN(&s, CONNECTED, EXPECT_WATCHED("SET t:jti "), SEND("+OK\r\n"), DEAF, LOOK(OTHER));
    assert_status(scripted_reserve_kept(&s, "jti", 1000), JTG_ERR_TIMEOUT);
    scripted_cache_close(&s);
}

static void time_runs_out_in_the_tail(void **state)
{
    struct scripted_cache s;
    (void)state;
    OPEN(&s, CONNECTED, EXPECT_WATCHED("SET t:jti "), SEND("+OK\r\n"), SEND(bulk(MARKER)),
         WAIT(60000));
    assert_status(scripted_reserve_kept(&s, "jti", 1000), JTG_ERR_TIMEOUT);
    assert_true(s.took_ms >= SCRIPTED_SHORT_MS - 1);
    scripted_cache_close(&s);
}

static void time_runs_out_while_marking(void **state)
{
    struct scripted_cache s;
    (void)state;
    OPEN(&s, CONNECT, SEND("$-1\r\n"), ASIDE("EVAL"), WAIT(60000));
    assert_status(scripted_reserve_kept(&s, "jti", 1000), JTG_ERR_UNAVAILABLE);
    scripted_cache_close(&s);
}

#define PATIENT(test)   cmocka_unit_test_setup(test, scripted_patient)
#define IMPATIENT(test) cmocka_unit_test_setup(test, scripted_impatient)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PATIENT(a_marker_that_names_the_server_counts),
        PATIENT(what_was_not_kept_is_left_out),
        PATIENT(a_lowered_marker_is_believed),
        PATIENT(a_release_looks_at_nothing),
        PATIENT(another_marker_is_a_loss),
        PATIENT(no_marker_is_a_loss),
        PATIENT(another_server_is_a_loss),
        PATIENT(a_replay_stands),
        PATIENT(a_hold_does_not),
        PATIENT(a_plain_reserve_is_repeated),
        PATIENT(a_yes_that_was_doubted_leaves_no_failure_certain),
        PATIENT(a_store_that_forgets_again_and_again),
        PATIENT(an_eviction_is_a_loss),
        PATIENT(a_store_without_its_marker_is_marked),
        PATIENT(anothers_mark_is_taken),
        PATIENT(an_unsettled_mark_is_settled),
        PATIENT(a_mark_that_does_not_hold_fails),
        PATIENT(a_server_after_another_is_raised),
        PATIENT(a_vouch_after_it_is_believed),
        PATIENT(a_marker_that_was_raised_refuses),
        PATIENT(a_server_that_does_not_say_who_it_is),
        PATIENT(a_tail_that_is_cut_is_settled),
        PATIENT(a_seal_in_place_of_the_tail_is_settled),
        PATIENT(a_shifted_tail_is_settled),
        IMPATIENT(time_runs_out_in_the_tail),
        IMPATIENT(time_runs_out_while_marking),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
