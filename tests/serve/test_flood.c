/* SPDX-License-Identifier: Apache-2.0 */
/* Honest callers beside a crowd of slow connections, and beside a flood of one replayed token: each
 * of them is answered, nothing passes twice, and who is slow is cut off. What it does to the time
 * of an answer is printed, not judged: a test shares its machine.
 *
 * JTIGUARD_TEST_SECONDS=10 makes each phase as long as docs/performance.md states;
 * JTIGUARD_TEST_RATE=20000 is another flood than one of 100,000 requests a second. */
#include "bench/serve/http_load.h"
#include "serve/processes.h"
#include "serve/signer.h"
#include "serve/slow_crowd.h"
#include "serve/snippet.h"
#include "support/asserts.h"
#include "support/threads.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum {
    HONEST_A_SECOND = 500,
    HONEST_CONNECTIONS = 16,
    SLOW = 1000,
    FLOOD_CONNECTIONS = 64,
    FLOOD_A_SECOND = 100000,
    FLOOD_AT_ONCE = 16, /* requests that one of them sends together */
    FLOOD_NICE = 10,
    RATE_MAX = 10000000,
    SECONDS_MAX = 60
};

static struct place {
    char folder[64];
    char log_path[80];
    char keys_path[80];
    struct signer *signer;
    struct instance instance;
    unsigned seconds;
    unsigned signed_tokens;
    double quiet_p99_us;
} place;

static unsigned number_wanted(const char *name, unsigned usual, unsigned most)
{
    const char *wanted = getenv(name);
    unsigned long number = wanted != NULL ? strtoul(wanted, NULL, 10) : usual;
    return number < 1 || number > most ? usual : (unsigned)number;
}

/* ---- honest callers ---- */

static char *fresh_token(void)
{
    long now = (long)time(NULL);
    char *payload = text_of("{\"iss\":\"" INSTANCE_ISSUER "\",\"aud\":\"" INSTANCE_AUDIENCE
                            "\",\"sub\":\"user-1\",\"jti\":\"%u\",\"iat\":%ld,\"exp\":%ld}",
                            place.signed_tokens++, now, now + 600);
    char *token = signer_token(place.signer, "JWT", INSTANCE_KID, payload);
    free(payload);
    return token;
}

static char *request_with(const char *token)
{
    return text_of("GET /check HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n", token);
}

/* A fresh token each, at a steady pace. */
static void ask_honestly(const char *beside)
{
    static struct bench_http_request requests[HONEST_A_SECOND * SECONDS_MAX];
    static char *texts[HONEST_A_SECOND * SECONDS_MAX];
    static struct bench_http_result result;
    size_t count = (size_t)place.seconds * HONEST_A_SECOND;
    for (size_t i = 0; i < count; i++) {
        char *token = fresh_token();
        texts[i] = request_with(token);
        requests[i] = (struct bench_http_request){texts[i], strlen(texts[i]), 1};
        free(token);
    }
    const struct bench_http_load load = {.port = place.instance.port,
                                         .connections = HONEST_CONNECTIONS,
                                         .requests = requests,
                                         .count = count,
                                         .interval_ns = 1000000000 / HONEST_A_SECOND,
                                         .warm = count / 10};
    assert_true(bench_http_load_run(&load, &result));
    for (size_t i = 0; i < count; i++)
        free(texts[i]);
    double p99_us = bench_histogram_quantile_us(&result.latency, 0.99);
    if (place.quiet_p99_us == 0)
        place.quiet_p99_us = p99_us;
    print_message("honest callers %s: %zu requests, p50 %.2f ms, p99 %.2f ms (%.1f times quiet), "
                  "longest %.1f ms\n",
                  beside, count, bench_histogram_quantile_us(&result.latency, 0.5) / 1000,
                  p99_us / 1000, p99_us / place.quiet_p99_us,
                  bench_histogram_max_us(&result.latency) / 1000);
    assert_int_equal(result.statuses[200], count);
    assert_int_equal(result.broken, 0);
}

static void quiet(void **state)
{
    (void)state;
    ask_honestly("alone");
}

/* ---- slow connections ---- */

static bool stands(void *context)
{
    struct slow_crowd *crowd = context;
    return atomic_load(&crowd->standing) == crowd->size;
}

static bool was_cut_off(void *context)
{
    struct slow_crowd *crowd = context;
    return atomic_load(&crowd->closed) >= crowd->size;
}

static void beside_slow_connections(void **state)
{
    (void)state;
    static struct slow_crowd crowd;
    static atomic_bool stop;
    atomic_store(&stop, false);
    crowd.port = place.instance.port;
    crowd.size = SLOW;
    crowd.stop = &stop;
    struct threads *threads = threads_start(1, slow_crowd_run, &crowd);
    bool stood = wait_until(stands, &crowd);
    ask_honestly("beside 1,000 slow connections");
    bool cut_off = wait_until(was_cut_off, &crowd);
    atomic_store(&stop, true);
    threads_join(threads);
    print_message("slow connections: %u cut off, none answered\n", atomic_load(&crowd.closed));
    assert_true(stood);
    assert_true(cut_off);
    assert_int_equal(atomic_load(&crowd.answered), 0);
    assert_true(instance_metric(&place.instance, "jtiguard_connections_late_total") >= SLOW);
}

/* ---- a flood ---- */

struct flood {
    struct bench_http_load load;
    struct bench_http_result result;
    bool good;
};

static void run_flood(void *context, unsigned index)
{
    struct flood *flood = context;
    (void)index;
    /* Elsewhere it would have a machine of its own: here it gets what the others leave. */
    (void)setpriority(PRIO_PROCESS, 0, FLOOD_NICE);
    flood->good = bench_http_load_run(&flood->load, &flood->result);
}

static char *repeat(const char *text, unsigned times)
{
    char *all = calloc(times, strlen(text) + 1);
    assert_non_null(all);
    for (char *end = all; times > 0; times--)
        end = stpcpy(end, text);
    return all;
}

static void beside_a_flood_of_one_token(void **state)
{
    (void)state;
    static struct flood flood;
    static atomic_bool stop;
    char *token = fresh_token();
    char *one = request_with(token);
    char *many = repeat(one, FLOOD_AT_ONCE);
    const struct bench_http_request request = {many, strlen(many), FLOOD_AT_ONCE};
    atomic_store(&stop, false);
    flood.load = (struct bench_http_load){
        .port = place.instance.port,
        .connections = FLOOD_CONNECTIONS,
        .requests = &request,
        .count = 1,
        .interval_ns = UINT64_C(1000000000) * FLOOD_AT_ONCE /
                       number_wanted("JTIGUARD_TEST_RATE", FLOOD_A_SECOND, RATE_MAX),
        .stop = &stop};
    struct threads *threads = threads_start(1, run_flood, &flood);
    ask_honestly("beside a flood of one token");
    atomic_store(&stop, true);
    threads_join(threads);
    print_message("flood: %llu answers, %.0f a second\n", (unsigned long long)flood.result.answers,
                  (double)flood.result.answers / flood.result.seconds);
    assert_true(flood.good);
    assert_int_equal(flood.result.broken, 0);
    /* It passed once, and only once. */
    assert_int_equal(flood.result.statuses[200], 1);
    assert_int_equal(flood.result.statuses[403], flood.result.answers - 1);
    assert_true(instance_metric(&place.instance, "jtiguard_replay_cache_hits_total") > 0);
    free(many);
    free(one);
    free(token);
}

/* ---- the place ---- */

/* The server's descriptors too, which it takes from here. */
static void raise_descriptors(void)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static int set_up(void **state)
{
    (void)state;
    static const char *const more[] = {"--store=memory", "--request-timeout=2s", NULL};
    raise_descriptors();
    (void)snprintf(place.folder, sizeof place.folder, "/tmp/jtiguard-flood-XXXXXX");
    assert_non_null(mkdtemp(place.folder));
    (void)snprintf(place.log_path, sizeof place.log_path, "%s/log", place.folder);
    (void)snprintf(place.keys_path, sizeof place.keys_path, "%s/keys.json", place.folder);
    place.signer = signer_new("ES256");
    place.seconds = number_wanted("JTIGUARD_TEST_SECONDS", 1, SECONDS_MAX);
    char *keys = signer_jwks(place.signer, INSTANCE_KID);
    file_write(place.keys_path, keys);
    free(keys);
    instance_start(&place.instance, place.log_path, place.keys_path, more);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    instance_stop(&place.instance);
    signer_free(place.signer);
    (void)unlink(place.keys_path);
    (void)unlink(place.log_path);
    (void)rmdir(place.folder);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quiet),
        cmocka_unit_test(beside_slow_connections),
        cmocka_unit_test(beside_a_flood_of_one_token),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
