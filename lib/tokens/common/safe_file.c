/* SPDX-License-Identifier: Apache-2.0 */
#include "tokens/common/safe_file.h"

#include "core/alloc.h"

#include <errno.h>
#include <fcntl.h>
#include <jtiguard/status.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char suffix[] = ".XXXXXX";

/* folder/.name.XXXXXX beside folder/name, so that the rename stays within one file system; *name_at
 * is where the name begins. */
static char *temporary_beside(const char *path, size_t *name_at)
{
    const char *slash = strrchr(path, '/');
    size_t folder_len = slash != NULL ? (size_t)(slash - path) + 1 : 0;
    size_t size = strlen(path) + 1 + sizeof suffix;
    char *made = jtgi_alloc(size);
    if (made != NULL)
        (void)snprintf(made, size, "%.*s.%s%s", (int)folder_len, path, path + folder_len, suffix);
    *name_at = folder_len;
    return made;
}

static bool write_all(int descriptor, const unsigned char *content, size_t len)
{
    while (len > 0) {
        ssize_t put = write(descriptor, content, len);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return false;
        content += put;
        len -= (size_t)put;
    }
    return true;
}

/* The rename itself is on the disk only when its folder is. */
static bool sync_folder(char *temporary, size_t name_at)
{
    char after = temporary[name_at];
    temporary[name_at] = '\0';
    int descriptor = open(name_at != 0 ? temporary : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    temporary[name_at] = after;
    if (descriptor < 0)
        return false;
    bool good = fsync(descriptor) == 0;
    (void)close(descriptor);
    return good;
}

/* What was opened is closed; false keeps the first cause in errno. */
static bool write_and_close(int descriptor, const void *content, size_t content_len)
{
    bool good = write_all(descriptor, content, content_len) && fsync(descriptor) == 0;
    int cause = errno;
    if (close(descriptor) != 0 && good) {
        good = false;
        cause = errno;
    }
    errno = cause;
    return good;
}

static bool write_temporary(char *temporary, const void *content, size_t content_len)
{
    int descriptor = mkostemp(temporary, O_CLOEXEC); /* O_EXCL, mode 0600 */
    if (descriptor < 0)
        return false;
    if (write_and_close(descriptor, content, content_len))
        return true;
    int cause = errno;
    (void)unlink(temporary);
    errno = cause;
    return false;
}

jtg_status jtgi_safe_file_write(const char *path, const void *content, size_t content_len,
                                jtg_error *err)
{
    size_t name_at = 0;
    char *temporary = temporary_beside(path, &name_at);
    if (temporary == NULL)
        return jtg_error_set(err, JTG_ERR_MEMORY, 0, "no memory for the name of a file");
    jtg_status status = JTG_OK;
    if (!write_temporary(temporary, content, content_len)) {
        status = jtg_error_set(err, JTG_ERR_SYSTEM, errno, "a file cannot be written");
    } else if (rename(temporary, path) != 0) {
        status = jtg_error_set(err, JTG_ERR_SYSTEM, errno, "a file cannot be replaced");
        (void)unlink(temporary);
    } else if (!sync_folder(temporary, name_at)) {
        status = jtg_error_set(err, JTG_ERR_SYSTEM, errno, "a folder cannot be written");
    }
    jtgi_free(temporary);
    return status;
}

static bool create_at(int folder, const char *name, const void *content, size_t content_len)
{
    static const int how = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    if (unlinkat(folder, name, 0) != 0 && errno != ENOENT)
        return false;
    int descriptor = openat(folder, name, how, S_IRUSR | S_IWUSR);
    if (descriptor < 0)
        return false;
    if (fchmod(descriptor, S_IRUSR | S_IWUSR) != 0) { /* a umask may have taken its owner's away */
        int cause = errno;
        (void)close(descriptor);
        errno = cause;
        return false;
    }
    return write_and_close(descriptor, content, content_len);
}

jtg_status jtgi_safe_file_write_at(int folder, const char *name, const void *content,
                                   size_t content_len, jtg_error *err)
{
    if (create_at(folder, name, content, content_len))
        return JTG_OK;
    jtg_status status = jtg_error_set(err, JTG_ERR_SYSTEM, errno, "a file cannot be written");
    (void)unlinkat(folder, name, 0);
    return status;
}

jtg_status jtgi_safe_file_move_at(int folder, const char *from, const char *to, bool *moved,
                                  jtg_error *err)
{
    *moved = renameat(folder, from, folder, to) == 0;
    if (!*moved) {
        jtg_status status = jtg_error_set(err, JTG_ERR_SYSTEM, errno, "a file cannot be replaced");
        (void)unlinkat(folder, from, 0);
        return status;
    }
    if (fsync(folder) != 0)
        return jtg_error_set(err, JTG_ERR_SYSTEM, errno, "a folder cannot be written");
    return JTG_OK;
}
