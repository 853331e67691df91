/* SPDX-License-Identifier: Apache-2.0 */
/* A list of texts that somebody else owns. */
#ifndef TOOL_TEXT_LIST_H
#define TOOL_TEXT_LIST_H

#include <stddef.h>

/* Strings, none of them NULL. {NULL, 0}: the default, or none. */
struct text_list {
    const char *const *items;
    size_t count;
};

#endif
