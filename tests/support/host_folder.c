/* SPDX-License-Identifier: Apache-2.0 */
#include "support/host_folder.h"

#include "support/asserts.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void host_folder_make(struct host_folder *folder)
{
    (void)snprintf(folder->path, sizeof folder->path, "/dev/shm/jtiguard-test.XXXXXX");
    assert_non_null(mkdtemp(folder->path));
    (void)snprintf(folder->store, sizeof folder->store, "%.40s/store", folder->path);
}

void host_folder_remove_store(const struct host_folder *folder)
{
    assert_int_equal(unlink(folder->store), 0);
}

void host_folder_remove(const struct host_folder *folder)
{
    DIR *listing = opendir(folder->path);
    assert_non_null(listing);
    for (const struct dirent *entry = readdir(listing); entry != NULL; entry = readdir(listing)) {
        int how = entry->d_type == DT_DIR ? AT_REMOVEDIR : 0;
        (void)unlinkat(dirfd(listing), entry->d_name, how);
    }
    (void)closedir(listing);
    assert_int_equal(rmdir(folder->path), 0);
}
