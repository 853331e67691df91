/* SPDX-License-Identifier: Apache-2.0 */
#include "tokens/quic/quic_token.h"

#include "support/alloc_walk.h"
#include "support/asserts.h"

#include <string.h>

static void every_fate_has_a_name_and_a_text(void **state)
{
    (void)state;
    for (int i = 0; i < JTG_QUIC_FATE_COUNT; i++) {
        const char *name = jtg_quic_fate_name((jtg_quic_fate)i);
        assert_true(strlen(name) > 0 &&
                    strspn(name, "abcdefghijklmnopqrstuvwxyz_") == strlen(name));
        assert_true(strlen(jtg_quic_fate_text((jtg_quic_fate)i)) > 0);
        for (int j = 0; j < i; j++)
            assert_string_not_equal(name, jtg_quic_fate_name((jtg_quic_fate)j));
    }
    assert_string_equal(jtg_quic_fate_name(JTG_QUIC_STORED), "stored");
    assert_string_equal(jtg_quic_fate_name(JTG_QUIC_FATE_COUNT), "unknown");
    assert_string_equal(jtg_quic_fate_text((jtg_quic_fate)-1), "unknown");
}

static void setting_copies_and_clearing_empties(void **state)
{
    (void)state;
    jtg_quic_token token = JTG_QUIC_TOKEN_INIT;
    char bytes[] = "bytes";
    assert_status(jtg_quic_token_set(&token, bytes, 5, 7), JTG_OK);
    bytes[0] = 'x';
    assert_int_equal(token.data_len, 5);
    assert_memory_equal(token.data, "bytes", 5);
    assert_int_equal(token.rtt_us, 7);
    assert_status(jtg_quic_token_set(&token, bytes, 5, 7), JTG_ERR_ARGUMENT); /* it holds one */
    jtg_quic_token_clear(&token);
    assert_null(token.data);
    assert_null(token.storage);
    assert_int_equal(token.data_len, 0);
    jtg_quic_token_clear(&token);
    jtg_quic_token_clear(NULL);
}

static void what_cannot_be_set_is_told(void **state)
{
    (void)state;
    jtg_quic_token token = JTG_QUIC_TOKEN_INIT;
    static const char bytes[JTG_QUIC_TOKEN_BYTES_LIMIT + 1];
    assert_status(jtg_quic_token_set(NULL, bytes, 1, 0), JTG_ERR_ARGUMENT);
    assert_status(jtg_quic_token_set(&token, NULL, 1, 0), JTG_ERR_ARGUMENT);
    assert_status(jtg_quic_token_set(&token, bytes, 0, 0), JTG_ERR_ARGUMENT);
    assert_status(jtg_quic_token_set(&token, bytes, sizeof bytes, 0), JTG_ERR_ARGUMENT);
    alloc_walk_fail_nth(1);
    assert_status(jtg_quic_token_set(&token, bytes, 1, 0), JTG_ERR_MEMORY);
    assert_true(alloc_walk_end());
    assert_null(token.storage);
    token.struct_size = 0;
    assert_status(jtg_quic_token_set(&token, bytes, 1, 0), JTG_ERR_ARGUMENT);
}

/* The struct of a newer program is longer: what is behind ours stays as it was. */
static void a_longer_struct_keeps_its_end(void **state)
{
    (void)state;
    struct {
        jtg_quic_token token;
        uint64_t more;
    } longer = {JTG_QUIC_TOKEN_INIT, 0};
    jtg_quic_token read;
    longer.token.struct_size = sizeof longer;
    longer.more = 0;
    assert_status(jtg_quic_token_set(&longer.token, "x", 1, 0), JTG_OK);
    assert_int_equal(longer.token.struct_size, sizeof longer);
    assert_status(jtgi_quic_token_read(&read, &longer.token, NULL), JTG_OK);
    assert_int_equal(read.struct_size, sizeof read);
    jtg_quic_token_clear(&longer.token);
    longer.more = 1;
    assert_status(jtgi_quic_token_read(&read, &longer.token, NULL), JTG_ERR_ARGUMENT);
    assert_status(jtgi_quic_token_read(&read, NULL, NULL), JTG_ERR_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_fate_has_a_name_and_a_text),
        cmocka_unit_test(setting_copies_and_clearing_empties),
        cmocka_unit_test(what_cannot_be_set_is_told),
        cmocka_unit_test(a_longer_struct_keeps_its_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
