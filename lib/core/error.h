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

/* As jtg_error_set() with the text of the status: the end of every refusal that has no more to say.
 * It copies the text and formats nothing, because a replay is refused as often as it is sent. */
jtg_status jtgi_error_set_status(jtg_error *err, jtg_status status);

/* It ends: where nobody has told why it failed the status does, and nothing told while it went on
 * is left of one that succeeded. */
static inline jtg_status jtgi_error_end(jtg_status status, jtg_error *err)
{
    if (status != JTG_OK)
        return jtgi_error_set_status(err, status);
    jtgi_error_begin(err);
    return JTG_OK;
}

#endif
