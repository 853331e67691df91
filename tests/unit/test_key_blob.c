/* SPDX-License-Identifier: Apache-2.0 */
#include "tokens/common/wire.h"
#include "tokens/tickets/key_blob.h"

#include "support/asserts.h"

#include <sodium.h>
#include <string.h>

enum { ROTATION = 1000, LIFETIME = 5000, LEAD = 300, MARGIN = 100, START = 1000000, KEPT = 60000 };

static const struct jtgi_key_schedule schedule = {ROTATION, LIFETIME, LEAD, MARGIN};

struct fixture {
    struct jtgi_wrapper wrapper;
    unsigned char kek[JTGI_SECRET_BYTES];
    struct jtgi_key_set *set;
    unsigned char blob[JTGI_BLOB_MAX_BYTES];
    size_t blob_len;
};

static void make_wrapper(struct jtgi_wrapper *wrapper, const char *zone, const unsigned char *kek)
{
    memset(wrapper, 0, sizeof *wrapper);
    wrapper->zone_len = strlen(zone);
    memcpy(wrapper->zone, zone, wrapper->zone_len);
    assert_status(jtgi_wrapper_add(wrapper, kek), JTG_OK);
}

static int set_up(void **state)
{
    static struct fixture fixture;
    memset(&fixture, 0, sizeof fixture);
    randombytes_buf(fixture.kek, sizeof fixture.kek);
    make_wrapper(&fixture.wrapper, "zone", fixture.kek);
    fixture.set = jtgi_key_set_new();
    randombytes_buf(fixture.set->epoch, sizeof fixture.set->epoch);
    fixture.set->version = 7;
    fixture.set->revoked_ms = 42;
    for (int i = 0; i < 3; i++)
        assert_status(jtgi_key_set_publish(fixture.set, &schedule,
                                           jtgi_wrapper_zone(&fixture.wrapper), START + i),
                      JTG_OK);
    assert_status(jtgi_key_blob_write(fixture.set, &fixture.wrapper, START, KEPT, fixture.blob,
                                      &fixture.blob_len),
                  JTG_OK);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    jtgi_key_set_drop(fixture->set);
    return 0;
}

static jtg_status read_with(const struct fixture *fixture, const struct jtgi_wrapper *wrapper,
                            size_t len)
{
    struct jtgi_key_set *set = NULL;
    struct jtgi_span blob = {fixture->blob, len};
    jtg_error err = JTG_ERROR_INIT;
    jtg_status status = jtgi_key_blob_read(&set, wrapper, NULL, blob, KEPT - 500, &err);
    assert_true((set != NULL) == (status == JTG_OK));
    jtgi_key_set_drop(set);
    return status;
}

static void what_was_written_is_read(void **state)
{
    struct fixture *fixture = *state;
    struct jtgi_key_set *set = NULL;
    struct jtgi_span blob = {fixture->blob, fixture->blob_len};
    assert_status(jtgi_key_blob_read(&set, &fixture->wrapper, NULL, blob, KEPT - 500, NULL),
                  JTG_OK);
    assert_memory_equal(set->epoch, fixture->set->epoch, sizeof set->epoch);
    assert_int_equal(set->version, 7);
    assert_int_equal(set->revoked_ms, 42);
    assert_int_equal(set->anchor.set_ms, START + 500);
    assert_int_equal(set->count, 3);
    for (int i = 0; i < 3; i++) {
        const struct jtgi_set_entry *a = &set->entries[i];
        const struct jtgi_set_entry *b = &fixture->set->entries[i];
        assert_memory_equal(a->key->name, b->key->name, sizeof a->key->name);
        assert_memory_equal(a->key->secret, b->key->secret, sizeof a->key->secret);
        assert_int_equal(a->published_ms, b->published_ms);
        assert_int_equal(a->not_before_ms, b->not_before_ms);
        assert_int_equal(a->encrypt_until_ms, b->encrypt_until_ms);
        assert_int_equal(a->decrypt_until_ms, b->decrypt_until_ms);
    }
    jtgi_key_set_drop(set);
}

/* So that its seals go on being counted. Not by the name alone. */
static void a_known_key_is_shared(void **state)
{
    struct fixture *fixture = *state;
    struct jtgi_key_set *set = NULL;
    struct jtgi_span blob = {fixture->blob, fixture->blob_len};
    fixture->set->entries[1].key->secret[5] ^= 1;
    assert_status(jtgi_key_blob_read(&set, &fixture->wrapper, fixture->set, blob, KEPT, NULL),
                  JTG_OK);
    assert_ptr_equal(set->entries[0].key, fixture->set->entries[0].key);
    assert_ptr_not_equal(set->entries[1].key, fixture->set->entries[1].key);
    assert_ptr_equal(set->entries[2].key, fixture->set->entries[2].key);
    jtgi_key_set_drop(set);
}

static void no_key_can_be_seen_in_it(void **state)
{
    struct fixture *fixture = *state;
    for (int i = 0; i < 3; i++)
        for (size_t k = 0; k < JTGI_SECRET_BYTES; k += 8)
            assert_null(memmem(fixture->blob, fixture->blob_len,
                               fixture->set->entries[i].key->secret + k, 8));
    assert_null(memmem(fixture->blob, fixture->blob_len, fixture->kek, 8));
}

static void every_byte_of_it_counts(void **state)
{
    struct fixture *fixture = *state;
    for (size_t at = 0; at < fixture->blob_len; at++)
        for (unsigned bit = 0; bit < 8; bit++) {
            fixture->blob[at] = (unsigned char)(fixture->blob[at] ^ 1U << bit);
            jtg_status status = read_with(fixture, &fixture->wrapper, fixture->blob_len);
            assert_status(status, at == 4 || at == 5 ? JTG_ERR_UNSUPPORTED : JTG_ERR_PROTOCOL);
            fixture->blob[at] = (unsigned char)(fixture->blob[at] ^ 1U << bit);
        }
    assert_status(read_with(fixture, &fixture->wrapper, fixture->blob_len), JTG_OK);
}

static void every_length_but_its_own_is_refused(void **state)
{
    struct fixture *fixture = *state;
    for (size_t len = 0; len < fixture->blob_len; len++)
        assert_status(read_with(fixture, &fixture->wrapper, len), JTG_ERR_PROTOCOL);
    assert_status(read_with(fixture, &fixture->wrapper, fixture->blob_len + 1), JTG_ERR_PROTOCOL);
}

static void another_kek_and_another_zone_are_told_apart(void **state)
{
    struct fixture *fixture = *state;
    struct jtgi_wrapper other;
    unsigned char kek[JTGI_SECRET_BYTES];
    struct jtgi_key_set *set = NULL;
    struct jtgi_span blob = {fixture->blob, fixture->blob_len};
    jtg_error err = JTG_ERROR_INIT;
    randombytes_buf(kek, sizeof kek);
    make_wrapper(&other, "zone", kek);
    assert_status(jtgi_key_blob_read(&set, &other, NULL, blob, KEPT, &err), JTG_ERR_PROTOCOL);
    assert_non_null(strstr(err.text, "another KEK"));
    assert_status(jtgi_wrapper_add(&other, fixture->kek), JTG_OK); /* as the second one */
    assert_status(read_with(fixture, &other, fixture->blob_len), JTG_OK);
    make_wrapper(&other, "zonf", fixture->kek);
    err = (jtg_error)JTG_ERROR_INIT;
    assert_status(jtgi_key_blob_read(&set, &other, NULL, blob, KEPT, &err), JTG_ERR_PROTOCOL);
    assert_non_null(strstr(err.text, "zone"));
}

/* The store's clock was set back: no time before the writing. */
static void more_than_all_of_its_life_left_is_no_age(void **state)
{
    struct fixture *fixture = *state;
    struct jtgi_key_set *set = NULL;
    struct jtgi_span blob = {fixture->blob, fixture->blob_len};
    assert_status(jtgi_key_blob_read(&set, &fixture->wrapper, NULL, blob, KEPT + 5, NULL), JTG_OK);
    assert_int_equal(set->anchor.set_ms, START);
    jtgi_key_set_drop(set);
}

/* ---- the body, as somebody who has the KEK could write it ---- */

struct body {
    unsigned char bytes[JTGI_BLOB_BODY_MAX_BYTES + 8];
    struct jtgi_writer writer;
};

static void begin_body(struct body *body, unsigned count)
{
    body->writer = jtgi_writer_of(body->bytes, sizeof body->bytes);
    jtgi_write_number(&body->writer, 0, 8);
    jtgi_write_number(&body->writer, count, 1);
}

static void add_times(struct body *body, const unsigned char *name, const unsigned char *secret,
                      uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    jtgi_write_bytes(&body->writer, name, JTG_TICKET_NAME_BYTES);
    jtgi_write_bytes(&body->writer, secret, JTGI_SECRET_BYTES);
    jtgi_write_number(&body->writer, a, 8);
    jtgi_write_number(&body->writer, b, 8);
    jtgi_write_number(&body->writer, c, 8);
    jtgi_write_number(&body->writer, d, 8);
}

static jtg_status read_body(const struct body *body)
{
    struct jtgi_key_set *set = jtgi_key_set_new();
    struct jtgi_span span = {body->bytes, sizeof body->bytes - body->writer.left};
    struct jtgi_span zone = {"zone", 4};
    jtg_status status = jtgi_key_blob_read_body(set, NULL, span, zone);
    jtgi_key_set_drop(set);
    return status;
}

static void a_body_that_makes_no_sense_is_refused(void **state)
{
    (void)state;
    struct body body;
    unsigned char names[2][JTG_TICKET_NAME_BYTES];
    unsigned char secret[JTGI_SECRET_BYTES];
    static const unsigned char zeros[JTGI_SECRET_BYTES];
    randombytes_buf(names, sizeof names);
    randombytes_buf(secret, sizeof secret);

    begin_body(&body, 0);
    assert_status(read_body(&body), JTG_ERR_PROTOCOL);
    begin_body(&body, 33);
    assert_status(read_body(&body), JTG_ERR_PROTOCOL);
    begin_body(&body, 2);
    add_times(&body, names[0], secret, 1, 2, 3, 4);
    assert_status(read_body(&body), JTG_ERR_PROTOCOL); /* one is missing */
    add_times(&body, names[1], secret, 1, 2, 3, 4);
    assert_status(read_body(&body), JTG_OK);
    jtgi_write_number(&body.writer, 0, 1);
    assert_status(read_body(&body), JTG_ERR_PROTOCOL); /* a byte too many */
    begin_body(&body, 2);
    add_times(&body, names[0], secret, 1, 2, 3, 4);
    add_times(&body, names[0], secret, 1, 2, 3, 4);
    assert_status(read_body(&body), JTG_ERR_PROTOCOL); /* one name twice */
    begin_body(&body, 1);
    add_times(&body, names[0], zeros, 1, 2, 3, 4);
    assert_status(read_body(&body), JTG_ERR_PROTOCOL);
    begin_body(&body, 1);
    add_times(&body, zeros, secret, 1, 2, 3, 4);
    assert_status(read_body(&body), JTG_ERR_PROTOCOL);
    begin_body(&body, 2);
    add_times(&body, names[0], secret, 1, 3, 3, 4);
    add_times(&body, names[1], secret, 1, 2, 3, 4);
    assert_status(read_body(&body), JTG_ERR_PROTOCOL); /* not in order */
}

static void times_out_of_order_are_refused(void **state)
{
    (void)state;
    struct body body;
    const uint64_t times[][4] = {{2, 1, 3, 4},          {1, 3, 2, 4},
                                 {1, 2, 4, 3},          {1, 2, 3, UINT64_C(253402300800000)},
                                 {UINT64_MAX, 2, 3, 4}, {1, 2, 3, UINT64_C(1) << 63}};
    unsigned char name[JTG_TICKET_NAME_BYTES];
    unsigned char secret[JTGI_SECRET_BYTES];
    randombytes_buf(name, sizeof name);
    randombytes_buf(secret, sizeof secret);
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        begin_body(&body, 1);
        add_times(&body, name, secret, times[i][0], times[i][1], times[i][2], times[i][3]);
        assert_status(read_body(&body), JTG_ERR_PROTOCOL);
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(what_was_written_is_read),
        CASE(a_known_key_is_shared),
        CASE(no_key_can_be_seen_in_it),
        CASE(every_byte_of_it_counts),
        CASE(every_length_but_its_own_is_refused),
        CASE(another_kek_and_another_zone_are_told_apart),
        CASE(more_than_all_of_its_life_left_is_no_age),
        cmocka_unit_test(a_body_that_makes_no_sense_is_refused),
        cmocka_unit_test(times_out_of_order_are_refused),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
