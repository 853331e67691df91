/* SPDX-License-Identifier: Apache-2.0 */
/* Proxies as Debian packages them, with the configurations of docs/proxies.md. A proxy that is not
 * installed is skipped.
 *
 * JTIGUARD_TEST_TOKENS=10000 makes the proof with nginx as large as docs/proxies.md states. */
#include "bench/serve/http_load.h"
#include "serve/proxy_kind.h"
#include "support/asserts.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TIMES = 5, PARALLEL = 50, TOKENS_DEFAULT = 1000, TOKENS_OTHERS = 100 };

static struct behind_proxy place;

/* ---- many tokens, each several times at once ---- */

struct crowd {
    struct bench_http_request *requests;
    size_t count;
    unsigned *admitted; /* how often each token was */
};

static void crowd_make(struct crowd *crowd, const char *name, size_t tokens)
{
    *crowd = (struct crowd){calloc(tokens * TIMES, sizeof *crowd->requests), tokens * TIMES,
                            calloc(tokens, sizeof *crowd->admitted)};
    assert_non_null(crowd->requests);
    assert_non_null(crowd->admitted);
    for (size_t i = 0; i < tokens; i++) {
        char *jti = text_of("%s-%zu", name, i);
        char *token = behind_proxy_token(&place, jti, "user-1");
        char *bytes = text_of("GET / HTTP/1.1\r\nHost: api.example\r\n"
                              "Authorization: Bearer %s\r\n\r\n",
                              token);
        for (size_t j = 0; j < TIMES; j++)
            crowd->requests[i * TIMES + j] = (struct bench_http_request){bytes, strlen(bytes), 1};
        free(token);
        free(jti);
    }
}

static void crowd_clear(struct crowd *crowd)
{
    union {
        const char *borrowed;
        void *memory;
    } bytes;
    for (size_t i = 0; i < crowd->count; i += TIMES) {
        bytes.borrowed = crowd->requests[i].bytes;
        free(bytes.memory);
    }
    free(crowd->requests);
    free(crowd->admitted);
}

static void note_admitted(void *context, size_t request, unsigned status)
{
    struct crowd *crowd = context;
    crowd->admitted[request / TIMES] += status == 200 ? 1 : 0;
}

static void crowd_ask(struct crowd *crowd, struct bench_http_result *result)
{
    const struct bench_http_load load = {.port = place.port,
                                         .connections = PARALLEL,
                                         .requests = crowd->requests,
                                         .count = crowd->count,
                                         .answered = note_admitted,
                                         .context = crowd};
    assert_true(bench_http_load_run(&load, result));
    print_message("%zu requests, %u at once: %llu x 200, %llu x 403, %llu broken; %.1f s, "
                  "%.0f a second, p50 %.1f ms, p99 %.1f ms\n",
                  crowd->count, (unsigned)PARALLEL, (unsigned long long)result->statuses[200],
                  (unsigned long long)result->statuses[403], (unsigned long long)result->broken,
                  result->seconds, result->ops_per_s,
                  bench_histogram_quantile_us(&result->latency, 0.5) / 1000,
                  bench_histogram_quantile_us(&result->latency, 0.99) / 1000);
}

static void each_token_passes_once(const char *name, size_t tokens)
{
    static struct bench_http_result result;
    struct crowd crowd;
    unsigned before = application_requests(place.application);
    crowd_make(&crowd, name, tokens);
    crowd_ask(&crowd, &result);
    assert_int_equal(result.statuses[200], tokens);
    assert_int_equal(result.statuses[403], tokens * (TIMES - 1));
    assert_int_equal(result.answers, tokens * TIMES);
    assert_int_equal(result.broken, 0);
    for (size_t i = 0; i < tokens; i++)
        assert_int_equal(crowd.admitted[i], 1);
    assert_int_equal(application_requests(place.application) - before, tokens);
    crowd_clear(&crowd);
}

static size_t tokens_wanted(void)
{
    const char *wanted = getenv("JTIGUARD_TEST_TOKENS");
    return wanted != NULL ? (size_t)strtoul(wanted, NULL, 10) : TOKENS_DEFAULT;
}

static double asked_of(const struct instance *instance, const char *result, const char *reason)
{
    char series[160];
    (void)snprintf(series, sizeof series,
                   "jtiguard_decisions_total{endpoint=\"check\",result=\"%s\",reason=\"%s\"}",
                   result, reason);
    return instance_metric(instance, series);
}

static void many_tokens_through_nginx(void **state)
{
    (void)state;
    size_t tokens = tokens_wanted();
    double admitted = 0;
    proxy_kind_need(&proxy_nginx);
    proxy_nginx.start(&place, PART_NONE);
    each_token_passes_once("proof", tokens);
    for (int i = 0; i < INSTANCES; i++) {
        double here = asked_of(&place.instances[i], "admitted", "admitted");
        /* Round robin: each of them had its part. */
        assert_true(here > (double)tokens / 10);
        admitted += here;
    }
    assert_true(admitted == (double)tokens);
}

/* ---- what a proxy must do ---- */

static unsigned passed; /* requests that the application may have seen */

static void passes_once(void)
{
    struct http_answer answer;
    char *token = behind_proxy_token(&place, "once", "user-1");
    char *headers = text_of("Authorization: Bearer %s\r\nX-JTI-Subject: admin\r\n"
                            "X-JTI-Issuer: https://evil.example\r\n",
                            token);
    assert_int_equal(behind_proxy_get(&place, headers, &answer), 200);
    assert_string_equal(answer.body, "user-1 of " INSTANCE_ISSUER "\n");
    http_answer_clear(&answer);
    assert_int_equal(behind_proxy_get(&place, headers, &answer), 403);
    assert_string_equal(http_header(&answer, "X-JTI-Reason"), "replayed");
    http_answer_clear(&answer);
    passed++;
    free(headers);
    free(token);
}

/* Who has no subject gets none, whatever the client says. */
static void hands_on_no_subject_of_the_client(void)
{
    struct http_answer answer;
    char *token = behind_proxy_token(&place, "nobody", NULL);
    char *headers = text_of("Authorization: Bearer %s\r\nX-JTI-Subject: admin\r\n"
                            "X-JTI-Issuer: https://evil.example\r\n",
                            token);
    assert_int_equal(behind_proxy_get(&place, headers, &answer), 200);
    assert_string_equal(answer.body, " of " INSTANCE_ISSUER "\n");
    http_answer_clear(&answer);
    passed++;
    free(headers);
    free(token);
}

static void refuses_what_is_no_token(void)
{
    struct http_answer answer;
    assert_int_equal(behind_proxy_get(&place, "", &answer), 401);
    assert_memory_equal(http_header(&answer, "WWW-Authenticate"), "Bearer", 6);
    http_answer_clear(&answer);
    char *token = behind_proxy_token(&place, "forged", "user-1");
    char *middle = strchr(token, '.') + 5;
    *middle = *middle == 'A' ? 'B' : 'A';
    assert_int_equal(behind_proxy_show(&place, token), 401);
}

/* A client that chooses the id of its request could use its token twice. */
static void takes_no_id_of_the_client(void)
{
    struct http_answer answer;
    char *token = behind_proxy_token(&place, "own-id", "user-1");
    char *headers = text_of("Authorization: Bearer %s\r\n" OWNER_HEADER ": mine\r\n", token);
    assert_int_equal(behind_proxy_get(&place, headers, &answer), 200);
    http_answer_clear(&answer);
    assert_int_equal(behind_proxy_get(&place, headers, &answer), 403);
    http_answer_clear(&answer);
    passed++;
    free(headers);
    free(token);
}

/* The service and the application must not each believe another one of them. */
static void refuses_two_tokens(void)
{
    struct http_answer answer;
    char *first = behind_proxy_token(&place, "first", "user-1");
    char *second = behind_proxy_token(&place, "second", "user-2");
    char *headers =
        text_of("Authorization: Bearer %s\r\nAuthorization: Bearer %s\r\n", first, second);
    unsigned status = behind_proxy_get(&place, headers, &answer);
    assert_true(status == 400 || status == 401 || status == 403);
    http_answer_clear(&answer);
    free(headers);
    free(second);
    free(first);
}

/* Fresh tokens, a forged one, and one that was admitted before. */
static void refuses_all(unsigned good_token_status)
{
    for (int i = 0; i < 20; i++) {
        char *jti = text_of("trouble-%u-%d", good_token_status, i);
        assert_int_equal(behind_proxy_show(&place, behind_proxy_token(&place, jti, "user-1")),
                         good_token_status);
        free(jti);
    }
    assert_int_equal(behind_proxy_show(&place, behind_proxy_token(&place, "once", "user-1")),
                     good_token_status);
}

static void refuses_without_the_store(void)
{
    redis_server_kill(&place.redis);
    refuses_all(403);
    refuses_what_is_no_token();
}

static void refuses_without_instances(const struct proxy_kind *proxy)
{
    for (int i = 0; i < INSTANCES; i++)
        (void)process_stop(&place.instances[i].process, SIGKILL);
    refuses_all(proxy->when_dead);
}

static void guards(const struct proxy_kind *proxy)
{
    proxy_kind_need(proxy);
    proxy->start(&place, PART_NONE);
    passed = 0;
    passes_once();
    hands_on_no_subject_of_the_client();
    refuses_what_is_no_token();
    takes_no_id_of_the_client();
    refuses_two_tokens();
    assert_int_equal(application_requests(place.application), passed);
    each_token_passes_once(proxy->name, TOKENS_OTHERS);
    unsigned before = application_requests(place.application);
    refuses_without_the_store();
    refuses_without_instances(proxy);
    assert_int_equal(application_requests(place.application), before);
}

static void nginx_guards(void **state)
{
    (void)state;
    guards(&proxy_nginx);
}

static void caddy_guards(void **state)
{
    (void)state;
    guards(&proxy_caddy);
}

static void haproxy_guards(void **state)
{
    (void)state;
    guards(&proxy_haproxy);
}

static void apache_guards(void **state)
{
    (void)state;
    guards(&proxy_apache);
}

/* ---- a proxy that asks twice ---- */

static void one_request_that_asks_twice_passes(void **state)
{
    (void)state;
    struct http_answer answer;
    proxy_kind_need(&proxy_nginx);
    proxy_nginx.start(&place, PART_FILES);
    char *token = behind_proxy_token(&place, "index", "user-1");
    char *headers = text_of("Authorization: Bearer %s\r\n", token);
    assert_int_equal(behind_proxy_get(&place, headers, &answer), 200);
    assert_string_equal(answer.body, "hello\n");
    http_answer_clear(&answer);
    /* It did ask twice. */
    assert_true(behind_proxy_decided(&place, "admitted", "admitted") == 2);
    assert_int_equal(behind_proxy_get(&place, headers, &answer), 403);
    http_answer_clear(&answer);
    free(headers);
    free(token);
}

/* Why docs/proxies.md asks for the header. */
static void without_the_id_it_meets_itself(void **state)
{
    (void)state;
    proxy_kind_need(&proxy_nginx);
    proxy_nginx.start(&place, PART_FILES);
    assert_int_equal(behind_proxy_show(&place, behind_proxy_token(&place, "index", "user-1")), 403);
    assert_true(behind_proxy_decided(&place, "admitted", "admitted") == 1);
    assert_true(behind_proxy_decided(&place, "replayed", "replayed") == 1);
}

static int set_up(void **state)
{
    (void)state;
    behind_proxy_init(&place, &(struct place_rules){.owner_header = OWNER_HEADER});
    return 0;
}

static int set_up_without_owner(void **state)
{
    (void)state;
    behind_proxy_init(&place, &(struct place_rules){.owner_header = NULL});
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    behind_proxy_end(&place);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nginx_guards, set_up, tear_down),
        cmocka_unit_test_setup_teardown(caddy_guards, set_up, tear_down),
        cmocka_unit_test_setup_teardown(haproxy_guards, set_up, tear_down),
        cmocka_unit_test_setup_teardown(apache_guards, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_request_that_asks_twice_passes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_the_id_it_meets_itself, set_up_without_owner,
                                        tear_down),
        cmocka_unit_test_setup_teardown(many_tokens_through_nginx, set_up, tear_down),
    };
    cmocka_set_test_filter(getenv("JTIGUARD_TEST_FILTER"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
