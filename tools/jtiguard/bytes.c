/* SPDX-License-Identifier: Apache-2.0 */
#include "bytes.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 1024 };

static bool make_room(struct bytes *bytes, size_t more)
{
    if (more <= bytes->capacity - bytes->len)
        return true;
    if (more > SIZE_MAX / 4 - bytes->len)
        return false;
    size_t capacity = bytes->capacity == 0 ? FIRST_CAPACITY : bytes->capacity;
    while (capacity - bytes->len < more)
        capacity *= 2;
    char *data = realloc(bytes->data, capacity);
    if (data == NULL)
        return false;
    bytes->data = data;
    bytes->capacity = capacity;
    return true;
}

bool bytes_append(struct bytes *bytes, const void *data, size_t data_len)
{
    if (!make_room(bytes, data_len))
        return false;
    if (data_len > 0)
        memcpy(bytes->data + bytes->len, data, data_len);
    bytes->len += data_len;
    return true;
}

bool bytes_append_text(struct bytes *bytes, const char *text)
{
    return bytes_append(bytes, text, strlen(text));
}

void bytes_clear(struct bytes *bytes)
{
    free(bytes->data);
    *bytes = (struct bytes){NULL, 0, 0};
}
