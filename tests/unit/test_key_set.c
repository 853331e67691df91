/* SPDX-License-Identifier: Apache-2.0 */
#include "tokens/tickets/key_set.h"

#include "support/asserts.h"

#include <sodium.h>
#include <string.h>

enum { ROTATION = 1000, LIFETIME = 5000, LEAD = 300, MARGIN = 100, START = 1000000 };

static const struct jtgi_key_schedule schedule = {ROTATION, LIFETIME, LEAD, MARGIN};
static const struct jtgi_span zone = {"zone", 4};

static int new_set(void **state)
{
    *state = jtgi_key_set_new();
    return *state == NULL ? -1 : 0;
}

static int drop_set(void **state)
{
    jtgi_key_set_drop(*state);
    return 0;
}

static struct jtgi_set_time at(int64_t ms)
{
    struct jtgi_set_time now = {ms, ms};
    return now;
}

static void publish(struct jtgi_key_set *set, int64_t now_ms)
{
    assert_status(jtgi_key_set_publish(set, &schedule, zone, now_ms), JTG_OK);
}

/* The index of the key that seals at a time, or -1. */
static int sealing(const struct jtgi_key_set *set, int64_t now_ms)
{
    jtg_ticket_reason why;
    struct jtgi_set_time now = at(now_ms);
    const struct jtgi_set_entry *entry = jtgi_key_set_sealing(set, &now, &why);
    return entry == NULL ? -1 : (int)(entry - set->entries);
}

static void a_key_is_visible_before_it_seals(void **state)
{
    struct jtgi_key_set *set = *state;
    assert_true(jtgi_key_set_lacks_next(set, START));
    publish(set, START);
    assert_false(jtgi_key_set_lacks_next(set, START));
    assert_int_equal(set->entries[0].published_ms, START);
    assert_int_equal(set->entries[0].not_before_ms, START + LEAD);
    assert_int_equal(set->entries[0].encrypt_until_ms, START + LEAD + 2 * ROTATION);
    assert_int_equal(set->entries[0].decrypt_until_ms,
                     START + LEAD + 2 * ROTATION + LIFETIME + MARGIN);
    assert_int_equal(sealing(set, START + LEAD - 1), -1);
    assert_int_equal(sealing(set, START + LEAD), 0);
    assert_false(jtgi_key_set_lacks_next(set, START + LEAD - 1));
    assert_true(jtgi_key_set_lacks_next(set, START + LEAD));
}

static void the_next_key_takes_over_after_a_rotation(void **state)
{
    struct jtgi_key_set *set = *state;
    publish(set, START);
    publish(set, START + LEAD);
    assert_int_equal(set->entries[1].not_before_ms, START + LEAD + ROTATION);
    assert_int_equal(sealing(set, START + LEAD + ROTATION - 1), 0);
    assert_int_equal(sealing(set, START + LEAD + ROTATION), 1);
}

/* Published too late, it has its whole lead all the same. */
static void a_late_key_waits_for_its_lead(void **state)
{
    struct jtgi_key_set *set = *state;
    publish(set, START);
    publish(set, START + LEAD + ROTATION - 10);
    assert_int_equal(set->entries[1].not_before_ms, START + LEAD + ROTATION - 10 + LEAD);
    assert_int_equal(sealing(set, START + LEAD + ROTATION), 0);
}

static void without_a_next_key_the_last_one_goes_on_and_ends(void **state)
{
    struct jtgi_key_set *set = *state;
    jtg_ticket_reason why;
    publish(set, START);
    int64_t end = set->entries[0].encrypt_until_ms;
    assert_int_equal(sealing(set, end - 1), 0);
    assert_int_equal(sealing(set, end), -1);
    struct jtgi_set_time now = at(end);
    assert_null(jtgi_key_set_sealing(set, &now, &why));
    assert_int_equal(why, JTG_TICKET_KEYS_ENDED);
    now = at(START);
    assert_null(jtgi_key_set_sealing(set, &now, &why));
    assert_int_equal(why, JTG_TICKET_NOT_YET);
}

/* A beginning waits for the earlier time, an end comes with the later one. */
static void an_uncertain_time_never_seals_too_early_or_too_late(void **state)
{
    struct jtgi_key_set *set = *state;
    jtg_ticket_reason why;
    publish(set, START);
    struct jtgi_set_time early = {START + LEAD - 1, START + LEAD + 500};
    struct jtgi_set_time late = {START + LEAD + 500, set->entries[0].encrypt_until_ms};
    assert_null(jtgi_key_set_sealing(set, &early, &why));
    assert_null(jtgi_key_set_sealing(set, &late, &why));
}

static void a_hurried_key_still_has_its_lead(void **state)
{
    struct jtgi_key_set *set = *state;
    assert_false(jtgi_key_set_hurry(set, &schedule, START));
    publish(set, START);
    assert_false(jtgi_key_set_hurry(set, &schedule, START)); /* it has no more than that */
    publish(set, START + LEAD);
    int64_t decrypt_until_ms = set->entries[1].decrypt_until_ms;
    assert_true(jtgi_key_set_hurry(set, &schedule, START + LEAD + 10));
    assert_int_equal(set->entries[1].not_before_ms, START + LEAD + LEAD);
    assert_int_equal(set->entries[1].decrypt_until_ms, decrypt_until_ms);
    assert_false(jtgi_key_set_hurry(set, &schedule, START + LEAD + 20));
}

static void a_key_is_forgotten_when_nothing_can_need_it(void **state)
{
    struct jtgi_key_set *set = *state;
    publish(set, START);
    publish(set, START + LEAD);
    int64_t end = set->entries[0].decrypt_until_ms + MARGIN;
    jtgi_key_set_prune(set, &schedule, end - 1);
    assert_int_equal(set->count, 2);
    jtgi_key_set_prune(set, &schedule, end);
    assert_int_equal(set->count, 1);
    assert_int_equal(jtgi_key_set_end(set), set->entries[0].decrypt_until_ms);
}

static void it_holds_thirty_two(void **state)
{
    struct jtgi_key_set *set = *state;
    for (int i = 0; i < JTG_TICKET_KEYS_MAX; i++)
        publish(set, START + i);
    assert_status(jtgi_key_set_publish(set, &schedule, zone, START + 50), JTG_ERR_FULL);
    for (int i = 0; i < JTG_TICKET_KEYS_MAX; i++)
        assert_ptr_equal(jtgi_key_set_find(set, set->entries[i].key->name), &set->entries[i]);
}

static void merged_keys_open_and_do_not_seal(void **state)
{
    struct jtgi_key_set *set = *state;
    struct jtgi_key_set *other = jtgi_key_set_new();
    publish(set, START);
    publish(other, START - 5000);
    publish(other, START - 5000 + LEAD);
    memset(other->epoch, 1, sizeof other->epoch);
    int64_t decrypt_until_ms = other->entries[0].decrypt_until_ms;
    assert_true(jtgi_key_set_merge(set, other, START, 7));
    assert_false(jtgi_key_set_merge(set, other, START, 7));
    assert_int_equal(set->count, 3);
    const struct jtgi_set_entry *taken = jtgi_key_set_find(set, other->entries[0].key->name);
    assert_non_null(taken);
    assert_int_equal(taken->decrypt_until_ms, decrypt_until_ms + 7);
    for (int64_t now_ms = START; now_ms < START + LEAD; now_ms++)
        assert_int_equal(sealing(set, now_ms), -1);
    assert_int_equal(sealing(set, START + LEAD), 2);
    jtgi_key_set_drop(other);
}

static void revoked_and_ended_keys_are_not_merged(void **state)
{
    struct jtgi_key_set *set = *state;
    struct jtgi_key_set *other = jtgi_key_set_new();
    publish(set, START);
    publish(other, START - 10);
    set->revoked_ms = START - 10;
    assert_false(jtgi_key_set_merge(set, other, START, 0));
    set->revoked_ms = START - 11;
    assert_false(jtgi_key_set_merge(set, other, other->entries[0].decrypt_until_ms, 0));
    assert_true(jtgi_key_set_merge(set, other, START, 0));
    jtgi_key_set_drop(other);
}

/* The copy in the store is older than the revocation, or was written by who had not heard of it. */
static void a_revocation_is_taken_over_and_takes_its_keys_along(void **state)
{
    struct jtgi_key_set *set = *state;
    struct jtgi_key_set *other = jtgi_key_set_new();
    publish(set, START - 10);
    publish(set, START);
    publish(other, START + 1);
    jtgi_key_set_revoke(other, START - 10);
    assert_int_equal(other->count, 1);
    assert_true(jtgi_key_set_merge(set, other, START + 1, 0));
    assert_int_equal(set->revoked_ms, START - 10);
    assert_int_equal(set->count, 2);
    assert_int_equal(set->entries[0].published_ms, START + 1); /* it comes first by not_before */
    assert_int_equal(set->entries[1].published_ms, START);
    assert_false(jtgi_key_set_merge(set, other, START + 1, 0));
    jtgi_key_set_drop(other);
}

/* An instance that slept through a revocation holds the keys that were revoked, and by its clocks
 * they may be younger than they are. */
static void a_revoked_set_takes_no_key_of_another_epoch(void **state)
{
    struct jtgi_key_set *set = *state;
    struct jtgi_key_set *other = jtgi_key_set_new();
    memset(other->epoch, 1, sizeof other->epoch);
    publish(other, START);
    jtgi_key_set_revoke(set, START - 1000);
    assert_false(jtgi_key_set_merge(set, other, START, 0));
    assert_int_equal(set->count, 0);

    /* Nor one that has heard of it only by this other set, whose own keys it takes in. */
    set->revoked_ms = 0;
    jtgi_key_set_revoke(other, START - 500);
    assert_true(jtgi_key_set_merge(set, other, START, 20));
    assert_int_equal(set->revoked_ms, START - 480);
    assert_int_equal(set->count, 1);
    publish(other, START + 5);
    assert_false(jtgi_key_set_merge(set, other, START + 5, 20));
    jtgi_key_set_drop(other);
}

static void merging_leaves_room_for_the_next_key(void **state)
{
    struct jtgi_key_set *set = *state;
    struct jtgi_key_set *other = jtgi_key_set_new();
    for (int i = 0; i < 20; i++) {
        publish(set, START + i);
        publish(other, START + i);
    }
    assert_true(jtgi_key_set_merge(set, other, START + 20, 0));
    assert_int_equal(set->count, JTG_TICKET_KEYS_MAX - 1);
    publish(set, START + 21);
    jtgi_key_set_drop(other);
}

static void time_goes_on_whatever_the_clocks_do(void **state)
{
    struct jtgi_key_set *set = *state;
    set->anchor = (struct jtgi_set_anchor){START, 500, 540, 7000};
    struct jtgi_set_time now = jtgi_key_set_time(set, 640, 7140);
    assert_int_equal(now.low_ms, START + 100);
    assert_int_equal(now.high_ms, START + 140);
    now = jtgi_key_set_time(set, 640, 100); /* the wall clock was set back */
    assert_int_equal(now.low_ms, START + 100);
    assert_int_equal(now.high_ms, START + 140);
    now = jtgi_key_set_time(set, 640, 97000); /* set ahead, or the machine slept */
    assert_int_equal(now.low_ms, START + 100);
    assert_int_equal(now.high_ms, START + 90000);
    now = jtgi_key_set_time(set, 500, 7000);
    assert_int_equal(now.low_ms, START);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, new_set, drop_set)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_key_is_visible_before_it_seals),
        CASE(the_next_key_takes_over_after_a_rotation),
        CASE(a_late_key_waits_for_its_lead),
        CASE(without_a_next_key_the_last_one_goes_on_and_ends),
        CASE(an_uncertain_time_never_seals_too_early_or_too_late),
        CASE(a_hurried_key_still_has_its_lead),
        CASE(a_key_is_forgotten_when_nothing_can_need_it),
        CASE(it_holds_thirty_two),
        CASE(merged_keys_open_and_do_not_seal),
        CASE(revoked_and_ended_keys_are_not_merged),
        CASE(a_revocation_is_taken_over_and_takes_its_keys_along),
        CASE(a_revoked_set_takes_no_key_of_another_epoch),
        CASE(merging_leaves_room_for_the_next_key),
        CASE(time_goes_on_whatever_the_clocks_do),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
