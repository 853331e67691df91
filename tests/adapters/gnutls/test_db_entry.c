/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/gnutls/db_entry.h"

#include "adapters/gnutls/db_entry_fixture.h"
#include "support/asserts.h"

#define NOW_S INT64_C(1795176000)

enum { WINDOW_S = 10, WINDOW_MS = 10999 }; /* GnuTLS drops what is not a whole second */

static struct made_entry made;

static bool reads(void)
{
    struct jtgi_db_entry entry;
    return jtgi_db_entry_read(&entry, WINDOW_MS, made.end, &made.key, &made.data);
}

static int make(void **state)
{
    (void)state;
    make_entry(&made, NOW_S, WINDOW_S, NOW_S - 3, 0xb1);
    return 0;
}

static void the_binder_is_what_follows_the_prefix(void **state)
{
    (void)state;
    struct jtgi_db_entry entry;
    assert_true(jtgi_db_entry_read(&entry, WINDOW_MS, made.end, &made.key, &made.data));
    assert_ptr_equal(entry.binder, made.key_bytes + ENTRY_PREFIX);
    assert_int_equal(entry.binder_len, ENTRY_BINDER);
    assert_int_equal(entry.judged_s, NOW_S);
    made.key.size = ENTRY_PREFIX + ENTRY_BINDER_MAX;
    assert_true(jtgi_db_entry_read(&entry, WINDOW_MS, made.end, &made.key, &made.data));
    assert_int_equal(entry.binder_len, ENTRY_BINDER_MAX);
}

static void a_key_of_another_size_is_refused(void **state)
{
    (void)state;
    for (unsigned size = 0; size <= sizeof made.key_bytes; size++) {
        made.key.size = size;
        assert_int_equal(reads(), size == ENTRY_PREFIX + ENTRY_BINDER ||
                                      size == ENTRY_PREFIX + ENTRY_BINDER_MAX);
    }
    (void)make(state);
    made.key.data = NULL;
    assert_false(reads());
}

static void data_of_another_layout_is_refused(void **state)
{
    (void)state;
    for (unsigned size = 0; size < sizeof made.data_bytes; size++) {
        made.data.size = size;
        assert_false(reads());
    }
    for (unsigned at = 0; at < sizeof made.data_bytes; at++) {
        (void)make(state);
        made.data_bytes[at] ^= 0x40;
        assert_false(reads());
    }
    (void)make(state);
    made.data.data = NULL;
    assert_false(reads());
}

/* The end that GnuTLS asks for is now and the window: another one is another window or layout. */
static void another_end_is_refused(void **state)
{
    (void)state;
    made.end++;
    assert_false(reads());
    made.end -= 2;
    assert_false(reads());
    make_entry(&made, NOW_S, WINDOW_S + 1, NOW_S - 3, 0xb1);
    assert_false(reads());
    make_entry(&made, 0, WINDOW_S, 0, 0xb1);
    assert_false(reads());
}

/* Were the binder to come first one day, it would be read as a time and not fit. */
static void a_prefix_that_is_not_the_start_of_this_window_is_refused(void **state)
{
    static const struct {
        int64_t start_s;
        bool fits;
    } cases[] = {{NOW_S, true},      {NOW_S + 5, true},  {NOW_S + 6, false},
                 {NOW_S - 10, true}, {NOW_S - 15, true}, {NOW_S - 16, false},
                 {0, false},         {INT64_MAX, false}, {-1, false}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        make_entry(&made, NOW_S, WINDOW_S, cases[i].start_s, 0xb1);
        assert_int_equal(reads(), cases[i].fits);
    }
    (void)make(state);
    write_number(made.key_bytes + 8, 4, 1000000000);
    assert_false(reads());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_binder_is_what_follows_the_prefix, make),
        cmocka_unit_test_setup(a_key_of_another_size_is_refused, make),
        cmocka_unit_test_setup(data_of_another_layout_is_refused, make),
        cmocka_unit_test_setup(another_end_is_refused, make),
        cmocka_unit_test_setup(a_prefix_that_is_not_the_start_of_this_window_is_refused, make),
    };
    return cmocka_run_group_tests_name("db entry", tests, NULL, NULL);
}
