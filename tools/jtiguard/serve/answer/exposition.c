/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/answer/exposition.h"

#include <inttypes.h>
#include <jtiguard/host.h>
#include <jtiguard/memory.h>
#include <jtiguard/redis.h>
#include <jtiguard/version.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct page {
    struct bytes *out;
    bool good;
};

JTG_PRINTF(2, 3) static void put(struct page *page, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    page->good = page->good && len >= 0 && (size_t)len < sizeof text &&
                 bytes_append(page->out, text, (size_t)len);
}

static void head(struct page *page, const char *name, const char *type, const char *help)
{
    put(page, "# HELP jtiguard_%s %s\n# TYPE jtiguard_%s %s\n", name, help, name, type);
}

static void number(struct page *page, const char *name, const char *type, uint64_t value,
                   const char *help)
{
    head(page, name, type, help);
    put(page, "jtiguard_%s %" PRIu64 "\n", name, value);
}

static void counter(struct page *page, const char *name, uint64_t value, const char *help)
{
    number(page, name, "counter", value, help);
}

static void gauge(struct page *page, const char *name, uint64_t value, const char *help)
{
    number(page, name, "gauge", value, help);
}

static void histogram(struct page *page, const char *name, const struct latency *latency,
                      const char *help)
{
    uint64_t sum = 0;
    head(page, name, "histogram", help);
    for (unsigned i = 0; i < LATENCY_BOUNDS; i++) {
        sum += metrics_read(&latency->counts[i]);
        put(page, "jtiguard_%s_bucket{le=\"%g\"} %" PRIu64 "\n", name,
            (double)latency_bounds_us[i] / 1e6, sum);
    }
    sum += metrics_read(&latency->counts[LATENCY_BOUNDS]);
    put(page, "jtiguard_%s_bucket{le=\"+Inf\"} %" PRIu64 "\n", name, sum);
    put(page, "jtiguard_%s_sum %.9f\n", name, (double)metrics_read(&latency->sum_ns) / 1e9);
    put(page, "jtiguard_%s_count %" PRIu64 "\n", name, sum);
}

/* The verifier and the guard share some reasons: one name is one series. */
static bool is_same_series(enum outcome a, enum outcome b)
{
    return outcome_verdict(a) == outcome_verdict(b) &&
           strcmp(outcome_name(a), outcome_name(b)) == 0;
}

static bool was_written(size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (is_same_series(outcome_at(i), outcome_at(index)))
            return true;
    return false;
}

static uint64_t sum_of_series(const struct metrics *metrics, unsigned decider, size_t index)
{
    uint64_t sum = 0;
    for (size_t i = index; i < OUTCOME_INDEXES; i++)
        if (is_same_series(outcome_at(i), outcome_at(index)))
            sum += metrics_read(&metrics->decisions[decider][i]);
    return sum;
}

/* All of them from the start, so that the first of a kind is seen as an increase; those that the
 * API cannot give, only once they were. */
static void decisions(struct page *page, const struct metrics *metrics)
{
    head(page, "decisions_total", "counter", "Tokens decided, by endpoint, result and reason.");
    for (size_t i = 0; i < OUTCOME_INDEXES; i++) {
        if (was_written(i))
            continue;
        for (unsigned decider = 0; decider < METRICS_DECIDERS; decider++) {
            uint64_t sum = sum_of_series(metrics, decider, i);
            if (sum == 0 && decider != METRICS_CHECK)
                continue;
            enum outcome outcome = outcome_at(i);
            put(page,
                "jtiguard_decisions_total{endpoint=\"%s\",result=\"%s\",reason=\"%s\"} %" PRIu64
                "\n",
                metrics_endpoint_name((enum metrics_endpoint)decider),
                jtg_verdict_name(outcome_verdict(outcome)), outcome_name(outcome), sum);
        }
    }
}

static void requests(struct page *page, const struct metrics *metrics)
{
    head(page, "http_requests_total", "counter", "Requests answered, by endpoint and status.");
    for (unsigned at = 0; at < METRICS_ENDPOINTS; at++)
        for (unsigned i = 0; i < METRICS_STATUS_COUNT; i++)
            if (metrics_read(&metrics->requests[at][i]) > 0)
                put(page, "jtiguard_http_requests_total{endpoint=\"%s\",code=\"%u\"} %" PRIu64 "\n",
                    metrics_endpoint_name((enum metrics_endpoint)at), metrics_statuses[i],
                    metrics_read(&metrics->requests[at][i]));
    counter(page, "http_requests_unfinished_total", metrics_read(&metrics->unfinished),
            "Requests whose client went away, or whose time was up, before the answer had left.");
}

static void releases(struct page *page, const struct metrics *metrics)
{
    head(page, "releases_total", "counter", "Reservations asked to be given back, by status.");
    for (unsigned i = 0; i < JTG_STATUS_COUNT; i++)
        if (i == JTG_OK || metrics_read(&metrics->releases[i]) > 0)
            put(page, "jtiguard_releases_total{status=\"%s\"} %" PRIu64 "\n",
                jtg_status_name((jtg_status)i), metrics_read(&metrics->releases[i]));
}

static void connections(struct page *page, struct responder *responder)
{
    struct connection_count count = connections_count(responder->connections);
    struct connection_count admin = connections_count(responder->admin_connections);
    counter(page, "connections_total", count.taken + admin.taken, "Connections taken.");
    counter(page, "connections_late_total", count.late + admin.late,
            "Connections ended because a request took longer than request_timeout.");
    gauge(page, "connections_open", count.open, "Connections open now.");
    gauge(page, "requests_in_flight", count.busy, "Requests under way now.");
}

static void life(struct page *page, struct responder *responder)
{
    jtg_status status = prober_status(responder->prober);
    struct log_losses losses = service_log_losses(responder->log);
    head(page, "build_info", "gauge", "What runs.");
    put(page, "jtiguard_build_info{version=\"%s\",backend=\"%s\"} 1\n", jtg_version(),
        jtg_cache_backend(responder->cache));
    head(page, "start_time_seconds", "gauge", "When it started, since 1970.");
    put(page, "jtiguard_start_time_seconds %.3f\n", (double)responder->start_wall_ms / 1000);
    gauge(page, "draining", atomic_load(&responder->draining) ? 1 : 0, "1: it is about to end.");
    head(page, "store_status", "gauge", "1 for what the last probe of the store said.");
    for (unsigned i = 0; i < JTG_STATUS_COUNT; i++)
        put(page, "jtiguard_store_status{status=\"%s\"} %d\n", jtg_status_name((jtg_status)i),
            i == status ? 1 : 0);
    counter(page, "reloads_total", metrics_read(&responder->metrics.reloads),
            "Settings that were taken anew.");
    counter(page, "reload_failures_total", metrics_read(&responder->metrics.reload_failures),
            "Settings that were refused, the old ones kept.");
    counter(page, "log_lines_suppressed_total", losses.suppressed,
            "Refusals not logged one by one.");
    counter(page, "log_lines_dropped_total", losses.dropped,
            "Lines lost because nobody read the log.");
}

static void operations(struct page *page, const jtg_cache *cache)
{
    head(page, "store_operations_total", "counter", "Calls to the store, by what it answered.");
    for (unsigned op = 0; op < JTG_OPERATION_COUNT; op++)
        for (unsigned i = 0; i < JTG_STATUS_COUNT; i++) {
            uint64_t count = jtg_cache_counter(cache, (jtg_operation)op, (jtg_status)i);
            if (count > 0)
                put(page,
                    "jtiguard_store_operations_total{operation=\"%s\",status=\"%s\"} %" PRIu64 "\n",
                    jtg_operation_name((jtg_operation)op), jtg_status_name((jtg_status)i), count);
        }
}

static void memory_store(struct page *page, jtg_cache *cache)
{
    jtg_memory_stats stats = {.struct_size = sizeof stats};
    if (strcmp(jtg_cache_backend(cache), "memory") != 0 ||
        jtg_memory_stats_get(cache, &stats, NULL) != JTG_OK)
        return;
    gauge(page, "memory_entries", stats.entries, "Tokens remembered, ended ones included.");
    gauge(page, "memory_max_entries", stats.max_entries, "Most tokens remembered at once.");
    gauge(page, "memory_table_bytes", stats.table_bytes, "Bytes of the table.");
    counter(page, "memory_swept_total", stats.swept, "Ended entries removed.");
}

static void host_store(struct page *page, jtg_cache *cache)
{
    jtg_host_stats stats = {.struct_size = sizeof stats};
    if (strcmp(jtg_cache_backend(cache), "host") != 0 ||
        jtg_host_stats_get(cache, &stats, NULL) != JTG_OK)
        return;
    gauge(page, "host_entries", stats.entries, "Tokens remembered, ended ones included.");
    gauge(page, "host_max_entries", stats.max_entries, "Most tokens remembered at once.");
    gauge(page, "host_values", stats.values, "Values kept, ended ones included.");
    gauge(page, "host_max_values", stats.max_values, "Most values kept at once.");
    gauge(page, "host_value_bytes", stats.value_bytes, "Bytes of values with their keys.");
    gauge(page, "host_max_value_bytes", stats.max_value_bytes,
          "Most bytes of values kept at once.");
    gauge(page, "host_bytes", stats.bytes, "Bytes of the store's file.");
    gauge(page, "host_processes", stats.processes, "Processes that use the store.");
    counter(page, "host_swept_total", stats.swept, "Ended entries removed, by all of them.");
    counter(page, "host_repairs_total", stats.repairs,
            "Parts repaired after a process died inside, by all of them.");
    counter(page, "host_emptied_total", stats.emptied,
            "Parts emptied because a stray write had broken them.");
    counter(page, "host_replaced_total", stats.replaced,
            "Times that this process found another file at the store's path.");
    head(page, "host_kept_since_seconds", "gauge",
         "Since when the store has kept everything, since 1970.");
    put(page, "jtiguard_host_kept_since_seconds %.3f\n", (double)stats.kept_since_ms / 1000);
}

static void continuity(struct page *page, const jtg_redis_stats *stats)
{
    gauge(page, "redis_continuity_watched", stats->watches,
          "1: it is noticed when the store has forgotten.");
    counter(page, "redis_losses_total", stats->losses,
            "Times that the store was found to have forgotten.");
    if (stats->kept_since_ms == JTG_REDIS_UNSTATED)
        return;
    head(page, "redis_kept_since_seconds", "gauge",
         "Since when the store has kept everything, since 1970.");
    put(page, "jtiguard_redis_kept_since_seconds %.3f\n", (double)stats->kept_since_ms / 1000);
}

static void redis_store(struct page *page, jtg_cache *cache)
{
    jtg_redis_stats stats = {.struct_size = sizeof stats};
    if (strcmp(jtg_cache_backend(cache), "redis") != 0 ||
        jtg_redis_stats_get(cache, &stats, NULL) != JTG_OK)
        return;
    gauge(page, "redis_up", stats.up, "1: the last contact worked, or there was none yet.");
    counter(page, "redis_connects_total", stats.connects, "Connections made.");
    counter(page, "redis_connect_failures_total", stats.connect_failures, "Attempts that failed.");
    counter(page, "redis_poisoned_total", stats.poisoned,
            "Connections closed because something about them was in doubt.");
    counter(page, "redis_requests_total", stats.requests, "Commands sent.");
    counter(page, "redis_batches_total", stats.batches, "Round trips that carried them.");
    counter(page, "redis_unknown_total", stats.unknown,
            "Commands whose outcome was unknown when a connection broke.");
    counter(page, "redis_asked_again_total", stats.asked_again,
            "Commands repeated to settle that.");
    counter(page, "redis_expired_total", stats.expired,
            "Calls whose deadline passed before an answer came.");
    counter(page, "redis_refused_at_once_total", stats.refused_at_once,
            "Calls that failed at once because the store was known to be down.");
    counter(page, "redis_primary_changes_total", stats.primary_changes,
            "Times that Sentinels or the Cluster named another primary.");
    counter(page, "redis_redirects_total", stats.redirects, "MOVED and ASK that were followed.");
    counter(page, "redis_too_few_replicas_total", stats.too_few_replicas,
            "Writes that too few replicas confirmed in time.");
    continuity(page, &stats);
}

/* An issuer's name comes from the settings, so there are as many as are configured; it may still
 * hold what ends a label. */
static void put_label(struct page *page, const char *text)
{
    for (; *text != '\0'; text++) {
        bool escaped = *text == '"' || *text == '\\';
        put(page, "%s%c", escaped ? "\\" : "", *text == '\n' ? ' ' : *text);
    }
}

enum keys_number { KEYS_USABLE, KEYS_AGE, KEYS_FETCHES, KEYS_FAILURES, KEYS_WAITS };

/* Two documents may belong to one issuer. */
static void keys_line(struct page *page, const char *name, size_t index,
                      const struct keys_status *keys, double value)
{
    put(page, "jtiguard_%s{document=\"%zu\",issuer=\"", name, index);
    put_label(page, keys->issuer);
    put(page, "\"} %.15g\n", value);
}

static double keys_value(const struct keys_status *keys, enum keys_number which)
{
    switch (which) {
    case KEYS_USABLE:
        return (double)keys->keys;
    case KEYS_AGE:
        return keys->age_ms < 0 ? -1 : (double)keys->age_ms / 1000;
    case KEYS_FETCHES:
        return (double)keys->fetches;
    case KEYS_FAILURES:
        return (double)keys->fetch_fails;
    case KEYS_WAITS:
        break;
    }
    return (double)keys->waits;
}

static void keys(struct page *page, struct verifier *verifier)
{
    static const struct {
        const char *name;
        const char *type;
        const char *help;
    } numbers[] = {{"keys", "gauge", "Keys of an issuer that can be used now."},
                   {"keys_age_seconds", "gauge", "Since they were read; -1: never."},
                   {"keys_fetches_total", "counter", "Fetches that brought keys."},
                   {"keys_fetch_failures_total", "counter", "Fetches that did not."},
                   {"keys_waits_total", "counter", "Tokens that waited for a fetch."}};
    struct keys_status status;
    if (verifier == NULL)
        return;
    for (unsigned n = 0; n < sizeof numbers / sizeof *numbers; n++) {
        head(page, numbers[n].name, numbers[n].type, numbers[n].help);
        for (size_t i = 0; verifier_keys_status(verifier, i, &status); i++)
            keys_line(page, numbers[n].name, i, &status, keys_value(&status, (enum keys_number)n));
    }
}

bool exposition_write(struct bytes *out, struct responder *responder)
{
    struct page page = {out, true};
    const struct metrics *metrics = &responder->metrics;
    decisions(&page, metrics);
    requests(&page, metrics);
    releases(&page, metrics);
    counter(&page, "replay_cache_hits_total", metrics_read(&metrics->replay_cache_hits),
            "Replays refused without asking the store.");
    histogram(&page, "wait_duration_seconds", &metrics->wait,
              "Time that a request over TCP lay in its socket before a worker read it.");
    histogram(&page, "check_duration_seconds", &metrics->check, "Time of a whole /check.");
    histogram(&page, "verify_duration_seconds", &metrics->verify,
              "Time of the verification in it.");
    histogram(&page, "guard_duration_seconds", &metrics->guard, "Time of the guard and its store.");
    histogram(&page, "api_duration_seconds", &metrics->api,
              "Time of a whole /v1/reserve or /v1/check.");
    connections(&page, responder);
    keys(&page, responder->verifier);
    operations(&page, responder->cache);
    memory_store(&page, responder->cache);
    host_store(&page, responder->cache);
    redis_store(&page, responder->cache);
    life(&page, responder);
    return page.good;
}
