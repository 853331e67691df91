/* SPDX-License-Identifier: Apache-2.0 */
#include "model/clock_world.h"

#include "support/asserts.h"

#include <string.h>

enum { SECOND = 1000 };

static int64_t below(struct clock_world *world, int64_t bound)
{
    return (int64_t)random_below(&world->random, (uint64_t)bound);
}

static bool one_in(struct clock_world *world, int64_t bound)
{
    return below(world, bound) == 0;
}

/* ---- the clock ---- */

int64_t clock_world_offset(const struct clock_world *world)
{
    return atomic_load(&world->shared->clock.wall_ms) -
           atomic_load(&world->shared->clock.monotonic_ms);
}

static int64_t draw_jump(struct clock_world *world)
{
    static const int64_t widths[] = {900, 20000, 70000, 400000, INT64_C(40000000)};
    int64_t width = widths[below(world, sizeof widths / sizeof widths[0])];
    return below(world, 2 * width + 1) - width;
}

void clock_world_set_offset(struct clock_world *world, int64_t offset_ms)
{
    test_clock_set_wall_by(&world->shared->clock, offset_ms - clock_world_offset(world));
}

/* By some time; or to about where it stood once. */
void clock_world_set_clock(struct clock_world *world)
{
    int64_t *known = &world->offsets[below(world, CLOCK_OFFSETS)];
    int64_t by = draw_jump(world);
    if (one_in(world, 2))
        by = *known + below(world, 80 * SECOND) - 40 * SECOND - clock_world_offset(world);
    if (one_in(world, 3))
        *known = clock_world_offset(world);
    test_clock_set_wall_by(&world->shared->clock, by);
}

static void pass_time(struct clock_world *world)
{
    test_clock_advance(&world->shared->clock, below(world, one_in(world, 4) ? 100000 : 3000));
    if (one_in(world, 4))
        clock_world_set_clock(world);
}

/* The other guards go on between the two readings of one, and behind them; but not while the record
 * is held, for they would wait. */
static void stop_here(struct clock_world *world)
{
    if (!world->stops || world->store.is_held || world->nested >= 2 || !one_in(world, 12))
        return;
    world->nested++;
    for (int64_t steps = 1 + below(world, 3); steps > 0; steps--)
        clock_world_step(world);
    world->nested--;
}

static int64_t read_wall(void *context)
{
    struct clock_world *world = context;
    int64_t wall_ms = atomic_load(&world->shared->clock.wall_ms);
    stop_here(world);
    return wall_ms;
}

static int64_t read_monotonic(void *context)
{
    struct clock_world *world = context;
    int64_t monotonic_ms = atomic_load(&world->shared->clock.monotonic_ms);
    stop_here(world);
    return monotonic_ms;
}

static void count_event(void *context, jtg_log_level level, const char *line)
{
    struct clock_world *world = context;
    world->events += level == JTG_LOG_ERROR && strstr(line, "set back") != NULL;
}

/* ---- the world ---- */

void clock_world_init(struct clock_world *world, struct clock_shared *shared, uint64_t seed)
{
    memset(world, 0, sizeof *world);
    world->shared = shared;
    world->clock = (jtg_clock){sizeof(jtg_clock), world, read_monotonic, read_wall};
    world->logger = (jtg_logger){sizeof(jtg_logger), world, JTG_LOG_DEBUG, count_event};
    lending_cache_init(&world->store);
    world->store.elsewhere = shared->record;
    random_init(&world->random, seed);
    for (unsigned i = 0; i < CLOCK_OFFSETS; i++)
        world->offsets[i] = clock_world_offset(world);
}

static void end_guard(struct clock_guard *guard)
{
    if (guard->lives)
        jtgi_wall_clock_clear(&guard->wall_clock);
    guard->lives = false;
}

void clock_world_kill(struct clock_world *world)
{
    for (unsigned i = 0; i < CLOCK_GUARDS; i++)
        end_guard(&world->guards[i]);
    for (unsigned i = 0; i < CLOCK_PENDING; i++)
        world->pending[i].waits = false;
}

void clock_world_end(struct clock_world *world)
{
    clock_world_kill(world);
    jtg_cache_free(&world->store.base);
}

int64_t clock_world_draw_margin(struct clock_world *world)
{
    return world->margins_differ ? (1 + below(world, 60)) * SECOND : 30 * SECOND;
}

jtg_status clock_world_begin(struct clock_world *world, struct clock_guard *guard,
                             int64_t margin_ms)
{
    const struct jtgi_wall_clock_of of = {&world->clock, &world->logger,     "tokens",
                                          margin_ms,     &world->store.base, JTG_BORROWER_GUARD};
    jtg_status status = jtgi_wall_clock_init(&guard->wall_clock, &of, NULL);
    guard->lives = status == JTG_OK;
    return status;
}

/* ---- decisions ---- */

static void use(struct clock_world *world, const struct jtgi_reading *asked, int64_t margin_ms)
{
    world->uses[world->used % CLOCK_USES] =
        (struct clock_use){asked->wall_ms, asked->monotonic_ms, margin_ms};
    world->used++;
}

/* The store has answered: the use counts if it is relied on. The place is free for another one, who
 * may decide while this one is stopped. */
static void hear(struct clock_world *world, struct clock_pending *pending)
{
    struct jtgi_moment now;
    const struct jtgi_reading asked = pending->asked;
    const struct clock_guard *guard = &world->guards[pending->guard];
    pending->waits = false;
    if (!guard->lives || !jtgi_wall_clock_read(&guard->wall_clock, &now))
        return;
    if (jtgi_wall_clock_is_late(&guard->wall_clock, &asked, now.monotonic_ms))
        world->late++;
    else
        use(world, &asked, guard->wall_clock.of.margin_ms);
}

static void decide(struct clock_world *world, unsigned index)
{
    struct clock_guard *guard = &world->guards[index];
    struct clock_pending *pending = &world->pending[below(world, CLOCK_PENDING)];
    struct jtgi_reading now;
    if (jtgi_wall_clock_now(&guard->wall_clock, &now, NULL) != JTG_OK || !guard->lives ||
        pending->waits)
        return;
    *pending = (struct clock_pending){.guard = index, .asked = now, .waits = true};
    if (!one_in(world, 4))
        hear(world, pending);
}

void clock_world_use(struct clock_world *world)
{
    struct clock_guard *guard = &world->guards[0];
    struct clock_pending *pending = &world->pending[0];
    struct jtgi_reading now;
    if (!guard->lives)
        (void)clock_world_begin(world, guard, clock_world_draw_margin(world));
    if (jtgi_wall_clock_now(&guard->wall_clock, &now, NULL) != JTG_OK)
        return;
    *pending = (struct clock_pending){.guard = 0, .asked = now, .waits = true};
    hear(world, pending);
}

/* Who was begun anew while it was stopped is somebody else. */
static void begin_or_end(struct clock_world *world, unsigned index)
{
    struct clock_guard *guard = &world->guards[index];
    if (world->nested > 0)
        return;
    for (unsigned i = 0; i < CLOCK_PENDING; i++)
        world->pending[i].waits &= world->pending[i].guard != index;
    if (guard->lives)
        end_guard(guard);
    else
        (void)clock_world_begin(world, guard, clock_world_draw_margin(world));
}

void clock_world_step(struct clock_world *world)
{
    unsigned index = (unsigned)below(world, CLOCK_GUARDS);
    struct clock_pending *pending = &world->pending[below(world, CLOCK_PENDING)];
    pass_time(world);
    if (!world->guards[index].lives || one_in(world, 20))
        begin_or_end(world, index);
    else if (pending->waits && one_in(world, 3))
        hear(world, pending);
    else
        decide(world, index);
}

/* ---- the question ---- */

/* A token that was used then, and accepted until some time after: its record has ended at the
 * earliest when the monotonic clock reaches this. Then it must be refused, by everybody. */
static bool is_refused(const struct jtgi_wall_clock *judge, const struct jtgi_reading *now,
                       const struct clock_use *used, int64_t until_ms)
{
    const struct jtgi_span span = {used->wall_ms, until_ms, until_ms + judge->of.margin_ms};
    int64_t ended_ms = until_ms + used->margin_ms - (used->wall_ms - used->monotonic_ms);
    return jtgi_wall_clock_may_have_lost(judge, &span, now, ended_ms);
}

static void judge_by(struct clock_world *world, const struct jtgi_wall_clock *judge,
                     const struct jtgi_reading *now)
{
    static const int64_t lives[] = {1, 1000, 61000, 500000, INT64_C(80000000)};
    for (unsigned i = 0; i < world->used && i < CLOCK_USES; i++)
        for (unsigned life = 0; life < sizeof lives / sizeof lives[0]; life++) {
            const struct clock_use *used = &world->uses[i];
            world->judged++;
            if (!is_refused(judge, now, used, used->wall_ms + lives[life]))
                world->wrong = "a use may be admitted again";
        }
}

/* Those that have read the clock before are judged by what stands there, as it stands there. */
void clock_world_judge_record(struct clock_world *world, const struct jtgi_clock_record *record)
{
    const struct jtgi_reading earlier = {.record = record};
    struct jtgi_wall_clock judge = {0};
    for (unsigned i = 0; i < CLOCK_GUARDS; i++)
        if (world->guards[i].lives) {
            judge.of.margin_ms = world->guards[i].wall_clock.of.margin_ms;
            judge_by(world, &judge, &earlier);
        }
}

void clock_world_judge(struct clock_world *world)
{
    static struct clock_guard probe;
    struct jtgi_reading now;
    bool stops = world->stops;
    world->stops = false;
    for (unsigned i = 0; i < CLOCK_GUARDS; i++)
        if (world->guards[i].lives &&
            jtgi_wall_clock_now(&world->guards[i].wall_clock, &now, NULL) == JTG_OK)
            judge_by(world, &world->guards[i].wall_clock, &now);
    if (clock_world_begin(world, &probe, clock_world_draw_margin(world)) != JTG_OK ||
        jtgi_wall_clock_now(&probe.wall_clock, &now, NULL) != JTG_OK)
        world->wrong = "nobody can begin";
    else
        judge_by(world, &probe.wall_clock, &now);
    end_guard(&probe);
    world->stops = stops;
}
