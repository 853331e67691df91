/* SPDX-License-Identifier: Apache-2.0 */
/* /v1/challenge and /v1/consume, as programs ask them. */
#include "serve/service_fixture.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static void start(void)
{
    served_argument(&served, "--store");
    served_argument(&served, "memory");
    served_start_on_its_store(&served);
}

/* Post and read the answer; body is freed. */
static json_t *post(const char *path, char *body, unsigned status)
{
    struct http_answer answer;
    unsigned got = served_post(&served, path, body, &answer);
    json_t *root = json_loads(answer.body, 0, NULL);
    if (got != status)
        fail_msg("%s %s: %u %s", path, body, got, answer.body);
    assert_string_equal(http_header(&answer, "Cache-Control"), "no-store");
    assert_non_null(root);
    http_answer_clear(&answer);
    free(body);
    return root;
}

/* The caller frees it. */
static char *issue(const char *more, int lives_s)
{
    json_t *issued = post("/v1/challenge", text_of("{\"purpose\":\"webauthn\"%s}", more), 200);
    const char *text = json_string_value(json_object_get(issued, "challenge"));
    assert_non_null(text);
    assert_int_equal(strlen(text), 71);
    assert_int_equal(json_integer_value(json_object_get(issued, "expires_in")), lives_s);
    char *copy = text_of("%s", text);
    json_decref(issued);
    return copy;
}

static void consume_as(const char *purpose, const char *challenge, unsigned status,
                       const char *reason)
{
    json_t *answer =
        post("/v1/consume",
             text_of("{\"purpose\":\"%s\",\"challenge\":\"%s\"}", purpose, challenge), status);
    assert_string_equal(json_string_value(json_object_get(answer, "reason")), reason);
    assert_int_equal(json_is_true(json_object_get(answer, "consumed")), status == 200);
    assert_int_equal(json_is_false(json_object_get(answer, "consumed")), status != 200);
    json_decref(answer);
}

static void each_is_consumed_once(void **state)
{
    (void)state;
    start();
    char *one = issue("", 300);
    char *two = issue(",\"lifetime\":86400", 86400);
    assert_string_not_equal(one, two);
    consume_as("c_nonce", one, 422, "mismatch");
    consume_as("webauthn", "none", 422, "mismatch");
    consume_as("webauthn", one, 200, "ok");
    consume_as("webauthn", one, 409, "replayed");
    consume_as("webauthn", two, 200, "ok");
    consume_as("webauthn", two, 409, "replayed");
    free(one);
    free(two);
}

static void it_ends(void **state)
{
    (void)state;
    start();
    char *one = issue(",\"lifetime\":10", 10);
    test_clock_advance(&served.clock, 10000);
    consume_as("webauthn", one, 422, "not_found");
    free(one);
}

static void what_is_not_taken_is_refused(void **state)
{
    static const char *const issues[] = {"{}",
                                         "[]",
                                         "{\"purpose\":\"\"}",
                                         "{\"purpose\":7}",
                                         "{\"purpose\":\"p\",\"lifetime\":0}",
                                         "{\"purpose\":\"p\",\"lifetime\":86401}",
                                         "{\"purpose\":\"p\",\"lifetime\":\"9\"}",
                                         "{\"purpose\":\"p\",\"more\":1}",
                                         "{\"purpose\":\"p\",\"purpose\":\"q\"}",
                                         "no JSON"};
    static const char *const consumes[] = {"{\"purpose\":\"p\"}", "{\"challenge\":\"c\"}",
                                           "{\"purpose\":\"p\",\"challenge\":\"\"}",
                                           "{\"purpose\":\"p\",\"challenge\":\"c\",\"more\":1}"};
    (void)state;
    start();
    for (size_t i = 0; i < sizeof issues / sizeof issues[0]; i++)
        json_decref(post("/v1/challenge", text_of("%s", issues[i]), 422));
    for (size_t i = 0; i < sizeof consumes / sizeof consumes[0]; i++)
        json_decref(post("/v1/consume", text_of("%s", consumes[i]), 422));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_is_consumed_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_ends, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_not_taken_is_refused, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("challenges of the service", tests, NULL, NULL);
}
