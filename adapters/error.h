/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JTGI_ADAPTERS_ERROR_H
#define JTGI_ADAPTERS_ERROR_H

#include <jtiguard/status.h>

/* A public call begins: what the caller's jtg_error holds is of an earlier one. NULL is fine. */
static inline void jtgi_adapter_error_begin(jtg_error *err)
{
    static const jtg_error empty = JTG_ERROR_INIT;
    if (err != NULL)
        *err = empty;
}

#endif
