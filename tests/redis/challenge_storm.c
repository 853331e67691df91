/* SPDX-License-Identifier: Apache-2.0 */
/* challenge_storm [CHALLENGES [SEED [host]]]
 *
 * Two processes issue challenges and consume all of them, each showing every one, in other orders,
 * on one Redis, or on one store of the host. At random moments one of the processes is killed with
 * SIGKILL and started anew, or the server is, and comes back with what it had saved some time
 * before. Counts the uses of each challenge in memory that outlives the processes.
 *
 * Exit status: 0 none was used twice, and in a round without kills each once, unless the store is
 * new or its server was killed, and no round since then has used all · 1 otherwise. */
#include "support/host_folder.h"
#include "support/redis_server.h"

#include <jtiguard/challenges.h>
#include <jtiguard/host.h>
#include <jtiguard/redis.h>
#include <poll.h>
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

enum {
    WORKERS = 2,
    HALF = 16384, /* that each of them issues in a round */
    ROUND = WORKERS * HALF,
    ISSUE_AT_ONCE = 512,
    MARGIN_MS = 20,
    PATIENCE_S = 60
};

enum phase { ISSUE = 'I', CONSUME = 'C' };

/* What all of them see. */
struct world {
    _Atomic uint32_t issued[WORKERS];
    _Atomic uint32_t progress; /* of the phase: challenges issued, or shown */
    _Atomic uint8_t uses[ROUND];
    _Atomic uint64_t answers[JTG_STATUS_COUNT];
    jtg_challenge challenges[ROUND];
};

struct worker {
    pid_t pid;
    int orders;
    int answers;
    bool busy;
};

struct storm {
    struct redis_server server;
    struct host_folder folder;
    const char *host_path; /* NULL: on the server */
    struct world *world;
    struct worker workers[WORKERS];
    uint64_t random;
    uint64_t issued;
    uint64_t used;
    uint64_t unused;
    uint64_t twice;
    unsigned worker_kills;
    unsigned server_kills;
    bool forgets; /* the store is new, or was killed, and what is of before has not all been met */
    bool wrong;
};

static void give_up(const char *what)
{
    (void)fprintf(stderr, "challenge_storm: %s\n", what);
    exit(1);
}

static uint32_t draw(struct storm *storm, uint32_t below)
{
    storm->random ^= storm->random << 13;
    storm->random ^= storm->random >> 7;
    storm->random ^= storm->random << 17;
    return (uint32_t)(storm->random >> 16) % below;
}

/* ---- a worker ---- */

static jtg_status open_cache(const struct storm *storm, jtg_cache **cache)
{
    jtg_host_options options = JTG_HOST_OPTIONS_INIT;
    if (storm->host_path == NULL)
        return jtg_redis_new_uri(cache, storm->server.uri, NULL);
    options.path = storm->host_path;
    options.max_values = 20000;
    options.max_value_bytes = UINT64_C(1) << 26;
    return jtg_host_new(cache, &options, NULL);
}

static jtg_challenges *open_challenges(const struct storm *storm)
{
    jtg_cache *cache = NULL;
    jtg_challenges *challenges = NULL;
    jtg_challenges_options options = JTG_CHALLENGES_OPTIONS_INIT;
    options.margin_ms = MARGIN_MS;
    if (open_cache(storm, &cache) != JTG_OK ||
        jtg_challenges_new(&challenges, cache, &options, NULL) != JTG_OK)
        give_up("no challenges");
    return challenges;
}

/* A store that has just begun refuses for as long as the margin, and one that is killed for longer.
 */
static void issue_half(struct world *world, jtg_challenges *challenges, unsigned self)
{
    time_t end = time(NULL) + PATIENCE_S;
    uint32_t done = atomic_load(&world->issued[self]);
    while (done < HALF) {
        jtg_challenge *place = &world->challenges[self * HALF + done];
        jtg_status status =
            jtg_challenges_issue(challenges, "storm", 5, 0, place, ISSUE_AT_ONCE, NULL);
        if (status != JTG_OK && time(NULL) > end)
            give_up(jtg_status_name(status));
        if (status != JTG_OK)
            continue;
        done += ISSUE_AT_ONCE;
        atomic_store(&world->issued[self], done);
        atomic_fetch_add(&world->progress, ISSUE_AT_ONCE);
    }
}

static void show(struct world *world, jtg_challenges *challenges, jtg_consume_call *calls,
                 const uint32_t *which, size_t count)
{
    jtg_challenges_consume_many(challenges, calls, count);
    for (size_t i = 0; i < count; i++) {
        atomic_fetch_add(&world->answers[calls[i].status], 1);
        if (calls[i].consumed)
            atomic_fetch_add(&world->uses[which[i]], 1);
    }
    atomic_fetch_add(&world->progress, (uint32_t)count);
}

/* Every challenge of the round, in an order of this worker's own. */
static void consume_round(struct world *world, jtg_challenges *challenges, unsigned self)
{
    static jtg_consume_call calls[JTG_MANY_MAX];
    uint32_t which[JTG_MANY_MAX];
    uint32_t step = self == 0 ? 1 : 4099;
    for (uint32_t done = 0; done < ROUND; done += JTG_MANY_MAX) {
        for (uint32_t i = 0; i < JTG_MANY_MAX; i++) {
            which[i] = (done + i) * step % ROUND;
            calls[i] = (jtg_consume_call){.purpose = "storm",
                                          .purpose_len = 5,
                                          .text = world->challenges[which[i]].text,
                                          .text_len = JTG_CHALLENGE_TEXT_BYTES - 1};
        }
        show(world, challenges, calls, which, JTG_MANY_MAX);
    }
}

static void work(struct storm *storm, unsigned self, int orders, int answers)
{
    char order = 0;
    jtg_challenges *challenges = open_challenges(storm);
    while (read(orders, &order, 1) == 1) {
        if (order == ISSUE)
            issue_half(storm->world, challenges, self);
        else
            consume_round(storm->world, challenges, self);
        if (write(answers, &order, 1) != 1)
            break;
    }
    _exit(0);
}

/* ---- the processes ---- */

static void start_worker(struct storm *storm, unsigned self)
{
    int orders[2];
    int answers[2];
    struct worker *worker = &storm->workers[self];
    if (pipe(orders) != 0 || pipe(answers) != 0)
        give_up("no pipe");
    (void)fflush(NULL);
    worker->pid = fork();
    if (worker->pid == -1)
        give_up("no process");
    if (worker->pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)close(orders[1]);
        (void)close(answers[0]);
        work(storm, self, orders[0], answers[1]);
    }
    (void)close(orders[0]);
    (void)close(answers[1]);
    worker->orders = orders[1];
    worker->answers = answers[0];
    worker->busy = false;
}

static void end_worker(struct storm *storm, unsigned self)
{
    struct worker *worker = &storm->workers[self];
    (void)kill(worker->pid, SIGKILL);
    (void)waitpid(worker->pid, NULL, 0);
    (void)close(worker->orders);
    (void)close(worker->answers);
}

static void order(struct storm *storm, unsigned self, enum phase phase)
{
    char byte = (char)phase;
    if (write(storm->workers[self].orders, &byte, 1) != 1)
        give_up("a worker ended by itself");
    storm->workers[self].busy = true;
}

static bool all_done(const struct storm *storm)
{
    return !storm->workers[0].busy && !storm->workers[1].busy;
}

/* Whoever has answered is done. Looks for a millisecond at most. */
static void listen_to_workers(struct storm *storm)
{
    struct pollfd fds[WORKERS];
    for (unsigned i = 0; i < WORKERS; i++)
        fds[i] = (struct pollfd){.fd = storm->workers[i].busy ? storm->workers[i].answers : -1,
                                 .events = POLLIN};
    (void)poll(fds, WORKERS, 1);
    for (unsigned i = 0; i < WORKERS; i++) {
        char answer = 0;
        if (fds[i].revents == 0)
            continue;
        if (read(storm->workers[i].answers, &answer, 1) != 1)
            give_up("a worker ended by itself");
        storm->workers[i].busy = false;
    }
}

/* ---- a round ---- */

enum event { NOTHING, KILL_WORKER, SAVE_AND_KILL_SERVER };

struct plan {
    enum event event;
    uint32_t save_at; /* progress of the phase */
    uint32_t act_at;
    bool saved;
    bool acted;
};

static struct plan plan_phase(struct storm *storm, enum phase phase)
{
    uint32_t most = phase == ISSUE ? ROUND : WORKERS * ROUND;
    uint32_t chance = draw(storm, 10);
    struct plan plan = {.save_at = draw(storm, most), .act_at = draw(storm, most)};
    plan.event = chance < 3 ? KILL_WORKER : chance == 3 ? SAVE_AND_KILL_SERVER : NOTHING;
    if (plan.event == SAVE_AND_KILL_SERVER && storm->host_path != NULL)
        plan.event = KILL_WORKER;
    return plan;
}

static void save(const struct storm *storm)
{
    char reply[64];
    if (!redis_server_ask(&storm->server, "SAVE", reply, sizeof reply) || strcmp(reply, "+OK") != 0)
        give_up("the server did not save");
}

static void act(struct storm *storm, struct plan *plan, enum phase phase)
{
    uint32_t progress = atomic_load(&storm->world->progress);
    if (plan->event == SAVE_AND_KILL_SERVER && !plan->saved && progress >= plan->save_at) {
        save(storm);
        plan->saved = true;
    }
    if (plan->acted || plan->event == NOTHING || progress < plan->act_at)
        return;
    plan->acted = true;
    if (plan->event == KILL_WORKER) {
        unsigned victim = draw(storm, WORKERS);
        bool was_busy = storm->workers[victim].busy;
        end_worker(storm, victim);
        start_worker(storm, victim);
        if (was_busy)
            order(storm, victim, phase);
        storm->worker_kills++;
        return;
    }
    redis_server_kill(&storm->server);
    redis_server_start_again(&storm->server);
    storm->server_kills++;
}

static bool run_phase(struct storm *storm, enum phase phase)
{
    struct plan plan = plan_phase(storm, phase);
    atomic_store(&storm->world->progress, 0);
    for (unsigned i = 0; i < WORKERS; i++)
        order(storm, i, phase);
    while (!all_done(storm)) {
        listen_to_workers(storm);
        act(storm, &plan, phase);
    }
    return plan.acted;
}

static void count_uses(struct storm *storm, bool quiet)
{
    for (unsigned i = 0; i < ROUND; i++) {
        uint8_t uses = atomic_load(&storm->world->uses[i]);
        storm->used += uses == 1;
        storm->unused += uses == 0;
        storm->twice += uses > 1;
        storm->wrong = storm->wrong || uses > 1 || (quiet && uses != 1);
        atomic_store(&storm->world->uses[i], 0);
    }
    storm->issued += ROUND;
}

static void run_round(struct storm *storm)
{
    for (unsigned i = 0; i < WORKERS; i++)
        atomic_store(&storm->world->issued[i], 0);
    unsigned kills = storm->server_kills;
    uint64_t unused = storm->unused;
    bool disturbed = run_phase(storm, ISSUE);
    disturbed = run_phase(storm, CONSUME) || disturbed;
    count_uses(storm, !disturbed && !storm->forgets);
    storm->forgets = storm->server_kills != kills || (storm->forgets && storm->unused != unused);
}

static void report(const struct storm *storm, double seconds)
{
    (void)printf("%llu issued, each shown by two processes: %llu used once, %llu not, %llu twice\n",
                 (unsigned long long)storm->issued, (unsigned long long)storm->used,
                 (unsigned long long)storm->unused, (unsigned long long)storm->twice);
    (void)printf("%u processes and %u servers killed, in %.0f s\nanswers:", storm->worker_kills,
                 storm->server_kills, seconds);
    for (unsigned i = 0; i < JTG_STATUS_COUNT; i++)
        if (atomic_load(&storm->world->answers[i]) != 0)
            (void)printf(" %s %llu", jtg_status_name((jtg_status)i),
                         (unsigned long long)atomic_load(&storm->world->answers[i]));
    (void)putchar('\n');
}

static double now_s(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    static const char *const saving[] = {"--dbfilename", "dump.rdb", NULL};
    struct storm storm = {.forgets = true,
                          .random = argc > 2 ? strtoull(argv[2], NULL, 10) : 20261201};
    uint64_t wanted = argc > 1 ? strtoull(argv[1], NULL, 10) : 4 * (uint64_t)ROUND;
    void *shared =
        mmap(NULL, sizeof *storm.world, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED || storm.random == 0)
        give_up("no memory, or no seed");
    storm.world = shared;
    double began_s = now_s();
    if (argc > 3 && strcmp(argv[3], "host") == 0) {
        host_folder_make(&storm.folder);
        storm.host_path = storm.folder.store;
    } else {
        redis_server_start(&storm.server, saving);
    }
    for (unsigned i = 0; i < WORKERS; i++)
        start_worker(&storm, i);
    while (storm.issued < wanted && !storm.wrong)
        run_round(&storm);
    for (unsigned i = 0; i < WORKERS; i++)
        end_worker(&storm, i);
    report(&storm, now_s() - began_s);
    if (storm.host_path != NULL)
        host_folder_remove(&storm.folder);
    else
        redis_server_stop(&storm.server);
    return storm.wrong ? 1 : 0;
}
