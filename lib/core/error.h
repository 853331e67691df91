/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JTGI_CORE_ERROR_H
#define JTGI_CORE_ERROR_H

#include <jtiguard/status.h>
#include <stddef.h>

/* A public call begins: what the caller's jtg_error holds is of an earlier one. NULL is fine. */
static inline void jtgi_error_begin(jtg_error *err)
{
    if (err == NULL)
        return;
    err->status = JTG_OK;
    err->system_errno = 0;
    err->text[0] = '\0';
}

/* It ends: where nobody has told why it failed the status does, and nothing told while it went on
 * is left of one that succeeded. */
static inline jtg_status jtgi_error_end(jtg_status status, jtg_error *err)
{
    if (status != JTG_OK)
        return jtg_error_set(err, status, 0, "%s", jtg_status_text(status));
    jtgi_error_begin(err);
    return JTG_OK;
}

#endif
