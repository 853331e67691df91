/* SPDX-License-Identifier: Apache-2.0 */
/* What decision 0003 claims of several guards on one record, at random; and that whoever is killed
 * while changing it leaves nothing less careful. For that a process that begins on the record is
 * stepped through instruction by instruction: what lies there after each one that changed it is
 * what a kill would leave. Each of these is judged as it is, and by all that goes on from there. */
#include "model/clock_world.h"
#include "support/asserts.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 2000, DEATHS = 100, STATES = 48 };

static struct clock_shared *shared;
static struct clock_world world;

static int set_up(void **state)
{
    void *memory =
        mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    (void)state;
    shared = memory;
    return memory == MAP_FAILED ? -1 : 0;
}

static int tear_down(void **state)
{
    (void)state;
    return munmap(shared, sizeof *shared);
}

static void begin_world(uint64_t seed)
{
    memset(shared, 0, sizeof *shared);
    test_clock_init(&shared->clock);
    clock_world_init(&world, shared, seed);
}

/* The name of what went wrong would not say where: the seed does. */
static void must_be_right(uint64_t seed)
{
    if (world.wrong != NULL)
        print_error("JTIGUARD_TEST_SEED=%" PRIu64 ": %s\n", seed, world.wrong);
    assert_null(world.wrong);
}

static bool goes_on(unsigned rounds, unsigned most, time_t began)
{
    const char *seconds = getenv("JTIGUARD_TEST_SECONDS");
    return seconds == NULL ? rounds < most : time(NULL) - began < strtol(seconds, NULL, 10);
}

/* ---- several guards ---- */

struct sums {
    unsigned long uses;
    unsigned long events;
    unsigned long late;
    unsigned long judged;
};

static void add_up(struct sums *sums)
{
    sums->uses += world.used;
    sums->events += world.events;
    sums->late += world.late;
    sums->judged += world.judged;
}

static void run_worlds(bool margins_differ, bool stops)
{
    struct sums sums = {0};
    uint64_t seed = random_seed();
    time_t began = time(NULL);
    for (unsigned round = 0; goes_on(round, ROUNDS, began); round++, seed++) {
        begin_world(seed);
        world.margins_differ = margins_differ;
        world.stops = stops;
        for (unsigned step = 0; step < 60; step++) {
            clock_world_step(&world);
            clock_world_judge(&world);
        }
        must_be_right(seed);
        add_up(&sums);
        clock_world_end(&world);
    }
    print_message("uses %lu, events %lu, late %lu, judgements %lu\n", sums.uses, sums.events,
                  sums.late, sums.judged);
    assert_true(sums.uses > 10000 && sums.events > 1000 && sums.late > 0);
}

static void several_guards_admit_nothing_twice(void **state)
{
    (void)state;
    run_worlds(false, true);
}

static void several_margins_admit_nothing_twice(void **state)
{
    (void)state;
    run_worlds(true, true);
}

/* ---- as one guard alone ---- */

/* With one margin, and nobody stopped, they have learnt to the number what one guard would have
 * that made all their readings: so they refuse nothing that it would not. */
static void several_guards_learn_what_one_alone_would(void **state)
{
    uint64_t seed = random_seed();
    (void)state;
    for (unsigned round = 0; round < ROUNDS / 4; round++, seed++) {
        struct clock_guard alone = {0};
        struct jtgi_reading now;
        begin_world(seed);
        const struct jtgi_wall_clock_of of = {
            .clock = &world.clock, .logger = &world.logger, .whose = "tokens", .margin_ms = 30000};
        assert_status(clock_world_begin(&world, &world.guards[0], 30000), JTG_OK);
        assert_status(jtgi_wall_clock_init(&alone.wall_clock, &of, NULL), JTG_OK);
        for (unsigned step = 0; step < 100; step++) {
            clock_world_step(&world);
            clock_world_judge(&world);
            assert_status(jtgi_wall_clock_now(&alone.wall_clock, &now, NULL), JTG_OK);
            assert_memory_equal(shared->record, &alone.wall_clock.own, sizeof alone.wall_clock.own);
        }
        must_be_right(seed);
        jtgi_wall_clock_clear(&alone.wall_clock);
        clock_world_end(&world);
    }
}

/* ---- deaths ---- */

static struct jtgi_clock_record states[STATES];

static void stop_inside(void)
{
    (void)raise(SIGSTOP);
}

static void stop_behind(void)
{
    (void)raise(SIGUSR1);
}

/* A process begins on the record. It stops when it has the lock, if it needs it, and behind. */
static void begin_and_exit(int64_t margin_ms)
{
    static struct lending_cache store;
    static struct jtgi_wall_clock wall_clock;
    const jtg_clock clock = test_clock_as_jtg(&shared->clock);
    const jtg_logger silence = {0};
    const struct jtgi_wall_clock_of of = {&clock,    &silence,    "tokens",
                                          margin_ms, &store.base, JTG_BORROWER_GUARD};
    lending_cache_init(&store);
    store.elsewhere = shared->record;
    store.at_lock = stop_inside;
    store.at_unlock = stop_behind;
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0)
        (void)jtgi_wall_clock_init(&wall_clock, &of, NULL);
    _exit(0);
}

static bool has_stopped(pid_t child, int signal_number)
{
    int status = 0;
    return waitpid(child, &status, 0) == child && WIFSTOPPED(status) &&
           WSTOPSIG(status) == signal_number;
}

/* At times a long time passes between two instructions, and somebody sets the clock. */
static void let_time_pass(void)
{
    if (random_below(&world.random, 400) == 0)
        test_clock_advance(&shared->clock, (int64_t)random_below(&world.random, 50000));
    if (random_below(&world.random, 800) == 0)
        test_clock_set_wall_by(&shared->clock,
                               (int64_t)random_below(&world.random, 200000) - 100000);
}

static void keep_state(unsigned char last[JTG_LENT_BYTES], unsigned *number)
{
    memcpy(last, shared->record, JTG_LENT_BYTES);
    if (*number < STATES)
        memcpy(&states[(*number)++], last, sizeof states[0]);
}

/* Every state of the record on the way; how many. */
static unsigned step_through(pid_t child)
{
    unsigned char last[JTG_LENT_BYTES];
    unsigned number = 0;
    keep_state(last, &number);
    while (ptrace(PTRACE_SINGLESTEP, child, NULL, NULL) == 0 && has_stopped(child, SIGTRAP)) {
        if (memcmp(last, shared->record, sizeof last) != 0)
            keep_state(last, &number);
        let_time_pass();
    }
    return number;
}

/* 0: it did not need the lock. The child is gone then. */
static unsigned die_everywhere(void)
{
    unsigned number = 0;
    int64_t margin_ms = clock_world_draw_margin(&world);
    pid_t child = fork();
    if (child == 0)
        begin_and_exit(margin_ms);
    assert_true(child > 0);
    if (has_stopped(child, SIGSTOP)) {
        number = step_through(child);
        (void)kill(child, SIGKILL);
        (void)waitpid(child, NULL, 0);
    }
    return number;
}

/* Who reads without the lock may have the offset of one state and the rest of a later one. */
static void judge_mixtures(unsigned number)
{
    for (unsigned early = 0; early < number; early++)
        for (unsigned late = early; late < number; late++) {
            struct jtgi_clock_record mixture;
            memcpy(&mixture, &states[late], sizeof mixture);
            atomic_store(&mixture.offset_ms, atomic_load(&states[early].offset_ms));
            if (jtgi_clock_record_is_begun(&states[early]))
                clock_world_judge_record(&world, &mixture);
        }
}

static int64_t up_to_the_margin(void)
{
    return (int64_t)random_below(&world.random, 29000);
}

/* What is hard to meet by chance: from about here the clock runs a little ahead, and is put right.
 */
static void put_right(int64_t offset_ms)
{
    int64_t ahead = offset_ms + up_to_the_margin();
    for (unsigned raise = 0; raise < 2; raise++, ahead += up_to_the_margin()) {
        clock_world_set_offset(&world, ahead);
        clock_world_use(&world);
        clock_world_judge(&world);
    }
    clock_world_set_offset(&world, offset_ms - up_to_the_margin());
}

/* Where the clock was before the one that died saw it set; where it is now. */
static int64_t choose_place(unsigned how)
{
    return how == 0 && jtgi_clock_record_is_begun(&states[0]) ? atomic_load(&states[0].offset_ms)
                                                              : clock_world_offset(&world);
}

/* All that can come after: the living go on, or all are new. */
static void go_on_from(const struct jtgi_clock_record *left, const struct clock_world *as_was,
                       const struct clock_shared *shared_as_was, unsigned how)
{
    world = *as_was;
    *shared = *shared_as_was;
    memcpy(shared->record, left, sizeof *left);
    random_init(&world.random, as_was->random.state + how);
    if (how % 2 == 0)
        clock_world_kill(&world);
    if (how < 3)
        put_right(choose_place(how));
    for (unsigned step = 0; step < 12; step++) {
        clock_world_judge(&world);
        clock_world_step(&world);
    }
    clock_world_judge(&world);
}

/* What the one that dies is to see: the clock is set anyhow, jumps ahead, or has jumped and is put
 * about right. */
static void set_the_stage(void)
{
    int64_t ahead = 40000 + (int64_t)random_below(&world.random, 4000000);
    unsigned scene = (unsigned)random_below(&world.random, 4);
    if (scene == 0)
        clock_world_set_clock(&world);
    if (scene == 1 || scene == 2) {
        clock_world_use(&world);
        test_clock_set_wall_by(&shared->clock, ahead);
    }
    if (scene == 2) {
        clock_world_use(&world);
        test_clock_set_wall_by(&shared->clock,
                               -ahead + 40000 - (int64_t)random_below(&world.random, 80000));
    }
}

static unsigned judge_deaths(uint64_t seed)
{
    static struct jtgi_clock_record left[STATES];
    static struct clock_world as_was;
    unsigned number = die_everywhere();
    const struct clock_shared shared_as_was = *shared;
    as_was = world;
    memcpy(left, states, sizeof left);
    judge_mixtures(number);
    must_be_right(seed);
    for (unsigned i = 0; i < number; i++)
        for (unsigned how = 0; how < 6; how++) {
            go_on_from(&left[i], &as_was, &shared_as_was, how);
            must_be_right(seed);
        }
    /* It goes on from one of them, which may be one that a dead one left. */
    if (number > 0) {
        world = as_was;
        *shared = shared_as_was;
        memcpy(shared->record, &left[random_below(&world.random, number)], sizeof left[0]);
    }
    return number;
}

static void a_death_anywhere_leaves_nothing_less_careful(void **state)
{
    uint64_t seed = random_seed();
    time_t began = time(NULL);
    unsigned long number = 0;
    unsigned rounds = 0;
    (void)state;
    for (; goes_on(rounds, DEATHS, began); rounds++, seed++) {
        begin_world(seed);
        world.margins_differ = rounds % 2 == 0;
        for (unsigned death = 0; death < 4; death++) {
            for (uint64_t steps = random_below(&world.random, 30); steps > 0; steps--)
                clock_world_step(&world);
            set_the_stage();
            number += judge_deaths(seed);
        }
        clock_world_end(&world);
    }
    print_message("%u worlds, %lu states that a kill would leave\n", rounds, number);
    assert_true(number > 8 * rounds);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(several_guards_admit_nothing_twice, set_up, tear_down),
        cmocka_unit_test_setup_teardown(several_margins_admit_nothing_twice, set_up, tear_down),
        cmocka_unit_test_setup_teardown(several_guards_learn_what_one_alone_would, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_death_anywhere_leaves_nothing_less_careful, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests_name("clock_record", tests, NULL, NULL);
}
