/* SPDX-License-Identifier: Apache-2.0 */
#include "host/value_cells.h"

#include "support/asserts.h"
#include "support/value_memory.h"

#include <string.h>

enum { ROOM = JTGI_VALUE_CELL_ROOM, MOST = 5 * JTGI_VALUE_CELL_ROOM };

static struct value_memory memory;
static unsigned char data[MOST + 1];

static int set_up(void **state)
{
    (void)state;
    value_memory_open(&memory, 1, MOST);
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (unsigned char)(i % 251 + 1);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    value_memory_close(&memory);
    return 0;
}

static uint32_t fill(size_t len)
{
    return jtgi_value_cells_fill_locked(memory.area, JTGI_VALUE_DATA, data, len);
}

static void test_what_goes_in_comes_out(void **state)
{
    static const size_t lengths[] = {1, ROOM - 1, ROOM, ROOM + 1, 2 * ROOM, MOST};
    (void)state;
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        unsigned char out[MOST + 1] = {0};
        uint32_t number = fill(lengths[i]);
        const struct jtgi_value_cell *cell =
            jtgi_value_cell_of(memory.area, number, JTGI_VALUE_DATA);
        assert_non_null(cell);
        assert_int_equal(cell->len, lengths[i]);
        assert_true(jtgi_value_cells_read_locked(memory.area, cell, out));
        assert_memory_equal(out, data, lengths[i]);
        assert_int_equal(out[lengths[i]], 0);
        assert_true(jtgi_value_cells_are_locked(memory.area, cell, data, lengths[i]));
        assert_false(jtgi_value_cells_are_locked(memory.area, cell, data, lengths[i] - 1));
        out[lengths[i] - 1]++;
        assert_false(jtgi_value_cells_are_locked(memory.area, cell, out, lengths[i]));
        jtgi_value_cells_wipe_locked(memory.area, number);
        assert_null(value_area_fault(memory.area));
    }
    assert_false(value_area_has(memory.area, data, 8));
}

/* Nothing stays taken of what there was no room for. */
static void test_too_much_takes_nothing(void **state)
{
    (void)state;
    uint32_t taken[10];
    unsigned count = 0;
    while ((taken[count] = fill(MOST)) != 0)
        count++;
    assert_true(count >= 2);
    while (count > 0)
        jtgi_value_cells_wipe_locked(memory.area, taken[--count]);
    assert_null(value_area_fault(memory.area));
}

/* A stray write leads nowhere. */
static void test_a_broken_row_is_not_followed(void **state)
{
    static const uint32_t strays[] = {0, UINT32_MAX, 1000000};
    unsigned char out[MOST];
    (void)state;
    for (size_t i = 0; i < sizeof strays / sizeof strays[0]; i++) {
        struct jtgi_value_cell *cell = jtgi_value_cell(memory.area, fill(3 * ROOM));
        assert_non_null(cell);
        cell->next = strays[i];
        assert_false(jtgi_value_cells_read_locked(memory.area, cell, out));
        assert_false(jtgi_value_cells_are_locked(memory.area, cell, data, 3 * ROOM));
        tear_down(NULL);
        set_up(NULL);
    }
    memory.area->head->free = UINT32_MAX;
    assert_int_equal(fill(1), 0);
    memory.area->head->free = 0;
    assert_int_equal(fill(1), 0);
}

/* A row that leads into itself ends. */
static void test_a_circle_is_left(void **state)
{
    unsigned char out[MOST];
    (void)state;
    uint32_t number = fill(2 * ROOM);
    struct jtgi_value_cell *cell = jtgi_value_cell(memory.area, number);
    assert_non_null(cell);
    struct jtgi_value_cell *rest = jtgi_value_cell(memory.area, cell->next);
    assert_non_null(rest);
    rest->next = cell->next;
    cell->len = MOST;
    assert_true(jtgi_value_cells_read_locked(memory.area, cell, out));
    jtgi_value_cells_wipe_locked(memory.area, number);
    assert_int_equal(cell->kind, JTGI_VALUE_FREE);
    assert_int_equal(rest->kind, JTGI_VALUE_FREE);
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_what_goes_in_comes_out),
        CASE(test_too_much_takes_nothing),
        CASE(test_a_broken_row_is_not_followed),
        CASE(test_a_circle_is_left),
    };
    return cmocka_run_group_tests_name("value cells", tests, NULL, NULL);
}
