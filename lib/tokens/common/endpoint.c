/* SPDX-License-Identifier: Apache-2.0 */
#include "tokens/common/endpoint.h"

#include "core/options.h"

#include <arpa/inet.h>
#include <jtiguard/status.h>
#include <stdio.h>
#include <string.h>

#define OLDEST_SIZE sizeof(jtg_endpoint)

enum { PORT_MAX = 65535 };

/* ---- the host ---- */

static bool is_mapped(const struct in6_addr *address)
{
    return IN6_IS_ADDR_V4MAPPED(address) != 0;
}

/* Add `%scope`, the name of an interface: its case counts. */
static void add_scope(char *normal, const char *scope)
{
    size_t len = strlen(normal);
    (void)snprintf(normal + len, JTGI_HOST_BYTES - len, "%%%s", scope);
}

/* text is an address without brackets, `scope` what follows its '%', or NULL. */
static bool normalise_address(const char *text, const char *scope, char *normal)
{
    struct in_addr four;
    struct in6_addr six;
    if (scope == NULL && inet_pton(AF_INET, text, &four) == 1)
        return inet_ntop(AF_INET, &four, normal, JTGI_HOST_BYTES) != NULL;
    if (inet_pton(AF_INET6, text, &six) != 1)
        return false;
    if (scope == NULL && is_mapped(&six))
        return inet_ntop(AF_INET, &six.s6_addr[12], normal, JTGI_HOST_BYTES) != NULL;
    if (inet_ntop(AF_INET6, &six, normal, JTGI_HOST_BYTES) == NULL)
        return false;
    if (scope != NULL)
        add_scope(normal, scope);
    return true;
}

static bool is_name_byte(char byte)
{
    return byte > 0x20 && byte < 0x7f && strchr("[]%/\\@:?#", byte) == NULL;
}

/* Of ASCII alone, whatever the locale. */
static char lower(char byte)
{
    static const char upper[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    const char *at = strchr(upper, byte);
    if (at == NULL || *at == '\0')
        return byte;
    return "abcdefghijklmnopqrstuvwxyz"[at - upper];
}

/* No label of it is empty, but for the root behind one dot at its end. */
static bool normalise_name(const char *host, size_t len, char *normal)
{
    if (host[len - 1] == '.')
        len--;
    if (len == 0)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (!is_name_byte(host[i]) || (host[i] == '.' && (i == 0 || host[i - 1] == '.')))
            return false;
        normal[i] = lower(host[i]);
    }
    normal[len] = '\0';
    return normal[len - 1] != '.';
}

static bool is_scope(const char *scope)
{
    if (*scope == '\0')
        return false;
    while (*scope != '\0')
        if (!is_name_byte(*scope++))
            return false;
    return true;
}

bool jtgi_host_normalise(const char *host, char normal[JTGI_HOST_BYTES])
{
    char copy[JTG_ENDPOINT_HOST_MAX_BYTES + 1];
    size_t len = strnlen(host, sizeof copy);
    if (len == 0 || len == sizeof copy)
        return false;
    memcpy(copy, host, len + 1);
    char *text = copy;
    bool bracketed = copy[0] == '[' && copy[len - 1] == ']';
    if (bracketed) {
        copy[len - 1] = '\0';
        text++;
    }
    char *scope = strchr(text, '%');
    if (scope != NULL) {
        *scope++ = '\0';
        if (!is_scope(scope))
            return false;
    }
    if (normalise_address(text, scope, normal))
        return true;
    return !bracketed && scope == NULL && normalise_name(host, len, normal);
}

/* ---- the endpoint ---- */

jtg_status jtgi_endpoint_read(jtg_endpoint *endpoint, const jtg_endpoint *given, jtg_error *err)
{
    *endpoint = (jtg_endpoint)JTG_ENDPOINT_INIT;
    if (given == NULL)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "endpoint is NULL");
    return jtg_struct_read(endpoint, sizeof *endpoint, OLDEST_SIZE, given, "endpoint", err);
}

/* ---- the digest ---- */

static bool is_given(const void *data, size_t len, size_t most)
{
    return len <= most && (data != NULL || len == 0);
}

jtg_status jtgi_endpoint_digest(const jtg_endpoint *endpoint, const char *label, const char *zone,
                                unsigned char digest[JTGI_ENDPOINT_DIGEST_BYTES], jtg_error *err)
{
    char host[JTGI_HOST_BYTES];
    struct jtgi_digest parts;
    if (endpoint->host == NULL || !jtgi_host_normalise(endpoint->host, host))
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "endpoint: host is no name or address");
    if (endpoint->port == 0 || endpoint->port > PORT_MAX || endpoint->reserved != 0)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "endpoint: port is not 1 to 65535");
    if (!is_given(endpoint->alpn, endpoint->alpn_len, JTG_ENDPOINT_ALPN_MAX_BYTES) ||
        !is_given(endpoint->parameters, endpoint->parameters_len,
                  JTG_ENDPOINT_PARAMETERS_MAX_BYTES))
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "endpoint: alpn or parameters too long");
    const unsigned char port[] = {(unsigned char)(endpoint->port >> 8),
                                  (unsigned char)endpoint->port};
    jtgi_digest_begin(&parts);
    jtgi_digest_part(&parts, label, strlen(label));
    jtgi_digest_part(&parts, zone, strlen(zone));
    jtgi_digest_part(&parts, host, strlen(host));
    jtgi_digest_part(&parts, port, sizeof port);
    jtgi_digest_part(&parts, endpoint->alpn, endpoint->alpn_len);
    jtgi_digest_part(&parts, endpoint->parameters, endpoint->parameters_len);
    jtgi_digest_end(&parts, digest);
    return JTG_OK;
}

void jtgi_endpoint_ticket_digest(const unsigned char digest[JTGI_ENDPOINT_DIGEST_BYTES],
                                 const char *label, const void *ticket, size_t ticket_len,
                                 unsigned char ticket_digest[JTGI_ENDPOINT_DIGEST_BYTES])
{
    struct jtgi_digest parts;
    jtgi_digest_begin(&parts);
    jtgi_digest_part(&parts, label, strlen(label));
    jtgi_digest_part(&parts, digest, JTGI_ENDPOINT_DIGEST_BYTES);
    jtgi_digest_part(&parts, ticket, ticket_len);
    jtgi_digest_end(&parts, ticket_digest);
}

void jtgi_endpoint_key(const char *prefix, const unsigned char digest[JTGI_ENDPOINT_DIGEST_BYTES],
                       char *key, size_t key_size)
{
    char text[JTGI_DIGEST_TEXT_BYTES + 1];
    jtgi_digest_write(digest, text);
    (void)snprintf(key, key_size, "%s%s", prefix, text);
}
