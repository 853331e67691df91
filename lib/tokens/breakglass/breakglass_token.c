/* SPDX-License-Identifier: Apache-2.0 */
#include "tokens/breakglass/breakglass_token.h"

#include <sodium.h>

_Static_assert(sodium_base64_ENCODED_LEN(JTG_BREAKGLASS_TOKEN_BYTES,
                                         sodium_base64_VARIANT_URLSAFE_NO_PADDING) ==
                   JTG_BREAKGLASS_TEXT_BYTES,
               "the text and its NUL fit exactly");

void jtgi_breakglass_token_draw(struct jtgi_breakglass_token *token)
{
    randombytes_buf(token->bytes, sizeof token->bytes);
}

void jtgi_breakglass_token_write(const struct jtgi_breakglass_token *token,
                                 char text[JTG_BREAKGLASS_TEXT_BYTES])
{
    (void)sodium_bin2base64(text, JTG_BREAKGLASS_TEXT_BYTES, token->bytes, sizeof token->bytes,
                            sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

/* libsodium 1.0.18 reads some bytes above 127 as characters of the alphabet, so what was read is
 * written again and compared. */
bool jtgi_breakglass_token_read(struct jtgi_breakglass_token *token, const char *text,
                                size_t text_len)
{
    char again[JTG_BREAKGLASS_TEXT_BYTES];
    size_t bytes = 0;
    if (text_len != JTG_BREAKGLASS_TEXT_BYTES - 1 ||
        sodium_base642bin(token->bytes, sizeof token->bytes, text, text_len, NULL, &bytes, NULL,
                          sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0 ||
        bytes != sizeof token->bytes)
        return false;
    jtgi_breakglass_token_write(token, again);
    bool same = sodium_memcmp(again, text, text_len) == 0;
    sodium_memzero(again, sizeof again);
    return same;
}

void jtgi_breakglass_token_wipe(struct jtgi_breakglass_token *token)
{
    sodium_memzero(token, sizeof *token);
}
