/* SPDX-License-Identifier: Apache-2.0 */
/* The markers of a new connection's server: what is asked, and what each answer leads to. */
#include "core/clock.h"
#include "redis/flow/counts.h"
#include "redis/flow/shared.h"
#include "redis/line/deadline.h"
#include "redis/scripted_lines.h"
#include "support/test_clock.h"

#include <stdio.h>
#include <string.h>

#define WHO     "2 R1 H1 0 0 - "
#define STANDS  scripted_bulk(WHO "1000 0 00000000000000aa")
#define PENDING scripted_bulk(WHO "- 0 00000000000000cc")
#define SETTLED scripted_bulk(WHO "7000 0 00000000000000cc")
#define NONE    "$-1\r\n"

#define GET   "GET t:?c "
#define MARK  "EVAL mark 1 t:?c R1 H1 0 0 - "
#define NOW   "1795176000001" /* the clock's, and one: later than whatever was before */
#define LOWER "EVAL lower 1 t:?c 00000000000000cc " NOW " now "
#define RAISE "EVAL raise 1 t:?c 00000000000000aa " NOW " "

static struct test_clock test_clock;
static struct jtgi_shared shared;
static struct jtgi_slot_set slots;
static struct jtgi_connection *connection;
static jtg_redis_server server;
static jtg_error err;

static void open_store(const char *cluster)
{
    static uint32_t port; /* each a store of its own */
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    jtg_clock clock = test_clock_as_jtg(&test_clock);
    test_clock_init(&test_clock);
    options.prefix = "t:";
    options.clock = &clock;
    options.port = cluster == NULL ? ++port : JTG_REDIS_PORT_DEFAULT;
    options.cluster_nodes = cluster;
    assert_status(jtgi_shared_init(&shared, &options, NULL), JTG_OK);
    memset(&slots, 0, sizeof slots);
    jtgi_slot_set_add(&slots, 0);
    memset(&server, 0, sizeof server);
    (void)snprintf(server.run_id, sizeof server.run_id, "R1");
    (void)snprintf(server.replication_id, sizeof server.replication_id, "H1");
    memset(&err, 0, sizeof err);
    connection = NULL;
}

static int open_one(void **state)
{
    (void)state;
    open_store(NULL);
    return 0;
}

static int open_cluster(void **state)
{
    (void)state;
    open_store("127.0.0.1:1");
    return 0;
}

static int close_store(void **state)
{
    jtgi_connection_free(connection);
    jtgi_shared_clear(&shared, false);
    return scripted_lines_reset(state);
}

static void connect_to(struct jtgi_connection *made)
{
    jtgi_connection_free(connection);
    connection = made;
    connection->peer.epoch = JTGI_NO_EPOCH;
    err.text[0] = '\0';
}

static jtg_status marked(struct jtgi_connection *made)
{
    connect_to(made);
    return jtgi_watch_mark(&shared.watch, connection, &server, &slots, jtgi_deadline_in_ms(30000),
                           &err);
}

static jtg_status vouched(struct jtgi_connection *made, int64_t since_ms)
{
    connect_to(made);
    return jtgi_watch_vouch(&shared.watch, connection, &server, &slots, since_ms,
                            jtgi_deadline_in_ms(30000), &err);
}

/* What was sent on the last line, but for the nonce that only the server knows. */
static void heard(const char *words)
{
    const char *got = scripted_line_heard(scripted_lines_used() - 1);
    const char *mark = strstr(words, "*");
    if (mark == NULL) {
        assert_string_equal(got, words);
        return;
    }
    size_t head = (size_t)(mark - words);
    if (strncmp(got, words, head) != 0 || strcmp(got + head + 16, mark + 1) != 0)
        fail_msg("heard: %s", got);
}

static bool is_marked(unsigned slot)
{
    return (atomic_load(&connection->peer.marked[slot / 8]) >> slot % 8 & 1) != 0;
}

static int64_t since(void)
{
    int64_t since_ms = -1;
    assert_true(jtgi_watch_kept_since(&shared.watch, &since_ms));
    return since_ms;
}

static uint64_t losses(void)
{
    return jtgi_counters_read(shared.counters, JTGI_COUNT_LOSSES);
}

/* ---- which way a marker goes ---- */

static void one_that_names_the_server_is_taken_as_it_is(void **state)
{
    (void)state;
    server.evicts = 1;
    assert_status(marked(CONNECTED(STANDS)), JTG_OK);
    heard(GET);
    assert_true(is_marked(0) && since() == 1000 && losses() == 0);
    assert_string_equal(connection->peer.identity.run_id, "R1");
    assert_true(atomic_load(&connection->peer.evicts) && connection->peer.info_ns > 0);
}

/* Not with a time: the server may have been flushed between the clock and the marker. */
static void one_that_is_missing_is_written_and_then_dated(void **state)
{
    (void)state;
    assert_status(marked(CONNECTED(NONE, PENDING, SETTLED)), JTG_OK);
    heard(GET MARK "* " LOWER);
    assert_true(is_marked(0) && since() == 7000 && losses() == 1);
    assert_int_equal(jtgi_watch_last_loss(&shared.watch), JTG_REDIS_LOSS_NO_MARKER);
}

static void each_loss_has_its_name(void **state)
{
    static const struct {
        const char *marker;
        jtg_redis_loss loss;
    } rows[] = {
        {"2 R0 H1 0 0 - 1000 0 00000000000000aa", JTG_REDIS_LOSS_RESTARTED},
        {"2 R1 H0 0 0 - 1000 0 00000000000000aa", JTG_REDIS_LOSS_PROMOTED},
        {"2 R1 H1 0 4 - 1000 0 00000000000000aa", JTG_REDIS_LOSS_EVICTED},
        {"2 R1 H1 7 0 - 1000 0 00000000000000aa", JTG_REDIS_LOSS_NO_MARKER},
        {"3 R1 H1 0 0 - 1000 0 00000000000000aa", JTG_REDIS_LOSS_NO_MARKER},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_status(marked(CONNECTED(scripted_bulk(rows[i].marker), PENDING, SETTLED)), JTG_OK);
        assert_int_equal(jtgi_watch_last_loss(&shared.watch), rows[i].loss);
        (void)close_store(state);
        (void)open_one(state);
    }
}

/* Another epoch of the Sentinels is another life of the server, also where nothing else changed. */
static void another_epoch_is_a_loss(void **state)
{
    (void)state;
    connect_to(CONNECTED(scripted_bulk("2 R1 H1 0 0 4 1000 0 00000000000000aa"),
                         scripted_bulk("2 R1 H1 0 0 5 - 0 00000000000000cc"),
                         scripted_bulk("2 R1 H1 0 0 5 7000 0 00000000000000cc")));
    connection->peer.epoch = 5;
    assert_status(jtgi_watch_mark(&shared.watch, connection, &server, &slots,
                                  jtgi_deadline_in_ms(30000), &err),
                  JTG_OK);
    heard(GET "EVAL mark 1 t:?c R1 H1 0 0 5 * " LOWER);
    assert_int_equal(jtgi_watch_last_loss(&shared.watch), JTG_REDIS_LOSS_PROMOTED);
}

static void one_without_a_time_is_dated(void **state)
{
    (void)state;
    assert_status(marked(CONNECTED(PENDING, SETTLED)), JTG_OK);
    heard(GET LOWER);
    assert_true(since() == 7000);
}

/* Another instance was faster, and its marker is as good. */
static void what_another_has_written_stands(void **state)
{
    (void)state;
    assert_status(marked(CONNECTED(NONE, STANDS)), JTG_OK);
    heard(GET MARK "* ");
    assert_true(since() == 1000);
}

static void rely_on_another(void)
{
    const struct jtgi_identity other = {"R2", "H2", 0, 0, JTGI_NO_EPOCH};
    struct jtgi_who who;
    jtgi_who_of(&who, &other);
    pthread_mutex_lock(&shared.watch.reliance->lock);
    jtgi_reliance_note_locked(shared.watch.reliance, 0, &who,
                              jtgi_moment_now(&shared.config.clock));
    pthread_mutex_unlock(&shared.watch.reliance->lock);
}

/* To now: others may have gone on elsewhere for longer than this process. */
static void after_another_server_it_is_raised(void **state)
{
    (void)state;
    rely_on_another();
    assert_status(marked(CONNECTED(STANDS, scripted_bulk(WHO NOW " 0 00000000000000aa"))), JTG_OK);
    heard(GET RAISE);
    assert_true(since() == TEST_CLOCK_WALL_MS + 1 && is_marked(0));
    assert_int_equal(jtgi_watch_last_loss(&shared.watch), JTG_REDIS_LOSS_EXCHANGED);
}

/* ---- what does not stand ---- */

static void fails(struct jtgi_connection *made, jtg_status status, const char *told)
{
    assert_status(marked(made), status);
    assert_non_null(strstr(err.text, told));
    assert_false(is_marked(0));
}

static void one_that_is_gone_again_is_an_end(void **state)
{
    (void)state;
    fails(CONNECTED(NONE, NONE), JTG_ERR_UNAVAILABLE, "flushed while");
    fails(CONNECTED(NONE, "+OK\r\n"), JTG_ERR_UNAVAILABLE, "flushed while");
    fails(CONNECTED(PENDING, NONE), JTG_ERR_UNAVAILABLE, "flushed while");
    fails(CONNECTED(PENDING, PENDING), JTG_ERR_UNAVAILABLE, "flushed while");
    fails(CONNECTED(PENDING, STANDS), JTG_ERR_UNAVAILABLE, "flushed while"); /* another nonce */
}

static void a_server_that_does_not_say_who_it_is_is_not_asked(void **state)
{
    (void)state;
    server.replication_id[0] = '\0';
    fails(CONNECTED(STANDS), JTG_ERR_UNSAFE, "run_id and master_replid");
    heard("");
}

static void more_than_was_asked_for_is_no_answer(void **state)
{
    char both[256];
    (void)state;
    (void)snprintf(both, sizeof both, "%s+OK\r\n", STANDS);
    assert_status(marked(CONNECTED(both)), JTG_ERR_PROTOCOL);
    assert_status(marked(CONNECTED("$9\r\n2 R1")), JTG_ERR_UNAVAILABLE);
}

/* There is more to do on a connection than to reserve: whoever needs the mark tries again. */
static void what_is_refused_for_now_stays_unmarked(void **state)
{
    static const char *const words[] = {"-OOM x\r\n", "-NOREPLICAS x\r\n", "-MOVED 0 h:1\r\n",
                                        "-MISCONF x\r\n"};
    (void)state;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        assert_status(marked(CONNECTED(NONE, words[i])), JTG_OK);
        assert_false(is_marked(0));
    }
    assert_int_equal(losses(), 0);
}

static void what_is_refused_for_good_is_told(void **state)
{
    (void)state;
    fails(CONNECTED("-NOAUTH x\r\n"), JTG_ERR_REFUSED, "cannot be marked for continuity");
    fails(CONNECTED(NONE, "-READONLY x\r\n"), JTG_ERR_UNAVAILABLE, "cannot be marked");
    fails(CONNECTED(NONE, "-ERR unknown command 'EVAL'\r\n"), JTG_ERR_REFUSED, "(EVAL)");
}

/* ---- an operator vouches ---- */

#define VOUCH "EVAL lower 1 t:?c 00000000000000aa 400 vouched 0 1000 "

/* As of the look: with what was seen, and when that was by the server's clock. */
static void it_is_lowered_to_what_is_vouched_for(void **state)
{
    (void)state;
    assert_status(vouched(CONNECTED(STANDS, scripted_bulk(WHO "400 9000 00000000000000aa")), 400),
                  JTG_OK);
    heard(GET VOUCH);
    assert_true(since() == 400 && is_marked(0));
    assert_status(vouched(CONNECTED(STANDS, scripted_bulk(WHO "0 9000 00000000000000aa")), 0),
                  JTG_OK);
    assert_true(since() == JTGI_SINCE_EVER);
}

/* It says more already, and stays; else it changed since the look, and nobody vouched for that. */
static void what_changed_meanwhile_is_not_vouched_for(void **state)
{
    (void)state;
    assert_status(vouched(CONNECTED(STANDS, STANDS), 2000), JTG_OK);
    assert_true(since() == 1000);
    assert_status(vouched(CONNECTED(STANDS, scripted_bulk(WHO "900 0 00000000000000aa")), 400),
                  JTG_ERR_UNAVAILABLE);
    assert_non_null(strstr(err.text, "look again"));
    assert_status(vouched(CONNECTED(STANDS, NONE), 400), JTG_ERR_UNAVAILABLE);
    assert_status(vouched(CONNECTED(NONE, "-OOM x\r\n"), 400), JTG_ERR_FULL);
}

/* ---- in a Cluster ---- */

/* The server knows the script by then: its text goes once a round trip. */
static void the_second_slot_goes_by_the_digest(void **state)
{
    char two[3][256];
    (void)state;
    jtgi_slot_set_add(&slots, 1);
    (void)snprintf(two[0], sizeof two[0], "%s%s", NONE, NONE);
    (void)snprintf(two[1], sizeof two[1], "%s%s", PENDING, PENDING);
    (void)snprintf(two[2], sizeof two[2], "%s%s", SETTLED, SETTLED);
    assert_status(marked(CONNECTED(two[0], two[1], two[2])), JTG_OK);
    const char *words = scripted_line_heard(0);
    const char *first = strstr(words, "EVAL mark ");
    const char *second = strstr(words, "EVALSHA mark ");
    assert_true(first != NULL && second != NULL && first < second);
    assert_null(strstr(second, "EVAL mark "));
    assert_true(is_marked(0) && is_marked(1) && !is_marked(2));
    assert_int_equal(losses(), 1); /* of one kind, noticed together */
}

/* One that is elsewhere leaves the others alone. */
static void a_slot_that_has_left_is_passed_over(void **state)
{
    char first[256];
    (void)state;
    jtgi_slot_set_add(&slots, 1);
    (void)snprintf(first, sizeof first, "%s-MOVED 1 h:1\r\n", STANDS);
    assert_status(marked(CONNECTED(first)), JTG_OK);
    assert_true(is_marked(0) != is_marked(1));
}

/* So that their replies find room on the way while nobody reads them. */
static void slots_go_by_five_hundred(void **state)
{
    static char go[65536];
    size_t len = strlen(STANDS);
    (void)state;
    for (unsigned slot = 0; slot <= 512; slot++)
        jtgi_slot_set_add(&slots, slot);
    for (unsigned i = 0; i < 512; i++)
        memcpy(go + i * len, STANDS, len);
    go[512 * len] = '\0';
    assert_status(marked(CONNECTED(go)), JTG_ERR_UNAVAILABLE); /* the next go is not answered */
    assert_status(marked(CONNECTED(go, STANDS)), JTG_OK);
    for (unsigned slot = 0; slot <= 512; slot++)
        assert_true(is_marked(slot));
    assert_false(is_marked(513));
}

#define ONE(name)     cmocka_unit_test_setup_teardown(name, open_one, close_store)
#define CLUSTER(name) cmocka_unit_test_setup_teardown(name, open_cluster, close_store)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ONE(one_that_names_the_server_is_taken_as_it_is),
        ONE(one_that_is_missing_is_written_and_then_dated),
        ONE(each_loss_has_its_name),
        ONE(another_epoch_is_a_loss),
        ONE(one_without_a_time_is_dated),
        ONE(what_another_has_written_stands),
        ONE(after_another_server_it_is_raised),
        ONE(one_that_is_gone_again_is_an_end),
        ONE(a_server_that_does_not_say_who_it_is_is_not_asked),
        ONE(more_than_was_asked_for_is_no_answer),
        ONE(what_is_refused_for_now_stays_unmarked),
        ONE(what_is_refused_for_good_is_told),
        ONE(it_is_lowered_to_what_is_vouched_for),
        ONE(what_changed_meanwhile_is_not_vouched_for),
        CLUSTER(the_second_slot_goes_by_the_digest),
        CLUSTER(a_slot_that_has_left_is_passed_over),
        CLUSTER(slots_go_by_five_hundred),
    };
    return cmocka_run_group_tests_name("marking", tests, NULL, NULL);
}
