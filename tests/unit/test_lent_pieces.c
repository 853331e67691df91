/* SPDX-License-Identifier: Apache-2.0 */
#include "core/alloc.h"
#include "memory/lent_pieces.h"
#include "support/asserts.h"
#include "support/threads.h"

#include <stdint.h>
#include <string.h>

static void each_borrower_has_a_piece_of_its_own(void **state)
{
    static const unsigned char zero[JTG_LENT_BYTES];
    struct jtgi_lent_pieces *pieces = jtgi_lent_pieces_new();
    unsigned char *seen[JTG_BORROWER_COUNT];
    (void)state;
    for (unsigned i = 0; i < JTG_BORROWER_COUNT; i++) {
        seen[i] = jtgi_lent_pieces_find(pieces, (jtg_borrower)i);
        assert_memory_equal(seen[i], zero, sizeof zero);
        assert_int_equal((uintptr_t)seen[i] % JTGI_PLACE_BYTES, 0);
        memset(seen[i], (int)i + 1, JTG_LENT_BYTES);
    }
    for (unsigned i = 0; i < JTG_BORROWER_COUNT; i++) {
        assert_ptr_equal(jtgi_lent_pieces_find(pieces, (jtg_borrower)i), seen[i]);
        for (unsigned at = 0; at < JTG_LENT_BYTES; at++)
            assert_int_equal(seen[i][at], i + 1);
    }
    assert_null(jtgi_lent_pieces_find(pieces, JTG_BORROWER_COUNT));
    jtgi_lent_pieces_free(pieces, false);
    jtgi_lent_pieces_free(NULL, false);
}

enum { THREADS = 4, ROUNDS = 2000 };

static void count_up(void *context, unsigned index)
{
    struct jtgi_lent_pieces *pieces = context;
    unsigned *number = jtgi_lent_pieces_find(pieces, (jtg_borrower)(index % JTG_BORROWER_COUNT));
    for (unsigned round = 0; round < ROUNDS; round++) {
        jtgi_lent_pieces_lock(pieces, number);
        ++*number;
        jtgi_lent_pieces_unlock(pieces, number);
    }
}

static void one_thread_at_a_time_holds_a_piece(void **state)
{
    struct jtgi_lent_pieces *pieces = jtgi_lent_pieces_new();
    (void)state;
    threads_run(THREADS, count_up, pieces);
    for (unsigned i = 0; i < JTG_BORROWER_COUNT; i++) {
        const unsigned *number = jtgi_lent_pieces_find(pieces, (jtg_borrower)i);
        assert_int_equal(*number, THREADS / JTG_BORROWER_COUNT * ROUNDS);
    }
    jtgi_lent_pieces_free(pieces, false);
}

/* Who holds one does not keep others from another. */
static void two_pieces_have_two_locks(void **state)
{
    struct jtgi_lent_pieces *pieces = jtgi_lent_pieces_new();
    (void)state;
    for (unsigned i = 0; i < JTG_BORROWER_COUNT; i++)
        jtgi_lent_pieces_lock(pieces, jtgi_lent_pieces_find(pieces, (jtg_borrower)i));
    for (unsigned i = 0; i < JTG_BORROWER_COUNT; i++)
        jtgi_lent_pieces_unlock(pieces, jtgi_lent_pieces_find(pieces, (jtg_borrower)i));
    jtgi_lent_pieces_free(pieces, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_borrower_has_a_piece_of_its_own),
        cmocka_unit_test(one_thread_at_a_time_holds_a_piece),
        cmocka_unit_test(two_pieces_have_two_locks),
    };
    return cmocka_run_group_tests_name("lent_pieces", tests, NULL, NULL);
}
