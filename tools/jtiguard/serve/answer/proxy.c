/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/answer/proxy.h"

#include "digits.h"
#include "serve/answer/endpoints.h"
#include "serve/answer/owner_window.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { PORT_DIGITS = 5, PORT_BYTES = PORT_DIGITS + 2 };

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Proxies add to the right. The first address from there that is no trusted proxy is the client;
 * what stands left of it, the client may have made up. */
static struct peer client_of_chain(const struct networks *trusted, jtg_text chain,
                                   struct peer nearest)
{
    struct peer client = nearest;
    size_t end = chain.data_len;
    while (end > 0 && networks_hold(trusted, &client)) {
        size_t start = end;
        while (start > 0 && chain.data[start - 1] != ',')
            start--;
        size_t first = start;
        size_t last = end;
        while (first < last && is_blank(chain.data[first]))
            first++;
        while (last > first && is_blank(chain.data[last - 1]))
            last--;
        if (!peer_read(&client, chain.data + first, last - first))
            return client; /* not known: better than another's */
        end = start > 0 ? start - 1 : 0;
    }
    return client;
}

struct origin proxy_origin(const struct exchange *exchange)
{
    const struct service_settings *settings = policy_settings(exchange->policy);
    struct peer peer = request_peer(&exchange->request);
    struct origin origin = {.trusted = networks_hold(&settings->trusted_proxies, &peer),
                            .client = peer};
    if (origin.trusted && settings->client_header != NULL) {
        struct header_value chain = request_header(&exchange->request, settings->client_header);
        if (chain.count == 1)
            origin.client = client_of_chain(&settings->trusted_proxies, chain.text, peer);
        else if (chain.count > 1)
            origin.client = (struct peer){false, false, {0}};
    }
    /* A trusted proxy that does not say for whom it asks is not the client: to limit it would
     * limit everybody. */
    if (!networks_hold(&settings->trusted_proxies, &origin.client))
        origin.key_len = peer_key(&origin.client, origin.key);
    return origin;
}

enum owner_answer proxy_owner(const struct exchange *exchange, const struct origin *origin,
                              jtg_text *id)
{
    const char *name = policy_settings(exchange->policy)->owner_header;
    if (name == NULL || !origin->trusted)
        return OWNER_NONE;
    struct header_value value = request_header(&exchange->request, name);
    if (value.count > 1 || value.text.data_len > OWNER_ID_MAX_BYTES)
        return OWNER_UNUSABLE;
    *id = value.text;
    return id->data_len > 0 ? OWNER_SET : OWNER_NONE;
}

/* A header that stands there once and says something. */
static bool take(const struct exchange *exchange, const char *name, jtg_text *text)
{
    struct header_value value = request_header(&exchange->request, name);
    *text = value.text;
    return value.count == 1 && value.text.data_len > 0;
}

/* Of a list the first, which is the client's own connection: each proxy adds to the right. A
 * WebSocket is asked for over http, and its proof is for that (RFC 9449 knows no wss). */
static jtg_text client_scheme(jtg_text list)
{
    const char *comma = memchr(list.data, ',', list.data_len);
    size_t len = comma != NULL ? (size_t)(comma - list.data) : list.data_len;
    while (len > 0 && is_blank(list.data[len - 1]))
        len--;
    if (len == 3 && strncasecmp(list.data, "wss", 3) == 0)
        return jtg_text_of("https");
    if (len == 2 && strncasecmp(list.data, "ws", 2) == 0)
        return jtg_text_of("http");
    return (jtg_text){list.data, len};
}

static bool names_port(jtg_text host)
{
    for (size_t i = host.data_len; i > 0 && host.data[i - 1] != ']'; i--)
        if (host.data[i - 1] == ':')
            return true;
    return false;
}

/* ":8443", or nothing. 80 and 443 are what a proxy says that was asked in clear behind one that was
 * not: the scheme knows better. false: it is no port, or stands twice. */
static bool take_port(const struct exchange *exchange, jtg_text host, char port[PORT_BYTES])
{
    struct header_value value = request_header(&exchange->request, "X-Forwarded-Port");
    uint64_t number = 0;
    port[0] = '\0';
    if (value.count == 0 || names_port(host))
        return true;
    if (value.count > 1 || value.text.data_len > PORT_DIGITS ||
        !digits_read(value.text.data, value.text.data_len, UINT16_MAX, &number) || number == 0)
        return false;
    if (number != 80 && number != 443)
        (void)snprintf(port, PORT_BYTES, ":%u", (unsigned)number);
    return true;
}

/* What was taken from the front of the path, without its last "/". */
static bool take_prefix(const struct exchange *exchange, jtg_text *prefix)
{
    struct header_value value = request_header(&exchange->request, "X-Forwarded-Prefix");
    *prefix = value.count > 0 ? value.text : jtg_text_of("");
    while (prefix->data_len > 0 && prefix->data[prefix->data_len - 1] == '/')
        prefix->data_len--;
    return value.count <= 1 && (prefix->data_len == 0 || prefix->data[0] == '/');
}

/* Joined as they stand. */
static bool join(jtg_text *url, char **memory, const jtg_text *parts, size_t count)
{
    size_t len = 0;
    for (size_t i = 0; i < count; i++)
        len += parts[i].data_len;
    *memory = malloc(len + 1);
    if (*memory == NULL)
        return false;
    *url = (jtg_text){*memory, len};
    char *at = *memory;
    for (size_t i = 0; i < count; i++) {
        memcpy(at, parts[i].data, parts[i].data_len);
        at += parts[i].data_len;
    }
    *at = '\0';
    return true;
}

static bool forwarded_target(const struct exchange *exchange, jtg_text *method, jtg_text *url,
                             char **memory)
{
    const struct service_settings *settings = policy_settings(exchange->policy);
    enum { SCHEME, COLON, HOST, PORT, PREFIX, PATH, PARTS };
    char port[PORT_BYTES] = "";
    jtg_text parts[PARTS] = {[COLON] = jtg_text_of("://"), [PREFIX] = jtg_text_of("")};
    if (!take(exchange, "X-Forwarded-Method", method) ||
        !take(exchange, "X-Forwarded-Proto", &parts[SCHEME]) ||
        !take(exchange, "X-Forwarded-Host", &parts[HOST]) ||
        !take(exchange, "X-Forwarded-Uri", &parts[PATH]) || parts[PATH].data[0] != '/' ||
        (settings->forwarded_port && !take_port(exchange, parts[HOST], port)) ||
        (settings->forwarded_prefix && !take_prefix(exchange, &parts[PREFIX])))
        return false;
    parts[SCHEME] = client_scheme(parts[SCHEME]);
    parts[PORT] = jtg_text_of(port);
    return join(url, memory, parts, PARTS);
}

static bool own_target(const struct exchange *exchange, jtg_text *method, jtg_text *url,
                       char **memory)
{
    const char *path = exchange->request.uri + strlen(CHECK_PATH);
    const jtg_text parts[] = {jtg_text_of(policy_settings(exchange->policy)->public_url),
                              jtg_text_of(*path == '/' ? path : "/")};
    *method = jtg_text_of(exchange->request.method);
    return join(url, memory, parts, sizeof parts / sizeof *parts);
}

bool proxy_target(const struct exchange *exchange, const struct origin *origin, jtg_text *method,
                  jtg_text *url, char **memory)
{
    *memory = NULL;
    if (!origin->trusted)
        return false;
    switch (policy_settings(exchange->policy)->target_from) {
    case TARGET_FROM_FORWARDED:
        return forwarded_target(exchange, method, url, memory);
    case TARGET_FROM_ORIGINAL:
        return take(exchange, "X-Original-Method", method) && take(exchange, "X-Original-URL", url);
    case TARGET_FROM_REQUEST:
        return own_target(exchange, method, url, memory);
    default:
        return false;
    }
}
