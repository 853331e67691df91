/* SPDX-License-Identifier: Apache-2.0 */
/* Three instances behind nginx as documented, ten issuers whose key server takes connections and
 * never says a word, and strangers who send tokens of theirs that nobody signed. The tokens of
 * another issuer all pass meanwhile, and no instance is ever taken for dead. What it does to the
 * time of an answer is printed, not judged: a test shares its machine.
 *
 * JTIGUARD_TEST_SECONDS=20 makes each phase as long as docs/performance.md states. */
#include "bench/serve/http_load.h"
#include "serve/nginx.h"
#include "serve/snippet.h"
#include "support/asserts.h"
#include "support/threads.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    ISSUERS = 10,
    JUNK_A_SECOND = 10,
    JUNK_CONNECTIONS = 64,
    HONEST_A_SECOND = 300,
    HONEST_CONNECTIONS = 16,
    SECONDS_DEFAULT = 3,
    SECONDS_MAX = 60,
    BACKLOG = 4096
};

#define HANGING "https://hanging.example"

static struct behind_proxy place;
static int key_server = -1; /* listens, and nobody accepts */
static unsigned seconds;

static uint16_t hang(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    key_server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(key_server >= 0);
    assert_int_equal(bind(key_server, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(key_server, BACKLOG), 0);
    assert_int_equal(getsockname(key_server, (struct sockaddr *)&address, &len), 0);
    return ntohs(address.sin_port);
}

/* The usual issuer, and the ones that hang. keys_retry keeps a fetch of each under way. */
static char *make_config(void)
{
    uint16_t port = hang();
    char *list = text_of("{\"issuer\":\"" INSTANCE_ISSUER "\",\"audience\":\"" INSTANCE_AUDIENCE
                         "\",\"jwks_file\":\"KEYS\"}");
    for (int i = 0; i < ISSUERS; i++) {
        char *longer = text_of("%s,{\"issuer\":\"" HANGING "/%d\",\"audience\":\"" INSTANCE_AUDIENCE
                               "\",\"jwks_url\":\"http://127.0.0.1:%u/%d\"}",
                               list, i, (unsigned)port, i);
        free(list);
        list = longer;
    }
    char *config =
        text_of("{\"issuers\":[%s],\"keys_loopback_http\":true,\"keys_retry\":\"1s\"}", list);
    free(list);
    return config;
}

/* ---- honest callers ---- */

static char *request_of(char *token)
{
    char *request = text_of("GET / HTTP/1.1\r\nHost: api.example\r\nAuthorization: Bearer %s\r\n"
                            "\r\n",
                            token);
    free(token);
    return request;
}

/* A fresh token each, at a steady pace; the p99 in milliseconds. */
static double ask_honestly(const char *beside)
{
    static struct bench_http_request requests[HONEST_A_SECOND * SECONDS_MAX];
    static char *texts[HONEST_A_SECOND * SECONDS_MAX];
    static struct bench_http_result result;
    size_t count = (size_t)seconds * HONEST_A_SECOND;
    for (size_t i = 0; i < count; i++) {
        char jti[64];
        (void)snprintf(jti, sizeof jti, "%s-%zu", beside, i);
        texts[i] = request_of(behind_proxy_token(&place, jti, "user-1"));
        requests[i] = (struct bench_http_request){texts[i], strlen(texts[i]), 1};
    }
    const struct bench_http_load load = {.port = place.port,
                                         .connections = HONEST_CONNECTIONS,
                                         .requests = requests,
                                         .count = count,
                                         .interval_ns = 1000000000 / HONEST_A_SECOND,
                                         .warm = count / 10};
    assert_true(bench_http_load_run(&load, &result));
    for (size_t i = 0; i < count; i++)
        free(texts[i]);
    double p99_ms = bench_histogram_quantile_us(&result.latency, 0.99) / 1000;
    print_message("honest callers %s: %zu requests, p50 %.2f ms, p99 %.2f ms, longest %.1f ms\n",
                  beside, count, bench_histogram_quantile_us(&result.latency, 0.5) / 1000, p99_ms,
                  bench_histogram_max_us(&result.latency) / 1000);
    assert_int_equal(result.statuses[200], count);
    assert_int_equal(result.broken, 0);
    return p99_ms;
}

/* ---- strangers ---- */

struct junk {
    struct bench_http_load load;
    struct bench_http_result result;
    bool good;
};

static void send_junk(void *context, unsigned index)
{
    struct junk *junk = context;
    (void)index;
    junk->good = bench_http_load_run(&junk->load, &junk->result);
}

static char *junk_request(int issuer)
{
    char header[64];
    (void)snprintf(header, sizeof header, "{\"alg\":\"ES256\",\"kid\":\"invented-%d\"}", issuer);
    char *payload = text_of("{\"iss\":\"" HANGING "/%d\",\"aud\":\"" INSTANCE_AUDIENCE
                            "\",\"jti\":\"1\",\"sub\":\"u\",\"exp\":%ld}",
                            issuer, (long)time(NULL) + 600);
    char *token = join_token(header, payload, "AAAA");
    free(payload);
    return request_of(token);
}

static double sum_waits(void)
{
    double sum = 0;
    for (int i = 0; i < INSTANCES; i++)
        for (int issuer = 0; issuer < ISSUERS; issuer++) {
            char series[128];
            (void)snprintf(series, sizeof series,
                           "jtiguard_keys_waits_total{document=\"%d\",issuer=\"" HANGING "/%d\"}",
                           issuer + 1, issuer);
            sum += instance_metric(&place.instances[i], series);
        }
    return sum;
}

static bool some_waited(void *context)
{
    (void)context;
    return sum_waits() > 0;
}

static double ask_beside_junk(void)
{
    static struct junk junk;
    static struct bench_http_request requests[ISSUERS];
    static atomic_bool stop;
    char *texts[ISSUERS];
    for (int i = 0; i < ISSUERS; i++) {
        texts[i] = junk_request(i);
        requests[i] = (struct bench_http_request){texts[i], strlen(texts[i]), 1};
    }
    atomic_store(&stop, false);
    junk.load = (struct bench_http_load){.port = place.port,
                                         .connections = JUNK_CONNECTIONS,
                                         .requests = requests,
                                         .count = ISSUERS,
                                         .interval_ns = 1000000000 / JUNK_A_SECOND,
                                         .stop = &stop};
    struct threads *threads = threads_start(1, send_junk, &junk);
    double p99_ms = ask_honestly("beside-junk");
    bool waited = wait_until(some_waited, NULL);
    atomic_store(&stop, true);
    threads_join(threads);
    for (int i = 0; i < ISSUERS; i++)
        free(texts[i]);
    print_message("junk: %llu answers, %.0f of them waited for keys, longest %.1f ms\n",
                  (unsigned long long)junk.result.answers, sum_waits(),
                  bench_histogram_max_us(&junk.result.latency) / 1000);
    assert_true(junk.good);
    assert_true(waited);
    assert_int_equal(junk.result.broken, 0);
    /* Each was told by an instance that its keys could not be had. */
    assert_int_equal(junk.result.statuses[403], junk.result.answers);
    return p99_ms;
}

static void nobody_else_is_held_up(void **state)
{
    (void)state;
    double beside_ms = ask_beside_junk();
    double alone_ms = ask_honestly("alone");
    print_message("p99 beside junk: %.2f times that alone\n", beside_ms / alone_ms);
    for (int i = 0; i < INSTANCES; i++) {
        assert_true(process_lives(&place.instances[i].process));
        assert_int_equal(
            (int)instance_metric(&place.instances[i], "jtiguard_connections_late_total"), 0);
    }
}

/* ---- the place ---- */

static unsigned seconds_wanted(void)
{
    const char *wanted = getenv("JTIGUARD_TEST_SECONDS");
    unsigned long number = wanted != NULL ? strtoul(wanted, NULL, 10) : SECONDS_DEFAULT;
    return number < 1 || number > SECONDS_MAX ? SECONDS_DEFAULT : (unsigned)number;
}

static int set_up(void **state)
{
    (void)state;
    if (program_path("nginx") == NULL) {
        print_message("nginx is not installed\n");
        skip();
    }
    seconds = seconds_wanted();
    char *config = make_config();
    behind_proxy_init(&place, &(struct place_rules){.owner_header = "X-Request-ID",
                                                    .dpop_target = "original",
                                                    .config = config});
    free(config);
    nginx_run(&place, behind_proxy_snippet(&place, "nginx"));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    behind_proxy_end(&place);
    (void)close(key_server);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nobody_else_is_held_up, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
