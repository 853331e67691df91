/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JTGI_TOKENS_TLS_TLS_OPTIONS_H
#define JTGI_TOKENS_TLS_TLS_OPTIONS_H

#include "tokens/tls/tls_document.h"

/* Read and check them. given may be NULL. Returns: JTG_OK · JTG_ERR_ARGUMENT */
jtg_status jtgi_tls_options_read(jtg_tls_tickets_options *options,
                                 const jtg_tls_tickets_options *given, jtg_error *err);

struct jtgi_tls_limits jtgi_tls_options_limits(const jtg_tls_tickets_options *options);

/* The keys of the key file; without one, none. keys has to be zeroed.
 * Returns: JTG_OK · JTG_ERR_ARGUMENT · JTG_ERR_SYSTEM · JTG_ERR_MEMORY */
jtg_status jtgi_tls_options_keys(struct jtgi_tls_keys *keys, const jtg_tls_tickets_options *options,
                                 jtg_error *err);

#endif
