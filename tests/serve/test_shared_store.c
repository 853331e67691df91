/* SPDX-License-Identifier: Apache-2.0 */
/* The service on a Redis of the test's own: instances that share it, and what they answer when it
 * is gone or hangs. */
#include "serve/service_fixture.h"
#include "support/host_folder.h"
#include "support/redis_server.h"
#include "support/redis_vouch.h"
#include "support/text_file.h"
#include "support/threads.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { INSTANCES = 3, TOKENS = 200, SHOWN = 5 };

static struct redis_server server;
static struct served instances[INSTANCES];

static void start_instance(struct served *served)
{
    served_argument(served, "--store=%s?timeout=300ms&prefix=test:", server.uri);
    served_argument(served, "--instances=%d", INSTANCES);
    served_start_on_its_store(served);
}

/* Where it is, and nothing with which one gets in. */
static void the_start_says_which_store(void **state)
{
    (void)state;
    static struct served served;
    served_init(&served);
    served_argument(&served, "--store=redis://someone:CANARY@127.0.0.1:%u/3?timeout=10ms&prefix=p:",
                    (unsigned)server.port);
    served_start_on_its_store(&served);
    char *log = served_log(&served, " started store=");
    char *place = text_of(" started store=\"redis://127.0.0.1:%u/3?prefix=p:\" version=",
                          (unsigned)server.port);
    if (strstr(log, place) == NULL)
        fail_msg("%s", log);
    assert_null(strstr(log, "CANARY"));
    assert_null(strstr(log, "someone"));
    free(place);
    free(log);
    served_end(&served);
}

static void vouch(void)
{
    char uri[128];
    int len = snprintf(uri, sizeof uri, "%s?prefix=test:", server.uri);
    assert_in_range(len, 1, sizeof uri - 1);
    redis_vouch(uri);
}

static int set_up(void **state)
{
    (void)state;
    redis_server_start(&server, NULL);
    vouch();
    served_init(&instances[0]);
    start_instance(&instances[0]);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    served_end(&instances[0]);
    redis_server_stop(&server);
    return 0;
}

/* ---- three instances, one store ---- */

struct crowd {
    char *tokens[TOKENS];
    uint16_t ports[INSTANCES];
    atomic_uint admitted[TOKENS];
    atomic_uint replayed;
    atomic_uint others;
};

/* Each thread shows every token once, each time to another instance. */
static void show_all(void *context, unsigned index)
{
    struct crowd *crowd = context;
    for (unsigned i = 0; i < TOKENS; i++) {
        struct http_answer answer;
        char *request = text_of("GET /check HTTP/1.1\r\nHost: x\r\n"
                                "Authorization: Bearer %s\r\n\r\n",
                                crowd->tokens[i]);
        (void)http_ask(crowd->ports[(index + i) % INSTANCES], request, &answer);
        atomic_uint *counter = answer.status == 200   ? &crowd->admitted[i]
                               : answer.status == 403 ? &crowd->replayed
                                                      : &crowd->others;
        (void)atomic_fetch_add(counter, 1);
        http_answer_clear(&answer);
        free(request);
    }
}

/* The keys of the first are those of all. */
static void share_keys(struct served *served)
{
    char *jwks = signer_jwks(instances[0].signer, SERVED_KID);
    served_write(served, "keys.json", jwks);
    free(jwks);
}

static void a_token_shown_to_all_is_admitted_by_one(void **state)
{
    (void)state;
    static struct crowd crowd;
    memset(&crowd, 0, sizeof crowd);
    crowd.ports[0] = service_port(instances[0].service, HTTP_MAIN);
    for (unsigned i = 1; i < INSTANCES; i++) {
        served_init(&instances[i]);
        share_keys(&instances[i]);
        start_instance(&instances[i]);
        crowd.ports[i] = service_port(instances[i].service, HTTP_MAIN);
    }
    for (unsigned i = 0; i < TOKENS; i++) {
        char jti[16];
        (void)snprintf(jti, sizeof jti, "t%u", i);
        crowd.tokens[i] = served_token(&instances[0], jti, "");
    }
    threads_run(SHOWN, show_all, &crowd);
    for (unsigned i = 0; i < TOKENS; i++) {
        assert_int_equal(crowd.admitted[i], 1);
        free(crowd.tokens[i]);
    }
    assert_int_equal(crowd.replayed, TOKENS * (SHOWN - 1));
    assert_int_equal(crowd.others, 0);
    for (unsigned i = 1; i < INSTANCES; i++)
        served_end(&instances[i]);
}

/* ---- a store that is gone ---- */

static unsigned admin(const char *path, char *body, size_t body_len)
{
    struct http_answer answer;
    char *request = text_of("GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path);
    assert_true(http_ask(service_port(instances[0].service, HTTP_ADMIN), request, &answer));
    (void)snprintf(body, body_len, "%s", answer.body);
    http_answer_clear(&answer);
    free(request);
    return answer.status;
}

/* When it ends by itself, and what ends it: in the log and, for programs, in /readyz. */
static void assert_tells_what_to_do(void)
{
    struct http_answer answer;
    static const char request[] =
        "GET /readyz HTTP/1.1\r\nHost: x\r\nAccept: application/json\r\n\r\n";
    assert_true(http_ask(service_port(instances[0].service, HTTP_ADMIN), request, &answer));
    assert_int_equal(answer.status, 503);
    json_t *body = json_loads(answer.body, 0, NULL);
    assert_true(json_is_false(json_object_get(body, "ready")));
    assert_string_equal(json_string_value(json_object_get(body, "reason")), "continuity_lost");
    const char *text = json_string_value(json_object_get(body, "text"));
    assert_non_null(strstr(text, "'jtiguard vouch'"));
    assert_non_null(strstr(text, "Z are refused"));
    json_decref(body);
    http_answer_clear(&answer);

    char *log = served_log(&instances[0], "error continuity_lost text=");
    char *line = strstr(log, "error continuity_lost text=");
    char *end = strchr(line, '\n');
    *end = '\0';
    assert_non_null(strstr(line, "'jtiguard vouch'"));
    assert_non_null(strstr(line, "tokens issued after 20"));
    free(log);
}

static void only_refusals_while_it_is_gone(void **state)
{
    (void)state;
    char body[512];
    static const char forgotten[] = "jtiguard_store_status{status=\"continuity_lost\"}";
    static const char down[] = "jtiguard_store_status{status=\"store_unavailable\"}";
    assert_int_equal(served_bearer(&instances[0], served_token(&instances[0], "1", "")).status,
                     200);
    assert_int_equal(admin("/readyz", body, sizeof body), 200);
    redis_server_kill(&server);
    for (int i = 0; i < 20; i++) {
        char jti[16];
        (void)snprintf(jti, sizeof jti, "gone%d", i);
        struct check_result got =
            served_bearer(&instances[0], served_token(&instances[0], jti, ""));
        assert_int_equal(got.status, 403);
        assert_string_equal(got.result, "refused");
    }
    assert_true(served_await_metric(&instances[0], down, 1));
    assert_int_equal(admin("/readyz", body, sizeof body), 503);
    assert_memory_equal(body, "not ready: store_unavailable\n", 29);
    assert_int_equal(admin("/livez", body, sizeof body), 200);
    /* It comes back without its data: what was shown before could pass once more. */
    redis_server_start_again(&server);
    test_clock_advance(&instances[0].clock, 5000); /* past the back-off */
    assert_true(served_await_metric(&instances[0], forgotten, 1));
    assert_int_equal(admin("/readyz", body, sizeof body), 503);
    assert_memory_equal(body, "not ready: continuity_lost\n", 27);
    assert_non_null(strstr(body, "'jtiguard vouch'"));
    struct check_result old = served_bearer(&instances[0], served_token(&instances[0], "1", ""));
    assert_int_equal(old.status, 403);
    assert_string_equal(old.reason, "continuity_lost");
    assert_tells_what_to_do();
    assert_true(served_metric(&instances[0], "jtiguard_redis_losses_total") >= 1);
    vouch();
    assert_true(served_await_metric(&instances[0], "jtiguard_store_status{status=\"ok\"}", 1));
    assert_int_equal(admin("/readyz", body, sizeof body), 200);
    assert_int_equal(served_bearer(&instances[0], served_token(&instances[0], "back", "")).status,
                     200);
    assert_true(served_metric(&instances[0], "jtiguard_redis_connects_total") >= 2);
}

/* Every worker waits, each no longer than the store's timeout; who only asks whether it lives
 * does not wait at all. */
static void show_many(void *context, unsigned index)
{
    struct crowd *crowd = context;
    for (unsigned i = 0; i < 5; i++) {
        struct http_answer answer;
        char *request = text_of("GET /check HTTP/1.1\r\nHost: x\r\n"
                                "Authorization: Bearer %s\r\n\r\n",
                                crowd->tokens[index * 5 + i]);
        if (http_ask(crowd->ports[0], request, &answer) && answer.status == 403)
            (void)atomic_fetch_add(&crowd->replayed, 1);
        http_answer_clear(&answer);
        free(request);
    }
}

/* Past the back-off. A probe that was under way in the pause may still fail, and begin another. */
static bool comes_back(struct served *served)
{
    for (int i = 0; i < 3; i++) {
        test_clock_advance(&served->clock, 5000);
        if (served_await_metric(served, "jtiguard_store_status{status=\"ok\"}", 1))
            return true;
    }
    return false;
}

static void a_store_that_hangs(void **state)
{
    (void)state;
    enum { ASKERS = 20 };
    static struct crowd crowd;
    char body[64];
    memset(&crowd, 0, sizeof crowd);
    crowd.ports[0] = service_port(instances[0].service, HTTP_MAIN);
    for (unsigned i = 0; i < ASKERS * 5; i++) {
        char jti[16];
        (void)snprintf(jti, sizeof jti, "h%u", i);
        crowd.tokens[i] = served_token(&instances[0], jti, "");
    }
    redis_server_freeze(&server);
    struct threads *askers = threads_start(ASKERS, show_many, &crowd);
    for (int i = 0; i < 20; i++)
        assert_int_equal(admin("/livez", body, sizeof body), 200);
    threads_join(askers);
    assert_int_equal(crowd.replayed, ASKERS * 5); /* all refused, in bounded time */
    /* Who waited behind others that waited for it is seen. */
    assert_true(served_metric(&instances[0], "jtiguard_wait_duration_seconds_count") >= ASKERS * 5);
    assert_true(served_metric(&instances[0], "jtiguard_wait_duration_seconds_sum") > 0.05);
    free(served_log(&instances[0], "a connection was given up: the server did not answer in time"));
    redis_server_thaw(&server);
    for (unsigned i = 0; i < ASKERS * 5; i++)
        free(crowd.tokens[i]);
    assert_true(comes_back(&instances[0]));
}

/* ---- many tokens in one request ---- */

enum { BATCH = 90 };

/* Claims with the jti "PREFIX 0", …; every ninth is the one before once more, one has no kind. */
static char *batch_of(const char *prefix)
{
    char *body = strdup("{\"tokens\":[");
    for (unsigned i = 0; i < BATCH; i++) {
        char *longer =
            text_of("%s%s{%s\"iss\":\"https://i.example\",\"aud\":\"api\",\"jti\":\"%s %u\","
                    "\"iat\":%ld,\"exp\":%ld}",
                    body, i > 0 ? "," : "", i == 50 ? "" : "\"kind\":\"id_token\",", prefix,
                    i % 9 == 8 ? i - 1 : i, SERVED_NOW_S - 1, SERVED_NOW_S + 60);
        free(body);
        body = longer;
    }
    char *whole = text_of("%s]}", body);
    free(body);
    return whole;
}

static json_t *post_batch(const char *prefix, unsigned expected)
{
    struct http_answer answer;
    char *body = batch_of(prefix);
    unsigned status = served_post(&instances[0], "/v1/check", body, &answer);
    json_t *root = json_loads(answer.body, 0, NULL);
    if (status != expected || root == NULL)
        fail_msg("%u: %s", status, answer.body);
    assert_int_equal(json_array_size(json_object_get(root, "results")), BATCH);
    http_answer_clear(&answer);
    free(body);
    return root;
}

static const char *reason_in(const json_t *root, unsigned at)
{
    const json_t *one = json_array_get(json_object_get(root, "results"), at);
    return json_string_value(json_object_get(one, "reason"));
}

static unsigned count_in(const json_t *root, const char *reason)
{
    unsigned found = 0;
    for (unsigned i = 0; i < BATCH; i++)
        found += strcmp(reason_in(root, i), reason) == 0;
    return found;
}

#define GUARD_WAITS "jtiguard_guard_duration_seconds_count"

/* It waits for the store once, and says what so many requests would have been told. */
static void a_batch_waits_once(void **state)
{
    (void)state;
    json_t *root = post_batch("first", 422);
    assert_true(served_metric(&instances[0], GUARD_WAITS) == 1);
    for (unsigned i = 0; i < BATCH; i++)
        assert_string_equal(reason_in(root, i), i == 50      ? "missing_kind"
                                                : i % 9 == 8 ? "replayed"
                                                             : "admitted");
    json_decref(root);
    root = post_batch("first", 422);
    assert_int_equal(count_in(root, "replayed"), BATCH - 1);
    json_decref(root);
}

/* All of it within the time of one call, and nobody is admitted then. */
static void a_batch_ends_when_the_store_hangs(void **state)
{
    (void)state;
    json_decref(post_batch("first", 422));
    redis_server_freeze(&server);
    json_t *root = post_batch("second", 503);
    assert_int_equal(count_in(root, "admitted"), 0);
    assert_int_equal(count_in(root, "outcome_unknown") + count_in(root, "store_unavailable"),
                     BATCH - 1);
    json_decref(root);
    assert_true(served_metric(&instances[0], GUARD_WAITS) == 2);
    redis_server_thaw(&server);
    assert_true(comes_back(&instances[0]));
}

/* A head that came so slowly that the store might answer behind the end of the connection: nothing
 * is asked, and the token is good for the next request. */
static void a_slow_head_uses_up_nothing(void **state)
{
    (void)state;
    static struct served slow;
    static const char line[] = "GET /check HTTP/1.1\r\n";
    struct http_answer answer;
    served_init(&slow);
    served_argument(&slow, "--store=%s?timeout=1500ms&prefix=test:", server.uri);
    served_argument(&slow, "--request-timeout=2s");
    served_start_on_its_store(&slow);
    char *token = served_token(&slow, "slow", "");
    char *rest = text_of("Host: x\r\nAuthorization: Bearer %s\r\n\r\n", token);
    int fd = http_connect(service_port(slow.service, HTTP_MAIN));
    assert_true(http_send(fd, line, strlen(line)));
    assert_false(http_wait_closed(fd, 700));
    assert_true(http_send(fd, rest, strlen(rest)));
    assert_true(http_read(fd, &answer, false));
    assert_int_equal(answer.status, 403);
    assert_string_equal(http_header(&answer, "X-JTI-Reason"), "out_of_time");
    http_answer_clear(&answer);
    (void)close(fd);
    free(rest);
    assert_int_equal(served_bearer(&slow, token).status, 200);
    served_end(&slow);
}

/* ---- what is counted, and what the manual says of it ---- */

enum { NAMES_MAX = 128, NAME_BYTES = 64 };

struct names {
    char list[NAMES_MAX][NAME_BYTES];
    size_t count;
};

static bool holds(const struct names *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++)
        if (strcmp(names->list[i], name) == 0)
            return true;
    return false;
}

/* Each word that follows `before` in the text. */
static void collect(struct names *names, const char *text, const char *before)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_";
    for (const char *at = text; (at = strstr(at, before)) != NULL;) {
        char name[NAME_BYTES];
        at += strlen(before);
        (void)snprintf(name, sizeof name, "%.*s", (int)strspn(at, letters), at);
        assert_true(names->count < NAMES_MAX);
        if (!holds(names, name))
            (void)snprintf(names->list[names->count++], NAME_BYTES, "%s", name);
    }
}

static void collect_counted(struct names *names, const struct served *served)
{
    struct http_answer answer;
    assert_true(http_ask(service_port(served->service, HTTP_ADMIN),
                         "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", &answer));
    collect(names, answer.body, "# TYPE jtiguard_");
    http_answer_clear(&answer);
}

static void assert_within(const struct names *some, const struct names *all, const char *where)
{
    for (size_t i = 0; i < some->count; i++)
        if (!holds(all, some->list[i]))
            fail_msg("jtiguard_%s is not %s", some->list[i], where);
}

/* The clocks of services are a test's own, and so is the store. */
static void collect_on_host(struct names *names)
{
    static struct served on_host;
    struct host_folder folder;
    host_folder_make(&folder);
    served_init(&on_host);
    served_argument(&on_host, "--store=host:%s", folder.store);
    served_start_on_its_store(&on_host);
    collect_counted(names, &on_host);
    served_end(&on_host);
    host_folder_remove(&folder);
}

/* An alert that was written with a name that does not exist stays silent. */
static void the_manual_names_what_is_counted(void **state)
{
    (void)state;
    static struct names counted;
    static struct names told;
    static struct served in_memory;
    counted.count = told.count = 0;
    assert_true(served_await_metric(&instances[0], "jtiguard_store_status{status=\"ok\"}", 1));
    collect_counted(&counted, &instances[0]);
    served_init(&in_memory);
    served_start_on_its_store(&in_memory);
    collect_counted(&counted, &in_memory);
    served_end(&in_memory);
    collect_on_host(&counted);

    char *page = text_file_read(JTIGUARD_SERVE_PAGE);
    char *table = strstr(page, "| metric | |");
    assert_non_null(table);
    *strstr(table, "## Settings") = '\0';
    collect(&told, table, "jtiguard_");
    assert_true(told.count > 40);
    assert_within(&told, &counted, "counted");
    assert_within(&counted, &told, "in docs/serve.md");
    free(page);
}

static void the_end_does_not_wait_for_a_store_that_hangs(void **state)
{
    (void)state;
    redis_server_freeze(&server);
    served_end(&instances[0]);
    redis_server_thaw(&server);
    served_init(&instances[0]);
    start_instance(&instances[0]);
}

int main(void)
{
#define TEST_OF(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST_OF(a_token_shown_to_all_is_admitted_by_one),
        TEST_OF(only_refusals_while_it_is_gone),
        TEST_OF(a_store_that_hangs),
        TEST_OF(a_batch_waits_once),
        TEST_OF(a_batch_ends_when_the_store_hangs),
        TEST_OF(a_slow_head_uses_up_nothing),
        TEST_OF(the_start_says_which_store),
        TEST_OF(the_manual_names_what_is_counted),
        TEST_OF(the_end_does_not_wait_for_a_store_that_hangs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
