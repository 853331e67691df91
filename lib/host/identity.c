/* SPDX-License-Identifier: Apache-2.0 */
#include "host/identity.h"

#include "core/digits.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTES = 128, LINK_BYTES = 64 };

static bool read_boot(const char *proc, char boot[40])
{
    char path[PATH_BYTES];
    (void)snprintf(path, sizeof path, "%s/sys/kernel/random/boot_id", proc);
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return false;
    ssize_t got = read(descriptor, boot, 39);
    (void)close(descriptor);
    if (got < 36)
        return false;
    boot[36] = '\0';
    return true;
}

/* "time:[4026531834]": to follow the link would say the same, and take twice as long. */
static bool read_inode(const char *text, const char *name, uint64_t *inode)
{
    size_t name_len = strlen(name), len = strlen(text);
    if (len < name_len + 4 || strncmp(text, name, name_len) != 0 ||
        strncmp(text + name_len, ":[", 2) != 0 || text[len - 1] != ']')
        return false;
    return jtgi_digits_read(text + name_len + 2, len - name_len - 3, UINT64_MAX, inode) &&
           *inode != 0;
}

static bool find_inode(const char *proc, const char *name, uint64_t *inode)
{
    char path[PATH_BYTES], text[LINK_BYTES];
    struct stat about;
    (void)snprintf(path, sizeof path, "%s/self/ns/%s", proc, name);
    ssize_t got = readlink(path, text, sizeof text - 1);
    text[got > 0 ? got : 0] = '\0';
    if (got > 0 && read_inode(text, name, inode))
        return true;
    if (stat(path, &about) != 0)
        return false;
    *inode = (uint64_t)about.st_ino;
    return true;
}

/* Before Linux 5.6 there are no time namespaces; there are process namespaces since long. */
static bool read_time_namespace(const char *proc, uint64_t *inode)
{
    uint64_t other = 0;
    *inode = 0;
    return find_inode(proc, "time", inode) || (errno == ENOENT && find_inode(proc, "pid", &other));
}

jtg_status jtgi_host_identity_read(struct jtgi_host_identity *identity, const char *proc,
                                   jtg_error *err)
{
    *identity = (struct jtgi_host_identity){.time_namespace = 0};
    if (!read_boot(proc, identity->boot) || !read_time_namespace(proc, &identity->time_namespace))
        return jtg_error_set(err, JTG_ERR_UNAVAILABLE, errno,
                             "host store: %s does not say which boot and clock these are", proc);
    return JTG_OK;
}
