/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/answer/routes.h"

#include "serve/answer/endpoints.h"
#include "serve/http/reply.h"

#include <string.h>

enum { TO_MAIN = 1 << HTTP_MAIN, TO_API = 1 << HTTP_API, TO_ADMIN = 1 << HTTP_ADMIN };

struct route {
    const char *path;
    enum metrics_endpoint endpoint;
    unsigned roles;      /* of the listeners that have it */
    const char *methods; /* NULL: any; else POST, or GET and HEAD */
    bool (*answer)(struct exchange *exchange);
};

static const char reading[] = "GET, HEAD";

/* /check takes any method: Envoy asks with that of the request that it asks about, and 405 is
 * nothing that a proxy could pass on. */
static const struct route routes[] = {
    {CHECK_PATH, METRICS_CHECK, TO_MAIN, NULL, endpoint_check},
    {"/v1/reserve", METRICS_RESERVE, TO_MAIN | TO_API, "POST", endpoint_reserve},
    {"/v1/check", METRICS_BATCH, TO_MAIN | TO_API, "POST", endpoint_batch},
    {"/v1/release", METRICS_RELEASE, TO_MAIN | TO_API, "POST", endpoint_release},
    {"/v1/challenge", METRICS_CHALLENGE, TO_MAIN | TO_API, "POST", endpoint_challenge},
    {"/v1/consume", METRICS_CONSUME, TO_MAIN | TO_API, "POST", endpoint_consume},
    {"/livez", METRICS_LIVEZ, TO_ADMIN, reading, endpoint_livez},
    {"/readyz", METRICS_READYZ, TO_ADMIN, reading, endpoint_readyz},
    {"/metrics", METRICS_METRICS, TO_ADMIN, reading, endpoint_metrics},
    {"/openapi.json", METRICS_OPENAPI, TO_ADMIN, reading, endpoint_openapi},
};

/* As it came: an escaped letter makes another path. */
static bool is_path(const struct exchange *exchange, const struct route *route)
{
    size_t len = strlen(route->path);
    if (strncmp(exchange->request.uri, route->path, len) != 0)
        return false;
    char next = exchange->request.uri[len];
    return next == '\0' || next == '?' || (next == '/' && route->endpoint == METRICS_CHECK);
}

static bool has_role(const struct exchange *exchange, const struct route *route)
{
    enum http_role role = exchange->request.role;
    bool is_api = (route->roles & TO_API) != 0;
    /* Among the proxies only behind a secret. */
    if (is_api && role == HTTP_MAIN && policy_settings(exchange->policy)->api_secrets.count == 0)
        return false;
    return (route->roles & (1U << role)) != 0;
}

static bool takes_method(const struct route *route, const char *method)
{
    if (route->methods == NULL || strcmp(route->methods, method) == 0)
        return true;
    return route->methods == reading && (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0);
}

/* Whoever set the service up and looks for the API is told what it takes; that there is one is no
 * secret. */
static bool answer_not_found(struct exchange *exchange)
{
    struct reply reply = strncmp(exchange->request.uri, "/v1/", 4) == 0
                             ? reply_text(404, "not found: /v1/ is on api_listen, and on listen "
                                               "where api_secret is set\n")
                             : reply_text(404, "not found\n");
    return reply_send(&reply, &exchange->request);
}

static bool answer(struct request *request)
{
    struct exchange *exchange = exchange_of(request);
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        if (!is_path(exchange, &routes[i]) || !has_role(exchange, &routes[i]))
            continue;
        exchange->endpoint = routes[i].endpoint;
        if (takes_method(&routes[i], exchange->request.method))
            return routes[i].answer(exchange);
        struct reply reply = reply_wrong_method(routes[i].methods);
        return reply_send(&reply, &exchange->request);
    }
    return answer_not_found(exchange);
}

static void log_text(void *context, const char *text)
{
    const struct responder *responder = context;
    service_log_text(responder->log, JTG_LOG_DEBUG, "http", text);
}

struct http_answerer routes_answerer(struct responder *responder)
{
    return (struct http_answerer){responder, exchange_open, answer, exchange_close, log_text};
}
