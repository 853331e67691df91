/* SPDX-License-Identifier: Apache-2.0 */
/* For those who run it. None of these waits for the store. */
#include "exposition.h"
#include "reply.h"
#include "routes.h"

enum MHD_Result endpoint_livez(struct exchange *exchange)
{
    struct reply reply = reply_text(200, "ok\n");
    return reply_send(&reply, exchange);
}

/* Without the keys of any issuer nothing can be admitted; with those of some, something can. */
static bool has_keys(struct verifier *verifier)
{
    struct keys_status keys;
    bool any = false;
    size_t count = 0;
    if (verifier == NULL)
        return true;
    for (; verifier_keys_status(verifier, count, &keys); count++)
        any = any || keys.keys > 0;
    return any || count == 0;
}

static const char *why_not(struct service *service)
{
    jtg_status status = prober_status(service->prober);
    if (atomic_load(&service->draining))
        return "draining";
    if (status != JTG_OK)
        return jtg_status_name(status);
    return has_keys(service->verifier) ? NULL : "keys_unavailable";
}

enum MHD_Result endpoint_readyz(struct exchange *exchange)
{
    char text[64];
    const char *reason = why_not(exchange->service);
    (void)snprintf(text, sizeof text, reason != NULL ? "not ready: %s\n" : "ready\n", reason);
    struct reply reply = reply_text(reason != NULL ? 503 : 200, text);
    return reply_send(&reply, exchange);
}

enum MHD_Result endpoint_metrics(struct exchange *exchange)
{
    struct bytes text = {NULL, 0, 0};
    struct reply reply;
    if (exposition_write(&text, exchange->service))
        reply = reply_new(200, "text/plain; version=0.0.4; charset=utf-8", text.data, text.len);
    else
        reply = reply_text(500, "out of memory\n");
    bytes_clear(&text);
    return reply_send(&reply, exchange);
}
