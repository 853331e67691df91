/* SPDX-License-Identifier: Apache-2.0 */
#include "lines.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The whole input as one batch; the caller's text must fit. */
struct fixture {
    struct lines lines;
    struct batch batch;
    int fd;
};

static struct fixture *open_input(const char *text, size_t text_len, size_t max_line_bytes)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    fixture->fd = memfd_create("input", MFD_CLOEXEC);
    assert_true(fixture->fd >= 0);
    assert_int_equal(write(fixture->fd, text, text_len), text_len);
    assert_int_equal(lseek(fixture->fd, 0, SEEK_SET), 0);
    lines_init(&fixture->lines, fixture->fd, max_line_bytes);
    return fixture;
}

static void close_input(struct fixture *fixture)
{
    lines_clear(&fixture->lines);
    batch_clear(&fixture->batch);
    (void)close(fixture->fd);
    free(fixture);
}

static void assert_line(const struct fixture *fixture, size_t index, uint64_t number,
                        const char *text)
{
    assert_true(index < fixture->batch.line_count);
    const struct line *line = &fixture->batch.lines[index];
    assert_int_equal(line->number, number);
    assert_false(line->too_long);
    assert_int_equal(line->len, strlen(text));
    assert_memory_equal(fixture->batch.text.data + line->offset, text, line->len);
}

static void assert_too_long(const struct fixture *fixture, size_t index, uint64_t number)
{
    assert_true(index < fixture->batch.line_count);
    assert_int_equal(fixture->batch.lines[index].number, number);
    assert_true(fixture->batch.lines[index].too_long);
}

static struct fixture *read_all(const char *text, size_t text_len, size_t max_line_bytes)
{
    struct fixture *fixture = open_input(text, text_len, max_line_bytes);
    assert_int_equal(lines_read(&fixture->lines, &fixture->batch, true), LINES_END);
    return fixture;
}

static void cuts_at_every_line_end(void **state)
{
    (void)state;
    static const char text[] = "one\ntwo\r\n\n  \t\r\nfive\n\rsix";
    struct fixture *fixture = read_all(text, strlen(text), 100);
    assert_int_equal(fixture->batch.line_count, 4);
    assert_line(fixture, 0, 1, "one");
    assert_line(fixture, 1, 2, "two");
    assert_line(fixture, 2, 5, "five");
    assert_line(fixture, 3, 6, "\rsix");
    close_input(fixture);
}

static void knows_the_empty_input(void **state)
{
    (void)state;
    static const char *const inputs[] = {"", "\n", "\r\n\r\n", "\xef\xbb\xbf", "\xef\xbb\xbf\n"};
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++) {
        struct fixture *fixture = read_all(inputs[i], strlen(inputs[i]), 100);
        assert_int_equal(fixture->batch.line_count, 0);
        close_input(fixture);
    }
}

static void leaves_out_a_byte_order_mark_only_at_the_start(void **state)
{
    (void)state;
    static const char text[] = "\xef\xbb\xbf"
                               "a\n\xef\xbb\xbf"
                               "b\n";
    struct fixture *fixture = read_all(text, strlen(text), 100);
    assert_line(fixture, 0, 1, "a");
    assert_line(fixture, 1, 2,
                "\xef\xbb\xbf"
                "b");
    close_input(fixture);
}

static void keeps_a_nul_inside_a_line(void **state)
{
    (void)state;
    struct fixture *fixture = read_all("a\0b\nc", 5, 100);
    assert_int_equal(fixture->batch.lines[0].len, 3);
    assert_line(fixture, 1, 2, "c");
    close_input(fixture);
}

static void throws_away_lines_that_are_too_long(void **state)
{
    (void)state;
    static const char text[] = "1234\n12345\n\n123456789\n1\n12345";
    struct fixture *fixture = read_all(text, strlen(text), 4);
    assert_int_equal(fixture->batch.line_count, 5);
    assert_line(fixture, 0, 1, "1234");
    assert_too_long(fixture, 1, 2);
    assert_too_long(fixture, 2, 4);
    assert_line(fixture, 3, 5, "1");
    assert_too_long(fixture, 4, 6);
    close_input(fixture);
}

/* A line of so many 'x', and after it one that is "y". */
static struct bytes long_line_then_y(size_t len)
{
    struct bytes text = {NULL, 0, 0};
    for (size_t i = 0; i < len; i++)
        assert_true(bytes_append_text(&text, "x"));
    assert_true(bytes_append_text(&text, "\ny\n"));
    return text;
}

/* Lines around the size of a block, so that they end in it, with it, and in the next. */
static void goes_on_over_the_ends_of_blocks(void **state)
{
    (void)state;
    for (size_t len = LINES_BLOCK_BYTES - 2; len <= LINES_BLOCK_BYTES + 2; len++) {
        struct bytes text = long_line_then_y(len);
        for (size_t limit = len - 1; limit <= len; limit++) {
            struct fixture *fixture = read_all(text.data, text.len, limit);
            assert_int_equal(fixture->batch.line_count, 2);
            assert_true(fixture->batch.lines[0].too_long == (limit < len));
            assert_int_equal(fixture->batch.lines[0].len, limit < len ? 0 : len);
            assert_line(fixture, 1, 2, "y");
            close_input(fixture);
        }
        bytes_clear(&text);
    }
}

static void does_not_store_a_line_that_is_too_long(void **state)
{
    (void)state;
    enum { HUGE_LINE = 10 << 20 };
    struct bytes text = long_line_then_y(HUGE_LINE);
    struct fixture *fixture = read_all(text.data, text.len, 1 << 20);
    assert_too_long(fixture, 0, 1);
    assert_line(fixture, 1, 2, "y");
    assert_true(fixture->batch.text.capacity + fixture->lines.partial.capacity < 3 << 20);
    assert_int_equal(fixture->lines.bytes_read, HUGE_LINE + 3);
    close_input(fixture);
    bytes_clear(&text);
}

static void fills_batches_one_after_the_other(void **state)
{
    (void)state;
    enum { LINES = BATCH_LINES + 7 };
    struct bytes text = {NULL, 0, 0};
    for (size_t i = 0; i < LINES; i++)
        assert_true(bytes_append_text(&text, "x\n"));
    struct fixture *fixture = open_input(text.data, text.len, 10);
    bytes_clear(&text);
    assert_int_equal(lines_read(&fixture->lines, &fixture->batch, true), LINES_FULL);
    assert_int_equal(fixture->batch.line_count, BATCH_LINES);
    batch_reset(&fixture->batch);
    assert_int_equal(lines_read(&fixture->lines, &fixture->batch, true), LINES_END);
    assert_int_equal(fixture->batch.line_count, LINES - BATCH_LINES);
    assert_line(fixture, 0, BATCH_LINES + 1, "x");
    close_input(fixture);
}

static void says_when_the_input_has_no_more_for_now(void **state)
{
    (void)state;
    int ends[2];
    struct fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    assert_int_equal(pipe(ends), 0);
    fixture->fd = ends[0];
    lines_init(&fixture->lines, ends[0], 100);
    assert_int_equal(lines_read(&fixture->lines, &fixture->batch, false), LINES_WAIT);
    assert_int_equal(write(ends[1], "one\ntw", 6), 6);
    assert_int_equal(lines_read(&fixture->lines, &fixture->batch, true), LINES_WAIT);
    assert_int_equal(fixture->batch.line_count, 1);
    assert_int_equal(write(ends[1], "o", 1), 1);
    (void)close(ends[1]);
    assert_int_equal(lines_read(&fixture->lines, &fixture->batch, true), LINES_END);
    assert_int_equal(fixture->batch.line_count, 2);
    assert_line(fixture, 1, 2, "two");
    close_input(fixture);
}

static void reports_a_read_error(void **state)
{
    (void)state;
    struct fixture *fixture = open_input("x\n", 2, 10);
    lines_init(&fixture->lines, -1, 10);
    assert_int_equal(lines_read(&fixture->lines, &fixture->batch, true), LINES_READ_ERROR);
    close_input(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cuts_at_every_line_end),
        cmocka_unit_test(knows_the_empty_input),
        cmocka_unit_test(leaves_out_a_byte_order_mark_only_at_the_start),
        cmocka_unit_test(keeps_a_nul_inside_a_line),
        cmocka_unit_test(throws_away_lines_that_are_too_long),
        cmocka_unit_test(goes_on_over_the_ends_of_blocks),
        cmocka_unit_test(does_not_store_a_line_that_is_too_long),
        cmocka_unit_test(fills_batches_one_after_the_other),
        cmocka_unit_test(says_when_the_input_has_no_more_for_now),
        cmocka_unit_test(reports_a_read_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
