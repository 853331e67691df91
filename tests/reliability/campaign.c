/* SPDX-License-Identifier: Apache-2.0 */
/* campaign [OPTION]…, on the hosts of with-hosts
 *
 * Three processes with guards show each other's tokens to one store, while its servers are switched
 * over, killed, frozen, cut off, flushed, restarted without their data or with old data, and while
 * slots wander. Every call is recorded. check_history decides whether a token was admitted twice;
 * report.h says what else is judged.
 *
 *   --topology single|sentinel|cluster
 *   --failovers N     of each kind that the topology has; default 5
 *   --losses N        flushes, empty restarts and old snapshots, each; default 2
 *   --reshards N      default 10
 *   --only KIND       none but this kind, see incident.c
 *   --without KIND    all but this kind
 *   --quick           Sentinels that look more often, see world.h
 *   --seed N          of the order, the victims and the load
 *   --query TEXT      more of the store's URI, e.g. replicas=1
 *   --break-release   the clients delete keys that are not theirs (topology single)
 *   --expect-violations  exit 0 only if check_history finds double admits
 *   --measure         print what is found, and exit 0
 *
 * Exit status: 0 as promised · 1 not · 77 the hosts cannot be made. */
#include "integration/store.h"
#include "reliability/load.h"
#include "reliability/report.h"
#include "support/asserts.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    READY_LIMIT_MS = 30000,
    CALM_LEAST_MS = 1000,
    CALM_MOST_MS = 2500,
    PATH_BYTES = 96,
    GRACE_MS = 200 /* of a machine that also runs the servers */
};

struct plan {
    const struct topology *topology;
    unsigned failovers;
    unsigned losses;
    unsigned reshards;
    int only;    /* -1: all */
    int without; /* -1: none */
    uint64_t seed;
    const char *query;
    bool quick;
    bool break_release;
    bool expect_violations;
    bool measure;
};

struct campaign {
    struct plan plan;
    struct world world;
    struct campaign_log log;
    char uri[STORE_URI_BYTES];
    char folder[64];
    char paths[WORLD_CLIENTS][PATH_BYTES];
    pid_t clients[WORLD_CLIENTS];
    int ready[2];
    int over[2];
};

/* ---- options ---- */

static void refuse(const char *problem)
{
    fprintf(stderr, "campaign: %s; see the head of campaign.c\n", problem);
    exit(2);
}

static uint64_t number(const char *text)
{
    char *end;
    uint64_t value = text == NULL ? 0 : strtoull(text, &end, 10);
    if (text == NULL || *text < '0' || *text > '9' || *end != '\0')
        refuse("a number is missing");
    return value;
}

static const struct topology *topology_of(const char *name)
{
    static const struct topology *const all[] = {&topology_single, &topology_sentinel,
                                                 &topology_cluster};
    for (size_t i = 0; name != NULL && i < sizeof all / sizeof *all; i++)
        if (strcmp(name, all[i]->name) == 0)
            return all[i];
    refuse("no such topology");
    return NULL;
}

static int kind_of(const char *name)
{
    for (int kind = 0; name != NULL && kind < INCIDENT_KINDS; kind++)
        if (strcmp(name, incident_name((enum incident_kind)kind)) == 0)
            return kind;
    refuse("no such kind");
    return -1;
}

static bool parse_flag(struct plan *plan, const char *word)
{
    bool *flag = strcmp(word, "--quick") == 0               ? &plan->quick
                 : strcmp(word, "--break-release") == 0     ? &plan->break_release
                 : strcmp(word, "--expect-violations") == 0 ? &plan->expect_violations
                 : strcmp(word, "--measure") == 0           ? &plan->measure
                                                            : NULL;
    if (flag != NULL)
        *flag = true;
    return flag != NULL;
}

static void parse_value(struct plan *plan, const char *word, const char *value)
{
    if (strcmp(word, "--topology") == 0)
        plan->topology = topology_of(value);
    else if (strcmp(word, "--failovers") == 0)
        plan->failovers = (unsigned)number(value);
    else if (strcmp(word, "--losses") == 0)
        plan->losses = (unsigned)number(value);
    else if (strcmp(word, "--reshards") == 0)
        plan->reshards = (unsigned)number(value);
    else if (strcmp(word, "--only") == 0)
        plan->only = kind_of(value);
    else if (strcmp(word, "--without") == 0)
        plan->without = kind_of(value);
    else if (strcmp(word, "--seed") == 0)
        plan->seed = number(value);
    else if (strcmp(word, "--query") == 0 && value != NULL)
        plan->query = value;
    else
        refuse("no such option");
}

static void parse(struct plan *plan, char **words)
{
    for (; *words != NULL; words++)
        if (!parse_flag(plan, *words)) {
            parse_value(plan, words[0], words[1]);
            words++;
        }
    if (plan->break_release && plan->topology != &topology_single)
        refuse("--break-release is for the topology single");
}

/* ---- clients ---- */

static void become_client(struct campaign *campaign, unsigned index)
{
    char log[PATH_BYTES + 8];
    snprintf(log, sizeof log, "%s.log", campaign->paths[index]);
    struct load load = {campaign->uri,
                        campaign->paths[index],
                        log,
                        campaign->plan.seed,
                        (uint16_t)index,
                        FIRST_CLIENT + index,
                        campaign->plan.topology->parts,
                        campaign->plan.break_release,
                        campaign->ready[1],
                        campaign->over[0]};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    close(campaign->over[1]);
    exit(load_run(&load));
}

static void await_clients(struct campaign *campaign)
{
    char byte;
    for (unsigned i = 0; i < WORLD_CLIENTS; i++) {
        struct pollfd wait = {campaign->ready[0], POLLIN, 0};
        if (poll(&wait, 1, READY_LIMIT_MS) != 1 || read(campaign->ready[0], &byte, 1) != 1)
            fail_msg("a client is admitted nothing, see %s", campaign->folder);
    }
}

static void start_clients(struct campaign *campaign)
{
    const struct plan *plan = &campaign->plan;
    int len =
        snprintf(campaign->uri, sizeof campaign->uri, "%s?timeout=%dms&connect_timeout=%dms%s%s",
                 plan->topology->uri, LOAD_DEADLINE_MS, LOAD_DEADLINE_MS / 2,
                 *plan->query == '\0' ? "" : "&", plan->query);
    assert_in_range(len, 1, sizeof campaign->uri - 1);
    assert_int_equal(pipe2(campaign->ready, O_CLOEXEC), 0);
    assert_int_equal(pipe2(campaign->over, O_CLOEXEC), 0);
    fflush(stdout);
    for (unsigned i = 0; i < WORLD_CLIENTS; i++) {
        snprintf(campaign->paths[i], PATH_BYTES, "%s/client%u", campaign->folder, i);
        campaign->clients[i] = fork();
        assert_true(campaign->clients[i] >= 0);
        if (campaign->clients[i] == 0)
            become_client(campaign, i);
    }
    await_clients(campaign);
}

static void stop_clients(struct campaign *campaign)
{
    close(campaign->over[1]);
    for (unsigned i = 0; i < WORLD_CLIENTS; i++) {
        int status;
        assert_int_equal(waitpid(campaign->clients[i], &status, 0), campaign->clients[i]);
        if (status != 0)
            fail_msg("client %u ended with status %x, see %s", i, (unsigned)status,
                     campaign->folder);
    }
    close(campaign->ready[0]);
    close(campaign->ready[1]);
    close(campaign->over[0]);
}

/* ---- incidents ---- */

static unsigned times_of(const struct plan *plan, enum incident_kind kind)
{
    if (!incident_fits(kind, plan->topology) || plan->without == (int)kind ||
        (plan->only >= 0 && plan->only != (int)kind))
        return 0;
    if (incident_is_failover(kind))
        return plan->failovers;
    return kind == INCIDENT_RESHARD ? plan->reshards : plan->losses;
}

/* All kinds as often as planned, in an order that the seed gives. */
static unsigned draw_kinds(struct campaign *campaign, enum incident_kind kinds[INCIDENTS_MAX])
{
    unsigned count = 0;
    for (unsigned kind = 0; kind < INCIDENT_KINDS; kind++)
        for (unsigned i = times_of(&campaign->plan, (enum incident_kind)kind); i > 0; i--) {
            assert_true(count < INCIDENTS_MAX);
            kinds[count++] = (enum incident_kind)kind;
        }
    for (unsigned i = count; i > 1; i--) {
        unsigned other = (unsigned)random_below(&campaign->world.random, i);
        enum incident_kind kind = kinds[i - 1];
        kinds[i - 1] = kinds[other];
        kinds[other] = kind;
    }
    return count;
}

static void stay_calm(struct campaign *campaign)
{
    store_sleep_ms(CALM_LEAST_MS +
                   random_below(&campaign->world.random, CALM_MOST_MS - CALM_LEAST_MS));
}

static void run_incidents(struct campaign *campaign)
{
    enum incident_kind kinds[INCIDENTS_MAX];
    struct campaign_log *log = &campaign->log;
    unsigned count = draw_kinds(campaign, kinds);
    log->start_ns = history_now_ns();
    stay_calm(campaign);
    while (log->incident_count < count) {
        log->incidents[log->incident_count] =
            incident_run(&campaign->world, kinds[log->incident_count]);
        log->incident_count++;
        stay_calm(campaign);
    }
    stay_calm(campaign);
}

/* ---- judgement ---- */

static void become_checker(const struct campaign *campaign, const char *output_path)
{
    char grace[16];
    int output = open(output_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    snprintf(grace, sizeof grace, "%d", GRACE_MS);
    if (output >= 0 && dup2(output, STDOUT_FILENO) >= 0)
        execl(CHECK_HISTORY, CHECK_HISTORY, "--may-forget", "--grace-ms", grace, campaign->paths[0],
              campaign->paths[1], campaign->paths[2], (char *)NULL);
    _exit(2);
}

/* Prints what it said. Returns its exit status, and how many double admits it found. */
static int run_checker(const struct campaign *campaign, unsigned long *doubles)
{
    static const char wanted[] = "double admit violations: ";
    char path[PATH_BYTES];
    char line[256];
    int status;
    snprintf(path, sizeof path, "%s/verdict", campaign->folder);
    fflush(stdout);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        become_checker(campaign, path);
    assert_int_equal(waitpid(child, &status, 0), child);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL) {
        fputs(line, stdout);
        if (strncmp(line, wanted, strlen(wanted)) == 0)
            *doubles = store_number(line + strlen(wanted), ULONG_MAX);
    }
    fclose(file);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 2;
}

static struct verdict report(struct campaign *campaign)
{
    struct history history = {NULL, 0};
    char problem[300];
    for (unsigned i = 0; i < WORLD_CLIENTS; i++)
        if (!history_read(&history, campaign->paths[i], problem, sizeof problem))
            fail_msg("%s", problem);
    struct verdict verdict = report_print(&campaign->log, &history);
    history_clear(&history);
    return verdict;
}

static int judge(struct campaign *campaign)
{
    unsigned long doubles = 0;
    printf("\n");
    struct verdict verdict = report(campaign);
    printf("\n");
    int checked = run_checker(campaign, &doubles);
    printf("refusals that do not fit: %u\nprocesses kept out for more than a second: %u\n"
           "processes that never came back: %u\n",
           verdict.misfits, verdict.late, verdict.unrecovered);
    if (campaign->plan.expect_violations)
        return checked == 1 && doubles > 0 ? 0 : 1;
    if (campaign->plan.measure)
        return checked == 2;
    return checked != 0 || verdict.misfits + verdict.late + verdict.unrecovered != 0;
}

static void remove_histories(const struct campaign *campaign)
{
    static const char *const kinds[] = {"", ".log"};
    char path[PATH_BYTES + 8];
    for (unsigned i = 0; i < WORLD_CLIENTS; i++)
        for (size_t kind = 0; kind < sizeof kinds / sizeof *kinds; kind++) {
            snprintf(path, sizeof path, "%s%s", campaign->paths[i], kinds[kind]);
            unlink(path);
        }
    snprintf(path, sizeof path, "%s/verdict", campaign->folder);
    unlink(path);
    rmdir(campaign->folder);
}

int main(int argc, char **argv)
{
    (void)argc;
    static struct campaign campaign = {
        .plan = {&topology_sentinel, 5, 2, 10, -1, -1, 0, "", false, false, false, false},
        .folder = "/tmp/jtiguard-campaign.XXXXXX"};
    campaign.plan.seed = random_seed();
    parse(&campaign.plan, argv + 1);
    signal(SIGPIPE, SIG_IGN);
    hosts_find();
    assert_non_null(mkdtemp(campaign.folder));
    campaign.log.topology = campaign.plan.topology;
    campaign.log.continuity = strstr(campaign.plan.query, "continuity=no") == NULL;
    campaign.log.replicas = strstr(campaign.plan.query, "replicas=") != NULL;
    printf("topology: %s, server: %s, seed: %" PRIu64 ", query: \"%s\"\n",
           campaign.plan.topology->name, server_program(), campaign.plan.seed, campaign.plan.query);
    fflush(stdout);
    world_start(&campaign.world, campaign.plan.topology, campaign.plan.seed, campaign.plan.quick);
    start_clients(&campaign);
    run_incidents(&campaign);
    stop_clients(&campaign);
    int status = judge(&campaign);
    world_stop(&campaign.world);
    if (status == 0)
        remove_histories(&campaign);
    else
        printf("histories: %s\n", campaign.folder);
    return status;
}
