/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a file that holds a secret may be believed: whoever can write it chooses the secret. */
#ifndef JTGI_CORE_SECRET_FILE_H
#define JTGI_CORE_SECRET_FILE_H

#include <jtiguard/status.h>
#include <stdbool.h>
#include <sys/stat.h>

/* JTG_OK: it is ours, or root's, and nobody else can write it; with for_owner nobody else has any
 * right to it. Else JTG_ERR_ARGUMENT, and err says what is wrong with `what`. */
jtg_status jtgi_secret_file_check(const struct stat *about, bool for_owner, const char *what,
                                  jtg_error *err);

#endif
