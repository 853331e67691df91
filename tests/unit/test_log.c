/* SPDX-License-Identifier: Apache-2.0 */
#include "core/log.h"
#include "support/asserts.h"

#include <stdio.h>
#include <string.h>

struct received {
    unsigned lines;
    jtg_log_level level;
    char last[1000];
};

static void receive(void *context, jtg_log_level level, const char *line)
{
    struct received *received = context;
    received->lines++;
    received->level = level;
    (void)snprintf(received->last, sizeof received->last, "%s", line);
}

static jtg_logger logger_to(struct received *received, jtg_log_level max_level)
{
    jtg_logger given = {sizeof given, received, max_level, receive};
    jtg_logger logger;
    memset(received, 0, sizeof *received);
    assert_status(jtgi_log_read_option(&logger, &given, NULL), JTG_OK);
    return logger;
}

static void without_a_logger_nothing_is_written(void **state)
{
    jtg_logger logger;
    (void)state;
    assert_status(jtgi_log_read_option(&logger, NULL, NULL), JTG_OK);
    jtgi_log(&logger, JTG_LOG_ERROR, "lost");
}

static void a_line_is_formatted_and_handed_on(void **state)
{
    struct received received;
    (void)state;
    jtg_logger logger = logger_to(&received, JTG_LOG_INFO);
    jtgi_log(&logger, JTG_LOG_WARNING, "set back by %d s", 90);
    assert_int_equal(received.lines, 1);
    assert_int_equal(received.level, JTG_LOG_WARNING);
    assert_string_equal(received.last, "set back by 90 s");
}

static void what_is_less_urgent_is_not_made(void **state)
{
    struct received received;
    (void)state;
    jtg_logger logger = logger_to(&received, JTG_LOG_WARNING);
    jtgi_log(&logger, JTG_LOG_INFO, "not this");
    jtgi_log(&logger, JTG_LOG_DEBUG, "nor this");
    assert_int_equal(received.lines, 0);
    jtgi_log(&logger, JTG_LOG_WARNING, "this");
    jtgi_log(&logger, JTG_LOG_ERROR, "and this");
    assert_int_equal(received.lines, 2);
}

/* A line end or an escape could forge a line of the log, or drive a terminal. */
static void control_characters_are_replaced(void **state)
{
    struct received received;
    (void)state;
    jtg_logger logger = logger_to(&received, JTG_LOG_DEBUG);
    jtgi_log(&logger, JTG_LOG_ERROR, "%s", "a\r\nb\tc\033[1md\177e");
    assert_string_equal(received.last, "a??b?c?[1md?e");
}

static void a_long_line_is_cut(void **state)
{
    struct received received;
    char text[5000];
    (void)state;
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    jtg_logger logger = logger_to(&received, JTG_LOG_DEBUG);
    jtgi_log(&logger, JTG_LOG_ERROR, "%s", text);
    assert_int_equal(received.lines, 1);
    assert_in_range(strlen(received.last), 100, 600);
}

static void half_a_logger_is_refused(void **state)
{
    struct received received;
    jtg_error err = JTG_ERROR_INIT;
    jtg_logger logger;
    (void)state;
    jtg_logger given = {sizeof given, &received, JTG_LOG_INFO, NULL};
    assert_status(jtgi_log_read_option(&logger, &given, &err), JTG_ERR_ARGUMENT);
    assert_err_tells(&err, JTG_ERR_ARGUMENT);
    given.write = receive;
    given.struct_size = 0;
    assert_status(jtgi_log_read_option(&logger, &given, NULL), JTG_ERR_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_logger_nothing_is_written),
        cmocka_unit_test(a_line_is_formatted_and_handed_on),
        cmocka_unit_test(what_is_less_urgent_is_not_made),
        cmocka_unit_test(control_characters_are_replaced),
        cmocka_unit_test(a_long_line_is_cut),
        cmocka_unit_test(half_a_logger_is_refused),
    };
    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
