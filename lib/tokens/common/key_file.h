/* SPDX-License-Identifier: Apache-2.0 */
/* A key of 32 bytes in a file of its own. */
#ifndef JTGI_TOKENS_COMMON_KEY_FILE_H
#define JTGI_TOKENS_COMMON_KEY_FILE_H

#include "tokens/common/cipher.h"

#include <jtiguard/status.h>

/* 32 bytes, or 64 hexadecimal digits and maybe a line end. A file that others may read has been
 * read by them: refused. `what` names the option in err. Returns: JTG_OK · JTG_ERR_ARGUMENT
 * (another content, a weak key, permissions, an owner that is neither this user nor root, no
 * regular file) · JTG_ERR_SYSTEM (it cannot be read) */
jtg_status jtgi_key_file_read(const char *path, const char *what,
                              unsigned char key[JTGI_SECRET_BYTES], jtg_error *err);

#endif
