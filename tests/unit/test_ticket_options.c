/* SPDX-License-Identifier: Apache-2.0 */
#include "tokens/tickets/ticket_options.h"

#include "support/asserts.h"

#include <sodium.h>
#include <string.h>

static jtg_ticket_options options;

static int set_up(void **state)
{
    (void)state;
    jtg_ticket_options_init(&options);
    options.kek_file = "/a/file";
    return 0;
}

static jtg_status check(void)
{
    jtg_ticket_options read;
    jtg_error err = JTG_ERROR_INIT;
    jtg_status status = jtgi_ticket_options_read(&read, &options, &err);
    if (status != JTG_OK)
        assert_err_tells(&err, status);
    return status;
}

#define REFUSES(member, value)                                                                     \
    do {                                                                                           \
        (void)set_up(NULL);                                                                        \
        options.member = (value);                                                                  \
        assert_status(check(), JTG_ERR_ARGUMENT);                                                  \
    } while (0)

static void the_initialiser_and_the_function_agree(void **state)
{
    (void)state;
    jtg_ticket_options a = JTG_TICKET_OPTIONS_INIT;
    jtg_ticket_options b;
    memset(&b, 0xff, sizeof b);
    jtg_ticket_options_init(&b);
    assert_int_equal(a.struct_size, b.struct_size);
    assert_int_equal(a.rotation_ms, b.rotation_ms);
    assert_int_equal(a.refresh_on_use, b.refresh_on_use);
    assert_int_equal(a.max_seals, b.max_seals);
    assert_int_equal(a.rotation_ms, 3600000);
    jtg_ticket_options_init(NULL);
}

static void the_defaults_need_a_kek_and_no_more(void **state)
{
    (void)state;
    jtg_ticket_options read;
    assert_status(check(), JTG_OK);
    assert_status(jtgi_ticket_options_read(&read, NULL, NULL), JTG_ERR_ARGUMENT);
    options.kek_file = NULL;
    assert_status(check(), JTG_ERR_ARGUMENT);
    options.single_instance = 1;
    assert_status(check(), JTG_OK);
    options.kek_file_other = "/a/file";
    assert_status(check(), JTG_ERR_ARGUMENT);
}

static void what_is_out_of_range_is_refused(void **state)
{
    (void)state;
    char zone[JTG_TICKET_ZONE_MAX_BYTES + 2];
    memset(zone, 'z', sizeof zone - 1);
    zone[sizeof zone - 1] = '\0';
    REFUSES(struct_size, 0);
    REFUSES(struct_size, sizeof options - 1);
    REFUSES(rotation_ms, 99);
    REFUSES(rotation_ms, JTG_TICKET_ROTATION_MS_LIMIT + 1U);
    REFUSES(ticket_lifetime_s, 0);
    REFUSES(ticket_lifetime_s, JTG_TICKET_LIFETIME_S_LIMIT + 1);
    REFUSES(refresh_interval_ms, 0);
    REFUSES(publish_lead_ms, 0);
    REFUSES(publish_lead_ms, JTG_TICKET_ROTATION_MS_DEFAULT + 1);
    REFUSES(margin_ms, JTG_TICKET_ROTATION_MS_DEFAULT + 1);
    REFUSES(max_seals, 0);
    REFUSES(max_seals, JTG_TICKET_MAX_SEALS_LIMIT + 1);
    REFUSES(single_instance, 2);
    REFUSES(refresh_on_use, 2);
    REFUSES(zone, "");
    REFUSES(zone, "a b");
    REFUSES(zone, "a\nb");
    REFUSES(zone, "z\xc3\xa4");
    REFUSES(zone, zone);
}

/* A key that seals before an instance that refreshes in time has loaded it cannot be asked for. */
static void the_lead_covers_a_refresh_and_the_margin(void **state)
{
    (void)state;
    options.refresh_interval_ms = 20000;
    options.margin_ms = 10000;
    options.publish_lead_ms = 30000;
    assert_status(check(), JTG_ERR_ARGUMENT);
    options.publish_lead_ms = 30001;
    assert_status(check(), JTG_OK);
}

/* 32 keys hold every key that a live ticket can need: counted here by playing it through. */
static void the_keys_of_a_lifetime_fit(void **state)
{
    (void)state;
    const struct jtgi_span zone = {"zone", 4};
    for (uint32_t hours = 1; hours <= 40; hours++) {
        options.ticket_lifetime_s = hours * 3600;
        struct jtgi_key_schedule schedule = jtgi_ticket_options_schedule(&options);
        struct jtgi_key_set *set = jtgi_key_set_new();
        jtg_status status = JTG_OK;
        for (int64_t now = 1000; now < INT64_C(200) * 3600000 && status == JTG_OK; now += 20000)
            if (jtgi_key_set_lacks_next(set, now)) {
                jtgi_key_set_prune(set, &schedule, now);
                status = jtgi_key_set_publish(set, &schedule, zone, now);
            }
        jtgi_key_set_drop(set);
        if (check() == JTG_OK)
            assert_status(status, JTG_OK);
        else
            assert_true(hours > 24);
    }
}

#define CASE(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(the_initialiser_and_the_function_agree),
        CASE(the_defaults_need_a_kek_and_no_more),
        CASE(what_is_out_of_range_is_refused),
        CASE(the_lead_covers_a_refresh_and_the_margin),
        CASE(the_keys_of_a_lifetime_fit),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
