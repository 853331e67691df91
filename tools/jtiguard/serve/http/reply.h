/* SPDX-License-Identifier: Apache-2.0 */
/* Answers. */
#ifndef SERVE_REPLY_H
#define SERVE_REPLY_H

#include "serve/http/request.h"

#include <jansson.h>

struct MHD_Response;

/* An answer in the making. The first thing that fails shows when it is sent: then nothing of it
 * is, and the connection ends, which admits nobody. */
struct reply {
    unsigned status;
    struct MHD_Response *response;
    bool failed;
};

/* body is copied. content_type NULL: no body. */
struct reply reply_new(unsigned status, const char *content_type, const void *body,
                       size_t body_len);
struct reply reply_empty(unsigned status);
struct reply reply_text(unsigned status, const char *text);
/* body is taken. */
struct reply reply_json(unsigned status, json_t *body);

void reply_header(struct reply *reply, const char *name, const char *value);
void reply_header_text(struct reply *reply, const char *name, jtg_text value);

/* 405, with the methods that are allowed. */
struct reply reply_wrong_method(const char *allowed);

/* An answer that is not sent after all. */
void reply_drop(struct reply *reply);

/* false: its connection is to break. */
bool reply_send(struct reply *reply, struct request *request);

#endif
