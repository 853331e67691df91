/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/settings/header_name.h"

#include <string.h>
#include <strings.h>

bool is_header_name(const char *text)
{
    static const char letters[] = "!#$%&'*+-.^_`|~0123456789"
                                  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    size_t len = strlen(text);
    return len > 0 && len <= 128 && strspn(text, letters) == len;
}

/* Headers that mean something to the connection, to caches, or that the service sets itself: a
 * claim must not be able to say those. */
bool is_reserved_header(const char *name)
{
    static const char *const names[] = {"Cache-Control",  "Connection",        "Content-Encoding",
                                        "Content-Length", "Content-Type",      "Date",
                                        "DPoP-Nonce",     "Keep-Alive",        "Location",
                                        "Set-Cookie",     "Trailer",           "Transfer-Encoding",
                                        "Upgrade",        "WWW-Authenticate",  "X-JTI-Result",
                                        "X-JTI-Reason",   "Proxy-Authenticate"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcasecmp(names[i], name) == 0)
            return true;
    return false;
}

static char folded(char c)
{
    if (c == '_')
        return '-';
    if (c >= 'A' && c <= 'Z')
        return (char)(c - 'A' + 'a');
    return c;
}

/* A pattern that ends in "*" stands for all that begin so. */
static bool matches(const char *pattern, const char *name)
{
    while (*pattern != '\0' && *pattern != '*' && folded(*name) == *pattern) {
        pattern++;
        name++;
    }
    return *pattern == '*' || (*pattern == '\0' && *name == '\0');
}

/* Also those that proxies commonly pass on as they came, as ids of traces: a client that writes one
 * would choose to use its token twice. */
bool is_client_header(const char *name)
{
    static const char *const patterns[] = {"accept*",
                                           "access-control-*",
                                           "authorization",
                                           "baggage",
                                           "cache-control",
                                           "cdn-loop",
                                           "connection",
                                           "content-*",
                                           "cookie*",
                                           "date",
                                           "dnt",
                                           "dpop*",
                                           "early-data",
                                           "expect",
                                           "forwarded*",
                                           "from",
                                           "host",
                                           "idempotency-key",
                                           "if-*",
                                           "keep-alive",
                                           "last-event-id",
                                           "max-forwards",
                                           "origin",
                                           "pragma",
                                           "prefer",
                                           "priority",
                                           "proxy-*",
                                           "purpose",
                                           "range",
                                           "referer",
                                           "sec-*",
                                           "te",
                                           "traceparent",
                                           "tracestate",
                                           "trailer",
                                           "transfer-encoding",
                                           "upgrade*",
                                           "user-agent",
                                           "via",
                                           "x-amzn-trace-id",
                                           "x-b3-*",
                                           "x-csrf-token",
                                           "x-forwarded*",
                                           "x-http-method*",
                                           "x-original-*",
                                           "x-idempotency-key",
                                           "x-real-ip",
                                           "x-requested-with",
                                           "b3",
                                           "http2-settings",
                                           "x-method-override",
                                           "save-data"};
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++)
        if (matches(patterns[i], name))
            return true;
    return false;
}

/* Named one by one: a list of what clients write is never whole, for each vendor has names of its
 * own. x-jti-* are ours, and a proxy sends one where its configuration writes it. */
bool is_proxy_id_header(const char *name)
{
    static const char own[] = "x-jti-";
    return strcasecmp(name, "x-request-id") == 0 || strcasecmp(name, "x-unique-id") == 0 ||
           strncasecmp(name, own, sizeof own - 1) == 0;
}
