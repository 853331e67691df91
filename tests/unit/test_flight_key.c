/* SPDX-License-Identifier: Apache-2.0 */
#include "support/asserts.h"
#include "tokens/flight/flight_key.h"

#include <sodium.h>
#include <string.h>

static unsigned char bytes[65536];

struct made {
    unsigned char key[JTGI_FLIGHT_KEY_BYTES];
};

static jtg_flight some_flight(void)
{
    jtg_flight flight = JTG_FLIGHT_INIT;
    flight.ticket = bytes;
    flight.ticket_len = 16;
    flight.binder = bytes;
    flight.binder_len = 32;
    flight.client_random = bytes;
    flight.client_random_len = 32;
    return flight;
}

static struct made make(const char *zone, jtg_anti_replay_mode mode, const jtg_flight *flight)
{
    struct made made;
    assert_status(jtgi_flight_key_make(made.key, zone, mode, flight, NULL), JTG_OK);
    return made;
}

static void assert_key(struct made made, const char *expected)
{
    assert_int_equal(strlen(expected), sizeof made.key);
    assert_memory_equal(made.key, expected, sizeof made.key);
}

/* What lies in the stores of other processes, computed with Python's hashlib. */
static void keys_are_the_documented_ones(void **state)
{
    jtg_flight flight = some_flight();
    (void)state;
    assert_key(make("", JTG_ANTI_REPLAY_SINGLE_USE, &flight),
               "jtg:ar1:GREccWwd46bUB4S-xkqgVZy1tNqE3fE6OATfYtXmzM8");
    assert_key(make("", JTG_ANTI_REPLAY_TIME_WINDOWED, &flight),
               "jtg:ar1:GREccWwd46bUB4S-xkqgVZy1tNqE3fE6OATfYtXmzM8");
    assert_key(make("eu", JTG_ANTI_REPLAY_BINDER, &flight),
               "jtg:ar1:dLlzBSkBuzsDrE8vqRODDbp1A3tsGlkWpu0JZx88x4c");
    assert_key(make("eu", JTG_ANTI_REPLAY_CLIENT_RANDOM, &flight),
               "jtg:ar1:n874kohZYeTjUUICem6Yy5I9e3TBaoD0-xXsLhJY7sI");
}

static void whatever_differs_makes_another_key(void **state)
{
    jtg_flight flight = some_flight();
    jtg_flight other = some_flight();
    struct made keys[8];
    (void)state;
    other.ticket_len = 17;
    keys[0] = make("", JTG_ANTI_REPLAY_SINGLE_USE, &flight);
    keys[1] = make("", JTG_ANTI_REPLAY_SINGLE_USE, &other);
    keys[2] = make("a", JTG_ANTI_REPLAY_SINGLE_USE, &flight);
    keys[3] = make("", JTG_ANTI_REPLAY_BINDER, &flight);
    keys[4] = make("", JTG_ANTI_REPLAY_CLIENT_RANDOM, &flight);
    other.ticket_len = 16;
    other.ticket = "another ticket id";
    keys[5] = make("", JTG_ANTI_REPLAY_SINGLE_USE, &other);
    keys[6] = make("aticket", JTG_ANTI_REPLAY_SINGLE_USE, &flight);
    other.binder_len = 48;
    keys[7] = make("", JTG_ANTI_REPLAY_BINDER, &other);
    for (size_t i = 0; i < 8; i++)
        for (size_t j = 0; j < i; j++)
            assert_memory_not_equal(keys[i].key, keys[j].key, sizeof keys[i].key);
}

static bool is_taken(jtg_anti_replay_mode mode, const jtg_flight *flight)
{
    struct made made;
    jtg_error err = JTG_ERROR_INIT;
    jtg_status status = jtgi_flight_key_make(made.key, "", mode, flight, &err);
    if (status != JTG_OK)
        assert_err_tells(&err, JTG_ERR_ARGUMENT);
    return status == JTG_OK;
}

static void an_identity_has_its_length(void **state)
{
    (void)state;
    for (size_t len = 0; len < 70; len++) {
        jtg_flight flight = some_flight();
        flight.ticket_len = len;
        flight.binder_len = len;
        flight.client_random_len = len;
        assert_int_equal(is_taken(JTG_ANTI_REPLAY_SINGLE_USE, &flight), len >= 1);
        assert_int_equal(is_taken(JTG_ANTI_REPLAY_BINDER, &flight), len >= 32 && len <= 64);
        assert_int_equal(is_taken(JTG_ANTI_REPLAY_CLIENT_RANDOM, &flight), len == 32);
    }
    jtg_flight flight = some_flight();
    flight.ticket_len = JTG_ANTI_REPLAY_TICKET_MAX_BYTES;
    assert_true(is_taken(JTG_ANTI_REPLAY_SINGLE_USE, &flight));
    flight.ticket_len++;
    assert_false(is_taken(JTG_ANTI_REPLAY_SINGLE_USE, &flight));
}

/* A caller that forgets the mode's identity must not record all flights as one. */
static void a_missing_identity_is_refused(void **state)
{
    jtg_flight flight = JTG_FLIGHT_INIT;
    (void)state;
    for (int mode = 0; mode <= JTG_ANTI_REPLAY_CLIENT_RANDOM; mode++)
        assert_false(is_taken((jtg_anti_replay_mode)mode, &flight));
    flight.ticket_len = flight.binder_len = flight.client_random_len = 32;
    for (int mode = 0; mode <= JTG_ANTI_REPLAY_CLIENT_RANDOM; mode++)
        assert_false(is_taken((jtg_anti_replay_mode)mode, &flight));
}

static int set_up(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)i;
    return sodium_init() < 0 ? -1 : 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_the_documented_ones),
        cmocka_unit_test(whatever_differs_makes_another_key),
        cmocka_unit_test(an_identity_has_its_length),
        cmocka_unit_test(a_missing_identity_is_refused),
    };
    return cmocka_run_group_tests_name("flight key", tests, set_up, NULL);
}
