/* SPDX-License-Identifier: Apache-2.0 */
/* A store that forgets, and a cache that notices. */
#include "contract/contract_case.h"

static jtg_status reserve_kept_on(jtg_cache *cache, const char *text, unsigned owner,
                                  int64_t kept_since_ms)
{
    jtg_error err = {JTG_ERR_SYSTEM, 1, "left from an earlier call"};
    jtg_key key = key_of(text);
    jtg_owner by = owner_of(owner);
    jtg_status status = jtg_cache_reserve_kept(cache, &key, &by, LIFE_MS, kept_since_ms, &err);
    assert_err_tells(&err, status);
    return status;
}

static jtg_status reserve_kept(const struct fixture *f, const char *text, unsigned owner,
                               int64_t kept_since_ms)
{
    return reserve_kept_on(f->cache, text, owner, kept_since_ms);
}

static int64_t kept_since(jtg_cache *cache)
{
    int64_t since_ms = INT64_MAX;
    assert_status(jtg_cache_kept_since(cache, &since_ms, NULL), JTG_OK);
    return since_ms;
}

static void it_says_whether_it_watches(void **state)
{
    const struct fixture *f = *state;
    int64_t since_ms = 7;
    bool offered = (f->backend->offers & CONTRACT_WATCHES) != 0;
    assert_int_equal(jtg_cache_watches(f->cache) != 0, offered);
    if (offered)
        return;
    assert_status(reserve_kept(f, "a jti", 1, INT64_MAX), JTG_ERR_UNSUPPORTED);
    assert_status(jtg_cache_kept_since(f->cache, &since_ms, NULL), JTG_ERR_UNSUPPORTED);
    assert_status(jtg_cache_epoch(f->cache, &since_ms, NULL), JTG_ERR_UNSUPPORTED);
    assert_int_equal(since_ms, 7);
    assert_int_equal(count(f), 0);
}

static void what_was_kept_is_enough(void **state)
{
    const struct fixture *f = *state;
    int64_t since_ms = kept_since(f->cache);
    assert_status(reserve_kept(f, "a jti", 1, since_ms), JTG_OK);
    assert_status(reserve_kept(f, "a jti", 1, INT64_MAX), JTG_OK);
    assert_status(reserve_kept(f, "a jti", 2, since_ms), JTG_REPLAYED);
    assert_status(reserve(f, key_of("a jti"), 2, LIFE_MS), JTG_REPLAYED);
    assert_status(release(f, key_of("a jti"), 1), JTG_OK);
    assert_status(reserve_kept(f, "a jti", 2, since_ms), JTG_OK);
    assert_int_equal(kept_since(f->cache), since_ms);
}

/* A millisecond decides, and what is refused is not stored. */
static void more_than_was_kept_is_refused(void **state)
{
    const struct fixture *f = *state;
    int64_t since_ms = kept_since(f->cache);
    assert_status(reserve_kept(f, "a jti", 1, since_ms - 1), JTG_ERR_CONTINUITY);
    assert_status(reserve_kept(f, "a jti", 1, INT64_MIN), JTG_ERR_CONTINUITY);
    assert_int_equal(count(f), 0);
    assert_status(reserve_kept(f, "a jti", 2, since_ms), JTG_OK);
    assert_int_equal(jtg_cache_counter(f->cache, JTG_OP_RESERVE, JTG_ERR_CONTINUITY), 2);
}

static void a_loss_is_noticed(void **state)
{
    const struct fixture *f = *state;
    int64_t before_ms = kept_since(f->cache);
    assert_status(reserve_kept(f, "a jti", 1, before_ms), JTG_OK);
    forget(f, before_ms);
    assert_status(reserve_kept(f, "a jti", 2, before_ms), JTG_ERR_CONTINUITY);
    int64_t after_ms = kept_since(f->cache);
    assert_true(after_ms > before_ms);
    assert_status(reserve_kept(f, "another jti", 2, after_ms - 1), JTG_ERR_CONTINUITY);
    assert_status(reserve_kept(f, "another jti", 2, after_ms), JTG_OK);
}

/* Whoever asks first, kept_since or reserve_kept, and however often. */
static void every_loss_is_noticed(void **state)
{
    const struct fixture *f = *state;
    int64_t before_ms = kept_since(f->cache);
    for (unsigned round = 0; round < 3; round++) {
        forget(f, before_ms);
        int64_t after_ms = kept_since(f->cache);
        assert_true(after_ms > before_ms);
        assert_status(reserve_kept(f, "a jti", round, before_ms), JTG_ERR_CONTINUITY);
        assert_status(reserve_kept(f, "a jti", round, after_ms), JTG_OK);
        before_ms = after_ms;
    }
}

/* reserve asks for nothing to have been kept. */
static void reserve_goes_on_after_a_loss(void **state)
{
    const struct fixture *f = *state;
    assert_status(reserve(f, key_of("a jti"), 1, LIFE_MS), JTG_OK);
    forget(f, 0);
    assert_status(reserve(f, key_of("a jti"), 2, LIFE_MS), JTG_OK);
    assert_status(reserve(f, key_of("a jti"), 1, LIFE_MS), JTG_REPLAYED);
    assert_status(release(f, key_of("a jti"), 2), JTG_OK);
}

static void clear_is_a_loss(void **state)
{
    const struct fixture *f = *state;
    int64_t before_ms = kept_since(f->cache);
    assert_status(reserve_kept(f, "a jti", 1, before_ms), JTG_OK);
    let_time_pass(f, before_ms);
    assert_status(clear(f), JTG_OK);
    assert_status(reserve_kept(f, "a jti", 2, before_ms), JTG_ERR_CONTINUITY);
}

static void every_cache_on_the_store_notices(void **state)
{
    const struct fixture *f = *state;
    jtg_cache *other = f->backend->open_again(f->store);
    int64_t before_ms = kept_since(f->cache);
    assert_int_equal(kept_since(other), before_ms);
    assert_status(reserve_kept(f, "a jti", 1, before_ms), JTG_OK);
    assert_status(reserve_kept_on(other, "a jti", 2, before_ms), JTG_REPLAYED);
    forget(f, before_ms);
    assert_status(reserve_kept_on(other, "a jti", 2, before_ms), JTG_ERR_CONTINUITY);
    /* What was refused may be reserved all the same. */
    assert_status(reserve_kept(f, "another jti", 1, before_ms), JTG_ERR_CONTINUITY);
    int64_t after_ms = kept_since(f->cache);
    assert_int_equal(kept_since(other), after_ms);
    assert_status(reserve_kept(f, "another jti", 1, after_ms), JTG_OK);
    assert_status(reserve_kept_on(other, "another jti", 2, after_ms), JTG_REPLAYED);
    jtg_cache_free(other);
}

/* One that is opened after the loss learns of it from the store. */
static void a_late_cache_knows_of_the_loss(void **state)
{
    const struct fixture *f = *state;
    int64_t before_ms = kept_since(f->cache);
    forget(f, before_ms);
    int64_t after_ms = kept_since(f->cache);
    jtg_cache *late = f->backend->open_again(f->store);
    assert_status(reserve_kept_on(late, "a jti", 1, before_ms), JTG_ERR_CONTINUITY);
    assert_int_equal(kept_since(late), after_ms);
    jtg_cache_free(late);
}

static int64_t epoch(jtg_cache *cache)
{
    int64_t number = INT64_MAX;
    assert_status(jtg_cache_epoch(cache, &number, NULL), JTG_OK);
    return number;
}

/* Whatever else happens, and from everywhere. */
static void an_epoch_lasts_until_a_loss(void **state)
{
    const struct fixture *f = *state;
    jtg_cache *other = f->backend->open_again(f->store);
    int64_t before_ms = kept_since(f->cache);
    int64_t before = epoch(f->cache);
    assert_status(reserve_kept(f, "a jti", 1, before_ms), JTG_OK);
    advance(f, 2 * LIFE_MS);
    assert_int_equal(epoch(f->cache), before);
    assert_int_equal(epoch(other), before);
    forget(f, before_ms);
    int64_t after = epoch(f->cache);
    assert_true(after > before);
    assert_int_equal(epoch(other), after);
    jtg_cache_free(other);
}

enum { WATCHES = CONTRACT_WATCHES, SHARED = CONTRACT_WATCHES | CONTRACT_SHARED };

const struct contract_case contract_continuity[] = {
    {CONTRACT_CASE(it_says_whether_it_watches)},
    {CONTRACT_CASE(what_was_kept_is_enough), .needs = WATCHES},
    {CONTRACT_CASE(more_than_was_kept_is_refused), .needs = WATCHES},
    {CONTRACT_CASE(a_loss_is_noticed), .needs = WATCHES},
    {CONTRACT_CASE(every_loss_is_noticed), .needs = WATCHES},
    {CONTRACT_CASE(reserve_goes_on_after_a_loss), .needs = WATCHES},
    {CONTRACT_CASE(clear_is_a_loss), .needs = WATCHES},
    {CONTRACT_CASE(an_epoch_lasts_until_a_loss), .needs = SHARED},
    {CONTRACT_CASE(every_cache_on_the_store_notices), .needs = SHARED},
    {CONTRACT_CASE(a_late_cache_knows_of_the_loss), .needs = SHARED},
    {.name = NULL},
};
