/* SPDX-License-Identifier: Apache-2.0 */
/* Guards that begin and end at random on one memory cache, under a clock that is set at random and
 * threads that stop between its readings. What says what must come out: every admission, by
 * whomever; and one guard alone that is asked the same. */
#include "support/asserts.h"
#include "support/random.h"
#include "support/test_clock.h"

#include <inttypes.h>
#include <jtiguard/guard.h>
#include <jtiguard/memory.h>
#include <stdio.h>
#include <string.h>

enum { GUARDS = 4, TOKENS = 12, ROUNDS = 3000, STEPS = 120, SECOND = 1000 };

struct token {
    jtg_claims claims;
    char jti[24];
    bool was_admitted;
};

struct world {
    struct test_clock time;
    struct random_source random;
    bool stops;
    unsigned nested;
    unsigned issued;
    jtg_clock stopping; /* of the guards */
    jtg_clock plain;    /* of the stores, and of the one alone */
    jtg_guard_options options;
    jtg_cache *store;
    jtg_guard *guards[GUARDS];
    jtg_cache *store_alone;
    jtg_guard *alone; /* NULL: nothing to compare with */
    struct token tokens[TOKENS];

    unsigned long admitted;
    unsigned long admitted_twice;
    unsigned long set_back;
    unsigned long differ;
};

static void happen(struct world *world);

static int64_t below(struct world *world, int64_t bound)
{
    return (int64_t)random_below(&world->random, (uint64_t)bound);
}

/* ---- the clock ---- */

static void set_clock(struct world *world)
{
    static const int64_t widths[] = {900, 30000, 200000, 4000000, INT64_C(200000000)};
    int64_t width = widths[below(world, sizeof widths / sizeof widths[0])];
    test_clock_set_wall_by(&world->time, below(world, 2 * width + 1) - width);
}

static void pass_time(struct world *world)
{
    test_clock_advance(&world->time, below(world, below(world, 3) == 0 ? 400000 : 20000));
    if (below(world, 3) == 0)
        set_clock(world);
}

/* The others go on, while this one stands behind its reading. */
static void stop_here(struct world *world)
{
    if (!world->stops || world->nested >= 2 || below(world, 12) != 0)
        return;
    world->nested++;
    happen(world);
    world->nested--;
}

static int64_t read_wall(void *context)
{
    struct world *world = context;
    int64_t wall_ms = atomic_load(&world->time.wall_ms);
    stop_here(world);
    return wall_ms;
}

/* Not stopped behind this one: at times it is read under the record's lock. */
static int64_t read_monotonic(void *context)
{
    return atomic_load(&((struct world *)context)->time.monotonic_ms);
}

/* ---- guards and tokens ---- */

static void draw_token(struct world *world, struct token *token)
{
    int64_t wall_ms = atomic_load(&world->time.wall_ms);
    jtg_claims_init(&token->claims);
    token->was_admitted = false;
    (void)snprintf(token->jti, sizeof token->jti, "token %u", world->issued++);
    token->claims.kind = JTG_KIND_ID_TOKEN;
    token->claims.issuer = (jtg_text){"https://i.example", 17};
    token->claims.audience = (jtg_text){"a", 1};
    token->claims.jti = (jtg_text){token->jti, strlen(token->jti)};
    token->claims.iat_ms = wall_ms - below(world, 60000) + below(world, 60000);
    token->claims.exp_ms = token->claims.iat_ms + 1 + below(world, 3600000);
    if (below(world, 4) == 0)
        token->claims.iat_ms = JTG_TIME_ABSENT;
}

static jtg_reason ask(jtg_guard *guard, const struct token *token)
{
    jtg_decision decision = JTG_DECISION_INIT;
    (void)!jtg_guard_admit(guard, &token->claims, &decision, NULL);
    return decision.reason;
}

static void show(struct world *world, jtg_guard *guard, struct token *token)
{
    jtg_reason reason = ask(guard, token);
    if (world->alone != NULL)
        world->differ += ask(world->alone, token) != reason;
    world->set_back += token->was_admitted && reason == JTG_REASON_CLOCK_SET_BACK;
    if (reason != JTG_REASON_ADMITTED)
        return;
    world->admitted++;
    world->admitted_twice += token->was_admitted;
    token->was_admitted = true;
}

static void begin(struct world *world, jtg_guard **guard)
{
    assert_status(jtg_guard_new(guard, world->store, &world->options, NULL), JTG_OK);
    if (world->alone != NULL) /* it sees the same moments */
        assert_status(jtg_guard_ping(world->alone, NULL), JTG_OK);
}

static void happen(struct world *world)
{
    jtg_guard **guard = &world->guards[below(world, GUARDS)];
    struct token *token = &world->tokens[below(world, TOKENS)];
    pass_time(world);
    if (world->nested > 0) { /* whoever waits below must find its guard and its token */
        if (*guard != NULL)
            show(world, *guard, token);
        return;
    }
    if (below(world, 24) == 0)
        draw_token(world, token);
    if (*guard == NULL) {
        begin(world, guard);
    } else if (below(world, 8) == 0) {
        jtg_guard_free(*guard);
        *guard = NULL;
    } else {
        show(world, *guard, token);
    }
}

/* ---- rounds ---- */

static void begin_round(struct world *world, bool compare)
{
    jtg_memory_options memory = JTG_MEMORY_OPTIONS_INIT;
    test_clock_init(&world->time);
    world->stopping = (jtg_clock){sizeof(jtg_clock), world, read_monotonic, read_wall};
    world->plain = test_clock_as_jtg(&world->time);
    memory.clock = &world->plain;
    memory.max_entries = 1000;
    memory.sweep_interval_ms = 0;
    jtg_guard_options_init(&world->options);
    world->options.clock = &world->stopping;
    world->options.leeway_s = (uint32_t)below(world, 2) * (uint32_t)below(world, 300);
    world->options.future_leeway_s = (uint32_t)below(world, 2) * (uint32_t)below(world, 300);
    world->options.retention_margin_s = 1 + (uint32_t)below(world, 120);
    world->options.max_lifetime_s = 3600;
    assert_status(jtg_memory_new(&world->store, &memory, NULL), JTG_OK);
    world->alone = NULL;
    world->store_alone = NULL;
    if (compare) {
        assert_status(jtg_memory_new(&world->store_alone, &memory, NULL), JTG_OK);
        assert_status(jtg_guard_new(&world->alone, world->store_alone, &world->options, NULL),
                      JTG_OK);
    }
    begin(world, &world->guards[0]);
    for (unsigned i = 0; i < TOKENS; i++)
        draw_token(world, &world->tokens[i]);
}

static void end_round(struct world *world)
{
    for (unsigned i = 0; i < GUARDS; i++) {
        jtg_guard_free(world->guards[i]);
        world->guards[i] = NULL;
    }
    jtg_guard_free(world->alone);
    jtg_cache_free(world->store_alone);
    jtg_cache_free(world->store);
}

static void run(struct world *world, bool stops, bool compare)
{
    uint64_t seed = random_seed();
    print_message("JTIGUARD_TEST_SEED=%" PRIu64 "\n", seed);
    memset(world, 0, sizeof *world);
    random_init(&world->random, seed);
    world->stops = stops;
    for (unsigned round = 0; round < ROUNDS; round++) {
        begin_round(world, compare);
        for (unsigned step = 0; step < STEPS; step++)
            happen(world);
        end_round(world);
    }
    print_message("admitted %lu, twice %lu, shown again and refused as clock_set_back %lu\n",
                  world->admitted, world->admitted_twice, world->set_back);
    assert_int_equal(world->admitted_twice, 0);
    assert_true(world->admitted > 3000);
    assert_true(world->set_back > 500);
}

static void guards_that_come_and_go_admit_nothing_twice(void **state)
{
    static struct world world;
    (void)state;
    run(&world, true, false);
}

static void they_decide_as_one_guard_alone(void **state)
{
    static struct world world;
    (void)state;
    run(&world, false, true);
    assert_int_equal(world.differ, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(guards_that_come_and_go_admit_nothing_twice),
        cmocka_unit_test(they_decide_as_one_guard_alone),
    };
    return cmocka_run_group_tests_name("guards", tests, NULL, NULL);
}
