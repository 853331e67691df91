/* SPDX-License-Identifier: Apache-2.0 */
#include "tokens/tickets/key_store.h"

#include "support/asserts.h"
#include "support/ticket_fixture.h"

#include <sodium.h>
#include <string.h>
#include <unistd.h>

static jtg_ticket_keys_state seen[TICKET_INSTANCES];

static void look(struct ticket_fixture *fixture)
{
    for (unsigned n = 0; n < TICKET_INSTANCES; n++)
        if (fixture->instances[n] != NULL)
            ticket_fixture_state(fixture->instances[n], &seen[n]);
}

static void refresh(struct ticket_fixture *fixture, unsigned n)
{
    assert_status(jtg_ticket_keys_refresh(fixture->instances[n], NULL), JTG_OK);
    look(fixture);
}

/* Refresh all, step by step, for that long. */
static void live(struct ticket_fixture *fixture, int64_t ms)
{
    for (int64_t left = ms; left > 0; left -= 20000) {
        test_clock_advance(&fixture->clock, left < 20000 ? left : 20000);
        for (unsigned n = 0; n < TICKET_INSTANCES; n++)
            if (fixture->instances[n] != NULL)
                refresh(fixture, n);
    }
}

static void assert_same_keys(unsigned a, unsigned b)
{
    assert_int_equal(seen[a].version, seen[b].version);
    assert_int_equal(seen[a].key_count, seen[b].key_count);
    for (unsigned i = 0; i < seen[a].key_count; i++)
        assert_memory_equal(seen[a].keys[i].name, seen[b].keys[i].name, JTG_TICKET_NAME_BYTES);
}

static void the_first_makes_it_and_the_others_load_it(void **state)
{
    struct ticket_fixture *fixture = *state;
    ticket_fixture_open(fixture, 0);
    ticket_fixture_open(fixture, 1);
    look(fixture);
    assert_int_equal(seen[0].version, 1);
    assert_int_equal(seen[0].key_count, 1);
    assert_int_equal(seen[0].keys[0].not_before_ms, TEST_CLOCK_WALL_MS + TICKET_LEAD_MS);
    assert_same_keys(0, 1);
    assert_int_equal(atomic_load(&fixture->store->calls[JTG_OP_SWAP]), 1);
}

static unsigned races;

/* Another instance is faster, between our read and our swap. */
static void be_faster(void *context, jtg_operation operation)
{
    struct ticket_fixture *fixture = context;
    if (operation != JTG_OP_SWAP || races == 0)
        return;
    races--;
    jtg_ticket_keys *other = NULL;
    fixture->store->before = NULL;
    assert_status(jtg_ticket_keys_new(&other, fixture->memory, &fixture->options, NULL), JTG_OK);
    assert_status(jtg_ticket_keys_rotate(other, NULL), JTG_OK);
    jtg_ticket_keys_free(other);
    fixture->store->before = be_faster;
}

static void who_loses_the_race_reads_again(void **state)
{
    struct ticket_fixture *fixture = *state;
    races = 1;
    fixture->store->context = fixture;
    fixture->store->before = be_faster;
    ticket_fixture_open(fixture, 0);
    fixture->store->before = NULL;
    ticket_fixture_open(fixture, 1);
    look(fixture);
    assert_int_equal(seen[0].version, 1); /* the other's */
    assert_same_keys(0, 1);
}

/* A rotation that is asked for and loses every race says so; one that was due is then done. */
static void who_loses_every_race_says_so(void **state)
{
    struct ticket_fixture *fixture = *state;
    ticket_fixture_ready(fixture, 0);
    refresh(fixture, 0);
    fixture->store->operation = JTG_OP_SWAP;
    fixture->store->answer = JTG_MISMATCH;
    assert_status(jtg_ticket_keys_rotate(fixture->instances[0], NULL), JTG_MISMATCH);
    assert_true(atomic_load(&fixture->store->calls[JTG_OP_SWAP]) <= 2 + 8);
    test_clock_advance(&fixture->clock, TICKET_ROTATION_MS);
    jtg_error err = JTG_ERROR_INIT;
    assert_status(jtg_ticket_keys_refresh(fixture->instances[0], &err), JTG_OK);
    assert_err_tells(&err, JTG_OK);
}

/* The next key is there for a whole rotation before it seals, whoever made it. */
static void keys_follow_each_other(void **state)
{
    struct ticket_fixture *fixture = *state;
    for (unsigned n = 0; n < TICKET_INSTANCES; n++)
        ticket_fixture_open(fixture, n);
    live(fixture, TICKET_LEAD_MS);
    for (int hour = 0; hour < 60; hour++) {
        assert_same_keys(0, 1);
        assert_same_keys(1, 2);
        unsigned sealing = ticket_fixture_sealing(&seen[0]);
        assert_int_equal(sealing, seen[0].key_count - 2);
        const jtg_ticket_key_info *next = &seen[0].keys[sealing + 1];
        assert_true(next->not_before_ms - next->published_ms >= TICKET_ROTATION_MS - 20000);
        live(fixture, TICKET_ROTATION_MS);
    }
    assert_in_range(seen[0].key_count, 27, 30);
}

static void forget(struct ticket_fixture *fixture)
{
    assert_status(jtg_cache_clear(fixture->memory, NULL), JTG_OK);
}

static void a_store_that_was_flushed_gets_its_keys_back(void **state)
{
    struct ticket_fixture *fixture = *state;
    ticket_fixture_ready(fixture, 0);
    refresh(fixture, 0);
    jtg_ticket_keys_state before = seen[0];
    forget(fixture);
    refresh(fixture, 0);
    ticket_fixture_open(fixture, 1);
    look(fixture);
    assert_int_equal(seen[1].version, before.version + 1);
    assert_same_keys(0, 1);
    assert_int_equal(seen[1].key_count, before.key_count);
    assert_memory_equal(seen[1].keys[0].name, before.keys[0].name, JTG_TICKET_NAME_BYTES);
    assert_int_equal(ticket_fixture_sealing(&seen[1]), 0);
}

/* Somebody began anew before those who knew the old keys came: then both sets are opened. */
static void two_sets_become_one(void **state)
{
    struct ticket_fixture *fixture = *state;
    ticket_fixture_ready(fixture, 0);
    assert_true(ticket_fixture_seal(fixture, fixture->instances[0], 3600));
    forget(fixture);
    ticket_fixture_open(fixture, 1);
    assert_false(ticket_fixture_opens(fixture, fixture->instances[1]));
    refresh(fixture, 0);
    refresh(fixture, 1);
    assert_same_keys(0, 1);
    assert_true(ticket_fixture_opens(fixture, fixture->instances[0]));
    assert_true(ticket_fixture_opens(fixture, fixture->instances[1]));
    test_clock_advance(&fixture->clock, TICKET_LEAD_MS);
    assert_true(ticket_fixture_seal(fixture, fixture->instances[0], 3600));
    assert_true(ticket_fixture_opens(fixture, fixture->instances[1]));
}

struct copy {
    jtg_value value;
    jtg_key key;
};

static struct copy save(struct ticket_fixture *fixture)
{
    struct copy copy = {JTG_VALUE_INIT, {"ticket-keys:1:default", 21, NULL, 0}};
    assert_status(jtg_cache_get(fixture->memory, &copy.key, &copy.value, NULL), JTG_OK);
    return copy;
}

static void restore(struct ticket_fixture *fixture, struct copy *copy)
{
    assert_status(jtg_cache_put(fixture->memory, &copy->key, copy->value.data, copy->value.data_len,
                                copy->value.ttl_ms, 1, NULL),
                  JTG_OK);
}

/* A failover to a replica that was behind, or a restored copy. */
static void an_older_set_does_not_replace_a_newer_one(void **state)
{
    struct ticket_fixture *fixture = *state;
    ticket_fixture_ready(fixture, 0);
    struct copy old = save(fixture);
    refresh(fixture, 0);
    assert_int_equal(seen[0].version, 2);
    restore(fixture, &old);
    jtg_value_clear(&old.value);
    refresh(fixture, 0);
    ticket_fixture_open(fixture, 1);
    look(fixture);
    assert_int_equal(seen[1].version, 3);
    assert_int_equal(seen[1].key_count, 2);
    assert_same_keys(0, 1);
}

static void revoking_ends_every_key_everywhere(void **state)
{
    struct ticket_fixture *fixture = *state;
    ticket_fixture_ready(fixture, 0);
    ticket_fixture_open(fixture, 1);
    refresh(fixture, 0);
    assert_true(ticket_fixture_seal(fixture, fixture->instances[0], 3600));
    assert_true(ticket_fixture_opens(fixture, fixture->instances[1]));
    assert_status(jtg_ticket_keys_revoke(fixture->instances[0], NULL), JTG_OK);
    assert_false(ticket_fixture_opens(fixture, fixture->instances[0]));
    assert_ticket_reason(fixture->reason, JTG_TICKET_UNKNOWN_KEY);
    refresh(fixture, 1); /* which does not put them back */
    refresh(fixture, 0);
    assert_int_equal(seen[0].key_count, 1);
    assert_same_keys(0, 1);
    assert_false(ticket_fixture_opens(fixture, fixture->instances[1]));
    assert_false(ticket_fixture_seal(fixture, fixture->instances[1], 3600));
    assert_ticket_reason(fixture->reason, JTG_TICKET_NOT_YET);
    live(fixture, TICKET_LEAD_MS + 20000);
    assert_true(ticket_fixture_seal(fixture, fixture->instances[1], 3600));
    assert_true(ticket_fixture_opens(fixture, fixture->instances[0]));
}

/* The keys have become known, and so have those that came in their place: these were published at a
 * time that is still to come, and go all the same. */
static void revoking_again_at_once_ends_the_new_keys_too(void **state)
{
    struct ticket_fixture *fixture = *state;
    ticket_fixture_ready(fixture, 0);
    refresh(fixture, 0);
    for (int i = 0; i < 3; i++) {
        jtg_ticket_keys_state before = seen[0];
        assert_status(jtg_ticket_keys_revoke(fixture->instances[0], NULL), JTG_OK);
        look(fixture);
        assert_int_equal(seen[0].key_count, 1);
        for (unsigned key = 0; key < before.key_count; key++)
            assert_memory_not_equal(seen[0].keys[0].name, before.keys[key].name,
                                    JTG_TICKET_NAME_BYTES);
    }
}

/* The store goes back to a copy of before the revocation, and who has not heard of it changes that
 * copy until its version is the greater one. */
static void a_revocation_outlives_a_restored_copy(void **state)
{
    struct ticket_fixture *fixture = *state;
    ticket_fixture_ready(fixture, 0);
    refresh(fixture, 0);
    assert_true(ticket_fixture_seal(fixture, fixture->instances[0], 86400));
    struct copy old = save(fixture);
    assert_status(jtg_ticket_keys_revoke(fixture->instances[0], NULL), JTG_OK);
    restore(fixture, &old);
    jtg_value_clear(&old.value);
    ticket_fixture_open(fixture, 1);
    for (int i = 0; i < 3; i++) { /* each rotates in its time: versions 3, 4, 5 */
        test_clock_advance(&fixture->clock, TICKET_ROTATION_MS);
        refresh(fixture, 1);
    }
    assert_true(seen[1].version > seen[0].version);
    assert_true(ticket_fixture_opens(fixture, fixture->instances[1])); /* it cannot know */
    refresh(fixture, 0);
    refresh(fixture, 1);
    assert_same_keys(0, 1);
    assert_false(ticket_fixture_opens(fixture, fixture->instances[0]));
    assert_false(ticket_fixture_opens(fixture, fixture->instances[1]));
    assert_ticket_reason(fixture->reason, JTG_TICKET_UNKNOWN_KEY);
}

/* The KEK has become known, and all is begun anew under the next one. An instance that slept
 * through it wakes with the old keys, and by its clocks they were published a moment ago. */
static void who_slept_through_a_revocation_brings_nothing_back(void **state)
{
    struct ticket_fixture *fixture = *state;
    char second[64];
    unsigned char kek[32];
    struct test_clock sleeping;
    jtg_clock clock = test_clock_as_jtg(&sleeping);
    randombytes_buf(kek, sizeof kek);
    ticket_fixture_key_file(second, kek, sizeof kek, 0600);
    ticket_fixture_ready(fixture, 0);
    refresh(fixture, 0); /* so that the next one has nothing to write */
    test_clock_init(&sleeping);
    test_clock_advance(&sleeping, TICKET_LEAD_MS);
    fixture->options.kek_file = second;
    fixture->options.kek_file_other = fixture->kek_file;
    fixture->options.clock = &clock;
    ticket_fixture_open(fixture, 1);
    assert_true(ticket_fixture_seal(fixture, fixture->instances[1], 3600));

    fixture->options.clock = &fixture->clock_option;
    fixture->options.kek_file_other = NULL;
    test_clock_advance(&fixture->clock, 600000);
    jtg_ticket_keys *anew = NULL;
    assert_status(jtg_ticket_keys_new(&anew, fixture->memory, &fixture->options, NULL), JTG_OK);
    assert_status(jtg_ticket_keys_revoke(anew, NULL), JTG_OK);
    test_clock_advance(&fixture->clock, 600000);
    refresh(fixture, 1);
    assert_false(ticket_fixture_opens(fixture, fixture->instances[1]));
    assert_status(jtg_ticket_keys_refresh(anew, NULL), JTG_OK);
    assert_false(ticket_fixture_opens(fixture, anew));
    jtg_ticket_keys_free(anew);
    unlink(second);
}

static void what_cannot_be_read_is_left_alone(void **state)
{
    struct ticket_fixture *fixture = *state;
    jtg_error err = JTG_ERROR_INIT;
    ticket_fixture_ready(fixture, 0);
    refresh(fixture, 0);
    assert_true(ticket_fixture_seal(fixture, fixture->instances[0], 3600));
    struct copy bad = save(fixture);
    assert_true(bad.value.data_len > 100);
    if (bad.value.data != NULL)
        bad.value.data[100] ^= 1;
    restore(fixture, &bad);
    assert_status(jtg_ticket_keys_refresh(fixture->instances[0], &err), JTG_ERR_PROTOCOL);
    assert_non_null(strstr(err.text, "not authentic"));
    assert_status(jtg_ticket_keys_rotate(fixture->instances[0], NULL), JTG_ERR_PROTOCOL);
    struct copy after = save(fixture);
    assert_int_equal(after.value.data_len, bad.value.data_len);
    assert_memory_equal(after.value.data, bad.value.data, bad.value.data_len);
    jtg_value_clear(&bad.value);
    assert_true(
        ticket_fixture_opens(fixture, fixture->instances[0])); /* goes on with what it has */
    assert_true(ticket_fixture_seal(fixture, fixture->instances[0], 3600));
    assert_status(jtg_ticket_keys_revoke(fixture->instances[0], &err), JTG_OK);
    assert_err_tells(&err, JTG_OK);
    refresh(fixture, 0);
    jtg_value_clear(&after.value);
}

static void a_foreign_value_is_left_alone(void **state)
{
    struct ticket_fixture *fixture = *state;
    struct copy foreign = {JTG_VALUE_INIT, {"ticket-keys:1:default", 21, NULL, 0}};
    assert_status(jtg_cache_put(fixture->memory, &foreign.key, "not ours", 8, 60000, 1, NULL),
                  JTG_OK);
    jtg_ticket_keys *keys = NULL;
    assert_status(jtg_ticket_keys_new(&keys, fixture->memory, &fixture->options, NULL), JTG_OK);
    assert_status(jtg_ticket_keys_refresh(keys, NULL), JTG_ERR_PROTOCOL);
    assert_status(jtg_cache_get(fixture->memory, &foreign.key, &foreign.value, NULL), JTG_OK);
    assert_memory_equal(foreign.value.data, "not ours", 8);
    jtg_value_clear(&foreign.value);
    jtg_ticket_keys_free(keys);
}

/* The answer to the swap was lost: the next refresh finds out, and nothing is made twice. */
static void a_lost_answer_is_settled_by_the_next_refresh(void **state)
{
    struct ticket_fixture *fixture = *state;
    ticket_fixture_ready(fixture, 0);
    fixture->store->operation = JTG_OP_SWAP;
    fixture->store->answer = JTG_ERR_TIMEOUT;
    fixture->store->acts_all_the_same = true;
    assert_status(jtg_ticket_keys_refresh(fixture->instances[0], NULL), JTG_ERR_TIMEOUT);
    look(fixture);
    assert_int_equal(seen[0].version, 1);
    fixture->store->answer = JTG_OK;
    refresh(fixture, 0);
    assert_int_equal(seen[0].version, 2);
    assert_int_equal(seen[0].key_count, 2);
}

/* The clock of an instance, whatever it shows, changes nothing for the others. */
static void wall_clocks_do_not_matter(void **state)
{
    struct ticket_fixture *fixture = *state;
    struct test_clock wrong;
    test_clock_init(&wrong);
    jtg_clock wrong_option = test_clock_as_jtg(&wrong);
    ticket_fixture_ready(fixture, 0);
    refresh(fixture, 0);
    test_clock_advance(&wrong, TICKET_LEAD_MS);
    fixture->options.clock = &wrong_option;
    for (int i = 0; i < 2; i++) {
        test_clock_set_wall_by(&wrong, i == 0 ? INT64_C(-86400000000) : INT64_C(172800000000));
        ticket_fixture_open(fixture, 1);
        look(fixture);
        assert_same_keys(0, 1);
        assert_int_equal(seen[0].now_ms, seen[1].now_ms);
        assert_true(ticket_fixture_seal(fixture, fixture->instances[1], 60));
        assert_true(ticket_fixture_opens(fixture, fixture->instances[0]));
        assert_true(ticket_fixture_seal(fixture, fixture->instances[0], 60));
        assert_true(ticket_fixture_opens(fixture, fixture->instances[1]));
        ticket_fixture_close(fixture, 1);
    }
    fixture->options.clock = &fixture->clock_option;
}

static struct test_clock *moved;

static void take_long(void *context, jtg_operation operation)
{
    if (operation == *(jtg_operation *)context)
        test_clock_advance(moved, 1800000);
}

/* A process that is stopped between a look at the clock and the write dates the set too early.
 * Those who know better keep their time, and put it right. */
static void a_stopped_writer_does_not_turn_time_back(void **state)
{
    struct ticket_fixture *fixture = *state;
    static jtg_operation operation = JTG_OP_SWAP;
    ticket_fixture_open(fixture, 1);
    ticket_fixture_ready(fixture, 0);
    moved = &fixture->clock;
    fixture->store->context = &operation;
    fixture->store->before = take_long;
    assert_status(jtg_ticket_keys_refresh(fixture->instances[0], NULL), JTG_OK);
    fixture->store->before = NULL;
    look(fixture);
    int64_t right_ms = seen[0].now_ms;
    assert_int_equal(right_ms, TEST_CLOCK_WALL_MS + TICKET_LEAD_MS + 1800000);
    refresh(fixture, 1);
    assert_int_equal(seen[1].now_ms, right_ms);
    ticket_fixture_open(fixture, 2);
    look(fixture);
    assert_int_equal(seen[2].now_ms, right_ms);
    assert_same_keys(1, 2);
}

static void an_answer_that_took_too_long_is_not_believed(void **state)
{
    struct ticket_fixture *fixture = *state;
    static jtg_operation operation = JTG_OP_GET;
    jtg_error err = JTG_ERROR_INIT;
    ticket_fixture_ready(fixture, 0);
    moved = &fixture->clock;
    fixture->store->context = &operation;
    fixture->store->before = take_long;
    assert_status(jtg_ticket_keys_refresh(fixture->instances[0], &err), JTG_ERR_TIMEOUT);
    assert_non_null(strstr(err.text, "margin_ms"));
}

static void the_kek_can_be_changed_while_all_go_on(void **state)
{
    struct ticket_fixture *fixture = *state;
    char second[64];
    unsigned char kek[32];
    jtg_error err = JTG_ERROR_INIT;
    randombytes_buf(kek, sizeof kek);
    ticket_fixture_key_file(second, kek, sizeof kek, 0600);
    ticket_fixture_ready(fixture, 0);
    fixture->options.kek_file = second;
    jtg_ticket_keys *alone = NULL;
    assert_status(jtg_ticket_keys_new(&alone, fixture->memory, &fixture->options, NULL), JTG_OK);
    assert_status(jtg_ticket_keys_refresh(alone, &err), JTG_ERR_PROTOCOL);
    assert_non_null(strstr(err.text, "another KEK"));
    jtg_ticket_keys_free(alone);
    fixture->options.kek_file_other = fixture->kek_file;
    ticket_fixture_open(fixture, 1); /* reads the old one … */
    assert_status(jtg_ticket_keys_rotate(fixture->instances[1], NULL), JTG_OK); /* writes the new */
    fixture->options.kek_file = fixture->kek_file;
    fixture->options.kek_file_other = second;
    ticket_fixture_open(fixture, 2);
    look(fixture);
    assert_same_keys(1, 2);
    unlink(second);
}

#define CASE(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, ticket_fixture_set_up, ticket_fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(the_first_makes_it_and_the_others_load_it),
        CASE(who_loses_the_race_reads_again),
        CASE(who_loses_every_race_says_so),
        CASE(keys_follow_each_other),
        CASE(a_store_that_was_flushed_gets_its_keys_back),
        CASE(two_sets_become_one),
        CASE(an_older_set_does_not_replace_a_newer_one),
        CASE(revoking_ends_every_key_everywhere),
        CASE(revoking_again_at_once_ends_the_new_keys_too),
        CASE(a_revocation_outlives_a_restored_copy),
        CASE(who_slept_through_a_revocation_brings_nothing_back),
        CASE(what_cannot_be_read_is_left_alone),
        CASE(a_foreign_value_is_left_alone),
        CASE(a_lost_answer_is_settled_by_the_next_refresh),
        CASE(wall_clocks_do_not_matter),
        CASE(a_stopped_writer_does_not_turn_time_back),
        CASE(an_answer_that_took_too_long_is_not_believed),
        CASE(the_kek_can_be_changed_while_all_go_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
