/* SPDX-License-Identifier: Apache-2.0 */
/* Two containers that share the folder of the store, and processes of another user: one guard.
 * Needs root, as containers do. */
#include "cli/run_tool.h"
#include "recipes/lines.h"
#include "serve/http_client.h"
#include "support/asserts.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RESTARTS = 3, TOKENS = 50, KILL_EVERY = 10, SIDES = 2 };
#define NOBODY "65534"

/* A container's own processes and mounts; of the host's it sees one folder, under the name that it
 * has there. Its server is its process 1, as that of the other is. */
static const char container[] = "mount -t tmpfs tmpfs /run && mkdir /run/jtiguard-host && "
                                "mount --bind \"$1/host\" /run/jtiguard-host && "
                                "exec \"$3/server\" \"$2\" host:/run/jtiguard-host/store 4";

struct pair {
    struct lines lines; /* first: the context of a crowd is one */
    struct process sides[SIDES];
    char doors[SIDES][96];
    char programs[32]; /* a folder of their own: Docker mounts /dev/shm so that nothing is executed
                          there */
    void (*start)(struct pair *pair, unsigned side);
};

/* ---- two containers ---- */

static void start_container(struct pair *pair, unsigned side)
{
    /* unshare puts SIGTERM off, so another signal has to end it with the test. */
    const char *const words[] = {program_path("setpriv"),
                                 "--pdeathsig",
                                 "KILL",
                                 "unshare",
                                 "--user",
                                 "--map-root-user",
                                 "--mount",
                                 "--pid",
                                 "--fork",
                                 "--mount-proc",
                                 "--kill-child",
                                 "--",
                                 "sh",
                                 "-c",
                                 container,
                                 "sh",
                                 pair->lines.place.folder,
                                 pair->doors[side],
                                 pair->programs,
                                 NULL};
    process_start(&pair->sides[side], pair->lines.place.log_path, words);
}

/* ---- root, and another user of the store's group ---- */

static void start_as(struct pair *pair, unsigned side, const char *user, const char *group)
{
    char program[96];
    (void)snprintf(program, sizeof program, "%s/server", pair->programs);
    const char *const words[] = {program_path("setpriv"),
                                 "--reuid",
                                 user,
                                 "--regid",
                                 group,
                                 "--clear-groups",
                                 program,
                                 pair->doors[side],
                                 pair->lines.place.store,
                                 "4",
                                 NULL};
    process_start(&pair->sides[side], pair->lines.place.log_path, words);
}

static void start_as_user(struct pair *pair, unsigned side)
{
    start_as(pair, side, side == 0 ? "0" : NOBODY, side == 0 ? "0" : NOBODY);
}

static void start_as_stranger(struct pair *pair, unsigned side)
{
    start_as(pair, side, "1", "1");
}

/* ---- both ---- */

static void name_program(const struct pair *pair, char name[64])
{
    (void)snprintf(name, 64, "%s/server", pair->programs);
}

static void copy_program(struct pair *pair)
{
    struct tool_run run;
    char name[64];
    (void)snprintf(pair->programs, sizeof pair->programs, "/tmp/jtiguard-recipe.XXXXXX");
    assert_non_null(mkdtemp(pair->programs));
    assert_int_equal(chmod(pair->programs, 0755), 0);
    name_program(pair, name);
    const char *const words[] = {EXAMPLE_FORKING_SERVER, name, NULL};
    run_program(&run, "/bin/cp", words, "", 0);
    assert_int_equal(run.exit_code, 0);
    tool_run_clear(&run);
}

static void tear_down(struct pair *pair)
{
    char name[64];
    name_program(pair, name);
    (void)unlink(name);
    (void)rmdir(pair->programs);
    place_end(&pair->lines.place);
}

static void set_up(struct pair *pair, void (*start)(struct pair *pair, unsigned side))
{
    struct place *place = &pair->lines.place;
    memset(pair, 0, sizeof *pair);
    pair->start = start;
    place_init_for(place, geteuid() == 0 ? NOBODY : NULL);
    copy_program(pair);
    for (unsigned i = 0; i < SIDES; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "side%u", i);
        assert_int_equal(mkdir(place_path(place, name), 0777), 0);
        assert_int_equal(chmod(place_path(place, name), 0777), 0); /* for a server of any user */
        (void)snprintf(pair->doors[i], sizeof pair->doors[i], "%s/%s/door", place->folder, name);
    }
    for (unsigned i = 0; i < CROWD_SHOWN; i++)
        pair->lines.doors[i] = pair->doors[i % SIDES];
}

static bool is_served(void *context)
{
    struct pair *pair = context;
    int fd = http_connect_unix(pair->doors[0]);
    if (fd >= 0)
        (void)close(fd);
    return fd >= 0;
}

/* Those of the first side: of a container, the child of unshare is the server. */
static pid_t parent_of_workers(struct pair *pair)
{
    pid_t parent = pair->sides[0].pid;
    assert_true(wait_until(is_served, pair));
    if (pair->start == start_container)
        assert_int_equal(children_of(parent, &parent, 1), 1);
    return parent;
}

static void end_side(struct pair *pair, unsigned side)
{
    (void)process_stop(&pair->sides[side], SIGKILL);
    (void)unlink(pair->doors[side]); /* its workers may still be ending */
}

/* The one, the other, both. */
static void restart(struct pair *pair, struct crowd *crowd, unsigned time)
{
    for (unsigned side = 0; side < SIDES; side++)
        if (time != 1 - side)
            end_side(pair, side);
    for (unsigned side = 0; side < SIDES; side++)
        if (time != 1 - side)
            pair->start(pair, side);
    crowd_restarted(crowd, parent_of_workers(pair));
}

static void try_pair(struct pair *pair, struct crowd *crowd, const char *name)
{
    crowd_init(crowd, &lines_server, pair);
    for (unsigned side = 0; side < SIDES; side++)
        pair->start(pair, side);
    crowd_restarted(crowd, parent_of_workers(pair));
    crowd_show_new(crowd, TOKENS, 0);
    if (pair->start == start_container) /* each has processes 2, 3, 4 and 5 */
        assert_int_equal(crowd->spread, TOKENS * CROWD_SHOWN / SIDES);
    for (unsigned i = 0; i < RESTARTS; i++) {
        crowd_show_new(crowd, TOKENS, KILL_EVERY);
        restart(pair, crowd, i);
        crowd_show_all_again(crowd);
    }
    crowd_end(crowd, name);
    for (unsigned side = 0; side < SIDES; side++)
        end_side(pair, side);
    tear_down(pair);
}

static bool are_possible(void)
{
    struct tool_run run;
    const char *const words[] = {"--user", "--map-root-user", "--mount", "--pid",
                                 "--fork", "--mount-proc",    "true",    NULL};
    if (program_path("unshare") == NULL || program_path("setpriv") == NULL)
        return false;
    run_program(&run, program_path("unshare"), words, "", 0);
    bool possible = run.exit_code == 0;
    tool_run_clear(&run);
    return possible;
}

static void two_containers_are_one_guard(void **state)
{
    static struct crowd crowd;
    static struct pair pair;
    (void)state;
    if (!are_possible()) {
        print_message("no namespaces can be had\n");
        skip();
    }
    set_up(&pair, start_container);
    try_pair(&pair, &crowd, "two containers, 4 workers each");
}

static void a_user_of_the_group_shares_the_guard(void **state)
{
    static struct crowd crowd;
    static struct pair pair;
    (void)state;
    if (geteuid() != 0)
        return; /* only root can be somebody else */
    set_up(&pair, start_as_user);
    try_pair(&pair, &crowd, "two users, 4 workers each");
}

/* Whoever is not of the group admits nothing, rather than with a store of his own. */
static void a_stranger_is_refused(void **state)
{
    static struct pair pair;
    char line[64] = "";
    (void)state;
    if (geteuid() != 0)
        return; /* only root can be somebody else */
    set_up(&pair, start_as_stranger);
    pair.start(&pair, 0);
    assert_true(wait_until(is_served, &pair));
    int fd = http_connect_unix(pair.doors[0]);
    assert_true(http_send(fd, "once 0 0\n", 9));
    assert_in_range(recv(fd, line, sizeof line - 1, 0), 1, sizeof line - 1);
    assert_memory_equal(line, "store_unavailable ", 18);
    (void)close(fd);
    end_side(&pair, 0);
    tear_down(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_containers_are_one_guard),
        cmocka_unit_test(a_user_of_the_group_shares_the_guard),
        cmocka_unit_test(a_stranger_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
