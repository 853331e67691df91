/* SPDX-License-Identifier: Apache-2.0 */
/* Can the server be reached in time, as whom, and over what? */
#include "diagnosis.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static bool is_loopback_name(const char *host)
{
    return strcmp(host, "localhost") == 0 || strcmp(host, "::1") == 0 ||
           (strncmp(host, "127.", 4) == 0 && strspn(host, "0123456789.") == strlen(host));
}

/* host[:port],…, with IPv6 in brackets. */
static bool are_loopback(const char *list)
{
    char host[JTG_REDIS_TEXT_MAX_BYTES + 1];
    bool all = true;
    for (const char *at = list; *at != '\0' && all; at += *at == ',') {
        bool bracketed = *at == '[';
        at += bracketed;
        size_t len = strcspn(at, bracketed ? "]" : ":,");
        (void)snprintf(host, sizeof host, "%.*s", (int)len, at);
        all = is_loopback_name(host);
        at += strcspn(at, ",");
    }
    return all;
}

enum route route_of(const jtg_redis_options *options)
{
    const char *list = options->sentinels != NULL ? options->sentinels : options->cluster_nodes;
    if (options->unix_path != NULL)
        return ROUTE_SOCKET;
    bool near = list != NULL ? are_loopback(list)
                             : options->host == NULL || is_loopback_name(options->host);
    return near ? ROUTE_LOOPBACK : ROUTE_NETWORK;
}

static void judge_connection(struct findings *findings, const struct redis_facts *facts)
{
    if (facts->described)
        findings_add(findings, "connection", LEVEL_OK, "the server answers", "", "reached");
    else
        findings_add(findings, "connection", LEVEL_FAILURE,
                     "every token is refused while the server does not let us in",
                     "see that it runs, that address, TLS and login are right, and that the ACL "
                     "user has what 'jtiguard acl' prints",
                     "%s", facts->answer_text);
}

/* The most honest of all questions: a real write, and its removal. */
static void judge_probe(struct findings *findings, const struct redis_facts *facts)
{
    if (facts->probe == JTG_OK)
        findings_add(findings, "reserve", LEVEL_OK, "tokens can be admitted", "",
                     "a probe was reserved and given back");
    else
        findings_add(findings, "reserve", LEVEL_FAILURE, "every token is refused",
                     "see the other failures; with none, look into the server's log", "%s",
                     facts->probe_text);
}

static void judge_acl(struct findings *findings, const jtg_redis_server *server)
{
    if (server->missing_commands[0] == '\0')
        findings_add(findings, "acl", LEVEL_OK, "the user may do all that is needed", "",
                     "nothing is missing");
    else
        findings_add(findings, "acl", LEVEL_FAILURE,
                     "what needs them is refused, and tokens with it",
                     "give the user the line that 'jtiguard acl' prints, with its prefix",
                     "missing, or not for these keys: %s", server->missing_commands);
}

static void judge_commands(struct findings *findings, const jtg_redis_server *server)
{
    if (server->unknown_commands[0] == '\0')
        return;
    findings_add(findings, "commands", LEVEL_FAILURE,
                 "what needs them is refused, and tokens with it",
                 "take their rename-command out of the server's configuration, or use a server "
                 "that offers them",
                 "unknown, for renamed or switched off: %s", server->unknown_commands);
}

static void judge_login(struct findings *findings, const struct redis_facts *facts)
{
    static const char meaning[] =
        "whoever reaches the server can remove reservations, and each can be admitted again";
    static const char advice[] =
        "make an ACL user ('jtiguard acl') and switch the default user off";
    if (facts->login)
        findings_add(findings, "login", LEVEL_OK, "the server knows who asks", "", "with password");
    else if (facts->route == ROUTE_NETWORK)
        findings_add(findings, "login", LEVEL_WARNING, meaning, advice, "none, over the network");
    else
        findings_add(findings, "login", LEVEL_NOTE, meaning, advice, "none, on this host");
}

static void judge_tls(struct findings *findings, const struct redis_facts *facts)
{
    if (facts->server->tls == 1)
        findings_add(findings, "tls", LEVEL_OK,
                     "nobody between can read, change or invent an answer", "",
                     "encrypted, the server's name verified");
    else if (facts->route == ROUTE_NETWORK)
        findings_add(findings, "tls", LEVEL_WARNING,
                     "whoever is between can read the password and answer in the server's place: "
                     "a forged OK admits a replay",
                     "use rediss:// or a network that nobody else is on",
                     "in clear, over the network");
    else
        findings_add(findings, "tls", LEVEL_OK, "it does not leave this host", "",
                     facts->route == ROUTE_SOCKET ? "unix socket" : "in clear, on this host");
}

static void judge_latency(struct findings *findings, const struct redis_facts *facts)
{
    uint64_t took_us = facts->server->latency_us;
    uint64_t limit_us = (uint64_t)facts->timeout_ms * 1000;
    static const char meaning[] =
        "calls end at the timeout, and a token whose outcome is unknown by then is refused";
    static const char advice[] = "bring the server nearer, or give the URI a longer timeout";
    if (took_us == JTG_REDIS_UNSTATED)
        findings_add(findings, "latency", LEVEL_WARNING, meaning, advice, "could not be measured");
    else if (took_us > limit_us / 4)
        findings_add(findings, "latency", LEVEL_WARNING, meaning, advice,
                     "%" PRIu64 " us a round trip, of a timeout of %" PRIu32 " ms", took_us,
                     facts->timeout_ms);
    else
        findings_add(findings, "latency", LEVEL_OK, "an answer comes well within the timeout", "",
                     "%" PRIu64 " us a round trip", took_us);
}

static void judge_clock(struct findings *findings, const struct redis_facts *facts)
{
    int64_t offset_ms = facts->server->clock_offset_ms;
    uint64_t margin_ms = facts->margin_s * 1000;
    static const char meaning[] =
        "times to live run by the server's wall clock: when that is put right by a jump, "
        "reservations end early or late by as much";
    static const char advice[] =
        "keep both clocks by NTP that slews; a larger --margin covers more";
    uint64_t size_ms = offset_ms < 0 ? 0 - (uint64_t)offset_ms : (uint64_t)offset_ms;
    if (facts->server->clock_offset_known != 1)
        findings_add(findings, "clock", LEVEL_WARNING, meaning, advice, "not stated");
    else if (size_ms > margin_ms)
        findings_add(findings, "clock", LEVEL_WARNING, meaning, advice,
                     "%+" PRId64 " ms from ours, more than the margin of %" PRIu64 " s", offset_ms,
                     facts->margin_s);
    else
        findings_add(findings, "clock", size_ms > 1000 ? LEVEL_NOTE : LEVEL_OK, meaning,
                     size_ms > 1000 ? advice : "", "%+" PRId64 " ms from ours", offset_ms);
}

void diagnose_reach(struct findings *findings, const struct redis_facts *facts)
{
    judge_connection(findings, facts);
    if (facts->described) {
        judge_probe(findings, facts);
        judge_acl(findings, facts->server);
        judge_commands(findings, facts->server);
    }
    judge_login(findings, facts);
    if (!facts->described)
        return;
    judge_tls(findings, facts);
    judge_latency(findings, facts);
    judge_clock(findings, facts);
}
