/* SPDX-License-Identifier: Apache-2.0 */
/* three_processes [TOKENS]: three processes, one Redis, 100,000 tokens, each presented to the
 * guards of all three at once. Each token is admitted by exactly one.
 *
 * Eight threads a process. The threads of one lane, one of each process, meet at a barrier before
 * every token, so that all three ask in the same moment and not merely in the same run. */
#include "integration/store.h"
#include "support/asserts.h"
#include "support/history.h"
#include "support/redis_vouch.h"
#include "support/threads.h"

#include <jtiguard/jtiguard.h>
#include <jtiguard/redis.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PROCESSES = 3, LANES = 8, TOKENS_DEFAULT = 100000, TOKENS_MAX = 1000000, PAUSE_MS = 10 };

#define PATIENCE_NS UINT64_C(30000000000)

/* Shared by all processes. */
struct board {
    pthread_barrier_t lanes[LANES];
    uint32_t tokens;
    int64_t exp_ms;
    _Atomic uint64_t reasons[JTG_REASON_COUNT];
    _Atomic uint64_t asked_again;
    _Atomic unsigned char admits[TOKENS_MAX];
};

struct client {
    struct board *board;
    jtg_guard *guard;
    char prefix[STORE_NAME_BYTES];
};

/* A machine that stands still for longer than the store's timeout makes calls end without an
 * answer: whoever asks, asks again as the same attempt, as a caller does. Each token is decided all
 * the same. */
static bool ask_until_decided(struct client *client, const jtg_claims *claims,
                              jtg_decision *decision)
{
    uint64_t give_up_ns = history_now_ns() + PATIENCE_NS;
    while (!jtg_guard_admit(client->guard, claims, decision, NULL)) {
        if ((decision->reason != JTG_REASON_OUTCOME_UNKNOWN &&
             decision->reason != JTG_REASON_STORE_UNAVAILABLE) ||
            history_now_ns() > give_up_ns)
            return false;
        atomic_fetch_add(&client->board->asked_again, 1);
        store_sleep_ms(PAUSE_MS);
    }
    return true;
}

static void present(struct client *client, uint32_t token)
{
    jtg_owner owner;
    char jti[32];
    jtg_claims claims = JTG_CLAIMS_INIT;
    jtg_decision decision = JTG_DECISION_INIT;
    claims.kind = JTG_KIND_ID_TOKEN;
    claims.issuer = (jtg_text){"https://issuer.example", 22};
    claims.audience = (jtg_text){"three-processes", 15};
    claims.jti = (jtg_text){jti, (size_t)snprintf(jti, sizeof jti, "token-%u", token)};
    claims.exp_ms = client->board->exp_ms;
    jtg_owner_generate(&owner);
    claims.owner = &owner;
    if (ask_until_decided(client, &claims, &decision))
        atomic_fetch_add(&client->board->admits[token], 1);
    atomic_fetch_add(&client->board->reasons[decision.reason], 1);
}

static void run_lane(void *context, unsigned lane)
{
    struct client *client = context;
    for (uint32_t token = lane; token < client->board->tokens; token += LANES) {
        (void)pthread_barrier_wait(&client->board->lanes[lane]);
        present(client, token);
    }
}

/* Everything of the library is made after fork. */
static int run_client(struct client *client)
{
    jtg_guard_options options = JTG_GUARD_OPTIONS_INIT;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    options.key_prefix = client->prefix;
    redis_vouch(store_uri());
    jtg_cache *cache = store_open(store_uri());
    assert_status(jtg_guard_new(&client->guard, cache, &options, NULL), JTG_OK);
    threads_run(LANES, run_lane, client);
    jtg_guard_free(client->guard);
    jtg_cache_free(cache);
    return 0;
}

static struct board *make_board(uint32_t tokens)
{
    struct board *board =
        mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_barrierattr_t shared;
    assert_ptr_not_equal(board, MAP_FAILED);
    assert_int_equal(pthread_barrierattr_init(&shared), 0);
    assert_int_equal(pthread_barrierattr_setpshared(&shared, PTHREAD_PROCESS_SHARED), 0);
    for (int i = 0; i < LANES; i++)
        assert_int_equal(pthread_barrier_init(&board->lanes[i], &shared, PROCESSES), 0);
    board->tokens = tokens;
    board->exp_ms = ((int64_t)time(NULL) + 600) * 1000;
    return board;
}

/* When one ends badly, the others would wait at the barrier for ever. */
static void wait_for_clients(const pid_t pids[PROCESSES])
{
    bool good = true;
    for (int i = 0; i < PROCESSES; i++) {
        int status;
        assert_true(waitpid(-1, &status, 0) > 0);
        if (status == 0 || !good)
            continue;
        good = false;
        for (int k = 0; k < PROCESSES; k++)
            kill(pids[k], SIGKILL);
    }
    assert_true(good);
}

static void print_reasons(const struct board *board)
{
    for (jtg_reason reason = 0; reason < JTG_REASON_COUNT; reason++)
        if (board->reasons[reason] != 0)
            printf("%s: %llu\n", jtg_reason_name(reason),
                   (unsigned long long)board->reasons[reason]);
}

static void judge(const struct board *board)
{
    uint32_t never = 0;
    uint32_t twice = 0;
    for (uint32_t token = 0; token < board->tokens; token++) {
        never += board->admits[token] == 0;
        twice += board->admits[token] > 1;
    }
    printf("asked again: %llu\n", (unsigned long long)board->asked_again);
    printf("tokens: %u, admitted by none: %u, by several: %u\n", board->tokens, never, twice);
    assert_int_equal(twice, 0);
    assert_int_equal(never, 0);
    assert_int_equal(board->reasons[JTG_REASON_ADMITTED], board->tokens);
    assert_int_equal(board->reasons[JTG_REASON_REPLAYED],
                     (PROCESSES - 1) * (uint64_t)board->tokens);
}

int main(int argc, char **argv)
{
    long tokens = argc > 1 ? strtol(argv[1], NULL, 10) : TOKENS_DEFAULT;
    pid_t pids[PROCESSES];
    struct client client;
    assert_in_range(tokens, 1, TOKENS_MAX);
    client.board = make_board((uint32_t)tokens);
    store_prefix(client.prefix, "three");
    uint64_t start_ns = history_now_ns();
    for (int i = 0; i < PROCESSES; i++) {
        pids[i] = fork();
        assert_true(pids[i] >= 0);
        if (pids[i] == 0)
            _exit(run_client(&client));
    }
    wait_for_clients(pids);
    print_reasons(client.board);
    printf("seconds: %.1f\n", (double)(history_now_ns() - start_ns) / 1e9);
    judge(client.board);
    munmap(client.board, sizeof *client.board);
    return 0;
}
