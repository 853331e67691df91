/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/say/slots/redirect.h"

#include "core/digits.h"
#include "redis/say/slots/slots.h"

#include <string.h>

/* An IPv6 address stands there without brackets, so only the last colon is before the port. */
static bool read_place(const char *text, const char *end, const struct jtgi_address *asked,
                       struct jtgi_address *address)
{
    uint64_t port = 0;
    const char *colon = end;
    while (colon > text && colon[-1] != ':')
        colon--;
    if (colon == text || !jtgi_digits_read(colon, (size_t)(end - colon), UINT16_MAX, &port))
        return false;
    size_t host_len = (size_t)(colon - text) - 1;
    if (host_len == 0)
        return asked->unix_path == NULL &&
               jtgi_address_set(address, asked->host, strlen(asked->host), (uint32_t)port);
    if (host_len == 1 && *text == '?')
        return false;
    return jtgi_address_set(address, text, host_len, (uint32_t)port);
}

bool jtgi_redirect_read(struct jtgi_redirect *redirect, const char *text, size_t text_len,
                        const struct jtgi_address *asked)
{
    const char *end = text + text_len;
    const char *at = memchr(text, ' ', text_len);
    uint64_t slot = 0;
    if (at == NULL)
        return false;
    at++;
    if (!jtgi_digits_take(&at, end, JTGI_SLOTS - 1, &slot) || at == end || *at != ' ')
        return false;
    redirect->slot = (uint16_t)slot;
    return read_place(at + 1, end, asked, &redirect->address);
}
