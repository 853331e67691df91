/* SPDX-License-Identifier: Apache-2.0 */
#include "core/options.h"
#include "support/asserts.h"

#include <jtiguard/extend.h>
#include <string.h>

/* One struct in its first release, in the library's, and in a later program's. */
struct first {
    size_t struct_size;
    uint64_t a;
};

struct known {
    size_t struct_size;
    uint64_t a;
    uint64_t b;
};

struct later {
    size_t struct_size;
    uint64_t a;
    uint64_t b;
    uint64_t c;
};

static jtg_status read(struct known *known, const void *given, jtg_error *err)
{
    known->struct_size = 0;
    known->a = 10;
    known->b = 20;
    return jtg_struct_read(known, sizeof *known, sizeof(struct first), given, "things", err);
}

static void without_a_struct_all_is_as_it_was(void **state)
{
    struct known known;
    (void)state;
    assert_status(read(&known, NULL, NULL), JTG_OK);
    assert_int_equal(known.a, 10);
    assert_int_equal(known.b, 20);
    assert_status(jtg_struct_check(NULL, sizeof known, sizeof known, "things", NULL),
                  JTG_ERR_ARGUMENT);
}

static void a_struct_of_our_size_is_copied(void **state)
{
    struct known given = {sizeof given, 1, 2};
    struct known known;
    (void)state;
    assert_status(read(&known, &given, NULL), JTG_OK);
    assert_memory_equal(&known, &given, sizeof known);
}

static void an_older_struct_keeps_our_defaults(void **state)
{
    struct first given = {sizeof given, 1};
    struct known known;
    (void)state;
    assert_status(read(&known, &given, NULL), JTG_OK);
    assert_int_equal(known.struct_size, sizeof known);
    assert_int_equal(known.a, 1);
    assert_int_equal(known.b, 20);
}

static void a_newer_struct_is_taken_if_it_asks_for_nothing_new(void **state)
{
    struct later given = {sizeof given, 1, 2, 0};
    struct known known;
    (void)state;
    assert_status(read(&known, &given, NULL), JTG_OK);
    assert_int_equal(known.struct_size, sizeof known);
    assert_int_equal(known.b, 2);
}

static void refused(const void *given)
{
    struct known known;
    jtg_error err = JTG_ERROR_INIT;
    assert_status(read(&known, given, &err), JTG_ERR_ARGUMENT);
    assert_err_tells(&err, JTG_ERR_ARGUMENT);
    assert_non_null(strstr(err.text, "things"));
    assert_int_equal(known.a, 10);
    assert_int_equal(known.b, 20);
}

static void an_option_that_we_do_not_know_is_refused(void **state)
{
    struct later given = {sizeof given, 1, 2, 1};
    (void)state;
    refused(&given);
    given.c = UINT64_C(1) << 63; /* the last byte counts too */
    refused(&given);
}

static void a_size_that_was_never_set_is_refused(void **state)
{
    static const size_t sizes[] = {0, 1, sizeof(struct first) - 1, 5000, SIZE_MAX};
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct known given = {sizes[i], 1, 2};
        refused(&given);
    }
}

/* As adapters read theirs: in place, where nothing may be missing, or copied. */
static void adapters_read_by_the_same_rule(void **state)
{
    static const size_t wrong[] = {0, sizeof(struct known) - 1, 4097, SIZE_MAX};
    struct later newer = {sizeof newer, 1, 2, 0};
    struct known known = {0, 10, 20};
    jtg_error err = JTG_ERROR_INIT;
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct known given = {wrong[i], 1, 2};
        assert_status(jtg_struct_check(&given, sizeof given, sizeof given, "things", NULL),
                      JTG_ERR_ARGUMENT);
        assert_status(jtg_struct_read(&known, sizeof known, sizeof known, &given, "things", NULL),
                      JTG_ERR_ARGUMENT);
        assert_int_equal(known.a, 10);
    }
    assert_status(jtg_struct_check(&newer, sizeof known, sizeof known, "things", NULL), JTG_OK);
    assert_status(jtg_struct_read(&known, sizeof known, sizeof known, &newer, "things", NULL),
                  JTG_OK);
    assert_int_equal(known.struct_size, sizeof known);
    assert_int_equal(known.b, 2);
    newer.c = 1;
    assert_status(jtg_struct_check(&newer, sizeof known, sizeof known, "things", &err),
                  JTG_ERR_ARGUMENT);
    assert_string_equal(err.text, "things: sets an option that this version does not know");
}

static void sizes_of_output_are_judged(void **state)
{
    (void)state;
    assert_true(jtgi_struct_size_ok(sizeof(struct first), sizeof(struct first)));
    assert_true(jtgi_struct_size_ok(sizeof(struct later), sizeof(struct first)));
    assert_false(jtgi_struct_size_ok(sizeof(struct first) - 1, sizeof(struct first)));
    assert_false(jtgi_struct_size_ok(0, sizeof(struct first)));
    assert_false(jtgi_struct_size_ok(SIZE_MAX, sizeof(struct first)));
}

/* What an older caller has no room for is not written, what a newer one has more stays. */
static void an_output_keeps_its_size(void **state)
{
    (void)state;
    const struct first made = {sizeof made, 7};
    struct later newer = {sizeof newer, 1, 2, 3};
    struct first short_one = {sizeof(size_t), 1};
    jtgi_struct_give(&newer, &made, sizeof made);
    assert_int_equal(newer.struct_size, sizeof newer);
    assert_int_equal(newer.a, 7);
    assert_int_equal(newer.b, 2);
    jtgi_struct_give(&short_one, &made, sizeof made);
    assert_int_equal(short_one.struct_size, sizeof(size_t));
    assert_int_equal(short_one.a, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_struct_all_is_as_it_was),
        cmocka_unit_test(a_struct_of_our_size_is_copied),
        cmocka_unit_test(an_older_struct_keeps_our_defaults),
        cmocka_unit_test(a_newer_struct_is_taken_if_it_asks_for_nothing_new),
        cmocka_unit_test(an_option_that_we_do_not_know_is_refused),
        cmocka_unit_test(a_size_that_was_never_set_is_refused),
        cmocka_unit_test(adapters_read_by_the_same_rule),
        cmocka_unit_test(sizes_of_output_are_judged),
        cmocka_unit_test(an_output_keeps_its_size),
    };
    return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
