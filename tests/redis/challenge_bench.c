/* SPDX-License-Identifier: Apache-2.0 */
/* challenge_bench [CHALLENGES]
 *
 * Challenges beside a SET NX for each, on a Redis of its own: the memory that each takes; and how
 * fast they go, in turns of 65,472, so that both meet the same load of the machine, by 16 threads
 * each, about 1,000 at a time and with the same look at what the store has kept. And challenges in
 * memory. What it prints is in docs/challenges.md. */
#include "support/redis_server.h"
#include "support/threads.h"

#include <jtiguard/challenges.h>
#include <jtiguard/memory.h>
#include <jtiguard/redis.h>
#include <malloc.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TURN = 65472, THREADS = 16, PART = TURN / THREADS, AT_ONCE = 1023, KEY_BYTES = 43 };
_Static_assert(PART *THREADS == TURN && PART % AT_ONCE == 0 && (int)AT_ONCE <= (int)JTG_MANY_MAX,
               "a turn is whole calls");

#define LIFE_MS UINT64_C(3600000)

/* By the wall clock, and of the processors: of this process and of the server. */
struct cost {
    double wall_s;
    double cpu_s;
};

struct figures {
    struct cost issue;
    struct cost consume;
    struct cost reserve;
    uint64_t count;
};

static jtg_challenge challenges_of_turn[TURN];
static uint32_t order_of_turn[TURN];

static void need(bool is_so, const char *what)
{
    if (is_so)
        return;
    (void)fprintf(stderr, "challenge_bench: %s\n", what);
    exit(1);
}

static double now_s(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double cpu_s(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* ---- challenges ---- */

static jtg_challenges *open_challenges(jtg_cache *cache)
{
    jtg_challenges *challenges = NULL;
    jtg_challenges_options options = JTG_CHALLENGES_OPTIONS_INIT;
    options.lifetime_ms = LIFE_MS;
    options.margin_ms = 0;
    need(jtg_challenges_new(&challenges, cache, &options, NULL) == JTG_OK, "no challenges");
    return challenges;
}

static void issue_turn(jtg_challenges *challenges)
{
    for (uint32_t done = 0; done < TURN; done += AT_ONCE)
        need(jtg_challenges_issue(challenges, "bench", 5, 0, &challenges_of_turn[done], AT_ONCE,
                                  NULL) == JTG_OK,
             "not issued");
}

static void shuffle(void)
{
    for (uint32_t i = 0; i < TURN; i++)
        order_of_turn[i] = i;
    for (uint32_t i = TURN - 1; i > 0; i--) {
        uint32_t other = randombytes_uniform(i + 1);
        uint32_t kept = order_of_turn[i];
        order_of_turn[i] = order_of_turn[other];
        order_of_turn[other] = kept;
    }
}

/* A part of a turn for each thread. */
struct turn {
    jtg_challenges *challenges;
    jtg_cache *reservations;
    jtg_owner owner;
};

static void consume_part(void *context, unsigned thread)
{
    const struct turn *turn = context;
    jtg_consume_call *calls = calloc(AT_ONCE, sizeof *calls);
    need(calls != NULL, "no memory");
    for (uint32_t done = thread * PART; done < (thread + 1) * PART; done += AT_ONCE) {
        for (uint32_t i = 0; i < AT_ONCE; i++)
            calls[i] = (jtg_consume_call){.purpose = "bench",
                                          .purpose_len = 5,
                                          .text = challenges_of_turn[order_of_turn[done + i]].text,
                                          .text_len = JTG_CHALLENGE_TEXT_BYTES - 1};
        jtg_challenges_consume_many(turn->challenges, calls, AT_ONCE);
        for (uint32_t i = 0; i < AT_ONCE; i++)
            need(calls[i].consumed, jtg_status_name(calls[i].status));
    }
    free(calls);
}

static void consume_turn(jtg_challenges *challenges)
{
    struct turn turn = {.challenges = challenges};
    threads_run(THREADS, consume_part, &turn);
}

/* ---- a SET NX for each ---- */

static char keys_of_turn[TURN][KEY_BYTES + 1];

static void draw_keys(void)
{
    unsigned char bytes[32];
    for (uint32_t i = 0; i < TURN; i++) {
        randombytes_buf(bytes, sizeof bytes);
        (void)sodium_bin2base64(keys_of_turn[i], sizeof keys_of_turn[i], bytes, sizeof bytes,
                                sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    }
}

static void reserve_part(void *context, unsigned thread)
{
    const struct turn *turn = context;
    jtg_reserve_call *calls = calloc(AT_ONCE, sizeof *calls);
    need(calls != NULL, "no memory");
    for (uint32_t done = thread * PART; done < (thread + 1) * PART; done += AT_ONCE) {
        for (uint32_t i = 0; i < AT_ONCE; i++)
            calls[i] = (jtg_reserve_call){.key = {keys_of_turn[done + i], KEY_BYTES, NULL, 0},
                                          .owner = &turn->owner,
                                          .ttl_ms = LIFE_MS,
                                          .kept_since_ms = JTG_KEPT_ANY};
        jtg_cache_reserve_many(turn->reservations, calls, AT_ONCE);
        for (uint32_t i = 0; i < AT_ONCE; i++)
            need(calls[i].reserved, jtg_status_name(calls[i].status));
    }
    free(calls);
}

static void reserve_turn(jtg_cache *cache)
{
    struct turn turn = {.reservations = cache};
    jtg_owner_generate(&turn.owner);
    threads_run(THREADS, reserve_part, &turn);
}

/* ---- on a Redis ---- */

/* What a line of Lua answers; a decimal of it in thousandths. */
static uint64_t ask_number(const struct redis_server *server, const char *lua)
{
    char line[256];
    char reply[64];
    (void)snprintf(line, sizeof line, "EVAL \"local i = redis.call('INFO') return %s\" 0", lua);
    need(redis_server_ask(server, line, reply, sizeof reply) && reply[0] == ':',
         "no figure of the server");
    return strtoull(reply + 1, NULL, 10);
}

#define NUMBER(name) "string.match(i,'" name ":([0-9.]+)')"

/* Without what connections take for the time being. */
static uint64_t used_memory(const struct redis_server *server)
{
    return ask_number(server, NUMBER("used_memory") " - " NUMBER("mem_clients_normal"));
}

static struct cost now_of(const struct redis_server *server)
{
    struct cost now = {now_s(), cpu_s()};
    if (server != NULL)
        now.cpu_s += (double)ask_number(server, "(" NUMBER("used_cpu_user") " + " NUMBER(
                                                    "used_cpu_sys") ") * 1000") /
                     1000;
    return now;
}

static void add(struct cost *sum, struct cost from, struct cost to)
{
    sum->wall_s += to.wall_s - from.wall_s;
    sum->cpu_s += to.cpu_s - from.cpu_s;
}

static jtg_cache *open_cache(const struct redis_server *server, const char *prefix)
{
    jtg_cache *cache = NULL;
    char uri[128];
    (void)snprintf(uri, sizeof uri, "%s?prefix=%s&timeout=5s", server->uri, prefix);
    need(jtg_redis_new_uri(&cache, uri, NULL) == JTG_OK && jtg_cache_ping(cache, NULL) == JTG_OK,
         "no cache");
    return cache;
}

static void take_turn(struct figures *figures, const struct redis_server *server,
                      jtg_challenges *challenges, jtg_cache *reservations)
{
    struct cost began = now_of(server);
    issue_turn(challenges);
    add(&figures->issue, began, now_of(server));
    shuffle();
    began = now_of(server);
    consume_turn(challenges);
    add(&figures->consume, began, now_of(server));
    draw_keys();
    began = now_of(server);
    reserve_turn(reservations);
    add(&figures->reserve, began, now_of(server));
    figures->count += TURN;
}

static void print_cost(const char *what, const struct cost *cost, uint64_t count)
{
    (void)printf("  %-9s %6.0f k/s, %5.2f us of the processors each\n", what,
                 (double)count / cost->wall_s / 1000, cost->cpu_s / (double)count * 1e6);
}

static void print_times_as_fast(const char *what, const struct figures *figures, struct cost all)
{
    (void)printf("  %s: %.1f times the throughput of SET NX, %.1f times less of the processors\n",
                 what, figures->reserve.wall_s / all.wall_s, figures->reserve.cpu_s / all.cpu_s);
}

static void measure_speed(uint64_t wanted)
{
    struct redis_server server;
    struct figures figures = {.count = 0};
    redis_server_start(&server, NULL);
    jtg_cache *cache = open_cache(&server, "c:");
    jtg_cache *reservations = open_cache(&server, "s:");
    jtg_challenges *challenges = open_challenges(cache);
    issue_turn(challenges); /* ranges have their size then, and all is connected */
    while (figures.count < wanted)
        take_turn(&figures, &server, challenges, reservations);
    (void)printf("Redis, %llu of each, in turns:\n", (unsigned long long)figures.count);
    print_cost("issue", &figures.issue, figures.count);
    print_cost("consume", &figures.consume, figures.count);
    print_cost("SET NX", &figures.reserve, figures.count);
    struct cost both = figures.issue;
    add(&both, (struct cost){0, 0}, figures.consume);
    print_times_as_fast("consume", &figures, figures.consume);
    print_times_as_fast("issue and consume", &figures, both);
    jtg_challenges_free(challenges);
    jtg_cache_free(reservations);
    jtg_cache_free(cache);
    redis_server_stop(&server);
}

/* One after the other, for a table of the server that grows gives the old one back later. */
static void measure_redis_memory(uint64_t wanted)
{
    struct redis_server server;
    redis_server_start(&server, NULL);
    jtg_cache *cache = open_cache(&server, "c:");
    jtg_cache *reservations = open_cache(&server, "s:");
    jtg_challenges *challenges = open_challenges(cache);
    issue_turn(challenges);
    shuffle();
    consume_turn(challenges);
    uint64_t count = 0;
    uint64_t before = used_memory(&server);
    for (; count < wanted; count += TURN) {
        issue_turn(challenges);
        shuffle();
        consume_turn(challenges);
    }
    uint64_t between = used_memory(&server);
    for (uint64_t done = 0; done < count; done += TURN) {
        draw_keys();
        reserve_turn(reservations);
    }
    double bits = 8.0 * (double)(between - before) / (double)count;
    double bytes = (double)(used_memory(&server) - between) / (double)count;
    (void)printf("Redis, %llu of each: a challenge %.2f bits, a SET NX %.1f bytes: %.0f times "
                 "less memory\n",
                 (unsigned long long)count, bits, bytes, 8 * bytes / bits);
    jtg_challenges_free(challenges);
    jtg_cache_free(reservations);
    jtg_cache_free(cache);
    redis_server_stop(&server);
}

/* ---- in memory ---- */

static uint64_t allocated(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

/* Half a MiB once for all, of the table of values, which the first keys in it make. */
static void make_buckets(jtg_cache *cache)
{
    for (uint32_t number = 0; number < 1000; number++) {
        jtg_key key = {&number, sizeof number, NULL, 0};
        need(jtg_cache_put(cache, &key, "v", 1, LIFE_MS, 1, NULL) == JTG_OK, "not stored");
    }
}

static void measure_memory(uint64_t wanted)
{
    jtg_cache *cache = NULL;
    struct figures figures = {.count = 0};
    need(jtg_memory_new(&cache, NULL, NULL) == JTG_OK, "no cache");
    jtg_challenges *challenges = open_challenges(cache);
    make_buckets(cache);
    issue_turn(challenges);
    uint64_t before = allocated();
    for (; figures.count < wanted; figures.count += TURN) {
        struct cost began = now_of(NULL);
        issue_turn(challenges);
        add(&figures.issue, began, now_of(NULL));
        shuffle();
        began = now_of(NULL);
        consume_turn(challenges);
        add(&figures.consume, began, now_of(NULL));
    }
    (void)printf("memory, %llu: a challenge %.2f bits\n", (unsigned long long)figures.count,
                 8.0 * (double)(allocated() - before) / (double)figures.count);
    print_cost("issue", &figures.issue, figures.count);
    print_cost("consume", &figures.consume, figures.count);
    jtg_challenges_free(challenges);
    jtg_cache_free(cache);
}

int main(int argc, char **argv)
{
    uint64_t wanted = argc > 1 ? strtoull(argv[1], NULL, 10) : 2 * (uint64_t)TURN;
    need(sodium_init() >= 0, "no randomness");
    measure_memory(wanted);
    measure_redis_memory(wanted);
    measure_speed(wanted);
    return 0;
}
