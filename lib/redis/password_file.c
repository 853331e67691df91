/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/password_file.h"

#include "core/alloc.h"

#include <errno.h>
#include <fcntl.h>
#include <jtiguard/backend.h>
#include <jtiguard/redis.h>
#include <sodium.h>
#include <string.h>
#include <unistd.h>

static ssize_t read_whole(const char *path, char *buffer, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    size_t len = 0;
    ssize_t got = 0;
    do {
        got = read(fd, buffer + len, size - len);
        len += got > 0 ? (size_t)got : 0;
    } while ((got > 0 && len < size) || (got < 0 && errno == EINTR));
    int cause = errno;
    (void)close(fd);
    errno = cause;
    return got < 0 ? -1 : (ssize_t)len;
}

static jtg_status take(char *buffer, size_t len, const char *what, const char **password,
                       jtg_error *err)
{
    if (len > 0 && buffer[len - 1] == '\n')
        len--;
    if (len > 0 && buffer[len - 1] == '\r')
        len--;
    if (len == 0 || len > JTG_REDIS_TEXT_MAX_BYTES || memchr(buffer, '\0', len) != NULL)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0,
                             "redis: %s holds no password of 1 … %d bytes", what,
                             JTG_REDIS_TEXT_MAX_BYTES);
    buffer[len] = '\0';
    *password = jtgi_strdup(buffer);
    return *password != NULL ? JTG_OK
                             : jtg_error_set(err, JTG_ERR_MEMORY, 0, "no memory for the options");
}

jtg_status jtgi_password_file_read(const char *path, const char *what, const char **password,
                                   jtg_error *err)
{
    char buffer[JTG_REDIS_TEXT_MAX_BYTES + 4];
    ssize_t len = read_whole(path, buffer, sizeof buffer - 1);
    jtg_status status = len < 0 ? jtg_error_set(err, JTG_ERR_SYSTEM, errno,
                                                "redis: cannot read %s: %s", what, strerror(errno))
                                : take(buffer, (size_t)len, what, password, err);
    sodium_memzero(buffer, sizeof buffer);
    return status;
}
