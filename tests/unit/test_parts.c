/* SPDX-License-Identifier: Apache-2.0 */
#include "host/parts.h"

#include "support/asserts.h"

enum { FILE_BYTES = 1 << 25 };

/* The start of a file, with what lies behind it. */
static _Alignas(64) unsigned char file[FILE_BYTES];
static struct jtgi_host_header *const header = (void *)file;
static struct jtgi_host_parts planned;

static int begin(void **state)
{
    (void)state;
    jtgi_table_plan(&planned.table, 5000, 100, false);
    jtgi_host_parts_plan(&planned, 50, 20000);
    assert_true(planned.bytes <= FILE_BYTES);
    jtgi_host_parts_note(&planned, header);
    return 0;
}

static void they_follow_each_other(void **state)
{
    (void)state;
    assert_int_equal(planned.values_at, JTGI_HOST_TABLE_AT + planned.table.bytes);
    assert_int_equal(planned.bytes, planned.values_at + planned.values.bytes);
    assert_int_equal(planned.values_at % 4096, 0);
    assert_ptr_equal(jtgi_host_table_of(header), (char *)header + JTGI_HOST_TABLE_AT);
    assert_ptr_equal(jtgi_host_values_of(&planned, header), (char *)header + planned.values_at);
}

static void a_header_tells_them_again(void **state)
{
    struct jtgi_host_parts read;
    (void)state;
    assert_true(jtgi_host_parts_read(&read, header, planned.bytes));
    assert_int_equal(read.values_at, planned.values_at);
    assert_int_equal(read.table.partitions, planned.table.partitions);
    assert_int_equal(read.table.max_entries_per_group, 100);
    assert_int_equal(read.values.cells, planned.values.cells);
    assert_false(jtgi_host_parts_read(&read, header, planned.bytes + 1));
}

/* Whatever a stray write, or somebody, has put there. */
static void what_does_not_fit_is_not_believed(void **state)
{
    static const uint64_t wrong[] = {0, 3, UINT64_MAX, UINT64_MAX / 2};
    uint64_t *const numbers[] = {&header->max_entries, &header->max_entries_per_group,
                                 &header->partitions, &header->max_values,
                                 &header->max_value_bytes};
    struct jtgi_host_parts read;
    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        for (size_t j = 0; j < sizeof wrong / sizeof wrong[0]; j++) {
            begin(NULL);
            *numbers[i] = wrong[j];
            if (numbers[i] != &header->max_entries_per_group || wrong[j] > 5000 || wrong[j] == 0)
                assert_false(jtgi_host_parts_read(&read, header, planned.bytes));
        }
}

#define CASE(function) cmocka_unit_test_setup(function, begin)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(they_follow_each_other),
        CASE(a_header_tells_them_again),
        CASE(what_does_not_fit_is_not_believed),
    };
    return cmocka_run_group_tests_name("parts", tests, NULL, NULL);
}
