/* SPDX-License-Identifier: Apache-2.0 */
/* Each thing that a header says is compared; nothing else passes for a store. */
#include "host/header.h"
#include "support/asserts.h"

#include <string.h>

static const struct jtgi_host_facts facts = {.bytes = 1000000, .inode = 77, .born_ns = 5};
static const struct jtgi_host_identity identity = {"a boot", 99};

static void what_was_filled_in_is_right(void **state)
{
    static struct jtgi_host_header header;
    (void)state;
    jtgi_host_header_fill(&header, &facts, &identity);
    assert_null(jtgi_host_header_judge(&header, &facts, &identity));
    assert_true(jtgi_host_header_is_ours(&header));
    assert_true(atomic_load(&header.since_ms) == JTGI_HOST_UNDATED);
}

static void each_difference_is_seen(void **state)
{
    static struct jtgi_host_header header;
    (void)state;
    const struct {
        void *at;
        const char *said;
    } parts[] = {
        {&header.magic[7], "no store"},
        {&header.layout, "version"},
        {&header.byte_order, "machine"},
        {&header.bytes, "truncated"},
        {&header.inode, "copy"},
        {&header.born_ns, "copy"},
        {&header.identity.boot[3], "boot"},
        {&header.identity.time_namespace, "namespace"},
    };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        jtgi_host_header_fill(&header, &facts, &identity);
        *(unsigned char *)parts[i].at ^= 1;
        const char *wrong = jtgi_host_header_judge(&header, &facts, &identity);
        assert_non_null(wrong);
        assert_non_null(strstr(wrong, parts[i].said));
        assert_int_equal(jtgi_host_header_is_ours(&header), i != 0);
    }
}

static void what_is_empty_is_none(void **state)
{
    static const struct jtgi_host_header empty;
    (void)state;
    assert_non_null(jtgi_host_header_judge(&empty, &facts, &identity));
    assert_false(jtgi_host_header_is_ours(&empty));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_filled_in_is_right),
        cmocka_unit_test(each_difference_is_seen),
        cmocka_unit_test(what_is_empty_is_none),
    };
    return cmocka_run_group_tests_name("header", tests, NULL, NULL);
}
