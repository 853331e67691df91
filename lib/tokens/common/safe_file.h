/* SPDX-License-Identifier: Apache-2.0 */
/* A file of secrets that is replaced in one step: who reads it finds the old content or the new
 * one, whatever was killed or lost its power in between. */
#ifndef JTGI_TOKENS_COMMON_SAFE_FILE_H
#define JTGI_TOKENS_COMMON_SAFE_FILE_H

#include <jtiguard/status.h>
#include <stdbool.h>
#include <stddef.h>

/* Mode 0600 from its first byte on. A file left by one that was killed is `.NAME.` and random
 * characters. Returns: JTG_OK · JTG_ERR_MEMORY · JTG_ERR_SYSTEM (the old content holds) */
jtg_status jtgi_safe_file_write(const char *path, const void *content, size_t content_len,
                                jtg_error *err);

/* The same in two steps, in an open folder, for a caller whose lock keeps other writers away: NAME
 * is written first, also where one that was killed has left it, and then takes the place of
 * another. So at most one file is ever left behind. */
jtg_status jtgi_safe_file_write_at(int folder, const char *name, const void *content,
                                   size_t content_len, jtg_error *err);

/* *moved says whether it took the place, which it may have although the answer is not JTG_OK: then
 * whether that outlives a loss of power is unknown. Returns: JTG_OK · JTG_ERR_SYSTEM */
jtg_status jtgi_safe_file_move_at(int folder, const char *from, const char *to, bool *moved,
                                  jtg_error *err);

#endif
