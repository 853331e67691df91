/* SPDX-License-Identifier: Apache-2.0 */
/* Several services of one host on its store. */
#include "serve/service_fixture.h"
#include "support/host_folder.h"

#include <jtiguard/host.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INSTANCES = 2 };

static struct host_folder folder;
static struct served instances[INSTANCES];

/* All processes of a store have one clock, and so have the services of this one. */
static void start_instance(struct served *served)
{
    served_init(served);
    served_argument(served, "--store=host:%s", folder.store);
    served_argument(served, "--instances=%d", INSTANCES);
    served_argument(served, "--max-entries=1000");
    served_start_on_its_store(served);
}

/* No token was used before. */
static void make_vouched_store(void)
{
    struct test_clock clock;
    jtg_cache *cache = NULL;
    jtg_host_options options = JTG_HOST_OPTIONS_INIT;
    test_clock_init(&clock);
    const jtg_clock as_jtg = test_clock_as_jtg(&clock);
    options.path = folder.store;
    options.max_entries = 1000;
    options.clock = &as_jtg;
    assert_int_equal(jtg_host_new(&cache, &options, NULL), JTG_OK);
    assert_int_equal(jtg_host_vouch(cache, 0, NULL), JTG_OK);
    jtg_cache_free(cache);
}

static int set_up(void **state)
{
    (void)state;
    host_folder_make(&folder);
    make_vouched_store();
    for (int i = 0; i < INSTANCES; i++)
        start_instance(&instances[i]);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (int i = 0; i < INSTANCES; i++)
        served_end(&instances[i]);
    host_folder_remove(&folder);
    return 0;
}

static void assert_answer(const struct served *served, char *token, unsigned status,
                          const char *reason)
{
    struct check_result got = served_bearer(served, token);
    if (got.status != status || strcmp(got.reason, reason) != 0)
        fail_msg("%u %s in place of %u %s", got.status, got.reason, status, reason);
}

static char *copy_of(const char *token)
{
    char *copy = strdup(token);
    assert_non_null(copy);
    return copy;
}

/* The instances believe keys of their own, so what they share is asked by the API. */
static unsigned reserve(const struct served *served, const char *jti)
{
    char text[200];
    struct http_answer answer;
    (void)snprintf(text, sizeof text,
                   "{\"kind\":\"id_token\",\"iss\":\"i\",\"aud\":\"a\",\"jti\":\"%s\","
                   "\"iat\":%ld,\"exp\":%ld}",
                   jti, SERVED_NOW_S - 10, SERVED_NOW_S + 300);
    unsigned status = served_post(served, "/v1/reserve", text, &answer);
    http_answer_clear(&answer);
    return status;
}

static void what_one_admits_another_calls_replayed(void **state)
{
    (void)state;
    assert_int_equal(reserve(&instances[0], "shared"), 200);
    assert_int_equal(reserve(&instances[1], "shared"), 409);
}

static void a_restart_forgets_nothing(void **state)
{
    (void)state;
    char *token = served_token(&instances[0], "kept", "");
    assert_answer(&instances[0], copy_of(token), 200, "admitted");
    assert_answer(&instances[0], token, 403, "replayed");
    assert_int_equal(reserve(&instances[1], "kept"), 200);
    served_end(&instances[1]);
    start_instance(&instances[1]);
    assert_int_equal(reserve(&instances[1], "kept"), 409);
}

static void the_store_is_named_and_measured(void **state)
{
    (void)state;
    char name[HOST_FOLDER_BYTES + 32];
    (void)snprintf(name, sizeof name, " started store=host:%s ", folder.store);
    char *log = served_log(&instances[0], " started store=");
    assert_non_null(strstr(log, name));
    assert_null(strstr(log, "memory_store"));
    free(log);
    assert_true(served_await_metric(&instances[0], "jtiguard_host_max_entries", 1000));
    assert_true(served_metric(&instances[0], "jtiguard_host_processes") == INSTANCES);
    assert_true(served_metric(&instances[0], "jtiguard_host_bytes") > 0);
    assert_true(served_metric(&instances[0], "jtiguard_host_kept_since_seconds") >= 0);
    assert_true(served_metric(&instances[0], "jtiguard_memory_entries") < 0);
}

/* The file is taken away: the next one has kept nothing, and nothing passes that could be old. */
static void a_file_that_was_removed_is_noticed(void **state)
{
    (void)state;
    host_folder_remove_store(&folder);
    for (int i = 0; i < INSTANCES; i++)
        test_clock_advance(&instances[i].clock, 2000);
    assert_int_equal(reserve(&instances[0], "late"), 503);
    assert_int_equal(reserve(&instances[1], "late"), 503);
    assert_true(served_await_metric(&instances[0], "jtiguard_host_replaced_total", 1));
}

static void instances_want_a_store_that_is_named(void **state)
{
    (void)state;
    static struct served served;
    struct settings_problem problem = {{0}};
    served_init(&served);
    served_argument(&served, "--instances=2");
    assert_null(served_settings(&served, &problem));
    assert_non_null(strstr(problem.text, "needs a shared store that is named"));
    served_end(&served);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_one_admits_another_calls_replayed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_restart_forgets_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_store_is_named_and_measured, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_was_removed_is_noticed, set_up, tear_down),
        cmocka_unit_test(instances_want_a_store_that_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
