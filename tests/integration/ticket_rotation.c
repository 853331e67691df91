/* SPDX-License-Identifier: Apache-2.0 */
/* ticket_rotation [--seconds N]: three processes share ticket keys through one Redis and rotate
 * them every second, under load. One of them is stopped now and then for longer than a rotation,
 * one is killed and started anew.
 *
 *  - No ticket within its lifetime fails to open, in any process.
 *  - No key seals before every instance that refreshes in time has loaded it.
 *  - Neither the dump nor the log of Redis holds a key, or the KEK, in clear. */
#include "integration/rotation_board.h"
#include "integration/store.h"
#include "support/asserts.h"
#include "support/random.h"
#include "support/redis_server.h"
#include "support/threads.h"
#include "support/ticket_fixture.h"
#include "tokens/tickets/ticket_keys_object.h"

#include <ftw.h>
#include <inttypes.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    SECONDS_DEFAULT = 10,
    ROTATION_MS = 2000, /* planned; each process in turn asks for it */
    ASKED_EVERY_MS = 1000,
    LEAD_MS = 700,
    REFRESH_MS = 200,
    MARGIN_MS = 300,
    LIFETIME_S = 8,
    NEARLY_OVER_MS = LIFETIME_S * 1000 - 1500, /* from here on a ticket may be over */
    LOADERS = 1,
    WORKERS = 2,
    STOPPED = 1, /* the process that is stopped */
    KILLED = 2   /* the one that is killed */
};

struct instance {
    struct rotation_board *board;
    unsigned process;
    jtg_cache *cache;
    jtg_ticket_keys *keys;
    struct random_source random;
    int64_t last_turn;
};

/* ---- one process ---- */

/* First the keys, then the time: who sees the time finds the keys. */
static void note_keys(struct instance *instance, int64_t began_ms)
{
    struct jtgi_key_set *set = jtgi_key_ring_hold(&instance->keys->ring);
    unsigned char secrets[ROTATION_SECRET_BYTES];
    if (set == NULL)
        return;
    for (size_t i = 0; i < set->count; i++) {
        const struct jtgi_ticket_key *key = set->entries[i].key;
        memcpy(secrets, key->secret, 32);
        memcpy(secrets + 32, key->aead, 32);
        memcpy(secrets + 64, key->cbc, 64);
        rotation_board_loaded(instance->board, instance->process, key->name, secrets);
    }
    atomic_store(&instance->board->version, set->version);
    jtgi_key_set_drop(set);
    atomic_store(&instance->board->refreshed_ms[instance->process], began_ms);
}

/* Each process in its turn asks for the next key, so that it seals as soon as its lead is over. */
static bool is_my_turn(struct instance *instance)
{
    int64_t turn = rotation_now_ms() / ASKED_EVERY_MS;
    if (turn % ROTATION_PROCESSES != instance->process || turn == instance->last_turn)
        return false;
    instance->last_turn = turn;
    return true;
}

static void refresh(struct instance *instance)
{
    int64_t began_ms = rotation_now_ms();
    jtg_status status = is_my_turn(instance) ? jtg_ticket_keys_rotate(instance->keys, NULL)
                                             : jtg_ticket_keys_refresh(instance->keys, NULL);
    if (status == JTG_OK)
        note_keys(instance, began_ms);
    else if (status != JTG_MISMATCH) /* the others were faster */
        atomic_fetch_add(&instance->board->failures[status], 1);
}

/* An instance that began its last refresh within the interval and the margin has had the chance
 * that it was promised. */
static void check_lead(struct instance *instance, const unsigned char *name)
{
    for (unsigned process = 0; process < ROTATION_PROCESSES; process++) {
        int64_t refreshed_ms = atomic_load(&instance->board->refreshed_ms[process]);
        bool in_time = rotation_now_ms() - refreshed_ms <= REFRESH_MS + MARGIN_MS;
        if (in_time && !rotation_board_has(instance->board, process, name) &&
            atomic_load(&instance->board->refreshed_ms[process]) >= refreshed_ms)
            atomic_fetch_add(&instance->board->too_early, 1);
    }
}

static void seal_one(struct instance *instance)
{
    unsigned char ticket[ROTATION_TICKET_BYTES];
    size_t len = sizeof ticket;
    jtg_ticket_reason reason;
    int64_t sealed_ms = rotation_now_ms();
    if (!jtg_ticket_seal_bytes(instance->keys, &sealed_ms, sizeof sealed_ms, LIFETIME_S, ticket,
                               &len, &reason, NULL)) {
        atomic_fetch_add(&instance->board->refused[reason], 1);
        return;
    }
    atomic_fetch_add(&instance->board->seals, 1);
    check_lead(instance, ticket);
    rotation_board_publish(instance->board, ticket, (unsigned)len, sealed_ms);
}

static void open_one(struct instance *instance, struct random_source *random)
{
    struct rotation_ticket ticket;
    int64_t content_ms = 0;
    size_t len = sizeof content_ms;
    jtg_ticket_reason reason;
    unsigned at = (unsigned)random_below(random, ROTATION_TICKETS);
    if (!rotation_board_pick(instance->board, at, &ticket) ||
        rotation_now_ms() - ticket.sealed_ms > NEARLY_OVER_MS)
        return;
    bool opened = jtg_ticket_open_bytes(instance->keys, ticket.bytes, ticket.len, &content_ms, &len,
                                        NULL, &reason, NULL);
    if (opened && content_ms == ticket.sealed_ms)
        atomic_fetch_add(&instance->board->opens, 1);
    else if (rotation_now_ms() - ticket.sealed_ms <= NEARLY_OVER_MS) /* not stopped meanwhile */
        atomic_fetch_add(&instance->board->lost[reason], 1);
}

static void work(void *context, unsigned index)
{
    struct instance *instance = context;
    struct random_source random = instance->random;
    random.state += index;
    while (rotation_now_ms() < instance->board->end_ms) {
        if (index < LOADERS) {
            store_sleep_ms(REFRESH_MS / 4);
            refresh(instance);
            continue;
        }
        seal_one(instance);
        for (int i = 0; i < 10; i++)
            open_one(instance, &random);
        store_sleep_ms(1);
    }
}

/* Everything of the library is made after fork. */
static int run_instance(struct rotation_board *board, unsigned process, const char *uri,
                        const char *kek_file)
{
    struct instance instance = {.board = board, .process = process};
    jtg_ticket_options options = JTG_TICKET_OPTIONS_INIT;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    options.kek_file = kek_file;
    options.rotation_ms = ROTATION_MS;
    options.publish_lead_ms = LEAD_MS;
    options.refresh_interval_ms = REFRESH_MS;
    options.margin_ms = MARGIN_MS;
    options.ticket_lifetime_s = LIFETIME_S;
    random_init(&instance.random, random_seed() + process);
    instance.cache = store_open(uri);
    assert_status(jtg_ticket_keys_new(&instance.keys, instance.cache, &options, NULL), JTG_OK);
    threads_run(LOADERS + WORKERS, work, &instance);
    jtg_ticket_keys_free(instance.keys);
    jtg_cache_free(instance.cache);
    return 0;
}

/* ---- all of them ---- */

struct fleet {
    struct rotation_board *board;
    struct redis_server server;
    char kek_file[64];
    unsigned char kek[32];
    pid_t pids[ROTATION_PROCESSES];
};

static void start(struct fleet *fleet, unsigned process)
{
    fleet->pids[process] = fork();
    assert_true(fleet->pids[process] >= 0);
    if (fleet->pids[process] == 0)
        _exit(run_instance(fleet->board, process, fleet->server.uri, fleet->kek_file));
}

static void kill_and_start(struct fleet *fleet)
{
    assert_int_equal(kill(fleet->pids[KILLED], SIGKILL), 0);
    assert_int_equal(waitpid(fleet->pids[KILLED], NULL, 0), fleet->pids[KILLED]);
    rotation_board_forget(fleet->board, KILLED);
    start(fleet, KILLED);
}

/* Stopped for one to three rotations, killed once in between, undisturbed for about one. */
static void disturb(struct fleet *fleet, struct random_source *random)
{
    while (rotation_now_ms() < fleet->board->end_ms - 4 * ASKED_EVERY_MS) {
        assert_int_equal(kill(fleet->pids[STOPPED], SIGSTOP), 0);
        store_sleep_ms(ASKED_EVERY_MS + random_below(random, ASKED_EVERY_MS));
        kill_and_start(fleet);
        store_sleep_ms(random_below(random, ASKED_EVERY_MS));
        assert_int_equal(kill(fleet->pids[STOPPED], SIGCONT), 0);
        store_sleep_ms(ASKED_EVERY_MS / 2 + random_below(random, ASKED_EVERY_MS));
    }
}

static void wait_for_all(const struct fleet *fleet)
{
    for (unsigned process = 0; process < ROTATION_PROCESSES; process++) {
        int status = -1;
        assert_int_equal(waitpid(fleet->pids[process], &status, 0), fleet->pids[process]);
        assert_int_equal(status, 0);
    }
}

/* ---- what Redis has written ---- */

static struct {
    unsigned char *bytes;
    size_t len;
    unsigned files;
} written;

static int add_file(const char *path, const struct stat *about, int kind, struct FTW *where)
{
    (void)where;
    if (kind != FTW_F || about->st_size == 0)
        return 0;
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return -1;
    written.bytes = realloc(written.bytes, written.len + (size_t)about->st_size);
    written.len += fread(written.bytes + written.len, 1, (size_t)about->st_size, file);
    written.files++;
    (void)fclose(file);
    return 0;
}

/* Any eight bytes of it in a row. */
static bool is_written(const unsigned char *secret, size_t len)
{
    for (size_t at = 0; at + 8 <= len; at += 8)
        if (memmem(written.bytes, written.len, secret + at, 8) != NULL)
            return true;
    return false;
}

/* A value that was stored in clear is found: the search works. */
static void store_canary(const struct fleet *fleet, unsigned char canary[32])
{
    jtg_cache *cache = store_open(fleet->server.uri);
    jtg_key key = {"canary", 6, NULL, 0};
    randombytes_buf(canary, 32);
    assert_status(jtg_cache_put(cache, &key, canary, 32, 600000, 1, NULL), JTG_OK);
    jtg_cache_free(cache);
}

static unsigned search_written(const struct fleet *fleet)
{
    unsigned char canary[32];
    char reply[64];
    unsigned keys = 0;
    store_canary(fleet, canary);
    assert_true(redis_server_ask(&fleet->server, "SAVE", reply, sizeof reply));
    assert_string_equal(reply, "+OK");
    assert_int_equal(nftw(fleet->server.folder, add_file, 8, FTW_PHYS), 0);
    assert_true(written.files >= 2); /* the dump and the log */
    assert_true(is_written(canary, sizeof canary));
    assert_false(is_written(fleet->kek, sizeof fleet->kek));
    for (unsigned i = 0; i < ROTATION_KEYS; i++) {
        const struct rotation_key *key = &fleet->board->keys[i];
        if (key->name[0] == 0 && sodium_is_zero(key->name, sizeof key->name))
            continue;
        keys++;
        assert_false(is_written(key->secrets, sizeof key->secrets));
    }
    free(written.bytes);
    return keys;
}

/* ---- the whole ---- */

static void print_reasons(const char *what, const _Atomic uint64_t *counts)
{
    for (jtg_ticket_reason reason = 0; reason < JTG_TICKET_REASON_COUNT; reason++)
        if (counts[reason] != 0)
            printf("%s, %s: %" PRIu64 "\n", what, jtg_ticket_reason_name(reason), counts[reason]);
}

static void judge(const struct rotation_board *board, unsigned keys, long seconds)
{
    uint64_t lost = 0;
    printf("tickets sealed: %" PRIu64 ", opened: %" PRIu64 ", keys: %u, versions: %" PRIu64 "\n",
           board->seals, board->opens, keys, board->version);
    for (jtg_status status = 0; status < JTG_STATUS_COUNT; status++) {
        uint64_t count = board->failures[status];
        if (count != 0)
            printf("not refreshed, %s: %" PRIu64 "\n", jtg_status_name(status), count);
        /* Who is stopped on the way to the store comes too late; nothing else may fail. */
        assert_true(count == 0 || status == JTG_ERR_TIMEOUT || status == JTG_ERR_UNAVAILABLE);
    }
    print_reasons("not sealed", board->refused);
    print_reasons("live, and not opened", board->lost);
    printf("sealed too early: %" PRIu64 "\n", board->too_early);
    for (jtg_ticket_reason reason = 0; reason < JTG_TICKET_REASON_COUNT; reason++)
        lost += board->lost[reason];
    assert_int_equal(lost, 0);
    assert_int_equal(board->too_early, 0);
    assert_true(board->seals > 100 && board->opens > 100);
    assert_true(keys + 3 >= (unsigned)seconds);
}

static void make_kek(struct fleet *fleet)
{
    randombytes_buf(fleet->kek, sizeof fleet->kek);
    ticket_fixture_key_file(fleet->kek_file, fleet->kek, sizeof fleet->kek, 0600);
}

int main(int argc, char **argv)
{
    static const char *const options[] = {
        "--appendonly", "yes", "--appendfsync", "no", "--rdbcompression", "no", NULL};
    long seconds = SECONDS_DEFAULT;
    struct fleet fleet = {.board = NULL};
    struct random_source random;
    uint64_t seed = random_seed();
    if (argc == 3 && strcmp(argv[1], "--seconds") == 0)
        seconds = (long)store_number(argv[2], 3600);
    if (sodium_init() < 0)
        return 1;
    printf("JTIGUARD_TEST_SEED=%" PRIu64 "\n", seed);
    (void)fflush(stdout);
    random_init(&random, seed);
    make_kek(&fleet);
    fleet.board =
        mmap(NULL, sizeof *fleet.board, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(fleet.board, MAP_FAILED);
    redis_server_start(&fleet.server, options);
    fleet.board->end_ms = rotation_now_ms() + 1000 * seconds;
    for (unsigned process = 0; process < ROTATION_PROCESSES; process++)
        start(&fleet, process);
    store_sleep_ms(2 * ASKED_EVERY_MS);
    disturb(&fleet, &random);
    wait_for_all(&fleet);
    unsigned keys = search_written(&fleet);
    redis_server_stop(&fleet.server);
    (void)unlink(fleet.kek_file);
    judge(fleet.board, keys, seconds);
    munmap(fleet.board, sizeof *fleet.board);
    return 0;
}
