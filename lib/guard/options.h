/* SPDX-License-Identifier: Apache-2.0 */
/* The options of a guard: their defaults and ranges. */
#ifndef JTGI_GUARD_OPTIONS_H
#define JTGI_GUARD_OPTIONS_H

#include <jtiguard/guard.h>

/* Take the caller's options, or the defaults where it gives none. Each number is checked for
 * itself; what depends on two of them is checked where it is used. */
jtg_status jtgi_guard_options_read(jtg_guard_options *options, const jtg_guard_options *given,
                                   jtg_error *err);

#endif
