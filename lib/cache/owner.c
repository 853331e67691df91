/* SPDX-License-Identifier: Apache-2.0 */
#include "core/digest.h"

#include <jtiguard/cache.h>
#include <string.h>
#include <uuid/uuid.h>

void jtg_owner_generate(jtg_owner *owner)
{
    uuid_t uuid;
    uuid_generate_random(uuid);
    memcpy(owner->bytes, uuid, sizeof owner->bytes);
}

jtg_status jtg_owner_from_bytes(jtg_owner *owner, const void *value, size_t value_len)
{
    unsigned char digest[JTGI_DIGEST_BYTES];
    if (owner == NULL || value == NULL || value_len == 0)
        return JTG_ERR_ARGUMENT;
    jtgi_digest_labelled("jtiguard owner 1", value, value_len, digest);
    memcpy(owner->bytes, digest, sizeof owner->bytes);
    return JTG_OK;
}
