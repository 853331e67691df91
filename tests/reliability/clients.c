/* SPDX-License-Identifier: Apache-2.0 */
#include "reliability/clients.h"

#include "support/asserts.h"
#include "support/history.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define NEWS_LIMIT_NS UINT64_C(30000000000)

enum { READY_LIMIT_MS = 30000, LOOK_MS = 5 };

static void become_client(const struct clients *clients, unsigned index, int over)
{
    char log[CLIENT_PATH_BYTES + 8];
    snprintf(log, sizeof log, "%s.log", clients->paths[index]);
    const struct topology *topology = clients->world->topology;
    bool slips = index == 0 && topology->slip_uri != NULL;
    struct load load = {.uri = slips ? clients->slip_uri : clients->uri,
                        .history_path = clients->paths[index],
                        .log_path = log,
                        .seed = clients->seed,
                        .process = (uint16_t)index,
                        .host = FIRST_CLIENT + index % WORLD_CLIENTS,
                        .parts = topology->parts,
                        .own_tokens = topology->splits,
                        .break_release = clients->break_release,
                        .board = &clients->boards[index],
                        .ready = clients->ready[1],
                        .over = over};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    close(clients->over[1]);
    if (clients->leave[1] >= 0)
        close(clients->leave[1]);
    exit(load_run(&load));
}

static void start(struct clients *clients, const char *kind, int over)
{
    unsigned index = clients->count++;
    assert_true(index < CLIENTS_MAX);
    snprintf(clients->paths[index], CLIENT_PATH_BYTES, "%s/%s%u", clients->folder, kind, index);
    fflush(stdout);
    clients->pids[index] = fork();
    assert_true(clients->pids[index] >= 0);
    if (clients->pids[index] == 0)
        become_client(clients, index, over);
}

static void await_end(const struct clients *clients, unsigned index)
{
    int status;
    assert_int_equal(waitpid(clients->pids[index], &status, 0), clients->pids[index]);
    if (status != 0)
        fail_msg("client %u ended with status %x, see %s", index, (unsigned)status,
                 clients->folder);
}

static void await_ready(const struct clients *clients)
{
    char byte;
    for (unsigned i = 0; i < WORLD_CLIENTS; i++) {
        struct pollfd wait = {clients->ready[0], POLLIN, 0};
        if (poll(&wait, 1, READY_LIMIT_MS) != 1 || read(clients->ready[0], &byte, 1) != 1)
            fail_msg("a client is admitted nothing, see %s", clients->folder);
    }
}

static void write_uri(char uri[STORE_URI_BYTES], const char *store, const char *query)
{
    int len = snprintf(uri, STORE_URI_BYTES, "%s?timeout=%dms&connect_timeout=%dms%s%s", store,
                       LOAD_DEADLINE_MS, LOAD_DEADLINE_MS / 2, *query == '\0' ? "" : "&", query);
    assert_in_range(len, 1, STORE_URI_BYTES - 1);
}

void clients_start(struct clients *clients, const struct world *world, const char *query)
{
    clients->world = world;
    clients->leave[0] = clients->leave[1] = -1;
    strcpy(clients->folder, "/tmp/jtiguard-campaign.XXXXXX");
    assert_non_null(mkdtemp(clients->folder));
    write_uri(clients->uri, world->uri, query);
    if (world->topology->slip_uri != NULL)
        write_uri(clients->slip_uri, world->topology->slip_uri, query);
    clients->boards = mmap(NULL, CLIENTS_MAX * sizeof *clients->boards, PROT_READ | PROT_WRITE,
                           MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(clients->boards != MAP_FAILED);
    assert_int_equal(pipe2(clients->ready, O_CLOEXEC), 0);
    assert_int_equal(pipe2(clients->over, O_CLOEXEC), 0);
    for (unsigned i = 0; i < WORLD_CLIENTS; i++)
        start(clients, "client", clients->over[0]);
    await_ready(clients);
}

void clients_stop(struct clients *clients)
{
    close(clients->over[1]);
    for (unsigned i = 0; i < WORLD_CLIENTS; i++)
        await_end(clients, i);
    close(clients->ready[0]);
    close(clients->ready[1]);
    close(clients->over[0]);
    munmap(clients->boards, CLIENTS_MAX * sizeof *clients->boards);
}

void clients_remove_histories(const struct clients *clients)
{
    static const char *const kinds[] = {"", ".log"};
    char path[CLIENT_PATH_BYTES + 8];
    for (unsigned i = 0; i < clients->count; i++)
        for (size_t kind = 0; kind < sizeof kinds / sizeof *kinds; kind++) {
            snprintf(path, sizeof path, "%s%s", clients->paths[i], kinds[kind]);
            unlink(path);
        }
    snprintf(path, sizeof path, "%s/verdict", clients->folder);
    unlink(path);
    rmdir(clients->folder);
}

static bool await_news(const struct clients *clients, uint64_t since_ns, bool admitted)
{
    uint64_t end_ns = history_now_ns() + NEWS_LIMIT_NS;
    for (unsigned i = 0; i < WORLD_CLIENTS;) {
        const struct load_board *board = &clients->boards[i];
        if (atomic_load(admitted ? &board->admitted_ns : &board->answered_ns) > since_ns)
            i++;
        else if (history_now_ns() > end_ns)
            return false;
        else
            store_sleep_ms(LOOK_MS);
    }
    return true;
}

bool clients_await_admitted(const struct clients *clients, uint64_t since_ns)
{
    return await_news(clients, since_ns, true);
}

bool clients_await_answered(const struct clients *clients, uint64_t since_ns)
{
    return await_news(clients, since_ns, false);
}

void clients_add_newcomer(struct clients *clients)
{
    assert_int_equal(clients->leave[0], -1);
    assert_int_equal(pipe2(clients->leave, O_CLOEXEC), 0);
    start(clients, "newcomer", clients->leave[0]);
}

void clients_dismiss_newcomer(struct clients *clients)
{
    close(clients->leave[1]);
    await_end(clients, clients->count - 1);
    close(clients->leave[0]);
    clients->leave[0] = clients->leave[1] = -1;
}
