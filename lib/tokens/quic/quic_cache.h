/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens on a jtg_cache, as functions of quic_tokens.h.
 *
 *   quic:1:<digest of origin>       values: the tokens of an origin, newest first
 *   quic-seen:1:<digest of token>   reservation: it was stored before
 *   quic-origins:1:<name>           value: the list of origins (quic_origins.h)
 *
 * The name is in every digest. */
#ifndef JTGI_TOKENS_QUIC_QUIC_CACHE_H
#define JTGI_TOKENS_QUIC_QUIC_CACHE_H

#include <jtiguard/quic_tokens.h>

/* options have been read and checked. Free functions->context with jtgi_free().
 * Returns: JTG_OK · JTG_ERR_MEMORY */
jtg_status jtgi_quic_cache_functions(jtg_quic_functions *functions, jtg_cache *cache,
                                     const jtg_quic_tokens_options *options, jtg_error *err);

#endif
