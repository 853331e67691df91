/* SPDX-License-Identifier: Apache-2.0 */
/* Random calls on the memory backend and on the model, with a clock that jumps; the first
 * difference ends the test and tells how to repeat it. */
#include "model/model.h"
#include "support/asserts.h"
#include "support/random.h"
#include "support/test_clock.h"

#include <inttypes.h>
#include <jtiguard/memory.h>
#include <stdio.h>
#include <string.h>

enum { SEQUENCES = 4000, STEPS = 300, OWNERS = 3 };

struct run {
    uint64_t seed;
    unsigned sequence;
    unsigned step;
    const char *call; /* what the step does */
    struct random_source random;
    struct model model;
    struct test_clock clock;
    jtg_cache *cache;
    unsigned next_value;
};

static void agree(const struct run *run, int64_t got, int64_t expected)
{
    if (got != expected)
        fail_msg("%s: got %" PRId64 ", the model says %" PRId64
                 "\nsequence %u, step %u; repeat with JTIGUARD_TEST_SEED=%" PRIu64,
                 run->call, got, expected, run->sequence, run->step, run->seed);
}

static unsigned below(struct run *run, unsigned bound)
{
    return (unsigned)random_below(&run->random, bound);
}

/* Mostly short beside the steps of the clock, so that ends are met from both sides. */
static uint64_t some_ttl(struct run *run)
{
    static const uint64_t ttls[] = {1, 2, 5, 10, 20, 50, 1000, 86400000};
    return ttls[below(run, 8)];
}

/* ---- the steps ---- */

static void step_reserve(struct run *run)
{
    unsigned key = below(run, MODEL_KEYS);
    unsigned group = below(run, 8) == 0 ? below(run, MODEL_GROUPS) : key % MODEL_GROUPS;
    unsigned owner = below(run, OWNERS);
    uint64_t ttl_ms = some_ttl(run);
    jtg_key given = model_key(key, group);
    jtg_owner by = model_owner(owner);
    run->call = "reserve";
    bool both_full = model_ping(&run->model) == JTG_ERR_FULL;
    jtg_status expected = model_reserve(&run->model, key, group, owner, ttl_ms);
    jtg_status got = jtg_cache_reserve(run->cache, &given, &by, ttl_ms, NULL);
    if (both_full && expected == JTG_ERR_GROUP_FULL && got == JTG_ERR_FULL)
        return; /* both are so; cache.h does not say which is told */
    agree(run, got, expected);
}

static void step_release(struct run *run)
{
    unsigned key = below(run, MODEL_KEYS);
    unsigned owner = below(run, OWNERS);
    jtg_key given = model_key(key, 0);
    jtg_owner by = model_owner(owner);
    run->call = "release";
    agree(run, jtg_cache_release(run->cache, &given, &by, NULL),
          model_release(&run->model, key, owner));
}

static void step_put(struct run *run)
{
    unsigned char bytes[MODEL_VALUE_MAX_BYTES];
    unsigned key = below(run, MODEL_KEYS);
    unsigned number = ++run->next_value;
    size_t keep = below(run, 20) == 0 ? JTG_KEEP_MAX : 1 + below(run, 4);
    uint64_t ttl_ms = some_ttl(run);
    jtg_key given = model_key(key, 0);
    size_t len = model_value_bytes(number, bytes);
    run->call = "put";
    agree(run, jtg_cache_put(run->cache, &given, bytes, len, ttl_ms, keep, NULL),
          model_put(&run->model, key, number, ttl_ms, keep));
}

static void same_value(struct run *run, jtg_status status, jtg_value *value,
                       struct model_value expected)
{
    unsigned char bytes[MODEL_VALUE_MAX_BYTES];
    agree(run, status, expected.number == 0 ? JTG_NOT_FOUND : JTG_OK);
    if (expected.number != 0) {
        agree(run, (int64_t)value->data_len, (int64_t)model_value_bytes(expected.number, bytes));
        agree(run, memcmp(value->data, bytes, value->data_len), 0);
        agree(run, (int64_t)value->ttl_ms, expected.end_ms - run->model.now_ms);
    }
    jtg_value_clear(value);
}

static void step_get(struct run *run)
{
    jtg_value value = JTG_VALUE_INIT;
    unsigned key = below(run, MODEL_KEYS);
    jtg_key given = model_key(key, 0);
    run->call = "get";
    jtg_status status = jtg_cache_get(run->cache, &given, &value, NULL);
    same_value(run, status, &value, model_get(&run->model, key));
}

static void step_take(struct run *run)
{
    jtg_value value = JTG_VALUE_INIT;
    unsigned key = below(run, MODEL_KEYS);
    jtg_key given = model_key(key, 0);
    run->call = "take";
    jtg_status status = jtg_cache_take(run->cache, &given, &value, NULL);
    same_value(run, status, &value, model_take(&run->model, key));
}

/* The expected value is mostly the right one, the new one sometimes none. */
static void step_swap(struct run *run)
{
    unsigned char old_bytes[MODEL_VALUE_MAX_BYTES];
    unsigned char new_bytes[MODEL_VALUE_MAX_BYTES];
    unsigned key = below(run, MODEL_KEYS);
    unsigned expected = model_get(&run->model, key).number;
    if (below(run, 4) == 0)
        expected = run->next_value + 1;
    unsigned number = expected != 0 && below(run, 4) == 0 ? 0 : ++run->next_value;
    uint64_t ttl_ms = number == 0 ? 0 : some_ttl(run);
    size_t old_len = expected == 0 ? 0 : model_value_bytes(expected, old_bytes);
    size_t new_len = number == 0 ? 0 : model_value_bytes(number, new_bytes);
    jtg_key given = model_key(key, 0);
    run->call = "swap";
    agree(run,
          jtg_cache_swap(run->cache, &given, expected == 0 ? NULL : old_bytes, old_len,
                         number == 0 ? NULL : new_bytes, new_len, ttl_ms, NULL),
          model_swap(&run->model, key, expected, number, ttl_ms));
}

static void step_drop(struct run *run)
{
    unsigned key = below(run, MODEL_KEYS);
    jtg_key given = model_key(key, 0);
    run->call = "drop";
    agree(run, jtg_cache_drop(run->cache, &given, NULL), model_drop(&run->model, key));
}

static void step_ping(struct run *run)
{
    run->call = "ping";
    agree(run, jtg_cache_ping(run->cache, NULL), model_ping(&run->model));
}

static void step_count(struct run *run)
{
    uint64_t number = 0;
    run->call = "count";
    assert_status(jtg_cache_count(run->cache, &number, NULL), JTG_OK);
    agree(run, number >= model_count(&run->model), true);
    agree(run, number <= 2 * MODEL_KEYS + MODEL_KEYS, true);
}

static void step_time(struct run *run)
{
    static const int64_t jumps[] = {1, 1, 2, 5, 10, 40, 999, 86400000};
    int64_t ms = jumps[below(run, 8)];
    test_clock_advance(&run->clock, ms);
    run->model.now_ms += ms;
}

static void step_sweep(struct run *run)
{
    bool more = false;
    assert_status(jtg_memory_sweep_step(run->cache, &more, NULL), JTG_OK);
}

/* After two whole passes the store holds what is live and nothing else. */
static void step_sweep_all(struct run *run)
{
    jtg_memory_stats stats = {.struct_size = sizeof stats};
    uint64_t number = 0;
    for (int pass = 0; pass < 2; pass++)
        for (bool more = true; more;)
            assert_status(jtg_memory_sweep_step(run->cache, &more, NULL), JTG_OK);
    run->call = "sweep";
    assert_status(jtg_cache_count(run->cache, &number, NULL), JTG_OK);
    assert_status(jtg_memory_stats_get(run->cache, &stats, NULL), JTG_OK);
    agree(run, (int64_t)number, (int64_t)model_count(&run->model));
    agree(run, (int64_t)stats.entries, (int64_t)model_reservations(&run->model));
    agree(run, (int64_t)stats.values, (int64_t)model_values(&run->model));
    agree(run, (int64_t)stats.value_bytes, (int64_t)model_bytes(&run->model));
    agree(run, stats.max_step_slots <= JTG_MEMORY_STEP_SLOTS, true);
}

static void step_clear(struct run *run)
{
    assert_status(jtg_cache_clear(run->cache, NULL), JTG_OK);
    model_clear(&run->model);
    step_sweep_all(run);
}

/* ---- sequences ---- */

static void one_step(struct run *run)
{
    static const struct {
        unsigned weight;
        void (*step)(struct run *run);
    } steps[] = {
        {30, step_reserve}, {8, step_release},   {14, step_put},  {6, step_get},   {8, step_take},
        {8, step_swap},     {2, step_drop},      {2, step_ping},  {2, step_count}, {14, step_time},
        {4, step_sweep},    {1, step_sweep_all}, {1, step_clear},
    };
    unsigned drawn = below(run, 100);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        if (drawn < steps[i].weight) {
            steps[i].step(run);
            return;
        }
        drawn -= steps[i].weight;
    }
    fail_msg("the weights do not sum up to 100");
}

/* Tiny stores as often as ones that never fill. */
static void open_some_cache(struct run *run)
{
    static const uint64_t entries[] = {1, 2, 3, 8, 15, MODEL_KEYS, 5000, 100000};
    static const uint64_t shares[] = {0, 0, 1, 2, 4};
    static const uint64_t values[] = {1, 2, 5, 20, 60, 5000};
    static const uint64_t bytes[] = {1, 60, 200, 1000, 1 << 20, 1 << 20};
    jtg_memory_options options = JTG_MEMORY_OPTIONS_INIT;
    struct model *model = &run->model;
    memset(model, 0, sizeof *model);
    model->max_entries = entries[below(run, 8)];
    model->max_entries_per_group = shares[below(run, 5)];
    if (model->max_entries_per_group > model->max_entries)
        model->max_entries_per_group = model->max_entries;
    model->max_values = values[below(run, 6)];
    model->max_value_bytes = bytes[below(run, 6)];

    test_clock_init(&run->clock);
    jtg_clock clock = test_clock_as_jtg(&run->clock);
    options.max_entries = model->max_entries;
    options.max_entries_per_group = model->max_entries_per_group;
    options.max_values = model->max_values;
    options.max_value_bytes = model->max_value_bytes;
    options.sweep_interval_ms = 0;
    options.clock = &clock;
    assert_status(jtg_memory_new(&run->cache, &options, NULL), JTG_OK);
}

static void random_calls_agree_with_the_model(void **state)
{
    static struct run run;
    (void)state;
    run.seed = random_seed();
    print_message("JTIGUARD_TEST_SEED=%" PRIu64 "\n", run.seed);
    random_init(&run.random, run.seed);
    for (run.sequence = 0; run.sequence < SEQUENCES; run.sequence++) {
        open_some_cache(&run);
        for (run.step = 0; run.step < STEPS; run.step++)
            one_step(&run);
        step_sweep_all(&run);
        jtg_cache_free(run.cache);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_calls_agree_with_the_model),
    };
    return cmocka_run_group_tests_name("model", tests, NULL, NULL);
}
