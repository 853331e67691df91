/* SPDX-License-Identifier: Apache-2.0 */
/* Reserve and release: one holder, until the end, to the millisecond. */
#include "contract/contract_case.h"

#include <string.h>

static void the_first_owner_gets_a_key(void **state)
{
    const struct fixture *f = *state;
    assert_status(reserve(f, key_of("a jti"), 1, LIFE_MS), JTG_OK);
    assert_status(reserve(f, key_of("a jti"), 2, LIFE_MS), JTG_REPLAYED);
    assert_status(reserve(f, key_of("a jti"), 3, LIFE_MS), JTG_REPLAYED);
    assert_status(reserve(f, key_of("another jti"), 2, LIFE_MS), JTG_OK);
}

static void the_same_owner_may_ask_again(void **state)
{
    const struct fixture *f = *state;
    for (int i = 0; i < 5; i++)
        assert_status(reserve(f, key_of("a jti"), 1, LIFE_MS), JTG_OK);
    assert_status(reserve(f, key_of("a jti"), 2, LIFE_MS), JTG_REPLAYED);
    assert_int_equal(count(f), 1);
}

static void asking_again_lengthens(void **state)
{
    const struct fixture *f = *state;
    assert_status(reserve(f, key_of("a jti"), 1, LIFE_MS), JTG_OK);
    advance(f, LIFE_MS / 2);
    assert_status(reserve(f, key_of("a jti"), 1, LIFE_MS), JTG_OK);
    advance_to_last_moment(f, LIFE_MS);
    assert_status(reserve(f, key_of("a jti"), 2, LIFE_MS), JTG_REPLAYED);
    advance_past_end(f);
    assert_status(reserve(f, key_of("a jti"), 2, LIFE_MS), JTG_OK);
}

static void asking_again_never_shortens(void **state)
{
    const struct fixture *f = *state;
    assert_status(reserve(f, key_of("a jti"), 1, LIFE_MS), JTG_OK);
    assert_status(reserve(f, key_of("a jti"), 1, 1), JTG_OK);
    assert_status(reserve(f, key_of("a jti"), 1, LIFE_MS - 1), JTG_OK);
    advance_to_last_moment(f, LIFE_MS);
    assert_status(reserve(f, key_of("a jti"), 2, LIFE_MS), JTG_REPLAYED);
    advance_past_end(f);
    assert_status(reserve(f, key_of("a jti"), 2, LIFE_MS), JTG_OK);
}

static void a_refused_owner_changes_nothing(void **state)
{
    const struct fixture *f = *state;
    assert_status(reserve(f, key_of("a jti"), 1, LIFE_MS), JTG_OK);
    assert_status(reserve(f, key_of("a jti"), 2, 100 * LIFE_MS), JTG_REPLAYED);
    assert_status(reserve(f, key_of("a jti"), 2, 1), JTG_REPLAYED);
    advance_to_last_moment(f, LIFE_MS);
    assert_status(release(f, key_of("a jti"), 2), JTG_NOT_OWNER);
    advance_past_end(f);
    assert_status(reserve(f, key_of("a jti"), 3, LIFE_MS), JTG_OK);
}

static void a_reservation_ends_to_the_millisecond(void **state)
{
    const struct fixture *f = *state;
    assert_status(reserve(f, key_of("reserved"), 1, LIFE_MS), JTG_OK);
    assert_status(reserve(f, key_of("released"), 1, LIFE_MS), JTG_OK);
    advance_to_last_moment(f, LIFE_MS);
    assert_status(reserve(f, key_of("reserved"), 2, LIFE_MS), JTG_REPLAYED);
    assert_status(release(f, key_of("released"), 2), JTG_NOT_OWNER);
    advance_past_end(f);
    assert_status(release(f, key_of("released"), 1), JTG_NOT_FOUND);
    assert_status(reserve(f, key_of("reserved"), 2, LIFE_MS), JTG_OK);
}

static void the_shortest_life_is_a_life(void **state)
{
    const struct fixture *f = *state;
    assert_status(reserve(f, key_of("a jti"), 1, 1), JTG_OK);
    if (f->backend->slack_ms == 0)
        assert_status(reserve(f, key_of("a jti"), 2, 1), JTG_REPLAYED);
    advance_past_end(f);
    assert_status(reserve(f, key_of("a jti"), 2, LIFE_MS), JTG_OK);
}

static void the_longest_life_is_kept(void **state)
{
    const struct fixture *f = *state;
    assert_status(reserve(f, key_of("a jti"), 1, JTG_TTL_MAX_MS), JTG_OK);
    advance_to_last_moment(f, JTG_TTL_MAX_MS);
    assert_status(reserve(f, key_of("a jti"), 2, LIFE_MS), JTG_REPLAYED);
    advance_past_end(f);
    assert_status(reserve(f, key_of("a jti"), 2, LIFE_MS), JTG_OK);
}

static void release_gives_the_key_back(void **state)
{
    const struct fixture *f = *state;
    assert_status(reserve(f, key_of("a jti"), 1, LIFE_MS), JTG_OK);
    assert_status(release(f, key_of("a jti"), 1), JTG_OK);
    assert_status(release(f, key_of("a jti"), 1), JTG_NOT_FOUND);
    assert_status(reserve(f, key_of("a jti"), 2, LIFE_MS), JTG_OK);
    assert_status(reserve(f, key_of("a jti"), 1, LIFE_MS), JTG_REPLAYED);
}

static void release_of_nothing_finds_nothing(void **state)
{
    const struct fixture *f = *state;
    assert_status(release(f, key_of("a jti"), 1), JTG_NOT_FOUND);
    assert_status(reserve(f, key_of("another"), 1, LIFE_MS), JTG_OK);
    assert_status(release(f, key_of("a jti"), 1), JTG_NOT_FOUND);
}

static void a_late_release_leaves_the_next_holder_alone(void **state)
{
    const struct fixture *f = *state;
    assert_status(reserve(f, key_of("a jti"), 1, LIFE_MS), JTG_OK);
    advance(f, LIFE_MS + f->backend->slack_ms);
    assert_status(release(f, key_of("a jti"), 1), JTG_NOT_FOUND);
    assert_status(reserve(f, key_of("a jti"), 2, LIFE_MS), JTG_OK);
    assert_status(release(f, key_of("a jti"), 1), JTG_NOT_OWNER);
    assert_status(reserve(f, key_of("a jti"), 3, LIFE_MS), JTG_REPLAYED);
}

/* An owner is all of its 16 bytes: a prefix that matches must neither admit nor release. */
static void every_byte_of_an_owner_counts(void **state)
{
    const struct fixture *f = *state;
    jtg_key key = key_of("a jti");
    jtg_owner holder = owner_of(7);
    assert_status(jtg_cache_reserve(f->cache, &key, &holder, LIFE_MS, NULL), JTG_OK);
    for (size_t i = 0; i < JTG_OWNER_BYTES; i++)
        for (unsigned bit = 0; bit < 8; bit++) {
            jtg_owner other = holder;
            other.bytes[i] ^= (unsigned char)(1U << bit);
            assert_status(jtg_cache_reserve(f->cache, &key, &other, LIFE_MS, NULL), JTG_REPLAYED);
            assert_status(jtg_cache_release(f->cache, &key, &other, NULL), JTG_NOT_OWNER);
        }
    assert_status(jtg_cache_reserve(f->cache, &key, &holder, LIFE_MS, NULL), JTG_OK);
}

static void an_owner_of_zeros_is_an_owner(void **state)
{
    const struct fixture *f = *state;
    jtg_key key = key_of("a jti");
    jtg_owner zeros = {{0}};
    assert_status(jtg_cache_reserve(f->cache, &key, &zeros, LIFE_MS, NULL), JTG_OK);
    assert_status(reserve(f, key, 1, LIFE_MS), JTG_REPLAYED);
    assert_status(release(f, key, 1), JTG_NOT_OWNER);
    assert_status(jtg_cache_release(f->cache, &key, &zeros, NULL), JTG_OK);
}

static void what_is_borrowed_may_be_overwritten(void **state)
{
    const struct fixture *f = *state;
    char text[] = "a jti";
    assert_status(reserve(f, key_of(text), 1, LIFE_MS), JTG_OK);
    memset(text, 'x', strlen(text));
    assert_status(reserve(f, key_of("a jti"), 2, LIFE_MS), JTG_REPLAYED);
    assert_status(reserve(f, key_of(text), 2, LIFE_MS), JTG_OK);
}

static void another_handle_sees_the_same(void **state)
{
    const struct fixture *f = *state;
    struct fixture other = *f;
    other.cache = f->backend->open_again(f->store);
    assert_status(reserve(f, key_of("a jti"), 1, LIFE_MS), JTG_OK);
    assert_status(reserve(&other, key_of("a jti"), 2, LIFE_MS), JTG_REPLAYED);
    assert_status(release(&other, key_of("a jti"), 2), JTG_NOT_OWNER);
    assert_status(reserve(&other, key_of("a jti"), 1, LIFE_MS), JTG_OK);
    assert_status(release(&other, key_of("a jti"), 1), JTG_OK);
    assert_status(reserve(f, key_of("a jti"), 2, LIFE_MS), JTG_OK);
    jtg_cache_free(other.cache);
    assert_status(reserve(f, key_of("a jti"), 1, LIFE_MS), JTG_REPLAYED);
}

const struct contract_case contract_reservations[] = {
    {CONTRACT_CASE(the_first_owner_gets_a_key)},
    {CONTRACT_CASE(the_same_owner_may_ask_again)},
    {CONTRACT_CASE(asking_again_lengthens)},
    {CONTRACT_CASE(asking_again_never_shortens)},
    {CONTRACT_CASE(a_refused_owner_changes_nothing)},
    {CONTRACT_CASE(a_reservation_ends_to_the_millisecond)},
    {CONTRACT_CASE(the_shortest_life_is_a_life)},
    {CONTRACT_CASE(the_longest_life_is_kept)},
    {CONTRACT_CASE(release_gives_the_key_back)},
    {CONTRACT_CASE(release_of_nothing_finds_nothing)},
    {CONTRACT_CASE(a_late_release_leaves_the_next_holder_alone)},
    {CONTRACT_CASE(every_byte_of_an_owner_counts)},
    {CONTRACT_CASE(an_owner_of_zeros_is_an_owner)},
    {CONTRACT_CASE(what_is_borrowed_may_be_overwritten)},
    {CONTRACT_CASE(another_handle_sees_the_same), .needs = CONTRACT_SHARED},
    {.name = NULL},
};
