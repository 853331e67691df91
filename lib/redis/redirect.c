/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/redirect.h"

#include "redis/slots.h"

#include <string.h>

/* The number at the beginning; false without one, or when it is too large. */
static bool take_number(const char **text, const char *end, uint32_t highest, uint32_t *number)
{
    uint32_t value = 0;
    const char *at = *text;
    for (; at < end && *at >= '0' && *at <= '9'; at++) {
        value = value * 10 + (uint32_t)(*at - '0');
        if (value > highest)
            return false;
    }
    bool found = at > *text;
    *text = at;
    *number = value;
    return found;
}

/* An IPv6 address stands there without brackets, so only the last colon is before the port. */
static bool read_place(const char *text, const char *end, const struct jtgi_address *asked,
                       struct jtgi_address *address)
{
    uint32_t port = 0;
    const char *colon = end;
    while (colon > text && colon[-1] != ':')
        colon--;
    const char *digits = colon;
    if (colon == text || !take_number(&digits, end, UINT16_MAX, &port) || digits != end)
        return false;
    size_t host_len = (size_t)(colon - text) - 1;
    if (host_len == 0)
        return asked->unix_path == NULL &&
               jtgi_address_set(address, asked->host, strlen(asked->host), port);
    if (host_len == 1 && *text == '?')
        return false;
    return jtgi_address_set(address, text, host_len, port);
}

bool jtgi_redirect_read(struct jtgi_redirect *redirect, const char *text, size_t text_len,
                        const struct jtgi_address *asked)
{
    const char *end = text + text_len;
    const char *at = memchr(text, ' ', text_len);
    uint32_t slot = 0;
    if (at == NULL)
        return false;
    at++;
    if (!take_number(&at, end, JTGI_SLOTS - 1, &slot) || at == end || *at != ' ')
        return false;
    redirect->slot = (uint16_t)slot;
    return read_place(at + 1, end, asked, &redirect->address);
}
