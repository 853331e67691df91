/* SPDX-License-Identifier: Apache-2.0 */
/* The configurations of docs/proxies.md, so that what a reader copies is what was tested. */
#ifndef TESTS_SERVE_SNIPPET_H
#define TESTS_SERVE_SNIPPET_H

#include <stddef.h>

/* The fenced block behind the line `<!-- tested: NAME -->`. The caller frees it. */
char *snippet_read(const char *name);

/* Each occurrence of one text by another, of which there is at least one. Frees the text that it
 * is given, and hands out a new one. */
char *snippet_replace(char *text, const char *from, const char *to);

/* Write a file. */
void file_write(const char *path, const char *text);

#endif
