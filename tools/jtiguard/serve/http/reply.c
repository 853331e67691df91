/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/http/reply.h"

#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>

struct reply reply_new(unsigned status, const char *content_type, const void *body, size_t body_len)
{
    union {
        const void *given;
        void *taken; /* it is copied, and the library cannot say so */
    } data = {.given = body};
    struct reply reply = {
        status, MHD_create_response_from_buffer(body_len, data.taken, MHD_RESPMEM_MUST_COPY),
        false};
    reply.failed = reply.response == NULL;
    if (content_type != NULL)
        reply_header(&reply, MHD_HTTP_HEADER_CONTENT_TYPE, content_type);
    /* An answer about a token is about this moment. */
    reply_header(&reply, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    return reply;
}

struct reply reply_empty(unsigned status)
{
    return reply_new(status, NULL, "", 0);
}

struct reply reply_text(unsigned status, const char *text)
{
    return reply_new(status, "text/plain; charset=utf-8", text, strlen(text));
}

struct reply reply_json(unsigned status, json_t *body)
{
    char *text = body != NULL ? json_dumps(body, JSON_COMPACT) : NULL;
    json_decref(body);
    if (text == NULL)
        return (struct reply){status, NULL, true};
    struct reply reply = reply_new(status, "application/json", text, strlen(text));
    free(text);
    return reply;
}

void reply_header(struct reply *reply, const char *name, const char *value)
{
    if (reply->failed || MHD_add_response_header(reply->response, name, value) != MHD_YES)
        reply->failed = true;
}

void reply_header_text(struct reply *reply, const char *name, jtg_text value)
{
    char *copy = strndup(value.data, value.data_len);
    if (copy == NULL || strlen(copy) != value.data_len)
        reply->failed = true;
    else
        reply_header(reply, name, copy);
    free(copy);
}

struct reply reply_wrong_method(const char *allowed)
{
    struct reply reply = reply_empty(405);
    reply_header(&reply, MHD_HTTP_HEADER_ALLOW, allowed);
    return reply;
}

void reply_drop(struct reply *reply)
{
    if (reply->response != NULL)
        MHD_destroy_response(reply->response);
    reply->response = NULL;
}

bool reply_send(struct reply *reply, struct request *request)
{
    if (atomic_load(request->ending))
        reply_header(reply, MHD_HTTP_HEADER_CONNECTION, "close");
    bool sent = !reply->failed &&
                MHD_queue_response(request->mhd, reply->status, reply->response) == MHD_YES;
    if (sent)
        request->status = reply->status;
    reply_drop(reply);
    return sent;
}
