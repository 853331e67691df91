/* SPDX-License-Identifier: Apache-2.0 */
#include "integration/fault_rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MS_NS UINT64_C(1000000)

enum { WORDS_MAX = 4, NUMBER_MAX = 1000000000, CHAOS_MEAN_MS = 150 };

static const char *const names[FAULT_KINDS] = {
    "pass", "latency", "hole", "bandwidth", "slicer", "limit", "slowclose", "refuse", "reset"};

const char *fault_kind_name(enum fault_kind kind)
{
    return names[kind];
}

enum lane { LANE_UP = 1, LANE_DOWN = 2, LANE_BOTH = 3 };

/* A fault as it was asked for. */
struct order {
    enum fault_kind kind;
    uint32_t numbers[2];
    unsigned lanes;
};

static struct lane_rules lane_of(const struct order *order)
{
    struct lane_rules lane = {0};
    uint32_t n = order->numbers[0];
    lane.latency_ms = order->kind == FAULT_LATENCY ? n : 0;
    lane.jitter_ms = order->kind == FAULT_LATENCY ? order->numbers[1] : 0;
    lane.hole = order->kind == FAULT_HOLE;
    lane.bytes_per_s = order->kind == FAULT_BANDWIDTH ? n : 0;
    lane.slice_bytes = order->kind == FAULT_SLICER ? n : 0;
    lane.limit_bytes = order->kind == FAULT_LIMIT ? n : 0;
    return lane;
}

static void apply(struct fault_rules *rules, const struct order *order)
{
    static const struct lane_rules free_lane = {0};
    rules->times[order->kind]++;
    if (order->kind == FAULT_RESET) {
        rules->resets++;
        return;
    }
    rules->up = order->lanes & LANE_UP ? lane_of(order) : free_lane;
    rules->down = order->lanes & LANE_DOWN ? lane_of(order) : free_lane;
    rules->slow_close_ms = order->kind == FAULT_SLOW_CLOSE ? order->numbers[0] : 0;
    rules->refuse = order->kind == FAULT_REFUSE;
}

/* How many numbers a fault takes at least and at most. */
static const struct {
    unsigned least;
    unsigned most;
} takes[FAULT_KINDS] = {
    [FAULT_LATENCY] = {1, 2}, [FAULT_BANDWIDTH] = {1, 1},  [FAULT_SLICER] = {1, 1},
    [FAULT_LIMIT] = {1, 1},   [FAULT_SLOW_CLOSE] = {1, 1},
};

static bool parse_number(const char *word, uint64_t limit, uint64_t *number)
{
    char *end;
    if (*word < '0' || *word > '9')
        return false;
    *number = strtoull(word, &end, 10);
    return *end == '\0' && *number <= limit;
}

static unsigned parse_lanes(const char *word)
{
    if (strcmp(word, "up") == 0)
        return LANE_UP;
    if (strcmp(word, "down") == 0)
        return LANE_DOWN;
    return strcmp(word, "both") == 0 ? LANE_BOTH : 0;
}

static bool parse_kind(const char *word, enum fault_kind *kind)
{
    for (*kind = 0; *kind < FAULT_KINDS; (*kind)++)
        if (strcmp(word, names[*kind]) == 0)
            return true;
    return false;
}

static bool parse_order(char *const *words, unsigned count, struct order *order)
{
    if (!parse_kind(words[0], &order->kind))
        return false;
    unsigned i = 1;
    uint64_t number;
    while (i < count && i <= takes[order->kind].most && parse_number(words[i], NUMBER_MAX, &number))
        order->numbers[i++ - 1] = (uint32_t)number;
    if (i - 1 < takes[order->kind].least)
        return false;
    order->lanes = LANE_BOTH;
    if (i < count)
        order->lanes = parse_lanes(words[i++]);
    return order->lanes != 0 && i == count;
}

static bool start_chaos(struct fault_chaos *chaos, char *const *words, unsigned count,
                        uint64_t now_ns)
{
    uint64_t seed;
    uint64_t mean = CHAOS_MEAN_MS;
    if (count < 2 || count > 3 || !parse_number(words[1], UINT64_MAX, &seed) ||
        (count == 3 && (!parse_number(words[2], 60000, &mean) || mean == 0)))
        return false;
    random_init(&chaos->random, seed);
    chaos->mean_ms = (uint32_t)mean;
    chaos->next_ns = now_ns;
    return true;
}

bool fault_rules_obey(struct fault_rules *rules, struct fault_chaos *chaos, const char *line,
                      uint64_t now_ns)
{
    char copy[128];
    char *words[WORDS_MAX];
    char *rest = copy;
    unsigned count = 0;
    struct order order = {0};
    if ((size_t)snprintf(copy, sizeof copy, "%s", line) >= sizeof copy)
        return false;
    for (char *word; (word = strtok_r(rest, " \r\n", &rest)) != NULL;) {
        if (count == WORDS_MAX)
            return false;
        words[count++] = word;
    }
    if (count > 0 && strcmp(words[0], "random") == 0)
        return start_chaos(chaos, words, count, now_ns);
    if (count == 0 || !parse_order(words, count, &order))
        return false;
    chaos->mean_ms = 0;
    apply(rules, &order);
    return true;
}

static uint32_t between(struct random_source *random, uint32_t least, uint32_t most)
{
    return least + (uint32_t)random_below(random, most - least + 1);
}

/* Every second turn the way is free, so that there is something to go wrong again. */
static struct order random_order(struct random_source *random, bool free_now)
{
    struct order order = {FAULT_PASS, {0, 0}, LANE_BOTH};
    if (!free_now)
        return order;
    order.kind = (enum fault_kind)between(random, FAULT_LATENCY, FAULT_RESET);
    order.lanes = between(random, LANE_UP, LANE_BOTH);
    static const uint32_t ranges[FAULT_KINDS][2] = {
        [FAULT_LATENCY] = {1, 200}, [FAULT_BANDWIDTH] = {200, 20000}, [FAULT_SLICER] = {1, 9},
        [FAULT_LIMIT] = {1, 3000},  [FAULT_SLOW_CLOSE] = {10, 500},
    };
    order.numbers[0] = between(random, ranges[order.kind][0], ranges[order.kind][1]);
    order.numbers[1] = order.kind == FAULT_LATENCY ? between(random, 0, 50) : 0;
    return order;
}

static bool lane_is_free(const struct lane_rules *lane)
{
    return lane->latency_ms == 0 && lane->bytes_per_s == 0 && lane->slice_bytes == 0 &&
           lane->limit_bytes == 0 && !lane->hole;
}

static bool is_free(const struct fault_rules *rules)
{
    return lane_is_free(&rules->up) && lane_is_free(&rules->down) && !rules->refuse &&
           rules->slow_close_ms == 0;
}

bool fault_chaos_step(struct fault_chaos *chaos, struct fault_rules *rules, uint64_t now_ns)
{
    if (chaos->mean_ms == 0 || now_ns < chaos->next_ns)
        return false;
    struct order order = random_order(&chaos->random, is_free(rules));
    apply(rules, &order);
    chaos->next_ns =
        now_ns + (1 + random_below(&chaos->random, UINT64_C(2) * chaos->mean_ms)) * MS_NS;
    return true;
}
