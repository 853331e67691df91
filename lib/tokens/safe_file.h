/* SPDX-License-Identifier: Apache-2.0 */
/* A file of secrets that is replaced in one step: who reads it finds the old content or the new
 * one, whatever was killed or lost its power in between. */
#ifndef JTGI_TOKENS_SAFE_FILE_H
#define JTGI_TOKENS_SAFE_FILE_H

#include <jtiguard/status.h>

/* Mode 0600 from its first byte on. A file left by one that was killed is `.NAME.` and random
 * characters. Returns: JTG_OK · JTG_ERR_MEMORY · JTG_ERR_SYSTEM (the old content holds) */
jtg_status jtgi_safe_file_write(const char *path, const void *content, size_t content_len,
                                jtg_error *err);

#endif
