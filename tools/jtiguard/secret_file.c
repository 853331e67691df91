/* SPDX-License-Identifier: Apache-2.0 */
#include "secret_file.h"

#include <stddef.h>
#include <sys/stat.h>
#include <unistd.h>

const char *secret_file_fault(int fd, enum secret_reach reach)
{
    struct stat status;
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))
        return "is no regular file";
    /* Its owner can change it, and knows it. */
    if (status.st_uid != geteuid() && status.st_uid != 0)
        return "belongs to another user";
    if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return "can be written by others than its owner; chmod go-w";
    if (reach == SECRET_FOR_ITS_OWNER && (status.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        return "is open to others than its owner; chmod 600";
    return NULL;
}
