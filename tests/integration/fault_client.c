/* SPDX-License-Identifier: Apache-2.0 */
#include "integration/fault_client.h"

#include "integration/store.h"
#include "integration/witness.h"
#include "support/asserts.h"
#include "support/history.h"
#include "support/random.h"
#include "support/threads.h"

#include <jtiguard/redis.h>
#include <stdatomic.h>
#include <stdlib.h>

enum {
    KEYS = 300, /* so few that the processes meet, and that keys are used again and again */
    TTL_LEAST_MS = 50,
    TTL_MOST_MS = 1500,
    ASK_AGAIN_PERCENT = 50,
    RELEASE_PERCENT = 40,
    FOREIGN_RELEASE_PERCENT = 5,
    PAUSE_US_MOST = 1500
};

struct run {
    const struct fault_client *client;
    struct history_file file;
    jtg_cache *cache;
    atomic_bool failed;
};

struct caller {
    struct run *run;
    struct random_source random;
    uint16_t thread;
    uint32_t attempts;
};

static void record(struct run *run, struct history_record *call)
{
    call->process = run->client->process;
    if (!history_append(&run->file, call))
        atomic_store(&run->failed, true);
}

/* Each attempt to use a key has an owner of its own, as each request of a verifier has. */
static struct history_record new_attempt(struct caller *caller)
{
    struct history_record attempt = {0};
    attempt.key = random_below(&caller->random, KEYS);
    attempt.owner = (uint64_t)(caller->run->client->process + 1) << 48 |
                    (uint64_t)caller->thread << 32 | ++caller->attempts;
    attempt.ttl_ms =
        TTL_LEAST_MS + (uint32_t)random_below(&caller->random, TTL_MOST_MS - TTL_LEAST_MS);
    attempt.thread = caller->thread;
    attempt.deadline_ms = caller->run->client->deadline_ms;
    return attempt;
}

/* How often this process has sent something twice. */
static uint64_t copies_sent(struct run *run)
{
    jtg_redis_stats stats = {.struct_size = sizeof stats};
    if (jtg_redis_stats_get(run->cache, &stats, NULL) != JTG_OK)
        atomic_store(&run->failed, true);
    return stats.asked_again;
}

static jtg_status call_cache(struct caller *caller, const struct history_record *call)
{
    char buffer[STORE_NAME_BYTES];
    jtg_key key = store_key(buffer, call->key);
    jtg_owner owner = store_owner(call->owner);
    if (call->op == HISTORY_RESERVE)
        return jtg_cache_reserve(caller->run->cache, &key, &owner, call->ttl_ms, NULL);
    return jtg_cache_release(caller->run->cache, &key, &owner, NULL);
}

static jtg_status ask(struct caller *caller, struct history_record *call, enum history_op op)
{
    uint64_t copies = copies_sent(caller->run);
    call->op = (uint8_t)op;
    call->invoke_ns = history_now_ns();
    jtg_status status = call_cache(caller, call);
    call->return_ns = history_now_ns();
    call->status = (uint8_t)status;
    call->flags = copies_sent(caller->run) == copies ? 0 : HISTORY_COPIES;
    record(caller->run, call);
    return status;
}

static bool chance(struct caller *caller, unsigned percent)
{
    return random_below(&caller->random, 100) < percent;
}

static void use_a_key(struct caller *caller)
{
    struct history_record call = new_attempt(caller);
    jtg_status status = ask(caller, &call, HISTORY_RESERVE);
    while (status == JTG_ERR_TIMEOUT && chance(caller, ASK_AGAIN_PERCENT))
        status = ask(caller, &call, HISTORY_RESERVE);
    /* Who was refused has nothing to give back, and must not be able to. */
    if ((status == JTG_OK && chance(caller, RELEASE_PERCENT)) ||
        (status == JTG_REPLAYED && chance(caller, FOREIGN_RELEASE_PERCENT)))
        (void)ask(caller, &call, HISTORY_RELEASE);
}

static void run_caller(void *context, unsigned index)
{
    struct run *run = context;
    struct caller caller = {.run = run, .thread = (uint16_t)index};
    random_init(&caller.random,
                run->client->seed ^ ((uint64_t)run->client->process * 64 + index + 1));
    while (history_now_ns() < run->client->end_ns) {
        use_a_key(&caller);
        struct timespec pause = {0, 1000 * (long)random_below(&caller.random, PAUSE_US_MOST)};
        nanosleep(&pause, NULL);
    }
}

int fault_client_run(const struct fault_client *client)
{
    struct run run = {.client = client};
    struct witness witness;
    assert_true(history_create(&run.file, client->history_path));
    run.cache = store_open(client->uri);
    assert_true(witness_start(&witness, &run.file, client->process));
    threads_run(client->threads, run_caller, &run);
    bool witnessed = witness_stop(&witness);
    jtg_cache_free(run.cache);
    history_close(&run.file);
    return witnessed && !atomic_load(&run.failed) ? 0 : 1;
}
