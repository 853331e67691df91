/* SPDX-License-Identifier: Apache-2.0 */
/* campaign [OPTION]…, on the hosts of with-hosts
 *
 * Three processes with guards show each other's tokens to one store, while its servers are switched
 * over, killed, frozen, cut off, flushed, restarted without their data or with old data, and while
 * slots wander. Every call is recorded. check_history decides whether a token was admitted twice;
 * report.h says what else is judged.
 *
 *   --topology NAME   single, sentinel, cluster, or one of those of world.h in which a store is
 * left and comes back
 *   --failovers N     of each kind that the topology has; default 5
 *   --losses N        flushes, empty restarts and old snapshots, each; default 2
 *   --reshards N      default 10
 *   --returns N       of the store that was left, each kind; default 2
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
#include "reliability/clients.h"
#include "reliability/report.h"
#include "support/asserts.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
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
    unsigned returns;
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
    struct clients clients;
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
    static const struct topology *const all[] = {
        &topology_single,  &topology_sentinel,  &topology_sentinel_pair, &topology_sentinel_twin,
        &topology_cluster, &topology_strangers, &topology_forwarder,     &topology_name,
        &topology_link,    &topology_balancer};
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
    else if (strcmp(word, "--returns") == 0)
        plan->returns = (unsigned)number(value);
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

/* ---- incidents ---- */

static unsigned times_of(const struct plan *plan, enum incident_kind kind)
{
    if (!incident_fits(kind, plan->topology) || plan->without == (int)kind ||
        (plan->only >= 0 && plan->only != (int)kind))
        return 0;
    if (incident_is_failover(kind))
        return plan->failovers;
    if (kind >= INCIDENT_RETURN)
        return plan->returns;
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
    static char program[] = CHECK_HISTORY;
    static char may_forget[] = "--may-forget";
    static char grace_ms[] = "--grace-ms";
    static struct clients clients; /* to have them writable, as execv() wants them */
    char grace[16];
    char *words[4 + CLIENTS_MAX + 1] = {program, may_forget, grace_ms, grace};
    int output = open(output_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    snprintf(grace, sizeof grace, "%d", GRACE_MS);
    clients = campaign->clients;
    for (unsigned i = 0; i < clients.count; i++)
        words[4 + i] = clients.paths[i];
    if (output >= 0 && dup2(output, STDOUT_FILENO) >= 0)
        execv(program, words);
    _exit(2);
}

/* Prints what it said. Returns its exit status, and how many double admits it found. */
static int run_checker(const struct campaign *campaign, unsigned long *doubles)
{
    static const char wanted[] = "double admit violations: ";
    char path[PATH_BYTES];
    char line[256];
    int status;
    snprintf(path, sizeof path, "%s/verdict", campaign->clients.folder);
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
    for (unsigned i = 0; i < campaign->clients.count; i++)
        if (!history_read(&history, campaign->clients.paths[i], problem, sizeof problem))
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

int main(int argc, char **argv)
{
    (void)argc;
    static struct campaign campaign = {
        .plan = {&topology_sentinel, 5, 2, 10, 2, -1, -1, 0, "", false, false, false, false}};
    campaign.plan.seed = random_seed();
    parse(&campaign.plan, argv + 1);
    signal(SIGPIPE, SIG_IGN);
    hosts_find();
    campaign.log.topology = campaign.plan.topology;
    campaign.log.continuity = strstr(campaign.plan.query, "continuity=no") == NULL;
    campaign.log.replicas = strstr(campaign.plan.query, "replicas=") != NULL;
    printf("topology: %s, server: %s, seed: %" PRIu64 ", query: \"%s\"\n",
           campaign.plan.topology->name, server_program(), campaign.plan.seed, campaign.plan.query);
    fflush(stdout);
    world_start(&campaign.world, campaign.plan.topology, campaign.plan.seed, campaign.plan.quick);
    campaign.world.clients = &campaign.clients;
    campaign.clients.seed = campaign.plan.seed;
    campaign.clients.break_release = campaign.plan.break_release;
    clients_start(&campaign.clients, &campaign.world, campaign.plan.query);
    run_incidents(&campaign);
    clients_stop(&campaign.clients);
    int status = judge(&campaign);
    world_stop(&campaign.world);
    if (status == 0)
        clients_remove_histories(&campaign.clients);
    else
        printf("histories: %s\n", campaign.clients.folder);
    return status;
}
