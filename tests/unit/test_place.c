/* SPDX-License-Identifier: Apache-2.0 */
/* A place among the processes of a store: who lives is known whatever becomes of him, and nobody
 * who lives is taken for dead. */
#include "host/place.h"
#include "support/asserts.h"
#include "table/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FIRST_BYTE = 64, FILE_BYTES = 1 << 20, WAIT_MS = 20, LOOKS_MAX = 1000000, SKIPPED = 77 };

/* A store's file as far as places are concerned. */
static struct {
    char path[64];
    struct jtgi_places places;
} file;

static int make_file(void **state)
{
    (void)state;
    (void)snprintf(file.path, sizeof file.path, "/dev/shm/jtiguard-place.XXXXXX");
    int fd = mkstemp(file.path);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, FILE_BYTES), 0);
    void *map = mmap(NULL, FILE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    assert_ptr_not_equal(map, MAP_FAILED);
    file.places = (struct jtgi_places){fd, file.path, FIRST_BYTE, map};
    return 0;
}

static int remove_file(void **state)
{
    (void)state;
    assert_int_equal(munmap(file.places.records, FILE_BYTES), 0);
    assert_int_equal(close(file.places.fd), 0);
    assert_int_equal(unlink(file.path), 0);
    return 0;
}

static struct jtgi_place *take(void)
{
    struct jtgi_place *place = NULL;
    jtg_error err;
    assert_status(jtgi_place_take(&place, &file.places, WAIT_MS, &err), JTG_OK);
    assert_status(jtgi_place_settle(place, &err), JTG_OK);
    return place;
}

/* ---- another process ---- */

struct other {
    pid_t pid;
    uint32_t word;
    int said[2]; /* it tells its word here */
    int told[2]; /* and goes on when it is told to */
};

static void tell(int fd, const void *data, size_t size)
{
    if (write(fd, data, size) != (ssize_t)size)
        _exit(2);
}

static void hear(int fd, void *data, size_t size)
{
    if (read(fd, data, size) != (ssize_t)size)
        _exit(3);
}

/* It has a place, and waits for a byte with its descriptors as they are. */
static struct other start_other(void)
{
    struct other other;
    assert_int_equal(pipe2(other.said, O_CLOEXEC), 0);
    assert_int_equal(pipe2(other.told, O_CLOEXEC), 0);
    other.pid = fork();
    assert_true(other.pid >= 0);
    if (other.pid == 0) {
        char go;
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        struct jtgi_place *place = take();
        uint32_t word = jtgi_place_word(place);
        tell(other.said[1], &word, sizeof word);
        hear(other.told[0], &go, sizeof go);
        if (go == 'x')
            (void)execlp("sleep", "sleep", "600", (char *)NULL);
        if (go == 'f' && fork() == 0)
            for (;;)
                (void)pause();
        tell(other.said[1], &go, sizeof go);
        for (;;)
            (void)pause();
    }
    hear(other.said[0], &other.word, sizeof other.word);
    return other;
}

static void end_other(struct other *other)
{
    if (other->pid > 0) {
        assert_int_equal(kill(other->pid, SIGKILL), 0);
        assert_int_equal(waitpid(other->pid, NULL, 0), other->pid);
    }
    other->pid = 0;
    for (int i = 0; i < 2; i++) {
        (void)close(other->said[i]);
        (void)close(other->told[i]);
    }
}

/* A death is known when the memory is gone, which is before anybody can wait for it. */
static void assert_dies(struct jtgi_place *mine, struct other *other)
{
    uint32_t word = other->word;
    assert_false(jtgi_place_is_dead(mine, word));
    end_other(other);
    assert_true(jtgi_place_is_dead(mine, word));
}

/* ---- who lives ---- */

static void the_first_is_alone(void **state)
{
    struct jtgi_place *mine = NULL;
    jtg_error err;
    (void)state;
    assert_status(jtgi_place_take(&mine, &file.places, WAIT_MS, &err), JTG_OK);
    assert_true(jtgi_place_is_alone(mine));
    assert_false(jtgi_place_is_dead(mine, jtgi_place_word(mine)));
    assert_true(jtgi_place_is_dead(mine, jtgi_lock_word(2, 9)));
    assert_status(jtgi_place_settle(mine, &err), JTG_OK);
    assert_false(jtgi_place_is_alone(mine));
    assert_int_equal(jtgi_place_count(mine, NULL, NULL), 1);
    jtgi_place_free(mine, false);
}

static void nobody_comes_in_while_one_is_alone(void **state)
{
    struct jtgi_place *first = NULL;
    struct jtgi_place *second = NULL;
    jtg_error err;
    (void)state;
    assert_status(jtgi_place_take(&first, &file.places, WAIT_MS, &err), JTG_OK);
    assert_status(jtgi_place_take(&second, &file.places, WAIT_MS, &err), JTG_ERR_FULL);
    assert_null(second);
    assert_status(jtgi_place_settle(first, &err), JTG_OK);
    assert_status(jtgi_place_take(&second, &file.places, WAIT_MS, &err), JTG_OK);
    assert_false(jtgi_place_is_alone(second));
    assert_status(jtgi_place_settle(second, &err), JTG_OK);
    assert_int_not_equal(jtgi_lock_place(jtgi_place_word(first)),
                         jtgi_lock_place(jtgi_place_word(second)));
    jtgi_place_free(first, false);
    jtgi_place_free(second, false);
}

static void a_killed_one_is_dead(void **state)
{
    struct jtgi_place *mine = take();
    struct other other = start_other();
    (void)state;
    assert_int_equal(jtgi_place_count(mine, NULL, NULL), 2);
    assert_dies(mine, &other);
    assert_int_equal(jtgi_place_count(mine, NULL, NULL), 1);
    jtgi_place_free(mine, false);
}

static void a_stopped_one_lives(void **state)
{
    struct jtgi_place *mine = take();
    struct other other = start_other();
    int status;
    (void)state;
    assert_int_equal(kill(other.pid, SIGSTOP), 0);
    assert_int_equal(waitpid(other.pid, &status, WUNTRACED), other.pid);
    assert_dies(mine, &other);
    jtgi_place_free(mine, false);
}

/* Another program does not go on where this one was. */
static void one_that_executes_a_program_is_dead(void **state)
{
    struct jtgi_place *mine = take();
    struct other other = start_other();
    char rest;
    (void)state;
    tell(other.told[1], "x", 1);
    (void)close(other.said[1]);
    other.said[1] = -1;
    assert_int_equal(read(other.said[0], &rest, 1), 0); /* closed by the execution */
    /* The kernel lets go of the mapping only when the new program gets to run. */
    bool dead = false;
    for (unsigned look = 0; look < LOOKS_MAX && !dead; look++) {
        dead = jtgi_place_is_dead(mine, other.word);
        (void)sched_yield();
    }
    assert_true(dead);
    end_other(&other);
    jtgi_place_free(mine, false);
}

static void a_child_does_not_keep_its_parents_place(void **state)
{
    struct jtgi_place *mine = take();
    struct other other = start_other();
    char heard;
    (void)state;
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    tell(other.told[1], "f", 1);
    hear(other.said[0], &heard, 1);
    uint32_t word = other.word;
    assert_false(jtgi_place_is_dead(mine, word));
    pid_t parent = other.pid;
    assert_int_equal(kill(parent, SIGKILL), 0);
    assert_int_equal(waitpid(parent, NULL, 0), parent);
    other.pid = 0;
    assert_true(jtgi_place_is_dead(mine, word));
    end_other(&other);
    jtgi_place_free(mine, false);

    /* The grandchild is ours now. */
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
    FILE *children = fopen(path, "r");
    int child = 0;
    assert_non_null(children);
    while (fscanf(children, "%d", &child) == 1) { // NOLINT(cert-err34-c)
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(waitpid(child, NULL, 0), child);
    }
    (void)fclose(children);
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 0), 0);
}

/* ---- places are given again ---- */

static void the_next_in_a_place_is_another(void **state)
{
    struct jtgi_place *mine = take();
    struct other first = start_other();
    uint32_t word = first.word;
    (void)state;
    end_other(&first);
    struct other second = start_other();
    assert_int_equal(jtgi_lock_place(second.word), jtgi_lock_place(word));
    assert_int_not_equal(second.word, word);
    assert_true(jtgi_place_is_dead(mine, word));
    assert_false(jtgi_place_is_dead(mine, second.word));
    end_other(&second);
    jtgi_place_free(mine, false);
}

static void generations_go_round(void **state)
{
    (void)state;
    atomic_store(&file.places.records[0].generation, UINT32_MAX);
    struct jtgi_place *mine = take();
    struct jtgi_place *also_mine = take();
    assert_int_equal(jtgi_lock_generation(jtgi_place_word(mine)), 0);
    assert_int_not_equal(jtgi_place_word(mine), 0);
    assert_false(jtgi_place_is_dead(also_mine, jtgi_place_word(mine)));
    jtgi_place_free(also_mine, false);
    jtgi_place_free(mine, false);
}

static void what_is_no_place_is_not_dead(void **state)
{
    struct jtgi_place *mine = take();
    (void)state;
    assert_false(jtgi_place_is_dead(mine, jtgi_lock_word(0, 7)));
    assert_false(jtgi_place_is_dead(mine, jtgi_lock_word(JTGI_PLACES + 1, 7)));
    jtgi_place_free(mine, false);
}

static bool lock_bytes(uint64_t first, uint64_t count)
{
    struct flock lock = {.l_type = F_WRLCK, .l_start = (off_t)first, .l_len = (off_t)count};
    int fd = open(file.path, O_RDWR | O_CLOEXEC);
    return fd >= 0 && fcntl(fd, F_OFD_SETLK, &lock) == 0; /* open until the process ends */
}

/* As if as many processes as there are places used the store. */
static void one_too_many_is_refused(void **state)
{
    struct jtgi_place *mine = take();
    struct jtgi_place *last = NULL;
    struct jtgi_place *none = NULL;
    jtg_error err;
    char go = 'g';
    int ready[2];
    (void)state;
    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    pid_t crowd = fork();
    if (crowd == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (!lock_bytes(FIRST_BYTE + 1, JTGI_PLACES - 2))
            _exit(1);
        tell(ready[1], &go, 1);
        for (;;)
            (void)pause();
    }
    hear(ready[0], &go, 1);
    assert_status(jtgi_place_take(&last, &file.places, WAIT_MS, &err), JTG_OK);
    assert_int_equal(jtgi_lock_place(jtgi_place_word(last)), JTGI_PLACES);
    assert_status(jtgi_place_settle(last, &err), JTG_OK);
    assert_status(jtgi_place_take(&none, &file.places, WAIT_MS, &err), JTG_ERR_FULL);
    assert_int_equal(jtgi_place_count(mine, NULL, NULL), JTGI_PLACES);
    assert_int_equal(kill(crowd, SIGKILL), 0);
    assert_int_equal(waitpid(crowd, NULL, 0), crowd);
    (void)close(ready[0]);
    (void)close(ready[1]);
    jtgi_place_free(last, false);
    jtgi_place_free(mine, false);
}

/* ---- what programs do with descriptors ---- */

/* Another file under the number of our descriptor says that nobody holds anything. */
static void a_stolen_descriptor_does_not_say_dead(void **state)
{
    struct jtgi_place *mine = take();
    struct other other = start_other();
    int free_number = dup(file.places.fd);
    int stolen = free_number - 1; /* taken last, so it is the look's */
    struct stat ours;
    struct stat found;
    (void)state;
    assert_int_equal(close(free_number), 0);
    assert_int_equal(fstat(file.places.fd, &ours), 0);
    for (; stolen > file.places.fd; stolen--)
        if (fstat(stolen, &found) == 0 && found.st_ino == ours.st_ino)
            break;
    assert_true(stolen > file.places.fd);
    int nothing = open("/dev/shm", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    assert_true(nothing >= 0);
    assert_int_equal(dup2(nothing, stolen), stolen);
    assert_dies(mine, &other); /* it has opened another one by the path */

    /* And where the path is another file, it says nothing of anybody. */
    struct other next = start_other();
    uint32_t word = next.word;
    char aside[80];
    (void)snprintf(aside, sizeof aside, "%s.aside", file.path);
    assert_int_equal(rename(file.path, aside), 0);
    for (int fd = stolen + 1; fd < stolen + 32; fd++)
        if (fstat(fd, &found) == 0 && found.st_ino == ours.st_ino)
            assert_int_equal(dup2(nothing, fd), fd);
    end_other(&next);
    assert_false(jtgi_place_is_dead(mine, word));
    assert_int_equal(rename(aside, file.path), 0);
    assert_true(jtgi_place_is_dead(mine, word));
    jtgi_place_free(mine, false);
    assert_int_equal(fcntl(stolen, F_GETFD) >= 0, true); /* not ours, so not closed */
    (void)close(stolen);
    (void)close(nothing);
}

static void the_file_can_be_read_when_its_name_is_gone(void **state)
{
    struct jtgi_place *mine = take();
    char aside[80];
    char text[4] = "";
    (void)state;
    assert_int_equal(pwrite(file.places.fd, "here", 4, 0), 4);
    (void)snprintf(aside, sizeof aside, "%s.aside", file.path);
    assert_int_equal(rename(file.path, aside), 0);
    assert_true(jtgi_place_read(mine, text, sizeof text));
    assert_memory_equal(text, "here", 4);
    assert_int_equal(ftruncate(file.places.fd, 2), 0);
    assert_false(jtgi_place_read(mine, text, sizeof text));
    assert_int_equal(ftruncate(file.places.fd, FILE_BYTES), 0);
    assert_int_equal(rename(aside, file.path), 0);
    jtgi_place_free(mine, false);
}

static void a_place_can_be_freed_in_a_child(void **state)
{
    struct jtgi_place *mine = take();
    struct jtgi_place *other = take();
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        jtgi_place_free(mine, true);
        _exit(0);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_false(jtgi_place_is_dead(other, jtgi_place_word(mine)));
    jtgi_place_free(mine, false);
    jtgi_place_free(other, false);
}

/* ---- all at once ---- */

static void all_are_taken_only_when_nobody_is_there(void **state)
{
    struct jtgi_place *mine = take();
    struct jtgi_places places = file.places;
    (void)state;
    places.fd = open(file.path, O_RDWR | O_CLOEXEC);
    assert_true(places.fd >= 0);
    assert_false(jtgi_places_take_all(&places));
    jtgi_place_free(mine, false);
    assert_true(jtgi_places_take_all(&places));
    struct jtgi_place *none = NULL;
    jtg_error err;
    assert_status(jtgi_place_take(&none, &file.places, WAIT_MS, &err), JTG_ERR_FULL);
    assert_int_equal(close(places.fd), 0);
    jtgi_place_free(take(), false);
}

/* ---- where a mapping does not hold the lock ---- */

static bool make_overlay(char *folder, size_t size)
{
    char text[256];
    (void)snprintf(folder, size, "/dev/shm/jtiguard-overlay.XXXXXX");
    if (mkdtemp(folder) == NULL)
        return false;
    for (int i = 0; i < 4; i++) {
        static const char *const names[] = {"lower", "upper", "work", "merged"};
        (void)snprintf(text, sizeof text, "%s/%s", folder, names[i]);
        if (mkdir(text, 0700) != 0)
            return false;
    }
    (void)snprintf(text, sizeof text, "lowerdir=%s/lower,upperdir=%s/upper,workdir=%s/work", folder,
                   folder, folder);
    char merged[128];
    (void)snprintf(merged, sizeof merged, "%s/merged", folder);
    return mount("overlay", merged, "overlay", 0, text) == 0;
}

static int take_on_overlay(void)
{
    char folder[64];
    char path[128];
    struct jtgi_place *place = NULL;
    jtg_error err;
    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("none", "/dev/shm", "tmpfs", 0, NULL) != 0 || !make_overlay(folder, sizeof folder))
        return SKIPPED;
    (void)snprintf(path, sizeof path, "%s/merged/store", folder);
    struct jtgi_places places = file.places;
    places.fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    places.path = path;
    if (places.fd < 0 || ftruncate(places.fd, FILE_BYTES) != 0)
        return SKIPPED;
    if (jtgi_place_take(&place, &places, WAIT_MS, &err) != JTG_OK)
        return 1;
    jtg_status status = jtgi_place_settle(place, &err);
    jtgi_place_free(place, false);
    return status == JTG_ERR_UNSAFE ? 0 : 2;
}

/* Its close() gives the lock up while the mapping writes on. */
static void overlayfs_is_refused(void **state)
{
    int status = -1;
    (void)state;
    pid_t child = fork();
    if (child == 0)
        _exit(take_on_overlay());
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == SKIPPED)
        skip();
    assert_int_equal(WEXITSTATUS(status), 0);
}

#define ON_A_FILE(test) cmocka_unit_test_setup_teardown(test, make_file, remove_file)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_A_FILE(the_first_is_alone),
        ON_A_FILE(nobody_comes_in_while_one_is_alone),
        ON_A_FILE(a_killed_one_is_dead),
        ON_A_FILE(a_stopped_one_lives),
        ON_A_FILE(one_that_executes_a_program_is_dead),
        ON_A_FILE(a_child_does_not_keep_its_parents_place),
        ON_A_FILE(the_next_in_a_place_is_another),
        ON_A_FILE(generations_go_round),
        ON_A_FILE(what_is_no_place_is_not_dead),
        ON_A_FILE(one_too_many_is_refused),
        ON_A_FILE(a_stolen_descriptor_does_not_say_dead),
        ON_A_FILE(the_file_can_be_read_when_its_name_is_gone),
        ON_A_FILE(a_place_can_be_freed_in_a_child),
        ON_A_FILE(all_are_taken_only_when_nobody_is_there),
        ON_A_FILE(overlayfs_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
