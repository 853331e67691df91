/* SPDX-License-Identifier: Apache-2.0 */
#include "support/asserts.h"
#include "support/gated_cache.h"
#include "support/test_clock.h"
#include "support/threads.h"

#include <jtiguard/breakglass.h>
#include <jtiguard/memory.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TTL_MS = 60000, TEXT_LEN = JTG_BREAKGLASS_TEXT_BYTES - 1 };

struct fixture {
    struct test_clock clock;
    jtg_clock clock_option;
    jtg_cache *memory;
    struct gated_cache *store;
    jtg_breakglass_options options;
    jtg_breakglass *breakglass;
    char token[JTG_BREAKGLASS_TEXT_BYTES];
    jtg_breakglass_info info;
    unsigned audits;
    jtg_breakglass_audit last;
};

static void take_note(void *context, const jtg_breakglass_audit *entry)
{
    struct fixture *fixture = context;
    assert_int_equal(entry->struct_size, sizeof *entry);
    fixture->audits++;
    fixture->last = *entry;
}

static int set_up(void **state)
{
    static struct fixture fixture;
    jtg_memory_options memory = JTG_MEMORY_OPTIONS_INIT;
    memset(&fixture, 0, sizeof fixture);
    test_clock_init(&fixture.clock);
    fixture.clock_option = test_clock_as_jtg(&fixture.clock);
    memory.clock = &fixture.clock_option;
    memory.sweep_interval_ms = 0;
    assert_status(jtg_memory_new(&fixture.memory, &memory, NULL), JTG_OK);
    fixture.store = gated_cache_new(fixture.memory, false);
    jtg_breakglass_options_init(&fixture.options);
    fixture.options.ttl_ms = TTL_MS;
    fixture.options.clock = &fixture.clock_option;
    fixture.options.audit = take_note;
    fixture.options.audit_context = &fixture;
    fixture.info = (jtg_breakglass_info)JTG_BREAKGLASS_INFO_INIT;
    *state = &fixture;
    return 0;
}

static jtg_breakglass *open_another(struct fixture *fixture)
{
    jtg_breakglass *made = NULL;
    jtg_error err = JTG_ERROR_INIT;
    assert_status(jtg_breakglass_new(&made, &fixture->store->base, &fixture->options, &err),
                  JTG_OK);
    assert_err_tells(&err, JTG_OK);
    return made;
}

static int set_up_open(void **state)
{
    (void)set_up(state);
    struct fixture *fixture = *state;
    fixture->breakglass = open_another(fixture);
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    jtg_breakglass_free(fixture->breakglass);
    jtg_cache_free(&fixture->store->base);
    jtg_cache_free(fixture->memory);
    return 0;
}

static void reopen(struct fixture *fixture)
{
    jtg_breakglass_free(fixture->breakglass);
    fixture->breakglass = open_another(fixture);
}

/* ---- calls that check what each call promises ---- */

static jtg_status issue(struct fixture *fixture, jtg_breakglass_mode mode)
{
    jtg_error err = JTG_ERROR_INIT;
    unsigned audits = fixture->audits;
    memset(fixture->token, 'x', sizeof fixture->token);
    jtg_status status =
        jtg_breakglass_issue(fixture->breakglass, mode, fixture->token, &fixture->info, &err);
    assert_err_tells(&err, status);
    assert_int_equal(strnlen(fixture->token, sizeof fixture->token),
                     status == JTG_OK ? TEXT_LEN : 0);
    assert_int_equal(fixture->audits, audits + 1);
    assert_int_equal(fixture->last.event, JTG_BREAKGLASS_ISSUE);
    assert_int_equal(fixture->last.status, status);
    return status;
}

static void issue_some(struct fixture *fixture)
{
    assert_status(issue(fixture, JTG_BREAKGLASS_REPLACE), JTG_OK);
}

static jtg_status look_up_text(struct fixture *fixture, const char *text, size_t text_len)
{
    jtg_error err = JTG_ERROR_INIT;
    unsigned audits = fixture->audits;
    fixture->info.issued_ms = 77;
    jtg_status status =
        jtg_breakglass_lookup(fixture->breakglass, text, text_len, &fixture->info, &err);
    assert_err_tells(&err, status);
    assert_int_equal(fixture->audits, audits + 1);
    assert_int_equal(fixture->last.event, JTG_BREAKGLASS_LOOKUP);
    assert_int_equal(fixture->last.status, status);
    assert_int_equal(fixture->last.outcome == JTG_BREAKGLASS_MATCHED, status == JTG_OK);
    if (status != JTG_OK) {
        assert_int_equal(fixture->info.issued_ms, 0);
        assert_int_equal(fixture->info.expires_ms, 0);
        assert_int_equal(fixture->info.own_key, 0);
    }
    return status;
}

static jtg_status look_up(struct fixture *fixture, const char *token)
{
    return look_up_text(fixture, token, TEXT_LEN);
}

static jtg_status end_token(struct fixture *fixture, const char *token)
{
    jtg_error err = JTG_ERROR_INIT;
    jtg_status status = jtg_breakglass_delete(fixture->breakglass, token, TEXT_LEN, &err);
    assert_err_tells(&err, status);
    assert_int_equal(fixture->last.event, JTG_BREAKGLASS_DELETE);
    assert_int_equal(fixture->last.status, status);
    return status;
}

static void assert_outcome(const struct fixture *fixture, jtg_breakglass_outcome outcome)
{
    assert_string_equal(jtg_breakglass_outcome_name(fixture->last.outcome),
                        jtg_breakglass_outcome_name(outcome));
}

/* ---- the token's life ---- */

static void a_token_that_was_issued_is_found(void **state)
{
    struct fixture *fixture = *state;
    issue_some(fixture);
    assert_outcome(fixture, JTG_BREAKGLASS_ISSUED);
    assert_int_equal(fixture->last.time_ms, TEST_CLOCK_WALL_MS);
    assert_int_equal(fixture->info.issued_ms, TEST_CLOCK_WALL_MS);
    test_clock_advance(&fixture->clock, 1000);
    for (int i = 0; i < 3; i++) {
        assert_status(look_up(fixture, fixture->token), JTG_OK);
        assert_int_equal(fixture->info.issued_ms, TEST_CLOCK_WALL_MS);
        assert_int_equal(fixture->info.expires_ms, TEST_CLOCK_WALL_MS + TTL_MS);
        assert_int_equal(fixture->info.max_uses, 0);
        assert_int_equal(fixture->info.uses, 0);
        assert_int_equal(fixture->info.own_key, 1);
    }
    assert_int_equal(fixture->last.time_ms, TEST_CLOCK_WALL_MS + 1000);
}

static void nothing_is_found_where_nothing_was_issued(void **state)
{
    struct fixture *fixture = *state;
    static const char any[] = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
    for (int i = 0; i < 3; i++) {
        assert_status(look_up(fixture, any), JTG_NOT_FOUND);
        assert_outcome(fixture, JTG_BREAKGLASS_NO_TOKEN);
    }
    assert_status(end_token(fixture, any), JTG_NOT_FOUND);
    assert_outcome(fixture, JTG_BREAKGLASS_NO_TOKEN);
    assert_status(jtg_breakglass_status(fixture->breakglass, &fixture->info, NULL), JTG_NOT_FOUND);
    /* There is a record to read from the first lookup on, so that later ones take no other path. */
    assert_int_equal(fixture->store->calls[JTG_OP_SWAP], 1);
}

static void every_other_token_is_refused(void **state)
{
    struct fixture *fixture = *state;
    char other[JTG_BREAKGLASS_TEXT_BYTES];
    issue_some(fixture);
    for (size_t at = 0; at < TEXT_LEN; at++) {
        memcpy(other, fixture->token, sizeof other);
        other[at] = other[at] == 'A' ? 'Q' : 'A';
        assert_status(look_up(fixture, other), JTG_NOT_FOUND);
        assert_outcome(fixture, JTG_BREAKGLASS_NO_MATCH);
        assert_status(end_token(fixture, other), JTG_NOT_FOUND);
    }
    assert_status(look_up(fixture, fixture->token), JTG_OK);
}

static void what_is_no_token_never_reaches_the_store(void **state)
{
    struct fixture *fixture = *state;
    issue_some(fixture);
    unsigned gets = fixture->store->calls[JTG_OP_GET];
    for (size_t len = 0; len < TEXT_LEN; len++) {
        assert_status(look_up_text(fixture, fixture->token, len), JTG_NOT_FOUND);
        assert_outcome(fixture, JTG_BREAKGLASS_MALFORMED);
    }
    assert_status(look_up_text(fixture, fixture->token, TEXT_LEN + 1), JTG_NOT_FOUND);
    assert_outcome(fixture, JTG_BREAKGLASS_MALFORMED);
    assert_int_equal(fixture->store->calls[JTG_OP_GET], gets);
}

static void a_new_token_ends_the_old_one(void **state)
{
    struct fixture *fixture = *state;
    char old[JTG_BREAKGLASS_TEXT_BYTES];
    issue_some(fixture);
    memcpy(old, fixture->token, sizeof old);
    issue_some(fixture);
    assert_outcome(fixture, JTG_BREAKGLASS_REPLACED);
    assert_string_not_equal(old, fixture->token);
    assert_status(look_up(fixture, old), JTG_NOT_FOUND);
    assert_outcome(fixture, JTG_BREAKGLASS_NO_MATCH);
    assert_status(look_up(fixture, fixture->token), JTG_OK);
    assert_status(end_token(fixture, old), JTG_NOT_FOUND);
    assert_status(look_up(fixture, fixture->token), JTG_OK);
}

static void an_active_token_can_be_protected(void **state)
{
    struct fixture *fixture = *state;
    char first[JTG_BREAKGLASS_TEXT_BYTES];
    assert_status(issue(fixture, JTG_BREAKGLASS_IF_NONE), JTG_OK);
    assert_outcome(fixture, JTG_BREAKGLASS_ISSUED);
    memcpy(first, fixture->token, sizeof first);
    assert_status(issue(fixture, JTG_BREAKGLASS_IF_NONE), JTG_MISMATCH);
    assert_outcome(fixture, JTG_BREAKGLASS_REFUSED);
    assert_status(look_up(fixture, first), JTG_OK);
    assert_status(end_token(fixture, first), JTG_OK);
    assert_outcome(fixture, JTG_BREAKGLASS_DELETED);
    assert_status(issue(fixture, JTG_BREAKGLASS_IF_NONE), JTG_OK);
    assert_status(look_up(fixture, first), JTG_NOT_FOUND);
    test_clock_advance(&fixture->clock, TTL_MS - 1);
    assert_status(issue(fixture, JTG_BREAKGLASS_IF_NONE), JTG_MISMATCH);
    test_clock_advance(&fixture->clock, 1);
    assert_status(issue(fixture, JTG_BREAKGLASS_IF_NONE), JTG_OK);
}

static void a_deleted_token_is_gone(void **state)
{
    struct fixture *fixture = *state;
    issue_some(fixture);
    assert_status(end_token(fixture, fixture->token), JTG_OK);
    assert_outcome(fixture, JTG_BREAKGLASS_DELETED);
    assert_status(end_token(fixture, fixture->token), JTG_NOT_FOUND);
    assert_status(look_up(fixture, fixture->token), JTG_NOT_FOUND);
    assert_outcome(fixture, JTG_BREAKGLASS_NO_TOKEN);
}

static void clear_ends_whatever_is_active(void **state)
{
    struct fixture *fixture = *state;
    assert_status(jtg_breakglass_clear(fixture->breakglass, NULL), JTG_OK);
    issue_some(fixture);
    assert_status(jtg_breakglass_clear(fixture->breakglass, NULL), JTG_OK);
    assert_int_equal(fixture->last.event, JTG_BREAKGLASS_CLEAR);
    assert_outcome(fixture, JTG_BREAKGLASS_CLEARED);
    assert_status(look_up(fixture, fixture->token), JTG_NOT_FOUND);
    assert_status(issue(fixture, JTG_BREAKGLASS_IF_NONE), JTG_OK);
}

static void a_token_ends_to_the_millisecond(void **state)
{
    struct fixture *fixture = *state;
    issue_some(fixture);
    test_clock_advance(&fixture->clock, TTL_MS - 1);
    assert_status(look_up(fixture, fixture->token), JTG_OK);
    test_clock_advance(&fixture->clock, 1);
    assert_status(look_up(fixture, fixture->token), JTG_NOT_FOUND);
    assert_outcome(fixture, JTG_BREAKGLASS_EXPIRED);
    assert_status(end_token(fixture, fixture->token), JTG_NOT_FOUND);
    assert_status(jtg_breakglass_status(fixture->breakglass, NULL, NULL), JTG_NOT_FOUND);
}

static void a_wall_clock_that_is_set_back_prolongs_nothing(void **state)
{
    struct fixture *fixture = *state;
    issue_some(fixture);
    test_clock_set_wall_by(&fixture->clock, -3600000);
    assert_status(look_up(fixture, fixture->token), JTG_OK);
    test_clock_advance(&fixture->clock, TTL_MS);
    assert_status(look_up(fixture, fixture->token), JTG_NOT_FOUND);
    assert_outcome(fixture, JTG_BREAKGLASS_EXPIRED);
}

static void the_longest_life_can_be_had(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.ttl_ms = JTG_BREAKGLASS_TTL_MS_LIMIT;
    reopen(fixture);
    issue_some(fixture);
    test_clock_advance(&fixture->clock, (int64_t)JTG_BREAKGLASS_TTL_MS_LIMIT - 1);
    assert_status(look_up(fixture, fixture->token), JTG_OK);
    test_clock_advance(&fixture->clock, 1);
    assert_status(look_up(fixture, fixture->token), JTG_NOT_FOUND);
    /* The record ends too, and comes back as a vacant one. */
    test_clock_advance(&fixture->clock, (int64_t)JTG_TTL_MAX_MS);
    assert_status(look_up(fixture, fixture->token), JTG_NOT_FOUND);
    assert_outcome(fixture, JTG_BREAKGLASS_NO_TOKEN);
    assert_status(issue(fixture, JTG_BREAKGLASS_IF_NONE), JTG_OK);
}

/* ---- uses ---- */

static void uses_are_counted(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.max_uses = 2;
    reopen(fixture);
    issue_some(fixture);
    assert_int_equal(fixture->info.uses, 0);
    for (unsigned use = 1; use <= 2; use++) {
        assert_status(look_up(fixture, fixture->token), JTG_OK);
        assert_int_equal(fixture->info.uses, use);
        assert_int_equal(fixture->info.max_uses, 2);
        assert_int_equal(fixture->info.expires_ms, TEST_CLOCK_WALL_MS + TTL_MS);
    }
    assert_status(look_up(fixture, fixture->token), JTG_NOT_FOUND);
    assert_outcome(fixture, JTG_BREAKGLASS_USED_UP);
    assert_status(end_token(fixture, fixture->token), JTG_NOT_FOUND);
    assert_status(issue(fixture, JTG_BREAKGLASS_IF_NONE), JTG_OK);
}

static void a_use_does_not_prolong_the_token(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.max_uses = 100;
    reopen(fixture);
    issue_some(fixture);
    for (int i = 0; i < 59; i++) {
        test_clock_advance(&fixture->clock, 1000);
        assert_status(look_up(fixture, fixture->token), JTG_OK);
    }
    test_clock_set_wall_by(&fixture->clock, -3600000);
    test_clock_advance(&fixture->clock, 1000);
    assert_status(look_up(fixture, fixture->token), JTG_NOT_FOUND);
    assert_outcome(fixture, JTG_BREAKGLASS_EXPIRED);
}

/* ---- restart, other instances, other places ---- */

static void a_restart_ends_the_token_though_the_store_goes_on(void **state)
{
    struct fixture *fixture = *state;
    issue_some(fixture);
    reopen(fixture);
    assert_status(look_up(fixture, fixture->token), JTG_NOT_FOUND);
    assert_status(end_token(fixture, fixture->token), JTG_NOT_FOUND);
    /* It cannot be known whether another process can check the record: */
    assert_status(issue(fixture, JTG_BREAKGLASS_IF_NONE), JTG_MISMATCH);
    assert_status(jtg_breakglass_status(fixture->breakglass, &fixture->info, NULL), JTG_OK);
    assert_int_equal(fixture->info.own_key, 0);
    assert_status(jtg_breakglass_clear(fixture->breakglass, NULL), JTG_OK);
    assert_status(issue(fixture, JTG_BREAKGLASS_IF_NONE), JTG_OK);
    assert_status(jtg_breakglass_status(fixture->breakglass, &fixture->info, NULL), JTG_OK);
    assert_int_equal(fixture->info.own_key, 1);
}

static void instances_with_one_key_know_each_others_token(void **state)
{
    static const unsigned char key[JTG_BREAKGLASS_KEY_BYTES] = "one key of all the instances";
    struct fixture *fixture = *state;
    fixture->options.key = key;
    reopen(fixture);
    issue_some(fixture);
    jtg_breakglass *other = open_another(fixture);
    assert_status(jtg_breakglass_lookup(other, fixture->token, TEXT_LEN, NULL, NULL), JTG_OK);
    reopen(fixture);
    assert_status(look_up(fixture, fixture->token), JTG_OK);
    assert_status(jtg_breakglass_delete(other, fixture->token, TEXT_LEN, NULL), JTG_OK);
    assert_status(look_up(fixture, fixture->token), JTG_NOT_FOUND);
    jtg_breakglass_free(other);
}

static void instances_with_keys_of_their_own_share_the_place(void **state)
{
    struct fixture *fixture = *state;
    jtg_breakglass *other = open_another(fixture);
    char theirs[JTG_BREAKGLASS_TEXT_BYTES];
    issue_some(fixture);
    assert_status(jtg_breakglass_lookup(other, fixture->token, TEXT_LEN, NULL, NULL),
                  JTG_NOT_FOUND);
    assert_status(jtg_breakglass_issue(other, JTG_BREAKGLASS_IF_NONE, theirs, NULL, NULL),
                  JTG_MISMATCH);
    assert_status(jtg_breakglass_issue(other, JTG_BREAKGLASS_REPLACE, theirs, NULL, NULL), JTG_OK);
    assert_status(look_up(fixture, fixture->token), JTG_NOT_FOUND);
    assert_status(jtg_breakglass_lookup(other, theirs, TEXT_LEN, NULL, NULL), JTG_OK);
    jtg_breakglass_free(other);
}

static void places_are_apart(void **state)
{
    static const unsigned char key[JTG_BREAKGLASS_KEY_BYTES] = "one key of all the instances";
    struct fixture *fixture = *state;
    char there[JTG_BREAKGLASS_TEXT_BYTES];
    fixture->options.key = key;
    fixture->options.name = "vault";
    jtg_breakglass *vault = open_another(fixture);
    fixture->options.name = NULL;
    reopen(fixture);
    issue_some(fixture);
    assert_status(jtg_breakglass_issue(vault, JTG_BREAKGLASS_IF_NONE, there, NULL, NULL), JTG_OK);
    assert_status(look_up(fixture, fixture->token), JTG_OK);
    assert_status(look_up(fixture, there), JTG_NOT_FOUND);
    assert_status(jtg_breakglass_clear(vault, NULL), JTG_OK);
    assert_status(look_up(fixture, fixture->token), JTG_OK);
    jtg_breakglass_free(vault);
}

/* ---- a store in trouble ---- */

static void nothing_of_the_token_is_in_the_store(void **state)
{
    struct fixture *fixture = *state;
    jtg_key place = {"jtg:bg1:default", 15, NULL, 0};
    jtg_value value = JTG_VALUE_INIT;
    issue_some(fixture);
    assert_status(jtg_cache_get(fixture->memory, &place, &value, NULL), JTG_OK);
    for (size_t at = 0; at + 4 <= TEXT_LEN; at++)
        assert_null(memmem(value.data, value.data_len, fixture->token + at, 4));
    jtg_value_clear(&value);
    assert_int_equal(fixture->store->calls[JTG_OP_PUT], 1);
}

/* ---- a store that forgets ---- */

/* From now on the store says when it has lost something. */
static void watch(struct fixture *fixture)
{
    jtg_cache_free(&fixture->store->base);
    fixture->store = gated_cache_new(fixture->memory, true);
    fixture->store->kept_since_ms = TEST_CLOCK_WALL_MS - 1000;
    reopen(fixture);
}

/* So long it is on the way with what it has read, once. */
static void let_time_pass(void *context, jtg_operation operation)
{
    struct fixture *fixture = context;
    if (operation != JTG_OP_KEPT_SINCE)
        return;
    test_clock_advance(&fixture->clock, 20000);
    fixture->store->before = NULL;
}

static void a_slow_store_does_not_prolong_the_token(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.max_uses = 100;
    watch(fixture);
    issue_some(fixture);
    test_clock_set_wall_by(&fixture->clock, -3600000); /* the store's clock alone decides */
    fixture->store->before = let_time_pass;
    fixture->store->context = fixture;
    assert_status(look_up(fixture, fixture->token), JTG_OK);
    assert_null(fixture->store->before);
    test_clock_advance(&fixture->clock, TTL_MS - 20000);
    assert_status(look_up(fixture, fixture->token), JTG_NOT_FOUND);
}

static void lose_something(struct fixture *fixture)
{
    test_clock_advance(&fixture->clock, 10);
    fixture->store->kept_since_ms = atomic_load(&fixture->clock.wall_ms);
}

static void a_token_ends_when_the_store_may_have_forgotten(void **state)
{
    struct fixture *fixture = *state;
    watch(fixture);
    issue_some(fixture);
    assert_status(look_up(fixture, fixture->token), JTG_OK);
    lose_something(fixture);
    assert_status(look_up(fixture, fixture->token), JTG_NOT_FOUND);
    assert_outcome(fixture, JTG_BREAKGLASS_UNSURE);
    assert_status(end_token(fixture, fixture->token), JTG_NOT_FOUND);
    assert_status(jtg_breakglass_status(fixture->breakglass, NULL, NULL), JTG_NOT_FOUND);
    assert_status(issue(fixture, JTG_BREAKGLASS_IF_NONE), JTG_OK); /* and blocks no other */
    assert_status(look_up(fixture, fixture->token), JTG_OK);
}

/* An operator knows better: jtg_redis_vouch() moves the time back. */
static void a_store_that_is_vouched_for_keeps_its_token(void **state)
{
    struct fixture *fixture = *state;
    watch(fixture);
    issue_some(fixture);
    lose_something(fixture);
    fixture->store->kept_since_ms = INT64_MIN;
    assert_status(look_up(fixture, fixture->token), JTG_OK);
    issue_some(fixture);
    fixture->store->kept_since_ms = TEST_CLOCK_WALL_MS;
    assert_status(look_up(fixture, fixture->token), JTG_NOT_FOUND);
    assert_outcome(fixture, JTG_BREAKGLASS_UNSURE);
}

/* The record of before the use comes back, between our reading and our own use. */
static void fail_over(void *context, jtg_operation operation)
{
    struct fixture *fixture = context;
    if (operation == JTG_OP_SWAP)
        lose_something(fixture);
}

static void a_use_that_a_failover_forgot_is_no_second_one(void **state)
{
    struct fixture *fixture = *state;
    static const jtg_key place = {"jtg:bg1:default", 15, NULL, 0};
    jtg_value before = JTG_VALUE_INIT;
    fixture->options.max_uses = 1;
    watch(fixture);
    issue_some(fixture);
    assert_status(jtg_cache_get(fixture->memory, &place, &before, NULL), JTG_OK);
    assert_status(look_up(fixture, fixture->token), JTG_OK);
    assert_status(look_up(fixture, fixture->token), JTG_NOT_FOUND);
    assert_outcome(fixture, JTG_BREAKGLASS_USED_UP);
    assert_status(jtg_cache_put(fixture->memory, &place, before.data, before.data_len,
                                before.ttl_ms, 1, NULL),
                  JTG_OK);
    jtg_value_clear(&before);
    fixture->store->context = fixture;
    fixture->store->before = fail_over;
    assert_status(look_up(fixture, fixture->token), JTG_NOT_FOUND);
    assert_outcome(fixture, JTG_BREAKGLASS_UNSURE);
    fixture->store->before = NULL;
    assert_status(look_up(fixture, fixture->token), JTG_NOT_FOUND);
}

static void a_store_that_does_not_say_what_it_kept_refuses(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.max_uses = 2;
    watch(fixture);
    issue_some(fixture);
    fixture->store->operation = JTG_OP_KEPT_SINCE;
    fixture->store->answer = JTG_ERR_UNAVAILABLE;
    assert_status(look_up(fixture, fixture->token), JTG_ERR_UNAVAILABLE);
    assert_outcome(fixture, JTG_BREAKGLASS_FAILED);
    assert_status(issue(fixture, JTG_BREAKGLASS_REPLACE), JTG_ERR_UNAVAILABLE);
    assert_status(end_token(fixture, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"),
                  JTG_ERR_UNAVAILABLE);
    assert_status(jtg_breakglass_clear(fixture->breakglass, NULL), JTG_OK);
}

static void what_is_no_record_refuses_until_it_is_cleared(void **state)
{
    struct fixture *fixture = *state;
    jtg_key place = {"jtg:bg1:default", 15, NULL, 0};
    issue_some(fixture);
    assert_status(jtg_cache_put(fixture->memory, &place, "rubbish", 7, TTL_MS, 1, NULL), JTG_OK);
    assert_status(look_up(fixture, fixture->token), JTG_ERR_PROTOCOL);
    assert_outcome(fixture, JTG_BREAKGLASS_FAILED);
    assert_status(end_token(fixture, fixture->token), JTG_ERR_PROTOCOL);
    assert_status(issue(fixture, JTG_BREAKGLASS_IF_NONE), JTG_ERR_PROTOCOL);
    assert_status(jtg_breakglass_status(fixture->breakglass, NULL, NULL), JTG_ERR_PROTOCOL);
    assert_status(jtg_breakglass_clear(fixture->breakglass, NULL), JTG_OK);
    assert_status(issue(fixture, JTG_BREAKGLASS_IF_NONE), JTG_OK);
}

static void an_old_record_that_is_put_back_brings_no_token_back_for_longer(void **state)
{
    struct fixture *fixture = *state;
    jtg_key place = {"jtg:bg1:default", 15, NULL, 0};
    jtg_value value = JTG_VALUE_INIT;
    issue_some(fixture);
    assert_status(jtg_cache_get(fixture->memory, &place, &value, NULL), JTG_OK);
    test_clock_advance(&fixture->clock, TTL_MS);
    assert_status(
        jtg_cache_put(fixture->memory, &place, value.data, value.data_len, JTG_TTL_MAX_MS, 1, NULL),
        JTG_OK);
    assert_status(look_up(fixture, fixture->token), JTG_NOT_FOUND);
    assert_outcome(fixture, JTG_BREAKGLASS_EXPIRED);
    jtg_value_clear(&value);
}

static void a_store_that_cannot_be_asked_refuses(void **state)
{
    static const jtg_status answers[] = {
        JTG_ERR_UNAVAILABLE, JTG_ERR_FULL,     JTG_ERR_TIMEOUT,  JTG_ERR_UNSAFE, JTG_ERR_REFUSED,
        JTG_ERR_MEMORY,      JTG_ERR_PROTOCOL, JTG_ERR_REPLICAS, JTG_ERR_FORKED, JTG_ERR_BLOCKED};
    struct fixture *fixture = *state;
    char token[JTG_BREAKGLASS_TEXT_BYTES];
    issue_some(fixture);
    memcpy(token, fixture->token, sizeof token);
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        fixture->store->answer = answers[i];
        fixture->store->operation = JTG_OP_GET;
        assert_status(look_up(fixture, token), answers[i]);
        assert_outcome(fixture, JTG_BREAKGLASS_FAILED);
        assert_status(end_token(fixture, token), answers[i]);
        assert_status(issue(fixture, JTG_BREAKGLASS_IF_NONE), answers[i]);
        fixture->store->operation = JTG_OP_PUT;
        assert_status(issue(fixture, JTG_BREAKGLASS_REPLACE), answers[i]);
        assert_outcome(fixture, JTG_BREAKGLASS_FAILED);
        assert_status(jtg_breakglass_clear(fixture->breakglass, NULL), answers[i]);
        assert_outcome(fixture, JTG_BREAKGLASS_FAILED);
        fixture->store->operation = JTG_OP_SWAP;
        assert_status(end_token(fixture, token), answers[i]);
        assert_outcome(fixture, JTG_BREAKGLASS_FAILED);
        fixture->store->answer = JTG_OK;
        assert_status(look_up(fixture, token), JTG_OK);
    }
}

static void a_use_whose_count_is_unknown_is_refused(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.max_uses = 2;
    reopen(fixture);
    issue_some(fixture);
    fixture->store->operation = JTG_OP_SWAP;
    fixture->store->answer = JTG_ERR_TIMEOUT;
    fixture->store->acts_all_the_same = true;
    assert_status(look_up(fixture, fixture->token), JTG_ERR_TIMEOUT);
    assert_outcome(fixture, JTG_BREAKGLASS_FAILED);
    fixture->store->answer = JTG_OK;
    assert_status(look_up(fixture, fixture->token), JTG_OK);
    assert_int_equal(fixture->info.uses, 2);
    assert_status(look_up(fixture, fixture->token), JTG_NOT_FOUND);
}

static void a_lost_answer_to_issue_is_settled(void **state)
{
    static const jtg_breakglass_mode modes[] = {JTG_BREAKGLASS_REPLACE, JTG_BREAKGLASS_IF_NONE};
    struct fixture *fixture = *state;
    for (size_t i = 0; i < 2; i++) {
        assert_status(jtg_breakglass_clear(fixture->breakglass, NULL), JTG_OK);
        fixture->store->operation = i == 0 ? JTG_OP_PUT : JTG_OP_SWAP;
        fixture->store->answer = JTG_ERR_TIMEOUT;
        fixture->store->acts_all_the_same = true;
        assert_status(issue(fixture, modes[i]), JTG_OK);
        assert_outcome(fixture, JTG_BREAKGLASS_ISSUED);
        fixture->store->answer = JTG_OK;
        assert_status(look_up(fixture, fixture->token), JTG_OK);
    }
    /* Nothing was stored: */
    assert_status(jtg_breakglass_clear(fixture->breakglass, NULL), JTG_OK);
    fixture->store->answer = JTG_ERR_TIMEOUT;
    fixture->store->acts_all_the_same = false;
    assert_status(issue(fixture, JTG_BREAKGLASS_IF_NONE), JTG_ERR_TIMEOUT);
    assert_outcome(fixture, JTG_BREAKGLASS_FAILED);
    fixture->store->answer = JTG_OK;
    assert_status(jtg_breakglass_status(fixture->breakglass, NULL, NULL), JTG_NOT_FOUND);
}

/* Only a store that lies does this; no call may hang for it. */
static void a_store_that_swaps_nothing_is_given_up(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.max_uses = 2;
    reopen(fixture);
    issue_some(fixture);
    fixture->store->operation = JTG_OP_SWAP;
    fixture->store->answer = JTG_MISMATCH;
    assert_status(look_up(fixture, fixture->token), JTG_MISMATCH);
    assert_outcome(fixture, JTG_BREAKGLASS_FAILED);
    assert_status(end_token(fixture, fixture->token), JTG_MISMATCH);
    assert_outcome(fixture, JTG_BREAKGLASS_FAILED);
    fixture->store->answer = JTG_OK;
    assert_status(jtg_breakglass_clear(fixture->breakglass, NULL), JTG_OK);
    fixture->store->answer = JTG_MISMATCH;
    assert_status(issue(fixture, JTG_BREAKGLASS_IF_NONE), JTG_MISMATCH);
    assert_outcome(fixture, JTG_BREAKGLASS_FAILED);
}

/* ---- readers and writers ---- */

struct reader {
    struct fixture *fixture;
    char token[JTG_BREAKGLASS_TEXT_BYTES];
    jtg_status issued;
};

static void write_meanwhile(void *context, unsigned index)
{
    struct reader *reader = context;
    char text[JTG_BREAKGLASS_TEXT_BYTES];
    (void)index;
    reader->issued =
        jtg_breakglass_issue(reader->fixture->breakglass, JTG_BREAKGLASS_REPLACE, text, NULL, NULL);
}

/* A writer stands still in the middle of its write, for as long as the reader likes. */
static void a_reader_never_waits_for_a_writer(void **state)
{
    struct fixture *fixture = *state;
    struct reader reader = {.fixture = fixture};
    issue_some(fixture);
    memcpy(reader.token, fixture->token, sizeof reader.token);
    fixture->store->operation = JTG_OP_PUT;
    fixture->store->holds = true;
    struct threads *writer = threads_start(1, write_meanwhile, &reader);
    gated_cache_wait_held(fixture->store, 1);
    for (int i = 0; i < 100; i++)
        assert_status(look_up(fixture, reader.token), JTG_OK);
    gated_cache_let_go(fixture->store);
    threads_join(writer);
    assert_status(reader.issued, JTG_OK);
    assert_status(look_up(fixture, reader.token), JTG_NOT_FOUND);
}

/* ---- arguments, fork ---- */

static void arguments_are_checked(void **state)
{
    struct fixture *fixture = *state;
    char text[JTG_BREAKGLASS_TEXT_BYTES];
    jtg_breakglass *made = fixture->breakglass;
    jtg_breakglass_info unset = {.struct_size = 0};
    jtg_error err = JTG_ERROR_INIT;
    assert_status(jtg_breakglass_new(NULL, &fixture->store->base, NULL, &err), JTG_ERR_ARGUMENT);
    assert_err_tells(&err, JTG_ERR_ARGUMENT);
    assert_status(jtg_breakglass_new(&made, NULL, NULL, &err), JTG_ERR_ARGUMENT);
    assert_null(made);
    fixture->options.ttl_ms = 0;
    assert_status(jtg_breakglass_new(&made, &fixture->store->base, &fixture->options, &err),
                  JTG_ERR_ARGUMENT);
    assert_null(made);
    jtg_breakglass_free(NULL);
    made = fixture->breakglass;

    assert_status(jtg_breakglass_issue(NULL, JTG_BREAKGLASS_REPLACE, text, NULL, &err),
                  JTG_ERR_ARGUMENT);
    assert_status(jtg_breakglass_issue(made, JTG_BREAKGLASS_REPLACE, NULL, NULL, &err),
                  JTG_ERR_ARGUMENT);
    assert_status(jtg_breakglass_issue(made, (jtg_breakglass_mode)0, text, NULL, &err),
                  JTG_ERR_ARGUMENT);
    assert_status(jtg_breakglass_issue(made, (jtg_breakglass_mode)3, text, NULL, &err),
                  JTG_ERR_ARGUMENT);
    assert_status(jtg_breakglass_issue(made, JTG_BREAKGLASS_REPLACE, text, &unset, &err),
                  JTG_ERR_ARGUMENT);
    assert_status(jtg_breakglass_lookup(NULL, "", 0, NULL, &err), JTG_ERR_ARGUMENT);
    assert_status(jtg_breakglass_lookup(made, NULL, 43, NULL, &err), JTG_ERR_ARGUMENT);
    assert_status(jtg_breakglass_lookup(made, "", 0, &unset, &err), JTG_ERR_ARGUMENT);
    assert_status(jtg_breakglass_delete(NULL, "", 0, &err), JTG_ERR_ARGUMENT);
    assert_status(jtg_breakglass_delete(made, NULL, 0, &err), JTG_ERR_ARGUMENT);
    assert_status(jtg_breakglass_clear(NULL, &err), JTG_ERR_ARGUMENT);
    assert_status(jtg_breakglass_status(NULL, NULL, &err), JTG_ERR_ARGUMENT);
    assert_status(jtg_breakglass_status(made, &unset, &err), JTG_ERR_ARGUMENT);
    assert_err_tells(&err, JTG_ERR_ARGUMENT);
    assert_int_equal(fixture->store->calls[JTG_OP_GET] + fixture->store->calls[JTG_OP_PUT], 0);
}

static void an_older_callers_info_is_filled_as_far_as_it_goes(void **state)
{
    struct fixture *fixture = *state;
    struct {
        jtg_breakglass_info info;
        char beyond[8];
    } larger = {JTG_BREAKGLASS_INFO_INIT, "beyond!"};
    issue_some(fixture);
    larger.info.struct_size = sizeof larger;
    assert_status(
        jtg_breakglass_lookup(fixture->breakglass, fixture->token, TEXT_LEN, &larger.info, NULL),
        JTG_OK);
    assert_int_equal(larger.info.struct_size, sizeof larger);
    assert_int_equal(larger.info.issued_ms, TEST_CLOCK_WALL_MS);
    assert_string_equal(larger.beyond, "beyond!");
}

static void a_clock_without_time_refuses(void **state)
{
    struct fixture *fixture = *state;
    issue_some(fixture);
    atomic_store(&fixture->clock.wall_ms, -1);
    assert_status(look_up(fixture, fixture->token), JTG_ERR_SYSTEM);
    assert_status(issue(fixture, JTG_BREAKGLASS_REPLACE), JTG_ERR_SYSTEM);
    atomic_store(&fixture->clock.wall_ms, INT64_MAX);
    assert_status(look_up(fixture, fixture->token), JTG_ERR_SYSTEM);
}

static int ask_in_child(struct fixture *fixture)
{
    char text[JTG_BREAKGLASS_TEXT_BYTES];
    jtg_breakglass *breakglass = fixture->breakglass;
    bool refused =
        jtg_breakglass_lookup(breakglass, fixture->token, TEXT_LEN, NULL, NULL) == JTG_ERR_FORKED &&
        jtg_breakglass_issue(breakglass, JTG_BREAKGLASS_REPLACE, text, NULL, NULL) ==
            JTG_ERR_FORKED &&
        text[0] == '\0' && jtg_breakglass_clear(breakglass, NULL) == JTG_ERR_FORKED &&
        jtg_breakglass_delete(breakglass, fixture->token, TEXT_LEN, NULL) == JTG_ERR_FORKED &&
        jtg_breakglass_status(breakglass, NULL, NULL) == JTG_ERR_FORKED;
    jtg_breakglass_free(breakglass);
    return refused ? 0 : 1;
}

static void a_child_of_fork_is_refused(void **state)
{
    struct fixture *fixture = *state;
    int status = -1;
    issue_some(fixture);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(ask_in_child(fixture));
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_status(look_up(fixture, fixture->token), JTG_OK);
}

static void a_backend_without_values_says_so(void **state)
{
    struct fixture *fixture = *state;
    fixture->store->operation = JTG_OP_GET;
    fixture->store->answer = JTG_ERR_UNSUPPORTED;
    assert_status(look_up(fixture, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"),
                  JTG_ERR_UNSUPPORTED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_open, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_token_that_was_issued_is_found),
        TEST(nothing_is_found_where_nothing_was_issued),
        TEST(every_other_token_is_refused),
        TEST(what_is_no_token_never_reaches_the_store),
        TEST(a_new_token_ends_the_old_one),
        TEST(an_active_token_can_be_protected),
        TEST(a_deleted_token_is_gone),
        TEST(clear_ends_whatever_is_active),
        TEST(a_token_ends_to_the_millisecond),
        TEST(a_wall_clock_that_is_set_back_prolongs_nothing),
        TEST(the_longest_life_can_be_had),
        TEST(uses_are_counted),
        TEST(a_use_does_not_prolong_the_token),
        TEST(a_slow_store_does_not_prolong_the_token),
        TEST(a_restart_ends_the_token_though_the_store_goes_on),
        TEST(instances_with_one_key_know_each_others_token),
        TEST(instances_with_keys_of_their_own_share_the_place),
        TEST(places_are_apart),
        TEST(nothing_of_the_token_is_in_the_store),
        TEST(a_token_ends_when_the_store_may_have_forgotten),
        TEST(a_store_that_is_vouched_for_keeps_its_token),
        TEST(a_use_that_a_failover_forgot_is_no_second_one),
        TEST(a_store_that_does_not_say_what_it_kept_refuses),
        TEST(what_is_no_record_refuses_until_it_is_cleared),
        TEST(an_old_record_that_is_put_back_brings_no_token_back_for_longer),
        TEST(a_store_that_cannot_be_asked_refuses),
        TEST(a_use_whose_count_is_unknown_is_refused),
        TEST(a_lost_answer_to_issue_is_settled),
        TEST(a_store_that_swaps_nothing_is_given_up),
        TEST(a_reader_never_waits_for_a_writer),
        TEST(arguments_are_checked),
        TEST(an_older_callers_info_is_filled_as_far_as_it_goes),
        TEST(a_clock_without_time_refuses),
        TEST(a_child_of_fork_is_refused),
        TEST(a_backend_without_values_says_so),
    };
    return cmocka_run_group_tests_name("breakglass", tests, NULL, NULL);
}
