/* SPDX-License-Identifier: Apache-2.0 */
#include "tokens/quic/quic_origins.h"

#include "support/alloc_walk.h"
#include "support/asserts.h"

#include <jtiguard/quic_tokens.h>
#include <string.h>

enum { ROOM = 9 + (JTG_QUIC_ORIGINS_LIMIT + 8) * JTGI_QUIC_ORIGIN_BYTES };

struct list {
    unsigned char bytes[ROOM];
    size_t len;
};

static struct list list;

static int set_up(void **state)
{
    (void)state;
    memset(&list, 0, sizeof list);
    return 0;
}

static const unsigned char *origin(unsigned number)
{
    static unsigned char digest[JTGI_QUIC_ORIGIN_BYTES];
    memset(digest, 0x55, sizeof digest);
    digest[0] = (unsigned char)(number >> 8);
    digest[31] = (unsigned char)number;
    return digest;
}

/* Returns how many were pushed out. */
static size_t front(unsigned number, size_t most)
{
    struct jtgi_quic_change change;
    assert_status(jtgi_quic_origins_front(&change, list.bytes, list.len, origin(number), most),
                  JTG_OK);
    assert_in_range(change.len, 1, sizeof list.bytes);
    memcpy(list.bytes, change.bytes, change.len);
    list.len = change.len;
    size_t pushed = change.pushed_count;
    jtgi_quic_change_clear(&change);
    assert_null(change.bytes);
    return pushed;
}

static void assert_order(const unsigned *numbers, size_t count)
{
    assert_int_equal(jtgi_quic_origins_count(list.bytes, list.len), count);
    for (size_t i = 0; i < count; i++)
        assert_memory_equal(jtgi_quic_origins_at(list.bytes, i), origin(numbers[i]),
                            JTGI_QUIC_ORIGIN_BYTES);
}

#define ASSERT_ORDER(...)                                                                          \
    assert_order((const unsigned[]){__VA_ARGS__},                                                  \
                 sizeof((const unsigned[]){__VA_ARGS__}) / sizeof(unsigned))

static void who_stored_last_is_first(void **state)
{
    (void)state;
    assert_int_equal(front(1, 3), 0);
    assert_int_equal(front(2, 3), 0);
    assert_int_equal(front(3, 3), 0);
    ASSERT_ORDER(3, 2, 1);
    assert_int_equal(front(1, 3), 0);
    ASSERT_ORDER(1, 3, 2);
    assert_int_equal(front(4, 3), 1);
    ASSERT_ORDER(4, 1, 3);
    assert_int_equal(front(4, 1), 2);
    ASSERT_ORDER(4);
}

static void those_pushed_out_are_named(void **state)
{
    (void)state;
    struct jtgi_quic_change change;
    for (unsigned i = 0; i < 8; i++)
        (void)front(i, 8);
    assert_status(jtgi_quic_origins_front(&change, list.bytes, list.len, origin(9), 6), JTG_OK);
    assert_int_equal(change.pushed_count, 3);
    for (unsigned i = 0; i < 3; i++)
        assert_memory_equal(change.pushed[i], origin(2 - i), JTGI_QUIC_ORIGIN_BYTES);
    jtgi_quic_change_clear(&change);
    assert_status(jtgi_quic_origins_front(&change, list.bytes, list.len, origin(9), 1), JTG_OK);
    assert_int_equal(change.pushed_count, JTGI_QUIC_PUSHED_MAX);
    assert_int_equal(jtgi_quic_origins_count(change.bytes, change.len), 5);
    jtgi_quic_change_clear(&change);
}

/* A list that looks as before is another one. */
static void every_change_counts(void **state)
{
    (void)state;
    struct list before;
    (void)front(1, 2);
    (void)front(2, 2);
    before = list;
    (void)front(1, 2);
    (void)front(2, 2);
    assert_int_equal(before.len, list.len);
    assert_memory_equal(jtgi_quic_origins_at(before.bytes, 0), jtgi_quic_origins_at(list.bytes, 0),
                        2 * JTGI_QUIC_ORIGIN_BYTES);
    assert_memory_not_equal(before.bytes, list.bytes, list.len);
}

static void a_filter_keeps_the_order(void **state)
{
    (void)state;
    struct jtgi_quic_change change;
    const bool keep[] = {true, false, true, false};
    for (unsigned i = 1; i <= 4; i++)
        (void)front(i, 8);
    assert_status(jtgi_quic_origins_filter(&change, list.bytes, list.len, keep), JTG_OK);
    memcpy(list.bytes, change.bytes, change.len);
    list.len = change.len;
    jtgi_quic_change_clear(&change);
    ASSERT_ORDER(4, 2);
}

static void what_is_no_list_names_nobody(void **state)
{
    (void)state;
    assert_int_equal(jtgi_quic_origins_count(NULL, 0), 0);
    (void)front(1, 8);
    for (size_t len = 0; len < list.len; len++)
        assert_int_equal(jtgi_quic_origins_count(list.bytes, len), 0);
    list.bytes[0] = 2;
    assert_int_equal(jtgi_quic_origins_count(list.bytes, list.len), 0);
    assert_int_equal(front(2, 8), 0);
    ASSERT_ORDER(2);
    list.len = 9 + (size_t)(JTG_QUIC_ORIGINS_LIMIT + 1) * JTGI_QUIC_ORIGIN_BYTES;
    assert_int_equal(jtgi_quic_origins_count(list.bytes, list.len), 0);
}

static void the_longest_list(void **state)
{
    (void)state;
    for (unsigned i = 0; i < JTG_QUIC_ORIGINS_LIMIT; i++)
        assert_int_equal(front(i, JTG_QUIC_ORIGINS_LIMIT), 0);
    assert_int_equal(front(JTG_QUIC_ORIGINS_LIMIT, JTG_QUIC_ORIGINS_LIMIT), 1);
    assert_int_equal(jtgi_quic_origins_count(list.bytes, list.len), JTG_QUIC_ORIGINS_LIMIT);
}

static void without_memory_nothing_changes(void **state)
{
    (void)state;
    struct jtgi_quic_change change;
    const bool keep[] = {true};
    (void)front(1, 8);
    alloc_walk_fail_nth(1);
    assert_status(jtgi_quic_origins_front(&change, list.bytes, list.len, origin(2), 8),
                  JTG_ERR_MEMORY);
    assert_true(alloc_walk_end());
    jtgi_quic_change_clear(&change);
    alloc_walk_fail_nth(1);
    assert_status(jtgi_quic_origins_filter(&change, list.bytes, list.len, keep), JTG_ERR_MEMORY);
    assert_true(alloc_walk_end());
    jtgi_quic_change_clear(&change);
    ASSERT_ORDER(1);
}

#define CASE(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(who_stored_last_is_first),
        CASE(those_pushed_out_are_named),
        CASE(every_change_counts),
        CASE(a_filter_keeps_the_order),
        CASE(what_is_no_list_names_nobody),
        CASE(the_longest_list),
        CASE(without_memory_nothing_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
