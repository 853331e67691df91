/* SPDX-License-Identifier: Apache-2.0 */
/* /v1/, as verifiers ask it. */
#include "serve/service_fixture.h"
#include "support/threads.h"

#include <jansson.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static struct served served;

static int set_up(void **state)
{
    (void)state;
    served_init(&served);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    served_end(&served);
    return 0;
}

/* Claims of an ID token that is accepted; `more` begins with a comma. The caller frees it. */
static char *claims(const char *jti, const char *more)
{
    return text_of("{\"kind\":\"id_token\",\"iss\":\"https://i.example\",\"aud\":\"api\","
                   "\"jti\":\"%s\",\"iat\":%ld,\"exp\":%ld%s}",
                   jti, SERVED_NOW_S - 1, SERVED_NOW_S + 60, more);
}

/* Post and read the answer; body is freed. */
static json_t *post(const char *path, char *body, unsigned status)
{
    struct http_answer answer;
    unsigned got = served_post(&served, path, body, &answer);
    json_t *root = json_loads(answer.body, 0, NULL);
    if (got != status)
        fail_msg("%s %s: %u %s", path, body, got, answer.body);
    if (status == 503)
        assert_string_equal(http_header(&answer, "Retry-After"), "1");
    assert_string_equal(http_header(&answer, "Content-Type"), "application/json");
    assert_string_equal(http_header(&answer, "Cache-Control"), "no-store");
    assert_non_null(root);
    http_answer_clear(&answer);
    free(body);
    return root;
}

static const char *text_in(const json_t *root, const char *name)
{
    const char *text = json_string_value(json_object_get(root, name));
    assert_non_null(text);
    return text;
}

#define assert_reserve(body, status, result, reason)                                               \
    do {                                                                                           \
        json_t *root_ = post("/v1/reserve", (body), (status));                                     \
        assert_string_equal(text_in(root_, "reason"), (reason));                                   \
        assert_string_equal(text_in(root_, "result"), (result));                                   \
        json_decref(root_);                                                                        \
    } while (0)

static void a_token_is_reserved_once(void **state)
{
    (void)state;
    served_start(&served);
    assert_reserve(claims("1", ""), 200, "admitted", "admitted");
    assert_reserve(claims("1", ""), 409, "replayed", "replayed");
    assert_reserve(claims("2", ""), 200, "admitted", "admitted");
    assert_true(served_decisions(&served, "reserve", "admitted", "admitted") == 2);
    assert_true(served_decisions(&served, "reserve", "replayed", "replayed") == 1);
    assert_true(served_metric(&served, "jtiguard_http_requests_total{endpoint=\"reserve\","
                                       "code=\"409\"}") == 1);
}

static void the_owner_is_an_idempotency_key(void **state)
{
    (void)state;
    served_start(&served);
    assert_reserve(claims("1", ",\"owner\":\"request 7\""), 200, "admitted", "admitted");
    assert_reserve(claims("1", ",\"owner\":\"request 7\""), 200, "admitted", "admitted");
    assert_reserve(claims("1", ",\"owner\":\"request 8\""), 409, "replayed", "replayed");
    assert_reserve(claims("2", ",\"owner\":\"\""), 422, "refused", "malformed_owner");
    char *longer = text_of(",\"owner\":\"%0513d\"", 0);
    assert_reserve(claims("2", longer), 422, "refused", "malformed_owner");
    free(longer);
}

static char *release_of(const json_t *reserved)
{
    char *reservation = json_dumps(json_object_get(reserved, "reservation"), 0);
    char *body = text_of("{\"reservation\":%s}", reservation);
    free(reservation);
    return body;
}

static void a_reservation_is_given_back_once(void **state)
{
    (void)state;
    served_start(&served);
    json_t *reserved = post("/v1/reserve", claims("1", ""), 200);
    assert_true(json_integer_value(json_object_get(reserved, "ttl_ms")) >= 60000);
    json_t *released = post("/v1/release", release_of(reserved), 200);
    assert_true(json_is_true(json_object_get(released, "released")));
    json_decref(released);
    released = post("/v1/release", release_of(reserved), 409);
    assert_string_equal(text_in(released, "reason"), "not_found");
    json_decref(released);
    /* Another's reservation is not given back by who held it before. */
    assert_reserve(claims("1", ""), 200, "admitted", "admitted");
    released = post("/v1/release", release_of(reserved), 409);
    assert_string_equal(text_in(released, "reason"), "not_owner");
    json_decref(released);
    json_decref(reserved);
    assert_true(served_metric(&served, "jtiguard_releases_total{status=\"ok\"}") == 1);
    assert_true(served_metric(&served, "jtiguard_releases_total{status=\"not_found\"}") == 1);
    assert_true(served_metric(&served, "jtiguard_releases_total{status=\"not_owner\"}") == 1);
}

static void a_release_that_is_none(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "{}",
        "{\"reservation\":null}",
        "{\"reservation\":{\"key\":\"k\"}}",
        "{\"reservation\":{\"key\":\"\",\"owner\":\"00000000000000000000000000000000\"}}",
        "{\"reservation\":{\"key\":\"k\",\"owner\":\"0\"}}",
        "{\"reservation\":{\"key\":\"k\",\"owner\":\"00000000000000000000000000000000\"},\"x\":1}",
        "{\"reservation\":{\"key\":1,\"owner\":\"00000000000000000000000000000000\"}}",
    };
    served_start(&served);
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        json_t *root = post("/v1/release", strdup(bodies[i]), 422);
        assert_string_equal(text_in(root, "reason"), "malformed_reservation");
        json_decref(root);
    }
    char *longer = text_of("{\"reservation\":{\"key\":\"%0513d\","
                           "\"owner\":\"00000000000000000000000000000000\"}}",
                           0);
    json_decref(post("/v1/release", longer, 422));
    assert_true(served_metric(&served, "jtiguard_releases_total{status=\"bad_argument\"}") == 8);
}

/* Where the body is wrong. */
static void assert_names(const json_t *root, const char *member, int position)
{
    const json_t *named = json_object_get(root, "member");
    const json_t *place = json_object_get(root, "position");
    if (member != NULL)
        assert_string_equal(json_string_value(named), member);
    else
        assert_null(named);
    if (position >= 0)
        assert_int_equal(json_integer_value(place), position);
    else
        assert_null(place);
}

static void a_body_that_is_none(void **state)
{
    (void)state;
    const struct {
        const char *body;
        const char *reason;
        const char *member;
        int position; /* -1: the answer names none */
    } cases[] = {
        {"", "malformed_json", NULL, 0},
        {"[]", "malformed_json", NULL, 0},
        {"{", "malformed_json", NULL, 1},
        {"{} x", "malformed_json", NULL, 4},
        {"{\"jti\":\"a\",}", "malformed_json", NULL, 12},
        {"{\"kind\":\"id_token\",\"kind\":\"id_token\"}", "duplicate_key", NULL, 25},
        {"{\"exp\":1e999}", "number_too_big", NULL, 12},
        {"{\"exp\":99999999999999999999999}", "number_too_big", NULL, 30},
        {"{\"jti\":\"\\u0000\"}", "malformed_json", NULL, 15},
        {"{\"jti\":\"\xff\"}", "malformed_json", NULL, 8},
        {"{\"jti\":1}", "wrong_type", "jti", -1},
        {"{\"exp\":\"1\"}", "wrong_type", "exp", -1},
        {"{\"aud\":[\"a\",\"b\"]}", "wrong_type", "aud", -1},
        {"{\"nfb\":1}", "unknown_member", "nfb", -1},
        {"{\"n\\u00e4\":1}", "unknown_member", NULL, -1},
        {"{\"0123456789012345678901234567890123456789012345678901234567890123456\":1}",
         "unknown_member", NULL, -1},
        {"{\"kind\":\"id-token\"}", "unknown_kind", "kind", -1},
        {"{\"jti\":\"1\"}", "missing_kind", NULL, -1},
        {"{\"a\":[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]}", "too_deep", NULL, -1},
    };
    served_start(&served);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double before = served_decisions(&served, "reserve", "refused", cases[i].reason);
        json_t *root = post("/v1/reserve", strdup(cases[i].body), 422);
        assert_string_equal(text_in(root, "reason"), cases[i].reason);
        assert_string_equal(text_in(root, "result"), "refused");
        assert_names(root, cases[i].member, cases[i].position);
        json_decref(root);
        assert_true(served_decisions(&served, "reserve", "refused", cases[i].reason) == before + 1);
    }
    assert_int_equal(served.store->reserves, 0);
}

/* What a framework's store interface is told: an id, and how long it matters. */
static char *lasting(const char *jti, const char *lifetime)
{
    return text_of("{\"kind\":\"custom\",\"custom_kind\":\"nonce\",\"jti\":\"%s\",\"lifetime\":%s}",
                   jti, lifetime);
}

static void a_lifetime_stands_for_times_that_are_not_known(void **state)
{
    (void)state;
    served_start(&served);
    json_t *reserved = post("/v1/reserve", lasting("1", "300"), 200);
    assert_int_equal(json_integer_value(json_object_get(reserved, "ttl_ms")), 390000);
    json_decref(reserved);
    assert_reserve(lasting("1", "300"), 409, "replayed", "replayed");
    reserved = post("/v1/reserve", lasting("2", "0.5"), 200);
    assert_int_equal(json_integer_value(json_object_get(reserved, "ttl_ms")), 90500);
    json_decref(reserved);
    assert_reserve(lasting("3", "0"), 422, "refused", "unreasonable_time");
    assert_reserve(lasting("3", "-1"), 422, "refused", "unreasonable_time");
    assert_reserve(lasting("3", "86401"), 422, "refused", "lifetime_too_long");
    assert_reserve(lasting("3", "1e300"), 422, "refused", "lifetime_too_long");
    assert_reserve(lasting("3", "\"300\""), 422, "refused", "wrong_type");
    assert_reserve(claims("4", ",\"lifetime\":61"), 200, "admitted", "admitted");
    assert_reserve(claims("5", ",\"lifetime\":60"), 422, "refused", "lifetime_too_long");
}

/* Every reason that the guard finds in claims. */
static void claims_that_the_guard_refuses(void **state)
{
    (void)state;
    char *long_jti = text_of(",\"x\":\"%0300d\"", 0);
    char *jti_too_long = text_of(
        "{\"kind\":\"id_token\",\"iss\":\"i\",\"aud\":\"a\",\"jti\":\"%0300d\",\"exp\":%ld}", 0,
        SERVED_NOW_S + 60);
    char *claim_too_long = text_of("{\"kind\":\"id_token\",\"iss\":\"%03000d\",\"aud\":\"a\","
                                   "\"jti\":\"1\",\"exp\":%ld}",
                                   0, SERVED_NOW_S + 60);
#define MEMBERS_AT(members, seconds) "{" members "}", (seconds)
    const struct {
        const char *body; /* with %ld for the time, or without */
        long seconds;
        const char *reason;
    } cases[] = {
        {MEMBERS_AT("\"kind\":\"id_token\",\"iss\":\"i\",\"aud\":\"a\",\"exp\":%ld", 60),
         "missing_jti"},
        {MEMBERS_AT("\"kind\":\"id_token\",\"aud\":\"a\",\"jti\":\"1\",\"exp\":%ld", 60),
         "missing_issuer"},
        {MEMBERS_AT("\"kind\":\"id_token\",\"iss\":\"i\",\"jti\":\"1\",\"exp\":%ld", 60),
         "missing_audience"},
        {MEMBERS_AT("\"kind\":\"dpop_proof\",\"jti\":\"1\",\"iat\":%ld", 0), "missing_thumbprint"},
        {MEMBERS_AT("\"kind\":\"id_token\",\"iss\":\"i\",\"aud\":\"a\",\"jti\":\"1\",\"iat\":%ld",
                    0),
         "missing_exp"},
        {MEMBERS_AT("\"kind\":\"dpop_proof\",\"thumbprint\":\"t\",\"jti\":\"1\",\"exp\":%ld", 60),
         "missing_iat"},
        {MEMBERS_AT("\"kind\":\"id_token\",\"iss\":\"i\",\"aud\":\"a\",\"jti\":\"1\",\"exp\":%ld",
                    -31),
         "expired"},
        {MEMBERS_AT("\"kind\":\"id_token\",\"iss\":\"i\",\"aud\":\"a\",\"jti\":\"1\","
                    "\"exp\":1e15,\"iat\":%ld",
                    0),
         "unreasonable_time"},
        {MEMBERS_AT("\"kind\":\"id_token\",\"iss\":\"i\",\"aud\":\"a\",\"jti\":\"1\","
                    "\"exp\":-1,\"iat\":%ld",
                    0),
         "unreasonable_time"},
        {MEMBERS_AT("\"kind\":\"id_token\",\"iss\":\"i\",\"aud\":\"a\",\"jti\":\"1\",\"exp\":%ld",
                    90000),
         "lifetime_too_long"},
        {MEMBERS_AT("\"kind\":\"custom\",\"jti\":\"1\",\"exp\":%ld", 60), "missing_kind"},
    };
    served_start(&served);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double before = served_decisions(&served, "reserve", "refused", cases[i].reason);
        char body[512];
        /* The texts above are the formats. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        (void)snprintf(body, sizeof body, cases[i].body, SERVED_NOW_S + cases[i].seconds);
#pragma GCC diagnostic pop
        assert_reserve(strdup(body), 422, "refused", cases[i].reason);
        assert_true(served_decisions(&served, "reserve", "refused", cases[i].reason) == before + 1);
    }
    char *iat_ahead = text_of("{\"kind\":\"id_token\",\"iss\":\"i\",\"aud\":\"a\",\"jti\":\"1\","
                              "\"iat\":%ld,\"exp\":%ld}",
                              SERVED_NOW_S + 31, SERVED_NOW_S + 60);
    char *exp_first = text_of("{\"kind\":\"id_token\",\"iss\":\"i\",\"aud\":\"a\",\"jti\":\"1\","
                              "\"iat\":%ld,\"exp\":%ld}",
                              SERVED_NOW_S, SERVED_NOW_S - 1);
    assert_reserve(iat_ahead, 422, "refused", "issued_in_future");
    assert_reserve(exp_first, 422, "refused", "expires_before_issued");
    assert_reserve(claims("1", ",\"nbf\":9999999999"), 422, "refused", "expires_before_issued");
    assert_reserve(jti_too_long, 422, "refused", "jti_too_long");
    assert_reserve(claim_too_long, 422, "refused", "malformed_claim");
    assert_reserve(claims("1", long_jti), 422, "refused", "unknown_member");
    free(long_jti);
    assert_int_equal(served.store->reserves, 0);
}

static void trouble_of_the_store(void **state)
{
    (void)state;
    served_start(&served);
    for (unsigned i = 2; i < JTG_STATUS_COUNT; i++) {
        jtg_reason reason = jtg_reason_from_status((jtg_status)i);
        char jti[16];
        (void)snprintf(jti, sizeof jti, "s%u", i);
        served.store->answer = (jtg_status)i;
        json_t *root = post("/v1/reserve", claims(jti, ",\"owner\":\"o\""), 503);
        assert_string_equal(text_in(root, "reason"), jtg_reason_name(reason));
        /* Whoever does not know how it ended can ask again with the same owner. */
        bool may_be_ours =
            reason == JTG_REASON_OUTCOME_UNKNOWN || reason == JTG_REASON_TOO_FEW_REPLICAS;
        assert_true((json_object_get(root, "reservation") != NULL) == may_be_ours);
        json_decref(root);
    }
    served.store->answer = JTG_ERR_UNAVAILABLE;
    json_decref(post("/v1/release",
                     strdup("{\"reservation\":{\"key\":\"k\","
                            "\"owner\":\"00000000000000000000000000000000\"}}"),
                     503));
    served.store->answer = JTG_OK;
    assert_reserve(claims("s10", ",\"owner\":\"o\""), 200, "admitted", "admitted");
}

static char *batch(unsigned count, const char *first_jti)
{
    char *body = strdup("{\"tokens\":[");
    for (unsigned i = 0; i < count; i++) {
        char jti[32];
        (void)snprintf(jti, sizeof jti, "b%u", i);
        char *one = claims(i == 0 ? first_jti : jti, "");
        char *longer = text_of("%s%s%s", body, i > 0 ? "," : "", one);
        free(one);
        free(body);
        body = longer;
    }
    char *whole = text_of("%s]}", body);
    free(body);
    return whole;
}

/* 200 says that every one of them was admitted. */
static void a_batch_is_as_good_as_its_worst(void **state)
{
    (void)state;
    served_argument(&served, "--max-batch=3");
    served_start(&served);
    json_t *root = post("/v1/check", batch(3, "first"), 200);
    assert_int_equal(json_array_size(json_object_get(root, "results")), 3);
    json_decref(root);
    root = post("/v1/check", batch(1, "first"), 409);
    json_decref(root);
    char *one = claims("fresh", "");
    char *mixed = text_of("{\"tokens\":[{\"jti\":\"1\"},%s,%s]}", one, one);
    root = post("/v1/check", mixed, 422);
    const json_t *results = json_object_get(root, "results");
    assert_string_equal(text_in(json_array_get(results, 0), "reason"), "missing_kind");
    assert_string_equal(text_in(json_array_get(results, 1), "reason"), "admitted");
    assert_string_equal(text_in(json_array_get(results, 2), "reason"), "replayed");
    json_decref(root);
    free(one);
    served.store->answer = JTG_ERR_UNAVAILABLE;
    root = post("/v1/check", batch(2, "other"), 503);
    json_decref(root);
    served.store->answer = JTG_OK;
    assert_true(served_decisions(&served, "check_batch", "admitted", "admitted") == 4);

    static const char *const none[] = {"{}", "{\"tokens\":[]}", "{\"tokens\":{}}",
                                       "{\"tokens\":[1],\"x\":2}"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        root = post("/v1/check", strdup(none[i]), 422);
        assert_string_equal(text_in(root, "reason"), "malformed_batch");
        json_decref(root);
    }
    root = post("/v1/check", batch(4, "many"), 422);
    assert_string_equal(text_in(root, "reason"), "malformed_batch");
    json_decref(root);
    root = post("/v1/check", strdup("{\"tokens\":[1]}"), 422);
    json_decref(root);
}

/* ---- who waits for an answer ---- */

/* A store that takes its time for each. */
static void take_time(struct recording_cache *cache)
{
    const struct timespec time = {0, 30000000};
    (void)cache;
    (void)nanosleep(&time, NULL);
}

static unsigned count_of(const json_t *results, const char *reason)
{
    unsigned found = 0;
    for (size_t i = 0; i < json_array_size(results); i++)
        if (strcmp(text_in(json_array_get(results, i), "reason"), reason) == 0)
            found++;
    return found;
}

/* The store is fast enough for each of them and not for all: the answer comes, and those that it
 * was not asked for are as good as before. */
static void a_batch_ends_within_its_request(void **state)
{
    (void)state;
    enum { ALL = 100 };
    served_argument(&served, "--request-timeout=1s");
    served_start(&served);
    served.store->before_look = take_time;
    json_t *root = post("/v1/check", batch(ALL, "first"), 503);
    const json_t *results = json_object_get(root, "results");
    unsigned admitted = count_of(results, "admitted");
    assert_in_range(admitted, 1, ALL - 1);
    assert_int_equal(count_of(results, "out_of_time"), ALL - admitted);
    assert_string_equal(text_in(json_array_get(results, ALL - 1), "result"), "refused");
    assert_string_equal(text_in(json_array_get(results, ALL - 1), "reason"), "out_of_time");
    json_decref(root);
    assert_int_equal(served.store->reserves, admitted);
    served.store->before_look = NULL;
    root = post("/v1/check", batch(ALL, "first"), 409);
    results = json_object_get(root, "results");
    assert_int_equal(count_of(results, "replayed"), admitted);
    assert_int_equal(count_of(results, "admitted"), ALL - admitted);
    json_decref(root);
}

/* A store that answers when the test says so. */
struct gate {
    sem_t entered;
    sem_t open;
};
static struct gate gate;

static void stand_at_gate(struct recording_cache *cache)
{
    (void)cache;
    (void)sem_post(&gate.entered);
    while (sem_wait(&gate.open) != 0)
        ;
}

static void shut_gate(void)
{
    assert_int_equal(sem_init(&gate.entered, 0, 0), 0);
    assert_int_equal(sem_init(&gate.open, 0, 0), 0);
    served.store->before_look = stand_at_gate;
}

/* For those who stand there and those who come. */
static void open_gate(unsigned times)
{
    for (unsigned i = 0; i < times; i++)
        assert_int_equal(sem_post(&gate.open), 0);
}

static void await_at_gate(void)
{
    while (sem_wait(&gate.entered) != 0)
        ;
}

static int send_post(int fd, const char *path, const char *more, char *body)
{
    char *request = text_of("POST %s HTTP/1.1\r\nHost: x\r\n%s"
                            "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                            path, more, strlen(body), body);
    assert_true(fd >= 0);
    assert_true(http_send(fd, request, strlen(request)));
    free(request);
    free(body);
    return fd;
}

static int connect_api(void)
{
    char path[96];
    (void)snprintf(path, sizeof path, "%s/api.sock", served.folder);
    return http_connect_unix(path);
}

static void assert_admitted_on(int fd)
{
    struct http_answer answer;
    assert_true(http_read(fd, &answer, false));
    assert_int_equal(answer.status, 200);
    http_answer_clear(&answer);
    (void)close(fd);
}

/* Nothing is asked for the tokens behind the one that was under way. */
static void a_batch_ends_with_its_caller(void **state)
{
    (void)state;
    served_start(&served);
    shut_gate();
    int fd = send_post(connect_api(), "/v1/check", "", batch(5, "first"));
    await_at_gate();
    (void)close(fd);
    open_gate(5);
    assert_true(served_await_metric(&served, "jtiguard_http_requests_unfinished_total", 1));
    assert_int_equal(served.store->reserves, 1);
    assert_true(served_decisions(&served, "check_batch", "refused", "out_of_time") == 4);
}

/* The only worker is at the store while another's request comes and its caller goes. Over TCP that
 * shows only for who lay there for long: others may have ended their own half. */
static void one_who_left_before_a_worker_came(bool tcp)
{
#define TCP_SECRET "Authorization: Bearer 0123456789abcdef\r\n"
    const char *more = tcp ? TCP_SECRET : "";
    served_argument(&served, "--threads=1");
    if (tcp) {
        served_write(&served, "secret", "0123456789abcdef");
        served_argument(&served, "--api-secret-file=%s/secret", served.folder);
    }
    served_start(&served);
    shut_gate();
    uint16_t main = service_port(served.service, HTTP_MAIN);
    int first = send_post(tcp ? http_connect(main) : connect_api(), "/v1/reserve", more,
                          claims("first", ""));
    await_at_gate();
    int left = send_post(tcp ? http_connect(main) : connect_api(), "/v1/reserve", more,
                         claims("left", ""));
    (void)close(left);
    if (tcp)
        assert_false(http_wait_closed(first, 1300));
    open_gate(3);
    assert_admitted_on(first);
    assert_admitted_on(send_post(tcp ? http_connect(main) : connect_api(), "/v1/reserve", more,
                                 claims("left", "")));
    assert_int_equal(served.store->reserves, 2);
}

static void who_left_a_unix_socket_used_up_nothing(void **state)
{
    (void)state;
    one_who_left_before_a_worker_came(false);
}

static void who_left_over_tcp_used_up_nothing(void **state)
{
    (void)state;
    one_who_left_before_a_worker_came(true);
}

/* It waits for its answer, as long as that comes soon; on a unix socket it is never doubted. */
static void who_ended_its_own_half_is_answered(void **state)
{
    (void)state;
    served_argument(&served, "--threads=1");
    served_write(&served, "secret", "0123456789abcdef");
    served_argument(&served, "--api-secret-file=%s/secret", served.folder);
    served_start(&served);
    int fds[2] = {http_connect(service_port(served.service, HTTP_MAIN)), connect_api()};
    static const char *const jtis[2] = {"tcp", "unix"};
    for (size_t i = 0; i < 2; i++) {
        (void)send_post(fds[i], "/v1/reserve", TCP_SECRET, claims(jtis[i], ""));
        assert_int_equal(shutdown(fds[i], SHUT_WR), 0);
        assert_admitted_on(fds[i]);
    }
}

static void end_service(void *context, unsigned index)
{
    (void)context;
    (void)index;
    service_stop(served.service);
}

static void await_end(struct threads *ending)
{
    threads_join(ending);
    served.service = NULL;
}

/* What would be cut off at the end of the drain is not asked any more. */
static void a_batch_ends_within_the_drain(void **state)
{
    (void)state;
    struct http_answer answer;
    served_argument(&served, "--drain-timeout=1s");
    served_start(&served);
    served.store->before_look = take_time;
    int fd = send_post(connect_api(), "/v1/check", "", batch(100, "first"));
    assert_true(served_await_metric(&served, "jtiguard_requests_in_flight", 1));
    struct threads *ending = threads_start(1, end_service, NULL);
    bool came = http_read(fd, &answer, false);
    await_end(ending);
    assert_true(came);
    assert_int_equal(answer.status, 503);
    json_t *root = json_loads(answer.body, 0, NULL);
    assert_in_range(count_of(json_object_get(root, "results"), "out_of_time"), 1, 99);
    json_decref(root);
    http_answer_clear(&answer);
    (void)close(fd);
}

/* A drain ends the half of idle connections by which requests come. One that lay there already,
 * behind workers that waited for the store, has not left for that. */
static void who_waits_over_the_drain_is_answered(void **state)
{
    (void)state;
    struct http_answer answer;
    served_argument(&served, "--threads=1");
    served_write(&served, "secret", "0123456789abcdef");
    served_argument(&served, "--api-secret-file=%s/secret", served.folder);
    served_start(&served);
    uint16_t main = service_port(served.service, HTTP_MAIN);
    int kept = send_post(http_connect(main), "/v1/reserve", TCP_SECRET, claims("before", ""));
    assert_true(http_read(kept, &answer, false));
    http_answer_clear(&answer);
    shut_gate();
    int first = send_post(http_connect(main), "/v1/reserve", TCP_SECRET, claims("first", ""));
    await_at_gate();
    (void)send_post(kept, "/v1/reserve", TCP_SECRET, claims("kept", ""));
    assert_false(http_wait_closed(first, 1300));
    struct threads *ending = threads_start(1, end_service, NULL);
    free(served_log(&served, " draining "));
    int late = -1;
    /* Until the listener is shut; what comes next is the drain of the connections. */
    while ((late = http_connect(main)) >= 0)
        (void)close(late);
    assert_false(http_wait_closed(first, 200));
    open_gate(2);
    bool came = http_read(kept, &answer, false);
    await_end(ending);
    assert_true(came);
    assert_int_equal(answer.status, 200);
    http_answer_clear(&answer);
    assert_admitted_on(first);
    (void)close(kept);
}

static unsigned ask_main(const char *headers, const char *body)
{
    struct http_answer answer;
    char *request = text_of("POST /v1/reserve HTTP/1.1\r\nHost: x\r\n%s"
                            "Content-Length: %zu\r\n\r\n%s",
                            headers, strlen(body), body);
    assert_true(http_ask(service_port(served.service, HTTP_MAIN), request, &answer));
    if (answer.status == 401)
        assert_non_null(http_header(&answer, "WWW-Authenticate"));
    unsigned status = answer.status;
    http_answer_clear(&answer);
    free(request);
    return status;
}

/* With a secret the API stands beside /check too, and asks for it everywhere. */
static void the_secret_opens_it(void **state)
{
    (void)state;
#define TYPE "Content-Type: application/json\r\n"
    served_write(&served, "secret", "an-old-secret-of-some-length\r\n\nthe-new-secret-01234\n");
    served_argument(&served, "--api-secret-file=%s/secret", served.folder);
    served_start(&served);
    char *body = claims("1", "");
    struct http_answer answer;
    assert_int_equal(ask_main(TYPE, body), 401);
    assert_int_equal(ask_main(TYPE "Authorization: Bearer the-new-secret-0123\r\n", body), 401);
    assert_int_equal(ask_main(TYPE "Authorization: Bearer \r\n", body), 401);
    assert_int_equal(ask_main(TYPE "Authorization: Basic the-new-secret-01234\r\n", body), 401);
    assert_int_equal(ask_main(TYPE "Authorization: Bearer the-new-secret-01234\r\n"
                                   "Authorization: Bearer the-new-secret-01234\r\n",
                              body),
                     401);
    assert_int_equal(served_post(&served, "/v1/reserve", body, &answer), 401);
    http_answer_clear(&answer);
    assert_int_equal(served.store->reserves, 0);
    assert_int_equal(ask_main(TYPE "Authorization: Bearer the-new-secret-01234\r\n", body), 200);
    assert_int_equal(ask_main(TYPE "Authorization: Bearer an-old-secret-of-some-length\r\n", body),
                     409);
    char *log = served_log(&served, "unauthorized endpoint=reserve client=unix");
    assert_null(strstr(log, "the-new-secret"));
    free(log);
    free(body);
}

static void only_json_is_taken(void **state)
{
    (void)state;
    served_write(&served, "secret", "0123456789abcdef");
    served_argument(&served, "--api-secret-file=%s/secret", served.folder);
    served_start(&served);
#define SECRET "Authorization: Bearer 0123456789abcdef\r\n"
    char *body = claims("1", "");
    assert_int_equal(ask_main(SECRET, body), 415);
    assert_int_equal(ask_main(SECRET "Content-Type: text/plain\r\n", body), 415);
    assert_int_equal(ask_main(SECRET "Content-Type: application/jsonx\r\n", body), 415);
    assert_int_equal(ask_main(SECRET "Content-Type: application/json; charset=utf-8\r\n", body),
                     200);
    free(body);
}

static void other_methods_are_not_allowed(void **state)
{
    (void)state;
    struct http_answer answer;
    char path[96];
    served_start(&served);
    (void)snprintf(path, sizeof path, "%s/api.sock", served.folder);
    assert_true(http_ask_unix(path, "GET /v1/reserve HTTP/1.1\r\nHost: x\r\n\r\n", &answer));
    assert_int_equal(answer.status, 405);
    assert_string_equal(http_header(&answer, "Allow"), "POST");
    http_answer_clear(&answer);
    assert_true(http_ask_unix(path, "GET /check HTTP/1.1\r\nHost: x\r\n\r\n", &answer));
    assert_int_equal(answer.status, 404);
    http_answer_clear(&answer);
    assert_true(http_ask(service_port(served.service, HTTP_MAIN),
                         "POST /v1/reserve HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
                         &answer));
    assert_int_equal(answer.status, 404);
    assert_non_null(strstr(answer.body, "api_secret"));
    http_answer_clear(&answer);
    assert_true(http_ask(service_port(served.service, HTTP_ADMIN),
                         "POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
                         &answer));
    assert_int_equal(answer.status, 405);
    assert_string_equal(http_header(&answer, "Allow"), "GET, HEAD");
    http_answer_clear(&answer);
}

static void a_body_that_is_too_long(void **state)
{
    (void)state;
    struct http_answer answer;
    char path[96];
    served_argument(&served, "--max-body-bytes=1024");
    served_start(&served);
    (void)snprintf(path, sizeof path, "%s/api.sock", served.folder);
    char *announced =
        text_of("POST /v1/reserve HTTP/1.1\r\nHost: x\r\n" TYPE "Content-Length: 1025\r\n\r\n");
    assert_true(http_ask_unix(path, announced, &answer));
    assert_int_equal(answer.status, 413);
    http_answer_clear(&answer);
    char *chunked = text_of("POST /v1/reserve HTTP/1.1\r\nHost: x\r\n" TYPE
                            "Transfer-Encoding: chunked\r\n\r\n401\r\n%01025d\r\n0\r\n\r\n",
                            0);
    assert_true(http_ask_unix(path, chunked, &answer));
    assert_int_equal(answer.status, 413);
    http_answer_clear(&answer);
    free(chunked);
    free(announced);
}

int main(void)
{
#define TEST_OF(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST_OF(a_token_is_reserved_once),
        TEST_OF(the_owner_is_an_idempotency_key),
        TEST_OF(a_reservation_is_given_back_once),
        TEST_OF(a_release_that_is_none),
        TEST_OF(a_body_that_is_none),
        TEST_OF(a_lifetime_stands_for_times_that_are_not_known),
        TEST_OF(claims_that_the_guard_refuses),
        TEST_OF(trouble_of_the_store),
        TEST_OF(a_batch_is_as_good_as_its_worst),
        TEST_OF(a_batch_ends_within_its_request),
        TEST_OF(a_batch_ends_with_its_caller),
        TEST_OF(who_left_a_unix_socket_used_up_nothing),
        TEST_OF(who_left_over_tcp_used_up_nothing),
        TEST_OF(who_ended_its_own_half_is_answered),
        TEST_OF(a_batch_ends_within_the_drain),
        TEST_OF(who_waits_over_the_drain_is_answered),
        TEST_OF(the_secret_opens_it),
        TEST_OF(only_json_is_taken),
        TEST_OF(other_methods_are_not_allowed),
        TEST_OF(a_body_that_is_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
