/* SPDX-License-Identifier: Apache-2.0 */
#include "support/asserts.h"
#include "tokens/breakglass/breakglass_record.h"

#include <sodium.h>
#include <string.h>

static const unsigned char key[] = "a key of thirty-two bytes, secre";

struct fixture {
    struct jtgi_breakglass_sealer sealer;
    struct jtgi_breakglass_token token;
    struct jtgi_breakglass_record record;
    unsigned char bytes[JTGI_BREAKGLASS_RECORD_BYTES];
};

static void name_sealer(struct jtgi_breakglass_sealer *sealer, const char *name)
{
    sealer->name_len = strlen(name);
    memcpy(sealer->name, name, sealer->name_len);
    jtgi_breakglass_sealer_init(sealer);
}

static int set_up(void **state)
{
    static struct fixture fixture;
    if (sodium_init() < 0)
        return -1;
    memset(&fixture, 0, sizeof fixture);
    fixture.sealer.key = key;
    name_sealer(&fixture.sealer, "default");
    for (unsigned i = 0; i < sizeof fixture.token.bytes; i++)
        fixture.token.bytes[i] = (unsigned char)i;
    fixture.record = (struct jtgi_breakglass_record){
        .has_token = true,
        .max_uses = 3,
        .uses = 1,
        .issued_ms = 1795176000000,
        .ttl_ms = 60000,
        .epoch = 1795170000000,
    };
    jtgi_breakglass_record_seal(&fixture.record, &fixture.sealer, &fixture.token);
    jtgi_breakglass_record_write(&fixture.record, fixture.bytes);
    *state = &fixture;
    return 0;
}

/* What lies in the stores of other processes, computed with Python's hmac. */
static void the_layout_is_the_documented_one(void **state)
{
    static const char expected[] =
        "010100000000000300000001000001a1f8d3ea00000000000000ea60"
        "000001a1f8785c80"
        "e7e5e167511d442a"
        "4b8d824d4620836179f7c3446b73485a447564593830516c64db026649aac5e5";
    struct fixture *fixture = *state;
    char hex[2 * JTGI_BREAKGLASS_RECORD_BYTES + 1];
    (void)sodium_bin2hex(hex, sizeof hex, fixture->bytes, sizeof fixture->bytes);
    assert_string_equal(hex, expected);
}

static void what_is_written_is_read(void **state)
{
    struct fixture *fixture = *state;
    struct jtgi_breakglass_record read;
    unsigned char again[JTGI_BREAKGLASS_RECORD_BYTES];
    assert_true(jtgi_breakglass_record_read(&read, fixture->bytes, sizeof fixture->bytes));
    assert_int_equal(read.max_uses, 3);
    assert_int_equal(read.uses, 1);
    assert_int_equal(read.issued_ms, 1795176000000);
    assert_int_equal(read.ttl_ms, 60000);
    assert_int_equal(read.epoch, 1795170000000);
    assert_true(read.has_token);
    jtgi_breakglass_record_write(&read, again);
    assert_memory_equal(again, fixture->bytes, sizeof again);
    assert_true(jtgi_breakglass_record_matches(&read, &fixture->sealer, &fixture->token));
}

/* Every bit of record, token, name and key counts. */
static void any_change_is_noticed(void **state)
{
    struct fixture *fixture = *state;
    for (unsigned bit = 0; bit < 8 * sizeof fixture->bytes; bit++) {
        unsigned char bytes[JTGI_BREAKGLASS_RECORD_BYTES];
        struct jtgi_breakglass_record read;
        memcpy(bytes, fixture->bytes, sizeof bytes);
        bytes[bit / 8] ^= (unsigned char)(1U << (bit % 8));
        assert_false(jtgi_breakglass_record_read(&read, bytes, sizeof bytes) &&
                     jtgi_breakglass_record_matches(&read, &fixture->sealer, &fixture->token));
    }
    for (unsigned bit = 0; bit < 8 * sizeof fixture->token.bytes; bit++) {
        struct jtgi_breakglass_token other = fixture->token;
        other.bytes[bit / 8] ^= (unsigned char)(1U << (bit % 8));
        assert_false(jtgi_breakglass_record_matches(&fixture->record, &fixture->sealer, &other));
    }
    struct jtgi_breakglass_sealer other = fixture->sealer;
    name_sealer(&other, "defaulu");
    assert_false(jtgi_breakglass_record_matches(&fixture->record, &other, &fixture->token));
    for (unsigned bit = 0; bit < 8 * JTG_BREAKGLASS_KEY_BYTES; bit++) {
        unsigned char changed[JTG_BREAKGLASS_KEY_BYTES];
        memcpy(changed, key, sizeof changed);
        changed[bit / 8] ^= (unsigned char)(1U << (bit % 8));
        other = fixture->sealer;
        other.key = changed;
        assert_false(jtgi_breakglass_record_matches(&fixture->record, &other, &fixture->token));
        jtgi_breakglass_sealer_init(&other);
        assert_memory_not_equal(other.key_id, fixture->sealer.key_id, sizeof other.key_id);
    }
}

static void a_vacant_record_matches_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct jtgi_breakglass_record vacant;
    struct jtgi_breakglass_record other;
    struct jtgi_breakglass_record read;
    unsigned char bytes[JTGI_BREAKGLASS_RECORD_BYTES];
    jtgi_breakglass_record_vacate(&vacant, &fixture->sealer);
    jtgi_breakglass_record_vacate(&other, &fixture->sealer);
    assert_memory_not_equal(vacant.tag, other.tag, sizeof vacant.tag);
    jtgi_breakglass_record_write(&vacant, bytes);
    assert_true(jtgi_breakglass_record_read(&read, bytes, sizeof bytes));
    assert_false(read.has_token);
    assert_false(jtgi_breakglass_record_matches(&read, &fixture->sealer, &fixture->token));
    /* Not even with the tag of a token. */
    jtgi_breakglass_record_seal(&read, &fixture->sealer, &fixture->token);
    assert_false(jtgi_breakglass_record_matches(&read, &fixture->sealer, &fixture->token));
}

static bool is_read(const unsigned char *bytes, size_t bytes_len)
{
    struct jtgi_breakglass_record read;
    return jtgi_breakglass_record_read(&read, bytes, bytes_len);
}

static void what_is_no_record_is_refused(void **state)
{
    static const struct {
        size_t at;
        unsigned char byte;
    } wrong[] = {
        {0, 0},     {0, 2},    /* another version */
        {1, 2},     {1, 0xff}, /* neither vacant nor not */
        {1, 0},                /* vacant, with terms */
        {2, 1},     {3, 1},    /* not 0 */
        {4, 1},                /* max_uses beyond the limit */
        {8, 1},     {11, 4},   /* more uses than allowed */
        {12, 0x80}, {12, 1},   /* issued before 1970, or after 9999 */
        {20, 1},               /* a life beyond the limit */
    };
    struct fixture *fixture = *state;
    unsigned char bytes[JTGI_BREAKGLASS_RECORD_BYTES + 1] = {0};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        memcpy(bytes, fixture->bytes, sizeof fixture->bytes);
        bytes[wrong[i].at] = wrong[i].byte;
        assert_false(is_read(bytes, sizeof fixture->bytes));
    }
    memcpy(bytes, fixture->bytes, sizeof fixture->bytes);
    for (size_t len = 0; len <= sizeof bytes; len++)
        assert_int_equal(is_read(bytes, len), len == JTGI_BREAKGLASS_RECORD_BYTES);
    memset(bytes + 20, 0, 8); /* no life */
    assert_false(is_read(bytes, sizeof fixture->bytes));
}

static void a_time_ends_by_either_clock(void **state)
{
    struct fixture *fixture = *state;
    const struct jtgi_breakglass_record *record = &fixture->record;
    uint64_t kept = JTGI_BREAKGLASS_KEPT_MS;
    int64_t issued = record->issued_ms;
    assert_false(jtgi_breakglass_record_is_over(record, kept, issued));
    assert_false(jtgi_breakglass_record_is_over(record, kept - 59999, issued + 59999));
    assert_true(jtgi_breakglass_record_is_over(record, kept - 60000, issued + 59999));
    assert_true(jtgi_breakglass_record_is_over(record, kept - 59999, issued + 60000));
    assert_true(jtgi_breakglass_record_is_over(record, 0, issued));
    /* A wall clock that is behind prolongs nothing. */
    assert_false(jtgi_breakglass_record_is_over(record, kept - 59999, 0));
    assert_true(jtgi_breakglass_record_is_over(record, kept - 60000, 0));
}

static void uses_end(void **state)
{
    struct fixture *fixture = *state;
    struct jtgi_breakglass_record record = fixture->record;
    assert_false(jtgi_breakglass_record_is_used_up(&record));
    record.uses = 2;
    assert_false(jtgi_breakglass_record_is_used_up(&record));
    record.uses = 3;
    assert_true(jtgi_breakglass_record_is_used_up(&record));
    record.max_uses = 0;
    assert_false(jtgi_breakglass_record_is_used_up(&record));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_layout_is_the_documented_one, set_up),
        cmocka_unit_test_setup(what_is_written_is_read, set_up),
        cmocka_unit_test_setup(any_change_is_noticed, set_up),
        cmocka_unit_test_setup(a_vacant_record_matches_nothing, set_up),
        cmocka_unit_test_setup(what_is_no_record_is_refused, set_up),
        cmocka_unit_test_setup(a_time_ends_by_either_clock, set_up),
        cmocka_unit_test_setup(uses_end, set_up),
    };
    return cmocka_run_group_tests_name("breakglass record", tests, NULL, NULL);
}
