/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JTGI_ADAPTERS_OPTIONS_H
#define JTGI_ADAPTERS_OPTIONS_H

#include <jtiguard/anti_replay.h>
#include <jtiguard/backend.h>
#include <string.h>

/* A copy of a caller's options, to be changed. What a newer caller's struct has more must be zero,
 * for it asks for something that is not done here. */
static inline jtg_status jtgi_adapter_read_options(jtg_anti_replay_options *options,
                                                   const jtg_anti_replay_options *given,
                                                   jtg_error *err)
{
    static const char none[1024];
    size_t size = given->struct_size;
    if (size < sizeof *options || size - sizeof *options > sizeof none ||
        memcmp(given + 1, none, size - sizeof *options) != 0)
        return jtg_error_set(
            err, JTG_ERR_ARGUMENT, 0,
            "anti-replay options: struct_size is not set, or is another version's");
    memcpy(options, given, sizeof *options);
    options->struct_size = sizeof *options;
    return JTG_OK;
}

#endif
