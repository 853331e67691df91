/* SPDX-License-Identifier: Apache-2.0 */
/* Every way in which a real server forgets, and two caches on it that notice. */
#include "redis/live_server.h"
#include "support/asserts.h"
#include "support/test_clock.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { TTL_MS = 60000, PATIENCE_MS = 10000 };

struct fixture {
    struct redis_server server;
    char uri[160];
    jtg_cache *one;
    jtg_cache *other;
    int64_t since_ms; /* of the store before the loss */
};

static const jtg_owner owners[2] = {{"the first owner"}, {"the other owner"}};

static int64_t clock_ms(clockid_t clock)
{
    struct timespec now;
    (void)clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static jtg_status reserve(jtg_cache *cache, const char *jti, unsigned owner, int64_t since_ms)
{
    jtg_key key = {jti, strlen(jti), NULL, 0};
    jtg_error err = JTG_ERROR_INIT;
    jtg_status status = jtg_cache_reserve_kept(cache, &key, &owners[owner], TTL_MS, since_ms, &err);
    assert_err_tells(&err, status);
    return status;
}

static jtg_status reserve_plain(jtg_cache *cache, const char *jti, unsigned owner)
{
    jtg_key key = {jti, strlen(jti), NULL, 0};
    return jtg_cache_reserve(cache, &key, &owners[owner], TTL_MS, NULL);
}

static int64_t kept_since(jtg_cache *cache)
{
    int64_t since_ms = 0;
    assert_status(jtg_cache_kept_since(cache, &since_ms, NULL), JTG_OK);
    return since_ms;
}

static void tell_server(const struct redis_server *server, const char *line)
{
    char reply[512];
    assert_true(redis_server_ask(server, line, reply, sizeof reply));
    if (reply[0] == '-')
        fail_msg("%s: %s", line, reply);
}

static void tell(const struct fixture *f, const char *line)
{
    tell_server(&f->server, line);
}

static jtg_cache *open_cache(const struct fixture *f)
{
    jtg_cache *cache = NULL;
    assert_status(jtg_redis_new_uri(&cache, f->uri, NULL), JTG_OK);
    return cache;
}

static void start(struct fixture *f, const char *const *options, const char *query)
{
    memset(f, 0, sizeof *f);
    redis_server_start(&f->server, options);
    (void)snprintf(f->uri, sizeof f->uri, "%s?prefix=p:&timeout=5s&connections=1%s", f->server.uri,
                   query);
    f->one = open_cache(f);
    f->other = open_cache(f);
}

/* A store that is known, holds a used token, and is older than the current millisecond. */
static void use_one(struct fixture *f)
{
    f->since_ms = kept_since(f->one);
    assert_int_equal(kept_since(f->other), f->since_ms);
    assert_status(reserve(f->one, "used", 0, f->since_ms), JTG_OK);
    assert_status(reserve(f->other, "used", 1, f->since_ms), JTG_REPLAYED);
    while (clock_ms(CLOCK_REALTIME) <= f->since_ms + 1)
        (void)poll(NULL, 0, 1);
}

static void halt(struct fixture *f)
{
    jtg_cache_free(f->one);
    jtg_cache_free(f->other);
    redis_server_stop(&f->server);
}

/* Neither admits what may have been used before, both go on with what was issued since, and
 * they agree from when on. The used token itself is a replay where it was not forgotten. */
static void both_notice(const struct fixture *f, jtg_redis_loss loss)
{
    uint64_t before = live_stats(f->one).losses + live_stats(f->other).losses;
    jtg_status used = reserve(f->other, "used", 1, f->since_ms);
    assert_true(used == JTG_ERR_CONTINUITY || used == JTG_REPLAYED);
    assert_status(reserve(f->one, "fresh", 0, f->since_ms), JTG_ERR_CONTINUITY);
    int64_t since_ms = kept_since(f->one);
    assert_true(since_ms > f->since_ms);
    assert_int_equal(kept_since(f->other), since_ms);
    assert_status(reserve(f->one, "new", 0, since_ms - 1), JTG_ERR_CONTINUITY);
    assert_status(reserve(f->one, "new", 0, since_ms), JTG_OK);
    assert_status(reserve(f->other, "new", 1, since_ms), JTG_REPLAYED);
    assert_int_equal(live_stats(f->one).losses + live_stats(f->other).losses, before + 2);
    assert_string_equal(jtg_redis_loss_name(live_stats(f->other).last_loss),
                        jtg_redis_loss_name(loss));
    assert_int_equal(live_stats(f->other).kept_since_ms, since_ms);
}

static void start_with(struct fixture *f, const char *const *options)
{
    start(f, options, "");
    use_one(f);
}

/* ---- forgotten under a living connection ---- */

static void is_noticed(const char *line, jtg_redis_loss loss)
{
    struct fixture f;
    start_with(&f, NULL);
    tell(&f, line);
    both_notice(&f, loss);
    halt(&f);
}

static void flushall(void **state)
{
    (void)state;
    is_noticed("FLUSHALL", JTG_REDIS_LOSS_FLUSHED);
}

static void flushdb(void **state)
{
    (void)state;
    is_noticed("FLUSHDB", JTG_REDIS_LOSS_FLUSHED);
}

static void the_marker_is_deleted(void **state)
{
    (void)state;
    is_noticed("DEL \"p:\\xffc\"", JTG_REDIS_LOSS_FLUSHED);
}

static void the_marker_is_overwritten(void **state)
{
    (void)state;
    is_noticed("SET \"p:\\xffc\" nonsense", JTG_REDIS_LOSS_FLUSHED);
}

static void the_databases_are_exchanged(void **state)
{
    (void)state;
    is_noticed("SWAPDB 0 1", JTG_REDIS_LOSS_FLUSHED);
}

/* The other database has a marker too, of the same server and older: it is not taken for ours. */
static void the_databases_are_exchanged_and_both_are_used(void **state)
{
    struct fixture f;
    jtg_cache *in_one = NULL;
    char uri[200];
    (void)state;
    start(&f, NULL, "");
    (void)snprintf(uri, sizeof uri, "redis://127.0.0.1:%u/1?prefix=p:", (unsigned)f.server.port);
    assert_status(jtg_redis_new_uri(&in_one, uri, NULL), JTG_OK);
    int64_t older_ms = kept_since(in_one);
    use_one(&f);
    tell(&f, "SWAPDB 0 1");
    assert_status(reserve(f.other, "used", 1, older_ms), JTG_ERR_CONTINUITY);
    assert_status(reserve(f.other, "used", 1, f.since_ms), JTG_ERR_CONTINUITY);
    jtg_cache_free(in_one);
    halt(&f);
}

/* What a plain reserve does not ask for, it does not miss. */
static void plain_reserve_goes_on(void **state)
{
    struct fixture f;
    (void)state;
    start_with(&f, NULL);
    tell(&f, "FLUSHALL");
    assert_status(reserve_plain(f.one, "used", 1), JTG_OK);
    assert_status(reserve_plain(f.other, "used", 0), JTG_REPLAYED);
    halt(&f);
}

static void statistics_may_be_reset(void **state)
{
    struct fixture f;
    (void)state;
    start_with(&f, NULL);
    tell(&f, "CONFIG RESETSTAT");
    jtg_cache *late = open_cache(&f);
    assert_status(reserve(late, "fresh", 0, f.since_ms), JTG_OK);
    assert_status(reserve(f.other, "fresh", 1, f.since_ms), JTG_REPLAYED);
    jtg_cache_free(late);
    halt(&f);
}

/* ---- restarts ---- */

static void a_restart_without_data(void **state)
{
    struct fixture f;
    (void)state;
    start_with(&f, NULL);
    redis_server_kill(&f.server);
    redis_server_start_again(&f.server);
    both_notice(&f, JTG_REDIS_LOSS_NO_MARKER);
    halt(&f);
}

static void a_restart_from_an_older_snapshot(void **state)
{
    struct fixture f;
    (void)state;
    start(&f, NULL, "");
    (void)kept_since(f.one);
    tell(&f, "SAVE");
    use_one(&f);
    redis_server_kill(&f.server);
    redis_server_start_again(&f.server);
    both_notice(&f, JTG_REDIS_LOSS_RESTARTED);
    halt(&f);
}

/* Nothing was lost, but that is not to be known; what is still held is a replay all the same. */
static void a_restart_with_all_data(void **state)
{
    static const char *const options[] = {"--appendonly", "yes", "--appendfsync", "always", NULL};
    struct fixture f;
    (void)state;
    start_with(&f, options);
    redis_server_kill(&f.server);
    redis_server_start_again(&f.server);
    assert_status(reserve_plain(f.other, "used", 1), JTG_REPLAYED);
    assert_status(reserve(f.other, "fresh", 1, f.since_ms), JTG_ERR_CONTINUITY);
    assert_int_equal(live_stats(f.other).last_loss, JTG_REDIS_LOSS_RESTARTED);
    assert_status(jtg_redis_vouch(f.one, f.since_ms, NULL), JTG_OK);
    assert_status(reserve(f.other, "fresh", 1, f.since_ms), JTG_OK);
    assert_status(reserve(f.other, "used", 1, f.since_ms), JTG_REPLAYED);
    halt(&f);
}

/* ---- roles ---- */

static void become_replica(const struct fixture *f, uint16_t port)
{
    char line[64];
    (void)snprintf(line, sizeof line, "REPLICAOF 127.0.0.1 %u", (unsigned)port);
    tell(f, line);
}

/* It never reached the other one, and holds all that it held. Meanwhile the other may have been the
 * primary. */
static void a_replica_for_a_moment(void **state)
{
    struct fixture f;
    (void)state;
    start_with(&f, NULL);
    become_replica(&f, 1);
    tell(&f, "REPLICAOF NO ONE");
    both_notice(&f, JTG_REDIS_LOSS_PROMOTED);
    halt(&f);
}

static void await_line(const struct redis_server *server, const char *line, const char *wanted)
{
    char reply[512] = "";
    int64_t until = clock_ms(CLOCK_MONOTONIC) + PATIENCE_MS;
    while (!redis_server_ask(server, line, reply, sizeof reply) || strcmp(reply, wanted) != 0) {
        assert_true(clock_ms(CLOCK_MONOTONIC) < until);
        (void)poll(NULL, 0, 5);
    }
}

/* It took over the other one's data, marker and all. */
static void a_replica_with_anothers_data(void **state)
{
    static const char *const quick[] = {"--repl-diskless-sync-delay", "0", NULL};
    struct redis_server primary;
    struct fixture f;
    (void)state;
    start_with(&f, NULL);
    redis_server_start(&primary, quick);
    tell_server(&primary, "SET theirs 1");
    become_replica(&f, primary.port);
    await_line(&f.server, "EXISTS theirs", ":1");
    tell(&f, "REPLICAOF NO ONE");
    both_notice(&f, JTG_REDIS_LOSS_NO_MARKER);
    redis_server_stop(&primary);
    halt(&f);
}

/* ---- eviction ---- */

static const char fill[] =
    "EVAL \"for i=1,2000 do redis.pcall('SET','x'..i,string.rep('x',2000),'PX',600000) end "
    "return 1\" 0";

static jtg_status reserve_until(jtg_cache *cache, int64_t since_ms, jtg_status awaited)
{
    char jti[32];
    jtg_status status = JTG_OK;
    int64_t until = clock_ms(CLOCK_MONOTONIC) + PATIENCE_MS;
    for (unsigned i = 0; status != awaited && clock_ms(CLOCK_MONOTONIC) < until; i++) {
        (void)snprintf(jti, sizeof jti, "until %u", i);
        status = reserve(cache, jti, 0, since_ms);
        (void)poll(NULL, 0, 5);
    }
    return status;
}

/* It is allowed to: each round trip then asks for all of INFO. */
static void an_eviction(void **state)
{
    static const char *const options[] = {"--maxmemory", "3mb", "--maxmemory-policy",
                                          "volatile-random", NULL};
    struct fixture f;
    (void)state;
    start(&f, options, "&allow_eviction=yes");
    use_one(&f);
    tell(&f, fill);
    assert_status(reserve(f.other, "fresh", 1, f.since_ms), JTG_ERR_CONTINUITY);
    assert_int_equal(live_stats(f.other).last_loss, JTG_REDIS_LOSS_EVICTED);
    assert_status(reserve(f.one, "another", 0, f.since_ms), JTG_ERR_CONTINUITY);
    halt(&f);
}

/* Under connections that are in use: noticed within about a second. */
static void a_server_that_begins_to_evict(void **state)
{
    struct fixture f;
    (void)state;
    start(&f, NULL, "&allow_eviction=yes");
    use_one(&f);
    tell(&f, "CONFIG SET maxmemory-policy volatile-random");
    tell(&f, "CONFIG SET maxmemory 3mb");
    tell(&f, fill);
    assert_status(reserve_until(f.one, f.since_ms, JTG_ERR_CONTINUITY), JTG_ERR_CONTINUITY);
    assert_status(reserve_until(f.other, f.since_ms, JTG_ERR_CONTINUITY), JTG_ERR_CONTINUITY);
    halt(&f);
}

static void a_server_that_may_begin_to_evict(void **state)
{
    struct fixture f;
    (void)state;
    start_with(&f, NULL);
    tell(&f, "CONFIG SET maxmemory-policy allkeys-lru");
    tell(&f, "CONFIG SET maxmemory 100mb");
    assert_status(reserve_until(f.one, f.since_ms, JTG_ERR_UNSAFE), JTG_ERR_UNSAFE);
    assert_status(reserve_plain(f.one, "fresh", 0), JTG_ERR_UNSAFE);
    halt(&f);
}

/* It acted before INFO said so: nobody is admitted, and nobody else takes it from its owner. */
static void what_an_unsafe_server_has_stored_is_its_owners(void **state)
{
    struct fixture f;
    char jti[32];
    jtg_status status = JTG_OK;
    int64_t until = clock_ms(CLOCK_MONOTONIC) + PATIENCE_MS;
    (void)state;
    start_with(&f, NULL);
    tell(&f, "CONFIG SET maxmemory-policy allkeys-lru");
    tell(&f, "CONFIG SET maxmemory 100mb");
    for (unsigned i = 0; status == JTG_OK && clock_ms(CLOCK_MONOTONIC) < until; i++) {
        jtg_error err = JTG_ERROR_INIT;
        (void)snprintf(jti, sizeof jti, "until %u", i);
        jtg_key key = {jti, strlen(jti), NULL, 0};
        status = jtg_cache_reserve_kept(f.one, &key, &owners[0], TTL_MS, f.since_ms, &err);
        assert_true(status == JTG_OK || strstr(err.text, "its owner may ask again") != NULL);
    }
    assert_status(status, JTG_ERR_TIMEOUT);
    assert_status(reserve_plain(f.one, jti, 0), JTG_ERR_UNSAFE); /* nothing was asked */
    tell(&f, "CONFIG SET maxmemory-policy noeviction");
    assert_status(reserve(f.other, jti, 1, f.since_ms), JTG_REPLAYED);
    assert_status(reserve(f.other, jti, 0, f.since_ms), JTG_OK);
    halt(&f);
}

/* An ACL that was changed under connections: what is denied is told, and is no loss. */
static void a_marker_that_may_not_be_read(void **state)
{
    static const char *const denied[] = {"ACL SETUSER default -get", "ACL SETUSER default -info"};
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct fixture f;
        jtg_error err = JTG_ERROR_INIT;
        jtg_key key = {"late", 4, NULL, 0};
        start_with(&f, NULL);
        assert_status(reserve(f.one, "fresh", 0, f.since_ms), JTG_OK);
        uint64_t losses = live_stats(f.one).losses; /* that the store was new */
        tell(&f, denied[i]);
        jtg_status status =
            jtg_cache_reserve_kept(f.one, &key, &owners[0], TTL_MS, f.since_ms, &err);
        assert_status(status, JTG_ERR_TIMEOUT); /* it may be stored */
        assert_non_null(strstr(err.text, "the ACL user may not run this command"));
        tell(&f, "ACL SETUSER default +@all");
        int64_t until = clock_ms(CLOCK_MONOTONIC) + PATIENCE_MS;
        while ((status = reserve(f.one, "late", 0, f.since_ms)) != JTG_OK &&
               clock_ms(CLOCK_MONOTONIC) < until) /* until it connects again */
            (void)poll(NULL, 0, 5);
        assert_status(status, JTG_OK);
        assert_int_equal(live_stats(f.one).losses, losses);
        halt(&f);
    }
}

/* ---- a server that takes no writes at first ---- */

static void a_full_server_is_marked_later(void **state)
{
    static const char *const full[] = {"--maxmemory", "1", NULL};
    struct fixture f;
    (void)state;
    start(&f, full, "");
    assert_status(reserve(f.one, "a jti", 0, INT64_MAX), JTG_ERR_FULL);
    assert_int_equal(live_stats(f.one).up, 1);
    tell(&f, "CONFIG SET maxmemory 0");
    assert_status(reserve(f.one, "a jti", 0, 0), JTG_ERR_CONTINUITY);
    assert_status(reserve(f.one, "a jti", 0, kept_since(f.one)), JTG_OK);
    assert_int_equal(live_stats(f.one).losses, 1);
    halt(&f);
}

/* ---- vouching ---- */

static void an_operator_vouches(void **state)
{
    struct fixture f;
    int64_t hour_ago_ms = clock_ms(CLOCK_REALTIME) - INT64_C(3600000);
    (void)state;
    start(&f, NULL, "");
    assert_status(reserve(f.one, "a jti", 0, hour_ago_ms), JTG_ERR_CONTINUITY);
    assert_status(reserve(f.other, "a jti", 1, hour_ago_ms), JTG_ERR_CONTINUITY);
    assert_status(jtg_redis_vouch(f.one, hour_ago_ms, NULL), JTG_OK);
    assert_int_equal(kept_since(f.other), hour_ago_ms);
    assert_status(reserve(f.other, "a jti", 1, hour_ago_ms - 1), JTG_ERR_CONTINUITY);
    assert_status(reserve(f.other, "a jti", 1, hour_ago_ms), JTG_OK);
    assert_status(reserve(f.one, "a jti", 0, hour_ago_ms), JTG_REPLAYED);
    /* It never moves forward. */
    assert_status(jtg_redis_vouch(f.other, hour_ago_ms + 1000, NULL), JTG_OK);
    assert_int_equal(kept_since(f.one), hour_ago_ms);
    assert_status(jtg_redis_vouch(f.other, 0, NULL), JTG_OK);
    assert_status(reserve(f.one, "of old", 0, INT64_MIN), JTG_OK);
    assert_int_equal(live_stats(f.one).kept_since_ms, 0);
    halt(&f);
}

/* It is about what was, not about what comes. */
static void a_loss_after_vouching_counts(void **state)
{
    struct fixture f;
    (void)state;
    start(&f, NULL, "");
    assert_status(jtg_redis_vouch(f.one, 0, NULL), JTG_OK);
    use_one(&f);
    tell(&f, "FLUSHALL");
    assert_status(reserve(f.other, "used", 1, f.since_ms), JTG_ERR_CONTINUITY);
    assert_status(reserve(f.one, "used", 1, f.since_ms), JTG_ERR_CONTINUITY);
    halt(&f);
}

/* Between the look and the write of a vouch the clock is read. Then another process comes back,
 * which has used another server meanwhile, and raises the marker, or is about to. */
struct interruption {
    const struct fixture *fixture;
    bool raises;
    unsigned long long back_ms; /* the server's clock then; 0: nobody came */
};

#define MARKER_SCRIPT(says)                                                                        \
    "EVAL \"local k = KEYS[1] local head, since, vouched, nonce = "                                \
    "string.match(redis.call('GET', k), '^(.+) (%S+) (%S+) (%S+)$') "                              \
    "local t = redis.call('TIME') local now = t[1] * 1000 + math.floor(t[2] / 1000) " says         \
    "\" 1 \"p:\\xffc\""

static unsigned long long ask_number(const struct fixture *f, const char *line)
{
    char reply[64];
    unsigned long long number = 0;
    assert_true(redis_server_ask(&f->server, line, reply, sizeof reply));
    if (sscanf(reply, ":%llu", &number) != 1)
        fail_msg("%s: %s", line, reply);
    return number;
}

static unsigned long long server_ms(const struct fixture *f)
{
    return ask_number(f, MARKER_SCRIPT("return now"));
}

static int64_t interrupted_wall_ms(void *context)
{
    struct interruption *interruption = context;
    const struct fixture *f = interruption->fixture;
    if (f != NULL) {
        interruption->back_ms =
            interruption->raises
                ? ask_number(f, MARKER_SCRIPT("redis.call('SET', k, head .. ' ' .. string.format("
                                              "'%.0f', now + 1) .. ' ' .. vouched .. ' ' .. nonce) "
                                              "return now"))
                : server_ms(f);
        while (server_ms(f) == interruption->back_ms)
            (void)poll(NULL, 0, 1);
    }
    return clock_ms(CLOCK_REALTIME);
}

static int64_t system_monotonic_ms(void *context)
{
    (void)context;
    return clock_ms(CLOCK_MONOTONIC);
}

static jtg_status vouch_interrupted(const struct fixture *f, struct interruption *interruption,
                                    jtg_error *err)
{
    jtg_clock clock = {sizeof clock, interruption, system_monotonic_ms, interrupted_wall_ms};
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    jtg_cache *cache = NULL;
    options.port = f->server.port;
    options.prefix = "p:";
    options.timeout_ms = 5000;
    options.clock = &clock;
    assert_status(jtg_redis_new(&cache, &options, NULL), JTG_OK);
    interruption->fixture = f;
    jtg_status status = jtg_redis_vouch(cache, 0, err);
    interruption->fixture = NULL;
    jtg_cache_free(cache);
    return status;
}

static void a_vouch_does_not_cover_what_came_behind_its_look(void **state)
{
    struct fixture f;
    struct interruption raised = {.raises = true};
    struct interruption late = {.raises = false};
    jtg_error err = JTG_ERROR_INIT;
    (void)state;
    start(&f, NULL, "");
    use_one(&f);
    assert_status(vouch_interrupted(&f, &raised, &err), JTG_ERR_UNAVAILABLE);
    assert_non_null(strstr(err.text, "the marker changed meanwhile: look again"));
    assert_int_equal(kept_since(f.other), raised.back_ms + 1);
    assert_status(reserve(f.other, "used", 0, f.since_ms), JTG_ERR_CONTINUITY);

    /* Nobody came back yet; but the date is not later than what came behind the look. */
    assert_status(vouch_interrupted(&f, &late, NULL), JTG_OK);
    assert_true(late.back_ms > 0);
    assert_true(ask_number(&f, MARKER_SCRIPT("return tonumber(vouched)")) <= late.back_ms);
    assert_true(ask_number(&f, MARKER_SCRIPT("return tonumber(vouched)")) > 0);
    halt(&f);
}

static int64_t later_of(int64_t one_ms, int64_t other_ms)
{
    return one_ms > other_ms ? one_ms : other_ms;
}

static jtg_cache *open_with_clock(const struct redis_server *server, struct test_clock *own)
{
    jtg_clock clock = test_clock_as_jtg(own);
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    jtg_cache *cache = NULL;
    options.port = server->port;
    options.prefix = "p:";
    options.timeout_ms = 5000;
    options.connections = 1;
    options.clock = &clock;
    assert_status(jtg_redis_new(&cache, &options, NULL), JTG_OK);
    return cache;
}

/* A guard whose clock differs from the server's dates a loss by the later of the two: tokens that
 * were used before it may have been issued by either. */
static void is_dated_by_the_later_clock(int64_t ahead_ms)
{
    struct redis_server server;
    struct test_clock own = {clock_ms(CLOCK_MONOTONIC), clock_ms(CLOCK_REALTIME) + ahead_ms};
    redis_server_start(&server, NULL);
    int64_t later_ms = later_of(clock_ms(CLOCK_REALTIME), own.wall_ms);
    jtg_cache *cache = open_with_clock(&server, &own);
    assert_true(kept_since(cache) >= later_ms);
    /* Under a connection that knew it: found lost, and marked anew by the next question. */
    tell_server(&server, "FLUSHALL");
    test_clock_advance(&own, 1000);
    later_ms = later_of(clock_ms(CLOCK_REALTIME), own.wall_ms);
    assert_status(reserve(cache, "a jti", 0, later_ms - 1), JTG_ERR_CONTINUITY);
    assert_true(kept_since(cache) >= later_ms);
    jtg_cache_free(cache);
    redis_server_stop(&server);
}

/* The same of a server that was full when the connection was made, and is marked when it is not. */
static void is_marked_late_by_the_later_clock(int64_t ahead_ms)
{
    struct redis_server server;
    struct test_clock own = {clock_ms(CLOCK_MONOTONIC), clock_ms(CLOCK_REALTIME) + ahead_ms};
    redis_server_start(&server, NULL);
    jtg_cache *cache = open_with_clock(&server, &own);
    tell_server(&server, "CONFIG SET maxmemory 1");
    assert_status(reserve(cache, "a jti", 0, INT64_MIN), JTG_ERR_FULL);
    tell_server(&server, "CONFIG SET maxmemory 0");
    test_clock_advance(&own, 1000);
    int64_t later_ms = later_of(clock_ms(CLOCK_REALTIME), own.wall_ms);
    assert_status(reserve(cache, "a jti", 0, later_ms - 1), JTG_ERR_CONTINUITY);
    assert_int_equal(live_stats(cache).connects, 1);
    assert_true(kept_since(cache) >= later_ms);
    jtg_cache_free(cache);
    redis_server_stop(&server);
}

static void a_loss_is_dated_by_the_later_clock(void **state)
{
    (void)state;
    is_dated_by_the_later_clock(-3600000);
    is_dated_by_the_later_clock(3600000);
}

static void a_late_mark_is_dated_by_the_later_clock(void **state)
{
    (void)state;
    is_marked_late_by_the_later_clock(-3600000);
    is_marked_late_by_the_later_clock(3600000);
}

static void what_cannot_be_vouched_for(void **state)
{
    struct fixture f;
    jtg_cache *unwatched = NULL;
    jtg_error err = JTG_ERROR_INIT;
    (void)state;
    start(&f, NULL, "");
    int64_t tomorrow_ms = clock_ms(CLOCK_REALTIME) + INT64_C(86400000);
    assert_status(jtg_redis_vouch(f.one, tomorrow_ms, &err), JTG_ERR_ARGUMENT);
    assert_err_tells(&err, JTG_ERR_ARGUMENT);
    assert_status(jtg_redis_vouch(f.one, -1, NULL), JTG_ERR_ARGUMENT);
    assert_status(jtg_redis_vouch(NULL, 0, NULL), JTG_ERR_ARGUMENT);
    size_t len = strlen(f.uri);
    (void)snprintf(f.uri + len, sizeof f.uri - len, "&continuity=no");
    assert_status(jtg_redis_new_uri(&unwatched, f.uri, NULL), JTG_OK);
    assert_status(jtg_redis_vouch(unwatched, 0, &err), JTG_ERR_UNSUPPORTED);
    assert_int_equal(live_stats(unwatched).watches, 0);
    assert_int_equal(live_stats(unwatched).kept_since_ms, JTG_REDIS_UNSTATED);
    jtg_cache_free(unwatched);
    tell(&f, "CONFIG SET maxmemory 1");
    assert_status(jtg_redis_vouch(f.one, 0, &err), JTG_ERR_FULL);
    halt(&f);
}

/* ---- what else is seen of it ---- */

static void the_marker_is_not_counted_and_is_cleared(void **state)
{
    struct fixture f;
    uint64_t counted = 9;
    (void)state;
    start_with(&f, NULL);
    assert_status(jtg_cache_count(f.one, &counted, NULL), JTG_OK);
    assert_int_equal(counted, 1);
    assert_status(jtg_cache_clear(f.one, NULL), JTG_OK);
    await_line(&f.server, "DBSIZE", ":0");
    assert_status(reserve(f.other, "used", 1, f.since_ms), JTG_ERR_CONTINUITY);
    halt(&f);
}

static void a_loss_has_a_name(void **state)
{
    (void)state;
    assert_string_equal(jtg_redis_loss_name(JTG_REDIS_LOSS_NONE), "none");
    assert_string_equal(jtg_redis_loss_name(JTG_REDIS_LOSS_NO_MARKER), "no_marker");
    assert_string_equal(jtg_redis_loss_name(JTG_REDIS_LOSS_EVICTED), "evicted");
    assert_string_equal(jtg_redis_loss_name((jtg_redis_loss)99), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flushall),
        cmocka_unit_test(flushdb),
        cmocka_unit_test(the_marker_is_deleted),
        cmocka_unit_test(the_marker_is_overwritten),
        cmocka_unit_test(the_databases_are_exchanged),
        cmocka_unit_test(the_databases_are_exchanged_and_both_are_used),
        cmocka_unit_test(plain_reserve_goes_on),
        cmocka_unit_test(statistics_may_be_reset),
        cmocka_unit_test(a_restart_without_data),
        cmocka_unit_test(a_restart_from_an_older_snapshot),
        cmocka_unit_test(a_restart_with_all_data),
        cmocka_unit_test(a_replica_for_a_moment),
        cmocka_unit_test(a_replica_with_anothers_data),
        cmocka_unit_test(an_eviction),
        cmocka_unit_test(a_server_that_begins_to_evict),
        cmocka_unit_test(a_server_that_may_begin_to_evict),
        cmocka_unit_test(what_an_unsafe_server_has_stored_is_its_owners),
        cmocka_unit_test(a_marker_that_may_not_be_read),
        cmocka_unit_test(a_full_server_is_marked_later),
        cmocka_unit_test(an_operator_vouches),
        cmocka_unit_test(a_loss_after_vouching_counts),
        cmocka_unit_test(a_vouch_does_not_cover_what_came_behind_its_look),
        cmocka_unit_test(what_cannot_be_vouched_for),
        cmocka_unit_test(a_loss_is_dated_by_the_later_clock),
        cmocka_unit_test(a_late_mark_is_dated_by_the_later_clock),
        cmocka_unit_test(the_marker_is_not_counted_and_is_cleared),
        cmocka_unit_test(a_loss_has_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
