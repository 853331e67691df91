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
    AT_ONCE_MOST = 24, /* where many are asked for at once: among so few keys some meet */
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
    struct witness_caller witness;
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

static void note_starving(struct caller *caller, const struct history_record *call)
{
    if (!witness_call_ended(&caller->witness, &caller->run->file, call))
        atomic_store(&caller->run->failed, true);
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
    witness_call_begins(&caller->witness);
    call->invoke_ns = history_now_ns();
    jtg_status status = call_cache(caller, call);
    call->return_ns = history_now_ns();
    call->status = (uint8_t)status;
    call->flags = copies_sent(caller->run) == copies ? 0 : HISTORY_COPIES;
    record(caller->run, call);
    note_starving(caller, call);
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

/* ---- many at once ---- */

struct together {
    struct history_record attempts[AT_ONCE_MOST];
    jtg_reserve_call calls[AT_ONCE_MOST];
    char names[AT_ONCE_MOST][STORE_NAME_BYTES];
    jtg_owner owners[AT_ONCE_MOST];
    size_t count;
};

static void prepare(struct together *together, size_t at)
{
    const struct history_record *attempt = &together->attempts[at];
    together->owners[at] = store_owner(attempt->owner);
    together->calls[at] =
        (jtg_reserve_call){.key = store_key(together->names[at], attempt->key),
                           .owner = &together->owners[at],
                           .ttl_ms = attempt->ttl_ms,
                           .kept_since_ms = JTG_KEPT_ANY,
                           .reserved = true}; /* of an earlier use of the memory */
}

/* One call, and a record of each answer. */
static void ask_together(struct caller *caller, struct together *together)
{
    uint64_t copies = copies_sent(caller->run);
    witness_call_begins(&caller->witness);
    uint64_t invoke_ns = history_now_ns();
    jtg_cache_reserve_many(caller->run->cache, together->calls, together->count);
    uint64_t return_ns = history_now_ns();
    uint8_t flags = copies_sent(caller->run) == copies ? 0 : HISTORY_COPIES;
    for (size_t i = 0; i < together->count; i++) {
        struct history_record *attempt = &together->attempts[i];
        const jtg_reserve_call *call = &together->calls[i];
        attempt->op = HISTORY_RESERVE;
        attempt->invoke_ns = invoke_ns;
        attempt->return_ns = return_ns;
        attempt->status = (uint8_t)call->status;
        attempt->flags = flags;
        record(caller->run, attempt);
        if (call->reserved != (call->status == JTG_OK))
            atomic_store(&caller->run->failed, true);
    }
    note_starving(caller, &together->attempts[0]);
}

/* Those whose outcome is unknown, some of them, once more: and all of them at once again. */
static void keep_unknown(struct caller *caller, struct together *together)
{
    size_t kept = 0;
    for (size_t i = 0; i < together->count; i++) {
        if (together->calls[i].status != JTG_ERR_TIMEOUT || !chance(caller, ASK_AGAIN_PERCENT))
            continue;
        together->attempts[kept] = together->attempts[i];
        prepare(together, kept++);
    }
    together->count = kept;
}

static void release_some(struct caller *caller, const struct together *together)
{
    for (size_t i = 0; i < together->count; i++) {
        struct history_record call = together->attempts[i];
        if (call.status == JTG_OK && chance(caller, RELEASE_PERCENT))
            (void)ask(caller, &call, HISTORY_RELEASE);
    }
}

static void use_keys(struct caller *caller)
{
    struct together together;
    together.count = 1 + random_below(&caller->random, AT_ONCE_MOST);
    for (size_t i = 0; i < together.count; i++) {
        together.attempts[i] = new_attempt(caller);
        prepare(&together, i);
    }
    while (together.count > 0) {
        ask_together(caller, &together);
        release_some(caller, &together);
        keep_unknown(caller, &together);
    }
}

static void run_caller(void *context, unsigned index)
{
    struct run *run = context;
    struct caller caller = {.run = run, .thread = (uint16_t)index};
    random_init(&caller.random,
                run->client->seed ^ ((uint64_t)run->client->process * 64 + index + 1));
    witness_caller_start(&caller.witness);
    while (history_now_ns() < run->client->end_ns) {
        if (run->client->many && index % 2 == 0)
            use_keys(&caller);
        else
            use_a_key(&caller);
        struct timespec pause = {0, 1000 * (long)random_below(&caller.random, PAUSE_US_MOST)};
        nanosleep(&pause, NULL);
    }
    witness_caller_stop(&caller.witness);
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
