/* SPDX-License-Identifier: Apache-2.0 */
/* A break-glass token and its text. */
#ifndef JTGI_TOKENS_BREAKGLASS_BREAKGLASS_TOKEN_H
#define JTGI_TOKENS_BREAKGLASS_BREAKGLASS_TOKEN_H

#include <jtiguard/breakglass.h>
#include <stdbool.h>

struct jtgi_breakglass_token {
    unsigned char bytes[JTG_BREAKGLASS_TOKEN_BYTES];
};

/* Draw a new one. */
void jtgi_breakglass_token_draw(struct jtgi_breakglass_token *token);

void jtgi_breakglass_token_write(const struct jtgi_breakglass_token *token,
                                 char text[JTG_BREAKGLASS_TEXT_BYTES]);

/* False unless the text is one that jtgi_breakglass_token_write() makes: of each token there is one
 * spelling. The time depends on the length only. */
bool jtgi_breakglass_token_read(struct jtgi_breakglass_token *token, const char *text,
                                size_t text_len);

void jtgi_breakglass_token_wipe(struct jtgi_breakglass_token *token);

#endif
