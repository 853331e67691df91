/* SPDX-License-Identifier: Apache-2.0 */
/* The sample data gets the verdicts that its README promises, row by row. */
#include "cli/run_tool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CELL_BYTES = 120 };

struct row {
    unsigned long line;
    char reason[CELL_BYTES];
};

/* The first and the last cell of a row of a table, e.g. "| 3 | line 1 again | … | replayed |". */
static bool read_row(const char *text, struct row *row)
{
    const char *end = strrchr(text, '|');
    if (strncmp(text, "| ", 2) != 0 || end < text + 2)
        return false;
    row->line = strtoul(text + 2, NULL, 10);
    const char *start = end - 1;
    while (start > text && *start != '|')
        start--;
    return row->line > 0 && sscanf(start, "| %100s |", row->reason) == 1;
}

static size_t check_section(FILE *readme, const char *verdicts)
{
    char text[1024];
    size_t rows = 0;
    while (fgets(text, sizeof text, readme) != NULL && strncmp(text, "## ", 3) != 0) {
        struct row row;
        char start[64];
        char end[CELL_BYTES + 20];
        if (!read_row(text, &row))
            continue;
        (void)snprintf(start, sizeof start, "{\"line\":%lu,\"verdict\":", row.line);
        (void)snprintf(end, sizeof end, "\"reason\":\"%s\"}", row.reason);
        const char *verdict = strstr(verdicts, start);
        assert_non_null(verdict);
        const char *line_end = strchr(verdict, '\n');
        if ((size_t)(line_end - verdict) < strlen(end) ||
            strncmp(line_end - strlen(end), end, strlen(end)) != 0)
            fail_msg("not %s, but %.*s", end, (int)(line_end - verdict), verdict);
        rows++;
    }
    return rows;
}

static FILE *open_section(const char *title)
{
    char text[1024];
    FILE *readme = fopen(JTIGUARD_SAMPLES "/README.md", "r");
    assert_non_null(readme);
    while (fgets(text, sizeof text, readme) != NULL)
        if (strncmp(text, title, strlen(title)) == 0)
            return readme;
    fail_msg("no section %s", title);
    return NULL;
}

static void check_samples(const char *path, const char *title)
{
    struct tool_run run;
    RUN(&run, "", "check", "--report", "--json", "--now", "2026-11-20T12:00:00Z", path);
    assert_int_equal(run.exit_code, 0);
    FILE *readme = open_section(title);
    size_t rows = check_section(readme, run.out);
    (void)fclose(readme);
    assert_int_equal(rows + 1, occurrences(run.out, "\n"));
    tool_run_clear(&run);
}

static void gives_the_samples_their_verdicts(void **state)
{
    (void)state;
    check_samples(JTIGUARD_SAMPLES "/claims.jsonl", "## claims.jsonl");
}

static void gives_the_bad_samples_their_reasons(void **state)
{
    (void)state;
    check_samples(JTIGUARD_SAMPLES "/bad.jsonl", "## bad.jsonl");
}

static void sums_the_samples_up(void **state)
{
    (void)state;
    static const char samples[] = JTIGUARD_SAMPLES "/claims.jsonl";
    struct tool_run run;
    RUN(&run, "", "check", "--report", "--now", "2026-11-20T12:00:00Z", samples);
    assert_holds(run.out, "41 tokens: 16 admitted, 11 replayed, 14 refused\n");
    tool_run_clear(&run);
}

int main(void)
{
    (void)setenv("JTIGUARD_STORE", "memory", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_the_samples_their_verdicts),
        cmocka_unit_test(gives_the_bad_samples_their_reasons),
        cmocka_unit_test(sums_the_samples_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
