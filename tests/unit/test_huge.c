/* SPDX-License-Identifier: Apache-2.0 */
#include "memory/huge.h"

#include "core/alloc.h"
#include "support/asserts.h"

#include <stdint.h>
#include <string.h>

static void test_keeps_the_contents_whether_it_can_or_not(void **state)
{
    (void)state;
    size_t size = 2 * JTGI_HUGE_BYTES;
    unsigned char *pages = jtgi_map(size);
    assert_non_null(pages);
    unsigned char *at =
        pages + (JTGI_HUGE_BYTES - (uintptr_t)pages % JTGI_HUGE_BYTES) % JTGI_HUGE_BYTES;
    for (size_t i = 0; i < JTGI_HUGE_BYTES; i++)
        at[i] = (unsigned char)(i % 251);
    (void)jtgi_huge_collapse(at); /* a kernel may not offer it */
    for (size_t i = 0; i < JTGI_HUGE_BYTES; i++)
        assert_int_equal(at[i], i % 251);
    jtgi_unmap(pages, size);
}

static void test_says_no_for_memory_that_is_not_there(void **state)
{
    (void)state;
    assert_false(jtgi_huge_collapse((void *)JTGI_HUGE_BYTES)); /* NOLINT: nothing is mapped there */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keeps_the_contents_whether_it_can_or_not),
        cmocka_unit_test(test_says_no_for_memory_that_is_not_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
