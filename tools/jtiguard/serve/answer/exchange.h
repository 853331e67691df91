/* SPDX-License-Identifier: Apache-2.0 */
/* One request on its way to its answer: by which settings, and for which endpoint. */
#ifndef SERVE_EXCHANGE_H
#define SERVE_EXCHANGE_H

#include "serve/answer/responder.h"
#include "serve/http/request.h"

struct exchange {
    struct request request; /* first: the server knows this alone */
    struct responder *responder;
    struct policy *policy; /* held until the answer has left */
    struct verify_waiter waiter;
    enum metrics_endpoint endpoint;
};

/* As http_answerer wants them. */
struct request *exchange_open(void *responder, const struct request *begun);
void exchange_close(struct request *request, bool complete);
struct exchange *exchange_of(struct request *request);

/* Have the request answered later, once more from the beginning: when keys have come that may
 * change the refusal, or time is up. It waits once only, but for a reload meanwhile. false: answer
 * now. */
bool exchange_await(struct exchange *exchange, struct verified *verified);

/* Go on with the settings of now. What was read by the ones before is to be read anew. */
void exchange_renew_policy(struct exchange *exchange);

/* Whether so many milliseconds pass before the connection ends, by request_timeout or by the
 * service's own end. A token that would be used up later than that has nobody who learns of it. */
bool exchange_has_time(const struct exchange *exchange, uint64_t wanted_ms);

#endif
