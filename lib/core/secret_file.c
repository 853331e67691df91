/* SPDX-License-Identifier: Apache-2.0 */
#include "core/secret_file.h"

#include <jtiguard/status.h>
#include <unistd.h>

jtg_status jtgi_secret_file_check(const struct stat *about, bool for_owner, const char *what,
                                  jtg_error *err)
{
    if (about->st_uid != geteuid() && about->st_uid != 0)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "%s: belongs to another user", what);
    if (for_owner && (about->st_mode & (S_IRWXG | S_IRWXO)) != 0)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0,
                             "%s: others than its owner may use it: chmod 0600", what);
    if ((about->st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0,
                             "%s: others than its owner may write it: chmod go-w", what);
    return JTG_OK;
}
