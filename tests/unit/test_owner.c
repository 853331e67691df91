/* SPDX-License-Identifier: Apache-2.0 */
#include "support/asserts.h"

#include <jtiguard/cache.h>
#include <stdlib.h>
#include <string.h>

static int compare_owners(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(jtg_owner));
}

static void generated_owners_differ(void **state)
{
    enum { NUMBER = 2000 };
    static jtg_owner owners[NUMBER];
    (void)state;
    for (unsigned i = 0; i < NUMBER; i++)
        jtg_owner_generate(&owners[i]);
    qsort(owners, NUMBER, sizeof owners[0], compare_owners);
    for (unsigned i = 1; i < NUMBER; i++)
        assert_memory_not_equal(&owners[i - 1], &owners[i], sizeof owners[0]);
}

/* RFC 9562 section 5.4: the version is 4, the variant 10. */
static void a_generated_owner_is_a_version_4_uuid(void **state)
{
    jtg_owner owner;
    (void)state;
    for (unsigned i = 0; i < 100; i++) {
        jtg_owner_generate(&owner);
        assert_int_equal(owner.bytes[6] >> 4, 4);
        assert_int_equal(owner.bytes[8] >> 6, 2);
    }
}

/* SHA-256 of "jtiguard owner 1", a NUL, and the value; computed with sha256sum. Every process
 * must come to the same. */
static void an_owner_of_bytes_is_known(void **state)
{
    static const unsigned char expected[JTG_OWNER_BYTES] = {0x7d, 0xa3, 0xc0, 0x4b, 0x33, 0x98,
                                                            0xf9, 0x64, 0xb9, 0x0b, 0xcb, 0x9c,
                                                            0x7b, 0x26, 0xd5, 0xb8};
    jtg_owner owner;
    (void)state;
    assert_status(jtg_owner_from_bytes(&owner, "request 1", 9), JTG_OK);
    assert_memory_equal(owner.bytes, expected, sizeof expected);
}

static void other_bytes_are_another_owner(void **state)
{
    jtg_owner one;
    jtg_owner other;
    (void)state;
    assert_status(jtg_owner_from_bytes(&one, "request", 7), JTG_OK);
    assert_status(jtg_owner_from_bytes(&other, "request", 6), JTG_OK);
    assert_memory_not_equal(&one, &other, sizeof one);
    assert_status(jtg_owner_from_bytes(&other, "request\0", 8), JTG_OK);
    assert_memory_not_equal(&one, &other, sizeof one);
    assert_status(jtg_owner_from_bytes(&other, "request", 7), JTG_OK);
    assert_memory_equal(&one, &other, sizeof one);
}

static void an_owner_of_nothing_is_refused(void **state)
{
    jtg_owner owner;
    (void)state;
    assert_status(jtg_owner_from_bytes(&owner, "", 0), JTG_ERR_ARGUMENT);
    assert_status(jtg_owner_from_bytes(&owner, NULL, 0), JTG_ERR_ARGUMENT);
    assert_status(jtg_owner_from_bytes(&owner, NULL, 3), JTG_ERR_ARGUMENT);
    assert_status(jtg_owner_from_bytes(NULL, "x", 1), JTG_ERR_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(generated_owners_differ),
        cmocka_unit_test(a_generated_owner_is_a_version_4_uuid),
        cmocka_unit_test(an_owner_of_bytes_is_known),
        cmocka_unit_test(other_bytes_are_another_owner),
        cmocka_unit_test(an_owner_of_nothing_is_refused),
    };
    return cmocka_run_group_tests_name("owner", tests, NULL, NULL);
}
