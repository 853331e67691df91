/* SPDX-License-Identifier: Apache-2.0 */
#include "support/asserts.h"
#include "tokens/flight/flight_reason.h"

#include <string.h>

static void every_reason_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (unsigned a = 0; a < JTG_FLIGHT_REASON_COUNT; a++) {
        const char *name = jtg_flight_reason_name((jtg_flight_reason)a);
        assert_true(strspn(name, "abcdefghijklmnopqrstuvwxyz_") == strlen(name) && *name != '\0');
        assert_true(strlen(jtg_flight_reason_text((jtg_flight_reason)a)) > 3);
        for (unsigned b = 0; b < a; b++)
            assert_string_not_equal(name, jtg_flight_reason_name((jtg_flight_reason)b));
    }
}

static void only_one_reason_accepts(void **state)
{
    (void)state;
    for (int reason = -1; reason <= JTG_FLIGHT_REASON_COUNT + 1; reason++) {
        jtg_seen expected = reason == JTG_FLIGHT_FIRST      ? JTG_SEEN_NOT
                            : reason == JTG_FLIGHT_REPLAYED ? JTG_SEEN_BEFORE
                                                            : JTG_SEEN_UNSURE;
        assert_int_equal(jtg_flight_reason_seen((jtg_flight_reason)reason), expected);
    }
    assert_string_equal(jtg_flight_reason_name((jtg_flight_reason)99), "internal");
}

static void answers_and_modes_have_names(void **state)
{
    (void)state;
    assert_string_equal(jtg_seen_name(JTG_SEEN_NOT), "not_seen");
    assert_string_equal(jtg_seen_name(JTG_SEEN_BEFORE), "seen");
    assert_string_equal(jtg_seen_name(JTG_SEEN_UNSURE), "unsure");
    assert_string_equal(jtg_seen_name((jtg_seen)9), "unsure");
    assert_string_equal(jtg_anti_replay_mode_name(JTG_ANTI_REPLAY_SINGLE_USE), "single_use");
    assert_string_equal(jtg_anti_replay_mode_name(JTG_ANTI_REPLAY_TIME_WINDOWED), "time_windowed");
    assert_string_equal(jtg_anti_replay_mode_name(JTG_ANTI_REPLAY_BINDER), "binder");
    assert_string_equal(jtg_anti_replay_mode_name(JTG_ANTI_REPLAY_CLIENT_RANDOM), "client_random");
    assert_string_equal(jtg_anti_replay_mode_name((jtg_anti_replay_mode)9), "unknown");
}

static void every_status_becomes_a_reason_and_one_accepts(void **state)
{
    (void)state;
    for (int status = -1; status <= JTG_STATUS_COUNT + 1; status++) {
        jtg_flight_reason reason = jtgi_flight_reason_from_status((jtg_status)status);
        assert_int_equal(reason == JTG_FLIGHT_FIRST, status == JTG_OK);
        assert_int_equal(reason == JTG_FLIGHT_REPLAYED, status == JTG_REPLAYED);
        assert_int_not_equal(reason, JTG_FLIGHT_UNDECIDED);
    }
}

static void a_status_keeps_its_name(void **state)
{
    static const jtg_status same[] = {JTG_ERR_ARGUMENT,    JTG_ERR_MEMORY,   JTG_ERR_FULL,
                                      JTG_ERR_UNAVAILABLE, JTG_ERR_TIMEOUT,  JTG_ERR_UNSAFE,
                                      JTG_ERR_REFUSED,     JTG_ERR_PROTOCOL, JTG_ERR_REPLICAS,
                                      JTG_ERR_CONTINUITY,  JTG_ERR_FORKED,   JTG_ERR_BLOCKED};
    (void)state;
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++)
        assert_string_equal(jtg_flight_reason_name(jtgi_flight_reason_from_status(same[i])),
                            jtg_status_name(same[i]));
    assert_int_equal(jtgi_flight_reason_from_status(JTG_ERR_GROUP_FULL),
                     JTG_FLIGHT_ZONE_SHARE_FULL);
    assert_int_equal(jtgi_flight_reason_from_status(JTG_ERR_SYSTEM), JTG_FLIGHT_INTERNAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_reason_has_a_name_of_its_own),
        cmocka_unit_test(only_one_reason_accepts),
        cmocka_unit_test(answers_and_modes_have_names),
        cmocka_unit_test(every_status_becomes_a_reason_and_one_accepts),
        cmocka_unit_test(a_status_keeps_its_name),
    };
    return cmocka_run_group_tests_name("flight reason", tests, NULL, NULL);
}
