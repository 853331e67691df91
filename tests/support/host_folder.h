/* SPDX-License-Identifier: Apache-2.0 */
/* A folder on a tmpfs for host stores of a test, with nothing in it. */
#ifndef TESTS_SUPPORT_HOST_FOLDER_H
#define TESTS_SUPPORT_HOST_FOLDER_H

enum { HOST_FOLDER_BYTES = 64 };

struct host_folder {
    char path[HOST_FOLDER_BYTES];
    char store[HOST_FOLDER_BYTES]; /* a file in it, which is not there */
};

void host_folder_make(struct host_folder *folder);
void host_folder_remove_store(const struct host_folder *folder);
/* With all that is in it. */
void host_folder_remove(const struct host_folder *folder);

#endif
