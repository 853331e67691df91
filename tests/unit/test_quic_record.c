/* SPDX-License-Identifier: Apache-2.0 */
#include "tokens/quic/quic_record.h"

#include "support/asserts.h"

#include <string.h>

static unsigned char bytes[JTGI_QUIC_RECORD_FIXED_BYTES + 8];
static const struct jtgi_quic_record written = {-5, 0x0102030405060708, 60000,
                                                (const unsigned char *)"\0token\xff", 7};
enum { LEN = JTGI_QUIC_RECORD_FIXED_BYTES + 7 };

static int set_up(void **state)
{
    (void)state;
    memset(bytes, 0, sizeof bytes);
    jtgi_quic_record_write(&written, bytes);
    return 0;
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    struct jtgi_quic_record record;
    assert_true(jtgi_quic_record_read(&record, bytes, LEN));
    assert_true(record.epoch == written.epoch);
    assert_true(record.rtt_us == written.rtt_us);
    assert_true(record.ttl_ms == written.ttl_ms);
    assert_int_equal(record.token_len, 7);
    assert_memory_equal(record.token, written.token, 7);
}

/* Other releases read it: whoever changes it changes the format. */
static void the_layout_stays(void **state)
{
    (void)state;
    static const unsigned char layout[] = "\1"
                                          "\xff\xff\xff\xff\xff\xff\xff\xfb"
                                          "\1\2\3\4\5\6\7\10"
                                          "\0\0\0\0\0\0\xea\x60"
                                          "\0token\xff";
    assert_int_equal(sizeof layout - 1, LEN);
    assert_memory_equal(bytes, layout, LEN);
}

static void what_is_none_of_ours_is_told(void **state)
{
    (void)state;
    struct jtgi_quic_record record;
    for (size_t len = 0; len <= JTGI_QUIC_RECORD_FIXED_BYTES; len++)
        assert_false(jtgi_quic_record_read(&record, bytes, len));
    assert_false(jtgi_quic_record_read(
        &record, bytes, JTGI_QUIC_RECORD_FIXED_BYTES + (size_t)JTG_QUIC_TOKEN_BYTES_LIMIT + 1));
    bytes[0] = 2;
    assert_false(jtgi_quic_record_read(&record, bytes, LEN));
    bytes[0] = 1;
    bytes[17] = 1; /* a time to live beyond every limit */
    assert_false(jtgi_quic_record_read(&record, bytes, LEN));
    memset(bytes + 17, 0, 8);
    assert_false(jtgi_quic_record_read(&record, bytes, LEN));
}

#define CASE(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(what_is_written_is_read),
        CASE(the_layout_stays),
        CASE(what_is_none_of_ours_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
