/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ADAPTERS_NGTCP2_KNOWN_SIZE_H
#define ADAPTERS_NGTCP2_KNOWN_SIZE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* Whether a caller's struct says nothing that is not known here. What a newer caller's has more
 * must be zero, for it asks for something that is not done. */
static inline bool jtgi_size_is_known(const void *given, size_t struct_size, size_t ours)
{
    static const char none[1024];
    return struct_size >= ours && struct_size - ours <= sizeof none &&
           memcmp((const char *)given + ours, none, struct_size - ours) == 0;
}

#endif
