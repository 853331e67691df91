/* SPDX-License-Identifier: Apache-2.0 */
/* The report of a campaign finds each refusal that does not fit, and who was kept out. Times are
 * milliseconds after the campaign's start. */
#include "reliability/load.h"
#include "reliability/report.h"
#include "support/asserts.h"

#include <jtiguard/guard.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define MS_NS UINT64_C(1000000)

enum { RECORDS_MAX = 32, LOST_MS = 10000, SETTLED_MS = 12000 };

static struct history_record records[RECORDS_MAX];
static struct history history = {records, 0};
static struct campaign_log campaign;
static uint64_t start_ns;

static uint64_t at(uint64_t ms)
{
    return start_ns + ms * MS_NS;
}

static uint64_t token_of(uint64_t issued_ms)
{
    struct timespec wall;
    clock_gettime(CLOCK_REALTIME, &wall);
    int64_t now_ms = (int64_t)wall.tv_sec * 1000 + wall.tv_nsec / 1000000;
    int64_t passed_ms = (int64_t)(history_now_ns() / MS_NS) - (int64_t)(at(issued_ms) / MS_NS);
    return load_first_token(now_ms - passed_ms);
}

static struct history_record *call(enum history_op op, uint16_t process, uint64_t from, uint64_t to)
{
    struct history_record *r = &records[history.count++];
    memset(r, 0, sizeof *r);
    r->op = (uint8_t)op;
    r->owner = history.count;
    r->process = process;
    r->invoke_ns = at(from);
    r->return_ns = at(to);
    return r;
}

static void answer(uint64_t when, uint64_t issued, jtg_reason reason)
{
    struct history_record *r = call(HISTORY_ADMIT, 0, when, when + 1);
    r->status = (uint8_t)reason;
    r->key = token_of(issued);
}

/* Every process works again so long after the promotion, at the new primary. */
static void recover(uint64_t after_ms)
{
    for (unsigned process = 0; process < WORLD_CLIENTS; process++) {
        call(HISTORY_PROBE, (uint16_t)process, 11000 + after_ms, 11001 + after_ms)->flags = 1;
        struct history_record *r =
            call(HISTORY_ADMIT, (uint16_t)process, 11000 + after_ms, 11001 + after_ms);
        r->status = JTG_REASON_ADMITTED;
        r->key = token_of(11000 + after_ms);
    }
}

static int begin(void **state)
{
    (void)state;
    memset(&campaign, 0, sizeof campaign);
    history.count = 0;
    start_ns = history_now_ns() - 60000 * MS_NS;
    campaign.topology = &topology_sentinel;
    campaign.start_ns = start_ns;
    campaign.continuity = true;
    campaign.incident_count = 1;
    campaign.incidents[0] = (struct incident){.kind = INCIDENT_KILL,
                                              .start_ns = at(LOST_MS),
                                              .promoted_ns = at(11000),
                                              .named_ns = at(11500),
                                              .healed_ns = at(11600),
                                              .settled_ns = at(SETTLED_MS),
                                              .parts = 1,
                                              .client_apart = -1};
    return 0;
}

static void expect(unsigned misfits, unsigned late, unsigned unrecovered)
{
    struct verdict verdict = report_print(&campaign, &history);
    assert_int_equal(verdict.misfits, misfits);
    assert_int_equal(verdict.late, late);
    assert_int_equal(verdict.unrecovered, unrecovered);
}

static void a_store_that_is_gone_fits_its_incident(void **state)
{
    (void)state;
    recover(100);
    answer(10500, 10400, JTG_REASON_STORE_UNAVAILABLE);
    answer(10500, 10400, JTG_REASON_OUTCOME_UNKNOWN);
    expect(0, 0, 0);
}

static void a_store_that_is_gone_does_not_fit_the_calm(void **state)
{
    (void)state;
    recover(100);
    answer(5000, 4900, JTG_REASON_STORE_UNAVAILABLE);
    answer(20000, 19900, JTG_REASON_OUTCOME_UNKNOWN);
    expect(2, 0, 0);
}

static void nor_does_it_fit_a_flush(void **state)
{
    (void)state;
    recover(100);
    campaign.incidents[0].kind = INCIDENT_FLUSH;
    answer(10500, 10400, JTG_REASON_STORE_UNAVAILABLE);
    expect(1, 0, 0);
}

static void a_machine_that_stood_still_excuses(void **state)
{
    (void)state;
    recover(100);
    answer(5000, 4900, JTG_REASON_STORE_UNAVAILABLE);
    call(HISTORY_STALL, 1, 4700, 4990);
    expect(0, 0, 0);
}

static void what_names_the_library_never_fits(void **state)
{
    (void)state;
    recover(100);
    answer(10500, 10400, JTG_REASON_INTERNAL);
    answer(10500, 10400, JTG_REASON_STORE_PROTOCOL);
    answer(10500, 10400, JTG_REASON_STORE_UNSAFE);
    answer(10500, 10400, JTG_REASON_TOO_FEW_REPLICAS);
    expect(4, 0, 0);
}

static void too_few_replicas_fits_where_they_are_asked_for(void **state)
{
    (void)state;
    recover(100);
    campaign.replicas = true;
    answer(10500, 10400, JTG_REASON_TOO_FEW_REPLICAS);
    expect(0, 0, 0);
}

static void a_token_from_before_the_loss_may_be_refused(void **state)
{
    (void)state;
    recover(100);
    answer(14000, 9000, JTG_REASON_CONTINUITY_LOST);
    answer(14000, SETTLED_MS + LOAD_MARGIN_MS, JTG_REASON_CONTINUITY_LOST);
    expect(0, 0, 0);
}

static void a_token_from_well_after_the_loss_may_not(void **state)
{
    (void)state;
    recover(100);
    answer(15500, 15000, JTG_REASON_CONTINUITY_LOST);
    answer(9000, 8900, JTG_REASON_CONTINUITY_LOST); /* nothing was lost yet */
    expect(2, 0, 0);
}

static void a_guard_that_does_not_watch_notices_no_loss(void **state)
{
    (void)state;
    recover(100);
    campaign.continuity = false;
    answer(10500, 9000, JTG_REASON_CONTINUITY_LOST);
    expect(1, 0, 0);
}

static void a_second_is_counted_from_the_naming(void **state)
{
    (void)state;
    recover(1400);
    expect(0, 0, 0);
    history.count = 0;
    recover(1600);
    expect(0, WORLD_CLIENTS, 0);
}

static void who_was_cut_off_is_not_late(void **state)
{
    (void)state;
    recover(1600);
    campaign.incidents[0].client_apart = 1;
    expect(0, WORLD_CLIENTS - 1, 0);
}

static void who_never_comes_back_is_found(void **state)
{
    (void)state;
    answer(10500, 10400, JTG_REASON_STORE_UNAVAILABLE);
    expect(0, 0, WORLD_CLIENTS);
}

/* Works on, but at the old primary. */
static void who_is_never_led_away_is_found(void **state)
{
    (void)state;
    recover(100);
    for (size_t i = 0; i < history.count; i++)
        records[i].flags = 0;
    expect(0, 0, WORLD_CLIENTS);
}

#define CASE(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_store_that_is_gone_fits_its_incident),
        CASE(a_store_that_is_gone_does_not_fit_the_calm),
        CASE(nor_does_it_fit_a_flush),
        CASE(a_machine_that_stood_still_excuses),
        CASE(what_names_the_library_never_fits),
        CASE(too_few_replicas_fits_where_they_are_asked_for),
        CASE(a_token_from_before_the_loss_may_be_refused),
        CASE(a_token_from_well_after_the_loss_may_not),
        CASE(a_guard_that_does_not_watch_notices_no_loss),
        CASE(a_second_is_counted_from_the_naming),
        CASE(who_was_cut_off_is_not_late),
        CASE(who_never_comes_back_is_found),
        CASE(who_is_never_led_away_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
