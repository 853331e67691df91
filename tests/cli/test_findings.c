/* SPDX-License-Identifier: Apache-2.0 */
/* What findings make together, and how they are written. */
#include "findings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <string.h>

static void add(struct findings *findings, enum finding_level level)
{
    findings_add(findings, "memory", level, "a meaning", level > LEVEL_OK ? "an advice" : "",
                 "%d of \"%s\"", 3, "7");
}

static void the_worst_finding_decides(void **state)
{
    (void)state;
    static const struct {
        enum finding_level level;
        const char *verdict;
    } steps[] = {{LEVEL_OK, "ok"},
                 {LEVEL_NOTE, "ok"},
                 {LEVEL_WARNING, "warning"},
                 {LEVEL_FAILURE, "failure"}};
    struct findings findings = {.count = 0};
    assert_int_equal(findings_worst(&findings), LEVEL_OK);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        add(&findings, steps[i].level);
        assert_int_equal(findings_worst(&findings), steps[i].level);
        assert_string_equal(findings_verdict(&findings), steps[i].verdict);
    }
    add(&findings, LEVEL_OK);
    assert_string_equal(findings_verdict(&findings), "failure");
}

static void writes_json(void **state)
{
    (void)state;
    struct findings findings = {.count = 0};
    struct bytes out = {NULL, 0, 0};
    json_t *expected = json_pack(
        "{s:s, s:[{s:s, s:s, s:s, s:s, s:s}, {s:s, s:s, s:s, s:s, s:s}], s:s}", "store", "redis",
        "findings", "check", "memory", "level", "ok", "value", "3 of \"7\"", "meaning", "a meaning",
        "advice", "", "check", "memory", "level", "warning", "value", "3 of \"7\"", "meaning",
        "a meaning", "advice", "an advice", "verdict", "warning");
    add(&findings, LEVEL_OK);
    add(&findings, LEVEL_WARNING);
    assert_true(findings_write(&out, true, "redis", &findings));
    assert_int_equal(out.data[out.len - 1], '\n');
    json_t *written = json_loadb(out.data, out.len, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(written);
    assert_true(json_equal(written, expected));
    json_decref(written);
    json_decref(expected);
    bytes_clear(&out);
}

/* What is fine takes one line; what is not says what it means and what to do. */
static void writes_text(void **state)
{
    (void)state;
    static const char expected[] = "store: memory\n"
                                   "verdict: ok\n"
                                   "ok       memory       3 of \"7\"\n"
                                   "note     memory       3 of \"7\"\n"
                                   "         a meaning\n"
                                   "         -> an advice\n";
    struct findings findings = {.count = 0};
    struct bytes out = {NULL, 0, 0};
    add(&findings, LEVEL_OK);
    add(&findings, LEVEL_NOTE);
    assert_true(findings_write(&out, false, "memory", &findings));
    assert_int_equal(out.len, strlen(expected));
    assert_memory_equal(out.data, expected, out.len);
    bytes_clear(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_worst_finding_decides),
        cmocka_unit_test(writes_json),
        cmocka_unit_test(writes_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
