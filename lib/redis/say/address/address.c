/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/say/address/address.h"

#include "core/digits.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { PORT_MAX = 65535 };

/* No space, no control character: such a name came about by accident. */
static bool is_host(const char *host, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (host[i] < 0x21 || host[i] > 0x7e || strchr(",/[]", host[i]) != NULL)
            return false;
    return len > 0 && len <= JTGI_HOST_MAX_BYTES;
}

bool jtgi_address_set(struct jtgi_address *address, const char *host, size_t host_len,
                      uint32_t port)
{
    if (!is_host(host, host_len) || port == 0 || port > PORT_MAX)
        return false;
    address->unix_path = NULL;
    memcpy(address->host, host, host_len);
    address->host[host_len] = '\0';
    address->other_host[0] = '\0';
    address->port = port;
    address->mapped = false;
    return true;
}

bool jtgi_address_set_other(struct jtgi_address *address, const char *host, size_t host_len)
{
    if (!is_host(host, host_len))
        return false;
    memcpy(address->other_host, host, host_len);
    address->other_host[host_len] = '\0';
    return true;
}

bool jtgi_address_equals(const struct jtgi_address *one, const struct jtgi_address *other)
{
    if (one->unix_path != NULL || other->unix_path != NULL)
        return one->unix_path != NULL && other->unix_path != NULL &&
               strcmp(one->unix_path, other->unix_path) == 0;
    return one->port == other->port && strcasecmp(one->host, other->host) == 0;
}

bool jtgi_address_crosses(const struct jtgi_address *one, const struct jtgi_address *other)
{
    return one->unix_path == NULL && other->unix_path == NULL && one->port == other->port &&
           (strcasecmp(one->host, other->other_host) == 0 ||
            strcasecmp(one->other_host, other->host) == 0);
}

void jtgi_address_format(const struct jtgi_address *address, char *text, size_t size)
{
    bool bracketed = strchr(address->host, ':') != NULL;
    if (address->unix_path != NULL)
        (void)snprintf(text, size, "%s", address->unix_path);
    else
        (void)snprintf(text, size, "%s%s%s:%u", bracketed ? "[" : "", address->host,
                       bracketed ? "]" : "", address->port);
}

/* ---- lists ---- */

static bool read_port(const char *text, size_t len, uint32_t *port)
{
    uint64_t value = 0;
    if (len > 5 || !jtgi_digits_read(text, len, PORT_MAX, &value))
        return false;
    *port = (uint32_t)value;
    return value > 0;
}

/* One address without brackets: more than one colon would leave open where the port begins. */
static bool read_plain(const char *text, size_t len, uint32_t port, struct jtgi_address *address)
{
    const char *colon = memchr(text, ':', len);
    size_t host_len = colon == NULL ? len : (size_t)(colon - text);
    if (colon != NULL && !read_port(colon + 1, len - host_len - 1, &port))
        return false;
    return jtgi_address_set(address, text, host_len, port);
}

static bool read_bracketed(const char *text, size_t len, uint32_t port,
                           struct jtgi_address *address)
{
    const char *end = memchr(text, ']', len);
    if (end == NULL)
        return false;
    size_t host_len = (size_t)(end - text) - 1;
    size_t rest = len - host_len - 2;
    if (rest > 0 && (end[1] != ':' || !read_port(end + 2, rest - 1, &port)))
        return false;
    return jtgi_address_set(address, text + 1, host_len, port);
}

bool jtgi_address_read(const char *text, size_t len, uint32_t default_port,
                       struct jtgi_address *address)
{
    bool bracketed = len > 0 && *text == '[';
    bool has_port = bracketed ? text[len - 1] != ']' : memchr(text, ':', len) != NULL;
    uint32_t port = default_port == 0 ? PORT_MAX : default_port;
    bool read =
        bracketed ? read_bracketed(text, len, port, address) : read_plain(text, len, port, address);
    if (read && !has_port)
        address->port = default_port;
    return read;
}

bool jtgi_address_next(const char **list, uint32_t default_port, struct jtgi_address *address)
{
    const char *text = *list;
    size_t len = strcspn(text, ",");
    *list = text[len] == '\0' ? NULL : text + len + 1;
    return jtgi_address_read(text, len, default_port, address);
}
