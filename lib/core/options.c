/* SPDX-License-Identifier: Apache-2.0 */
#include "core/options.h"

#include <jtiguard/backend.h>
#include <string.h>

/* A struct_size beyond this was never ours: most likely it was never set. */
enum { STRUCT_SIZE_LIMIT = 4096 };

jtg_status jtg_struct_check(const void *given, size_t known_size, size_t oldest_size,
                            const char *what, jtg_error *err)
{
    size_t given_size = 0;
    memcpy(&given_size, given, sizeof given_size);
    if (given_size < oldest_size || given_size > STRUCT_SIZE_LIMIT)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "%s: struct_size is not set", what);

    const unsigned char *bytes = given;
    for (size_t i = known_size; i < given_size; i++)
        if (bytes[i] != 0)
            return jtg_error_set(err, JTG_ERR_ARGUMENT, 0,
                                 "%s: sets an option that this version does not know", what);
    return JTG_OK;
}

jtg_status jtgi_options_read(void *known, size_t known_size, size_t oldest_size, const void *given,
                             const char *what, jtg_error *err)
{
    size_t given_size = 0;
    jtg_status status = jtg_struct_check(given, known_size, oldest_size, what, err);
    if (status != JTG_OK)
        return status;
    memcpy(&given_size, given, sizeof given_size);
    memcpy(known, given, given_size < known_size ? given_size : known_size);
    memcpy(known, &known_size, sizeof known_size);
    return JTG_OK;
}

jtg_status jtg_struct_read(void *known, size_t known_size, size_t oldest_size, const void *given,
                           const char *what, jtg_error *err)
{
    return jtgi_options_read(known, known_size, oldest_size, given, what, err);
}

bool jtgi_output_size_ok(size_t given_size, size_t oldest_size)
{
    return given_size >= oldest_size && given_size <= STRUCT_SIZE_LIMIT;
}

void jtgi_output_give(void *given, const void *made, size_t made_size)
{
    size_t given_size = 0;
    memcpy(&given_size, given, sizeof given_size);
    memcpy(given, made, given_size < made_size ? given_size : made_size);
    memcpy(given, &given_size, sizeof given_size);
}
