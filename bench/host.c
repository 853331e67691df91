/* SPDX-License-Identifier: Apache-2.0 */
#include "host.h"

#include "isolate.h"
#include "phase.h"

#include <fcntl.h>
#include <jtiguard/host.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    PATH_BYTES = 64,
    ATTACHES = 101, /* a median of them */
    DEATHS = 400,   /* of which a good part is inside a lock */
    REPAIRS = 9     /* enough for a median */
};

#define CALLS_MAX      UINT64_C(4000000) /* as in comparison.c */
#define TMPFS          0x01021994L
#define BYTES_AN_ENTRY UINT64_C(48)
#define ROOM_TO_SPARE  (UINT64_C(1) << 24)

#define FOLDER "/dev/shm/jtiguard-bench-XXXXXX"

struct host_input {
    char path[PATH_BYTES];
    uint64_t entries;
};

struct host_result {
    double fresh_ns, fresh_at_full_ns, duplicate_ns, attach_us, repair_us, bytes_per_entry;
};

static struct bench_setup setup_of(const struct host_input *input)
{
    return (struct bench_setup){.max_entries = input->entries * 2, .path = input->path};
}

static uint64_t calls_of(const struct host_input *input)
{
    return input->entries < CALLS_MAX ? input->entries : CALLS_MAX;
}

/* ---- opening it ---- */

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static double median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, compare);
    return count == 0 ? 0 : values[count / 2];
}

static double attach_us(const struct bench_setup *setup)
{
    uint64_t begin = bench_now_ns();
    jtg_cache *cache = bench_subject_host.make(setup);
    double us = (double)(bench_now_ns() - begin) / 1000;
    jtg_cache_free(cache);
    return us;
}

static double measure_attach(const struct bench_setup *setup)
{
    double us[ATTACHES];
    for (size_t i = 0; i < ATTACHES; i++)
        us[i] = attach_us(setup);
    return median(us, ATTACHES);
}

/* ---- and behind one who died ---- */

static uint64_t repairs_of(jtg_cache *cache)
{
    jtg_host_stats stats = {.struct_size = sizeof stats};
    jtg_error err = JTG_ERROR_INIT;
    if (jtg_host_stats_get(cache, &stats, &err) != JTG_OK)
        bench_die("host backend: %s", err.text);
    return stats.repairs;
}

/* Takes keys and gives them back until it is killed. */
__attribute__((noreturn)) static void work_until_killed(const struct bench_setup *setup,
                                                        atomic_bool *at_work)
{
    struct bench_range range = {setup->max_entries, BENCH_BLOCK_ITEMS, 0};
    struct bench_item *items = bench_block_new();
    bench_items_fill(items, BENCH_BLOCK_ITEMS, &range, 0, BENCH_HOLDER);
    void *self = bench_subject_host.make(setup);
    atomic_store(at_work, true);
    for (size_t i = 0;; i = (i + 1) % BENCH_BLOCK_ITEMS) {
        (void)bench_subject_host.reserve(self, &items[i], BENCH_TTL_MS);
        (void)bench_subject_host.release(self, &items[i]);
    }
}

static void rest(long ns)
{
    struct timespec pause = {0, ns};
    (void)nanosleep(&pause, NULL);
}

/* death: each one works a little longer than the one before. */
static void let_one_die(const struct bench_setup *setup, atomic_bool *at_work, unsigned death)
{
    atomic_store(at_work, false);
    pid_t process = fork();
    if (process < 0)
        bench_die("cannot start a process");
    if (process == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        work_until_killed(setup, at_work);
    }
    while (!atomic_load(at_work)) {
        if (waitpid(process, NULL, WNOHANG) != 0)
            bench_die("host backend: a process ended before its time");
        rest(100000);
    }
    rest(300000 + 7919L * death);
    (void)kill(process, SIGKILL);
    (void)waitpid(process, NULL, 0);
}

/* 0 when nobody happened to die inside. */
static double measure_repair(const struct bench_setup *setup, jtg_cache *cache)
{
    atomic_bool *at_work =
        mmap(NULL, sizeof *at_work, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    double us[REPAIRS];
    size_t count = 0;
    if (at_work == MAP_FAILED)
        bench_die("no memory that processes share");
    for (unsigned death = 0; death < DEATHS && count < REPAIRS; death++) {
        uint64_t before = repairs_of(cache);
        let_one_die(setup, at_work, death);
        double took_us = attach_us(setup);
        if (repairs_of(cache) > before)
            us[count++] = took_us;
    }
    (void)munmap(at_work, sizeof *at_work);
    return median(us, count);
}

/* ---- its calls ---- */

static double bytes_of(jtg_cache *cache)
{
    jtg_host_stats stats = {.struct_size = sizeof stats};
    jtg_error err = JTG_ERROR_INIT;
    if (jtg_host_stats_get(cache, &stats, &err) != JTG_OK)
        bench_die("host backend: %s", err.text);
    return (double)stats.bytes / (double)stats.max_entries;
}

static void measure_alone(const void *input, void *result)
{
    const struct host_input *of = input;
    struct host_result *host = result;
    struct bench_setup setup = setup_of(of);
    struct bench_range all = {0, of->entries, 0}, held = {0, calls_of(of), of->entries};
    struct bench_range new_keys = {of->entries, calls_of(of) / 4, 0};
    void *self = bench_subject_host.make(&setup);
    host->fresh_ns = bench_phase_run(&bench_subject_host, self, BENCH_RESERVE_FRESH, &all, 1);
    host->fresh_at_full_ns =
        bench_phase_run(&bench_subject_host, self, BENCH_RESERVE_TURNOVER, &new_keys, 1);
    host->duplicate_ns = bench_phase_run(&bench_subject_host, self, BENCH_RESERVE_HELD, &held, 1);
    host->attach_us = measure_attach(&setup);
    host->repair_us = measure_repair(&setup, self);
    host->bytes_per_entry = bytes_of(self);
}

static void measure_pair(const void *input, void *result)
{
    const struct host_input *of = input;
    struct host_result *host = result;
    struct bench_setup setup = setup_of(of);
    struct bench_range all = {0, of->entries, 0}, held = {0, calls_of(of), of->entries};
    jtg_cache_free(bench_subject_host.make(&setup)); /* it is there when both begin */
    host->fresh_ns =
        bench_phase_run_apart(&bench_subject_host, &setup, BENCH_RESERVE_FRESH, &all, 2);
    host->duplicate_ns =
        bench_phase_run_apart(&bench_subject_host, &setup, BENCH_RESERVE_HELD, &held, 2);
}

/* ---- whatever happens, no store is left behind ---- */

static char folder[sizeof FOLDER];
static char store[PATH_BYTES];

static void remove_store(void)
{
    (void)unlink(store);
    (void)rmdir(folder);
}

static void remove_and_end(int number)
{
    remove_store();
    (void)raise(number);
}

/* how: the handler, or SIG_DFL */
static void set_handlers(void (*how)(int))
{
    struct sigaction action = {.sa_handler = how, .sa_flags = (int)SA_RESETHAND};
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGHUP, &action, NULL);
}

/* ---- all of it ---- */

static bool has_room(uint64_t entries)
{
    struct statfs room;
    return statfs("/dev/shm", &room) == 0 && room.f_type == TMPFS &&
           (uint64_t)room.f_bavail * (uint64_t)room.f_bsize >
               entries * 2 * BYTES_AN_ENTRY + ROOM_TO_SPARE;
}

static void add(struct bench_host *host, const struct host_result *alone,
                const struct host_result *pair)
{
    bench_samples_add(&host->fresh_ns, alone->fresh_ns);
    bench_samples_add(&host->fresh_at_full_ns, alone->fresh_at_full_ns);
    bench_samples_add(&host->duplicate_ns, alone->duplicate_ns);
    bench_samples_add(&host->attach_us, alone->attach_us);
    bench_samples_add(&host->bytes_per_entry, alone->bytes_per_entry);
    if (alone->repair_us > 0)
        bench_samples_add(&host->repair_us, alone->repair_us);
    bench_samples_add(&host->pair_fresh_ns, pair->fresh_ns);
    bench_samples_add(&host->pair_duplicate_ns, pair->duplicate_ns);
}

static bool measure_both(uint64_t entries, struct bench_host *host)
{
    struct host_input input = {.entries = entries};
    struct host_result alone, pair;
    (void)snprintf(input.path, sizeof input.path, "%s", store);
    bool good = bench_isolate(measure_alone, &input, &alone, sizeof alone);
    (void)unlink(store);
    good = good && bench_isolate(measure_pair, &input, &pair, sizeof pair);
    if (good)
        add(host, &alone, &pair);
    return good;
}

bool bench_host_measure(uint64_t entries, struct bench_host *host)
{
    if (!has_room(entries)) {
        fputs("jtiguard bench: /dev/shm has no room for a host store; it is left out\n", stderr);
        return true;
    }
    memcpy(folder, FOLDER, sizeof folder);
    if (mkdtemp(folder) == NULL) {
        perror("jtiguard bench: /dev/shm");
        return false;
    }
    (void)snprintf(store, sizeof store, "%s/store", folder);
    set_handlers(remove_and_end);
    bool good = measure_both(entries, host);
    remove_store();
    set_handlers(SIG_DFL);
    return good;
}
