/* SPDX-License-Identifier: Apache-2.0 */
/* Bitmaps: each bit is taken once, whoever asks, and what cannot be known is not given. */
#include "contract/contract_case.h"
#include "support/threads.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BITS = 64, FEW = 8, ROOM = 5 };

static jtg_status make_of(const struct fixture *f, const char *text, uint32_t bits, uint64_t ttl_ms)
{
    jtg_error err = {JTG_ERR_SYSTEM, 1, "left from an earlier call"};
    jtg_key key = key_of(text);
    jtg_status status = jtg_cache_bitmap_put(f->cache, &key, bits, ttl_ms, JTG_KEPT_ANY, &err);
    assert_err_tells(&err, status);
    if (strlen(text) >= 5) /* shorter ones may be words of the text by chance */
        assert_null(strstr(err.text, text));
    return status;
}

static jtg_status make(const struct fixture *f, const char *text)
{
    return make_of(f, text, BITS, LIFE_MS);
}

static jtg_status take_kept(const struct fixture *f, const char *text, uint32_t bit,
                            int64_t kept_since_ms)
{
    jtg_error err = {JTG_ERR_SYSTEM, 1, "left from an earlier call"};
    jtg_key key = key_of(text);
    jtg_status status = jtg_cache_bitmap_take(f->cache, &key, bit, kept_since_ms, &err);
    assert_err_tells(&err, status);
    return status;
}

static jtg_status take(const struct fixture *f, const char *text, uint32_t bit)
{
    return take_kept(f, text, bit, JTG_KEPT_ANY);
}

/* ---- answers ---- */

static void each_bit_is_taken_once(void **state)
{
    const struct fixture *f = *state;
    assert_status(make(f, "a bitmap"), JTG_OK);
    for (uint32_t bit = 0; bit < BITS; bit++)
        assert_status(take(f, "a bitmap", (bit * 7) % BITS), JTG_OK);
    for (uint32_t bit = 0; bit < BITS; bit++)
        assert_status(take(f, "a bitmap", bit), JTG_REPLAYED);
    assert_int_equal(jtg_cache_counter(f->cache, JTG_OP_BITMAP_TAKE, JTG_OK), BITS);
    assert_int_equal(jtg_cache_counter(f->cache, JTG_OP_BITMAP_TAKE, JTG_REPLAYED), BITS);
    assert_int_equal(jtg_cache_counter(f->cache, JTG_OP_BITMAP_PUT, JTG_OK), 1);
}

static void none_is_made_by_taking(void **state)
{
    const struct fixture *f = *state;
    assert_status(take(f, "a bitmap", 0), JTG_NOT_FOUND);
    assert_status(take(f, "a bitmap", 0), JTG_NOT_FOUND);
    assert_int_equal(count(f), 0);
    assert_status(make(f, "a bitmap"), JTG_OK);
    assert_status(take(f, "a bitmap", BITS), JTG_NOT_FOUND);
    assert_status(take(f, "a bitmap", BITS), JTG_NOT_FOUND);
    assert_status(take(f, "a bitmap", JTG_BITMAP_MAX_BITS), JTG_NOT_FOUND);
    assert_status(take(f, "a bitmap", UINT32_MAX), JTG_NOT_FOUND);
    assert_status(take(f, "a bitmap", BITS - 1), JTG_OK);
    assert_int_equal(count(f), 1);
}

static void a_live_one_is_not_written_over(void **state)
{
    const struct fixture *f = *state;
    assert_status(make(f, "a bitmap"), JTG_OK);
    assert_status(take(f, "a bitmap", 3), JTG_OK);
    assert_status(make(f, "a bitmap"), JTG_REPLAYED);
    assert_status(make_of(f, "a bitmap", 2 * BITS, 3 * LIFE_MS), JTG_REPLAYED);
    assert_status(take(f, "a bitmap", 3), JTG_REPLAYED);
    assert_status(take(f, "a bitmap", BITS), JTG_NOT_FOUND);
    advance_to_last_moment(f, LIFE_MS);
    assert_status(take(f, "a bitmap", 3), JTG_REPLAYED);
    assert_status(take(f, "a bitmap", 4), JTG_OK);
    advance_past_end(f);
    assert_status(take(f, "a bitmap", 5), JTG_NOT_FOUND);
    assert_status(make(f, "a bitmap"), JTG_OK);
    assert_status(take(f, "a bitmap", 3), JTG_OK);
}

static void it_lies_apart_from_all_else_of_its_key(void **state)
{
    const struct fixture *f = *state;
    assert_status(make(f, "a key"), JTG_OK);
    assert_status(reserve(f, key_of("a key"), 1, LIFE_MS), JTG_OK);
    assert_int_equal(count(f), 2);
    assert_status(take(f, "a key", 1), JTG_OK);
    assert_status(release(f, key_of("a key"), 1), JTG_OK);
    assert_status(take(f, "a key", 1), JTG_REPLAYED);
    assert_int_equal(count(f), 1);
    if ((f->backend->offers & CONTRACT_VALUES) == 0)
        return;
    get_is(f, key_of("a key"), NULL);
    assert_status(put(f, key_of("a key"), "value", LIFE_MS, 1), JTG_OK);
    assert_status(take(f, "a key", 1), JTG_REPLAYED);
    get_is(f, key_of("a key"), "value");
    assert_status(drop(f, key_of("a key")), JTG_OK);
    assert_status(take(f, "a key", 2), JTG_OK);
}

static void it_goes_with_all_else(void **state)
{
    const struct fixture *f = *state;
    assert_status(make(f, "one"), JTG_OK);
    assert_status(make(f, "two"), JTG_OK);
    assert_int_equal(count(f), 2);
    assert_status(clear(f), JTG_OK);
    assert_int_equal(count(f), 0);
    assert_status(take(f, "one", 0), JTG_NOT_FOUND);
}

/* All bits of the largest one, from both ends. */
static void it_may_be_large(void **state)
{
    const struct fixture *f = *state;
    assert_status(make_of(f, "large", JTG_BITMAP_MAX_BITS, LIFE_MS), JTG_OK);
    assert_status(take(f, "large", JTG_BITMAP_MAX_BITS - 1), JTG_OK);
    assert_status(take(f, "large", JTG_BITMAP_MAX_BITS - 1), JTG_REPLAYED);
    assert_status(take(f, "large", 0), JTG_OK);
    assert_status(make_of(f, "small", 1, LIFE_MS), JTG_OK);
    assert_status(take(f, "small", 0), JTG_OK);
    assert_status(take(f, "small", 0), JTG_REPLAYED);
    assert_status(take(f, "small", 8), JTG_NOT_FOUND);
}

/* ---- many at once ---- */

static void ask(const struct fixture *f, jtg_bitmap_call *calls, size_t number)
{
    for (size_t i = 0; i < number; i++) { /* as if the last use had given everything */
        calls[i].taken = true;
        calls[i].status = JTG_OK;
    }
    jtg_cache_bitmap_take_many(f->cache, calls, number);
    for (size_t i = 0; i < number; i++)
        assert_int_equal(calls[i].taken, calls[i].status == JTG_OK);
}

static jtg_bitmap_call call_of(const char *text, uint32_t bit)
{
    return (jtg_bitmap_call){.key = key_of(text), .bit = bit, .kept_since_ms = JTG_KEPT_ANY};
}

static void each_of_many_is_answered_by_itself(void **state)
{
    const struct fixture *f = *state;
    jtg_bitmap_call calls[] = {call_of("one", 1),  call_of("two", 1),   call_of("one", 1),
                               call_of("none", 1), call_of("one", 2),   call_of("two", 1),
                               call_of("", 1),     call_of("one", BITS)};
    static const jtg_status expected[] = {JTG_OK, JTG_OK,       JTG_REPLAYED,     JTG_NOT_FOUND,
                                          JTG_OK, JTG_REPLAYED, JTG_ERR_ARGUMENT, JTG_NOT_FOUND};
    assert_status(make(f, "one"), JTG_OK);
    assert_status(make(f, "two"), JTG_OK);
    ask(f, calls, FEW);
    for (unsigned i = 0; i < FEW; i++)
        assert_status(calls[i].status, expected[i]);
    ask(f, calls, 3);
    for (unsigned i = 0; i < 3; i++)
        assert_status(calls[i].status, JTG_REPLAYED);
}

static void many_bits_are_taken_at_once(void **state)
{
    const struct fixture *f = *state;
    jtg_bitmap_call *calls = calloc((size_t)JTG_MANY_MAX + 1, sizeof *calls);
    assert_non_null(calls);
    assert_status(make_of(f, "many", 4 * JTG_MANY_MAX, LIFE_MS), JTG_OK);
    for (uint32_t i = 0; i <= JTG_MANY_MAX; i++)
        calls[i] = call_of("many", i * 4 % (4 * JTG_MANY_MAX + 1));
    ask(f, calls, JTG_MANY_MAX + 1);
    for (unsigned i = 0; i <= JTG_MANY_MAX; i++)
        assert_status(calls[i].status, JTG_ERR_ARGUMENT);
    ask(f, calls, JTG_MANY_MAX);
    for (unsigned i = 0; i < JTG_MANY_MAX; i++)
        assert_status(calls[i].status, JTG_OK);
    ask(f, calls, JTG_MANY_MAX);
    for (unsigned i = 0; i < JTG_MANY_MAX; i++)
        assert_status(calls[i].status, JTG_REPLAYED);
    free(calls);
}

static void bad_arguments_are_refused(void **state)
{
    const struct fixture *f = *state;
    jtg_bitmap_call zero;
    jtg_key key = key_of("a bitmap");
    memset(&zero, 0, sizeof zero);
    ask(f, &zero, 1);
    assert_status(zero.status, JTG_ERR_ARGUMENT);
    jtg_cache_bitmap_take_many(f->cache, NULL, 3);
    jtg_cache_bitmap_take_many(NULL, &zero, 1);
    assert_status(zero.status, JTG_ERR_ARGUMENT);
    assert_status(make_of(f, "a bitmap", 0, LIFE_MS), JTG_ERR_ARGUMENT);
    assert_status(make_of(f, "a bitmap", JTG_BITMAP_MAX_BITS + 1, LIFE_MS), JTG_ERR_ARGUMENT);
    assert_status(make_of(f, "a bitmap", BITS, 0), JTG_ERR_ARGUMENT);
    assert_status(make_of(f, "a bitmap", BITS, JTG_TTL_MAX_MS + 1), JTG_ERR_ARGUMENT);
    assert_status(jtg_cache_bitmap_put(f->cache, NULL, BITS, LIFE_MS, JTG_KEPT_ANY, NULL),
                  JTG_ERR_ARGUMENT);
    assert_status(jtg_cache_bitmap_take(f->cache, NULL, 0, JTG_KEPT_ANY, NULL), JTG_ERR_ARGUMENT);
    assert_status(jtg_cache_bitmap_take(NULL, &key, 0, JTG_KEPT_ANY, NULL), JTG_ERR_ARGUMENT);
    assert_int_equal(count(f), 0);
}

static void who_keeps_none_says_so(void **state)
{
    const struct fixture *f = *state;
    if ((f->backend->offers & CONTRACT_BITMAPS) != 0)
        return;
    assert_status(make(f, "a bitmap"), JTG_ERR_UNSUPPORTED);
    assert_status(take(f, "a bitmap", 0), JTG_ERR_UNSUPPORTED);
    assert_int_equal(count(f), 0);
}

/* ---- a bound ---- */

static void a_full_store_makes_none_and_loses_none(void **state)
{
    const struct fixture *f = *state;
    static const char *const names[] = {"a", "b", "c", "d", "e", "f"};
    for (unsigned i = 0; i < ROOM; i++)
        assert_status(make(f, names[i]), JTG_OK);
    assert_status(make(f, names[ROOM]), JTG_ERR_FULL);
    for (unsigned i = 0; i < ROOM; i++)
        assert_status(take(f, names[i], 1), JTG_OK);
    assert_status(make(f, names[ROOM]), JTG_ERR_FULL);
    for (unsigned i = 0; i < ROOM; i++)
        assert_status(take(f, names[i], 1), JTG_REPLAYED);
}

/* ---- what was kept ---- */

static void what_is_needed_must_have_been_kept(void **state)
{
    const struct fixture *f = *state;
    int64_t since_ms = 0;
    jtg_key key = key_of("a bitmap");
    assert_status(jtg_cache_kept_since(f->cache, &since_ms, NULL), JTG_OK);
    assert_status(jtg_cache_bitmap_put(f->cache, &key, BITS, LIFE_MS, since_ms - 1, NULL),
                  JTG_ERR_CONTINUITY);
    assert_status(jtg_cache_bitmap_put(f->cache, &key, BITS, LIFE_MS, since_ms, NULL), JTG_OK);
    assert_status(take_kept(f, "a bitmap", 0, since_ms - 1), JTG_ERR_CONTINUITY);
    assert_status(take_kept(f, "a bitmap", 1, INT64_MIN), JTG_ERR_CONTINUITY);
    assert_status(take_kept(f, "a bitmap", 2, since_ms), JTG_OK);
    assert_status(take_kept(f, "a bitmap", 2, since_ms), JTG_REPLAYED);
    jtg_bitmap_call calls[] = {call_of("a bitmap", 4), call_of("a bitmap", 5),
                               call_of("a bitmap", 6), call_of("a bitmap", 4)};
    calls[1].kept_since_ms = since_ms - 1;
    calls[2].kept_since_ms = since_ms;
    ask(f, calls, 4);
    assert_status(calls[0].status, JTG_OK);
    assert_status(calls[1].status, JTG_ERR_CONTINUITY);
    assert_status(calls[2].status, JTG_OK);
    assert_status(calls[3].status, JTG_REPLAYED);
}

static void nothing_is_given_after_a_loss(void **state)
{
    const struct fixture *f = *state;
    int64_t since_ms = 0;
    assert_status(jtg_cache_kept_since(f->cache, &since_ms, NULL), JTG_OK);
    assert_status(make(f, "a bitmap"), JTG_OK);
    assert_status(take_kept(f, "a bitmap", 0, since_ms), JTG_OK);
    forget(f, since_ms);
    jtg_status first = take_kept(f, "a bitmap", 0, since_ms);
    assert_true(first == JTG_ERR_CONTINUITY || first == JTG_NOT_FOUND);
    assert_status(make(f, "a bitmap"), JTG_OK); /* as a copy of older data would have it */
    assert_status(take_kept(f, "a bitmap", 0, since_ms), JTG_ERR_CONTINUITY);
    assert_status(jtg_cache_kept_since(f->cache, &since_ms, NULL), JTG_OK);
    assert_status(take_kept(f, "a bitmap", 1, since_ms), JTG_OK);
}

static void nothing_kept_can_be_asked_of_who_does_not_watch(void **state)
{
    const struct fixture *f = *state;
    jtg_key key = key_of("a bitmap");
    if ((f->backend->offers & CONTRACT_WATCHES) != 0)
        return;
    assert_status(jtg_cache_bitmap_put(f->cache, &key, BITS, LIFE_MS, 0, NULL),
                  JTG_ERR_UNSUPPORTED);
    assert_status(make(f, "a bitmap"), JTG_OK);
    assert_status(take_kept(f, "a bitmap", 0, 0), JTG_ERR_UNSUPPORTED);
    assert_status(take(f, "a bitmap", 0), JTG_OK);
}

/* ---- many threads, and a child ---- */

enum { THREADS = 6, ROUNDS = 20, AT_ONCE = 32, RACE_BITS = ROUNDS * AT_ONCE };

struct race {
    jtg_cache *handles[THREADS];
    atomic_uint taken[RACE_BITS];
    atomic_uint wrong;
};

static void note(struct race *race, const jtg_bitmap_call *call)
{
    if (call->taken)
        atomic_fetch_add(&race->taken[call->bit], 1);
    else if (call->status != JTG_REPLAYED)
        atomic_fetch_add(&race->wrong, 1);
}

/* A round's bits, every thread in another order, every third one singly. */
static void take_each_round(void *context, unsigned thread)
{
    struct race *race = context;
    for (unsigned round = 0; round < ROUNDS; round++) {
        jtg_bitmap_call calls[AT_ONCE];
        for (unsigned i = 0; i < AT_ONCE; i++)
            calls[i] =
                call_of("a bitmap", round * AT_ONCE + (i * (2 * thread + 1) + thread) % AT_ONCE);
        size_t step = thread % 3 == 2 ? 1 : AT_ONCE;
        for (unsigned i = 0; i < AT_ONCE; i += (unsigned)step)
            jtg_cache_bitmap_take_many(race->handles[thread], &calls[i], step);
        for (unsigned i = 0; i < AT_ONCE; i++)
            note(race, &calls[i]);
    }
}

static void of_many_threads_one_gets_each_bit(void **state)
{
    const struct fixture *f = *state;
    bool shared = (f->backend->offers & CONTRACT_SHARED) != 0;
    struct race *race = calloc(1, sizeof *race);
    assert_non_null(race);
    assert_status(make_of(f, "a bitmap", RACE_BITS, LIFE_MS), JTG_OK);
    for (unsigned i = 0; i < THREADS; i++)
        race->handles[i] = shared ? f->backend->open_again(f->store) : f->cache;
    threads_run(THREADS, take_each_round, race);
    for (unsigned i = 0; shared && i < THREADS; i++)
        jtg_cache_free(race->handles[i]);
    assert_int_equal(atomic_load(&race->wrong), 0);
    for (unsigned bit = 0; bit < RACE_BITS; bit++)
        assert_int_equal(atomic_load(&race->taken[bit]), 1);
    free(race);
}

static void a_child_gets_none(void **state)
{
    const struct fixture *f = *state;
    assert_status(make(f, "a bitmap"), JTG_OK);
    jtg_bitmap_call calls[] = {call_of("a bitmap", 0), call_of("a bitmap", 1)};
    pid_t child = fork();
    assert_int_not_equal(child, -1);
    if (child == 0) {
        jtg_cache_bitmap_take_many(f->cache, calls, 2);
        int refused = !calls[0].taken && calls[0].status == JTG_ERR_FORKED && !calls[1].taken;
        jtg_cache_free(f->cache);
        _exit(refused);
    }
    int how = 0;
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFEXITED(how));
    assert_int_equal(WEXITSTATUS(how), 1);
    ask(f, calls, 2);
    assert_true(calls[0].taken && calls[1].taken);
}

#define BITMAPS(function) CONTRACT_CASE(function), .needs = CONTRACT_BITMAPS

const struct contract_case contract_bitmaps[] = {
    {BITMAPS(each_bit_is_taken_once)},
    {BITMAPS(none_is_made_by_taking)},
    {BITMAPS(a_live_one_is_not_written_over)},
    {BITMAPS(it_lies_apart_from_all_else_of_its_key)},
    {BITMAPS(it_goes_with_all_else)},
    {BITMAPS(it_may_be_large)},
    {BITMAPS(each_of_many_is_answered_by_itself)},
    {BITMAPS(many_bits_are_taken_at_once)},
    {CONTRACT_CASE(bad_arguments_are_refused)},
    {CONTRACT_CASE(who_keeps_none_says_so)},
    {CONTRACT_CASE(a_full_store_makes_none_and_loses_none),
     .needs = CONTRACT_BITMAPS | CONTRACT_BOUND, .limits = {.max_values = ROOM}},
    {CONTRACT_CASE(what_is_needed_must_have_been_kept),
     .needs = CONTRACT_BITMAPS | CONTRACT_WATCHES},
    {CONTRACT_CASE(nothing_is_given_after_a_loss), .needs = CONTRACT_BITMAPS | CONTRACT_WATCHES},
    {BITMAPS(nothing_kept_can_be_asked_of_who_does_not_watch)},
    {BITMAPS(of_many_threads_one_gets_each_bit)},
    {BITMAPS(a_child_gets_none)},
    {.name = NULL},
};
