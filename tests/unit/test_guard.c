/* SPDX-License-Identifier: Apache-2.0 */
#include "support/asserts.h"
#include "support/guard_fixture.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- options ---- */

static void the_macro_and_the_function_agree(void **state)
{
    jtg_guard_options by_macro = JTG_GUARD_OPTIONS_INIT;
    jtg_guard_options by_function;
    (void)state;
    memset(&by_function, 0xa5, sizeof by_function);
    jtg_guard_options_init(&by_function);
    assert_int_equal(by_function.struct_size, sizeof by_function);
    assert_int_equal(by_macro.struct_size, sizeof by_macro);
    assert_memory_equal(&by_function.leeway_s, &by_macro.leeway_s,
                        offsetof(jtg_guard_options, key_prefix) -
                            offsetof(jtg_guard_options, leeway_s));
    assert_null(by_function.key_prefix);
    assert_null(by_macro.key_prefix);
    assert_int_equal(by_function.restart_rule, 0);
    assert_int_equal(by_macro.restart_rule, 0);
    assert_true(by_function.clock == NULL && by_function.logger == NULL);
    assert_true(by_macro.clock == NULL && by_macro.logger == NULL);
    jtg_guard_options_init(NULL);
}

/* The guard cannot be made; the error names the option. */
static void assert_refused(struct guard_fixture *f, const char *names)
{
    jtg_error err = JTG_ERROR_INIT;
    jtg_guard *guard = (jtg_guard *)&err;
    assert_status(jtg_guard_new(&guard, &f->store->base, &f->options, &err), JTG_ERR_ARGUMENT);
    assert_null(guard);
    assert_err_tells(&err, JTG_ERR_ARGUMENT);
    assert_non_null(strstr(err.text, names));
}

static void assert_accepted(struct guard_fixture *f)
{
    jtg_guard *guard = NULL;
    assert_status(jtg_guard_new(&guard, &f->store->base, &f->options, NULL), JTG_OK);
    jtg_guard_free(guard);
}

static void every_option_has_its_range(void **state)
{
    struct guard_fixture *f = *state;
    const struct {
        uint32_t *option;
        const char *name;
        uint32_t least;
        uint32_t most;
    } rows[] = {
        {&f->options.leeway_s, "leeway_s", 0, 300},
        {&f->options.future_leeway_s, "future_leeway_s", 0, 300},
        {&f->options.retention_margin_s, "retention_margin_s", 1, 3600},
        {&f->options.max_lifetime_s, "max_lifetime_s", 1, 2678400},
        {&f->options.proof_max_age_s, "proof_max_age_s", 1, 3600},
        {&f->options.max_jti_bytes, "max_jti_bytes", 1, 4096},
        {&f->options.restart_rule, "restart_rule", 0, 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint32_t kept = *rows[i].option;
        *rows[i].option = rows[i].least;
        assert_accepted(f);
        *rows[i].option = rows[i].most;
        assert_accepted(f);
        *rows[i].option = rows[i].most + 1;
        assert_refused(f, rows[i].name);
        *rows[i].option = UINT32_MAX;
        assert_refused(f, rows[i].name);
        *rows[i].option = rows[i].least - 1; /* of 0: the greatest number */
        assert_refused(f, rows[i].name);
        *rows[i].option = kept;
    }
    f->options.key_form = (jtg_key_form)2;
    assert_refused(f, "key_form");
    f->options.key_form = JTG_KEY_DIGEST;
    f->options.missing_jti = (jtg_missing_jti)-1;
    assert_refused(f, "missing_jti");
}

static void a_prefix_must_be_printable_and_short(void **state)
{
    static const char *const bad[] = {"", " ", "a b", "a\n", "\x7f", "\x1b[2J"};
    struct guard_fixture *f = *state;
    char longest[JTG_KEY_PREFIX_MAX_BYTES + 2];
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        f->options.key_prefix = bad[i];
        assert_refused(f, "key_prefix");
    }
    memset(longest, 'p', sizeof longest);
    longest[JTG_KEY_PREFIX_MAX_BYTES] = '\0';
    f->options.key_prefix = longest;
    assert_accepted(f);
    longest[JTG_KEY_PREFIX_MAX_BYTES] = 'p';
    longest[JTG_KEY_PREFIX_MAX_BYTES + 1] = '\0';
    assert_refused(f, "key_prefix");
}

static void the_plain_form_has_its_bounds(void **state)
{
    struct guard_fixture *f = *state;
    f->options.key_form = JTG_KEY_PLAIN;
    assert_accepted(f);
    f->options.max_jti_bytes = 504; /* with "sts:jti:" 512 */
    assert_accepted(f);
    f->options.max_jti_bytes = 505;
    assert_refused(f, "max_jti_bytes");
    f->options.max_jti_bytes = 256;
    f->options.missing_jti = JTG_MISSING_JTI_DIGEST;
    assert_refused(f, "missing_jti");
}

static void options_of_other_versions_follow_the_rule(void **state)
{
    struct guard_fixture *f = *state;
    struct {
        jtg_guard_options options;
        unsigned char tail[8];
    } newer;
    jtg_guard *guard = NULL;
    memset(&newer, 0, sizeof newer);
    newer.options = f->options;
    newer.options.struct_size = sizeof newer;
    assert_status(jtg_guard_new(&guard, &f->store->base, &newer.options, NULL), JTG_OK);
    jtg_guard_free(guard);
    newer.tail[0] = 1;
    assert_status(jtg_guard_new(&guard, &f->store->base, &newer.options, NULL), JTG_ERR_ARGUMENT);
    f->options.struct_size = 0;
    assert_refused(f, "struct_size");
    f->options.struct_size = sizeof f->options - 1;
    assert_refused(f, "struct_size");
}

static void half_a_clock_or_logger_is_refused(void **state)
{
    struct guard_fixture *f = *state;
    f->clock_option.wall_ms = NULL;
    assert_refused(f, "clock");
    f->clock_option = test_clock_as_jtg(&f->clock);
    f->logger_option.write = NULL;
    assert_refused(f, "logger");
}

/* ---- deciding ---- */

static void the_first_use_is_admitted_and_no_other(void **state)
{
    struct guard_fixture *f = *state;
    assert_reason(guard_fixture_ask(f), JTG_REASON_ADMITTED);
    assert_int_equal(f->decision.ttl_ms, FIXTURE_LIFETIME_MS + 90000);
    assert_int_equal(f->decision.reservation.key_len, 47);
    assert_memory_equal(f->decision.reservation.key, f->store->last.key, 47);
    assert_memory_equal(&f->decision.reservation.owner, &f->store->last.owner, JTG_OWNER_BYTES);
    jtg_owner first = f->decision.reservation.owner;
    for (unsigned again = 0; again < 3; again++) {
        assert_reason(guard_fixture_ask(f), JTG_REASON_REPLAYED);
        assert_int_equal(f->decision.reservation.key_len, 0);
        assert_int_equal(f->decision.ttl_ms, FIXTURE_LIFETIME_MS + 90000);
        assert_memory_not_equal(&f->store->last.owner, &first, JTG_OWNER_BYTES);
    }
    assert_int_equal(jtg_guard_counter(f->guard, JTG_REASON_ADMITTED), 1);
    assert_int_equal(jtg_guard_counter(f->guard, JTG_REASON_REPLAYED), 3);
}

static void the_same_owner_gets_the_same_answer(void **state)
{
    struct guard_fixture *f = *state;
    jtg_owner request;
    assert_status(jtg_owner_from_bytes(&request, "request 1", 9), JTG_OK);
    f->claims.owner = &request;
    assert_reason(guard_fixture_ask(f), JTG_REASON_ADMITTED);
    assert_memory_equal(&f->store->last.owner, &request, JTG_OWNER_BYTES);
    assert_reason(guard_fixture_ask(f), JTG_REASON_ADMITTED);
    assert_status(jtg_owner_from_bytes(&request, "request 2", 9), JTG_OK);
    assert_reason(guard_fixture_ask(f), JTG_REASON_REPLAYED);
}

static void every_answer_of_the_store_keeps_its_meaning(void **state)
{
    struct guard_fixture *f = *state;
    for (int status = JTG_REPLAYED; status < JTG_STATUS_COUNT; status++) {
        jtg_reason expected = jtg_reason_from_status((jtg_status)status);
        jtg_error err = JTG_ERROR_INIT;
        jtg_decision decision = JTG_DECISION_INIT;
        f->store->answer = (jtg_status)status;
        assert_false(jtg_guard_admit(f->guard, &f->claims, &decision, &err));
        assert_reason(decision.reason, expected);
        assert_err_tells(&err, (jtg_status)status);
        bool may_be_ours = status == JTG_ERR_TIMEOUT || status == JTG_ERR_REPLICAS;
        assert_int_equal(decision.reservation.key_len, may_be_ours ? 47 : 0);
    }
    f->store->answer = (jtg_status)1000;
    assert_int_not_equal(guard_fixture_ask(f), JTG_REASON_ADMITTED);
    f->store->answer = JTG_OK;
    assert_reason(guard_fixture_ask(f), JTG_REASON_ADMITTED);
}

/* The reply was lost: asking again with the same owner settles whose it is. */
static void an_unknown_outcome_can_be_settled(void **state)
{
    struct guard_fixture *f = *state;
    f->store->answer = JTG_ERR_TIMEOUT;
    assert_reason(guard_fixture_ask(f), JTG_REASON_OUTCOME_UNKNOWN);
    jtg_owner owner = f->decision.reservation.owner;
    assert_memory_equal(&owner, &f->store->last.owner, JTG_OWNER_BYTES);
    f->store->answer = JTG_OK;
    f->claims.owner = &owner;
    assert_reason(guard_fixture_ask(f), JTG_REASON_ADMITTED);
    f->claims.owner = NULL;
    assert_reason(guard_fixture_ask(f), JTG_REASON_REPLAYED);
}

/* Stored, but not safely: its owner may ask again, until the replicas have it. */
static void too_few_replicas_can_be_asked_again(void **state)
{
    struct guard_fixture *f = *state;
    f->store->answer = JTG_ERR_REPLICAS;
    assert_reason(guard_fixture_ask(f), JTG_REASON_TOO_FEW_REPLICAS);
    jtg_reservation reservation = f->decision.reservation;
    f->store->answer = JTG_OK;
    f->claims.owner = &reservation.owner;
    assert_reason(guard_fixture_ask(f), JTG_REASON_ADMITTED);
    assert_status(jtg_guard_release(f->guard, &reservation, NULL), JTG_OK);
}

/* ---- a store that may forget ---- */

static void a_store_that_does_not_watch_is_asked_plainly(void **state)
{
    struct guard_fixture *f = *state;
    assert_reason(guard_fixture_ask(f), JTG_REASON_ADMITTED);
    assert_int_equal(f->store->reserves, 1);
    assert_int_equal(f->store->reserves_kept, 0);
}

static void a_store_that_watches_is_asked_what_it_kept(void **state)
{
    struct guard_fixture *f = *state;
    jtg_error err = JTG_ERROR_INIT;
    assert_reason(guard_fixture_ask(f), JTG_REASON_ADMITTED);
    recording_cache_forget(f->store);
    assert_false(jtg_guard_admit(f->guard, &f->claims, &f->decision, &err));
    assert_reason(f->decision.reason, JTG_REASON_CONTINUITY_LOST);
    assert_err_tells(&err, JTG_ERR_CONTINUITY);
    /* When it ends by itself, and what ends it. */
    assert_non_null(strstr(err.text, "issued after 2026-11-20T12:01:30Z pass"));
    assert_non_null(strstr(err.text, "'jtiguard vouch'"));
    assert_int_equal(f->decision.reservation.key_len, 0);
    assert_int_equal(f->decision.ttl_ms, FIXTURE_LIFETIME_MS + 90000);
    assert_int_equal(f->store->reserves, 2);
    assert_int_equal(f->store->reserves_kept, 2);
    assert_int_equal(jtg_guard_counter(f->guard, JTG_REASON_CONTINUITY_LOST), 1);
}

/* What the store knows, it knows, whatever it has forgotten: the answer is not made better. */
static void a_replay_stays_one_after_a_loss(void **state)
{
    struct guard_fixture *f = *state;
    f->store->answer = JTG_REPLAYED;
    recording_cache_forget(f->store);
    assert_reason(guard_fixture_ask(f), JTG_REASON_REPLAYED);
}

static void a_release_needs_no_continuity(void **state)
{
    struct guard_fixture *f = *state;
    assert_reason(guard_fixture_ask(f), JTG_REASON_ADMITTED);
    f->store->kept_since_ms = INT64_MAX;
    assert_status(jtg_guard_release(f->guard, &f->decision.reservation, NULL), JTG_OK);
}

/* ---- ping ---- */

static void a_ping_passes_on_what_the_store_says(void **state)
{
    struct guard_fixture *f = *state;
    jtg_error err = JTG_ERROR_INIT;
    assert_status(jtg_guard_ping(f->guard, &err), JTG_OK);
    assert_err_tells(&err, JTG_OK);
    f->store->answer = JTG_ERR_UNAVAILABLE;
    assert_status(jtg_guard_ping(f->guard, &err), JTG_ERR_UNAVAILABLE);
    assert_err_tells(&err, JTG_ERR_UNAVAILABLE);
    assert_status(jtg_guard_ping(f->guard, NULL), JTG_ERR_UNAVAILABLE);
    assert_status(jtg_guard_ping(NULL, &err), JTG_ERR_ARGUMENT);
    assert_int_equal(f->store->reserves, 0);
}

/* It answers as a token that is issued now would be answered. */
static void a_ping_is_ready_when_a_new_token_is(void **state)
{
    struct guard_fixture *f = *state;
    jtg_error err = JTG_ERROR_INIT;
    assert_status(jtg_guard_ping(f->guard, &err), JTG_OK);
    recording_cache_forget(f->store);
    assert_status(jtg_guard_ping(f->guard, &err), JTG_ERR_CONTINUITY);
    assert_err_tells(&err, JTG_ERR_CONTINUITY);
    assert_non_null(strstr(err.text, "issued up to 2026-11-20T12:01:30Z"));
    assert_non_null(strstr(err.text, "'jtiguard vouch'"));
    test_clock_advance(&f->clock, 90000);
    assert_status(jtg_guard_ping(f->guard, &err), JTG_ERR_CONTINUITY);
    guard_fixture_issue(f, FIXTURE_LIFETIME_MS);
    assert_reason(guard_fixture_ask(f), JTG_REASON_CONTINUITY_LOST);
    test_clock_advance(&f->clock, 1);
    assert_status(jtg_guard_ping(f->guard, &err), JTG_OK);
    assert_err_tells(&err, JTG_OK);
    guard_fixture_issue(f, FIXTURE_LIFETIME_MS);
    assert_reason(guard_fixture_ask(f), JTG_REASON_ADMITTED);
}

static void a_ping_of_a_store_that_keeps_nothing(void **state)
{
    struct guard_fixture *f = *state;
    jtg_error err = JTG_ERROR_INIT;
    f->store->kept_since_ms = INT64_MAX;
    assert_status(jtg_guard_ping(f->guard, &err), JTG_ERR_CONTINUITY);
    assert_non_null(strstr(err.text, "all tokens are refused"));
    f->store->kept_since_ms = JTG_TIME_MAX_MS;
    assert_status(jtg_guard_ping(f->guard, &err), JTG_ERR_CONTINUITY);
    assert_non_null(strstr(err.text, "all tokens are refused"));
    atomic_store(&f->clock.wall_ms, -1);
    assert_status(jtg_guard_ping(f->guard, &err), JTG_ERR_SYSTEM);
    assert_err_tells(&err, JTG_ERR_SYSTEM);
}

/* ---- the caller's structs ---- */

static void no_stale_admit_survives(void **state)
{
    struct guard_fixture *f = *state;
    jtg_decision decision = JTG_DECISION_INIT;
    assert_true(jtg_guard_admit(f->guard, &f->claims, &decision, NULL));
    assert_false(jtg_guard_admit(f->guard, NULL, &decision, NULL));
    assert_reason(decision.reason, JTG_REASON_BAD_ARGUMENT);
    assert_int_equal(decision.reservation.key_len, 0);
    assert_int_equal(decision.ttl_ms, 0);

    decision.reason = JTG_REASON_ADMITTED;
    assert_false(jtg_guard_admit(NULL, &f->claims, &decision, NULL));
    assert_reason(decision.reason, JTG_REASON_BAD_ARGUMENT);
}

static void a_decision_without_its_size_is_not_written(void **state)
{
    struct guard_fixture *f = *state;
    static const size_t sizes[] = {0, 1, sizeof(jtg_decision) - 1, 5000, SIZE_MAX};
    jtg_decision *decision = malloc(sizeof *decision);
    jtg_decision before;
    assert_non_null(decision);
    memset(decision, 0x5a, sizeof *decision);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        jtg_error err = JTG_ERROR_INIT;
        decision->struct_size = sizes[i];
        before = *decision;
        assert_false(jtg_guard_admit(f->guard, &f->claims, decision, &err));
        assert_memory_equal(decision, &before, sizeof before);
        assert_err_tells(&err, JTG_ERR_ARGUMENT);
    }
    free(decision);
    assert_int_equal(f->store->reserves, 0);
    assert_int_equal(jtg_guard_counter(f->guard, JTG_REASON_BAD_ARGUMENT), 5);
}

static void a_newer_decision_keeps_its_tail(void **state)
{
    struct guard_fixture *f = *state;
    struct {
        jtg_decision decision;
        unsigned char tail[8];
    } newer;
    memset(&newer, 0x5a, sizeof newer);
    newer.decision.struct_size = sizeof newer;
    assert_true(jtg_guard_admit(f->guard, &f->claims, &newer.decision, NULL));
    assert_int_equal(newer.decision.struct_size, sizeof newer);
    assert_reason(newer.decision.reason, JTG_REASON_ADMITTED);
    for (size_t i = 0; i < sizeof newer.tail; i++)
        assert_int_equal(newer.tail[i], 0x5a);
}

static void nothing_needs_a_decision_or_an_error(void **state)
{
    struct guard_fixture *f = *state;
    assert_true(jtg_guard_admit(f->guard, &f->claims, NULL, NULL));
    assert_false(jtg_guard_admit(f->guard, &f->claims, NULL, NULL));
    assert_false(jtg_guard_admit(NULL, NULL, NULL, NULL));
}

static void null_is_an_argument_error_everywhere(void **state)
{
    struct guard_fixture *f = *state;
    jtg_guard *guard = NULL;
    jtg_reservation reservation;
    memset(&reservation, 0, sizeof reservation);
    assert_status(jtg_guard_new(NULL, &f->store->base, NULL, NULL), JTG_ERR_ARGUMENT);
    assert_status(jtg_guard_new(&guard, NULL, NULL, NULL), JTG_ERR_ARGUMENT);
    assert_status(jtg_guard_release(NULL, &reservation, NULL), JTG_ERR_ARGUMENT);
    assert_status(jtg_guard_release(f->guard, NULL, NULL), JTG_ERR_ARGUMENT);
    assert_int_equal(jtg_guard_counter(NULL, JTG_REASON_ADMITTED), 0);
    assert_int_equal(jtg_guard_counter(f->guard, (jtg_reason)JTG_REASON_COUNT), 0);
    assert_int_equal(jtg_guard_counter(f->guard, (jtg_reason)-1), 0);
    jtg_guard_free(NULL);
}

static void the_defaults_work_with_the_systems_clock(void **state)
{
    struct guard_fixture *f = *state;
    jtg_guard *guard = NULL;
    assert_status(jtg_guard_new(&guard, &f->store->base, NULL, NULL), JTG_OK);
    jtg_claims claims = f->claims;
    jtg_clock system = jtg_clock_system();
    claims.iat_ms = system.wall_ms(system.context);
    claims.exp_ms = claims.iat_ms + 60000;
    assert_true(jtg_guard_admit(guard, &claims, NULL, NULL));
    assert_false(jtg_guard_admit(guard, &claims, NULL, NULL));
    jtg_guard_free(guard);
}

/* ---- release ---- */

static void a_release_gives_back_once(void **state)
{
    struct guard_fixture *f = *state;
    jtg_error err = JTG_ERROR_INIT;
    assert_reason(guard_fixture_ask(f), JTG_REASON_ADMITTED);
    jtg_reservation reservation = f->decision.reservation;
    jtg_reservation other = reservation;
    other.owner.bytes[0] ^= 1;
    assert_status(jtg_guard_release(f->guard, &other, &err), JTG_NOT_OWNER);
    assert_err_tells(&err, JTG_NOT_OWNER);
    assert_reason(guard_fixture_ask(f), JTG_REASON_REPLAYED);
    assert_status(jtg_guard_release(f->guard, &reservation, &err), JTG_OK);
    assert_err_tells(&err, JTG_OK);
    assert_status(jtg_guard_release(f->guard, &reservation, NULL), JTG_NOT_FOUND);
    assert_reason(guard_fixture_ask(f), JTG_REASON_ADMITTED);
    assert_status(jtg_guard_release(f->guard, &reservation, NULL), JTG_NOT_OWNER);
}

static void a_release_needs_a_reservation(void **state)
{
    struct guard_fixture *f = *state;
    jtg_error err = JTG_ERROR_INIT;
    assert_reason(guard_fixture_ask(f), JTG_REASON_ADMITTED);
    jtg_reservation reservation = f->decision.reservation;
    reservation.key_len = 0;
    assert_status(jtg_guard_release(f->guard, &reservation, &err), JTG_ERR_ARGUMENT);
    assert_err_tells(&err, JTG_ERR_ARGUMENT);
    reservation.key_len = JTG_KEY_MAX_BYTES + 1;
    assert_status(jtg_guard_release(f->guard, &reservation, &err), JTG_ERR_ARGUMENT);
    reservation.key_len = UINT32_MAX;
    assert_status(jtg_guard_release(f->guard, &reservation, &err), JTG_ERR_ARGUMENT);
    assert_int_equal(f->store->releases, 0);
}

/* ---- fork ---- */

static bool child_is_refused(struct guard_fixture *f, const jtg_reservation *reservation)
{
    jtg_error err = JTG_ERROR_INIT;
    jtg_decision decision = JTG_DECISION_INIT;
    bool refused = !jtg_guard_admit(f->guard, &f->claims, &decision, &err) &&
                   decision.reason == JTG_REASON_FORKED && err.status == JTG_ERR_FORKED &&
                   jtg_guard_release(f->guard, reservation, &err) == JTG_ERR_FORKED &&
                   jtg_guard_ping(f->guard, &err) == JTG_ERR_FORKED;
    atomic_store(&f->clock.wall_ms, -1); /* the clock is not even looked at */
    refused = refused && !jtg_guard_admit(f->guard, &f->claims, &decision, NULL) &&
              decision.reason == JTG_REASON_FORKED;
    jtg_guard_free(f->guard);
    return refused && f->store->reserves == 1 && f->store->releases == 0;
}

static void a_child_is_refused(void **state)
{
    struct guard_fixture *f = *state;
    int how = 0;
    assert_reason(guard_fixture_ask(f), JTG_REASON_ADMITTED);
    jtg_reservation reservation = f->decision.reservation;
    f->claims.jti = TEXT("unused");
    pid_t child = fork();
    if (child == 0)
        _exit(child_is_refused(f, &reservation) ? 0 : 1);
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFEXITED(how) && WEXITSTATUS(how) == 0);
    assert_reason(guard_fixture_ask(f), JTG_REASON_ADMITTED);
}

int main(void)
{
#define IN_FIXTURE(test)                                                                           \
    cmocka_unit_test_setup_teardown(test, guard_fixture_set_up_open, guard_fixture_tear_down)
#define ON_A_WATCHING_STORE(test)                                                                  \
    cmocka_unit_test_setup_teardown(test, guard_fixture_set_up_watching, guard_fixture_tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_macro_and_the_function_agree),
        IN_FIXTURE(every_option_has_its_range),
        IN_FIXTURE(a_prefix_must_be_printable_and_short),
        IN_FIXTURE(the_plain_form_has_its_bounds),
        IN_FIXTURE(options_of_other_versions_follow_the_rule),
        IN_FIXTURE(half_a_clock_or_logger_is_refused),
        IN_FIXTURE(the_first_use_is_admitted_and_no_other),
        IN_FIXTURE(the_same_owner_gets_the_same_answer),
        IN_FIXTURE(every_answer_of_the_store_keeps_its_meaning),
        IN_FIXTURE(an_unknown_outcome_can_be_settled),
        IN_FIXTURE(too_few_replicas_can_be_asked_again),
        IN_FIXTURE(a_store_that_does_not_watch_is_asked_plainly),
        ON_A_WATCHING_STORE(a_store_that_watches_is_asked_what_it_kept),
        ON_A_WATCHING_STORE(a_replay_stays_one_after_a_loss),
        ON_A_WATCHING_STORE(a_release_needs_no_continuity),
        IN_FIXTURE(a_ping_passes_on_what_the_store_says),
        ON_A_WATCHING_STORE(a_ping_is_ready_when_a_new_token_is),
        ON_A_WATCHING_STORE(a_ping_of_a_store_that_keeps_nothing),
        IN_FIXTURE(no_stale_admit_survives),
        IN_FIXTURE(a_decision_without_its_size_is_not_written),
        IN_FIXTURE(a_newer_decision_keeps_its_tail),
        IN_FIXTURE(nothing_needs_a_decision_or_an_error),
        IN_FIXTURE(null_is_an_argument_error_everywhere),
        IN_FIXTURE(the_defaults_work_with_the_systems_clock),
        IN_FIXTURE(a_release_gives_back_once),
        IN_FIXTURE(a_release_needs_a_reservation),
        IN_FIXTURE(a_child_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
