/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy.h"

#include "routes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OWNER_MAX_BYTES = 512 };

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
    struct peer peer = exchange_peer(exchange);
    struct origin origin = {.trusted = networks_hold(&settings->trusted_proxies, &peer),
                            .client = peer};
    if (origin.trusted && settings->client_header != NULL) {
        struct header_value chain = exchange_header(exchange, settings->client_header);
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
                              jtg_owner *owner)
{
    const char *name = policy_settings(exchange->policy)->owner_header;
    if (name == NULL || !origin->trusted)
        return OWNER_NONE;
    struct header_value value = exchange_header(exchange, name);
    if (value.count > 1 || value.text.data_len > OWNER_MAX_BYTES)
        return OWNER_UNUSABLE;
    if (value.text.data_len == 0 ||
        jtg_owner_from_bytes(owner, value.text.data, value.text.data_len) != JTG_OK)
        return OWNER_NONE;
    return OWNER_SET;
}

/* A header that stands there once and says something. */
static bool take(const struct exchange *exchange, const char *name, jtg_text *text)
{
    struct header_value value = exchange_header(exchange, name);
    *text = value.text;
    return value.count == 1 && value.text.data_len > 0;
}

static bool join(jtg_text *url, char **memory, jtg_text scheme, jtg_text host, jtg_text path)
{
    size_t len = scheme.data_len + host.data_len + path.data_len + 4;
    *memory = malloc(len);
    if (*memory == NULL)
        return false;
    int wrote = snprintf(*memory, len, "%.*s%s%.*s%.*s", (int)scheme.data_len, scheme.data,
                         scheme.data_len > 0 ? "://" : "", (int)host.data_len, host.data,
                         (int)path.data_len, path.data);
    *url = (jtg_text){*memory, wrote > 0 ? (size_t)wrote : 0};
    return wrote > 0;
}

static bool forwarded_target(const struct exchange *exchange, jtg_text *method, jtg_text *url,
                             char **memory)
{
    jtg_text scheme;
    jtg_text host;
    jtg_text path;
    return take(exchange, "X-Forwarded-Method", method) &&
           take(exchange, "X-Forwarded-Proto", &scheme) &&
           take(exchange, "X-Forwarded-Host", &host) && take(exchange, "X-Forwarded-Uri", &path) &&
           path.data[0] == '/' && join(url, memory, scheme, host, path);
}

static jtg_text text_of(const char *text)
{
    return (jtg_text){text, strlen(text)};
}

static bool own_target(const struct exchange *exchange, jtg_text *method, jtg_text *url,
                       char **memory)
{
    const char *path = exchange->uri + strlen(CHECK_PATH);
    *method = text_of(exchange->method);
    return join(url, memory, (jtg_text){"", 0},
                text_of(policy_settings(exchange->policy)->public_url),
                text_of(*path == '/' ? path : "/"));
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
