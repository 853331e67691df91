/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JTGI_REDIS_PASSWORD_FILE_H
#define JTGI_REDIS_PASSWORD_FILE_H

#include <jtiguard/status.h>
#include <stdbool.h>

/* The password that a file holds, without the end of its line. `what` names the option. Only a
 * plain file can be read again: a pipe gives what it has once, and may keep us waiting.
 *
 * Returns: JTG_OK (*password is the caller's, for jtgi_free_wiped(); NULL: `again`, and no plain
 *          file) · JTG_ERR_ARGUMENT (it holds none) · JTG_ERR_SYSTEM (not readable) ·
 *          JTG_ERR_MEMORY */
jtg_status jtgi_password_file_read(const char *path, const char *what, bool again, char **password,
                                   jtg_error *err);

#endif
