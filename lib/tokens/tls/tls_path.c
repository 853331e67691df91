/* SPDX-License-Identifier: Apache-2.0 */
#include "core/error.h"

#include <jtiguard/status.h>
#include <jtiguard/tls_tickets.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char below[] = "jtiguard/tls-tickets.json";

bool jtg_tls_tickets_is_disabled(void)
{
    const char *value = getenv(JTG_TLS_DISABLE_VARIABLE);
    return value != NULL && *value != '\0' && strcmp(value, "0") != 0;
}

static jtg_status write_path(char *path, size_t path_size, const char *folder, const char *between,
                             jtg_error *err)
{
    int len = snprintf(path, path_size, "%s%s/%s", folder, between, below);
    if (len >= 0 && (size_t)len < path_size)
        return JTG_OK;
    path[0] = '\0';
    return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "path_size is too small for the default path");
}

/* secure_getenv(): a set-user-id program must not be led to another file by its user. A folder that
 * is not absolute is to be ignored, says the XDG base directory specification. */
jtg_status jtg_tls_tickets_default_path(char *path, size_t path_size, jtg_error *err)
{
    jtgi_error_begin(err);
    if (path == NULL || path_size == 0)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "no place for the path");
    path[0] = '\0';
    const char *folder = secure_getenv("XDG_CACHE_HOME");
    if (folder != NULL && folder[0] == '/')
        return write_path(path, path_size, folder, "", err);
    folder = secure_getenv("HOME");
    if (folder != NULL && folder[0] == '/')
        return write_path(path, path_size, folder, "/.cache", err);
    return jtg_error_set(err, JTG_ERR_ARGUMENT, 0,
                         "no default path: neither XDG_CACHE_HOME nor HOME is an absolute path");
}
