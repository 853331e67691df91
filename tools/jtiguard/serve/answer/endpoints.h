/* SPDX-License-Identifier: Apache-2.0 */
/* What is done for each path. false: the connection is to break. */
#ifndef SERVE_ENDPOINTS_H
#define SERVE_ENDPOINTS_H

#include "serve/answer/exchange.h"

bool endpoint_check(struct exchange *exchange);
bool endpoint_reserve(struct exchange *exchange);
bool endpoint_batch(struct exchange *exchange);
bool endpoint_release(struct exchange *exchange);
bool endpoint_challenge(struct exchange *exchange);
bool endpoint_consume(struct exchange *exchange);
bool endpoint_livez(struct exchange *exchange);
bool endpoint_readyz(struct exchange *exchange);
bool endpoint_metrics(struct exchange *exchange);
bool endpoint_openapi(struct exchange *exchange);

/* Below /check, Envoy puts the path of the request that it asks about. */
#define CHECK_PATH "/check"

#endif
