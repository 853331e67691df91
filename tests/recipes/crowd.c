/* SPDX-License-Identifier: Apache-2.0 */
#include "recipes/crowd.h"

#include "serve/processes.h"
#include "support/asserts.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LIFE_S = 600, PATIENCE = 100 };

void crowd_init(struct crowd *crowd, const struct crowd_server *server, void *context)
{
    uint64_t seed = random_seed();
    memset(crowd, 0, sizeof *crowd);
    crowd->server = server;
    crowd->context = context;
    random_init(&crowd->random, seed);
    for (unsigned i = 0; i < CROWD_SHOWN; i++)
        crowd->fds[i] = -1;
    print_message("JTIGUARD_TEST_SEED=%" PRIu64 "\n", seed);
}

/* ---- connections ---- */

struct opening {
    struct crowd *crowd;
    unsigned which;
};

static bool opens(void *context)
{
    const struct opening *opening = context;
    struct crowd *crowd = opening->crowd;
    int fd = crowd->server->open(crowd->context, opening->which);
    crowd->fds[opening->which] = fd;
    return fd >= 0;
}

static void open_one(struct crowd *crowd, unsigned which)
{
    struct opening opening = {crowd, which};
    if (crowd->fds[which] < 0)
        assert_true(wait_until(opens, &opening));
}

static void open_all(struct crowd *crowd)
{
    for (unsigned i = 0; i < CROWD_SHOWN; i++)
        open_one(crowd, i);
    if (crowd->server->settle != NULL)
        crowd->server->settle(crowd->context);
}

static void close_one(struct crowd *crowd, unsigned which)
{
    if (crowd->fds[which] >= 0)
        (void)close(crowd->fds[which]);
    crowd->fds[which] = -1;
}

static void close_all(struct crowd *crowd)
{
    for (unsigned i = 0; i < CROWD_SHOWN; i++)
        close_one(crowd, i);
}

void crowd_restarted(struct crowd *crowd, pid_t parent)
{
    crowd->restarts += crowd->parent != 0 ? 1 : 0;
    crowd->parent = parent;
    close_all(crowd);
    memset(crowd->pids, 0, sizeof crowd->pids);
}

/* ---- workers ---- */

static void remember_worker(struct crowd *crowd, pid_t worker)
{
    if (worker == 0)
        return;
    for (unsigned i = 0; i < crowd->worker_count; i++)
        if (crowd->workers[i] == worker)
            return;
    assert_true(crowd->worker_count < CROWD_WORKERS_MAX);
    crowd->workers[crowd->worker_count++] = worker;
}

unsigned children_of(pid_t parent, pid_t *children, unsigned most)
{
    char path[64];
    unsigned count = 0;
    (void)snprintf(path, sizeof path, "/proc/%ld/task/%ld/children", (long)parent, (long)parent);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return 0;
    while (count < most && fscanf(file, "%d", &children[count]) == 1)
        count++;
    (void)fclose(file);
    return count;
}

static void kill_a_worker(struct crowd *crowd)
{
    pid_t children[CROWD_SHOWN * 4];
    unsigned count = children_of(crowd->parent, children, CROWD_SHOWN * 4);
    if (count > 0 && kill(children[random_below(&crowd->random, count)], SIGKILL) == 0)
        crowd->kills++;
}

/* ---- tokens ---- */

static enum crowd_answer take_answer(struct crowd *crowd, unsigned which, struct crowd_token *token)
{
    pid_t worker = 0;
    enum crowd_answer answer = crowd->fds[which] >= 0
                                   ? crowd->server->read(crowd->context, crowd->fds[which], &worker)
                                   : CROWD_LOST;
    crowd->asked++;
    crowd->lost += answer == CROWD_LOST ? 1 : 0;
    crowd->blocked += answer == CROWD_BLOCKED ? 1 : 0;
    crowd->replayed += answer == CROWD_REPLAYED ? 1 : 0;
    crowd->admitted += answer == CROWD_ADMITTED ? 1 : 0;
    token->admitted += answer == CROWD_ADMITTED ? 1 : 0;
    crowd->pids[which] = worker;
    remember_worker(crowd, worker);
    if (answer == CROWD_LOST || !crowd->server->keeps_connections)
        close_one(crowd, which);
    return answer;
}

static unsigned count_different(const pid_t pids[CROWD_SHOWN])
{
    unsigned count = 0;
    for (unsigned i = 0; i < CROWD_SHOWN; i++) {
        unsigned k = 0;
        while (k < i && pids[k] != pids[i])
            k++;
        count += k == i && pids[i] != 0 ? 1 : 0;
    }
    return count;
}

static void show_at_once(struct crowd *crowd, struct crowd_token *token, bool with_kill)
{
    unsigned first = (unsigned)random_below(&crowd->random, CROWD_SHOWN);
    open_all(crowd);
    for (unsigned i = 0; i < CROWD_SHOWN; i++)
        crowd->server->show(crowd->context, crowd->fds[(first + i) % CROWD_SHOWN], token);
    if (with_kill)
        kill_a_worker(crowd);
    for (unsigned i = 0; i < CROWD_SHOWN; i++)
        (void)take_answer(crowd, i, token);
    crowd->spread += count_different(crowd->pids);
}

/* On one connection, again as long as it is blocked. */
static enum crowd_answer ask_one(struct crowd *crowd, struct crowd_token *token)
{
    enum crowd_answer answer = CROWD_BLOCKED;
    for (unsigned i = 0; i < PATIENCE && answer == CROWD_BLOCKED; i++) {
        unsigned which = (unsigned)random_below(&crowd->random, CROWD_SHOWN);
        open_one(crowd, which);
        crowd->server->show(crowd->context, crowd->fds[which], token);
        answer = take_answer(crowd, which, token);
    }
    return answer;
}

static void show_one(struct crowd *crowd, struct crowd_token *token, bool with_kill)
{
    unsigned lost_before = crowd->lost;
    unsigned replayed_before = crowd->replayed;
    show_at_once(crowd, token, with_kill);
    /* Nobody has said that it is used: all that would have were killed, or blocked. */
    for (unsigned i = 0; i < PATIENCE && token->admitted == 0 && crowd->replayed == replayed_before;
         i++)
        (void)ask_one(crowd, token);
    if (token->admitted > 1 || (token->admitted == 0 && crowd->lost == lost_before))
        fail_msg("%s was admitted %u times", token->jti, token->admitted);
}

void crowd_show_new(struct crowd *crowd, unsigned tokens, unsigned kill_every)
{
    for (unsigned i = 0; i < tokens; i++) {
        assert_true(crowd->count < CROWD_TOKENS_MAX);
        struct crowd_token *token = &crowd->tokens[crowd->count++];
        token->iat = (long)time(NULL);
        token->exp = token->iat + LIFE_S;
        (void)snprintf(token->jti, sizeof token->jti, "%016" PRIx64, random_next(&crowd->random));
        show_one(crowd, token, kill_every > 0 && i % kill_every == kill_every - 1);
    }
}

void crowd_show_all_again(struct crowd *crowd)
{
    for (unsigned i = 0; i < crowd->count; i++) {
        enum crowd_answer answer = ask_one(crowd, &crowd->tokens[i]);
        if (answer != CROWD_REPLAYED)
            fail_msg("%s after a restart: %s, admitted %u times in all", crowd->tokens[i].jti,
                     answer == CROWD_ADMITTED ? "admitted" : "no answer",
                     crowd->tokens[i].admitted);
    }
}

void crowd_end(struct crowd *crowd, const char *name)
{
    close_all(crowd);
    print_message("%s: %u tokens, shown %u times, %u restarts, %u kills, %u answers lost, "
                  "%u blocked, %u admitted, 0 twice\n",
                  name, crowd->count, crowd->asked, crowd->restarts, crowd->kills, crowd->lost,
                  crowd->blocked, crowd->admitted);
    if (crowd->worker_count > 0)
        print_message("%u numbers of processes, %.1f for a token\n", crowd->worker_count,
                      (double)crowd->spread / crowd->count);
}
