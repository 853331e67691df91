/* SPDX-License-Identifier: Apache-2.0 */
#include "support/redis_vouch.h"

#include "support/asserts.h"

#include <jtiguard/redis.h>

void redis_vouch(const char *uri)
{
    jtg_cache *cache = NULL;
    jtg_error err = JTG_ERROR_INIT;
    assert_status(jtg_redis_new_uri(&cache, uri, &err), JTG_OK);
    if (jtg_redis_vouch(cache, 0, &err) != JTG_OK)
        fail_msg("cannot vouch: %s (%s)", jtg_status_name(err.status), err.text);
    jtg_cache_free(cache);
}
