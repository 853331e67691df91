/* SPDX-License-Identifier: Apache-2.0 */
/* A file of text as one string. */
#ifndef TESTS_SUPPORT_TEXT_FILE_H
#define TESTS_SUPPORT_TEXT_FILE_H

/* For free(). Fails the test when the file cannot be read or is longer than 1 MiB. */
char *text_file_read(const char *path);

#endif
