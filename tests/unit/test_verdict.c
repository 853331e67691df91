/* SPDX-License-Identifier: Apache-2.0 */
/* The decision, over everything that can be heard: by a table, and by what it must never do. */
#include "redis/ask/verdict.h"

#include "redis/say/resp/reply.h"
#include "support/asserts.h"

#include <stdio.h>
#include <string.h>

/* ---- everything that can be heard ---- */

enum {
    FATES = JTGI_FATE_UNKNOWN + 1,
    SAIDS = JTGI_SAID_NONSENSE + 1,
    SIGHTS = JTGI_SIGHT_UNSAFE + 1,
    VERDICTS = JTGI_VERDICT_SHARE_FULL + 1
};

static const int64_t needed_ms[] = {INT64_MIN, 0, 1000, JTGI_KEPT_ANY - 1, JTGI_KEPT_ANY};
static const int64_t since_ms[] = {INT64_MIN, 0, 999, 1000, 1001, INT64_MAX - 1, INT64_MAX};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* The next one; false behind the last. All zero begins it. */
static bool count_up(size_t digits[], const size_t bases[], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (++digits[i] < bases[i])
            return true;
        digits[i] = 0;
    }
    return false;
}

static struct jtgi_heard heard_of(const size_t digits[])
{
    struct jtgi_heard heard = {.fate = (enum jtgi_fate)digits[0],
                               .said = (enum jtgi_said)digits[1],
                               .sight = (enum jtgi_sight)digits[2],
                               .since_ms = since_ms[digits[3]],
                               .needed_ms = needed_ms[digits[4]],
                               .by_cluster = digits[5] != 0,
                               .detoured = digits[6] != 0,
                               .confirmed = digits[7] != 0};
    return heard;
}

/* One call for each combination; returns how many. */
static size_t for_each(void (*check)(const struct jtgi_heard *heard))
{
    static const size_t bases[] = {FATES, SAIDS, SIGHTS, COUNT(since_ms), COUNT(needed_ms),
                                   2,     2,     2};
    size_t digits[COUNT(bases)] = {0};
    size_t count = 0;
    do {
        struct jtgi_heard heard = heard_of(digits);
        check(&heard);
        count++;
    } while (count_up(digits, bases, COUNT(bases)));
    return count;
}

/* ---- the table ---- */

#define ONE(value) (1U << (value))
#define ANY        (~0U)
#define EITHER     3U
#define IS         2U
#define NOT        1U

/* What is needed, and whether it was kept. */
enum { UNNEEDED, SINCE, LATER };
#define NEEDED (ONE(SINCE) | ONE(LATER))

#define ANSWERED ONE(JTGI_FATE_ANSWERED)
#define YES      ONE(JTGI_SAID_YES)
#define UNASKED  ONE(JTGI_SAID_NOTHING)
#define SAID(x)  ONE(JTGI_SAID_##x)
#define SIGHT(x) ONE(JTGI_SIGHT_##x)

/* The first row that fits counts. Columns: fate, said, sight, kept, refused by the Cluster,
 * detoured, confirmed. */
static const struct row {
    unsigned fate, said, sight, kept, by_cluster, detoured, confirmed;
    enum jtgi_verdict verdict;
} rows[] = {
    {ONE(JTGI_FATE_NOT_SENT), ANY, ANY, ANY, EITHER, EITHER, EITHER, JTGI_VERDICT_UNSENT},
    {ONE(JTGI_FATE_UNKNOWN), ANY, ANY, ANY, EITHER, EITHER, EITHER, JTGI_VERDICT_LOST},
    {ANSWERED, SAID(NO), ANY, ANY, EITHER, EITHER, EITHER, JTGI_VERDICT_NO},
    {ANSWERED, SAID(FREE), ANY, ANY, EITHER, EITHER, EITHER, JTGI_VERDICT_FREE},
    {ANSWERED, SAID(SHARE_FULL), ANY, ANY, EITHER, EITHER, EITHER, JTGI_VERDICT_SHARE_FULL},
    {ANSWERED, SAID(ERROR), ANY, ANY, EITHER, EITHER, EITHER, JTGI_VERDICT_REFUSED},
    {ANSWERED, SAID(ASK), ANY, ONE(UNNEEDED), EITHER, EITHER, EITHER, JTGI_VERDICT_REFUSED},
    {ANSWERED, SAID(ASK), ANY, NEEDED, EITHER, EITHER, EITHER, JTGI_VERDICT_MOVING},
    {ANSWERED, SAID(NONSENSE), ANY, ANY, EITHER, EITHER, EITHER, JTGI_VERDICT_NONSENSE},
    /* What is left is a yes, or was not asked. */
    {ANSWERED, ANY, SIGHT(LOST), ANY, EITHER, EITHER, EITHER, JTGI_VERDICT_DOUBTFUL},
    {ANSWERED, YES, SIGHT(UNSAFE), ANY, EITHER, EITHER, EITHER, JTGI_VERDICT_STORED},
    {ANSWERED, UNASKED, SIGHT(UNSAFE), ANY, EITHER, EITHER, EITHER, JTGI_VERDICT_UNSAFE},
    {ANSWERED, YES, SIGHT(REFUSED), NEEDED, EITHER, EITHER, EITHER, JTGI_VERDICT_UNREAD},
    {ANSWERED, YES, SIGHT(REFUSED), ONE(UNNEEDED), NOT, EITHER, EITHER, JTGI_VERDICT_UNREAD},
    {ANSWERED, UNASKED, SIGHT(REFUSED), NEEDED, EITHER, EITHER, EITHER, JTGI_VERDICT_UNREADABLE},
    {ANSWERED, UNASKED, SIGHT(REFUSED), ANY, NOT, EITHER, EITHER, JTGI_VERDICT_UNREADABLE},
    {ANSWERED, ANY, SIGHT(UNMARKED), NEEDED, EITHER, NOT, EITHER, JTGI_VERDICT_UNMARKED},
    {ANSWERED, ANY, SIGHT(KEPT), ONE(LATER), EITHER, EITHER, EITHER, JTGI_VERDICT_FORGOTTEN},
    {ANSWERED, UNASKED, ANY, ANY, EITHER, EITHER, EITHER, JTGI_VERDICT_DOUBTFUL},
    {ANSWERED, YES, SIGHT(KEPT), ANY, EITHER, EITHER, IS, JTGI_VERDICT_YES},
    {ANSWERED, YES, SIGHT(KEPT), ANY, EITHER, EITHER, NOT, JTGI_VERDICT_UNCONFIRMED},
    {ANSWERED, YES, ANY, NEEDED, EITHER, EITHER, EITHER, JTGI_VERDICT_DOUBTFUL},
    {ANSWERED, YES, ANY, ONE(UNNEEDED), EITHER, EITHER, IS, JTGI_VERDICT_YES},
    {ANSWERED, YES, ANY, ONE(UNNEEDED), EITHER, EITHER, NOT, JTGI_VERDICT_UNCONFIRMED},
};

static size_t used[COUNT(rows)];

static unsigned kept_of(const struct jtgi_heard *heard)
{
    if (heard->needed_ms == JTGI_KEPT_ANY)
        return UNNEEDED;
    return heard->since_ms <= heard->needed_ms ? SINCE : LATER;
}

static bool fits(const struct row *row, const struct jtgi_heard *heard)
{
    return (row->fate & ONE(heard->fate)) != 0 && (row->said & ONE(heard->said)) != 0 &&
           (row->sight & ONE(heard->sight)) != 0 && (row->kept & ONE(kept_of(heard))) != 0 &&
           (row->by_cluster & ONE(heard->by_cluster)) != 0 &&
           (row->detoured & ONE(heard->detoured)) != 0 &&
           (row->confirmed & ONE(heard->confirmed)) != 0;
}

static void check_row(const struct jtgi_heard *heard)
{
    size_t at = 0;
    while (at < COUNT(rows) && !fits(&rows[at], heard))
        at++;
    assert_true(at < COUNT(rows));
    used[at]++;
    if (jtgi_verdict_of(heard) != rows[at].verdict)
        fail_msg("row %zu: fate %d, said %d, sight %d, kept %u: got %d", at, (int)heard->fate,
                 (int)heard->said, (int)heard->sight, kept_of(heard), (int)jtgi_verdict_of(heard));
}

static void it_is_the_table(void **state)
{
    (void)state;
    assert_int_equal(for_each(check_row),
                     FATES * SAIDS * SIGHTS * COUNT(since_ms) * COUNT(needed_ms) * 8);
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_true(used[i] > 0);
}

/* ---- what it must never do ---- */

static const jtg_status failures[] = {JTG_ERR_UNAVAILABLE, JTG_ERR_REFUSED,    JTG_ERR_FULL,
                                      JTG_ERR_UNSAFE,      JTG_ERR_GROUP_FULL, JTG_ERR_CONTINUITY,
                                      JTG_ERR_TIMEOUT,     JTG_ERR_MEMORY};

/* The server said yes in this very round trip, everything that is needed was kept until then, and
 * as many as are asked for have it. */
static bool is_proven(const struct jtgi_heard *heard)
{
    bool kept = heard->needed_ms == JTGI_KEPT_ANY ||
                (heard->sight == JTGI_SIGHT_KEPT && heard->since_ms <= heard->needed_ms);
    return heard->fate == JTGI_FATE_ANSWERED && heard->said == JTGI_SAID_YES && heard->confirmed &&
           kept && heard->sight != JTGI_SIGHT_LOST && heard->sight != JTGI_SIGHT_UNSAFE;
}

static void check_admits(const struct jtgi_heard *heard)
{
    enum jtgi_verdict verdict = jtgi_verdict_of(heard);
    for (size_t i = 0; i < 2 * COUNT(failures); i++) {
        jtg_status status = jtgi_verdict_reserved(verdict, i % 2 != 0, failures[i / 2]);
        if (status == JTG_OK && !is_proven(heard))
            fail_msg("admitted: fate %d, said %d, sight %d", (int)heard->fate, (int)heard->said,
                     (int)heard->sight);
        assert_int_equal(status == JTG_REPLAYED,
                         heard->fate == JTGI_FATE_ANSWERED && heard->said == JTGI_SAID_NO);
    }
}

static void nothing_is_admitted_without_a_proof(void **state)
{
    (void)state;
    (void)for_each(check_admits);
}

/* Which answers say that nothing was stored: all but these. */
static bool leaves_it_open(jtg_status status)
{
    return status == JTG_OK || status == JTG_REPLAYED || status == JTG_ERR_TIMEOUT ||
           status == JTG_ERR_CONTINUITY || status == JTG_ERR_REPLICAS;
}

static void check_certain(const struct jtgi_heard *heard)
{
    enum jtgi_verdict verdict = jtgi_verdict_of(heard);
    bool maybe_done = jtgi_verdict_maybe_done(heard);
    bool acts = heard->said == JTGI_SAID_YES || heard->said == JTGI_SAID_NONSENSE;
    assert_int_equal(maybe_done, heard->fate == JTGI_FATE_UNKNOWN ||
                                     (heard->fate == JTGI_FATE_ANSWERED && acts));
    for (size_t i = 0; i < COUNT(failures); i++)
        assert_true(!maybe_done ||
                    leaves_it_open(jtgi_verdict_reserved(verdict, maybe_done, failures[i])));
}

static void what_may_be_stored_is_never_said_not_to_be(void **state)
{
    (void)state;
    (void)for_each(check_certain);
}

/* A question that was certainly not done, or whose answer stands, is not asked again: but for a
 * doubt, which the next round trip can settle. */
static void check_again(const struct jtgi_heard *heard)
{
    enum jtgi_verdict verdict = jtgi_verdict_of(heard);
    if (jtgi_verdict_asks_again(verdict))
        assert_true(jtgi_verdict_maybe_done(heard) || verdict == JTGI_VERDICT_DOUBTFUL);
    else
        assert_true(heard->fate != JTGI_FATE_UNKNOWN);
}

static void only_what_is_open_is_asked_again(void **state)
{
    (void)state;
    (void)for_each(check_again);
}

/* ---- what the caller is told ---- */

static void a_reserve_is_told(void **state)
{
    (void)state;
    for (int verdict = 0; verdict < VERDICTS; verdict++) {
        jtg_status sure = jtgi_verdict_reserved((enum jtgi_verdict)verdict, false, JTG_ERR_FULL);
        jtg_status open = jtgi_verdict_reserved((enum jtgi_verdict)verdict, true, JTG_ERR_FULL);
        assert_true(open == sure || (sure == JTG_ERR_FULL && open == JTG_ERR_TIMEOUT));
    }
    assert_status(jtgi_verdict_reserved(JTGI_VERDICT_YES, true, JTG_ERR_FULL), JTG_OK);
    assert_status(jtgi_verdict_reserved(JTGI_VERDICT_NO, true, JTG_ERR_FULL), JTG_REPLAYED);
    assert_status(jtgi_verdict_reserved(JTGI_VERDICT_FORGOTTEN, true, JTG_ERR_FULL),
                  JTG_ERR_CONTINUITY);
    assert_status(jtgi_verdict_reserved(JTGI_VERDICT_DOUBTFUL, true, JTG_ERR_FULL),
                  JTG_ERR_CONTINUITY);
    assert_status(jtgi_verdict_reserved(JTGI_VERDICT_UNCONFIRMED, true, JTG_ERR_FULL),
                  JTG_ERR_REPLICAS);
}

static jtg_status expect_released(enum jtgi_verdict verdict, bool lost)
{
    switch (verdict) {
    case JTGI_VERDICT_YES:
        return JTG_OK;
    case JTGI_VERDICT_NO:
        return JTG_NOT_OWNER;
    case JTGI_VERDICT_FREE:
        return lost ? JTG_OK : JTG_NOT_FOUND;
    case JTGI_VERDICT_UNCONFIRMED:
        return JTG_ERR_REPLICAS;
    default:
        return lost ? JTG_ERR_TIMEOUT : JTG_ERR_FULL;
    }
}

static void a_release_is_told(void **state)
{
    (void)state;
    for (int i = 0; i < 2 * VERDICTS; i++) {
        enum jtgi_verdict verdict = (enum jtgi_verdict)(i / 2);
        bool lost = i % 2 != 0;
        assert_status(jtgi_verdict_released(verdict, lost, JTG_ERR_FULL),
                      expect_released(verdict, lost));
    }
}

/* ---- how replies are read ---- */

static enum jtgi_said set_says(redisReply reply)
{
    return jtgi_said_to_set(&reply);
}

static enum jtgi_said script_says(long long number, enum jtgi_said minus_one)
{
    redisReply reply = {.type = REDIS_REPLY_INTEGER, .integer = number};
    return jtgi_said_by_script(&reply, minus_one);
}

static redisReply reply_of(int type, char *text)
{
    redisReply reply = {.type = type, .str = text, .len = strlen(text)};
    return reply;
}

static void set_says_ok_or_nil(void **state)
{
    char ok[] = "OK";
    char other[] = "OKAY";
    redisReply nil = {.type = REDIS_REPLY_NIL};
    redisReply one = {.type = REDIS_REPLY_INTEGER, .integer = 1};
    (void)state;
    assert_int_equal(jtgi_said_to_set(NULL), JTGI_SAID_NOTHING);
    assert_int_equal(set_says(reply_of(REDIS_REPLY_STATUS, ok)), JTGI_SAID_YES);
    assert_int_equal(set_says(nil), JTGI_SAID_NO);
    assert_int_equal(set_says(reply_of(REDIS_REPLY_STRING, ok)), JTGI_SAID_NONSENSE);
    assert_int_equal(set_says(reply_of(REDIS_REPLY_STATUS, other)), JTGI_SAID_NONSENSE);
    assert_int_equal(set_says(one), JTGI_SAID_NONSENSE);
}

static void a_script_says_a_number(void **state)
{
    char ok[] = "OK";
    char one[] = "1";
    redisReply status = reply_of(REDIS_REPLY_STATUS, ok);
    redisReply string = reply_of(REDIS_REPLY_STRING, one);
    (void)state;
    assert_int_equal(jtgi_said_by_script(NULL, JTGI_SAID_FREE), JTGI_SAID_NOTHING);
    assert_int_equal(jtgi_said_by_script(&status, JTGI_SAID_FREE), JTGI_SAID_NONSENSE);
    assert_int_equal(jtgi_said_by_script(&string, JTGI_SAID_FREE), JTGI_SAID_NONSENSE);
    assert_int_equal(script_says(1, JTGI_SAID_FREE), JTGI_SAID_YES);
    assert_int_equal(script_says(0, JTGI_SAID_FREE), JTGI_SAID_NO);
    assert_int_equal(script_says(-1, JTGI_SAID_FREE), JTGI_SAID_FREE);
    assert_int_equal(script_says(-1, JTGI_SAID_SHARE_FULL), JTGI_SAID_SHARE_FULL);
    assert_int_equal(script_says(-1, JTGI_SAID_NONSENSE), JTGI_SAID_NONSENSE);
    assert_int_equal(script_says(2, JTGI_SAID_FREE), JTGI_SAID_NONSENSE);
    assert_int_equal(script_says(-2, JTGI_SAID_FREE), JTGI_SAID_NONSENSE);
}

/* The last row's prefix is empty: an error without a word. */
static void every_error_has_done_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; jtgi_error_row_at(i) != NULL; i++) {
        char text[80];
        const struct jtgi_error_row *row = jtgi_error_row_at(i);
        enum jtgi_said expected = row->next == JTGI_NEXT_ASK ? JTGI_SAID_ASK : JTGI_SAID_ERROR;
        (void)snprintf(text, sizeof text, "%s1 2", row->prefix);
        redisReply reply = reply_of(REDIS_REPLY_ERROR, text);
        assert_int_equal(jtgi_said_to_set(&reply), expected);
        assert_int_equal(jtgi_said_by_script(&reply, JTGI_SAID_FREE), expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_the_table),
        cmocka_unit_test(nothing_is_admitted_without_a_proof),
        cmocka_unit_test(what_may_be_stored_is_never_said_not_to_be),
        cmocka_unit_test(only_what_is_open_is_asked_again),
        cmocka_unit_test(a_reserve_is_told),
        cmocka_unit_test(a_release_is_told),
        cmocka_unit_test(set_says_ok_or_nil),
        cmocka_unit_test(a_script_says_a_number),
        cmocka_unit_test(every_error_has_done_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
