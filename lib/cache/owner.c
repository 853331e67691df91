/* SPDX-License-Identifier: Apache-2.0 */
#include <jtiguard/cache.h>
#include <sodium.h>
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
    static const char domain[] = "jtiguard owner 1";
    unsigned char digest[crypto_hash_sha256_BYTES];
    crypto_hash_sha256_state state;

    if (owner == NULL || value == NULL || value_len == 0)
        return JTG_ERR_ARGUMENT;
    (void)crypto_hash_sha256_init(&state);
    (void)crypto_hash_sha256_update(&state, (const unsigned char *)domain, sizeof domain);
    (void)crypto_hash_sha256_update(&state, value, value_len);
    (void)crypto_hash_sha256_final(&state, digest);
    memcpy(owner->bytes, digest, sizeof owner->bytes);
    return JTG_OK;
}
