/* SPDX-License-Identifier: Apache-2.0 */
#include "core/options.h"

#include <jtiguard/extend.h>
#include <string.h>

/* A struct_size beyond this was never ours: most likely it was never set. */
enum { STRUCT_SIZE_LIMIT = 4096 };

bool jtgi_struct_size_ok(size_t given_size, size_t oldest_size)
{
    return given_size >= oldest_size && given_size <= STRUCT_SIZE_LIMIT;
}

static size_t size_of(const void *given)
{
    size_t given_size = 0;
    memcpy(&given_size, given, sizeof given_size);
    return given_size;
}

jtg_status jtg_struct_check(const void *given, size_t known_size, size_t oldest_size,
                            const char *what, jtg_error *err)
{
    const unsigned char *bytes = given;
    if (given == NULL)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "%s: it is NULL", what);
    if (!jtgi_struct_size_ok(size_of(given), oldest_size))
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "%s: struct_size is not set", what);
    for (size_t i = known_size; i < size_of(given); i++)
        if (bytes[i] != 0)
            return jtg_error_set(err, JTG_ERR_ARGUMENT, 0,
                                 "%s: sets an option that this version does not know", what);
    return JTG_OK;
}

static void copy_over(void *to, size_t to_size, const void *from, size_t from_size)
{
    memcpy(to, from, from_size < to_size ? from_size : to_size);
    memcpy(to, &to_size, sizeof to_size);
}

jtg_status jtg_struct_read(void *known, size_t known_size, size_t oldest_size, const void *given,
                           const char *what, jtg_error *err)
{
    if (given == NULL)
        return JTG_OK;
    jtg_status status = jtg_struct_check(given, known_size, oldest_size, what, err);
    if (status == JTG_OK)
        copy_over(known, known_size, given, size_of(given));
    return status;
}

void jtgi_struct_give(void *given, const void *made, size_t made_size)
{
    copy_over(given, size_of(given), made, made_size);
}
