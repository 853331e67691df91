/* SPDX-License-Identifier: Apache-2.0 */
#include "core/range.h"

#include <inttypes.h>
#include <jtiguard/status.h>

jtg_status jtgi_ranges_check(const struct jtgi_range ranges[], size_t count, const char *whose,
                             jtg_error *err)
{
    for (size_t i = 0; i < count; i++)
        if (ranges[i].value < ranges[i].least || ranges[i].value > ranges[i].most)
            return jtg_error_set(err, JTG_ERR_ARGUMENT, 0,
                                 "%s%s is not between %" PRIu64 " and %" PRIu64, whose,
                                 ranges[i].name, ranges[i].least, ranges[i].most);
    return JTG_OK;
}
