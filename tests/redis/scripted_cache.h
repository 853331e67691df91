/* SPDX-License-Identifier: Apache-2.0 */
/* A Redis cache whose server follows a script. */
#ifndef TESTS_REDIS_SCRIPTED_CACHE_H
#define TESTS_REDIS_SCRIPTED_CACHE_H

#include "support/asserts.h"
#include "support/script_words.h"

#include <jtiguard/redis.h>

enum {
    /* A real wait wherever a script lets a call time out: long enough for a busy machine to make a
     * connection and to ask, which most of these scripts need first. */
    SCRIPTED_SHORT_MS = 500,
    SCRIPTED_LONG_MS = 5000, /* where none does, so that a busy machine changes no answer */
    SCRIPTED_SLACK_MS =
        100 /* what a call may add to its deadline, stalls (support/stalls.h) apart */
};

/* The deadline of the caches that are opened from now on. */
extern uint32_t scripted_timeout_ms;

/* Set-ups of a test. */
int scripted_patient(void **state);
int scripted_impatient(void **state);

struct scripted_cache {
    struct scripted_server server;
    jtg_cache *cache;
    jtg_owner owner;
    jtg_error err;
    int64_t took_ms; /* by the last call */
};

/* clang-format off: one line a word */
/* A command in a batch of its own: with the seal behind it. */
#define EXPECT(words)                                                                              \
    {SCRIPT_EXPECT, words, 0},                                                                     \
    {                                                                                              \
        SCRIPT_EXPECT_SEAL, NULL, 0                                                                \
    }
#define EXPECT_SAME                                                                                \
    {SCRIPT_EXPECT_SAME, NULL, 0},                                                                 \
    {                                                                                              \
        SCRIPT_EXPECT_SEAL, NULL, 0                                                                \
    }
/* clang-format on */

#define SCRIPT(...)   ((const struct script_step[]){__VA_ARGS__})
#define COUNT_OF(...) (sizeof(SCRIPT(__VA_ARGS__)) / sizeof(struct script_step))

/* Start the script and make the cache; it connects when it is first used. */
#define scripted_cache_open(scripted, ...)                                                         \
    scripted_cache_open_steps(scripted, SCRIPT(__VA_ARGS__), COUNT_OF(__VA_ARGS__))
void scripted_cache_open_steps(struct scripted_cache *scripted, const struct script_step *steps,
                               size_t count);

/* The same with options of the test's own; port, timeout and prefix are set. */
void scripted_cache_open_with(struct scripted_cache *scripted, const jtg_redis_options *wanted,
                              const struct script_step *steps, size_t count);

/* Free the cache; the script must have gone as written. */
void scripted_cache_close(struct scripted_cache *scripted);

/* Reserve a key for the cache's owner, and hold the call to its deadline. */
jtg_status scripted_reserve(struct scripted_cache *scripted, const char *key);
jtg_status scripted_reserve_kept(struct scripted_cache *scripted, const char *key,
                                 int64_t kept_since_ms);
/* Many at once; the calls are all set but for their answers. */
void scripted_reserve_many(struct scripted_cache *scripted, jtg_reserve_call *calls, size_t count);
jtg_status scripted_release(struct scripted_cache *scripted, const char *key);

/* Ping, and hold it to one deadline. */
jtg_status scripted_ping(struct scripted_cache *scripted);
jtg_status scripted_count(struct scripted_cache *scripted);

/* The connection in use: that of the first pipeline, or of the loop that stands in for callers that
 * block (looped.c). */
struct jtgi_connection *scripted_connection(const struct scripted_cache *scripted);

/* Is it that? Then values, which callers that block ask for, have another line than reservations.
 */
bool scripted_is_looped(void);

jtg_redis_stats scripted_stats(const struct scripted_cache *scripted);

#endif
