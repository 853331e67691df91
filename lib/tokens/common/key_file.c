/* SPDX-License-Identifier: Apache-2.0 */
#include "tokens/common/key_file.h"

#include "core/secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <jtiguard/status.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEX_BYTES = 2 * JTGI_SECRET_BYTES, CONTENT_MAX_BYTES = HEX_BYTES + 2 };

static jtg_status check_file(int descriptor, const char *what, jtg_error *err)
{
    struct stat about;
    if (fstat(descriptor, &about) != 0)
        return jtg_error_set(err, JTG_ERR_SYSTEM, errno, "%s: cannot be looked at", what);
    if (!S_ISREG(about.st_mode))
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "%s: is no regular file", what);
    return jtgi_secret_file_check(&about, true, what, err);
}

/* Up to one byte more than there should be, so that a longer file is noticed. */
static ssize_t read_content(int descriptor, unsigned char content[CONTENT_MAX_BYTES + 1])
{
    size_t have = 0;
    while (have < CONTENT_MAX_BYTES + 1) {
        ssize_t got = read(descriptor, content + have, CONTENT_MAX_BYTES + 1 - have);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        have += (size_t)got;
    }
    return (ssize_t)have;
}

static bool is_line_end(const unsigned char *text, size_t len)
{
    return len == 0 || (len == 1 && text[0] == '\n') ||
           (len == 2 && text[0] == '\r' && text[1] == '\n');
}

static bool decode(const unsigned char *content, size_t len, unsigned char *key)
{
    size_t decoded = 0;
    if (len == JTGI_SECRET_BYTES) {
        memcpy(key, content, JTGI_SECRET_BYTES);
        return true;
    }
    return len >= HEX_BYTES && is_line_end(content + HEX_BYTES, len - HEX_BYTES) &&
           sodium_hex2bin(key, JTGI_SECRET_BYTES, (const char *)content, HEX_BYTES, NULL, &decoded,
                          NULL) == 0 &&
           decoded == JTGI_SECRET_BYTES;
}

static jtg_status take_key(int descriptor, const char *what, unsigned char *key, jtg_error *err)
{
    unsigned char content[CONTENT_MAX_BYTES + 1];
    jtg_status status = check_file(descriptor, what, err);
    if (status != JTG_OK)
        return status;
    ssize_t len = read_content(descriptor, content);
    if (len < 0)
        status = jtg_error_set(err, JTG_ERR_SYSTEM, errno, "%s: cannot be read", what);
    else if (!decode(content, (size_t)len, key))
        status = jtg_error_set(err, JTG_ERR_ARGUMENT, 0,
                               "%s: is neither 32 bytes nor 64 hexadecimal digits", what);
    else if (jtgi_secret_is_weak(key))
        status = jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "%s: is no random key", what);
    sodium_memzero(content, sizeof content);
    if (status != JTG_OK)
        sodium_memzero(key, JTGI_SECRET_BYTES);
    return status;
}

/* O_NONBLOCK: a named pipe in its place must not hang the program. */
jtg_status jtgi_key_file_read(const char *path, const char *what,
                              unsigned char key[JTGI_SECRET_BYTES], jtg_error *err)
{
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (descriptor < 0)
        return jtg_error_set(err, JTG_ERR_SYSTEM, errno, "%s: cannot be opened", what);
    jtg_status status = take_key(descriptor, what, key, err);
    (void)close(descriptor);
    return status;
}
