/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes that grow. */
#ifndef TOOL_BYTES_H
#define TOOL_BYTES_H

#include <stdbool.h>
#include <stddef.h>

struct bytes {
    char *data;
    size_t len;
    size_t capacity;
};

/* false when memory is out; the bytes are then as they were. */
bool bytes_append(struct bytes *bytes, const void *data, size_t data_len);
bool bytes_append_text(struct bytes *bytes, const char *text);

/* Frees, and makes empty. */
void bytes_clear(struct bytes *bytes);

#endif
