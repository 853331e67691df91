/* SPDX-License-Identifier: Apache-2.0 */
/* A caller's token, whose struct may be one of an older release, and shorter. */
#ifndef JTGI_TOKENS_QUIC_QUIC_TOKEN_H
#define JTGI_TOKENS_QUIC_QUIC_TOKEN_H

#include <jtiguard/quic_tokens.h>
#include <stdbool.h>

bool jtgi_quic_is_token(const jtg_quic_token *token);

/* What the caller's struct has room for. */
void jtgi_quic_give_token(jtg_quic_token *token, const jtg_quic_token *made);

jtg_status jtgi_quic_token_read(jtg_quic_token *token, const jtg_quic_token *given, jtg_error *err);

#endif
