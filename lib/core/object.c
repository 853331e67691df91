/* SPDX-License-Identifier: Apache-2.0 */
#include "core/object.h"

#include "core/fork.h"
#include "core/log.h"

#include <jtiguard/status.h>
#include <sodium.h>

jtg_status jtgi_object_begin(struct jtgi_object *object, const jtg_clock *clock,
                             const jtg_logger *logger, size_t counters, jtg_error *err)
{
    jtg_status status = jtgi_clock_read_option(&object->clock, clock, err);
    if (status == JTG_OK)
        status = jtgi_log_read_option(&object->logger, logger, err);
    if (status != JTG_OK)
        return status;
    if (sodium_init() < 0)
        return jtg_error_set(err, JTG_ERR_SYSTEM, 0, "libsodium found no source of randomness");
    object->fork_generation = jtgi_fork_generation();
    if (object->fork_generation == 0)
        return jtg_error_set(err, JTG_ERR_MEMORY, 0, "no memory to watch for fork");
    object->counters = counters == 0 ? NULL : jtgi_counters_new(counters);
    if (counters != 0 && object->counters == NULL)
        return jtg_error_set(err, JTG_ERR_MEMORY, 0, "no memory for the counters");
    return JTG_OK;
}

void jtgi_object_end(struct jtgi_object *object)
{
    jtgi_counters_free(object->counters);
    object->counters = NULL;
}

bool jtgi_object_is_forked(const struct jtgi_object *object)
{
    return object->fork_generation != jtgi_fork_generation();
}

jtg_status jtgi_object_check(const struct jtgi_object *object, const char *what, jtg_error *err)
{
    if (!jtgi_object_is_forked(object))
        return JTG_OK;
    return jtg_error_set(err, JTG_ERR_FORKED, 0, "%s made before fork: each process needs its own",
                         what);
}
