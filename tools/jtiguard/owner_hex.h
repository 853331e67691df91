/* SPDX-License-Identifier: Apache-2.0 */
/* An owner as 32 hexadecimal digits. */
#ifndef TOOL_OWNER_HEX_H
#define TOOL_OWNER_HEX_H

#include <jtiguard/cache.h>
#include <stdbool.h>

enum { OWNER_HEX_BYTES = 2 * JTG_OWNER_BYTES + 1 };

void owner_to_hex(const jtg_owner *owner, char hex[OWNER_HEX_BYTES]);
bool owner_from_hex(const char *hex, jtg_owner *owner);

#endif
