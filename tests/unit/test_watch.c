/* SPDX-License-Identifier: Apache-2.0 */
/* What the looks of a round trip mean, with the replies made by hand. */
#include "redis/pipeline.h"
#include "support/alloc_walk.h"
#include "support/asserts.h"
#include "support/test_clock.h"

#include <jtiguard/backend.h>
#include <stdio.h>
#include <string.h>

enum { LOGGED_MAX = 8 };

struct fixture {
    struct test_clock clock;
    struct jtgi_redis_config config;
    struct jtgi_watch watch;
    unsigned logged;
    jtg_log_level levels[LOGGED_MAX];
};

static const struct jtgi_identity here = {"R1", "H1", 0, 0, JTGI_NO_EPOCH};

static void note_line(void *context, jtg_log_level level, const char *line)
{
    struct fixture *f = context;
    assert_non_null(strstr(line, "redis: "));
    if (f->logged < LOGGED_MAX)
        f->levels[f->logged] = level;
    f->logged++;
}

static void open_watch(struct fixture *f, bool is_cluster)
{
    static char prefix[] = "p:";
    memset(f, 0, sizeof *f);
    test_clock_init(&f->clock);
    f->config.clock = test_clock_as_jtg(&f->clock);
    f->config.options.prefix = prefix;
    f->config.prefix_len = 2;
    f->config.logger.struct_size = sizeof f->config.logger;
    f->config.logger.context = f;
    f->config.logger.max_level = JTG_LOG_DEBUG;
    f->config.logger.write = note_line;
    struct jtgi_counters *counters = jtgi_counters_new(JTGI_COUNTERS);
    assert_non_null(counters);
    assert_status(jtgi_watch_init(&f->watch, &f->config, counters, is_cluster, NULL), JTG_OK);
}

static void close_watch(struct fixture *f)
{
    jtgi_counters_free(f->watch.counters);
    jtgi_watch_clear(&f->watch);
}

static uint64_t losses(const struct fixture *f)
{
    return jtgi_counters_read(f->watch.counters, JTGI_COUNT_LOSSES);
}

static redisReply reply_of(char *text)
{
    redisReply reply = {.type = REDIS_REPLY_STRING, .str = text, .len = strlen(text)};
    if (text[0] == '-') {
        reply.type = REDIS_REPLY_ERROR;
        reply.str++;
        reply.len--;
    }
    return reply;
}

/* One look, at one slot, and an INFO in which nothing has changed. */
static struct jtgi_look look_at(struct fixture *f, struct jtgi_connection *connection,
                                uint16_t slot, const char *text, bool *usable)
{
    static char same[] = "role:master\r\nmaster_replid:H1\r\n";
    char held[128];
    (void)snprintf(held, sizeof held, "%s", text);
    redisReply marker = reply_of(held);
    redisReply info = reply_of(same);
    struct jtgi_look look = {slot, &marker, JTGI_SIGHT_NONE, 0};
    *usable = jtgi_watch_judge(&f->watch, connection, &look, 1, &info, false);
    look.reply = NULL;
    return look;
}

static enum jtgi_sight sight_of(struct fixture *f, struct jtgi_connection *connection,
                                const char *text)
{
    bool usable = false;
    struct jtgi_look look = look_at(f, connection, 0, text, &usable);
    assert_int_equal(usable, look.sight != JTGI_SIGHT_LOST);
    return look.sight;
}

static void adopt(struct fixture *f, struct jtgi_connection *connection, uint16_t slot,
                  int64_t since_ms, uint64_t nonce)
{
    struct jtgi_marker marker = {here, since_ms, 0, nonce};
    connection->identity = here;
    connection->epoch = here.epoch;
    (void)jtgi_watch_adopt(&f->watch, connection, slot, &marker, JTG_REDIS_LOSS_NONE);
    jtgi_watch_met(&f->watch, connection);
}

static void nothing_passes_before_the_first_marker(void **state)
{
    static struct jtgi_connection connection;
    struct fixture f;
    int64_t since_ms = 0;
    (void)state;
    open_watch(&f, false);
    assert_false(jtgi_watch_kept_since(&f.watch, &since_ms));
    assert_false(jtgi_watch_lets_pass(&f.watch, &connection, 0, INT64_MAX - 1));
    assert_true(jtgi_watch_lets_pass(&f.watch, &connection, 0, INT64_MAX));
    adopt(&f, &connection, 0, 1000, 0xaa);
    assert_true(jtgi_watch_lets_pass(&f.watch, &connection, 0, 1000));
    assert_false(jtgi_watch_lets_pass(&f.watch, &connection, 0, 999));
    assert_true(jtgi_watch_kept_since(&f.watch, &since_ms));
    assert_int_equal(since_ms, 1000);
    close_watch(&f);
}

/* Another connection of the same cache marks for itself. */
static void a_connection_knows_what_it_has_seen(void **state)
{
    static struct jtgi_connection one;
    static struct jtgi_connection other;
    struct fixture f;
    (void)state;
    open_watch(&f, false);
    adopt(&f, &one, 0, 1000, 0xaa);
    assert_false(jtgi_watch_lets_pass(&f.watch, &other, 0, 1000));
    close_watch(&f);
}

static void a_loss_is_counted_once(void **state)
{
    static struct jtgi_connection one;
    static struct jtgi_connection other;
    struct fixture f;
    (void)state;
    open_watch(&f, false);
    adopt(&f, &one, 0, 1000, 0xaa);
    adopt(&f, &other, 0, 1000, 0xaa);
    assert_int_equal(sight_of(&f, &one, "2 R1 H1 0 0 - 1000 0 aa"), JTGI_SIGHT_KEPT);
    assert_int_equal(losses(&f), 0);
    assert_int_equal(sight_of(&f, &one, "gone"), JTGI_SIGHT_LOST);
    assert_int_equal(sight_of(&f, &other, "gone"), JTGI_SIGHT_LOST);
    assert_int_equal(sight_of(&f, &other, "2 R1 H1 0 0 - 5000 0 bb"), JTGI_SIGHT_LOST);
    assert_false(jtgi_watch_lets_pass(&f.watch, &other, 0, 1000));
    assert_int_equal(losses(&f), 1);
    assert_int_equal(jtgi_watch_last_loss(&f.watch), JTG_REDIS_LOSS_FLUSHED);
    adopt(&f, &one, 0, 5000, 0xbb);
    assert_int_equal(sight_of(&f, &one, "2 R1 H1 0 0 - 5000 0 bb"), JTGI_SIGHT_KEPT);
    assert_int_equal(losses(&f), 1);
    assert_int_equal(f.logged, 1);
    assert_int_equal(f.levels[0], JTG_LOG_ERROR);
    close_watch(&f);
}

/* An answer that was under way while another connection learnt of a loss does not undo that. */
static void a_late_look_changes_nothing(void **state)
{
    static struct jtgi_connection one;
    static struct jtgi_connection other;
    struct fixture f;
    (void)state;
    open_watch(&f, false);
    adopt(&f, &one, 0, 1000, 0xaa);
    adopt(&f, &other, 0, 5000, 0xbb);
    assert_int_equal(sight_of(&f, &one, "2 R1 H1 0 0 - 1000 0 aa"), JTGI_SIGHT_LOST);
    assert_int_equal(sight_of(&f, &other, "2 R1 H1 0 0 - 5000 0 bb"), JTGI_SIGHT_KEPT);
    close_watch(&f);
}

static void a_lowered_marker_is_taken_over(void **state)
{
    static struct jtgi_connection connection;
    struct fixture f;
    int64_t since_ms = 0;
    (void)state;
    open_watch(&f, false);
    adopt(&f, &connection, 0, 1000, 0xaa);
    assert_int_equal(sight_of(&f, &connection, "2 R1 H1 0 0 - 0 0 aa"), JTGI_SIGHT_KEPT);
    assert_true(jtgi_watch_kept_since(&f.watch, &since_ms));
    assert_true(since_ms == JTGI_SINCE_EVER);
    assert_true(jtgi_watch_lets_pass(&f.watch, &connection, 0, INT64_MIN));
    assert_int_equal(losses(&f), 0);
    close_watch(&f);
}

/* ---- Cluster ---- */

static void a_slot_on_its_way_is_no_loss(void **state)
{
    static const char *const errors[] = {"-MOVED 1 h:1", "-ASK 1 h:1", "-TRYAGAIN x",
                                         "-CLUSTERDOWN x"};
    static struct jtgi_connection connection;
    struct fixture f;
    bool usable = false;
    (void)state;
    open_watch(&f, true);
    adopt(&f, &connection, 1, 1000, 0xaa);
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        assert_int_equal(look_at(&f, &connection, 1, errors[i], &usable).sight,
                         JTGI_SIGHT_ELSEWHERE);
        assert_true(usable);
    }
    assert_int_equal(losses(&f), 0);
    close_watch(&f);
}

static void a_slot_that_came_is_to_be_marked(void **state)
{
    static struct jtgi_connection connection;
    struct fixture f;
    bool usable = false;
    (void)state;
    open_watch(&f, true);
    adopt(&f, &connection, 1, 1000, 0xaa);
    assert_int_equal(look_at(&f, &connection, 2, "2 R9 H9 0 0 - 1000 0 cc", &usable).sight,
                     JTGI_SIGHT_UNMARKED);
    assert_true(usable);
    assert_false(jtgi_watch_lets_pass(&f.watch, &connection, 2, 5000));
    assert_int_equal(look_at(&f, &connection, 2, "2 R1 H1 0 0 - - 0 dd", &usable).sight,
                     JTGI_SIGHT_UNMARKED);
    struct jtgi_look look = look_at(&f, &connection, 2, "2 R1 H1 0 0 - 3000 0 dd", &usable);
    assert_int_equal(look.sight, JTGI_SIGHT_KEPT);
    assert_int_equal(look.since_ms, 3000);
    assert_true(jtgi_watch_lets_pass(&f.watch, &connection, 2, 5000));
    assert_true(jtgi_watch_lets_pass(&f.watch, &connection, 1, 1000));
    close_watch(&f);
}

static void the_latest_slot_is_since_when(void **state)
{
    static struct jtgi_connection connection;
    struct fixture f;
    int64_t since_ms = 0;
    (void)state;
    open_watch(&f, true);
    adopt(&f, &connection, 1, 1000, 0xaa);
    adopt(&f, &connection, 16383, 4000, 0xbb);
    adopt(&f, &connection, 7, 2000, 0xcc);
    assert_true(jtgi_watch_kept_since(&f.watch, &since_ms));
    assert_int_equal(since_ms, 4000);
    close_watch(&f);
}

/* ---- the rest ---- */

/* One line a kind and second; each is counted. */
static void losses_do_not_flood_the_log(void **state)
{
    struct fixture f;
    (void)state;
    open_watch(&f, true);
    for (unsigned i = 0; i < 100; i++)
        jtgi_watch_tell(&f.watch, JTG_REDIS_LOSS_RESTARTED, 1);
    assert_int_equal(f.logged, 1);
    jtgi_watch_tell(&f.watch, JTG_REDIS_LOSS_NO_MARKER, 1);
    assert_int_equal(f.levels[1], JTG_LOG_WARNING);
    test_clock_advance(&f.clock, 1000);
    jtgi_watch_tell(&f.watch, JTG_REDIS_LOSS_RESTARTED, 1);
    assert_int_equal(f.logged, 3);
    jtgi_watch_tell(&f.watch, JTG_REDIS_LOSS_NONE, 1);
    assert_int_equal(losses(&f), 102);
    close_watch(&f);
}

static void a_look_fits(void **state)
{
    static char prefix[JTG_REDIS_PREFIX_MAX_BYTES + 1];
    unsigned char bytes[JTGI_LOOK_MAX_BYTES];
    struct fixture f;
    (void)state;
    open_watch(&f, false);
    size_t len = jtgi_watch_build_look(&f.watch, 0, bytes);
    assert_int_equal(len, 23);
    assert_memory_equal(bytes,
                        "*2\r\n$3\r\nGET\r\n$4\r\np:\xff"
                        "c\r\n",
                        len);
    close_watch(&f);
    open_watch(&f, true);
    memset(prefix, 'p', sizeof prefix - 1);
    f.config.options.prefix = prefix;
    f.config.prefix_len = sizeof prefix - 1;
    f.watch.keys.numbers[5] = 999999;
    assert_true(jtgi_watch_build_look(&f.watch, 5, bytes) <= sizeof bytes);
    close_watch(&f);
}

static void all_of_info_is_asked_for_once_a_second(void **state)
{
    static struct jtgi_connection connection;
    unsigned char bytes[JTGI_INFO_MAX_BYTES];
    bool full = false;
    (void)state;
    assert_int_equal(jtgi_watch_build_info(&connection, bytes, &full), 14);
    assert_true(full);
    assert_int_equal(jtgi_watch_build_info(&connection, bytes, &full), 32);
    assert_false(full);
    atomic_store(&connection.evicts, true);
    (void)jtgi_watch_build_info(&connection, bytes, &full);
    assert_true(full);
}

static void out_of_memory_is_a_failure(void **state)
{
    struct fixture f;
    (void)state;
    open_watch(&f, false);
    struct jtgi_counters *counters = f.watch.counters;
    jtgi_watch_clear(&f.watch);
    for (unsigned nth = 1; nth <= 2; nth++) {
        alloc_walk_fail_nth(nth);
        assert_status(jtgi_watch_init(&f.watch, &f.config, counters, true, NULL), JTG_ERR_MEMORY);
        assert_true(alloc_walk_end());
        jtgi_watch_clear(&f.watch);
    }
    jtgi_counters_free(counters);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_passes_before_the_first_marker),
        cmocka_unit_test(a_connection_knows_what_it_has_seen),
        cmocka_unit_test(a_loss_is_counted_once),
        cmocka_unit_test(a_late_look_changes_nothing),
        cmocka_unit_test(a_lowered_marker_is_taken_over),
        cmocka_unit_test(a_slot_on_its_way_is_no_loss),
        cmocka_unit_test(a_slot_that_came_is_to_be_marked),
        cmocka_unit_test(the_latest_slot_is_since_when),
        cmocka_unit_test(losses_do_not_flood_the_log),
        cmocka_unit_test(a_look_fits),
        cmocka_unit_test(all_of_info_is_asked_for_once_a_second),
        cmocka_unit_test(out_of_memory_is_a_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
