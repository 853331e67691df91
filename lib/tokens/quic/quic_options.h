/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JTGI_TOKENS_QUIC_QUIC_OPTIONS_H
#define JTGI_TOKENS_QUIC_QUIC_OPTIONS_H

#include <jtiguard/quic_tokens.h>

/* Read a caller's options, or the defaults where given is NULL, and check each. The name is set
 * also where the caller gives none. */
jtg_status jtgi_quic_options_read(jtg_quic_tokens_options *options,
                                  const jtg_quic_tokens_options *given, jtg_error *err);

/* Read a caller's functions, and check that none that is needed is missing. */
jtg_status jtgi_quic_functions_read(jtg_quic_functions *functions, const jtg_quic_functions *given,
                                    jtg_error *err);

#endif
