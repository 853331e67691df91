/* SPDX-License-Identifier: Apache-2.0 */
/* Does the server keep what it is given? */
#include "diagnosis.h"

#include "digits.h"

#include <inttypes.h>
#include <string.h>

static const char *or_unstated(const char *text)
{
    return *text != '\0' ? text : "not stated";
}

/* 6.2 is the oldest Redis that this is tested against; every Valkey is younger. */
static bool is_too_old(const jtg_redis_server *server)
{
    const char *at = server->version;
    const char *end = at + strlen(at);
    uint64_t major = 0;
    uint64_t minor = 0;
    if (digits_take(&at, end, UINT32_MAX, &major) && *at++ == '.')
        (void)digits_take(&at, end, UINT32_MAX, &minor);
    return strcmp(server->software, "redis") == 0 && (major < 6 || (major == 6 && minor < 2));
}

static void judge_version(struct findings *findings, const jtg_redis_server *server)
{
    if (server->version[0] == '\0')
        findings_add(findings, "version", LEVEL_WARNING, "it may not be a Redis at all",
                     "use Redis from 6.2 or Valkey", "not stated");
    else if (is_too_old(server))
        findings_add(findings, "version", LEVEL_WARNING,
                     "this version is not among those that the guard is tested with",
                     "use Redis from 6.2 or Valkey", "%s %s", server->software, server->version);
    else
        findings_add(findings, "version", LEVEL_OK, "a version that the guard is made for", "",
                     "%s %s", server->software, server->version);
}

static void judge_role(struct findings *findings, const jtg_redis_server *server)
{
    if (strcmp(server->role, "master") == 0)
        findings_add(findings, "role", LEVEL_OK, "it decides by itself what is reserved", "",
                     "primary");
    else
        findings_add(findings, "role", LEVEL_FAILURE,
                     "only a primary knows what is reserved; every token is refused",
                     "give the address of the primary", "%s",
                     strcmp(server->role, "slave") == 0 ? "replica" : or_unstated(server->role));
}

static void judge_loading(struct findings *findings, const jtg_redis_server *server)
{
    if (server->loading == 0)
        findings_add(findings, "loading", LEVEL_OK, "its data set is complete", "", "no");
    else
        findings_add(findings, "loading", LEVEL_FAILURE,
                     "until it has read its data set it knows of no reservation, and is refused",
                     "wait", "%s", server->loading == 1 ? "yes" : "not stated");
}

static void judge_eviction(struct findings *findings, const jtg_redis_server *server)
{
    static const char advice[] = "set maxmemory-policy noeviction, and give it memory enough";
    const char *policy = or_unstated(server->policy);
    bool is_set = strcmp(policy, "noeviction") == 0;
    if (server->evicts == 1)
        findings_add(findings, "eviction", LEVEL_FAILURE,
                     "under memory pressure it removes live reservations, and each can be admitted "
                     "again; the volatile policies too, for every reservation has a time to live",
                     is_set ? "let the server state maxmemory in INFO, once" : advice,
                     "%s, limit %s", policy,
                     server->maxmemory_bytes == JTG_REDIS_UNSTATED ? "not stated" : "set");
    else if (is_set)
        findings_add(findings, "eviction", LEVEL_OK, "when full it refuses and forgets nothing", "",
                     "noeviction");
    else
        findings_add(findings, "eviction", LEVEL_WARNING,
                     "it evicts from the day on that maxmemory is set, and is refused then", advice,
                     "%s, without a limit", policy);
}

static void judge_evicted(struct findings *findings, const struct redis_facts *facts)
{
    const jtg_redis_server *server = facts->server;
    static const char meaning[] =
        "reservations may be among them, and each of those can be admitted again";
    if (server->evicted_keys == 0)
        findings_add(findings, "evicted_keys", LEVEL_OK, "nothing was evicted since it started", "",
                     "0");
    else if (server->evicted_keys == JTG_REDIS_UNSTATED)
        findings_add(findings, "evicted_keys", LEVEL_WARNING, meaning,
                     "let the server state evicted_keys in INFO", "not stated");
    else
        findings_add(findings, "evicted_keys", facts->watches ? LEVEL_WARNING : LEVEL_FAILURE,
                     facts->watches ? "reservations may be among them: when it evicts, tokens that "
                                      "may have been used before are refused, up to a second late"
                                    : meaning,
                     "set noeviction; when the longest life of a token has passed since, "
                     "CONFIG RESETSTAT",
                     "%" PRIu64 " since it started", server->evicted_keys);
}

static double mebibytes(uint64_t bytes)
{
    return (double)bytes / 1048576.0;
}

static void judge_unlimited(struct findings *findings, const jtg_redis_server *server)
{
    if (server->used_memory_bytes == JTG_REDIS_UNSTATED ||
        server->maxmemory_bytes == JTG_REDIS_UNSTATED) {
        findings_add(findings, "memory", LEVEL_WARNING,
                     "nobody can say when it is full, and refuses",
                     "let the server state its memory in INFO", "not stated");
        return;
    }
    findings_add(findings, "memory", LEVEL_NOTE,
                 "the host's memory is its limit: beyond it the kernel kills it, and it comes back "
                 "with what its persistence kept",
                 "set maxmemory below the host's memory, with noeviction",
                 "%.1f MiB used, no limit", mebibytes(server->used_memory_bytes));
}

static void judge_memory(struct findings *findings, const jtg_redis_server *server)
{
    uint64_t used = server->used_memory_bytes;
    uint64_t limit = server->maxmemory_bytes;
    if (used == JTG_REDIS_UNSTATED || limit == JTG_REDIS_UNSTATED || limit == 0) {
        judge_unlimited(findings, server);
        return;
    }
    uint64_t room = used < limit ? limit - used : 0;
    bool scarce = room < limit / 10;
    findings_add(findings, "memory",
                 room == 0 ? LEVEL_FAILURE
                 : scarce  ? LEVEL_WARNING
                           : LEVEL_OK,
                 "when it is full, new tokens are refused (store_full) until others end",
                 scarce ? "raise maxmemory, or shorten what lives in it" : "",
                 "%.1f of %.1f MiB used, room for about %" PRIu64 " tokens", mebibytes(used),
                 mebibytes(limit), room / DIAGNOSIS_BYTES_PER_TOKEN);
}

static void judge_persistence(struct findings *findings, const struct redis_facts *facts)
{
    const jtg_redis_server *server = facts->server;
    if (server->aof_enabled == 1)
        findings_add(findings, "persistence", LEVEL_OK,
                     "a restart keeps all but what appendfsync leaves open: up to a second with "
                     "everysec, nothing with always; which of them, nobody can see from outside",
                     "", "append-only file");
    else
        findings_add(
            findings, "persistence", facts->watches ? LEVEL_NOTE : LEVEL_WARNING,
            facts->watches
                ? "a restart forgets what came after the last snapshot; that is noticed, and "
                  "tokens that may have been used before it are refused"
                : "a restart forgets what came after the last snapshot, and each of those "
                  "tokens can be admitted again",
            "set appendonly yes and appendfsync always (or everysec, and accept a second)", "%s",
            server->aof_enabled == 0 ? "no append-only file" : "not stated");
}

static void judge_snapshot(struct findings *findings, const struct redis_facts *facts)
{
    const jtg_redis_server *server = facts->server;
    if (server->rdb_last_save_ok == 0)
        findings_add(findings, "snapshot", LEVEL_WARNING,
                     "its disk may be full or broken; with stop-writes-on-bgsave-error it refuses "
                     "every token",
                     "look into the server's log", "the last one failed");
    else if (server->rdb_last_save_s == JTG_REDIS_UNSTATED ||
             server->rdb_last_save_ok == JTG_REDIS_UNSTATED)
        findings_add(findings, "snapshot", LEVEL_NOTE, "how old its copy on disk is, is unknown",
                     "", "not stated");
    else
        findings_add(findings, "snapshot", server->aof_enabled == 1 ? LEVEL_OK : LEVEL_NOTE,
                     "without an append-only file, a restart goes back to it (or to its start, if "
                     "there was none since)",
                     "", "last one, or start, %" PRId64 " s ago",
                     facts->now_s - (int64_t)server->rdb_last_save_s);
}

/* A restart within the life of a token may have forgotten it. */
static void judge_uptime(struct findings *findings, const struct redis_facts *facts)
{
    const jtg_redis_server *server = facts->server;
    const char *run_id = or_unstated(server->run_id);
    if (server->uptime_s == JTG_REDIS_UNSTATED)
        findings_add(
            findings, "uptime", LEVEL_WARNING, "a restart that forgot reservations would go unseen",
            "let the server state uptime_in_seconds in INFO", "not stated, run id %s", run_id);
    else if (server->uptime_s < facts->max_lifetime_s && server->aof_enabled != 1 &&
             !facts->watches)
        findings_add(findings, "uptime", LEVEL_WARNING,
                     "tokens from before this start may be forgotten, and can be admitted again "
                     "until they expire",
                     "leave continuity on; or, after a start, refuse tokens issued before it",
                     "%" PRIu64 " s, run id %s", server->uptime_s, run_id);
    else
        findings_add(findings, "uptime", LEVEL_OK, "the run id is new at each start", "",
                     "%" PRIu64 " s, run id %s", server->uptime_s, run_id);
}

void diagnose_server(struct findings *findings, const struct redis_facts *facts)
{
    judge_version(findings, facts->server);
    judge_role(findings, facts->server);
    judge_loading(findings, facts->server);
    judge_eviction(findings, facts->server);
    judge_evicted(findings, facts);
    judge_memory(findings, facts->server);
    judge_persistence(findings, facts);
    judge_snapshot(findings, facts);
    judge_uptime(findings, facts);
}

void diagnose_redis(struct findings *findings, const struct redis_facts *facts)
{
    diagnose_reach(findings, facts);
    if (facts->described) {
        diagnose_server(findings, facts);
        diagnose_topology(findings, facts);
    }
    /* What no check explains is a failure all the same. */
    if (facts->answer != JTG_OK && findings_worst(findings) < LEVEL_FAILURE)
        findings_add(findings, "examination", LEVEL_FAILURE, "what was not seen is not vouched for",
                     "ask again", "%s", facts->answer_text);
}
