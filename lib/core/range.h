/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers of options, and between what each must lie. */
#ifndef JTGI_CORE_RANGE_H
#define JTGI_CORE_RANGE_H

#include <jtiguard/status.h>
#include <stddef.h>
#include <stdint.h>

struct jtgi_range {
    const char *name; /* of the option, as the caller wrote it */
    uint64_t value;
    uint64_t least;
    uint64_t most;
};

/* `whose` stands before the name, "redis: " say, or is empty. An enum of the caller is given as the
 * uint32_t that it is, for he may have written anything into it.
 *
 * Returns: JTG_OK · JTG_ERR_ARGUMENT, and err names the first that lies outside */
jtg_status jtgi_ranges_check(const struct jtgi_range ranges[], size_t count, const char *whose,
                             jtg_error *err);

#endif
