/* SPDX-License-Identifier: Apache-2.0 */
/* For those who run it. None of these waits for the store. */
#include "serve/answer/endpoints.h"
#include "serve/answer/exposition.h"
#include "serve/answer/openapi_document.h"
#include "serve/http/reply.h"

#include <string.h>

bool endpoint_livez(struct exchange *exchange)
{
    struct reply reply = reply_text(200, "ok\n");
    return reply_send(&reply, &exchange->request);
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

/* What a token that came now would meet. reason NULL: nothing that refuses all. */
struct readiness {
    const char *reason;
    char text[JTG_ERROR_TEXT_BYTES];
};

static void look_at(struct readiness *readiness, struct responder *responder)
{
    jtg_status status = prober_explain(responder->prober, readiness->text);
    if (status == JTG_OK)
        readiness->text[0] = '\0';
    else if (readiness->text[0] == '\0')
        (void)snprintf(readiness->text, sizeof readiness->text, "%s", jtg_status_text(status));
    if (atomic_load(&responder->draining))
        *readiness = (struct readiness){"draining", "it is about to end"};
    else if (status != JTG_OK)
        readiness->reason = jtg_status_name(status);
    else if (!has_keys(responder->verifier))
        *readiness = (struct readiness){"keys_unavailable", "there are no keys of any issuer"};
}

static bool wants_json(const struct exchange *exchange)
{
    struct header_value accept = request_header(&exchange->request, "Accept");
    return accept.count > 0 && strstr(accept.text.data, "application/json") != NULL;
}

static struct reply readiness_json(const struct readiness *readiness)
{
    if (readiness->reason == NULL)
        return reply_json(200, json_pack("{s:b}", "ready", 1));
    return reply_json(503, json_pack("{s:b, s:s, s:s}", "ready", 0, "reason", readiness->reason,
                                     "text", readiness->text));
}

static struct reply readiness_text(const struct readiness *readiness)
{
    char text[sizeof readiness->text + 64];
    if (readiness->reason == NULL)
        return reply_text(200, "ready\n");
    (void)snprintf(text, sizeof text, "not ready: %s\n%s\n", readiness->reason, readiness->text);
    return reply_text(503, text);
}

bool endpoint_readyz(struct exchange *exchange)
{
    struct readiness readiness = {NULL, ""};
    look_at(&readiness, exchange->responder);
    struct reply reply =
        wants_json(exchange) ? readiness_json(&readiness) : readiness_text(&readiness);
    return reply_send(&reply, &exchange->request);
}

bool endpoint_metrics(struct exchange *exchange)
{
    struct bytes text = {NULL, 0, 0};
    struct reply reply;
    if (exposition_write(&text, exchange->responder))
        reply = reply_new(200, "text/plain; version=0.0.4; charset=utf-8", text.data, text.len);
    else
        reply = reply_text(500, "out of memory\n");
    bytes_clear(&text);
    return reply_send(&reply, &exchange->request);
}

bool endpoint_openapi(struct exchange *exchange)
{
    struct reply reply = reply_new(200, "application/json", openapi_document, openapi_document_len);
    return reply_send(&reply, &exchange->request);
}
