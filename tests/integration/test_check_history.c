/* SPDX-License-Identifier: Apache-2.0 */
/* The checker finds each kind of violation, and calls no history one that some order of its calls
 * explains. Times are in milliseconds. */
#include "integration/history_rules.h"
#include "support/asserts.h"

#include <jtiguard/guard.h>
#include <jtiguard/status.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MS_NS UINT64_C(1000000)

/* Statuses, as published. */
enum { OK = 0, REPLAYED = 1, NOT_FOUND = 2, UNAVAILABLE = 9, UNKNOWN = 10 };

enum { TTL = 1000, DEADLINE = 100, RECORDS_MAX = 16 };
enum { A = 1, B = 2, C = 3 };

/* Reasons of a guard, as published. */
enum { R_ADMITTED = 1, R_REPLAYED = 2, R_EXPIRED = 15, R_CONTINUITY_LOST = 27 };

static struct history_record records[RECORDS_MAX];
static size_t count;
static bool store_may_forget;

static int begin(void **state)
{
    (void)state;
    count = 0;
    store_may_forget = false;
    return 0;
}

static struct history_record *call(enum history_op op, uint64_t owner, uint64_t from, uint64_t to,
                                   uint8_t status)
{
    struct history_record *r = &records[count++];
    memset(r, 0, sizeof *r);
    r->op = (uint8_t)op;
    r->key = 7;
    r->owner = owner;
    r->invoke_ns = from * MS_NS;
    r->return_ns = to * MS_NS;
    r->status = status;
    r->ttl_ms = TTL;
    r->deadline_ms = DEADLINE;
    return r;
}

static struct history_record *reserve(uint64_t owner, uint64_t from, uint64_t to, uint8_t status)
{
    return call(HISTORY_RESERVE, owner, from, to, status);
}

static struct history_record *release(uint64_t owner, uint64_t from, uint64_t to, uint8_t status)
{
    return call(HISTORY_RELEASE, owner, from, to, status);
}

static struct history_record *admit(uint64_t owner, uint64_t from, uint64_t to, uint8_t reason)
{
    return call(HISTORY_ADMIT, owner, from, to, reason);
}

static struct history_report report;

static bool check(void)
{
    struct history_record copy[RECORDS_MAX];
    struct history history = {copy, count};
    struct history_limits limits = {5 * MS_NS, 50 * MS_NS, store_may_forget};
    memcpy(copy, records, sizeof copy);
    return history_check(&history, &limits, NULL, &report);
}

static void expect(enum history_violation kind, uint64_t times)
{
    assert_true(check());
    for (enum history_violation k = 0; k < HISTORY_VIOLATIONS; k++)
        assert_int_equal(report.violations[k], k == kind ? times : 0);
}

static void expect_good(void)
{
    expect(HISTORY_DOUBLE_ADMIT, 0);
}

static void one_admit_and_its_replays_are_good(void **state)
{
    (void)state;
    reserve(A, 10, 20, OK);
    reserve(B, 12, 18, REPLAYED);
    reserve(C, 500, 510, REPLAYED);
    reserve(A, 520, 530, OK); /* the same owner asks again */
    expect_good();
    assert_int_equal(report.keys, 1);
    assert_int_equal(report.by_status[HISTORY_RESERVE][OK], 2);
    assert_int_equal(report.by_status[HISTORY_RESERVE][REPLAYED], 2);
    assert_int_equal(report.unknown, 0);
}

static void two_admits_in_one_lifetime_are_found(void **state)
{
    (void)state;
    reserve(A, 10, 20, OK);
    reserve(B, 30, 40, OK);
    expect(HISTORY_DOUBLE_ADMIT, 1);
}

static void two_admits_that_overlap_are_found(void **state)
{
    (void)state;
    reserve(A, 10, 40, OK);
    reserve(B, 10, 40, OK);
    expect(HISTORY_DOUBLE_ADMIT, 1);
}

static void every_pair_of_three_admits_is_found(void **state)
{
    (void)state;
    reserve(A, 10, 20, OK);
    reserve(B, 30, 40, OK);
    reserve(C, 50, 60, OK);
    expect(HISTORY_DOUBLE_ADMIT, 3);
}

static void an_admit_just_before_the_end_is_found(void **state)
{
    (void)state;
    reserve(A, 10, 20, OK);
    reserve(B, 990, 1004, OK); /* the earliest end is 1010, the slack 5 */
    expect(HISTORY_DOUBLE_ADMIT, 1);
}

static void an_admit_that_may_lie_after_the_end_is_good(void **state)
{
    (void)state;
    reserve(A, 10, 20, OK);
    reserve(B, 990, 1011, OK);
    expect_good();
}

static void the_end_counts_from_the_last_admit_of_an_owner(void **state)
{
    (void)state;
    reserve(A, 10, 20, OK);
    reserve(A, 900, 910, OK);
    reserve(B, 1100, 1110, OK);
    expect(HISTORY_DOUBLE_ADMIT, 1);
}

static void admits_of_two_keys_are_good(void **state)
{
    (void)state;
    reserve(A, 10, 20, OK);
    reserve(B, 30, 40, OK)->key = 8;
    expect_good();
    assert_int_equal(report.keys, 2);
}

static void a_release_between_explains(void **state)
{
    (void)state;
    reserve(A, 10, 20, OK);
    release(A, 25, 28, OK);
    reserve(B, 30, 40, OK);
    expect_good();
}

static void an_unknown_release_explains_until_any_time(void **state)
{
    (void)state;
    reserve(A, 10, 20, OK);
    release(A, 25, 28, UNKNOWN);
    reserve(B, 600, 610, OK);
    expect_good();
    assert_int_equal(report.unknown, 1);
}

static void a_release_of_another_owner_explains_nothing(void **state)
{
    (void)state;
    reserve(A, 10, 20, OK);
    reserve(C, 21, 22, UNKNOWN);
    release(C, 25, 28, OK);
    reserve(B, 30, 40, OK);
    expect(HISTORY_DOUBLE_ADMIT, 1);
}

static void a_release_before_the_admit_explains_nothing(void **state)
{
    (void)state;
    reserve(A, 1, 2, OK);
    release(A, 3, 5, OK);
    reserve(A, 10, 20, OK);
    reserve(B, 30, 40, OK);
    expect(HISTORY_DOUBLE_ADMIT, 1);
}

static void a_release_after_the_admit_explains_nothing(void **state)
{
    (void)state;
    reserve(A, 10, 20, OK);
    reserve(B, 30, 40, OK);
    release(A, 45, 50, OK);
    expect(HISTORY_DOUBLE_ADMIT, 1);
}

static void a_release_that_was_refused_explains_nothing(void **state)
{
    (void)state;
    reserve(A, 10, 20, OK);
    release(A, 22, 25, UNAVAILABLE);
    reserve(B, 30, 40, OK);
    expect(HISTORY_DOUBLE_ADMIT, 1);
}

static void an_unknown_reserve_is_no_admit(void **state)
{
    (void)state;
    reserve(A, 10, 20, UNKNOWN);
    reserve(B, 30, 40, OK);
    expect_good();
}

static void an_unknown_reserve_explains_a_replay(void **state)
{
    (void)state;
    reserve(A, 10, 20, UNKNOWN);
    reserve(B, 30, 40, REPLAYED);
    expect_good();
}

static void a_call_that_never_returned_may_have_worked(void **state)
{
    (void)state;
    reserve(A, 10, 0, OK);
    reserve(B, 30, 40, REPLAYED);
    expect_good();
    assert_int_equal(report.unknown, 1);
    assert_int_equal(report.by_status[HISTORY_RESERVE][OK], 0);
}

static void a_replay_without_a_holder_is_found(void **state)
{
    (void)state;
    reserve(B, 30, 40, REPLAYED);
    expect(HISTORY_UNEXPLAINED_REPLAY, 1);
}

static void a_token_burnt_by_its_own_first_write_is_found(void **state)
{
    (void)state;
    reserve(A, 10, 20, UNKNOWN);
    reserve(A, 30, 40, REPLAYED);
    expect(HISTORY_UNEXPLAINED_REPLAY, 1);
}

static void a_refusal_that_stored_all_the_same_is_found(void **state)
{
    (void)state;
    reserve(A, 10, 20, UNAVAILABLE);
    reserve(B, 30, 40, REPLAYED);
    expect(HISTORY_UNEXPLAINED_REPLAY, 1);
}

static void a_replay_after_the_release_is_found(void **state)
{
    (void)state;
    reserve(A, 10, 20, OK);
    release(A, 22, 25, OK);
    reserve(B, 30, 40, REPLAYED);
    expect(HISTORY_UNEXPLAINED_REPLAY, 1);
}

static void a_replay_after_the_end_is_found(void **state)
{
    (void)state;
    reserve(A, 10, 20, OK);
    reserve(B, 1030, 1040, REPLAYED);
    expect(HISTORY_UNEXPLAINED_REPLAY, 1);
}

static void a_copy_that_comes_late_explains_a_replay(void **state)
{
    (void)state;
    reserve(A, 10, 20, OK)->flags = HISTORY_COPIES;
    release(A, 22, 25, OK);
    reserve(B, 30, 40, REPLAYED);
    reserve(B, 1030, 1040, REPLAYED);
    expect_good();
}

static void a_copy_that_comes_late_explains_no_admit(void **state)
{
    (void)state;
    reserve(A, 10, 20, OK)->flags = HISTORY_COPIES;
    reserve(B, 30, 40, OK)->flags = HISTORY_COPIES;
    expect(HISTORY_DOUBLE_ADMIT, 1);
}

/* The replay was B's answer; the copy of B that was given up took the key when A's time had ended.
 */
static void a_copy_of_a_replay_takes_the_key_late(void **state)
{
    (void)state;
    reserve(A, 1000, 1010, OK);
    reserve(B, 1500, 1510, REPLAYED)->flags = HISTORY_COPIES;
    reserve(C, 2200, 2210, REPLAYED);
    expect_good();
    records[1].flags = 0;
    expect(HISTORY_UNEXPLAINED_REPLAY, 1);
}

static void a_copy_of_a_replay_is_no_admit(void **state)
{
    (void)state;
    reserve(A, 10, 20, OK);
    reserve(B, 30, 40, REPLAYED)->flags = HISTORY_COPIES;
    reserve(C, 50, 60, OK);
    expect(HISTORY_DOUBLE_ADMIT, 1);
}

static void a_copy_of_a_refusal_that_changed_nothing_explains_nothing(void **state)
{
    (void)state;
    reserve(A, 10, 20, UNAVAILABLE)->flags = HISTORY_COPIES;
    reserve(B, 30, 40, REPLAYED);
    expect(HISTORY_UNEXPLAINED_REPLAY, 1);
}

static void a_copy_of_a_guards_replay_takes_the_key_late(void **state)
{
    (void)state;
    admit(A, 1000, 1010, R_ADMITTED);
    admit(B, 1500, 1510, R_REPLAYED)->flags = HISTORY_COPIES;
    admit(C, 2200, 2210, R_REPLAYED);
    expect_good();
}

static void what_a_copy_took_can_be_released(void **state)
{
    (void)state;
    reserve(A, 1000, 1010, OK);
    reserve(B, 1500, 1510, REPLAYED)->flags = HISTORY_COPIES;
    release(B, 2200, 2210, OK);
    expect_good();
}

static void what_a_copy_took_again_can_be_released_again(void **state)
{
    (void)state;
    reserve(A, 10, 20, OK)->flags = HISTORY_COPIES;
    release(A, 22, 25, OK);
    release(A, 26, 28, OK);
    expect_good();
}

static void a_copy_of_a_release_can_end_the_next_reserve(void **state)
{
    (void)state;
    reserve(A, 10, 20, OK);
    release(A, 22, 25, OK)->flags = HISTORY_COPIES;
    reserve(A, 30, 40, OK);
    reserve(B, 50, 60, OK);
    expect_good();
}

static void a_copy_of_a_release_ends_no_other_owners_reserve(void **state)
{
    (void)state;
    reserve(A, 10, 20, OK);
    release(A, 22, 25, OK)->flags = HISTORY_COPIES;
    reserve(B, 30, 40, OK);
    reserve(C, 50, 60, OK);
    expect(HISTORY_DOUBLE_ADMIT, 1);
}

static void a_replay_by_an_overlapping_admit_is_good(void **state)
{
    (void)state;
    reserve(B, 10, 40, REPLAYED);
    reserve(A, 20, 60, OK);
    expect_good();
}

static void a_release_confirmed_twice_is_found(void **state)
{
    (void)state;
    reserve(A, 10, 20, OK);
    release(A, 22, 25, OK);
    release(A, 26, 28, OK);
    expect(HISTORY_UNFOUNDED_RELEASE, 1);
}

static void a_release_of_what_was_never_held_is_found(void **state)
{
    (void)state;
    reserve(A, 10, 20, OK);
    reserve(B, 21, 22, REPLAYED);
    release(B, 25, 28, OK);
    expect(HISTORY_UNFOUNDED_RELEASE, 1);
}

static void a_release_that_was_sent_twice_confirms_that_the_key_is_free(void **state)
{
    (void)state;
    reserve(A, 10, 20, OK);
    reserve(B, 21, 22, REPLAYED);
    release(B, 25, 28, OK)->flags = HISTORY_COPIES;
    expect_good();
    release(B, 30, 33, OK);
    expect(HISTORY_UNFOUNDED_RELEASE, 1);
}

static void a_late_call_is_found(void **state)
{
    (void)state;
    reserve(A, 10, 10 + DEADLINE + 51, OK);
    expect(HISTORY_LATE_CALL, 1);
    assert_int_equal(report.most_overdue_ns, 51 * MS_NS);
    assert_int_equal(report.longest_call_ns, (DEADLINE + 51) * MS_NS);
}

static void a_call_within_the_grace_is_good(void **state)
{
    (void)state;
    reserve(A, 10, 10 + DEADLINE + 50, OK);
    expect_good();
}

static void stall(uint16_t process, uint64_t from, uint64_t to)
{
    call(HISTORY_STALL, 0, from, to, OK)->process = process;
}

static void a_stall_of_the_process_excuses(void **state)
{
    (void)state;
    reserve(A, 10, 10 + DEADLINE + 90, OK);
    stall(0, 0, 50);
    expect_good();
    assert_int_equal(report.excused_late_calls, 1);
    assert_int_equal(report.stalls, 1);
}

static void a_short_stall_or_that_of_another_process_does_not(void **state)
{
    (void)state;
    reserve(A, 10, 10 + DEADLINE + 90, OK);
    stall(0, 0, 49);
    stall(1, 0, 200);
    expect(HISTORY_LATE_CALL, 1);
}

static void starve(uint16_t thread, uint64_t from, uint64_t to)
{
    call(HISTORY_STARVED, 0, from, to, OK)->thread = thread;
}

static void a_thread_that_was_given_no_processor_is_excused(void **state)
{
    (void)state;
    reserve(A, 10, 10 + DEADLINE + 90, OK);
    starve(0, 10, 50);
    expect_good();
    assert_int_equal(report.excused_late_calls, 1);
    assert_int_equal(report.stalls, 0);
}

/* What the process stood still for, the thread did, too: one time is not counted twice. */
static void another_thread_another_call_or_too_little_does_not(void **state)
{
    (void)state;
    reserve(A, 10, 10 + DEADLINE + 90, OK);
    starve(0, 10, 49);
    starve(0, 11, 200);
    starve(1, 10, 200);
    stall(0, 10, 49);
    expect(HISTORY_LATE_CALL, 1);
}

static void a_record_that_makes_no_sense_has_no_verdict(void **state)
{
    (void)state;
    reserve(A, 20, 10, OK);
    assert_false(check());
    count = 0;
    reserve(A, 10, 20, 31);
    assert_false(check());
    count = 0;
    reserve(0, 10, 20, OK);
    assert_false(check());
}

/* A guard's answers. */

static void two_admits_by_guards_are_found(void **state)
{
    (void)state;
    admit(A, 10, 20, R_ADMITTED);
    admit(B, 30, 40, R_REPLAYED);
    expect_good();
    admit(C, 50, 60, R_ADMITTED);
    expect(HISTORY_DOUBLE_ADMIT, 1);
    assert_int_equal(report.by_status[HISTORY_ADMIT][R_ADMITTED], 2);
}

static void a_release_between_explains_a_guards_admit(void **state)
{
    (void)state;
    admit(A, 10, 20, R_ADMITTED);
    release(A, 30, 40, OK);
    admit(B, 50, 60, R_ADMITTED);
    expect_good();
}

static void a_guard_and_a_bare_reserve_share_the_key(void **state)
{
    (void)state;
    admit(A, 10, 20, R_ADMITTED);
    reserve(B, 30, 40, OK);
    expect(HISTORY_DOUBLE_ADMIT, 1);
}

static void a_refusal_that_may_have_stored_explains_a_replay(void **state)
{
    (void)state;
    admit(A, 10, 20, R_CONTINUITY_LOST);
    admit(B, 30, 40, R_REPLAYED);
    expect_good();
    records[0].status = R_EXPIRED;
    expect_good();
}

static void probes_share_no_key(void **state)
{
    (void)state;
    call(HISTORY_PROBE, A, 10, 20, OK)->flags = 500;
    call(HISTORY_PROBE, B, 30, 40, OK)->flags = 501;
    expect_good();
    assert_int_equal(report.by_status[HISTORY_PROBE][OK], 2);
}

/* The store was taken back to before a release. */
static void what_a_store_remembers_again_is_good(void **state)
{
    (void)state;
    admit(A, 10, 20, R_ADMITTED);
    release(A, 30, 40, OK);
    admit(B, 50, 60, R_REPLAYED);
    expect(HISTORY_UNEXPLAINED_REPLAY, 1);
    store_may_forget = true;
    expect_good();
}

static void what_a_store_remembers_again_can_be_released_again(void **state)
{
    (void)state;
    store_may_forget = true;
    reserve(A, 10, 20, OK);
    release(A, 30, 40, OK);
    release(A, 50, 60, OK);
    expect_good();
    release(B, 70, 80, OK);
    expect(HISTORY_UNFOUNDED_RELEASE, 1);
}

static void what_nobody_asked_for_is_no_memory(void **state)
{
    (void)state;
    store_may_forget = true;
    admit(B, 50, 60, R_REPLAYED);
    expect(HISTORY_UNEXPLAINED_REPLAY, 1);
}

static void a_store_that_forgets_excuses_no_second_admit(void **state)
{
    (void)state;
    store_may_forget = true;
    admit(A, 10, 20, R_ADMITTED);
    admit(B, 30, 40, R_ADMITTED);
    expect(HISTORY_DOUBLE_ADMIT, 1);
}

static void an_answer_that_no_guard_gives_has_no_verdict(void **state)
{
    (void)state;
    admit(A, 10, 20, JTG_REASON_COUNT);
    assert_false(check());
}

/* The checker has tables of its own; a new answer has a row in them, in its place. */
static void each_answer_has_its_name(void **state)
{
    (void)state;
    for (unsigned reason = 0; reason < JTG_REASON_COUNT; reason++)
        assert_string_equal(history_answer_name(HISTORY_ADMIT, reason),
                            jtg_reason_name((jtg_reason)reason));
    for (unsigned status = 0; status < JTG_STATUS_COUNT; status++)
        assert_string_equal(history_answer_name(HISTORY_RESERVE, status),
                            jtg_status_name((jtg_status)status));
    assert_string_equal(history_answer_name(HISTORY_ADMIT, JTG_REASON_COUNT), "?");
    assert_string_equal(history_answer_name(HISTORY_RESERVE, JTG_STATUS_COUNT), "?");
}

/* The program itself, on files. */

static int run_program(const char *first, const char *second)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (freopen("/dev/null", "w", stdout) == NULL || freopen("/dev/null", "w", stderr) == NULL)
            _exit(99);
        execl(CHECK_HISTORY, CHECK_HISTORY, first, second, (char *)NULL);
        _exit(99);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 98;
}

static void save(const char *path, size_t first, size_t end)
{
    struct history_file file;
    assert_true(history_create(&file, path));
    for (size_t i = first; i < end; i++)
        assert_true(history_append(&file, &records[i]));
    history_close(&file);
}

static void the_program_reads_files_and_exits_as_it_says(void **state)
{
    (void)state;
    char folder[] = "/tmp/jtiguard-history.XXXXXX";
    char one[64];
    char two[64];
    assert_non_null(mkdtemp(folder));
    snprintf(one, sizeof one, "%s/1", folder);
    snprintf(two, sizeof two, "%s/2", folder);
    reserve(A, 10, 20, OK);
    reserve(B, 30, 40, OK);
    save(one, 0, 1);
    assert_int_equal(run_program(one, NULL), 0);
    save(two, 1, 2); /* harmless alone, not with the other process's */
    assert_int_equal(run_program(two, NULL), 0);
    assert_int_equal(run_program(one, two), 1);
    assert_int_equal(truncate(two, 30), 0);
    assert_int_equal(run_program(one, two), 2);
    save(two, 0, 0);
    assert_int_equal(run_program(two, NULL), 2);
    unlink(two);
    assert_int_equal(run_program(one, two), 2);
    unlink(one);
    rmdir(folder);
}

#define CASE(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(one_admit_and_its_replays_are_good),
        CASE(two_admits_in_one_lifetime_are_found),
        CASE(two_admits_that_overlap_are_found),
        CASE(every_pair_of_three_admits_is_found),
        CASE(an_admit_just_before_the_end_is_found),
        CASE(an_admit_that_may_lie_after_the_end_is_good),
        CASE(the_end_counts_from_the_last_admit_of_an_owner),
        CASE(admits_of_two_keys_are_good),
        CASE(a_release_between_explains),
        CASE(an_unknown_release_explains_until_any_time),
        CASE(a_release_of_another_owner_explains_nothing),
        CASE(a_release_before_the_admit_explains_nothing),
        CASE(a_release_after_the_admit_explains_nothing),
        CASE(a_release_that_was_refused_explains_nothing),
        CASE(an_unknown_reserve_is_no_admit),
        CASE(an_unknown_reserve_explains_a_replay),
        CASE(a_call_that_never_returned_may_have_worked),
        CASE(a_replay_without_a_holder_is_found),
        CASE(a_token_burnt_by_its_own_first_write_is_found),
        CASE(a_refusal_that_stored_all_the_same_is_found),
        CASE(a_replay_after_the_release_is_found),
        CASE(a_replay_after_the_end_is_found),
        CASE(a_copy_that_comes_late_explains_a_replay),
        CASE(a_copy_that_comes_late_explains_no_admit),
        CASE(a_copy_of_a_replay_takes_the_key_late),
        CASE(a_copy_of_a_replay_is_no_admit),
        CASE(a_copy_of_a_refusal_that_changed_nothing_explains_nothing),
        CASE(a_copy_of_a_guards_replay_takes_the_key_late),
        CASE(what_a_copy_took_can_be_released),
        CASE(what_a_copy_took_again_can_be_released_again),
        CASE(a_copy_of_a_release_can_end_the_next_reserve),
        CASE(a_copy_of_a_release_ends_no_other_owners_reserve),
        CASE(a_replay_by_an_overlapping_admit_is_good),
        CASE(a_release_confirmed_twice_is_found),
        CASE(a_release_of_what_was_never_held_is_found),
        CASE(a_release_that_was_sent_twice_confirms_that_the_key_is_free),
        CASE(a_late_call_is_found),
        CASE(a_call_within_the_grace_is_good),
        CASE(a_stall_of_the_process_excuses),
        CASE(a_short_stall_or_that_of_another_process_does_not),
        CASE(a_thread_that_was_given_no_processor_is_excused),
        CASE(another_thread_another_call_or_too_little_does_not),
        CASE(a_record_that_makes_no_sense_has_no_verdict),
        CASE(two_admits_by_guards_are_found),
        CASE(a_release_between_explains_a_guards_admit),
        CASE(a_guard_and_a_bare_reserve_share_the_key),
        CASE(a_refusal_that_may_have_stored_explains_a_replay),
        CASE(probes_share_no_key),
        CASE(what_a_store_remembers_again_is_good),
        CASE(what_a_store_remembers_again_can_be_released_again),
        CASE(what_nobody_asked_for_is_no_memory),
        CASE(a_store_that_forgets_excuses_no_second_admit),
        CASE(an_answer_that_no_guard_gives_has_no_verdict),
        CASE(each_answer_has_its_name),
        CASE(the_program_reads_files_and_exits_as_it_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
