/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/line/password/password_file.h"

#include "core/alloc.h"
#include "core/secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <jtiguard/redis.h>
#include <jtiguard/status.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int open_file(const char *path, bool again)
{
    return open(path, O_RDONLY | O_CLOEXEC | (again ? O_NONBLOCK : 0));
}

/* *plain: it can be read again. Whoever can write the file could make us log in as they like. */
static jtg_status look_at(int fd, const char *what, bool *plain, jtg_error *err)
{
    struct stat facts;
    *plain = fstat(fd, &facts) == 0 && S_ISREG(facts.st_mode);
    return *plain ? jtgi_secret_file_check(&facts, false, what, err) : JTG_OK;
}

static ssize_t read_whole(int fd, char *buffer, size_t size)
{
    size_t len = 0;
    ssize_t got = 0;
    do {
        got = read(fd, buffer + len, size - len);
        len += got > 0 ? (size_t)got : 0;
    } while ((got > 0 && len < size) || (got < 0 && errno == EINTR));
    return got < 0 ? -1 : (ssize_t)len;
}

static jtg_status tell_unreadable(const char *what, int cause, jtg_error *err)
{
    return jtg_error_set(err, JTG_ERR_SYSTEM, cause, "redis: cannot read %s: %s", what,
                         strerror(cause));
}

static jtg_status take(char *buffer, size_t len, const char *what, char **password, jtg_error *err)
{
    if (len > 0 && buffer[len - 1] == '\n')
        len--;
    if (len > 0 && buffer[len - 1] == '\r')
        len--;
    if (len == 0 || len > JTG_REDIS_PASSWORD_MAX_BYTES || memchr(buffer, '\0', len) != NULL)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0,
                             "redis: %s holds no password of 1 … %d bytes", what,
                             JTG_REDIS_PASSWORD_MAX_BYTES);
    buffer[len] = '\0';
    *password = jtgi_strdup(buffer);
    return *password != NULL ? JTG_OK
                             : jtg_error_set(err, JTG_ERR_MEMORY, 0, "no memory for a password");
}

/* Not on the stack, which a caller's thread may have little of. */
static jtg_status read_and_take(int fd, const char *what, char **password, jtg_error *err)
{
    enum { BUFFER_BYTES = JTG_REDIS_PASSWORD_MAX_BYTES + 4 };
    char *buffer = jtgi_alloc(BUFFER_BYTES);
    if (buffer == NULL)
        return jtg_error_set(err, JTG_ERR_MEMORY, 0, "no memory for a password");
    ssize_t len = read_whole(fd, buffer, BUFFER_BYTES - 1);
    jtg_status status = len < 0 ? tell_unreadable(what, errno, err)
                                : take(buffer, (size_t)len, what, password, err);
    jtgi_free_wiped(buffer, BUFFER_BYTES);
    return status;
}

jtg_status jtgi_password_file_read(const char *path, const char *what, bool again, char **password,
                                   jtg_error *err)
{
    bool plain = false;
    int fd = open_file(path, again);
    *password = NULL;
    if (fd < 0)
        return tell_unreadable(what, errno, err);
    jtg_status status = look_at(fd, what, &plain, err);
    if (status == JTG_OK && (plain || !again))
        status = read_and_take(fd, what, password, err);
    (void)close(fd);
    return status;
}
