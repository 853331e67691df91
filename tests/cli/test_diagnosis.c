/* SPDX-License-Identifier: Apache-2.0 */
/* Every finding about a Redis, at every level that it can have. A case takes a server on which all
 * is well and spoils one thing. */
#include "diagnosis.h"
#include "support/asserts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct bench {
    jtg_redis_server server;
    struct redis_facts facts;
};

/* Two days after 1970 began: a store that was vouched for has no doubtful tokens any more. */
enum { NOW_S = 172800 };

static void make_good(struct bench *bench)
{
    *bench = (struct bench){
        .server = {.struct_size = sizeof bench->server,
                   .software = "redis",
                   .version = "7.0.15",
                   .mode = "standalone",
                   .role = "master",
                   .run_id = "0a283a161e77",
                   .policy = "noeviction",
                   .maxmemory_bytes = 1000 << 20,
                   .used_memory_bytes = 100 << 20,
                   .uptime_s = 100,
                   .aof_enabled = 1,
                   .rdb_last_save_s = NOW_S - 60,
                   .rdb_last_save_ok = 1,
                   .latency_us = 90,
                   .clock_offset_ms = -3,
                   .clock_offset_known = 1,
                   .tls = 1,
                   .connected_replicas = 0,
                   .waitaof = 1},
        .facts = {.described = true,
                  .answer_text = "done",
                  .probe_text = "done",
                  .watches = true,
                  .kept_text = "done",
                  .kept_since_ms = 0,
                  .loss = "none",
                  .ready_text = "done",
                  .future_leeway_s = 30,
                  .route = ROUTE_NETWORK,
                  .login = true,
                  .timeout_ms = 500,
                  .margin_s = 60,
                  .max_lifetime_s = 86400,
                  .now_s = NOW_S},
    };
    bench->facts.server = &bench->server;
}

/* ---- what may be wrong ---- */

static void ancient(struct bench *b)
{
    strcpy(b->server.version, "6.0.16");
}
static void older(struct bench *b)
{
    strcpy(b->server.version, "5.0");
}
static void oldest_good(struct bench *b)
{
    strcpy(b->server.version, "6.2.0");
}
static void two_digits(struct bench *b)
{
    strcpy(b->server.version, "10.0.0");
}
static void valkey(struct bench *b)
{
    strcpy(b->server.software, "valkey");
    strcpy(b->server.version, "1.0.0");
}
static void no_version(struct bench *b)
{
    b->server.software[0] = '\0';
    b->server.version[0] = '\0';
}
static void cluster(struct bench *b)
{
    strcpy(b->server.mode, "cluster");
}
static void sentinel(struct bench *b)
{
    strcpy(b->server.mode, "sentinel");
}
static void no_mode(struct bench *b)
{
    b->server.mode[0] = '\0';
}
static void replica(struct bench *b)
{
    strcpy(b->server.role, "slave");
}
static void no_role(struct bench *b)
{
    b->server.role[0] = '\0';
}
static void loading(struct bench *b)
{
    b->server.loading = 1;
}
static void loading_unstated(struct bench *b)
{
    b->server.loading = JTG_REDIS_UNSTATED;
}
static void evicts(struct bench *b)
{
    strcpy(b->server.policy, "volatile-lru");
    b->server.evicts = 1;
}
static void evicts_unstated(struct bench *b)
{
    b->server.policy[0] = '\0';
    b->server.maxmemory_bytes = JTG_REDIS_UNSTATED;
    b->server.evicts = 1;
}
static void evicts_by_limit(struct bench *b)
{
    b->server.maxmemory_bytes = JTG_REDIS_UNSTATED;
    b->server.evicts = 1;
}
static void would_evict(struct bench *b)
{
    strcpy(b->server.policy, "allkeys-lru");
    b->server.maxmemory_bytes = 0;
}
static void evicted(struct bench *b)
{
    b->server.evicted_keys = 1;
}
static void evicted_unstated(struct bench *b)
{
    b->server.evicted_keys = JTG_REDIS_UNSTATED;
}
static void no_limit(struct bench *b)
{
    b->server.maxmemory_bytes = 0;
}
static void memory_unstated(struct bench *b)
{
    b->server.used_memory_bytes = JTG_REDIS_UNSTATED;
}
static void limit_unstated(struct bench *b)
{
    b->server.maxmemory_bytes = JTG_REDIS_UNSTATED;
}
static void nearly_full(struct bench *b)
{
    b->server.used_memory_bytes = 901 << 20;
}
static void just_roomy(struct bench *b)
{
    b->server.used_memory_bytes = 900 << 20;
}
static void full(struct bench *b)
{
    b->server.used_memory_bytes = 1000 << 20;
}
static void over_full(struct bench *b)
{
    b->server.used_memory_bytes = 1001 << 20;
}
static void no_aof(struct bench *b)
{
    b->server.aof_enabled = 0;
}
static void aof_unstated(struct bench *b)
{
    b->server.aof_enabled = JTG_REDIS_UNSTATED;
}
static void no_aof_unwatched(struct bench *b)
{
    b->server.aof_enabled = 0;
    b->facts.watches = false;
}
static void aof_unstated_unwatched(struct bench *b)
{
    b->server.aof_enabled = JTG_REDIS_UNSTATED;
    b->facts.watches = false;
}
static void evicted_unwatched(struct bench *b)
{
    b->server.evicted_keys = 1;
    b->facts.watches = false;
}
static void no_aof_but_old(struct bench *b)
{
    b->server.aof_enabled = 0;
    b->server.uptime_s = 86400;
}
static void save_failed(struct bench *b)
{
    b->server.rdb_last_save_ok = 0;
}
static void save_unstated(struct bench *b)
{
    b->server.rdb_last_save_s = JTG_REDIS_UNSTATED;
}
static void save_ok_unstated(struct bench *b)
{
    b->server.rdb_last_save_ok = JTG_REDIS_UNSTATED;
}
static void uptime_unstated(struct bench *b)
{
    b->server.uptime_s = JTG_REDIS_UNSTATED;
}
static void replicas(struct bench *b)
{
    b->server.connected_replicas = 2;
}
static void replicas_unstated(struct bench *b)
{
    b->server.connected_replicas = JTG_REDIS_UNSTATED;
}
static void lacks(struct bench *b)
{
    strcpy(b->server.missing_commands, "eval evalsha");
}
static void renamed(struct bench *b)
{
    strcpy(b->server.unknown_commands, "eval");
}
static void slow(struct bench *b)
{
    b->server.latency_us = 125001;
}
static void just_quick(struct bench *b)
{
    b->server.latency_us = 125000;
}
static void latency_unstated(struct bench *b)
{
    b->server.latency_us = JTG_REDIS_UNSTATED;
}
static void far_ahead(struct bench *b)
{
    b->server.clock_offset_ms = 60001;
}
static void far_behind(struct bench *b)
{
    b->server.clock_offset_ms = -60001;
}
static void beyond_measure(struct bench *b)
{
    b->server.clock_offset_ms = INT64_MIN;
}
static void within_margin(struct bench *b)
{
    b->server.clock_offset_ms = 60000;
}
static void a_second_off(struct bench *b)
{
    b->server.clock_offset_ms = -1000;
}
static void no_clock(struct bench *b)
{
    b->server.clock_offset_known = 0;
}
static void in_clear(struct bench *b)
{
    b->server.tls = 0;
}
static void on_loopback(struct bench *b)
{
    b->server.tls = 0;
    b->facts.route = ROUTE_LOOPBACK;
}
static void on_socket(struct bench *b)
{
    b->server.tls = 0;
    b->facts.route = ROUTE_SOCKET;
}
static void no_login(struct bench *b)
{
    b->facts.login = false;
}
static void no_login_here(struct bench *b)
{
    b->facts.login = false;
    b->facts.route = ROUTE_LOOPBACK;
}
static void probe_fails(struct bench *b)
{
    b->facts.probe = JTG_ERR_FULL;
    b->facts.probe_text = "redis: the server's memory is full";
}
static void unwatched(struct bench *b)
{
    b->facts.watches = false;
}
static void watch_fails(struct bench *b)
{
    b->facts.kept = JTG_ERR_REFUSED;
    b->facts.kept_text = "redis: the ACL user may not";
}
static void lost_just_now(struct bench *b)
{
    b->facts.kept_since_ms = INT64_C(1000) * NOW_S - 89999;
    b->facts.loss = "restarted";
}
static void lost_lately(struct bench *b)
{
    b->facts.kept_since_ms = INT64_C(1000) * NOW_S - 90000;
    b->facts.loss = "promoted";
}
static void lost_a_day_ago(struct bench *b)
{
    b->facts.kept_since_ms = INT64_C(1000) * (NOW_S - 86400 - 60);
}
static void not_quite_a_day_ago(struct bench *b)
{
    b->facts.kept_since_ms = INT64_C(1000) * (NOW_S - 86400 - 60) + 1;
}
static void vouched_for_ever(struct bench *b)
{
    b->facts.kept_since_ms = INT64_MIN;
}
static void knows_nothing_yet(struct bench *b)
{
    b->facts.kept_since_ms = INT64_MAX;
}
static void as_cluster(struct bench *b)
{
    b->facts.topology = TOPOLOGY_CLUSTER;
    strcpy(b->server.mode, "cluster");
    b->server.nodes_known = 3;
    b->server.slots_covered = 16384;
}
static void cluster_with_a_hole(struct bench *b)
{
    as_cluster(b);
    b->server.slots_covered = 16383;
}
static void no_cluster_after_all(struct bench *b)
{
    b->facts.topology = TOPOLOGY_CLUSTER;
}
static void with_sentinels(struct bench *b)
{
    b->facts.topology = TOPOLOGY_SENTINEL;
    b->server.sentinels_known = 3;
    b->server.sentinels_total = 3;
}
static void looked_often(struct bench *b)
{
    b->facts.looks = 8;
    b->facts.servers = 1;
}
static void several_servers(struct bench *b)
{
    b->facts.looks = 8;
    b->facts.servers = 2;
}
static void a_sentinel_is_missing(struct bench *b)
{
    with_sentinels(b);
    b->server.sentinels_known = 2;
}
static void no_majority(struct bench *b)
{
    with_sentinels(b);
    b->server.sentinels_known = 1;
}
static void half_of_the_sentinels(struct bench *b)
{
    with_sentinels(b);
    b->server.sentinels_known = 2;
    b->server.sentinels_total = 4;
}
static void two_sentinels(struct bench *b)
{
    with_sentinels(b);
    b->server.sentinels_known = 2;
    b->server.sentinels_total = 2;
}
static void asks_two_has_three(struct bench *b)
{
    b->facts.replicas = 2;
    b->server.connected_replicas = 3;
}
static void asks_two_has_two(struct bench *b)
{
    b->facts.replicas = 2;
    b->server.connected_replicas = 2;
}
static void asks_two_has_one(struct bench *b)
{
    b->facts.replicas = 2;
    b->server.connected_replicas = 1;
}
static void asks_two_unstated(struct bench *b)
{
    b->facts.replicas = 2;
    b->server.connected_replicas = JTG_REDIS_UNSTATED;
}
static void asks_for_the_disk(struct bench *b)
{
    b->facts.fsync = true;
}
static void disk_without_waitaof(struct bench *b)
{
    b->facts.fsync = true;
    b->server.waitaof = 0;
}
static void disk_without_aof(struct bench *b)
{
    b->facts.fsync = true;
    b->server.aof_enabled = 0;
}
static void replicas_unwatched(struct bench *b)
{
    b->server.connected_replicas = 2;
    b->facts.watches = false;
}
static void not_ready(struct bench *b)
{
    b->facts.ready = JTG_ERR_REFUSED;
    b->facts.ready_text = "redis: the ACL user may not probe";
}
static void not_ready_and_unwatched(struct bench *b)
{
    not_ready(b);
    b->facts.watches = false;
}
static void unreachable(struct bench *b)
{
    memset(&b->server, 0, sizeof b->server);
    b->facts.described = false;
    b->facts.answer = b->facts.probe = JTG_ERR_UNAVAILABLE;
    b->facts.answer_text = b->facts.probe_text = "redis: cannot connect";
}
static void unexplained(struct bench *b)
{
    b->facts.answer = JTG_ERR_TIMEOUT;
    b->facts.answer_text = "redis: time ran out";
}

/* ---- the cases ---- */

struct diagnosis_case {
    void (*spoil)(struct bench *bench);
    const char *check;
    enum finding_level level;
    const char *value; /* A part of it. */
};

static const struct diagnosis_case cases[] = {
    {ancient, "version", LEVEL_WARNING, "redis 6.0.16"},
    {older, "version", LEVEL_WARNING, "redis 5.0"},
    {oldest_good, "version", LEVEL_OK, "redis 6.2.0"},
    {two_digits, "version", LEVEL_OK, "redis 10.0.0"},
    {valkey, "version", LEVEL_OK, "valkey 1.0.0"},
    {no_version, "version", LEVEL_WARNING, "not stated"},
    {cluster, "mode", LEVEL_FAILURE, "cluster"},
    {sentinel, "mode", LEVEL_FAILURE, "sentinel"},
    {no_mode, "mode", LEVEL_WARNING, "not stated"},
    {replica, "role", LEVEL_FAILURE, "replica"},
    {no_role, "role", LEVEL_FAILURE, "not stated"},
    {loading, "loading", LEVEL_FAILURE, "yes"},
    {loading_unstated, "loading", LEVEL_FAILURE, "not stated"},
    {evicts, "eviction", LEVEL_FAILURE, "volatile-lru, limit set"},
    {evicts_by_limit, "eviction", LEVEL_FAILURE, "noeviction, limit not stated"},
    {evicts_unstated, "eviction", LEVEL_FAILURE, "not stated, limit not stated"},
    {would_evict, "eviction", LEVEL_WARNING, "allkeys-lru, without a limit"},
    {evicted, "evicted_keys", LEVEL_WARNING, "1 since it started"},
    {evicted_unwatched, "evicted_keys", LEVEL_FAILURE, "1 since it started"},
    {evicted_unstated, "evicted_keys", LEVEL_WARNING, "not stated"},
    {no_limit, "memory", LEVEL_NOTE, "100.0 MiB used, no limit"},
    {memory_unstated, "memory", LEVEL_WARNING, "not stated"},
    {limit_unstated, "memory", LEVEL_WARNING, "not stated"},
    {nearly_full, "memory", LEVEL_WARNING,
     "901.0 of 1000.0 MiB used, room for about 519045 tokens"},
    {just_roomy, "memory", LEVEL_OK, "900.0 of 1000.0 MiB"},
    {full, "memory", LEVEL_FAILURE, "room for about 0 tokens"},
    {over_full, "memory", LEVEL_FAILURE, "room for about 0 tokens"},
    {no_aof, "persistence", LEVEL_NOTE, "no append-only file"},
    {aof_unstated, "persistence", LEVEL_NOTE, "not stated"},
    {no_aof_unwatched, "persistence", LEVEL_WARNING, "no append-only file"},
    {aof_unstated_unwatched, "persistence", LEVEL_WARNING, "not stated"},
    {no_aof, "snapshot", LEVEL_NOTE, "60 s ago"},
    {save_failed, "snapshot", LEVEL_WARNING, "failed"},
    {save_unstated, "snapshot", LEVEL_NOTE, "not stated"},
    {save_ok_unstated, "snapshot", LEVEL_NOTE, "not stated"},
    {no_aof, "uptime", LEVEL_OK, "100 s, run id 0a283a161e77"},
    {no_aof_unwatched, "uptime", LEVEL_WARNING, "100 s, run id 0a283a161e77"},
    {no_aof_but_old, "uptime", LEVEL_OK, "86400 s"},
    {uptime_unstated, "uptime", LEVEL_WARNING, "not stated"},
    {replicas, "replicas", LEVEL_NOTE, "2 connected, none asked"},
    {replicas_unwatched, "replicas", LEVEL_NOTE, "2 connected, none asked"},
    {replicas_unstated, "replicas", LEVEL_NOTE, "not stated"},
    {asks_two_has_three, "replicas", LEVEL_OK, "2 asked, 3 connected"},
    {asks_two_has_two, "replicas", LEVEL_NOTE, "2 asked, 2 connected"},
    {asks_two_has_one, "replicas", LEVEL_FAILURE, "2 asked, 1 connected"},
    {asks_two_unstated, "replicas", LEVEL_WARNING, "2 asked, not stated"},
    {asks_for_the_disk, "fsync", LEVEL_OK, "WAITAOF"},
    {disk_without_waitaof, "fsync", LEVEL_FAILURE, "does not know WAITAOF"},
    {disk_without_aof, "fsync", LEVEL_FAILURE, "no append-only file"},
    {as_cluster, "mode", LEVEL_OK, "cluster"},
    {as_cluster, "cluster", LEVEL_OK, "3 primaries, 16384 of 16384 slots"},
    {cluster_with_a_hole, "cluster", LEVEL_FAILURE, "16383 of 16384 slots"},
    {no_cluster_after_all, "mode", LEVEL_FAILURE, "standalone"},
    {with_sentinels, "mode", LEVEL_OK, "standalone"},
    {with_sentinels, "sentinels", LEVEL_OK, "3 of 3 agree"},
    {looked_often, "identity", LEVEL_OK, "1 server in 8 looks"},
    {several_servers, "identity", LEVEL_FAILURE, "2 servers in 8 looks"},
    {a_sentinel_is_missing, "sentinels", LEVEL_WARNING, "2 of 3 agree"},
    {no_majority, "sentinels", LEVEL_FAILURE, "1 of 3 agree"},
    {half_of_the_sentinels, "sentinels", LEVEL_FAILURE, "2 of 4 agree"},
    {two_sentinels, "quorum", LEVEL_WARNING, "2 named"},
    {unwatched, "continuity", LEVEL_WARNING, "off"},
    {watch_fails, "continuity", LEVEL_FAILURE, "the ACL user may not"},
    {lost_just_now, "continuity", LEVEL_WARNING,
     "since 1970-01-02T23:58:31Z, noticed: restarted; admits tokens issued from "
     "1970-01-03T00:00:01Z, without iat those that expire from 1970-01-03T23:59:31Z"},
    {lost_lately, "continuity", LEVEL_NOTE, "noticed: promoted"},
    {lost_a_day_ago, "continuity", LEVEL_OK, "kept everything since 1970-01-01T23:59:00Z"},
    {not_quite_a_day_ago, "continuity", LEVEL_NOTE, "kept everything since"},
    {vouched_for_ever, "continuity", LEVEL_OK, "kept everything"},
    {knows_nothing_yet, "continuity", LEVEL_WARNING, "kept everything since 9999-12-31"},
    {renamed, "commands", LEVEL_FAILURE, "unknown, for renamed or switched off: eval"},
    {lacks, "acl", LEVEL_FAILURE, "eval evalsha"},
    {slow, "latency", LEVEL_WARNING, "125001 us a round trip, of a timeout of 500 ms"},
    {just_quick, "latency", LEVEL_OK, "125000 us"},
    {latency_unstated, "latency", LEVEL_WARNING, "could not be measured"},
    {far_ahead, "clock", LEVEL_WARNING, "+60001 ms from ours, more than the margin of 60 s"},
    {far_behind, "clock", LEVEL_WARNING, "-60001 ms"},
    {beyond_measure, "clock", LEVEL_WARNING, "more than the margin"},
    {within_margin, "clock", LEVEL_NOTE, "+60000 ms"},
    {a_second_off, "clock", LEVEL_OK, "-1000 ms"},
    {no_clock, "clock", LEVEL_WARNING, "not stated"},
    {in_clear, "tls", LEVEL_WARNING, "in clear, over the network"},
    {on_loopback, "tls", LEVEL_OK, "in clear, on this host"},
    {on_socket, "tls", LEVEL_OK, "unix socket"},
    {no_login, "login", LEVEL_WARNING, "none, over the network"},
    {no_login_here, "login", LEVEL_NOTE, "none, on this host"},
    {probe_fails, "reserve", LEVEL_FAILURE, "memory is full"},
    {not_ready, "ready", LEVEL_FAILURE, "the ACL user may not probe"},
    {not_ready_and_unwatched, "ready", LEVEL_FAILURE, "the ACL user may not probe"},
    {unreachable, "connection", LEVEL_FAILURE, "cannot connect"},
    {unexplained, "examination", LEVEL_FAILURE, "time ran out"},
};

static const struct finding *find(const struct findings *findings, const char *check)
{
    for (size_t i = 0; i < findings->count; i++)
        if (strcmp(findings->list[i].check, check) == 0)
            return &findings->list[i];
    return NULL;
}

static void judges_each_fact(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct findings findings = {.count = 0};
        struct bench bench;
        make_good(&bench);
        cases[i].spoil(&bench);
        diagnose_redis(&findings, &bench.facts);
        const struct finding *finding = find(&findings, cases[i].check);
        if (finding == NULL || finding->level != cases[i].level ||
            strstr(finding->value, cases[i].value) == NULL)
            fail_msg("case %zu: %s: %s", i, cases[i].check,
                     finding == NULL ? "absent" : finding->value);
        if (cases[i].level >= LEVEL_WARNING)
            assert_true(finding != NULL && *finding->meaning != '\0' && *finding->advice != '\0');
    }
}

static bool is_said_only_where_it_matters(const char *check)
{
    static const char *const some[] = {"examination", "identity", "commands", "sentinels",
                                       "quorum",      "cluster",  "fsync"};
    for (size_t i = 0; i < sizeof some / sizeof *some; i++)
        if (strcmp(check, some[i]) == 0)
            return true;
    return false;
}

/* There is a level "ok" of each check, and all of them fit. */
static void finds_nothing_wrong_with_a_good_server(void **state)
{
    (void)state;
    struct findings findings = {.count = 0};
    struct bench bench;
    make_good(&bench);
    diagnose_redis(&findings, &bench.facts);
    for (size_t i = 0; i < findings.count; i++)
        if (findings.list[i].level != LEVEL_OK)
            fail_msg("%s: %s", findings.list[i].check, findings.list[i].value);
    assert_in_range(findings.count, 18, FINDINGS_MAX - 1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (!is_said_only_where_it_matters(cases[i].check))
            assert_non_null(find(&findings, cases[i].check));
}

/* What is set already is not what is advised. */
static void advises_the_setting_that_is_missing(void **state)
{
    static const struct {
        void (*spoil)(struct bench *bench);
        const char *advice;
    } advised[] = {
        {evicts, "maxmemory-policy noeviction"},
        {evicts_unstated, "maxmemory-policy noeviction"},
        {evicts_by_limit, "let the server state maxmemory"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof advised / sizeof *advised; i++) {
        struct findings findings = {.count = 0};
        struct bench bench;
        make_good(&bench);
        advised[i].spoil(&bench);
        diagnose_redis(&findings, &bench.facts);
        assert_non_null(strstr(find(&findings, "eviction")->advice, advised[i].advice));
    }
}

/* Of a server that was not reached nothing is claimed. */
static void says_nothing_of_a_server_that_it_did_not_see(void **state)
{
    (void)state;
    struct findings findings = {.count = 0};
    struct bench bench;
    make_good(&bench);
    unreachable(&bench);
    diagnose_redis(&findings, &bench.facts);
    assert_int_equal(findings.count, 2);
    assert_non_null(find(&findings, "connection"));
    assert_non_null(find(&findings, "login"));
    assert_string_equal(findings_verdict(&findings), "failure");
}

static void knows_how_a_server_is_reached(void **state)
{
    (void)state;
    static const struct {
        const char *host;
        enum route route;
    } hosts[] = {{NULL, ROUTE_LOOPBACK},
                 {"localhost", ROUTE_LOOPBACK},
                 {"127.0.0.1", ROUTE_LOOPBACK},
                 {"127.1.2.3", ROUTE_LOOPBACK},
                 {"::1", ROUTE_LOOPBACK},
                 {"127.example.com", ROUTE_NETWORK},
                 {"::2", ROUTE_NETWORK},
                 {"10.0.0.1", ROUTE_NETWORK},
                 {"localhost.example.com", ROUTE_NETWORK}};
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        options.host = hosts[i].host;
        assert_int_equal(route_of(&options), hosts[i].route);
    }
    options.host = NULL;
    options.sentinels = "127.0.0.1:1,[::1]:2,localhost";
    assert_int_equal(route_of(&options), ROUTE_LOOPBACK);
    assert_int_equal(topology_of(&options), TOPOLOGY_SENTINEL);
    options.sentinels = "127.0.0.1:1,10.0.0.1";
    assert_int_equal(route_of(&options), ROUTE_NETWORK);
    options.sentinels = NULL;
    options.cluster_nodes = "[2001:db8::1]:6379,localhost";
    assert_int_equal(route_of(&options), ROUTE_NETWORK);
    assert_int_equal(topology_of(&options), TOPOLOGY_CLUSTER);
    options.cluster_nodes = NULL;
    assert_int_equal(topology_of(&options), TOPOLOGY_SINGLE);
    options.unix_path = "/run/redis";
    assert_int_equal(route_of(&options), ROUTE_SOCKET);
}

static void judges_the_memory_store(void **state)
{
    (void)state;
    struct findings findings = {.count = 0};
    struct settings settings;
    settings_init(&settings);
    diagnose_memory(&findings, &settings, JTG_OK);
    assert_string_equal(findings_verdict(&findings), "ok");
    assert_int_equal(find(&findings, "scope")->level, LEVEL_NOTE);
    assert_string_equal(find(&findings, "memory")->value, "at most 16777216 tokens");
    findings.count = 0;
    diagnose_memory(&findings, &settings, JTG_ERR_MEMORY);
    assert_int_equal(find(&findings, "reserve")->level, LEVEL_FAILURE);
}

/* Each check has its row in the operators' page. */
static void all_checks_are_in_the_manual(void **state)
{
    (void)state;
    char line[4096];
    size_t rows[sizeof cases / sizeof *cases] = {0};
    FILE *page = fopen(JTIGUARD_OPERATIONS, "r");
    assert_non_null(page);
    while (fgets(line, sizeof line, page) != NULL)
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            size_t len = strlen(cases[i].check);
            if (strncmp(line, "| `", 3) == 0 && strncmp(line + 3, cases[i].check, len) == 0 &&
                strncmp(line + 3 + len, "` |", 3) == 0)
                rows[i]++;
        }
    (void)fclose(page);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (rows[i] != 1)
            fail_msg("%s has %zu rows", cases[i].check, rows[i]);
}

int main(void)
{
    (void)setenv("JTIGUARD_STORE", "memory", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judges_each_fact),
        cmocka_unit_test(finds_nothing_wrong_with_a_good_server),
        cmocka_unit_test(advises_the_setting_that_is_missing),
        cmocka_unit_test(says_nothing_of_a_server_that_it_did_not_see),
        cmocka_unit_test(knows_how_a_server_is_reached),
        cmocka_unit_test(judges_the_memory_store),
        cmocka_unit_test(all_checks_are_in_the_manual),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
