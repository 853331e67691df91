/* SPDX-License-Identifier: Apache-2.0 */
/* What the looks of a round trip mean, with the replies made by hand. */
#include "redis/flow/counts.h"
#include "redis/flow/pipeline.h"
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
    bool yes; /* the looks stand behind a yes */
    unsigned logged;
    char line[256]; /* the last one */
    jtg_log_level levels[LOGGED_MAX];
};

static const struct jtgi_identity here = {"R1", "H1", 0, 0, JTGI_NO_EPOCH};
static const struct jtgi_identity there = {"R2", "H2", 0, 0, JTGI_NO_EPOCH};

static void note_line(void *context, jtg_log_level level, const char *line)
{
    struct fixture *f = context;
    assert_non_null(strstr(line, "redis: "));
    (void)snprintf(f->line, sizeof f->line, "%s", line);
    if (f->logged < LOGGED_MAX)
        f->levels[f->logged] = level;
    f->logged++;
}

static void init_watch(struct fixture *f, bool is_cluster)
{
    struct jtgi_counters *counters = jtgi_counters_new(JTGI_COUNTERS);
    assert_non_null(counters);
    f->config.slots = is_cluster ? JTGI_SLOTS : 1;
    assert_status(jtgi_watch_init(&f->watch, &f->config, counters, NULL), JTG_OK);
}

static void open_watch(struct fixture *f, bool is_cluster)
{
    static char prefix[] = "p:";
    static uint32_t port;
    memset(f, 0, sizeof *f);
    f->config.options.port = ++port; /* each a store of its own */
    test_clock_init(&f->clock);
    f->config.clock = test_clock_as_jtg(&f->clock);
    f->config.options.prefix = prefix;
    f->config.prefix_len = 2;
    f->config.logger.struct_size = sizeof f->config.logger;
    f->config.logger.context = f;
    f->config.logger.max_level = JTG_LOG_DEBUG;
    f->config.logger.write = note_line;
    init_watch(f, is_cluster);
}

/* Another cache of the same store. */
static void open_twin(struct fixture *twin, const struct fixture *f)
{
    *twin = *f;
    twin->config.logger.context = twin;
    init_watch(twin, f->watch.slots > 1);
}

static void close_watch(struct fixture *f)
{
    jtgi_counters_free(f->watch.counters);
    jtgi_watch_clear(&f->watch, false);
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
    struct jtgi_look look = {.slot = slot, .reply = &marker, .yes = f->yes};
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

static void lead_to(struct jtgi_connection *connection, const struct jtgi_identity *identity)
{
    connection->peer.identity = *identity;
    connection->peer.epoch = identity->epoch;
    jtgi_who_of(&connection->peer.who, identity);
    (void)snprintf(connection->server, sizeof connection->server, "h:1");
}

static void adopt_of(struct fixture *f, struct jtgi_connection *connection,
                     const struct jtgi_identity *identity, uint16_t slot, int64_t since_ms,
                     uint64_t nonce)
{
    struct jtgi_marker marker = {*identity, since_ms, 0, nonce};
    struct jtgi_noticed noticed[JTGI_LOSSES] = {{0, 0}};
    lead_to(connection, identity);
    jtgi_notice(noticed,
                jtgi_watch_adopt(&f->watch, connection, slot, &marker, JTG_REDIS_LOSS_NONE),
                since_ms);
    jtgi_watch_tell(&f->watch, connection, noticed);
}

static void adopt(struct fixture *f, struct jtgi_connection *connection, uint16_t slot,
                  int64_t since_ms, uint64_t nonce)
{
    adopt_of(f, connection, &here, slot, since_ms, nonce);
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

/* ---- another server ---- */

static enum jtgi_sight sight_of_yes(struct fixture *f, struct jtgi_connection *connection,
                                    const char *text)
{
    f->yes = true;
    enum jtgi_sight sight = sight_of(f, connection, text);
    f->yes = false;
    return sight;
}

/* The replication id of the INFO that look_at() gives is H1: so has the other server. */
static const struct jtgi_identity twin_server = {"R2", "H1", 0, 0, JTGI_NO_EPOCH};

#define HERE_SINCE_1000  "2 R1 H1 0 0 - 1000 0 aa"
#define THERE_SINCE_1000 "2 R2 H1 0 0 - 1000 0 bb"

/* It lived on, and has the marker that it had: what it says is true, and of no use. */
static void a_server_that_was_left_is_not_relied_on(void **state)
{
    static struct jtgi_connection one;
    static struct jtgi_connection other;
    struct fixture f;
    char later[64];
    (void)state;
    open_watch(&f, false);
    adopt(&f, &one, 0, 1000, 0xaa);
    assert_int_equal(sight_of_yes(&f, &one, HERE_SINCE_1000), JTGI_SIGHT_KEPT);
    adopt_of(&f, &other, &twin_server, 0, TEST_CLOCK_WALL_MS + 1, 0xbb);
    (void)snprintf(later, sizeof later, "2 R2 H1 0 0 - %lld 0 bb",
                   (long long)TEST_CLOCK_WALL_MS + 1);
    test_clock_advance(&f.clock, 10);
    assert_int_equal(sight_of_yes(&f, &other, later), JTGI_SIGHT_KEPT);
    adopt(&f, &one, 0, 1000, 0xaa);
    assert_int_equal(sight_of(&f, &one, HERE_SINCE_1000), JTGI_SIGHT_LOST);
    assert_int_equal(jtgi_watch_last_loss(&f.watch), JTG_REDIS_LOSS_EXCHANGED);
    assert_non_null(strstr(f.line, "another server was used in between"));
    close_watch(&f);
}

/* At a connect too, and then the marker must be raised to later than the last use elsewhere. */
static void trust_ends_with_a_use_elsewhere(void **state)
{
    static struct jtgi_connection one;
    static struct jtgi_connection other;
    struct jtgi_marker marker = {here, TEST_CLOCK_WALL_MS, 0, 0xaa};
    struct fixture f;
    (void)state;
    open_watch(&f, false);
    lead_to(&one, &here);
    assert_true(jtgi_watch_trusts(&f.watch, &one, 0, &marker));
    adopt_of(&f, &other, &twin_server, 0, 1000, 0xbb);
    assert_true(jtgi_watch_trusts(&f.watch, &one, 0, &marker)); /* no yes yet */
    assert_int_equal(sight_of_yes(&f, &other, THERE_SINCE_1000), JTGI_SIGHT_KEPT);
    assert_false(jtgi_watch_trusts(&f.watch, &one, 0, &marker));
    marker.since_ms = TEST_CLOCK_WALL_MS + 1;
    assert_true(jtgi_watch_trusts(&f.watch, &one, 0, &marker));
    marker.since_ms = JTGI_SINCE_EVER;
    assert_false(jtgi_watch_trusts(&f.watch, &one, 0, &marker));
    close_watch(&f);
}

/* Of a server whose wall clock is right, to our monotonic one. */
#define AHEAD (TEST_CLOCK_WALL_MS - TEST_CLOCK_MONOTONIC_MS)

/* An operator's word covers what was used elsewhere before it, by the server's clock. */
static void a_vouch_covers_what_came_before_it(void **state)
{
    static struct jtgi_connection one;
    static struct jtgi_connection other;
    struct jtgi_marker marker = {here, JTGI_SINCE_EVER, TEST_CLOCK_WALL_MS + 2, 0xaa};
    struct fixture f;
    (void)state;
    open_watch(&f, false);
    lead_to(&one, &here);
    adopt_of(&f, &other, &twin_server, 0, 1000, 0xbb);
    assert_int_equal(sight_of_yes(&f, &other, THERE_SINCE_1000), JTGI_SIGHT_KEPT);
    one.peer.clock_known = true;
    one.peer.clock_ahead_ms = AHEAD;
    assert_true(jtgi_watch_trusts(&f.watch, &one, 0, &marker));
    marker.vouched_ms--; /* within the millisecond of the use, perhaps before it */
    assert_false(jtgi_watch_trusts(&f.watch, &one, 0, &marker));
    marker.vouched_ms += 60000;
    one.peer.clock_ahead_ms = AHEAD + 60000; /* the server's clock is ahead */
    assert_false(jtgi_watch_trusts(&f.watch, &one, 0, &marker));
    marker.vouched_ms++;
    assert_true(jtgi_watch_trusts(&f.watch, &one, 0, &marker));
    one.peer.clock_ahead_ms = AHEAD - 60000; /* behind */
    marker.vouched_ms -= 120000;
    assert_true(jtgi_watch_trusts(&f.watch, &one, 0, &marker));
    one.peer.clock_known = false; /* it does not say */
    assert_false(jtgi_watch_trusts(&f.watch, &one, 0, &marker));
    close_watch(&f);
}

/* Two connections over a balancer: of two servers at most one is relied on. */
static void of_two_at_once_one_is_relied_on(void **state)
{
    static struct jtgi_connection one;
    static struct jtgi_connection other;
    struct fixture f;
    struct fixture twin;
    (void)state;
    open_watch(&f, false);
    open_twin(&twin, &f);
    adopt(&f, &one, 0, 1000, 0xaa);
    adopt_of(&twin, &other, &twin_server, 0, 1000, 0xbb);
    assert_int_equal(sight_of_yes(&f, &one, HERE_SINCE_1000), JTGI_SIGHT_KEPT);
    assert_int_equal(sight_of_yes(&twin, &other, THERE_SINCE_1000), JTGI_SIGHT_LOST);
    assert_int_equal(sight_of_yes(&f, &one, HERE_SINCE_1000), JTGI_SIGHT_KEPT);
    close_watch(&f);
    close_watch(&twin);
}

/* A no, or nothing, is relied on by nobody. */
static void a_look_without_a_yes_leaves_no_trace(void **state)
{
    static struct jtgi_connection one;
    static struct jtgi_connection other;
    struct fixture f;
    (void)state;
    open_watch(&f, false);
    adopt(&f, &one, 0, 1000, 0xaa);
    assert_int_equal(sight_of(&f, &one, HERE_SINCE_1000), JTGI_SIGHT_KEPT);
    adopt_of(&f, &other, &twin_server, 0, 1000, 0xbb);
    assert_int_equal(sight_of_yes(&f, &other, THERE_SINCE_1000), JTGI_SIGHT_KEPT);
    close_watch(&f);
}

/* Of values: nobody looks in the same round trip, and the server was used all the same. */
static void a_yes_without_a_look_leaves_one(void **state)
{
    static struct jtgi_connection one;
    static struct jtgi_connection other;
    struct fixture f;
    (void)state;
    open_watch(&f, false);
    adopt(&f, &one, 0, 1000, 0xaa);
    jtgi_watch_note_yes(&f.watch, &one, 0);
    adopt_of(&f, &other, &twin_server, 0, 1000, 0xbb);
    assert_int_equal(sight_of_yes(&f, &other, THERE_SINCE_1000), JTGI_SIGHT_LOST);
    close_watch(&f);
}

/* The log says what has changed at this node, not between the two that were met last. */
static void a_cause_is_told_by_node(void **state)
{
    static struct jtgi_connection one;
    static struct jtgi_connection other;
    struct fixture f;
    (void)state;
    open_watch(&f, true);
    adopt(&f, &one, 1, 1000, 0xaa);
    adopt_of(&f, &other, &there, 2, 1000, 0xbb);
    adopt(&f, &one, 1, 5000, 0xcc);
    assert_int_equal(jtgi_watch_last_loss(&f.watch), JTG_REDIS_LOSS_FLUSHED);
    adopt_of(&f, &one, &twin_server, 1, 6000, 0xdd);
    assert_int_equal(jtgi_watch_last_loss(&f.watch), JTG_REDIS_LOSS_RESTARTED);
    close_watch(&f);
}

/* What is said to be refused is refused, and since when. */
static void the_log_says_what_is_refused(void **state)
{
    static struct jtgi_connection connection;
    struct fixture f;
    (void)state;
    open_watch(&f, false);
    adopt(&f, &connection, 0, 1000, 0xaa);
    adopt(&f, &connection, 0, 5000, 0xbb);
    assert_non_null(strstr(f.line, "h:1: the store was flushed: tokens that may have been used "
                                   "before 1970-01-01T00:00:05Z are refused"));
    test_clock_advance(&f.clock, 1000);
    adopt(&f, &connection, 0, JTGI_SINCE_EVER, 0xcc);
    assert_non_null(strstr(f.line, "no token is refused for it"));
    assert_int_equal(f.levels[1], JTG_LOG_WARNING);
    close_watch(&f);
}

/* ---- Cluster ---- */

static void a_slot_on_its_way_is_no_loss(void **state)
{
    static const char *const errors[] = {"-MOVED 1 h:1", "-ASK 1 h:1", "-TRYAGAIN x"};
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

/* It proves nothing, and is no loss: it is told as what it is. */
static void a_look_that_is_refused_is_no_loss(void **state)
{
    static const char *const errors[] = {"-CLUSTERDOWN x", "-NOPERM x", "-WRONGTYPE x",
                                         "-ERR unknown command 'get'"};
    static struct jtgi_connection connection;
    struct fixture f;
    bool usable = false;
    (void)state;
    open_watch(&f, true);
    adopt(&f, &connection, 1, 1000, 0xaa);
    for (unsigned i = 0; i < 2 * sizeof errors / sizeof errors[0]; i++) {
        const char *error = errors[i / 2];
        uint16_t slot = (uint16_t)(1 + i % 2); /* marked, and not */
        struct jtgi_look look = look_at(&f, &connection, slot, error, &usable);
        assert_int_equal(look.sight, JTGI_SIGHT_REFUSED);
        assert_ptr_equal(look.refusal, jtgi_error_row_of(error + 1, strlen(error + 1)));
        assert_true(usable);
    }
    assert_int_equal(losses(&f), 0);
    close_watch(&f);
}

static void an_info_that_is_refused_is_no_loss(void **state)
{
    static struct jtgi_connection connection;
    static char denied[] = "-NOPERM x";
    static char text[] = HERE_SINCE_1000;
    struct fixture f;
    (void)state;
    open_watch(&f, false);
    adopt(&f, &connection, 0, 1000, 0xaa);
    redisReply marker = reply_of(text);
    redisReply info = reply_of(denied);
    struct jtgi_look look = {.slot = 0, .reply = &marker};
    assert_false(jtgi_watch_judge(&f.watch, &connection, &look, 1, &info, false));
    assert_int_equal(look.sight, JTGI_SIGHT_REFUSED);
    assert_string_equal(look.refusal->name, "NOPERM");
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

static void tell_one(struct fixture *f, jtg_redis_loss loss)
{
    static struct jtgi_connection connection;
    struct jtgi_noticed noticed[JTGI_LOSSES] = {{0, 0}};
    jtgi_notice(noticed, loss, JTGI_SINCE_PENDING);
    jtgi_watch_tell(&f->watch, &connection, noticed);
}

/* One line a kind and second; each is counted. */
static void losses_do_not_flood_the_log(void **state)
{
    struct fixture f;
    (void)state;
    open_watch(&f, true);
    for (unsigned i = 0; i < 100; i++)
        tell_one(&f, JTG_REDIS_LOSS_RESTARTED);
    assert_int_equal(f.logged, 1);
    tell_one(&f, JTG_REDIS_LOSS_NO_MARKER);
    assert_int_equal(f.levels[1], JTG_LOG_WARNING);
    test_clock_advance(&f.clock, 1000);
    tell_one(&f, JTG_REDIS_LOSS_RESTARTED);
    assert_int_equal(f.logged, 3);
    tell_one(&f, JTG_REDIS_LOSS_NONE);
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
    struct fixture f;
    bool full = false;
    (void)state;
    open_watch(&f, false);
    assert_int_equal(jtgi_watch_build_info(&f.watch, &connection, bytes, &full), 14);
    assert_true(full);
    assert_int_equal(connection.peer.info_asked_ms, TEST_CLOCK_MONOTONIC_MS);
    assert_int_equal(jtgi_watch_build_info(&f.watch, &connection, bytes, &full), 32);
    assert_false(full);
    atomic_store(&connection.peer.evicts, true);
    (void)jtgi_watch_build_info(&f.watch, &connection, bytes, &full);
    assert_true(full);
    close_watch(&f);
}

/* All of INFO says what time it is: a server's clock that was set ahead is followed, one that seems
 * behind, for the answer took its time, is not. */
static void a_clock_that_was_set_ahead_is_followed(void **state)
{
    static struct jtgi_connection connection;
    static const int64_t ahead_ms[] = {5000, -5000};
    struct fixture f;
    (void)state;
    open_watch(&f, false);
    adopt(&f, &connection, 0, 1000, 0xaa);
    connection.peer.clock_known = true;
    connection.peer.clock_ahead_ms = AHEAD;
    connection.peer.info_asked_ms = TEST_CLOCK_MONOTONIC_MS;
    for (size_t i = 0; i < 2; i++) {
        char text[256];
        char marker[] = HERE_SINCE_1000;
        (void)snprintf(text, sizeof text,
                       "role:master\r\nredis_mode:standalone\r\nloading:0\r\nmaxmemory:0\r\n"
                       "run_id:R1\r\nmaster_replid:H1\r\nevicted_keys:0\r\n"
                       "server_time_usec:%lld000\r\n",
                       (long long)(TEST_CLOCK_WALL_MS + ahead_ms[i]));
        redisReply held = reply_of(marker);
        redisReply info = reply_of(text);
        struct jtgi_look look = {.slot = 0, .reply = &held};
        assert_true(jtgi_watch_judge(&f.watch, &connection, &look, 1, &info, true));
        assert_int_equal(look.sight, JTGI_SIGHT_KEPT);
        assert_int_equal(connection.peer.clock_ahead_ms, AHEAD + 5000);
    }
    close_watch(&f);
}

static void out_of_memory_is_a_failure(void **state)
{
    struct fixture f;
    (void)state;
    open_watch(&f, false);
    struct jtgi_counters *counters = f.watch.counters;
    jtgi_watch_clear(&f.watch, false);
    f.config.slots = JTGI_SLOTS;
    f.config.options.port = 0; /* a store that nobody knows yet */
    for (unsigned nth = 1; nth <= 3; nth++) {
        alloc_walk_fail_nth(nth);
        assert_status(jtgi_watch_init(&f.watch, &f.config, counters, NULL), JTG_ERR_MEMORY);
        assert_true(alloc_walk_end());
        jtgi_watch_clear(&f.watch, false);
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
        cmocka_unit_test(a_server_that_was_left_is_not_relied_on),
        cmocka_unit_test(trust_ends_with_a_use_elsewhere),
        cmocka_unit_test(a_vouch_covers_what_came_before_it),
        cmocka_unit_test(of_two_at_once_one_is_relied_on),
        cmocka_unit_test(a_look_without_a_yes_leaves_no_trace),
        cmocka_unit_test(a_yes_without_a_look_leaves_one),
        cmocka_unit_test(a_cause_is_told_by_node),
        cmocka_unit_test(the_log_says_what_is_refused),
        cmocka_unit_test(a_slot_on_its_way_is_no_loss),
        cmocka_unit_test(a_look_that_is_refused_is_no_loss),
        cmocka_unit_test(an_info_that_is_refused_is_no_loss),
        cmocka_unit_test(a_slot_that_came_is_to_be_marked),
        cmocka_unit_test(the_latest_slot_is_since_when),
        cmocka_unit_test(losses_do_not_flood_the_log),
        cmocka_unit_test(a_look_fits),
        cmocka_unit_test(all_of_info_is_asked_for_once_a_second),
        cmocka_unit_test(a_clock_that_was_set_ahead_is_followed),
        cmocka_unit_test(out_of_memory_is_a_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
