/* SPDX-License-Identifier: Apache-2.0 */
/* Many reservations at once: each is answered by itself, and as a single one would have been. */
#include "contract/contract_case.h"
#include "support/threads.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FEW = 8 };

/* Some calls, and what they point to. */
struct some {
    jtg_reserve_call calls[FEW];
    jtg_owner owners[FEW];
    jtg_error errs[FEW];
    size_t count;
};

/* As if the last use of the memory had admitted everything. */
static void spoil(jtg_reserve_call *calls, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        calls[i].reserved = true;
        calls[i].status = JTG_OK;
    }
}

static jtg_reserve_call *add_key(struct some *some, jtg_key key, unsigned owner, uint64_t ttl_ms)
{
    static const jtg_error left = {JTG_ERR_SYSTEM, 1, "left from an earlier call"};
    size_t at = some->count++;
    some->owners[at] = owner_of(owner);
    some->errs[at] = left;
    some->calls[at] = (jtg_reserve_call){.key = key,
                                         .owner = &some->owners[at],
                                         .ttl_ms = ttl_ms,
                                         .kept_since_ms = JTG_KEPT_ANY,
                                         .err = &some->errs[at]};
    return &some->calls[at];
}

static jtg_reserve_call *add(struct some *some, const char *key, unsigned owner, uint64_t ttl_ms)
{
    return add_key(some, key_of(key), owner, ttl_ms);
}

static void ask(const struct fixture *f, struct some *some)
{
    spoil(some->calls, some->count);
    jtg_cache_reserve_many(f->cache, some->calls, some->count);
    for (size_t i = 0; i < some->count; i++) {
        const jtg_reserve_call *call = &some->calls[i];
        assert_int_equal(call->reserved, call->status == JTG_OK);
        if (call->err == NULL)
            continue;
        assert_err_tells(call->err, call->status);
        if (call->key.data_len >= 5) /* shorter ones may be words of the text by chance */
            assert_null(memmem(call->err->text, strlen(call->err->text), call->key.data,
                               call->key.data_len));
    }
}

/* ANSWERS(&some, status, …): these, in this order, and no more. */
#define ANSWERS(some, ...)                                                                         \
    answers_are((some), (const jtg_status[]){__VA_ARGS__},                                         \
                sizeof((const jtg_status[]){__VA_ARGS__}) / sizeof(jtg_status))

static void answers_are(const struct some *some, const jtg_status *expected, size_t count)
{
    assert_int_equal(some->count, count);
    for (size_t i = 0; i < count; i++)
        assert_status(some->calls[i].status, expected[i]);
}

/* ---- answers ---- */

static void each_is_answered_by_itself(void **state)
{
    const struct fixture *f = *state;
    struct some some = {.count = 0};
    assert_status(reserve(f, key_of("held"), 1, LIFE_MS), JTG_OK);
    add(&some, "new", 2, LIFE_MS);
    add(&some, "held", 2, LIFE_MS);
    add(&some, "newer", 3, LIFE_MS);
    add(&some, "held", 1, LIFE_MS);
    ask(f, &some);
    ANSWERS(&some, JTG_OK, JTG_REPLAYED, JTG_OK, JTG_OK);
    assert_int_equal(count(f), 3);
    assert_status(reserve(f, key_of("new"), 9, LIFE_MS), JTG_REPLAYED);
    assert_status(release(f, key_of("newer"), 3), JTG_OK);
    assert_status(release(f, key_of("held"), 1), JTG_OK);
}

static void equal_keys_are_answered_in_order(void **state)
{
    const struct fixture *f = *state;
    struct some some = {.count = 0};
    add(&some, "a jti", 1, LIFE_MS);
    add(&some, "a jti", 2, LIFE_MS);
    add(&some, "another", 2, LIFE_MS);
    add(&some, "a jti", 1, LIFE_MS);
    add(&some, "a jti", 3, LIFE_MS);
    add(&some, "another", 2, LIFE_MS);
    ask(f, &some);
    ANSWERS(&some, JTG_OK, JTG_REPLAYED, JTG_OK, JTG_OK, JTG_REPLAYED, JTG_OK);
    assert_int_equal(count(f), 2);
    assert_status(release(f, key_of("a jti"), 1), JTG_OK);
}

static void all_may_be_of_one_key(void **state)
{
    const struct fixture *f = *state;
    struct some some = {.count = 0};
    for (unsigned i = 0; i < FEW; i++)
        add(&some, "a jti", i, LIFE_MS);
    ask(f, &some);
    assert_true(some.calls[0].reserved);
    for (unsigned i = 1; i < FEW; i++)
        assert_status(some.calls[i].status, JTG_REPLAYED);
    ask(f, &some);
    assert_true(some.calls[0].reserved);
    assert_false(some.calls[1].reserved);
    assert_int_equal(count(f), 1);
}

static void each_has_its_own_life(void **state)
{
    const struct fixture *f = *state;
    struct some some = {.count = 0};
    add(&some, "short", 1, LIFE_MS);
    add(&some, "long", 1, 3 * LIFE_MS);
    add(&some, "grows", 1, LIFE_MS);
    add(&some, "grows", 1, 3 * LIFE_MS);
    add(&some, "stays", 1, 3 * LIFE_MS);
    add(&some, "stays", 1, LIFE_MS);
    ask(f, &some);
    ANSWERS(&some, JTG_OK, JTG_OK, JTG_OK, JTG_OK, JTG_OK, JTG_OK);
    advance_to_last_moment(f, LIFE_MS);
    assert_status(reserve(f, key_of("short"), 2, LIFE_MS), JTG_REPLAYED);
    advance_past_end(f);
    assert_status(reserve(f, key_of("short"), 2, LIFE_MS), JTG_OK);
    assert_status(reserve(f, key_of("long"), 2, LIFE_MS), JTG_REPLAYED);
    assert_status(reserve(f, key_of("grows"), 2, LIFE_MS), JTG_REPLAYED);
    assert_status(reserve(f, key_of("stays"), 2, LIFE_MS), JTG_REPLAYED);
}

static void a_bad_one_leaves_the_others_alone(void **state)
{
    const struct fixture *f = *state;
    struct some some = {.count = 0};
    jtg_key empty = {"", 0, NULL, 0};
    jtg_key no_group = {"a jti", 5, NULL, 3};
    add(&some, "one", 1, LIFE_MS);
    add_key(&some, empty, 1, LIFE_MS);
    add(&some, "two", 1, LIFE_MS);
    add(&some, "no life", 1, 0);
    add(&some, "no owner", 1, LIFE_MS)->owner = NULL;
    add_key(&some, no_group, 1, LIFE_MS);
    add(&some, "three", 1, LIFE_MS)->err = NULL;
    add(&some, "too long a life", 1, JTG_TTL_MAX_MS + 1)->err = NULL;
    ask(f, &some);
    ANSWERS(&some, JTG_OK, JTG_ERR_ARGUMENT, JTG_OK, JTG_ERR_ARGUMENT, JTG_ERR_ARGUMENT,
            JTG_ERR_ARGUMENT, JTG_OK, JTG_ERR_ARGUMENT);
    assert_int_equal(count(f), 3);
    assert_int_equal(jtg_cache_counter(f->cache, JTG_OP_RESERVE, JTG_OK), 3);
    assert_int_equal(jtg_cache_counter(f->cache, JTG_OP_RESERVE, JTG_ERR_ARGUMENT), 5);
}

static void none_that_is_good_may_be_among_them(void **state)
{
    const struct fixture *f = *state;
    jtg_reserve_call calls[3] = {JTG_RESERVE_CALL_INIT, JTG_RESERVE_CALL_INIT};
    memset(&calls[2], 0, sizeof calls[2]);
    spoil(calls, 3);
    jtg_cache_reserve_many(f->cache, calls, 3);
    for (unsigned i = 0; i < 3; i++) {
        assert_false(calls[i].reserved);
        assert_status(calls[i].status, JTG_ERR_ARGUMENT);
    }
    spoil(calls, 3);
    jtg_cache_reserve_many(NULL, calls, 3);
    for (unsigned i = 0; i < 3; i++)
        assert_false(calls[i].reserved);
    jtg_cache_reserve_many(f->cache, calls, 0);
    jtg_cache_reserve_many(f->cache, NULL, 3);
    assert_int_equal(count(f), 0);
}

static void each_is_counted(void **state)
{
    const struct fixture *f = *state;
    struct some some = {.count = 0};
    for (unsigned i = 0; i < FEW; i++)
        add(&some, i % 2 == 0 ? "even" : "odd", i, LIFE_MS);
    ask(f, &some);
    ask(f, &some);
    assert_int_equal(jtg_cache_counter(f->cache, JTG_OP_RESERVE, JTG_OK), 4);
    assert_int_equal(jtg_cache_counter(f->cache, JTG_OP_RESERVE, JTG_REPLAYED), 2 * FEW - 4);
}

/* ---- how many ---- */

/* So many calls of keys "n 0", "n 1", …, without errs. */
struct crowd {
    jtg_reserve_call calls[JTG_MANY_MAX + 1];
    char texts[JTG_MANY_MAX + 1][16];
    jtg_owner owner;
};

static void gather(struct crowd *crowd, unsigned owner)
{
    crowd->owner = owner_of(owner);
    for (unsigned i = 0; i <= JTG_MANY_MAX; i++) {
        (void)snprintf(crowd->texts[i], sizeof crowd->texts[i], "n %u", i);
        crowd->calls[i] = (jtg_reserve_call){.key = key_of(crowd->texts[i]),
                                             .owner = &crowd->owner,
                                             .ttl_ms = LIFE_MS + i,
                                             .kept_since_ms = JTG_KEPT_ANY};
    }
}

static unsigned ask_crowd(jtg_cache *cache, struct crowd *crowd, size_t count, jtg_status expected)
{
    unsigned answered = 0;
    spoil(crowd->calls, count);
    jtg_cache_reserve_many(cache, crowd->calls, count);
    for (size_t i = 0; i < count; i++)
        answered +=
            crowd->calls[i].status == expected && crowd->calls[i].reserved == (expected == JTG_OK);
    return answered;
}

static void as_many_as_may_be_are_taken(void **state)
{
    const struct fixture *f = *state;
    struct crowd *crowd = calloc(1, sizeof *crowd);
    assert_non_null(crowd);
    gather(crowd, 1);
    assert_int_equal(ask_crowd(f->cache, crowd, JTG_MANY_MAX, JTG_OK), JTG_MANY_MAX);
    assert_int_equal(count(f), JTG_MANY_MAX);
    assert_int_equal(ask_crowd(f->cache, crowd, JTG_MANY_MAX, JTG_OK), JTG_MANY_MAX);
    gather(crowd, 2);
    assert_int_equal(ask_crowd(f->cache, crowd, JTG_MANY_MAX, JTG_REPLAYED), JTG_MANY_MAX);
    free(crowd);
}

/* Nothing of it is done, for whoever asks so has counted wrongly. */
static void one_more_is_refused_with_all_the_others(void **state)
{
    const struct fixture *f = *state;
    struct crowd *crowd = calloc(1, sizeof *crowd);
    assert_non_null(crowd);
    gather(crowd, 1);
    assert_int_equal(ask_crowd(f->cache, crowd, JTG_MANY_MAX + 1, JTG_ERR_ARGUMENT),
                     JTG_MANY_MAX + 1);
    assert_int_equal(count(f), 0);
    free(crowd);
}

/* ---- a bound ---- */

enum { ROOM = 5 };

static void a_bound_is_met_in_the_middle(void **state)
{
    const struct fixture *f = *state;
    jtg_status full = f->row->limits.max_entries_per_group != 0 ? JTG_ERR_GROUP_FULL : JTG_ERR_FULL;
    struct some some = {.count = 0};
    static const char *const keys[FEW] = {"a", "b", "c", "d", "e", "f", "a", "g"};
    for (unsigned i = 0; i < FEW; i++)
        add_key(&some, key_in_group(keys[i], "group"), i % 6, LIFE_MS);
    ask(f, &some);
    ANSWERS(&some, JTG_OK, JTG_OK, JTG_OK, JTG_OK, JTG_OK, full, JTG_OK, full);
    assert_int_equal(count(f), ROOM);
}

/* ---- what was kept ---- */

static void each_needs_its_own_past(void **state)
{
    const struct fixture *f = *state;
    struct some some = {.count = 0};
    int64_t since_ms = 0;
    assert_status(jtg_cache_kept_since(f->cache, &since_ms, NULL), JTG_OK);
    add(&some, "any", 1, LIFE_MS);
    add(&some, "enough", 1, LIFE_MS)->kept_since_ms = since_ms;
    add(&some, "too much", 1, LIFE_MS)->kept_since_ms = since_ms - 1;
    add(&some, "the fourth", 1, LIFE_MS)->kept_since_ms = INT64_MIN;
    add(&some, "enough", 2, LIFE_MS)->kept_since_ms = since_ms;
    add(&some, "any", 1, LIFE_MS)->kept_since_ms = since_ms;
    ask(f, &some);
    ANSWERS(&some, JTG_OK, JTG_OK, JTG_ERR_CONTINUITY, JTG_ERR_CONTINUITY, JTG_REPLAYED, JTG_OK);
    assert_int_equal(count(f), 2);
}

static void a_loss_is_noticed_by_those_that_need_it(void **state)
{
    const struct fixture *f = *state;
    struct some some = {.count = 0};
    int64_t since_ms = 0;
    assert_status(jtg_cache_kept_since(f->cache, &since_ms, NULL), JTG_OK);
    add(&some, "a jti", 1, LIFE_MS)->kept_since_ms = since_ms;
    ask(f, &some);
    ANSWERS(&some, JTG_OK);
    forget(f, since_ms);
    add(&some, "a jti", 2, LIFE_MS)->kept_since_ms = since_ms;
    some.calls[0].owner = &some.owners[1];
    ask(f, &some);
    ANSWERS(&some, JTG_ERR_CONTINUITY, JTG_ERR_CONTINUITY);
}

static void nothing_kept_can_be_asked_of_who_does_not_watch(void **state)
{
    const struct fixture *f = *state;
    struct some some = {.count = 0};
    if ((f->backend->offers & CONTRACT_WATCHES) != 0)
        return;
    add(&some, "one", 1, LIFE_MS);
    add(&some, "two", 1, LIFE_MS)->kept_since_ms = 0;
    add(&some, "three", 1, LIFE_MS);
    ask(f, &some);
    ANSWERS(&some, JTG_OK, JTG_ERR_UNSUPPORTED, JTG_OK);
    assert_int_equal(count(f), 2);
}

/* ---- many threads, and a child ---- */

enum { THREADS = 6, TOKENS = 64, ROUNDS = 40 };

struct race {
    const struct fixture *f;
    jtg_cache *handles[THREADS];
    atomic_uint admitted[ROUNDS * TOKENS];
    atomic_uint wrong;
};

static void note(struct race *race, unsigned token, jtg_status status)
{
    if (status == JTG_OK)
        atomic_fetch_add(&race->admitted[token], 1);
    else if (status != JTG_REPLAYED)
        atomic_fetch_add(&race->wrong, 1);
}

/* A round's tokens twice, the second time for another owner; every thread in another order. */
static void present_twice(struct race *race, unsigned thread, unsigned round)
{
    jtg_reserve_call calls[2 * TOKENS];
    jtg_owner owners[2] = {owner_of(2 * thread), owner_of(2 * thread + 1)};
    unsigned tokens[2 * TOKENS];
    for (unsigned i = 0; i < 2 * TOKENS; i++) {
        tokens[i] = round * TOKENS + (i * (2 * thread + 1) + thread) % TOKENS;
        calls[i] = (jtg_reserve_call){.key = key_of_bytes(&tokens[i], sizeof tokens[i]),
                                      .owner = &owners[i / TOKENS],
                                      .ttl_ms = LIFE_MS,
                                      .kept_since_ms = JTG_KEPT_ANY};
    }
    jtg_cache_reserve_many(race->handles[thread], calls, 2 * (size_t)TOKENS);
    for (unsigned i = 0; i < 2 * TOKENS; i++)
        note(race, tokens[i], calls[i].status);
}

static void present_singly(struct race *race, unsigned thread, unsigned round)
{
    jtg_owner owner = owner_of(2 * thread);
    for (unsigned i = 0; i < TOKENS; i++) {
        unsigned token = round * TOKENS + i;
        jtg_key key = key_of_bytes(&token, sizeof token);
        note(race, token, jtg_cache_reserve(race->handles[thread], &key, &owner, LIFE_MS, NULL));
    }
}

static void present_each_round(void *context, unsigned thread)
{
    for (unsigned round = 0; round < ROUNDS; round++)
        if (thread % 3 == 2)
            present_singly(context, thread, round);
        else
            present_twice(context, thread, round);
}

static void of_many_batches_one_wins_each_token(void **state)
{
    const struct fixture *f = *state;
    bool shared = (f->backend->offers & CONTRACT_SHARED) != 0;
    struct race *race = calloc(1, sizeof *race);
    assert_non_null(race);
    race->f = f;
    for (unsigned i = 0; i < THREADS; i++)
        race->handles[i] = shared ? f->backend->open_again(f->store) : f->cache;
    threads_run(THREADS, present_each_round, race);
    for (unsigned i = 0; shared && i < THREADS; i++)
        jtg_cache_free(race->handles[i]);
    assert_int_equal(atomic_load(&race->wrong), 0);
    for (unsigned token = 0; token < ROUNDS * TOKENS; token++)
        assert_int_equal(atomic_load(&race->admitted[token]), 1);
    free(race);
}

static void a_child_is_refused_each_of_them(void **state)
{
    const struct fixture *f = *state;
    jtg_owner owner = owner_of(1);
    jtg_reserve_call calls[3] = {
        {.key = key_of("one"), .owner = &owner, .ttl_ms = LIFE_MS, .kept_since_ms = JTG_KEPT_ANY},
        {.key = key_of("two"), .owner = &owner, .ttl_ms = LIFE_MS, .kept_since_ms = JTG_KEPT_ANY},
        JTG_RESERVE_CALL_INIT};
    pid_t child = fork();
    assert_int_not_equal(child, -1);
    if (child == 0) {
        int refused = 0;
        spoil(calls, 3);
        jtg_cache_reserve_many(f->cache, calls, 3);
        for (unsigned i = 0; i < 3; i++)
            refused += calls[i].status == JTG_ERR_FORKED && !calls[i].reserved;
        jtg_cache_free(f->cache);
        _exit(refused);
    }
    int how = 0;
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFEXITED(how));
    assert_int_equal(WEXITSTATUS(how), 3);
    jtg_cache_reserve_many(f->cache, calls, 3);
    assert_true(calls[0].reserved && calls[1].reserved && !calls[2].reserved);
}

const struct contract_case contract_many[] = {
    {CONTRACT_CASE(each_is_answered_by_itself)},
    {CONTRACT_CASE(equal_keys_are_answered_in_order)},
    {CONTRACT_CASE(all_may_be_of_one_key)},
    {CONTRACT_CASE(each_has_its_own_life)},
    {CONTRACT_CASE(a_bad_one_leaves_the_others_alone)},
    {CONTRACT_CASE(none_that_is_good_may_be_among_them)},
    {CONTRACT_CASE(each_is_counted)},
    {CONTRACT_CASE(as_many_as_may_be_are_taken)},
    {CONTRACT_CASE(one_more_is_refused_with_all_the_others)},
    {.name = "many_meet_the_bound_of_the_store",
     .run = a_bound_is_met_in_the_middle,
     .needs = CONTRACT_BOUND,
     .limits = {.max_entries = ROOM}},
    {.name = "many_meet_the_share_of_a_group",
     .run = a_bound_is_met_in_the_middle,
     .needs = CONTRACT_GROUP_SHARE,
     .limits = {.max_entries_per_group = ROOM}},
    {CONTRACT_CASE(each_needs_its_own_past), .needs = CONTRACT_WATCHES},
    {CONTRACT_CASE(a_loss_is_noticed_by_those_that_need_it), .needs = CONTRACT_WATCHES},
    {CONTRACT_CASE(nothing_kept_can_be_asked_of_who_does_not_watch)},
    {CONTRACT_CASE(of_many_batches_one_wins_each_token)},
    {CONTRACT_CASE(a_child_is_refused_each_of_them)},
    {.name = NULL},
};
