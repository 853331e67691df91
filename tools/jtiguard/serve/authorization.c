/* SPDX-License-Identifier: Apache-2.0 */
#include "authorization.h"

#include <string.h>
#include <strings.h>

/* One visible word: what follows a blank, or a byte that no token has, could be read in two
 * ways. */
static bool is_word(jtg_text text)
{
    for (size_t i = 0; i < text.data_len; i++)
        if (text.data[i] < '!' || text.data[i] > '~' || text.data[i] == ',')
            return false;
    return text.data_len > 0;
}

static jtg_text without_blanks(const char *start, const char *end)
{
    while (start < end && *start == ' ')
        start++;
    while (end > start && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    return (jtg_text){start, (size_t)(end - start)};
}

enum authorization_answer authorization_split(jtg_text header, const char *scheme, jtg_text *token)
{
    size_t len = strlen(scheme);
    if (header.data_len < len || strncasecmp(header.data, scheme, len) != 0)
        return AUTHORIZATION_OTHER;
    if (header.data_len > len && header.data[len] != ' ')
        return AUTHORIZATION_OTHER;
    *token = without_blanks(header.data + len, header.data + header.data_len);
    return is_word(*token) ? AUTHORIZATION_OK : AUTHORIZATION_MALFORMED;
}

static enum refusal read_proof(struct authorization *shown, const struct exchange *exchange)
{
    struct header_value proof = exchange_header(exchange, "DPoP");
    if (proof.count > 1)
        return REFUSAL_REPEATED_PROOF;
    if (proof.count == 0 || proof.text.data_len == 0)
        return REFUSAL_MISSING_PROOF;
    shown->proof = proof.text;
    return REFUSAL_NONE;
}

enum refusal authorization_read(struct authorization *shown, const struct exchange *exchange)
{
    struct header_value header = exchange_header(exchange, MHD_HTTP_HEADER_AUTHORIZATION);
    *shown = (struct authorization){false, {NULL, 0}, {NULL, 0}};
    if (header.count > 1)
        return REFUSAL_REPEATED_AUTHORIZATION;
    if (header.count == 0)
        return REFUSAL_MISSING_TOKEN;
    enum authorization_answer bearer = authorization_split(header.text, "Bearer", &shown->token);
    if (bearer == AUTHORIZATION_OK)
        return REFUSAL_NONE;
    enum authorization_answer dpop = authorization_split(header.text, "DPoP", &shown->token);
    shown->is_dpop = dpop != AUTHORIZATION_OTHER;
    if (dpop == AUTHORIZATION_OK)
        return read_proof(shown, exchange);
    shown->token = (jtg_text){NULL, 0};
    return bearer == AUTHORIZATION_MALFORMED || dpop == AUTHORIZATION_MALFORMED
               ? REFUSAL_MALFORMED_AUTHORIZATION
               : REFUSAL_UNSUPPORTED_SCHEME;
}
