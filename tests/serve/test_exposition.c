/* SPDX-License-Identifier: Apache-2.0 */
/* /metrics as text: each line can be read, each series stands there once and under its head, and
 * the numbers are those that were counted. */
#include "serve/answer/exposition.h"
#include "serve/verify_fixture.h"

#include <fcntl.h>
#include <jtiguard/memory.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINES_MAX = 2000 };

static struct responder responder;
static struct verify_fixture fixture;
static struct bytes page;
static int null_fd;

static int set_up(void **state)
{
    static const struct log_rules rules = {false, JTG_LOG_ERROR, 0};
    jtg_memory_options memory = JTG_MEMORY_OPTIONS_INIT;
    jtg_guard_options guard = JTG_GUARD_OPTIONS_INIT;
    (void)state;
    (void)memset(&responder, 0, sizeof responder);
    fixture_init(&fixture);
    null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    responder.log = service_log_new(null_fd, &rules);
    responder.connections = connections_new(1000, 1000);
    responder.admin_connections = connections_new(1000, 1000);
    responder.start_wall_ms = TEST_CLOCK_WALL_MS + 250;
    assert_status(jtg_memory_new(&responder.cache, &memory, NULL), JTG_OK);
    assert_status(jtg_guard_new(&responder.guard, responder.cache, &guard, NULL), JTG_OK);
    responder.prober = prober_new(responder.guard, responder.log);
    return responder.log == NULL || responder.connections == NULL || responder.prober == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    prober_free(responder.prober);
    connections_free(responder.connections);
    connections_free(responder.admin_connections);
    jtg_guard_free(responder.guard);
    jtg_cache_free(responder.cache);
    service_log_free(responder.log);
    fixture_end(&fixture);
    bytes_clear(&page);
    return close(null_fd);
}

static void write_page(void)
{
    bytes_clear(&page);
    assert_true(exposition_write(&page, &responder));
    assert_true(bytes_append(&page, "", 1));
}

/* The number behind a series, as text; NULL: it is not there. */
static const char *value_of(const char *series)
{
    static char value[64];
    size_t len = strlen(series);
    for (const char *at = page.data; (at = strstr(at, series)) != NULL; at += len) {
        bool begins = at == page.data || at[-1] == '\n';
        if (!begins || at[len] != ' ')
            continue;
        (void)snprintf(value, sizeof value, "%.*s", (int)strcspn(at + len + 1, "\n"), at + len + 1);
        return value;
    }
    return NULL;
}

static void assert_value(const char *series, const char *expected)
{
    const char *value = value_of(series);
    if (value == NULL || strcmp(value, expected) != 0)
        fail_msg("%s is %s, not %s", series, value != NULL ? value : "not there", expected);
}

#define DECISION(endpoint, result, reason)                                                         \
    "jtiguard_decisions_total{endpoint=\"" endpoint "\",result=\"" result "\",reason=\"" reason    \
    "\"}"

/* ---- as a text ---- */

/* One line of a series: its name belongs to the last head, and a number ends it. */
static void assert_series(const char *line, const char *head)
{
    char *end = NULL;
    size_t name_len = strcspn(line, "{ ");
    const char *value = strrchr(line, ' ');
    assert_non_null(value);
    (void)strtod(value + 1, &end);
    if (*end != '\0' || end == value + 1)
        fail_msg("no number: %s", line);
    if (strncmp(line, head, strlen(head)) != 0 || name_len < strlen(head))
        fail_msg("%s stands under %s", line, head);
}

static void each_line_can_be_read(void **state)
{
    (void)state;
    static char *lines[LINES_MAX];
    char head[128] = "";
    char type[128] = "";
    size_t count = 0;
    write_page();
    char *rest = NULL;
    for (char *line = strtok_r(page.data, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        if (sscanf(line, "# HELP %127s", head) == 1)
            continue;
        if (sscanf(line, "# TYPE %127s", type) == 1)
            assert_string_equal(type, head);
        else
            assert_series(line, head);
        assert_true(count < LINES_MAX);
        lines[count++] = line;
    }
    assert_in_range(count, 100, LINES_MAX);
    /* Nothing twice: neither a type nor a series. */
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < i; j++) {
            size_t len = (size_t)(strrchr(lines[i], ' ') - lines[i]);
            if (strncmp(lines[i], lines[j], len + 1) == 0)
                fail_msg("twice: %s", lines[i]);
        }
}

static void how_it_lives(void **state)
{
    (void)state;
    write_page();
    assert_value("jtiguard_draining", "0");
    atomic_store(&responder.draining, true);
    write_page();
    assert_value("jtiguard_draining", "1");
    assert_value("jtiguard_start_time_seconds", "1795176000.250");
    assert_value("jtiguard_store_status{status=\"ok\"}", "1");
}

/* ---- what was counted ---- */

static void decisions_stand_there_from_the_start(void **state)
{
    (void)state;
    write_page();
    assert_value(DECISION("check", "admitted", "admitted"), "0");
    assert_value(DECISION("check", "replayed", "replayed"), "0");
    assert_value(DECISION("check", "refused", "too_many_refusals"), "0");
    assert_null(value_of(DECISION("reserve", "admitted", "admitted")));
    metrics_decided(&responder.metrics, METRICS_RESERVE, OUTCOME_ADMITTED);
    metrics_decided(&responder.metrics, METRICS_LIVEZ, OUTCOME_ADMITTED); /* it decides nothing */
    write_page();
    assert_value(DECISION("reserve", "admitted", "admitted"), "1");
    assert_value(DECISION("check", "admitted", "admitted"), "0");
}

/* The verifier and the guard say the same of a token that has expired. */
static void one_name_is_one_series(void **state)
{
    (void)state;
    metrics_decided(&responder.metrics, METRICS_CHECK, outcome_of_refusal(REFUSAL_EXPIRED));
    metrics_decided(&responder.metrics, METRICS_CHECK, (enum outcome)JTG_REASON_EXPIRED);
    metrics_decided(&responder.metrics, METRICS_CHECK, (enum outcome)JTG_REASON_EXPIRED);
    write_page();
    assert_value(DECISION("check", "refused", "expired"), "3");
}

static void requests_and_releases(void **state)
{
    (void)state;
    metrics_answered(&responder.metrics, METRICS_CHECK, 403);
    metrics_answered(&responder.metrics, METRICS_OTHER, 777); /* none of ours: as a fault of ours */
    metrics_released(&responder.metrics, JTG_NOT_OWNER);
    metrics_add(&responder.metrics.unfinished);
    write_page();
    assert_value("jtiguard_http_requests_total{endpoint=\"check\",code=\"403\"}", "1");
    assert_value("jtiguard_http_requests_total{endpoint=\"other\",code=\"500\"}", "1");
    assert_null(value_of("jtiguard_http_requests_total{endpoint=\"check\",code=\"200\"}"));
    assert_value("jtiguard_http_requests_unfinished_total", "1");
    assert_value("jtiguard_releases_total{status=\"ok\"}", "0");
    assert_value("jtiguard_releases_total{status=\"not_owner\"}", "1");
}

static void a_histogram_adds_up(void **state)
{
    (void)state;
    latency_add(&responder.metrics.check, 60000);                /* 60 us */
    latency_add(&responder.metrics.check, 100000);               /* a bound is within */
    latency_add(&responder.metrics.check, INT64_C(20000000000)); /* above all bounds */
    latency_add(&responder.metrics.check, -5);                   /* a clock that went back */
    write_page();
    assert_value("jtiguard_check_duration_seconds_bucket{le=\"5e-05\"}", "1");
    assert_value("jtiguard_check_duration_seconds_bucket{le=\"0.0001\"}", "3");
    assert_value("jtiguard_check_duration_seconds_bucket{le=\"10\"}", "3");
    assert_value("jtiguard_check_duration_seconds_bucket{le=\"+Inf\"}", "4");
    assert_value("jtiguard_check_duration_seconds_count", "4");
    assert_value("jtiguard_check_duration_seconds_sum", "20.000160000");
}

static void connections_of_both_kinds_are_taken(void **state)
{
    (void)state;
    struct connection *one = connection_opened(responder.connections, null_fd);
    struct connection *other = connection_opened(responder.admin_connections, null_fd);
    connection_request_begins(one);
    write_page();
    assert_value("jtiguard_connections_total", "2");
    assert_value("jtiguard_connections_open", "1");
    assert_value("jtiguard_requests_in_flight", "1");
    connection_closed(one);
    connection_closed(other);
}

static void the_store_in_memory(void **state)
{
    (void)state;
    write_page();
    assert_non_null(value_of("jtiguard_memory_max_entries"));
    assert_null(value_of("jtiguard_redis_up"));
    assert_non_null(strstr(page.data, "backend=\"memory\"} 1\n"));
    assert_non_null(strstr(page.data, "jtiguard_store_operations_total{operation=\""));
}

/* ---- keys ---- */

static void without_issuers_there_are_no_keys(void **state)
{
    (void)state;
    write_page();
    assert_null(strstr(page.data, "jtiguard_keys"));
}

/* A name of the settings cannot end its label, or begin a line. */
static void the_name_of_an_issuer_stays_in_its_label(void **state)
{
    (void)state;
    fixture.entries[0].issuer = "https://a\"b\\c\nd";
    fixture_start(&fixture);
    responder.verifier = fixture.verifier;
    write_page();
    assert_value("jtiguard_keys{document=\"0\",issuer=\"https://a\\\"b\\\\c d\"}", "1");
    assert_value("jtiguard_keys_age_seconds{document=\"0\",issuer=\"https://a\\\"b\\\\c d\"}", "0");
    test_clock_advance(&fixture.clock, 1500);
    write_page();
    assert_value("jtiguard_keys_age_seconds{document=\"0\",issuer=\"https://a\\\"b\\\\c d\"}",
                 "1.5");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(each_line_can_be_read),
        TEST(how_it_lives),
        TEST(decisions_stand_there_from_the_start),
        TEST(one_name_is_one_series),
        TEST(requests_and_releases),
        TEST(a_histogram_adds_up),
        TEST(connections_of_both_kinds_are_taken),
        TEST(the_store_in_memory),
        TEST(without_issuers_there_are_no_keys),
        TEST(the_name_of_an_issuer_stays_in_its_label),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
