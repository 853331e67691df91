/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JTGI_TOKENS_QUIC_QUIC_TOKENS_H
#define JTGI_TOKENS_QUIC_QUIC_TOKENS_H

#include <jtiguard/quic_tokens.h>

/* The name that it was made with; borrowed from it. */
const char *jtgi_quic_tokens_name(const jtg_quic_tokens *tokens);

/* One share more; each is given up with jtg_quic_tokens_free(). */
jtg_quic_tokens *jtgi_quic_tokens_share(jtg_quic_tokens *tokens);

#endif
