/* SPDX-License-Identifier: Apache-2.0 */
#include "reliability/load.h"

#include "integration/store.h"
#include "integration/witness.h"
#include "reliability/world.h"
#include "support/asserts.h"
#include "support/random.h"
#include "support/threads.h"

#include <jtiguard/guard.h>
#include <jtiguard/redis.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
    CALLERS = 4,
    TICK_MS = 20, /* tokens are issued this often, */
    TICK_TOKENS = 8,
    OWN_TOKENS = 2, /* of these, where every process shows its own */
    OWNERS = TICK_TOKENS / OWN_TOKENS,
    NEW_PERCENT = 60, /* and most are shown at once, by several */
    NEW_MS = 200,
    MANY_PERCENT = 15, /* are shown with others, by one call */
    MANY_MOST = 8,
    RELEASE_PERCENT = 5,
    ASK_AGAIN_PERCENT = 50,
    BROKEN_RELEASE_PERCENT = 5,
    PAUSE_US_MOST = 5000,
    PROBE_TTL_MS = 1000,
    PROBE_PAUSE_MS = 5,
    FINE_CALLS = 300 /* in a row: then each server of a Cluster is connected and marked */
};

struct run {
    const struct load *load;
    struct history_file file;
    FILE *log;
    jtg_cache *cache;
    jtg_guard *guard;
    atomic_uint fine; /* calls since the last that the store did not answer */
    atomic_bool ready;
    atomic_bool over;
    atomic_bool failed;
};

struct caller {
    struct run *run;
    struct witness_caller witness;
    struct random_source random;
    uint16_t thread;
    uint32_t attempts;
    redisContext *direct; /* of a broken release */
};

uint64_t load_first_token(int64_t issued_ms)
{
    return (uint64_t)issued_ms / TICK_MS * TICK_TOKENS;
}

int64_t load_issued_ms(uint64_t key)
{
    return (int64_t)(key / TICK_TOKENS * TICK_MS);
}

/* In a Cluster every second token lies in one of the slots that are probed, where it meets many
 * others while the slot wanders; the rest lie anywhere. */
int load_part(uint64_t key, unsigned parts)
{
    if (parts == 1)
        return 0;
    return key % 2 == 0 ? (int)(key / 2 % parts) : -1;
}

static int64_t wall_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool chance(struct caller *caller, unsigned percent)
{
    return random_below(&caller->random, 100) < percent;
}

static void record(struct run *run, struct history_record *call)
{
    call->process = run->load->process;
    call->deadline_ms = LOAD_DEADLINE_MS;
    if (!history_append(&run->file, call))
        atomic_store(&run->failed, true);
}

static void note_starving(struct caller *caller, const struct history_record *call)
{
    if (!witness_call_ended(&caller->witness, &caller->run->file, call))
        atomic_store(&caller->run->failed, true);
}

static jtg_redis_stats stats_of(struct run *run)
{
    jtg_redis_stats stats = {.struct_size = sizeof stats};
    if (jtg_redis_stats_get(run->cache, &stats, NULL) != JTG_OK)
        atomic_store(&run->failed, true);
    return stats;
}

/* No two attempts of a run share an owner. */
static uint64_t new_owner(struct caller *caller)
{
    return (uint64_t)(caller->run->load->process + 1) << 48 | (uint64_t)caller->thread << 32 |
           ++caller->attempts;
}

/* ---- tokens ---- */

static uint64_t draw_token(struct caller *caller)
{
    const struct load *load = caller->run->load;
    uint64_t age =
        random_below(&caller->random, chance(caller, NEW_PERCENT) ? NEW_MS : TOKEN_LIFE_MS);
    uint64_t first = load_first_token(wall_ms() - (int64_t)age);
    if (load->own_tokens)
        return first + load->process % OWNERS * OWN_TOKENS +
               random_below(&caller->random, OWN_TOKENS);
    return first + random_below(&caller->random, TICK_TOKENS);
}

static void name_token(const struct load *load, uint64_t key, char jti[STORE_NAME_BYTES])
{
    int part = load_part(key, load->parts);
    if (load->parts > 1 && part >= 0)
        snprintf(jti, STORE_NAME_BYTES, "token-{%s}-%llu", world_part_tag((unsigned)part),
                 (unsigned long long)key);
    else
        snprintf(jti, STORE_NAME_BYTES, "token-%llu", (unsigned long long)key);
}

/* jti is borrowed by the claims. */
static jtg_claims claims_of(const struct load *load, uint64_t key, char jti[STORE_NAME_BYTES])
{
    jtg_claims claims = JTG_CLAIMS_INIT;
    name_token(load, key, jti);
    claims.kind = JTG_KIND_ID_TOKEN;
    claims.issuer = jtg_text_of("https://issuer.example");
    claims.audience = jtg_text_of("campaign");
    claims.jti = jtg_text_of(jti);
    claims.iat_ms = load_issued_ms(key);
    claims.exp_ms = claims.iat_ms + TOKEN_LIFE_MS;
    return claims;
}

static bool may_have_stored(jtg_reason reason)
{
    return reason == JTG_REASON_OUTCOME_UNKNOWN || reason == JTG_REASON_TOO_FEW_REPLICAS;
}

/* A token, and its attempt to be used. */
struct shown {
    char jti[STORE_NAME_BYTES];
    jtg_owner owner;
    jtg_claims claims;
    jtg_decision decision;
    struct history_record call;
};

static void draw(struct caller *caller, struct shown *shown)
{
    static const jtg_decision undecided = JTG_DECISION_INIT;
    shown->call = (struct history_record){.key = draw_token(caller), .thread = caller->thread};
    shown->claims = claims_of(caller->run->load, shown->call.key, shown->jti);
    shown->decision = undecided;
    shown->call.owner = new_owner(caller);
    shown->owner = store_owner(shown->call.owner);
    shown->claims.owner = &shown->owner;
    int64_t left_ms = shown->claims.exp_ms - wall_ms();
    shown->call.ttl_ms = left_ms > 0 ? (uint32_t)left_ms : 0;
}

static void record_answer(struct caller *caller, struct shown *shown, bool admitted)
{
    jtg_reason reason = shown->decision.reason;
    shown->call.status = (uint8_t)reason;
    if (admitted != (reason == JTG_REASON_ADMITTED))
        atomic_store(&caller->run->failed, true);
    record(caller->run, &shown->call);
    if (reason == JTG_REASON_STORE_UNAVAILABLE || may_have_stored(reason))
        atomic_store(&caller->run->fine, 0);
    else
        atomic_fetch_add(&caller->run->fine, 1);
}

/* Each has a record of its own of the one call. */
static void ask_guard(struct caller *caller, struct shown *shown, size_t count)
{
    jtg_admit_call calls[MANY_MOST];
    uint64_t copies = stats_of(caller->run).asked_again;
    witness_call_begins(&caller->witness);
    uint64_t invoke_ns = history_now_ns();
    for (size_t i = 0; i < count; i++)
        calls[i] = (jtg_admit_call){&shown[i].claims, &shown[i].decision, NULL, true};
    if (count == 1)
        calls[0].admitted =
            jtg_guard_admit(caller->run->guard, &shown[0].claims, &shown[0].decision, NULL);
    else
        jtg_guard_admit_many(caller->run->guard, calls, count);
    uint64_t return_ns = history_now_ns();
    bool copied = stats_of(caller->run).asked_again != copies;
    for (size_t i = 0; i < count; i++) {
        shown[i].call.op = HISTORY_ADMIT;
        shown[i].call.invoke_ns = invoke_ns;
        shown[i].call.return_ns = return_ns;
        shown[i].call.flags = copied ? HISTORY_COPIES : 0;
        record_answer(caller, &shown[i], calls[i].admitted);
    }
    note_starving(caller, &shown[0].call);
}

static void give_back(struct caller *caller, const struct history_record *admit,
                      const jtg_decision *decision)
{
    struct history_record call = *admit;
    uint64_t copies = stats_of(caller->run).asked_again;
    call.op = HISTORY_RELEASE;
    witness_call_begins(&caller->witness);
    call.invoke_ns = history_now_ns();
    call.status = (uint8_t)jtg_guard_release(caller->run->guard, &decision->reservation, NULL);
    call.return_ns = history_now_ns();
    call.flags = stats_of(caller->run).asked_again == copies ? 0 : HISTORY_COPIES;
    record(caller->run, &call);
    note_starving(caller, &call);
}

/* Not by the library: it deletes whatever is there. */
static void delete_what_is_there(struct caller *caller, const jtg_claims *claims)
{
    unsigned char key[JTG_KEY_MAX_BYTES];
    size_t key_len = 0;
    if (caller->direct == NULL)
        caller->direct = redisConnect("10.77.0.1", 6379);
    if (caller->direct == NULL || caller->direct->err != 0 ||
        jtg_guard_key(caller->run->guard, claims, key, &key_len) != JTG_REASON_ADMITTED) {
        atomic_store(&caller->run->failed, true);
        return;
    }
    redisReply *reply = redisCommand(caller->direct, "DEL %b", key, key_len);
    if (reply != NULL)
        freeReplyObject(reply);
}

/* The campaign may begin when every process is served by the whole store: a machine that is slow to
 * start one is no refusal in the calm. */
static void tell_ready(struct run *run)
{
    if (atomic_load(&run->fine) >= FINE_CALLS && !atomic_exchange(&run->ready, true) &&
        write(run->load->ready, "", 1) != 1)
        atomic_store(&run->failed, true);
}

static void go_on(struct caller *caller, struct shown *shown)
{
    while (may_have_stored(shown->decision.reason) && chance(caller, ASK_AGAIN_PERCENT))
        ask_guard(caller, shown, 1);
    if (shown->decision.reason == JTG_REASON_ADMITTED) {
        atomic_store(&caller->run->load->board->admitted_ns, shown->call.invoke_ns);
        tell_ready(caller->run);
        if (chance(caller, RELEASE_PERCENT))
            give_back(caller, &shown->call, &shown->decision);
    } else if (shown->decision.reason == JTG_REASON_REPLAYED && caller->run->load->break_release &&
               chance(caller, BROKEN_RELEASE_PERCENT)) {
        delete_what_is_there(caller, &shown->claims);
    }
}

/* One token, or several that may be the same. */
static void show_some(struct caller *caller)
{
    struct shown shown[MANY_MOST];
    size_t count = 1;
    if (chance(caller, MANY_PERCENT))
        count += 1 + random_below(&caller->random, MANY_MOST - 1);
    for (size_t i = 0; i < count; i++)
        draw(caller, &shown[i]);
    ask_guard(caller, shown, count);
    for (size_t i = 0; i < count; i++)
        go_on(caller, &shown[i]);
}

static void show_tokens(struct caller *caller)
{
    while (!atomic_load(&caller->run->over)) {
        show_some(caller);
        struct timespec pause = {0, 1000 * (long)random_below(&caller->random, PAUSE_US_MOST)};
        nanosleep(&pause, NULL);
    }
}

/* ---- probes ---- */

static void probe(struct caller *caller, unsigned part)
{
    char name[STORE_NAME_BYTES];
    struct history_record call = {.op = HISTORY_PROBE, .key = part, .thread = caller->thread};
    call.owner = new_owner(caller);
    call.ttl_ms = PROBE_TTL_MS;
    jtg_owner owner = store_owner(call.owner);
    int len = snprintf(name, sizeof name, "probe-{%s}-%llx", world_part_tag(part),
                       (unsigned long long)call.owner);
    jtg_key key = {name, (size_t)len, NULL, 0};
    call.flags = (uint16_t)stats_of(caller->run).primary_changes;
    witness_call_begins(&caller->witness);
    call.invoke_ns = history_now_ns();
    call.status = (uint8_t)jtg_cache_reserve(caller->run->cache, &key, &owner, PROBE_TTL_MS, NULL);
    call.return_ns = history_now_ns();
    record(caller->run, &call);
    note_starving(caller, &call);
    if (call.status == JTG_OK)
        atomic_store(&caller->run->load->board->answered_ns, call.invoke_ns);
}

static void run_thread(void *context, unsigned index)
{
    struct run *run = context;
    struct caller caller = {.run = run, .thread = (uint16_t)index};
    random_init(&caller.random,
                run->load->seed ^ ((uint64_t)run->load->process * THREADS_MAX + index + 1));
    witness_caller_start(&caller.witness);
    if (index < CALLERS)
        show_tokens(&caller);
    while (!atomic_load(&run->over)) {
        probe(&caller, index - CALLERS);
        store_sleep_ms(PROBE_PAUSE_MS);
    }
    witness_caller_stop(&caller.witness);
    if (caller.direct != NULL)
        redisFree(caller.direct);
}

/* ---- the process ---- */

static void write_log(void *context, jtg_log_level level, const char *line)
{
    fprintf(context, "%.3f %d %s\n", (double)history_now_ns() / 1e6, (int)level, line);
}

static void open_guard(struct run *run)
{
    jtg_redis_uri *uri = NULL;
    jtg_error err = JTG_ERROR_INIT;
    jtg_logger logger = {sizeof logger, run->log, JTG_LOG_INFO, write_log};
    jtg_guard_options guard = JTG_GUARD_OPTIONS_INIT;
    guard.leeway_s = 0;
    guard.future_leeway_s = 0;
    guard.retention_margin_s = LOAD_MARGIN_MS / 1000;
    guard.max_lifetime_s = 2 * TOKEN_LIFE_MS / 1000;
    guard.key_form = run->load->parts > 1 ? JTG_KEY_PLAIN : JTG_KEY_DIGEST; /* it keeps the tag */
    guard.logger = &logger;
    if (jtg_redis_uri_parse(&uri, run->load->uri, &err) != JTG_OK)
        fail_msg("no store: %s", err.text);
    jtg_redis_options options = *jtg_redis_uri_options(uri);
    options.logger = &logger;
    if (jtg_redis_new(&run->cache, &options, &err) != JTG_OK ||
        jtg_guard_new(&run->guard, run->cache, &guard, &err) != JTG_OK)
        fail_msg("no guard: %s", err.text);
    jtg_redis_uri_free(uri);
}

static void await_end(struct run *run)
{
    char byte;
    while (read(run->load->over, &byte, 1) > 0)
        ;
    atomic_store(&run->over, true);
}

int load_run(const struct load *load)
{
    struct run run = {.load = load};
    struct witness witness;
    hosts_enter(load->host);
    assert_true(history_create(&run.file, load->history_path));
    run.log = fopen(load->log_path, "we");
    assert_non_null(run.log);
    setvbuf(run.log, NULL, _IOLBF, 0);
    open_guard(&run);
    assert_true(witness_start(&witness, &run.file, load->process));
    struct threads *threads = threads_start(CALLERS + load->parts, run_thread, &run);
    await_end(&run);
    threads_join(threads);
    bool witnessed = witness_stop(&witness);
    jtg_guard_free(run.guard);
    jtg_cache_free(run.cache);
    history_close(&run.file);
    fclose(run.log);
    return witnessed && !atomic_load(&run.failed) ? 0 : 1;
}
