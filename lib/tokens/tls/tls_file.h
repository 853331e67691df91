/* SPDX-License-Identifier: Apache-2.0 */
/* The file of TLS tickets: where it lies, who may touch it, and how it is replaced.
 *
 * Beside NAME lie NAME.lock, which whoever writes holds; NAME.new, which is being written, or was
 * by one that was killed; and NAME.bad, the last file that was none of ours. All is done in the
 * folder that was opened and looked at, by names of one part, so that nobody can exchange it
 * meanwhile. */
#ifndef JTGI_TOKENS_TLS_TLS_FILE_H
#define JTGI_TOKENS_TLS_TLS_FILE_H

#include "tokens/tls/tls_text.h"

/* Of a path; jtgi_tls_file_clear() frees it. Start from {0}. */
struct jtgi_tls_file {
    char *folder;
    char *name;
    char *lock_name;
    char *new_name;
    char *bad_name;
};

/* Returns: JTG_OK · JTG_ERR_ARGUMENT · JTG_ERR_MEMORY */
jtg_status jtgi_tls_file_set(struct jtgi_tls_file *file, const char *path, jtg_error *err);
void jtgi_tls_file_clear(struct jtgi_tls_file *file);

/* A folder that is open, and its lock where it is held. -1 = none. */
struct jtgi_tls_hold {
    int folder;
    int lock;
};
#define JTGI_TLS_HOLD_INIT                                                                         \
    {                                                                                              \
        -1, -1                                                                                     \
    }

/* Open the folder to read from it. Returns: JTG_OK · JTG_NOT_FOUND · JTG_ERR_UNSAFE ·
 * JTG_ERR_SYSTEM. hold is released by the caller in any case. */
jtg_status jtgi_tls_file_look(const struct jtgi_tls_file *file, struct jtgi_tls_hold *hold,
                              jtg_error *err);

/* Open it, made where it is missing, and wait for the lock.
 * Returns: JTG_OK · JTG_ERR_UNAVAILABLE (wait_ms are over) · JTG_ERR_UNSAFE · JTG_ERR_SYSTEM */
jtg_status jtgi_tls_file_lock(const struct jtgi_tls_file *file, uint32_t wait_ms,
                              struct jtgi_tls_hold *hold, jtg_error *err);
void jtgi_tls_file_release(struct jtgi_tls_hold *hold);

/* text has to be empty. Returns: JTG_OK · JTG_NOT_FOUND · JTG_ERR_PROTOCOL (too large to be ours) ·
 * JTG_ERR_UNSAFE · JTG_ERR_SYSTEM · JTG_ERR_MEMORY */
jtg_status jtgi_tls_file_read(const struct jtgi_tls_file *file, const struct jtgi_tls_hold *hold,
                              struct jtgi_tls_text *text, jtg_error *err);

/* Put NAME beside as NAME.bad, in the place of an earlier one. It stays where it is as well, until
 * it is replaced. Returns: JTG_OK · JTG_ERR_SYSTEM */
jtg_status jtgi_tls_file_set_aside(const struct jtgi_tls_file *file,
                                   const struct jtgi_tls_hold *hold, jtg_error *err);

/* Replace it, under the lock. *moved as jtgi_safe_file_move_at().
 * Returns: JTG_OK · JTG_ERR_SYSTEM · JTG_ERR_UNAVAILABLE (the lock was taken away) */
jtg_status jtgi_tls_file_replace(const struct jtgi_tls_file *file, const struct jtgi_tls_hold *hold,
                                 const struct jtgi_tls_text *text, bool *moved, jtg_error *err);

#endif
