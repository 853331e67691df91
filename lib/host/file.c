/* SPDX-License-Identifier: Apache-2.0 */
#include "host/file.h"

#include "core/alloc.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#ifndef RENAME_EXCHANGE
#define RENAME_EXCHANGE 2
#endif
#ifndef STATX_ATTR_MOUNT_ROOT
#define STATX_ATTR_MOUNT_ROOT 0x00002000
#endif

enum { NS_PER_S = 1000000000 };

static const mode_t mode_alone = S_IRUSR | S_IWUSR;
static const mode_t mode_group = S_IRUSR | S_IWUSR | S_IRGRP | S_IWGRP;

/* ---- the folder ---- */

static void name_folder(char folder[PATH_MAX], const char *path)
{
    (void)snprintf(folder, PATH_MAX, "%s", path);
    char *slash = strrchr(folder, '/');
    slash[slash == folder ? 1 : 0] = '\0';
}

static bool is_trusted(const struct jtgi_host_spot *spot, uid_t owner)
{
    return owner == geteuid() || owner == 0 || owner == spot->owner;
}

/* A sticky folder keeps a file for its owner, who is checked. */
static jtg_status check_folder(const struct jtgi_host_spot *spot, jtg_error *err)
{
    char folder[PATH_MAX];
    struct stat about;
    name_folder(folder, spot->path);
    if (stat(folder, &about) != 0)
        return jtg_error_set(err, JTG_ERR_UNAVAILABLE, errno, "host store: the folder %s: %s",
                             folder, strerror(errno));
    struct statfs system;
    if (statfs(folder, &system) != 0 || system.f_type != TMPFS_MAGIC)
        return jtg_error_set(err, JTG_ERR_UNSAFE, 0, "host store: %s is not on a tmpfs", folder);
    if (!is_trusted(spot, about.st_uid))
        return jtg_error_set(err, JTG_ERR_UNSAFE, 0,
                             "host store: the folder %s belongs to another user", folder);
    if ((about.st_mode & S_IWOTH) != 0 && (about.st_mode & S_ISVTX) == 0)
        return jtg_error_set(err, JTG_ERR_UNSAFE, 0,
                             "host store: everybody may change the folder %s", folder);
    return JTG_OK;
}

/* ---- what stands at the path ---- */

/* Who writes to a file changes both times, also through a mapping; who gives it another name, or
 * another mode, the second alone. So a file that was moved away and back tells it to whoever opens
 * it, as long as nobody has written to it since. */
static bool is_moved(const struct stat *about)
{
    return about->st_ctim.tv_sec != about->st_mtim.tv_sec ||
           about->st_ctim.tv_nsec != about->st_mtim.tv_nsec;
}

static int64_t moved_ns(const struct stat *about)
{
    return is_moved(about) ? about->st_ctim.tv_sec * NS_PER_S + about->st_ctim.tv_nsec : 0;
}

static jtg_status read_facts(struct jtgi_host_file *file, struct statx *about, jtg_error *err)
{
    if (statx(file->descriptor, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_BTIME, about) != 0)
        return jtg_error_set(err, JTG_ERR_SYSTEM, errno, "host store: statx: %s", strerror(errno));
    struct stat plain;
    if (fstat(file->descriptor, &plain) != 0)
        return jtg_error_set(err, JTG_ERR_SYSTEM, errno, "host store: fstat: %s", strerror(errno));
    file->device = plain.st_dev;
    file->moved_ns = moved_ns(&plain);
    file->facts.bytes = about->stx_size;
    file->facts.inode = about->stx_ino;
    file->facts.born_ns = (about->stx_mask & STATX_BTIME) == 0
                              ? 0
                              : about->stx_btime.tv_sec * NS_PER_S + about->stx_btime.tv_nsec;
    return JTG_OK;
}

/* The kernel drops the lock that says who lives when the descriptor is closed on some other file
 * systems, and a network's is another kernel's. */
static jtg_status check_is_tmpfs(int descriptor, const char *path, jtg_error *err)
{
    struct statfs system;
    if (fstatfs(descriptor, &system) != 0 || system.f_type != TMPFS_MAGIC)
        return jtg_error_set(err, JTG_ERR_UNSAFE, 0, "host store: %s is not on a tmpfs", path);
    return JTG_OK;
}

static const char *why_unsafe(const struct jtgi_host_spot *spot, const struct statx *about)
{
    if (!S_ISREG(about->stx_mode))
        return "is no regular file";
    if ((about->stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0)
        return "is mounted by itself and stays the same file for ever: mount its folder";
    if (!is_trusted(spot, about->stx_uid))
        return "belongs to another user";
    if ((about->stx_mode & S_IRWXO) != 0)
        return "is open to everybody";
    if ((about->stx_mode & S_IRWXG) != 0 && spot->group != (gid_t)-1 &&
        about->stx_gid != spot->group)
        return "is open to another group";
    if (about->stx_nlink > 1)
        return "has a second name";
    return NULL;
}

static jtg_status say_unopened(const struct jtgi_host_spot *spot, jtg_error *err)
{
    if (errno == ENOENT)
        return JTG_NOT_FOUND;
    if (errno == ELOOP || errno == EISDIR || errno == ENXIO)
        return jtg_error_set(err, JTG_ERR_UNSAFE, errno, "host store: %s is no regular file",
                             spot->path);
    return jtg_error_set(err, JTG_ERR_UNAVAILABLE, errno, "host store: %s: %s", spot->path,
                         strerror(errno));
}

static jtg_status check_file(struct jtgi_host_file *file, const struct jtgi_host_spot *spot,
                             jtg_error *err)
{
    struct statx about;
    jtg_status status = read_facts(file, &about, err);
    if (status != JTG_OK)
        return status;
    const char *unsafe = why_unsafe(spot, &about);
    if (unsafe != NULL)
        return jtg_error_set(err, JTG_ERR_UNSAFE, 0, "host store: %s %s", spot->path, unsafe);
    if (about.stx_nlink == 0)
        return JTG_NOT_FOUND; /* removed since it was opened */
    return check_is_tmpfs(file->descriptor, spot->path, err);
}

jtg_status jtgi_host_file_open(struct jtgi_host_file *file, const struct jtgi_host_spot *spot,
                               jtg_error *err)
{
    *file = (struct jtgi_host_file)JTGI_HOST_FILE_NONE;
    jtg_status status = check_folder(spot, err);
    if (status != JTG_OK)
        return status;
    errno = EMFILE;
    if (jtgi_alloc_permitted())
        file->descriptor =
            open(spot->path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (file->descriptor < 0)
        return say_unopened(spot, err);
    status = check_file(file, spot, err);
    if (status != JTG_OK)
        jtgi_host_file_close(file, false);
    return status;
}

/* What does not change of a header, which is what is judged: the whole is a hundred KiB, mostly of
 * places. */
struct fixed_part {
    _Alignas(
        struct jtgi_host_header) unsigned char bytes[offsetof(struct jtgi_host_header, since_ms)];
};

/* A part of that is none: what is behind the end reads as zero. */
jtg_status jtgi_host_file_judge(const struct jtgi_host_file *file,
                                const struct jtgi_host_identity *identity, const char **wrong,
                                jtg_error *err)
{
    struct fixed_part part = {{0}};
    const struct jtgi_host_header *header = (const void *)&part;
    ssize_t got = pread(file->descriptor, &part, sizeof part, 0);
    bool is_foreign = got > 0 && !jtgi_host_header_is_ours(header);
    *wrong = jtgi_host_header_judge(header, &file->facts, identity);
    if (got < 0)
        return jtg_error_set(err, JTG_ERR_SYSTEM, errno, "host store: %s", strerror(errno));
    return is_foreign ? jtg_error_set(err, JTG_ERR_UNSAFE, 0,
                                      "host store: the file at its path is something else")
                      : JTG_OK;
}

/* DONTFORK: a child that kept the mapping would keep the parent's lock, and with it its life. */
jtg_status jtgi_host_file_map(struct jtgi_host_file *file, jtg_error *err)
{
    if (!jtgi_alloc_permitted())
        return jtg_error_set(err, JTG_ERR_MEMORY, ENOMEM, "host store: it cannot be mapped");
    void *memory =
        mmap(NULL, file->facts.bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file->descriptor, 0);
    if (memory == MAP_FAILED)
        return jtg_error_set(err, JTG_ERR_MEMORY, errno, "host store: it cannot be mapped");
    if (madvise(memory, file->facts.bytes, MADV_DONTFORK) != 0) {
        (void)munmap(memory, file->facts.bytes);
        return jtg_error_set(err, JTG_ERR_SYSTEM, errno, "host store: MADV_DONTFORK: %s",
                             strerror(errno));
    }
    file->header = memory;
    return JTG_OK;
}

/* ---- making ---- */

static jtg_status open_unnamed(struct jtgi_host_file *file, const struct jtgi_host_spot *spot,
                               jtg_error *err)
{
    char folder[PATH_MAX];
    name_folder(folder, spot->path);
    errno = EMFILE;
    if (jtgi_alloc_permitted())
        file->descriptor = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, mode_alone);
    if (file->descriptor >= 0)
        return check_is_tmpfs(file->descriptor, folder, err);
    if (errno == EOPNOTSUPP || errno == EISDIR)
        return jtg_error_set(err, JTG_ERR_UNSAFE, errno, "host store: %s is not on a tmpfs",
                             folder);
    return jtg_error_set(err, JTG_ERR_UNAVAILABLE, errno, "host store: the folder %s: %s", folder,
                         strerror(errno));
}

static jtg_status set_owner(const struct jtgi_host_file *file, const struct jtgi_host_spot *spot,
                            jtg_error *err)
{
    uid_t owner = geteuid() == 0 ? spot->owner : (uid_t)-1;
    bool has_group = spot->group != (gid_t)-1;
    if ((owner != (uid_t)-1 || has_group) && fchown(file->descriptor, owner, spot->group) != 0)
        return jtg_error_set(err, JTG_ERR_UNAVAILABLE, errno, "host store: its owner or group: %s",
                             strerror(errno));
    if (fchmod(file->descriptor, has_group ? mode_group : mode_alone) != 0)
        return jtg_error_set(err, JTG_ERR_SYSTEM, errno, "host store: its mode: %s",
                             strerror(errno));
    return JTG_OK;
}

/* What is interrupted begins anew: a program that is profiled gets a signal each few milliseconds.
 */
static int reserve_piece(int descriptor, uint64_t at, uint64_t bytes)
{
    int error = EINTR;
    while (error == EINTR)
        error = posix_fallocate(descriptor, (off_t)at, (off_t)bytes);
    return error;
}

/* Before anything is reserved: what is taken piece by piece would fill the tmpfs first, and with it
 * the memory of the machine. */
static int check_room(int descriptor, uint64_t bytes)
{
    struct statvfs room;
    if (fstatvfs(descriptor, &room) != 0)
        return errno;
    return room.f_blocks != 0 && bytes / room.f_frsize >= room.f_bavail ? ENOSPC : 0;
}

/* All of it now, so that a full tmpfs is an answer here, and no signal in a later call. */
static jtg_status reserve_memory(const struct jtgi_host_file *file, uint64_t bytes, jtg_error *err)
{
    const uint64_t piece = UINT64_C(1) << 20;
    int error = check_room(file->descriptor, bytes);
    for (uint64_t at = 0; at < bytes && error == 0; at += piece)
        error = reserve_piece(file->descriptor, at, bytes - at < piece ? bytes - at : piece);
    if (error == 0)
        return JTG_OK;
    return jtg_error_set(err, JTG_ERR_MEMORY, error, "host store: no room for %llu bytes: %s",
                         (unsigned long long)bytes, strerror(error));
}

static jtg_status fill_unnamed(struct jtgi_host_file *file, const struct jtgi_host_spot *spot,
                               uint64_t bytes, const struct jtgi_host_identity *identity,
                               jtg_error *err)
{
    struct statx about;
    jtg_status status = open_unnamed(file, spot, err);
    if (status == JTG_OK)
        status = set_owner(file, spot, err);
    if (status == JTG_OK)
        status = reserve_memory(file, bytes, err);
    if (status == JTG_OK)
        status = read_facts(file, &about, err);
    if (status == JTG_OK)
        status = jtgi_host_file_map(file, err);
    if (status == JTG_OK)
        jtgi_host_header_fill(file->header, &file->facts, identity);
    return status;
}

jtg_status jtgi_host_file_make(struct jtgi_host_file *file, const struct jtgi_host_spot *spot,
                               uint64_t bytes, const struct jtgi_host_identity *identity,
                               jtg_error *err)
{
    *file = (struct jtgi_host_file)JTGI_HOST_FILE_NONE;
    jtg_status status = check_folder(spot, err);
    if (status == JTG_OK)
        status = fill_unnamed(file, spot, bytes, identity, err);
    if (status != JTG_OK)
        jtgi_host_file_close(file, false);
    return status;
}

static bool link_as(const struct jtgi_host_file *file, const char *path)
{
    char itself[64];
    (void)snprintf(itself, sizeof itself, "/proc/self/fd/%d", file->descriptor);
    return linkat(AT_FDCWD, itself, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0;
}

static jtg_status say_unlinked(jtg_error *err)
{
    return jtg_error_set(err, JTG_ERR_SYSTEM, errno, "host store: it cannot be named: %s",
                         strerror(errno));
}

jtg_status jtgi_host_file_link(const struct jtgi_host_file *file, const struct jtgi_host_spot *spot,
                               jtg_error *err)
{
    if (link_as(file, spot->path))
        return JTG_OK;
    return errno == EEXIST ? JTG_MISMATCH : say_unlinked(err);
}

static bool name_other(char other[PATH_MAX], const char *path)
{
    int length = snprintf(other, PATH_MAX, "%s" JTGI_HOST_OTHER_NAME, path);
    return length > 0 && length < PATH_MAX;
}

/* There is no link that replaces, so it has another name for a moment. One of that name was left by
 * a process that died here. */
static jtg_status replace(const struct jtgi_host_file *file, const char *path, unsigned how,
                          jtg_error *err)
{
    char other[PATH_MAX];
    if (!name_other(other, path))
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "host store: its path is too long");
    (void)unlink(other);
    if (link_as(file, other) && syscall(SYS_renameat2, AT_FDCWD, other, AT_FDCWD, path, how) == 0)
        return JTG_OK;
    jtg_status status = say_unlinked(err);
    (void)unlink(other);
    return status;
}

jtg_status jtgi_host_file_supplant(const struct jtgi_host_file *file,
                                   const struct jtgi_host_spot *spot, jtg_error *err)
{
    return replace(file, spot->path, 0, err);
}

jtg_status jtgi_host_file_exchange(const struct jtgi_host_file *file, const char *path,
                                   jtg_error *err)
{
    return replace(file, path, RENAME_EXCHANGE, err);
}

bool jtgi_host_file_was_exchanged(const struct jtgi_host_file *file, const char *path,
                                  uint64_t inode)
{
    char other[PATH_MAX];
    struct stat about;
    return name_other(other, path) && stat(other, &about) == 0 && about.st_dev == file->device &&
           (uint64_t)about.st_ino == inode;
}

void jtgi_host_file_remove_exchanged(const char *path)
{
    char other[PATH_MAX];
    if (name_other(other, path))
        (void)unlink(other);
}

/* ---- in use ---- */

enum jtgi_host_at_path jtgi_host_file_look(const struct jtgi_host_file *file, const char *path)
{
    struct stat about;
    if (stat(path, &about) != 0)
        return errno == ENOENT ? JTGI_HOST_AT_PATH_OTHER : JTGI_HOST_AT_PATH_UNSEEN;
    if (about.st_dev != file->device || (uint64_t)about.st_ino != file->facts.inode)
        return JTGI_HOST_AT_PATH_OTHER;
    bool was_left = file->header != NULL && atomic_load(&file->header->left) != 0;
    return was_left || is_moved(&about) ? JTGI_HOST_AT_PATH_BACK : JTGI_HOST_AT_PATH_SAME;
}

void jtgi_host_file_stay(const struct jtgi_host_file *file)
{
    atomic_store(&file->header->left, 0);
    jtgi_host_file_forget_move(file);
}

void jtgi_host_file_forget_move(const struct jtgi_host_file *file)
{
    (void)futimens(file->descriptor, NULL);
}

/* The kernel writes a number that is not 0, and answers EFAULT where to write it ourselves would be
 * a signal. */
void jtgi_host_file_leave(const struct jtgi_host_file *file)
{
    (void)syscall(SYS_getrandom, &file->header->left, sizeof file->header->left, 0);
}

void jtgi_host_file_close_descriptor(struct jtgi_host_file *file)
{
    if (file->descriptor >= 0)
        (void)close(file->descriptor);
    file->descriptor = -1;
}

void jtgi_host_file_close(struct jtgi_host_file *file, bool in_child)
{
    if (file->header != NULL && !in_child)
        (void)munmap(file->header, file->facts.bytes);
    jtgi_host_file_close_descriptor(file);
    *file = (struct jtgi_host_file)JTGI_HOST_FILE_NONE;
}
