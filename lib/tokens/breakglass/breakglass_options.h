/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JTGI_TOKENS_BREAKGLASS_BREAKGLASS_OPTIONS_H
#define JTGI_TOKENS_BREAKGLASS_BREAKGLASS_OPTIONS_H

#include <jtiguard/breakglass.h>

/* Read a caller's options, or the defaults where given is NULL, and check each that stands by
 * itself: the numbers, the name (set also where the caller gives none) and the key. */
jtg_status jtgi_breakglass_options_read(jtg_breakglass_options *options,
                                        const jtg_breakglass_options *given, jtg_error *err);

#endif
