/* SPDX-License-Identifier: Apache-2.0 */
#include "tokens/challenges/challenge_ranges.h"

#include "core/brief_lock.h"
#include "core/clock.h"
#include "core/error.h"

#include <jtiguard/status.h>
#include <sodium.h>
#include <string.h>

enum {
    FIRST_SIZE = 1024,
    WINDOW_OF_LIFETIME = 4,  /* a range hands out numbers for a quarter of their lifetime */
    WINDOW_MOST_MS = 900000, /* and after a loss that nobody notices, no longer than this */
    WINDOW_LEAST_MS = 1000,
    TRIES_MAX = 3,
    RUNS_OUT_AT = 8 /* when less than this part of it is left */
};

void jtgi_challenge_ranges_init(struct jtgi_challenge_ranges *ranges, jtg_cache *cache,
                                const jtg_clock *clock, const jtg_challenges_options *options)
{
    memset(ranges, 0, sizeof *ranges);
    jtgi_brief_lock_init(&ranges->lock);
    ranges->cache = cache;
    ranges->clock = clock;
    ranges->name = options->name;
    ranges->name_len = strlen(options->name);
    ranges->lifetime_ms = options->lifetime_ms;
    ranges->window_ms = options->lifetime_ms / WINDOW_OF_LIFETIME;
    if (ranges->window_ms > WINDOW_MOST_MS)
        ranges->window_ms = WINDOW_MOST_MS;
    if (ranges->window_ms < WINDOW_LEAST_MS)
        ranges->window_ms = WINDOW_LEAST_MS;
    ranges->margin_ms = options->margin_ms;
    ranges->most = options->range;
    ranges->size = options->range < FIRST_SIZE ? options->range : FIRST_SIZE;
    ranges->watches = jtg_cache_watches(cache) != 0;
}

void jtgi_challenge_ranges_clear(struct jtgi_challenge_ranges *ranges)
{
    if (ranges->cache != NULL)
        (void)pthread_mutex_destroy(&ranges->lock);
    ranges->cache = NULL;
}

size_t jtgi_challenge_place(const struct jtgi_challenge_ranges *ranges, const unsigned char *name,
                            unsigned char place[JTGI_CHALLENGE_PLACE_BYTES])
{
    static const char start[] = "jtg:ch1:";
    size_t len = sizeof start - 1;
    memcpy(place, start, len);
    memcpy(place + len, ranges->name, ranges->name_len);
    len += ranges->name_len;
    place[len++] = ':';
    memcpy(place + len, name, JTGI_CHALLENGE_RANGE_BYTES);
    return len + JTGI_CHALLENGE_RANGE_BYTES;
}

int64_t jtgi_challenge_needed_ms(const struct jtgi_challenge_ranges *ranges, int64_t born_ms)
{
    return ranges->watches ? born_ms - ranges->margin_ms : JTG_KEPT_ANY;
}

/* ---- handing out ---- */

static void remove_locked(struct jtgi_challenge_ranges *ranges, size_t at)
{
    for (ranges->ready_count--; at < ranges->ready_count; at++)
        ranges->ready[at] = ranges->ready[at + 1];
}

/* A range that was used up before its time was too small for the load, one of which most was left
 * too large. */
static void learn_size_locked(struct jtgi_challenge_ranges *ranges,
                              const struct jtgi_challenge_range *range)
{
    uint32_t least = ranges->most < FIRST_SIZE ? ranges->most : FIRST_SIZE;
    if (range->next == range->count && ranges->size <= range->count)
        ranges->size = ranges->size > ranges->most / 2 ? ranges->most : 2 * ranges->size;
    else if (range->next < range->count / 4 && ranges->size / 2 >= least)
        ranges->size /= 2;
}

static void end_those_that_are_over_locked(struct jtgi_challenge_ranges *ranges, int64_t now_ms)
{
    for (size_t at = ranges->ready_count; at > 0; at--) {
        const struct jtgi_challenge_range *range = &ranges->ready[at - 1];
        if (range->next < range->count && now_ms < range->until_ms)
            continue;
        learn_size_locked(ranges, range);
        remove_locked(ranges, at - 1);
    }
}

static bool runs_out_locked(struct jtgi_challenge_ranges *ranges)
{
    const struct jtgi_challenge_range *range = &ranges->ready[0];
    if (ranges->adding || ranges->ready_count > 1 ||
        range->count - range->next >= range->count / RUNS_OUT_AT)
        return false;
    ranges->adding = true;
    return true;
}

static uint32_t take_locked(struct jtgi_challenge_ranges *ranges, uint32_t most, int64_t now_ms,
                            struct jtgi_challenge_range *piece, bool *runs_out)
{
    *runs_out = false;
    end_those_that_are_over_locked(ranges, now_ms);
    if (ranges->ready_count == 0)
        return 0;
    struct jtgi_challenge_range *range = &ranges->ready[0];
    uint32_t left = range->count - range->next;
    uint32_t taken = left < most ? left : most;
    *piece = *range;
    piece->count = range->next + taken;
    range->next += taken;
    *runs_out = runs_out_locked(ranges);
    return taken;
}

uint32_t jtgi_challenge_ranges_take(struct jtgi_challenge_ranges *ranges, uint32_t most,
                                    struct jtgi_challenge_range *piece, bool *runs_out)
{
    int64_t now_ms = jtgi_clock_monotonic_ms(ranges->clock);
    (void)pthread_mutex_lock(&ranges->lock);
    uint32_t taken = take_locked(ranges, most, now_ms, piece, runs_out);
    (void)pthread_mutex_unlock(&ranges->lock);
    return taken;
}

void jtgi_challenge_ranges_drop(struct jtgi_challenge_ranges *ranges, const unsigned char *name)
{
    bool ours = false;
    (void)pthread_mutex_lock(&ranges->lock);
    for (size_t at = 0; at < ranges->ready_count; at++)
        ours = ours || memcmp(ranges->ready[at].name, name, sizeof ranges->ready[at].name) == 0;
    if (ours)
        ranges->ready_count = 0;
    (void)pthread_mutex_unlock(&ranges->lock);
}

void jtgi_challenge_ranges_asked(struct jtgi_challenge_ranges *ranges)
{
    (void)pthread_mutex_lock(&ranges->lock);
    ranges->adding = false;
    (void)pthread_mutex_unlock(&ranges->lock);
}

/* ---- another one ---- */

static uint32_t next_size(struct jtgi_challenge_ranges *ranges)
{
    (void)pthread_mutex_lock(&ranges->lock);
    uint32_t size = ranges->size;
    (void)pthread_mutex_unlock(&ranges->lock);
    return size;
}

/* The clocks are read before the bitmap is made: whatever is lost is lost after that. */
static jtg_status make(const struct jtgi_challenge_ranges *ranges,
                       struct jtgi_challenge_range *range, jtg_error *err)
{
    unsigned char place[JTGI_CHALLENGE_PLACE_BYTES];
    struct jtgi_moment now = jtgi_moment_now(ranges->clock);
    jtgi_error_begin(err);
    if (now.wall_ms < 0 || now.wall_ms > JTGI_WALL_MAX_MS)
        return jtg_error_set(err, JTG_ERR_SYSTEM, 0, "the clock gives no usable time");
    randombytes_buf(range->name, sizeof range->name);
    range->born_ms = now.wall_ms;
    range->until_ms = now.monotonic_ms + (int64_t)ranges->window_ms;
    jtg_key key = {place, jtgi_challenge_place(ranges, range->name, place), NULL, 0};
    return jtg_cache_bitmap_put(ranges->cache, &key, range->count,
                                ranges->window_ms + ranges->lifetime_ms +
                                    (uint64_t)ranges->margin_ms,
                                jtgi_challenge_needed_ms(ranges, range->born_ms), err);
}

/* Whether an unknown outcome left a bitmap behind, or the store has just forgotten it, does not
 * matter: nobody knows its name. */
static bool is_worth_another(jtg_status status)
{
    return status == JTG_REPLAYED || status == JTG_ERR_TIMEOUT || status == JTG_ERR_CONTINUITY;
}

jtg_status jtgi_challenge_ranges_add(struct jtgi_challenge_ranges *ranges, jtg_error *err)
{
    struct jtgi_challenge_range range = {.count = next_size(ranges)};
    jtg_status status = make(ranges, &range, err);
    for (int tries = 1; tries < TRIES_MAX && is_worth_another(status); tries++)
        status = make(ranges, &range, err);
    if (status == JTG_ERR_TIMEOUT || status == JTG_REPLAYED) {
        jtgi_error_begin(err);
        return jtg_error_set(err, JTG_ERR_UNAVAILABLE, 0,
                             "the store did not say in time whether it "
                             "has room for more challenges");
    }
    if (status != JTG_OK)
        return status;
    (void)pthread_mutex_lock(&ranges->lock);
    if (ranges->ready_count < sizeof ranges->ready / sizeof ranges->ready[0])
        ranges->ready[ranges->ready_count++] = range;
    (void)pthread_mutex_unlock(&ranges->lock);
    return JTG_OK;
}
