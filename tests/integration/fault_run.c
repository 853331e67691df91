/* SPDX-License-Identifier: Apache-2.0 */
/* fault_run [--seconds N] [--seed N] [--many] [--unshared]
 *
 * 16 threads in 3 processes reserve and release overlapping keys of one Redis, through a fault
 * proxy that misbehaves at random. Every call is recorded, and check_history judges: the exit
 * status is its.
 *
 * --many has every other thread reserve many keys at once, some of them twice.
 *
 * --unshared gives each process a prefix of its own, as if they did not share a store: then the
 * checker must find keys that were admitted twice, which shows that it can. */
#include "integration/fault_client.h"
#include "integration/proxy_control.h"
#include "integration/store.h"
#include "support/asserts.h"
#include "support/history.h"
#include "support/random.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    PROCESSES = 3,
    SECONDS_DEFAULT = 60,
    DEADLINE_MS = 250,
    CONNECT_MS = 100,
    FAULT_MS = 200,
    PATH_BYTES = 64
};

static const uint32_t threads_of[PROCESSES] = {6, 5, 5};

struct plan {
    uint64_t seconds;
    uint64_t seed;
    bool many;
    bool unshared;
    char folder[32];
    char paths[PROCESSES][PATH_BYTES];
    char prefix[STORE_NAME_BYTES];
    uint16_t port;
};

static uint64_t number(const char *text)
{
    char *end;
    uint64_t value = text == NULL ? 0 : strtoull(text, &end, 10);
    if (text == NULL || *text == '\0' || *end != '\0')
        fail_msg("a number is missing");
    return value;
}

static void parse(struct plan *plan, char **words)
{
    bool seeded = false;
    for (; *words != NULL; words++) {
        if (strcmp(*words, "--unshared") == 0) {
            plan->unshared = true;
        } else if (strcmp(*words, "--many") == 0) {
            plan->many = true;
        } else if (strcmp(*words, "--seconds") == 0) {
            plan->seconds = number(*++words);
        } else if (strcmp(*words, "--seed") == 0) {
            plan->seed = number(*++words);
            seeded = true;
        } else {
            fail_msg("usage: fault_run [--seconds N] [--seed N] [--many] [--unshared]");
        }
    }
    if (!seeded)
        plan->seed = random_seed();
}

static void become_client(const struct plan *plan, uint32_t process, uint64_t end_ns)
{
    char uri[STORE_URI_BYTES];
    int len = snprintf(uri, sizeof uri,
                       "redis://127.0.0.1:%u/0?timeout=%dms&connect_timeout=%dms&prefix=%s%s",
                       (unsigned)plan->port, DEADLINE_MS, CONNECT_MS, plan->prefix,
                       !plan->unshared ? ""
                       : process == 0  ? "0:"
                       : process == 1  ? "1:"
                                       : "2:");
    assert_in_range(len, 1, sizeof uri - 1);
    struct fault_client client = {uri,
                                  plan->paths[process],
                                  plan->seed,
                                  end_ns,
                                  (uint16_t)process,
                                  threads_of[process],
                                  DEADLINE_MS,
                                  plan->many};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    _exit(fault_client_run(&client));
}

static void run_clients(struct plan *plan)
{
    pid_t pids[PROCESSES];
    uint64_t end_ns = history_now_ns() + plan->seconds * UINT64_C(1000000000);
    for (uint32_t i = 0; i < PROCESSES; i++) {
        snprintf(plan->paths[i], PATH_BYTES, "%s/%u", plan->folder, i);
        pids[i] = fork();
        assert_true(pids[i] >= 0);
        if (pids[i] == 0)
            become_client(plan, i, end_ns);
    }
    for (int i = 0; i < PROCESSES; i++) {
        int status;
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_int_equal(status, 0);
    }
}

/* The proxy starts before the clients, so that it is asked for its faults by nobody else. */
static void record_run(struct plan *plan)
{
    struct proxy_control proxy;
    char host[128];
    char line[300];
    uint16_t port;
    store_address(host, sizeof host, &port);
    proxy_start(&proxy, host, port);
    plan->port = proxy.port;
    if (!plan->unshared) {
        snprintf(line, sizeof line, "random %llu %d", (unsigned long long)plan->seed, FAULT_MS);
        proxy_order(&proxy, line);
    }
    run_clients(plan);
    proxy_stats(&proxy, line, sizeof line);
    printf("faults: %s\n", line);
    proxy_stop(&proxy);
}

static int run_checker(const struct plan *plan)
{
    int status;
    fflush(stdout);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        execl(CHECK_HISTORY, CHECK_HISTORY, plan->paths[0], plan->paths[1], plan->paths[2],
              (char *)NULL);
        _exit(127);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 2;
}

int main(int argc, char **argv)
{
    (void)argc;
    struct plan plan = {.seconds = SECONDS_DEFAULT, .folder = "/tmp/jtiguard-faults.XXXXXX"};
    parse(&plan, argv + 1);
    assert_non_null(mkdtemp(plan.folder));
    store_prefix(plan.prefix, "faults");
    printf("seed: %llu, seconds: %llu\n", (unsigned long long)plan.seed,
           (unsigned long long)plan.seconds);
    fflush(stdout); /* or each child would print it again */
    record_run(&plan);
    int verdict = run_checker(&plan);
    /* The histories of a violation stay, to be looked at. */
    if (verdict != 0 && !plan.unshared) {
        printf("histories: %s\n", plan.folder);
        return verdict;
    }
    for (int i = 0; i < PROCESSES; i++)
        unlink(plan.paths[i]);
    rmdir(plan.folder);
    if (plan.unshared)
        return verdict == 1 ? 0 : 1;
    return verdict;
}
