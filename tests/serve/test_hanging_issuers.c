/* SPDX-License-Identifier: Apache-2.0 */
/* Three instances behind nginx as documented, ten issuers whose key server takes connections and
 * never says a word, and strangers who send tokens of theirs that nobody signed. The tokens of
 * another issuer all pass meanwhile, and no instance is ever taken for dead. What it does to the
 * time of an answer is printed, not judged: a test shares its machine. Short phases with and
 * without the strangers take turns, and the medians of their p99 are compared, so that what else
 * the machine does now and then counts for neither.
 *
 * JTIGUARD_TEST_SECONDS=20: for so long in all with them, and as long without. */
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
    SECONDS_DEFAULT = 4,
    SECONDS_MAX = 600,
    PHASE_SECONDS = 2,
    PHASE_REQUESTS = HONEST_A_SECOND * PHASE_SECONDS,
    PHASES_MAX = SECONDS_MAX / PHASE_SECONDS,
    BACKLOG = 4096
};

#define HANGING "https://hanging.example"

static struct behind_proxy place;
static int key_server = -1; /* listens, and nobody accepts */

/* The phases of one kind. */
struct phases {
    const char *name;
    struct bench_histogram latency;
    double p99_ms[PHASES_MAX];
    unsigned count;
};

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

/* A fresh token each, at a steady pace. */
static void ask_honestly(struct phases *phases)
{
    static struct bench_http_request requests[PHASE_REQUESTS];
    static char *texts[PHASE_REQUESTS];
    static struct bench_http_result result;
    for (size_t i = 0; i < PHASE_REQUESTS; i++) {
        char jti[64];
        (void)snprintf(jti, sizeof jti, "%s-%u-%zu", phases->name, phases->count, i);
        texts[i] = request_of(behind_proxy_token(&place, jti, "user-1"));
        requests[i] = (struct bench_http_request){texts[i], strlen(texts[i]), 1};
    }
    const struct bench_http_load load = {.port = place.port,
                                         .connections = HONEST_CONNECTIONS,
                                         .requests = requests,
                                         .count = PHASE_REQUESTS,
                                         .interval_ns = 1000000000 / HONEST_A_SECOND,
                                         .warm = PHASE_REQUESTS / 10};
    assert_true(bench_http_load_run(&load, &result));
    for (size_t i = 0; i < PHASE_REQUESTS; i++)
        free(texts[i]);
    assert_int_equal(result.statuses[200], PHASE_REQUESTS);
    assert_int_equal(result.broken, 0);
    bench_histogram_merge(&phases->latency, &result.latency);
    phases->p99_ms[phases->count++] = bench_histogram_quantile_us(&result.latency, 0.99) / 1000;
}

static int compare(const void *left, const void *right)
{
    const double *a = left;
    const double *b = right;
    return (*a > *b) - (*a < *b);
}

/* Says how they went; the median of their p99. */
static double report(struct phases *phases)
{
    qsort(phases->p99_ms, phases->count, sizeof phases->p99_ms[0], compare);
    double median_ms = phases->p99_ms[phases->count / 2];
    print_message("honest callers %s: %u requests, all let in, p50 %.2f ms, p99 %.2f ms, longest "
                  "%.1f ms; of %u phases the median p99 %.2f ms\n",
                  phases->name, phases->count * (unsigned)PHASE_REQUESTS,
                  bench_histogram_quantile_us(&phases->latency, 0.5) / 1000,
                  bench_histogram_quantile_us(&phases->latency, 0.99) / 1000,
                  bench_histogram_max_us(&phases->latency) / 1000, phases->count, median_ms);
    return median_ms;
}

/* ---- strangers ---- */

static unsigned long long junk_answers;

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

static void ask_beside_junk(struct phases *phases)
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
    ask_honestly(phases);
    bool waited = wait_until(some_waited, NULL);
    atomic_store(&stop, true);
    threads_join(threads);
    for (int i = 0; i < ISSUERS; i++)
        free(texts[i]);
    assert_true(junk.good);
    assert_true(waited);
    assert_int_equal(junk.result.broken, 0);
    /* Each was told by an instance that its keys could not be had. */
    assert_int_equal(junk.result.statuses[403], junk.result.answers);
    junk_answers += junk.result.answers;
}

static unsigned seconds_wanted(void)
{
    const char *wanted = getenv("JTIGUARD_TEST_SECONDS");
    unsigned long number = wanted != NULL ? strtoul(wanted, NULL, 10) : SECONDS_DEFAULT;
    return number < PHASE_SECONDS || number > SECONDS_MAX ? SECONDS_DEFAULT : (unsigned)number;
}

static void nobody_else_is_held_up(void **state)
{
    static struct phases alone = {.name = "alone"};
    static struct phases beside = {.name = "beside junk"};
    (void)state;
    unsigned rounds = seconds_wanted() / PHASE_SECONDS;
    for (unsigned i = 0; i < rounds; i++) {
        ask_honestly(&alone);
        ask_beside_junk(&beside);
    }
    double alone_ms = report(&alone);
    double beside_ms = report(&beside);
    print_message("p99 beside junk: %.2f times that alone; %llu junk tokens were answered, %.0f "
                  "waited for keys\n",
                  beside_ms / alone_ms, junk_answers, sum_waits());
    for (int i = 0; i < INSTANCES; i++) {
        assert_true(process_lives(&place.instances[i].process));
        assert_int_equal(
            (int)instance_metric(&place.instances[i], "jtiguard_connections_late_total"), 0);
    }
}

/* ---- the place ---- */

static int set_up(void **state)
{
    (void)state;
    if (program_path("nginx") == NULL) {
        print_message("nginx is not installed\n");
        skip();
    }
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
