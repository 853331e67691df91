/* SPDX-License-Identifier: Apache-2.0 */
#include "owner_hex.h"

#include <sodium.h>
#include <string.h>

void owner_to_hex(const jtg_owner *owner, char hex[OWNER_HEX_BYTES])
{
    (void)sodium_bin2hex(hex, OWNER_HEX_BYTES, owner->bytes, sizeof owner->bytes);
}

bool owner_from_hex(const char *hex, jtg_owner *owner)
{
    size_t len = 0;
    return strlen(hex) == OWNER_HEX_BYTES - 1 &&
           sodium_hex2bin(owner->bytes, sizeof owner->bytes, hex, OWNER_HEX_BYTES - 1, NULL, &len,
                          NULL) == 0 &&
           len == sizeof owner->bytes;
}
