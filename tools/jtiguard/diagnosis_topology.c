/* SPDX-License-Identifier: Apache-2.0 */
/* Which servers there are, who confirms a write, and whether a loss is noticed. */
#include "diagnosis.h"

#include "continuity.h"
#include "moment.h"

#include <inttypes.h>
#include <string.h>

enum { CLUSTER_SLOTS = 16384 };

enum topology topology_of(const jtg_redis_options *options)
{
    if (options->cluster_nodes != NULL)
        return TOPOLOGY_CLUSTER;
    return options->sentinels != NULL ? TOPOLOGY_SENTINEL : TOPOLOGY_SINGLE;
}

static void judge_mode(struct findings *findings, const struct redis_facts *facts)
{
    const char *mode = facts->server->mode;
    const char *expected = facts->topology == TOPOLOGY_CLUSTER ? "cluster" : "standalone";
    if (strcmp(mode, expected) == 0)
        findings_add(findings, "mode", LEVEL_OK, "it is what the store's URI says", "", "%s", mode);
    else if (*mode == '\0')
        findings_add(findings, "mode", LEVEL_WARNING,
                     "keys might be spread over servers that do not know of each other",
                     "use a server that says what it is", "not stated");
    else
        findings_add(findings, "mode", LEVEL_FAILURE,
                     "the store's URI means another kind of server; this one is refused",
                     "redis:// for one server, redis+sentinel:// with the addresses of Sentinels, "
                     "redis+cluster:// for a Cluster",
                     "%s", mode);
}

/* A balancer over several primaries, or a name that leads to several, sends each connection to
 * another: one look alone sees nothing of it. */
static void judge_identity(struct findings *findings, const struct redis_facts *facts)
{
    if (facts->topology == TOPOLOGY_CLUSTER || facts->looks < 2)
        return;
    bool one = facts->servers == 1;
    findings_add(findings, "identity", one ? LEVEL_OK : LEVEL_FAILURE,
                 one ? "one server answers, however often it is connected to"
                     : "what one of them has admitted the others do not know: each change between "
                       "them is taken for a loss, and tokens are refused",
                 one ? ""
                     : "lead the address to one primary, not through a balancer over several, and "
                       "ask again in case it was just failed over",
                 "%u server%s in %u looks", facts->servers, one ? "" : "s", facts->looks);
}

/* Two agree and one is silent: nothing is wrong yet. With fewer than half a failover cannot be
 * decided, or it was and these do not know. */
static void judge_sentinels(struct findings *findings, const struct redis_facts *facts)
{
    uint64_t agree = facts->server->sentinels_known;
    uint64_t total = facts->server->sentinels_total;
    if (facts->topology != TOPOLOGY_SENTINEL)
        return;
    bool majority = agree > total / 2;
    findings_add(findings, "sentinels",
                 agree == 0 || !majority ? LEVEL_FAILURE
                 : agree < total         ? LEVEL_WARNING
                                         : LEVEL_OK,
                 majority ? "the primary is the one that most Sentinels name"
                          : "without a majority nobody knows which server is the primary: after a "
                            "failover the old one might still be asked",
                 agree < total ? "see that all Sentinels of the URI run, and watch the same primary"
                               : "",
                 "%" PRIu64 " of %" PRIu64 " agree", agree, total);
    if (total < 3)
        findings_add(findings, "quorum", LEVEL_WARNING,
                     "when one is lost, nobody is left to decide a failover",
                     "run three Sentinels or more, on hosts of their own, and name all in the URI",
                     "%" PRIu64 " named", total);
}

static void judge_cluster(struct findings *findings, const struct redis_facts *facts)
{
    const jtg_redis_server *server = facts->server;
    if (facts->topology != TOPOLOGY_CLUSTER)
        return;
    bool covered = server->slots_covered == CLUSTER_SLOTS;
    findings_add(findings, "cluster", covered ? LEVEL_OK : LEVEL_FAILURE,
                 covered ? "every key has a primary"
                         : "tokens whose key falls into another slot are refused",
                 covered ? "" : "assign the slots: redis-cli --cluster check, --cluster fix",
                 "%" PRIu64 " primaries, %" PRIu64 " of %d slots", server->nodes_known,
                 server->slots_covered, CLUSTER_SLOTS);
}

/* ---- who confirms a write ---- */

static void judge_unasked_replicas(struct findings *findings, const struct redis_facts *facts)
{
    uint64_t connected = facts->server->connected_replicas;
    if (connected == 0)
        findings_add(findings, "replicas", LEVEL_OK, "there is nothing to fail over to", "",
                     "none");
    else if (connected == JTG_REDIS_UNSTATED)
        findings_add(findings, "replicas", LEVEL_NOTE, "whether a failover can happen is unknown",
                     "", "not stated");
    else
        findings_add(findings, "replicas", LEVEL_NOTE,
                     facts->watches
                         ? "a failover forgets the last reservations before it, which is noticed; "
                           "where a partition leaves clients on both sides, the old primary admits "
                           "beside the new one"
                         : "replication is asynchronous: a failover forgets the last reservations "
                           "before it, and each can be admitted again",
                     facts->watches ? "replicas=N in the URI closes that, if only one side can "
                                      "reach so many"
                                    : "leave continuity on",
                     "%" PRIu64 " connected, none asked", connected);
}

static void judge_replicas(struct findings *findings, const struct redis_facts *facts)
{
    uint64_t connected = facts->server->connected_replicas;
    if (facts->replicas == 0) {
        judge_unasked_replicas(findings, facts);
        return;
    }
    if (connected == JTG_REDIS_UNSTATED)
        findings_add(findings, "replicas", LEVEL_WARNING,
                     "with fewer than are asked for, every token is refused (too_few_replicas)",
                     "let the server state connected_slaves in INFO",
                     "%" PRIu32 " asked, not stated how many are connected", facts->replicas);
    else
        findings_add(findings, "replicas",
                     connected < facts->replicas    ? LEVEL_FAILURE
                     : connected == facts->replicas ? LEVEL_NOTE
                                                    : LEVEL_OK,
                     connected < facts->replicas
                         ? "every token is refused (too_few_replicas)"
                         : "when it has fewer than are asked for, every token is refused",
                     connected > facts->replicas
                         ? ""
                         : "connect more replicas than you ask for, so that "
                           "one may fail",
                     "%" PRIu32 " asked, %" PRIu64 " connected", facts->replicas, connected);
}

static void judge_fsync(struct findings *findings, const struct redis_facts *facts)
{
    if (!facts->fsync)
        return;
    bool works = facts->server->waitaof == 1 && facts->server->aof_enabled == 1;
    findings_add(findings, "fsync", works ? LEVEL_OK : LEVEL_FAILURE,
                 works ? "what was admitted is on disk" : "every token is refused (store_unsafe)",
                 works ? "" : "Redis from 7.2 or Valkey, with appendonly yes; or no fsync=yes",
                 "%s",
                 works                         ? "WAITAOF"
                 : facts->server->waitaof != 1 ? "the server does not know WAITAOF"
                                               : "no append-only file");
}

/* ---- continuity ---- */

static void judge_unwatched(struct findings *findings)
{
    findings_add(
        findings, "continuity", LEVEL_WARNING,
        "a restart, a failover, a flush or an exchanged server goes unnoticed, and what was "
        "forgotten is admitted again",
        "leave continuity=no out of the store's URI", "off");
}

static void judge_watched(struct findings *findings, const struct redis_facts *facts)
{
    static const char advice[] =
        "wait; or, if no token was used before or none was forgotten, 'jtiguard vouch' says so";
    char since[MOMENT_TEXT_BYTES];
    char iat[MOMENT_TEXT_BYTES];
    char exp[MOMENT_TEXT_BYTES];
    jtg_guard_options guard = JTG_GUARD_OPTIONS_INIT;
    guard.future_leeway_s = (uint32_t)facts->future_leeway_s;
    guard.retention_margin_s = (uint32_t)facts->margin_s;
    guard.max_lifetime_s = (uint32_t)facts->max_lifetime_s;
    struct continuity_ends ends = continuity_ends_of(&guard, facts->kept_since_ms);
    int64_t now_ms = facts->now_s * 1000;
    moment_to_text(facts->kept_since_ms, since);
    moment_to_text(ends.iat_ms, iat);
    moment_to_text(ends.exp_ms, exp);
    if (now_ms >= ends.exp_ms)
        findings_add(findings, "continuity", LEVEL_OK,
                     "a loss is noticed, and tokens that may have been used before it are refused",
                     "", "kept everything%s%s", facts->kept_since_ms <= 0 ? "" : " since ",
                     facts->kept_since_ms <= 0 ? "" : since);
    else if (now_ms >= ends.iat_ms)
        findings_add(findings, "continuity", LEVEL_NOTE,
                     "older tokens are refused (continuity_lost); new ones pass", advice,
                     "kept everything since %s, noticed: %s; admits tokens issued from %s, without "
                     "iat those that expire from %s",
                     since, facts->loss, iat, exp);
    else
        findings_add(findings, "continuity", LEVEL_WARNING,
                     "the store is new, or has forgotten: until then every token is refused "
                     "(continuity_lost)",
                     advice,
                     "kept everything since %s, noticed: %s; admits tokens issued from %s, without "
                     "iat those that expire from %s",
                     since, facts->loss, iat, exp);
}

static void judge_continuity(struct findings *findings, const struct redis_facts *facts)
{
    if (!facts->watches)
        judge_unwatched(findings);
    else if (facts->kept != JTG_OK)
        findings_add(
            findings, "continuity", LEVEL_FAILURE,
            "whether the store has forgotten cannot be known, and every token is refused",
            "see the other failures; the ACL user needs the marker's key, as in the line of "
            "'jtiguard acl'",
            "%s", facts->kept_text);
    else
        judge_watched(findings, facts);
}

/* What readiness means to whoever balances load: the service answers as this does. A loss of
 * continuity was judged above, with when it ends. */
static void judge_readiness(struct findings *findings, const struct redis_facts *facts)
{
    if (facts->ready == JTG_OK)
        findings_add(findings, "ready", LEVEL_OK, "/readyz of the service answers 200", "",
                     "a token that is issued now would be admitted");
    else if (facts->ready != JTG_ERR_CONTINUITY || !facts->watches || facts->kept != JTG_OK)
        findings_add(findings, "ready", LEVEL_FAILURE,
                     "/readyz of the service answers 503, and balancers send it nothing",
                     "see the other failures; with none, the ACL user may not write where the "
                     "probe does: give it the whole line of 'jtiguard acl'",
                     "%s", facts->ready_text);
}

void diagnose_topology(struct findings *findings, const struct redis_facts *facts)
{
    judge_mode(findings, facts);
    judge_identity(findings, facts);
    judge_sentinels(findings, facts);
    judge_cluster(findings, facts);
    judge_replicas(findings, facts);
    judge_fsync(findings, facts);
    judge_continuity(findings, facts);
    judge_readiness(findings, facts);
}
