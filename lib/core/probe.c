/* SPDX-License-Identifier: Apache-2.0 */
#include "core/probe.h"

#include <sodium.h>

enum { PROBE_TTL_MS = 1000 };

jtg_status jtgi_probe(jtg_cache *cache, jtg_error *err)
{
    unsigned char probe[JTG_OWNER_BYTES];
    jtg_key key = {probe, sizeof probe, NULL, 0};
    jtg_owner owner;
    randombytes_buf(probe, sizeof probe);
    randombytes_buf(&owner, sizeof owner);
    jtg_status status = cache->backend->reserve(cache, &key, &owner, PROBE_TTL_MS, err);
    if (status == JTG_OK) /* what a slow probe finds ended was stored all the same */
        (void)cache->backend->release(cache, &key, &owner, err);
    return status;
}
