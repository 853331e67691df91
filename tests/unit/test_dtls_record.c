/* SPDX-License-Identifier: Apache-2.0 */
#include "tokens/dtls/dtls_record.h"

#include "support/asserts.h"

#include <sodium.h>
#include <string.h>

static struct jtgi_record_sealer clear_sealer = {.is_sealing = false};
static struct jtgi_record_sealer sealing_sealer = {.is_sealing = true};
static unsigned char digest[JTGI_ENDPOINT_DIGEST_BYTES];
#define EPOCH INT64_C(-1700000000123)

static jtg_dtls_session make_session(void)
{
    jtg_dtls_session session = JTG_DTLS_SESSION_INIT;
    session.ticket = "a ticket";
    session.ticket_len = 8;
    session.secret = "a secret of the session";
    session.secret_len = 23;
    session.nonce = "\0";
    session.nonce_len = 1;
    session.lifetime_s = 7200;
    session.age_add = 0xfffefdfc;
    session.max_early_data = 14000;
    session.cipher_suite = 0x1301;
    return session;
}

static jtg_status read_record(const struct jtgi_record_sealer *sealer, const unsigned char *record,
                              size_t len)
{
    jtg_dtls_session read = JTG_DTLS_SESSION_INIT;
    struct jtgi_span span = {record, len};
    int64_t epoch = 0;
    jtg_status status = jtgi_dtls_record_read(sealer, digest, span, &read, &epoch);
    jtg_dtls_session_clear(&read);
    return status;
}

static void a_round(const struct jtgi_record_sealer *sealer)
{
    unsigned char record[256];
    jtg_dtls_session session = make_session();
    jtg_dtls_session read = JTG_DTLS_SESSION_INIT;
    size_t len = jtgi_dtls_record_size(sealer, &session);
    assert_true(len > 0 && len <= sizeof record);
    assert_status(jtgi_dtls_record_write(sealer, digest, &session, EPOCH, record, len), JTG_OK);
    assert_true((memmem(record, len, "secret", 6) == NULL) == sealer->is_sealing);
    struct jtgi_span span = {record, len};
    int64_t epoch = 0;
    assert_status(jtgi_dtls_record_read(sealer, digest, span, &read, &epoch), JTG_OK);
    assert_true(epoch == EPOCH);
    assert_int_equal(read.ticket_len, 8);
    assert_memory_equal(read.ticket, "a ticket", 8);
    assert_memory_equal(read.secret, session.secret, session.secret_len);
    assert_int_equal(read.nonce_len, 1);
    assert_int_equal(read.lifetime_s, 7200);
    assert_int_equal(read.age_add, 0xfffefdfc);
    assert_int_equal(read.max_early_data, 14000);
    assert_int_equal(read.cipher_suite, 0x1301);
    jtg_dtls_session_clear(&read);
    for (size_t cut = 0; cut < len; cut++)
        assert_status(read_record(sealer, record, cut), JTG_ERR_PROTOCOL);
}

static void both_forms_come_back(void **state)
{
    (void)state;
    a_round(&clear_sealer);
    a_round(&sealing_sealer);
}

static void every_bit_of_a_sealed_one_counts(void **state)
{
    (void)state;
    unsigned char record[256];
    jtg_dtls_session session = make_session();
    size_t len = jtgi_dtls_record_size(&sealing_sealer, &session);
    assert_status(jtgi_dtls_record_write(&sealing_sealer, digest, &session, EPOCH, record, len),
                  JTG_OK);
    for (size_t bit = 0; bit < 8 * len; bit++) {
        record[bit / 8] ^= (unsigned char)(1U << bit % 8);
        assert_status(read_record(&sealing_sealer, record, len), JTG_ERR_PROTOCOL);
        record[bit / 8] ^= (unsigned char)(1U << bit % 8);
    }
    assert_status(read_record(&sealing_sealer, record, len), JTG_OK);
    digest[0] ^= 1; /* another endpoint's */
    assert_status(read_record(&sealing_sealer, record, len), JTG_ERR_PROTOCOL);
    digest[0] ^= 1;
}

/* Where sessions are sealed, one in clear was put there by somebody else. */
static void the_other_form_is_refused(void **state)
{
    (void)state;
    unsigned char record[256];
    jtg_dtls_session session = make_session();
    size_t len = jtgi_dtls_record_size(&clear_sealer, &session);
    assert_status(jtgi_dtls_record_write(&clear_sealer, digest, &session, EPOCH, record, len),
                  JTG_OK);
    assert_status(read_record(&sealing_sealer, record, len), JTG_ERR_PROTOCOL);
    len = jtgi_dtls_record_size(&sealing_sealer, &session);
    assert_status(jtgi_dtls_record_write(&sealing_sealer, digest, &session, EPOCH, record, len),
                  JTG_OK);
    assert_status(read_record(&clear_sealer, record, len), JTG_ERR_PROTOCOL);
}

static void what_is_out_of_range_has_no_size(void **state)
{
    (void)state;
    jtg_dtls_session session = make_session();
    session.ticket_len = 0;
    assert_int_equal(jtgi_dtls_record_size(&clear_sealer, &session), 0);
    session = make_session();
    session.ticket_len = 65536;
    assert_int_equal(jtgi_dtls_record_size(&clear_sealer, &session), 0);
    session = make_session();
    session.secret_len = 65535 - 8 + 1;
    assert_int_equal(jtgi_dtls_record_size(&clear_sealer, &session), 0);
    session = make_session();
    session.nonce_len = 256;
    assert_int_equal(jtgi_dtls_record_size(&clear_sealer, &session), 0);
    session = make_session();
    session.cipher_suite = 65536;
    assert_int_equal(jtgi_dtls_record_size(&clear_sealer, &session), 0);
    session = make_session();
    session.secret = NULL;
    assert_int_equal(jtgi_dtls_record_size(&clear_sealer, &session), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_forms_come_back),
        cmocka_unit_test(every_bit_of_a_sealed_one_counts),
        cmocka_unit_test(the_other_form_is_refused),
        cmocka_unit_test(what_is_out_of_range_has_no_size),
    };
    if (sodium_init() < 0)
        return 1;
    randombytes_buf(sealing_sealer.key, sizeof sealing_sealer.key);
    randombytes_buf(digest, sizeof digest);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
