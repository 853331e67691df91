/* SPDX-License-Identifier: Apache-2.0 */
#include "tokens/tls/tls_file.h"
#include "tokens/common/safe_file.h"

#include "core/alloc.h"

#include <errno.h>
#include <fcntl.h>
#include <jtiguard/status.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    NAME_MAX_BYTES = 240, /* with ".lock" below the 255 of a file system */
    MS_PER_S = 1000,
    NS_PER_MS = 1000000,
    POLL_LEAST_NS = 300000,
    POLL_MORE_NS = 700000
};

/* ---- its names ---- */

static char *name_beside(const char *name, const char *suffix)
{
    size_t size = strlen(name) + strlen(suffix) + 1;
    char *made = jtgi_alloc(size);
    if (made != NULL)
        (void)snprintf(made, size, "%s%s", name, suffix);
    return made;
}

/* "." and "/" have no name before the last slash. */
static char *folder_of(const char *path, const char *slash)
{
    if (slash == NULL)
        return jtgi_strdup(".");
    char *folder = jtgi_strdup(path);
    if (folder != NULL)
        folder[slash == path ? 1 : slash - path] = '\0';
    return folder;
}

jtg_status jtgi_tls_file_set(struct jtgi_tls_file *file, const char *path, jtg_error *err)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    if (strnlen(path, JTG_TLS_PATH_MAX_BYTES + 1) > JTG_TLS_PATH_MAX_BYTES ||
        strlen(name) > NAME_MAX_BYTES)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "path is too long");
    if (*name == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "path names no file");
    file->folder = folder_of(path, slash);
    file->name = jtgi_strdup(name);
    file->lock_name = name_beside(name, ".lock");
    file->new_name = name_beside(name, ".new");
    file->bad_name = name_beside(name, ".bad");
    if (file->folder == NULL || file->name == NULL || file->lock_name == NULL ||
        file->new_name == NULL || file->bad_name == NULL)
        return jtg_error_set(err, JTG_ERR_MEMORY, 0, "no memory for the names of the files");
    return JTG_OK;
}

void jtgi_tls_file_clear(struct jtgi_tls_file *file)
{
    jtgi_free(file->folder);
    jtgi_free(file->name);
    jtgi_free(file->lock_name);
    jtgi_free(file->new_name);
    jtgi_free(file->bad_name);
}

/* ---- its folder ---- */

/* Each missing part, for this user alone. path is changed and put back. */
static void make_folders(char *path)
{
    for (char *at = path + 1; *at != '\0'; at++)
        if (*at == '/') {
            *at = '\0';
            (void)mkdir(path, S_IRWXU);
            *at = '/';
        }
    (void)mkdir(path, S_IRWXU);
}

static int open_folder(const char *path)
{
    return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static jtg_status check_folder(int folder, jtg_error *err)
{
    struct stat about;
    if (fstat(folder, &about) != 0)
        return jtg_error_set(err, JTG_ERR_SYSTEM, errno, "the folder cannot be looked at");
    if (about.st_uid != geteuid() && about.st_uid != 0)
        return jtg_error_set(err, JTG_ERR_UNSAFE, 0, "the folder belongs to another user");
    if ((about.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return jtg_error_set(err, JTG_ERR_UNSAFE, 0,
                             "others than its owner may change the folder: chmod 0700");
    return JTG_OK;
}

jtg_status jtgi_tls_file_look(const struct jtgi_tls_file *file, struct jtgi_tls_hold *hold,
                              jtg_error *err)
{
    if (!jtgi_alloc_permitted()) {
        errno = EMFILE;
        return jtg_error_set(err, JTG_ERR_SYSTEM, errno, "the folder cannot be opened");
    }
    hold->folder = open_folder(file->folder);
    if (hold->folder < 0 && errno == ENOENT)
        return JTG_NOT_FOUND;
    if (hold->folder < 0)
        return jtg_error_set(err, JTG_ERR_SYSTEM, errno, "the folder cannot be opened");
    return check_folder(hold->folder, err);
}

static jtg_status open_or_make(const struct jtgi_tls_file *file, struct jtgi_tls_hold *hold,
                               jtg_error *err)
{
    jtg_status status = jtgi_tls_file_look(file, hold, err);
    if (status != JTG_NOT_FOUND)
        return status;
    make_folders(file->folder);
    status = jtgi_tls_file_look(file, hold, err);
    return status != JTG_NOT_FOUND
               ? status
               : jtg_error_set(err, JTG_ERR_SYSTEM, ENOENT, "the folder cannot be made");
}

/* ---- a file in it ---- */

/* O_NONBLOCK: a named pipe in its place must not hang the program. */
static int open_in(int folder, const char *name, int how)
{
    return openat(folder, name, how | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
                  S_IRUSR | S_IWUSR);
}

static jtg_status say_unopened(const char *what, jtg_error *err)
{
    if (errno == ELOOP)
        return jtg_error_set(err, JTG_ERR_UNSAFE, ELOOP, "%s is a symbolic link", what);
    if (errno == EISDIR || errno == ENXIO)
        return jtg_error_set(err, JTG_ERR_UNSAFE, errno, "%s is no regular file", what);
    return jtg_error_set(err, JTG_ERR_SYSTEM, errno, "%s cannot be opened", what);
}

static jtg_status check_file(int descriptor, const char *what, struct stat *about, jtg_error *err)
{
    if (fstat(descriptor, about) != 0)
        return jtg_error_set(err, JTG_ERR_SYSTEM, errno, "%s cannot be looked at", what);
    if (!S_ISREG(about->st_mode))
        return jtg_error_set(err, JTG_ERR_UNSAFE, 0, "%s is no regular file", what);
    if (about->st_uid != geteuid())
        return jtg_error_set(err, JTG_ERR_UNSAFE, 0, "%s belongs to another user", what);
    if ((about->st_mode & (S_IRWXG | S_IRWXO)) != 0)
        return jtg_error_set(err, JTG_ERR_UNSAFE, 0, "others than its owner may use %s: chmod 0600",
                             what);
    return JTG_OK;
}

static jtg_status read_whole(int descriptor, struct jtgi_tls_text *text, jtg_error *err)
{
    while (text->len < text->room) {
        ssize_t got = read(descriptor, text->bytes + text->len, text->room - text->len);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return jtg_error_set(err, JTG_ERR_SYSTEM, errno, "the file cannot be read");
        if (got == 0)
            break;
        text->len += (size_t)got;
    }
    return JTG_OK;
}

static jtg_status read_open(int descriptor, struct jtgi_tls_text *text, jtg_error *err)
{
    struct stat about;
    jtg_status status = check_file(descriptor, "the file", &about, err);
    if (status != JTG_OK)
        return status;
    if (about.st_size > JTG_TLS_FILE_MAX_BYTES)
        return JTG_ERR_PROTOCOL;
    if (about.st_size == 0)
        return JTG_OK;
    text->bytes = jtgi_alloc((size_t)about.st_size);
    if (text->bytes == NULL)
        return jtg_error_set(err, JTG_ERR_MEMORY, 0, "no memory for the file");
    text->room = (size_t)about.st_size;
    return read_whole(descriptor, text, err);
}

jtg_status jtgi_tls_file_read(const struct jtgi_tls_file *file, const struct jtgi_tls_hold *hold,
                              struct jtgi_tls_text *text, jtg_error *err)
{
    int descriptor = open_in(hold->folder, file->name, O_RDONLY);
    if (descriptor < 0)
        return errno == ENOENT ? JTG_NOT_FOUND : say_unopened("the file", err);
    jtg_status status = read_open(descriptor, text, err);
    (void)close(descriptor);
    return status;
}

/* ---- the lock ---- */

static int64_t now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * MS_PER_S * NS_PER_MS + now.tv_nsec;
}

/* flock() has no limit of time. The pauses differ, so that nobody stays behind for long. */
static jtg_status wait_for_lock(int lock, int64_t until_ns, jtg_error *err)
{
    while (flock(lock, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return jtg_error_set(err, JTG_ERR_SYSTEM, errno, "the lock file cannot be locked");
        if (now_ns() >= until_ns)
            return jtg_error_set(err, JTG_ERR_UNAVAILABLE, 0, "another process has the file");
        const struct timespec pause = {0, POLL_LEAST_NS + randombytes_uniform(POLL_MORE_NS)};
        (void)nanosleep(&pause, NULL);
    }
    return JTG_OK;
}

/* Somebody may have removed it while we waited, and another locked a new one. */
static bool is_still_there(const struct jtgi_tls_file *file, const struct jtgi_tls_hold *hold)
{
    struct stat ours;
    struct stat there;
    return fstat(hold->lock, &ours) == 0 &&
           fstatat(hold->folder, file->lock_name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
           ours.st_ino == there.st_ino && ours.st_dev == there.st_dev;
}

/* A copy of the descriptor in a child that was forked meanwhile holds the lock as well: it is given
 * back before it is closed. */
static void unlock(struct jtgi_tls_hold *hold)
{
    if (hold->lock < 0)
        return;
    (void)flock(hold->lock, LOCK_UN);
    (void)close(hold->lock);
    hold->lock = -1;
}

static jtg_status lock_once(const struct jtgi_tls_file *file, int64_t until_ns,
                            struct jtgi_tls_hold *hold, jtg_error *err)
{
    struct stat about;
    hold->lock = open_in(hold->folder, file->lock_name, O_RDWR | O_CREAT);
    if (hold->lock < 0)
        return say_unopened("the lock file", err);
    jtg_status status = check_file(hold->lock, "the lock file", &about, err);
    return status == JTG_OK ? wait_for_lock(hold->lock, until_ns, err) : status;
}

jtg_status jtgi_tls_file_lock(const struct jtgi_tls_file *file, uint32_t wait_ms,
                              struct jtgi_tls_hold *hold, jtg_error *err)
{
    int64_t until_ns = now_ns() + (int64_t)wait_ms * NS_PER_MS;
    jtg_status status = open_or_make(file, hold, err);
    if (status == JTG_OK)
        status = lock_once(file, until_ns, hold, err);
    while (status == JTG_OK && !is_still_there(file, hold)) {
        unlock(hold);
        if (now_ns() >= until_ns)
            return jtg_error_set(err, JTG_ERR_UNAVAILABLE, 0, "the lock file is taken away");
        status = lock_once(file, until_ns, hold, err);
    }
    return status;
}

void jtgi_tls_file_release(struct jtgi_tls_hold *hold)
{
    unlock(hold);
    if (hold->folder >= 0)
        (void)close(hold->folder);
    hold->folder = -1;
}

/* ---- writing ---- */

/* A second name for the same file, so that NAME is never missing; where the file system has no such
 * thing, it is moved. */
jtg_status jtgi_tls_file_set_aside(const struct jtgi_tls_file *file,
                                   const struct jtgi_tls_hold *hold, jtg_error *err)
{
    int folder = hold->folder;
    (void)unlinkat(folder, file->bad_name, 0);
    if (linkat(folder, file->name, folder, file->bad_name, 0) == 0 ||
        renameat(folder, file->name, folder, file->bad_name) == 0)
        return JTG_OK;
    return jtg_error_set(err, JTG_ERR_SYSTEM, errno,
                         "the file is none of ours, and cannot be put aside");
}

jtg_status jtgi_tls_file_replace(const struct jtgi_tls_file *file, const struct jtgi_tls_hold *hold,
                                 const struct jtgi_tls_text *text, bool *moved, jtg_error *err)
{
    *moved = false;
    jtg_status status =
        jtgi_safe_file_write_at(hold->folder, file->new_name, text->bytes, text->len, err);
    if (status != JTG_OK)
        return status;
    if (!is_still_there(file, hold)) {
        (void)unlinkat(hold->folder, file->new_name, 0);
        return jtg_error_set(err, JTG_ERR_UNAVAILABLE, 0, "the lock file was taken away");
    }
    return jtgi_safe_file_move_at(hold->folder, file->new_name, file->name, moved, err);
}
