/* SPDX-License-Identifier: Apache-2.0 */
/* What all of /v1/ begin and end with. */
#ifndef SERVE_API_H
#define SERVE_API_H

#include "serve/answer/exchange.h"
#include "serve/http/reply.h"

/* Whether the request can be looked at: its caller may ask, and it is JSON of a bounded size; else
 * *reply says why not. */
bool api_open_request(const struct exchange *exchange, struct reply *reply);

/* more_ms: what is to be left of the request's time when the store has answered. */
bool api_may_ask(const struct exchange *exchange, uint32_t more_ms);

/* body is taken. 503 says when to come again. */
struct reply api_answer(unsigned status, json_t *body);

#endif
