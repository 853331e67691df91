/* SPDX-License-Identifier: Apache-2.0 */
/* The file that holds the key of the break-glass token: 43 characters of base64url and a line end.
 */
#ifndef TOOL_BREAKGLASS_KEY_H
#define TOOL_BREAKGLASS_KEY_H

#include "exit_code.h"

#include <jtiguard/breakglass.h>

struct breakglass_key {
    unsigned char bytes[JTG_BREAKGLASS_KEY_BYTES];
};

/* Draw a key and write it to a new file that only its owner may read. Never overwrites one: that
 * would end the token of everybody who uses it. What went wrong is said on stderr. */
enum exit_code breakglass_key_create(const char *path);

/* Read it. A file that others may read or write is refused. */
enum exit_code breakglass_key_read(struct breakglass_key *key, const char *path);

void breakglass_key_wipe(struct breakglass_key *key);

#endif
