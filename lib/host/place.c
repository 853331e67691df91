/* SPDX-License-Identifier: Apache-2.0 */
/* Two descriptions of the file: one whose lock is ours and which only the mapping holds, and one
 * that holds no lock and looks at those of others. */
#include "host/place.h"

#include "core/alloc.h"
#include "core/clock.h"
#include "table/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { FIRST_DESCRIPTOR = 3, PAUSE_MS = 1, NS_PER_MS = 1000000 };

_Static_assert((int)JTGI_PLACES < (int)JTGI_LOCK_PLACE_MAX, "a place fits into a lock's word");

struct jtgi_place {
    struct jtgi_place_record *records; /* borrowed: in the mapped file */
    uint64_t first_byte;
    char *path;
    dev_t device;
    ino_t inode;
    atomic_int look; /* the description that holds no lock */
    atomic_bool has_left;
    int lock; /* until settle; then -1, and the mapping alone holds the description */
    void *page;
    size_t page_bytes;
    uint32_t number; /* 0 = none yet */
    uint32_t generation;
    bool alone;
};

/* ---- bytes of the file ---- */

static struct flock bytes_of(uint64_t first_byte, uint64_t count, short type)
{
    return (struct flock){
        .l_type = type, .l_whence = SEEK_SET, .l_start = (off_t)first_byte, .l_len = (off_t)count};
}

static bool set_lock(int fd, uint64_t first_byte, uint64_t count, short type)
{
    struct flock lock = bytes_of(first_byte, count, type);
    int done;
    do
        done = fcntl(fd, F_OFD_SETLK, &lock);
    while (done != 0 && errno == EINTR);
    return done == 0;
}

bool jtgi_places_take_all(const struct jtgi_places *places)
{
    return set_lock(places->fd, places->first_byte, JTGI_PLACES, F_WRLCK);
}

static uint64_t byte_of(const struct jtgi_place *place, uint32_t number)
{
    return place->first_byte + number - 1;
}

/* ---- the two descriptions ---- */

/* Not 0 to 2: programs put other files there without a look. */
static int out_of_the_way(int fd)
{
    if (fd < 0 || fd >= FIRST_DESCRIPTOR)
        return fd;
    int moved = fcntl(fd, F_DUPFD_CLOEXEC, FIRST_DESCRIPTOR);
    (void)close(fd);
    return moved;
}

/* A description of its own of an open file. */
static int open_again(int fd)
{
    char name[32];
    (void)snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    return out_of_the_way(open(name, O_RDWR | O_CLOEXEC));
}

static bool is_ours(const struct jtgi_place *place, int fd)
{
    struct stat about;
    return fd >= 0 && fstat(fd, &about) == 0 && about.st_dev == place->device &&
           about.st_ino == place->inode;
}

static int open_path(const char *path)
{
    return out_of_the_way(open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW));
}

/* A description of its own of the file, by its path, which is the shorter way; or where that leads
 * elsewhere, or nowhere yet, of the open one. */
static int open_ours(const struct jtgi_place *place, int open_one)
{
    int fd = open_path(place->path);
    if (is_ours(place, fd))
        return fd;
    if (fd >= 0)
        (void)close(fd);
    return open_again(open_one);
}

/* Of two threads that find it so, one keeps its file. */
static int open_look(struct jtgi_place *place, int gone)
{
    int fd = open_path(place->path);
    if (is_ours(place, fd) && atomic_compare_exchange_strong(&place->look, &gone, fd))
        return fd;
    if (fd >= 0)
        (void)close(fd);
    return atomic_load(&place->look);
}

/* A program that closes all descriptors, as daemons do, closes ours, and its next file gets the
 * number. That one is not ours to close. Whoever is cancelled meanwhile ends after it. */
static int look_again(struct jtgi_place *place, int gone)
{
    int cancel = 0;
    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
    int fd = open_look(place, gone);
    (void)pthread_setcancelstate(cancel, NULL);
    return fd;
}

static int looking(struct jtgi_place *place)
{
    if (atomic_load(&place->has_left))
        return -1;
    int fd = atomic_load(&place->look);
    return is_ours(place, fd) ? fd : look_again(place, fd);
}

enum held { HELD, NOT_HELD, HELD_UNKNOWN };

/* The descriptor is looked at behind the question: another file that has taken its number says of
 * every byte that nobody holds it. */
static enum held look_at(struct jtgi_place *place, uint32_t number)
{
    int fd = looking(place);
    struct flock lock = bytes_of(byte_of(place, number), 1, F_WRLCK);
    if (fd < 0 || fcntl(fd, F_OFD_GETLK, &lock) != 0 || !is_ours(place, fd))
        return HELD_UNKNOWN;
    return lock.l_type == F_UNLCK ? NOT_HELD : HELD;
}

/* ---- taking ---- */

/* Who takes all has the first. */
static bool take_one(struct jtgi_place *place)
{
    place->alone = set_lock(place->lock, place->first_byte, JTGI_PLACES, F_WRLCK);
    place->number = 1;
    if (place->alone)
        return true;
    for (; place->number <= JTGI_PLACES; place->number++)
        if (set_lock(place->lock, byte_of(place, place->number), 1, F_WRLCK))
            return true;
    place->number = 0;
    return false;
}

static bool take_within(struct jtgi_place *place, uint32_t wait_ms)
{
    const struct timespec pause = {.tv_nsec = (long)PAUSE_MS * NS_PER_MS};
    int64_t end = jtgi_clock_system_ms() + wait_ms;
    while (!take_one(place)) {
        if (jtgi_clock_system_ms() >= end)
            return false;
        (void)nanosleep(&pause, NULL);
    }
    return true;
}

/* What a predecessor has left in locks is a dead one's from here on. */
static void sign(struct jtgi_place *place)
{
    struct jtgi_place_record *record = &place->records[place->number - 1];
    char name[JTGI_PLACE_NAME_BYTES] = "";
    place->generation = atomic_fetch_add(&record->generation, 1) + 1;
    atomic_store(&record->pid, (uint32_t)getpid());
    (void)prctl(PR_GET_NAME, name);
    memcpy(record->name, name, sizeof name);
}

static bool open_both(struct jtgi_place *place, const struct jtgi_places *places)
{
    struct stat about;
    if (fstat(places->fd, &about) != 0)
        return false;
    place->device = about.st_dev;
    place->inode = about.st_ino;
    place->lock = open_ours(place, places->fd);
    atomic_store(&place->look, open_ours(place, places->fd));
    return place->lock >= 0 && atomic_load(&place->look) >= 0;
}

/* Not in a child: it would hold the parent's lock beyond the parent's end. */
static bool map_page(struct jtgi_place *place)
{
    place->page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    place->page = mmap(NULL, place->page_bytes, PROT_READ, MAP_SHARED, place->lock, 0);
    if (place->page == MAP_FAILED) {
        place->page = NULL;
        return false;
    }
    return madvise(place->page, place->page_bytes, MADV_DONTFORK) == 0;
}

static jtg_status set_up(struct jtgi_place *place, const struct jtgi_places *places,
                         uint32_t wait_ms, jtg_error *err)
{
    place->path = jtgi_strdup(places->path);
    if (place->path == NULL)
        return jtg_error_set(err, JTG_ERR_MEMORY, 0, "no memory for a place in the store");
    if (!open_both(place, places) || !map_page(place))
        return jtg_error_set(err, JTG_ERR_SYSTEM, errno, "the store's file cannot be locked");
    if (!take_within(place, wait_ms))
        return jtg_error_set(err, JTG_ERR_FULL, 0, "%d processes use the store", JTGI_PLACES);
    /* Looked at behind the lock: of another file that has taken the number nobody holds a byte, and
     * we would seem to be alone. */
    if (!is_ours(place, place->lock) || !is_ours(place, atomic_load(&place->look)))
        return jtg_error_set(err, JTG_ERR_SYSTEM, 0, "another thread has closed our descriptor");
    sign(place);
    return JTG_OK;
}

jtg_status jtgi_place_take(struct jtgi_place **taken, const struct jtgi_places *places,
                           uint32_t wait_ms, jtg_error *err)
{
    *taken = NULL;
    struct jtgi_place *place = jtgi_alloc(sizeof *place);
    if (place == NULL)
        return jtg_error_set(err, JTG_ERR_MEMORY, 0, "no memory for a place in the store");
    place->records = places->records;
    place->first_byte = places->first_byte;
    place->lock = -1;
    atomic_init(&place->look, -1);
    jtg_status status = set_up(place, places, wait_ms, err);
    if (status == JTG_OK)
        *taken = place;
    else
        jtgi_place_free(place, false);
    return status;
}

bool jtgi_place_is_alone(const struct jtgi_place *place)
{
    return place->alone;
}

jtg_status jtgi_place_settle(struct jtgi_place *place, jtg_error *err)
{
    bool opened = !place->alone || set_lock(place->lock, byte_of(place, place->number) + 1,
                                            (uint64_t)JTGI_PLACES - place->number, F_UNLCK);
    int failed = opened ? 0 : errno;
    place->alone = false;
    (void)close(place->lock);
    place->lock = -1;
    if (!opened)
        return jtg_error_set(err, JTG_ERR_SYSTEM, failed, "the store's file cannot be unlocked");
    if (look_at(place, place->number) != HELD)
        return jtg_error_set(err, JTG_ERR_UNSAFE, 0,
                             "on this file system a process that lives cannot be told from one "
                             "that has ended: the store must be on a tmpfs");
    return JTG_OK;
}

/* ---- asking ---- */

uint32_t jtgi_place_word(const struct jtgi_place *place)
{
    return jtgi_lock_word(place->number, place->generation);
}

/* Whoever has the place now signs after it has locked the byte: until then the word reads as if its
 * holder lived, and is asked about again. */
bool jtgi_place_is_dead(void *context, uint32_t word)
{
    struct jtgi_place *place = context;
    uint32_t number = jtgi_lock_place(word);
    if (number < 1 || number > JTGI_PLACES)
        return false;
    if (place->alone) /* all bytes are held by this process */
        return word != jtgi_place_word(place);
    enum held held = look_at(place, number);
    if (held == HELD_UNKNOWN)
        return false;
    uint32_t generation = atomic_load(&place->records[number - 1].generation);
    return held == NOT_HELD || jtgi_lock_word(number, generation) != word;
}

unsigned jtgi_place_count(struct jtgi_place *place,
                          void (*tell)(void *context, const struct jtgi_place_record *record),
                          void *context)
{
    unsigned count = 0;
    for (uint32_t number = 1; number <= JTGI_PLACES; number++) {
        if (look_at(place, number) != HELD)
            continue;
        count++;
        if (tell != NULL)
            tell(context, &place->records[number - 1]);
    }
    return count;
}

bool jtgi_place_read(struct jtgi_place *place, void *to, size_t bytes)
{
    int fd = looking(place);
    return fd >= 0 && pread(fd, to, bytes, 0) == (ssize_t)bytes && is_ours(place, fd);
}

static void let_go(struct jtgi_place *place, bool in_child)
{
    int look = atomic_exchange(&place->look, -1);
    if (is_ours(place, look))
        (void)close(look);
    if (is_ours(place, place->lock))
        (void)close(place->lock);
    place->lock = -1;
    if (place->page != NULL && !in_child)
        (void)munmap(place->page, place->page_bytes);
    place->page = NULL;
}

void jtgi_place_leave(struct jtgi_place *place)
{
    atomic_store(&place->has_left, true);
    let_go(place, false);
}

void jtgi_place_free(struct jtgi_place *place, bool in_child)
{
    if (place == NULL)
        return;
    let_go(place, in_child);
    jtgi_free(place->path);
    jtgi_free(place);
}
