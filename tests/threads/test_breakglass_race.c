/* SPDX-License-Identifier: Apache-2.0 */
/* Sixteen threads issue, look up, use and delete at once: never are two tokens active at one
 * instant.
 *
 * How that is seen: every call notes a number drawn before it and one drawn after it. A token was
 * certainly active between the end of the first call that found it and the start of the last. No
 * two tokens may be so at one time. */
#include "threads/shared_cache.h"

#include <jtiguard/breakglass.h>
#include <stdlib.h>

enum { MANY = 16, TURNS = 1500, TOKENS = MANY * TURNS, TEXT_LEN = JTG_BREAKGLASS_TEXT_BYTES - 1 };

struct token {
    char text[JTG_BREAKGLASS_TEXT_BYTES];
    atomic_bool is_issued;
    _Atomic uint64_t seen_from;  /* end of the first call that found it active */
    _Atomic uint64_t seen_until; /* start of the last; 0: none */
    _Atomic uint64_t deleted_by; /* end of the delete that ended it; 0: none */
    atomic_uint deletes;
    atomic_uint uses;
};

struct place {
    struct shared shared;
    jtg_breakglass *breakglass[2]; /* as two processes with one key: two objects, one store */
    jtg_breakglass_mode mode;
    struct token *tokens;
    atomic_uint issued;
    atomic_uint refused;
    _Atomic uint64_t now;
};

static uint64_t draw(struct place *place)
{
    return atomic_fetch_add(&place->now, 1) + 1;
}

static void note_least(_Atomic uint64_t *at, uint64_t number)
{
    uint64_t was = atomic_load(at);
    while (number < was && !atomic_compare_exchange_weak(at, &was, number))
        ;
}

static void note_most(_Atomic uint64_t *at, uint64_t number)
{
    uint64_t was = atomic_load(at);
    while (number > was && !atomic_compare_exchange_weak(at, &was, number))
        ;
}

static void note_active(struct token *token, uint64_t start, uint64_t end)
{
    note_least(&token->seen_from, end);
    note_most(&token->seen_until, start);
}

static void issue(struct place *place, jtg_breakglass *breakglass)
{
    char text[JTG_BREAKGLASS_TEXT_BYTES];
    uint64_t start = draw(place);
    jtg_status status = jtg_breakglass_issue(breakglass, place->mode, text, NULL, NULL);
    uint64_t end = draw(place);
    if (status != JTG_OK) {
        expect(&place->shared, status == JTG_MISMATCH && place->mode == JTG_BREAKGLASS_IF_NONE);
        atomic_fetch_add(&place->refused, 1);
        return;
    }
    struct token *token = &place->tokens[atomic_fetch_add(&place->issued, 1)];
    memcpy(token->text, text, sizeof token->text);
    note_active(token, start, end);
    atomic_store(&token->is_issued, true);
}

/* One of the latest: what is older is refused anyway, but some of that too. */
static struct token *choose(struct place *place, unsigned turn)
{
    unsigned issued = atomic_load(&place->issued);
    if (issued == 0)
        return NULL;
    unsigned back = turn % 7 == 0 ? turn % issued : turn % 3;
    struct token *token = &place->tokens[back < issued ? issued - 1 - back : 0];
    return atomic_load(&token->is_issued) ? token : NULL;
}

static void look_up(struct place *place, jtg_breakglass *breakglass, struct token *token)
{
    uint64_t start = draw(place);
    jtg_status status = jtg_breakglass_lookup(breakglass, token->text, TEXT_LEN, NULL, NULL);
    uint64_t end = draw(place);
    expect(&place->shared, status == JTG_OK || status == JTG_NOT_FOUND);
    if (status != JTG_OK)
        return;
    atomic_fetch_add(&token->uses, 1);
    note_active(token, start, end);
}

static void end_token(struct place *place, jtg_breakglass *breakglass, struct token *token)
{
    uint64_t start = draw(place);
    jtg_status status = jtg_breakglass_delete(breakglass, token->text, TEXT_LEN, NULL);
    uint64_t end = draw(place);
    expect(&place->shared, status == JTG_OK || status == JTG_NOT_FOUND);
    if (status != JTG_OK)
        return;
    note_active(token, start, end);
    atomic_fetch_add(&token->deletes, 1);
    atomic_store(&token->deleted_by, end);
}

static void work(void *context, unsigned thread)
{
    struct place *place = context;
    jtg_breakglass *breakglass = place->breakglass[thread % 2];
    for (unsigned turn = 0; turn < TURNS; turn++) {
        struct token *token = choose(place, turn * MANY + thread);
        unsigned act = (turn * 5 + thread) % 8;
        if (act == 0 || token == NULL)
            issue(place, breakglass);
        else if (act == 1)
            end_token(place, breakglass, token);
        else
            look_up(place, breakglass, token);
    }
}

static int by_start(const void *a, const void *b)
{
    const struct token *const *one = a;
    const struct token *const *other = b;
    uint64_t left = atomic_load(&(*one)->seen_from);
    uint64_t right = atomic_load(&(*other)->seen_from);
    return (left > right) - (left < right);
}

static void check(struct place *place, uint32_t max_uses)
{
    unsigned count = atomic_load(&place->issued);
    struct token **spans = calloc(count, sizeof(struct token *));
    unsigned span_count = 0;
    assert_non_null(spans);
    for (unsigned i = 0; i < count; i++) {
        struct token *token = &place->tokens[i];
        uint64_t deleted_by = atomic_load(&token->deleted_by);
        assert_true(atomic_load(&token->deletes) <= 1);
        if (max_uses != 0)
            assert_true(atomic_load(&token->uses) <= max_uses);
        if (deleted_by != 0)
            assert_true(atomic_load(&token->seen_until) < deleted_by);
        if (atomic_load(&token->seen_from) < atomic_load(&token->seen_until))
            spans[span_count++] = token;
    }
    print_message("%u issued, %u refused, %u seen active for a time\n", count,
                  atomic_load(&place->refused), span_count);
    assert_true(span_count > 10);
    qsort(spans, span_count, sizeof(struct token *), by_start);
    for (unsigned i = 1; i < span_count; i++)
        assert_true(atomic_load(&spans[i - 1]->seen_until) <= atomic_load(&spans[i]->seen_from));
    free(spans);
}

static void run(jtg_breakglass_mode mode, uint32_t max_uses)
{
    static const unsigned char key[JTG_BREAKGLASS_KEY_BYTES] = "one key of both the processes";
    static struct place place;
    jtg_memory_options memory = JTG_MEMORY_OPTIONS_INIT;
    jtg_breakglass_options options = JTG_BREAKGLASS_OPTIONS_INIT;
    memset(&place, 0, sizeof place);
    place.mode = mode;
    place.tokens = calloc(TOKENS, sizeof *place.tokens);
    assert_non_null(place.tokens);
    for (unsigned i = 0; i < TOKENS; i++)
        atomic_store(&place.tokens[i].seen_from, UINT64_MAX);
    shared_open(&place.shared, memory);
    jtg_clock clock = test_clock_as_jtg(&place.shared.clock);
    options.clock = &clock;
    options.key = key;
    options.max_uses = max_uses;
    for (int i = 0; i < 2; i++)
        assert_status(jtg_breakglass_new(&place.breakglass[i], place.shared.cache, &options, NULL),
                      JTG_OK);
    threads_run(MANY, work, &place);
    for (int i = 0; i < 2; i++)
        jtg_breakglass_free(place.breakglass[i]);
    shared_close(&place.shared);
    check(&place, max_uses);
    free(place.tokens);
}

static void at_most_one_is_active_when_each_replaces(void **state)
{
    (void)state;
    run(JTG_BREAKGLASS_REPLACE, 0);
}

static void at_most_one_is_active_when_the_active_is_protected(void **state)
{
    (void)state;
    run(JTG_BREAKGLASS_IF_NONE, 0);
}

static void uses_are_exact(void **state)
{
    (void)state;
    run(JTG_BREAKGLASS_IF_NONE, 5);
    run(JTG_BREAKGLASS_REPLACE, 5);
}

/* ---- one token, all want it ---- */

static void use_all_the_time(void *context, unsigned thread)
{
    struct place *place = context;
    for (unsigned turn = 0; turn < 200; turn++)
        look_up(place, place->breakglass[thread % 2], &place->tokens[0]);
}

static void a_limit_is_reached_and_not_passed(void **state)
{
    enum { LIMIT = 1000 };
    static struct place place;
    static struct token token;
    jtg_memory_options memory = JTG_MEMORY_OPTIONS_INIT;
    jtg_breakglass_options options = JTG_BREAKGLASS_OPTIONS_INIT;
    (void)state;
    place.tokens = &token;
    shared_open(&place.shared, memory);
    jtg_clock clock = test_clock_as_jtg(&place.shared.clock);
    options.clock = &clock;
    options.max_uses = LIMIT;
    assert_status(jtg_breakglass_new(&place.breakglass[0], place.shared.cache, &options, NULL),
                  JTG_OK);
    place.breakglass[1] = place.breakglass[0];
    assert_status(
        jtg_breakglass_issue(place.breakglass[0], JTG_BREAKGLASS_IF_NONE, token.text, NULL, NULL),
        JTG_OK);
    threads_run(MANY, use_all_the_time, &place);
    assert_int_equal(atomic_load(&token.uses), LIMIT);
    jtg_breakglass_free(place.breakglass[0]);
    shared_close(&place.shared);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(at_most_one_is_active_when_each_replaces),
        cmocka_unit_test(at_most_one_is_active_when_the_active_is_protected),
        cmocka_unit_test(uses_are_exact),
        cmocka_unit_test(a_limit_is_reached_and_not_passed),
    };
    return cmocka_run_group_tests_name("break-glass race", tests, NULL, NULL);
}
