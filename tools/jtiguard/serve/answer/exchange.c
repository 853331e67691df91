/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/answer/exchange.h"

#include "monotonic.h"

#include <stdlib.h>

/* Whoever waits behind workers that are busy waits before our own clocks start. */
static void count_wait(struct metrics *metrics, const struct request *request)
{
    if (request->role != HTTP_ADMIN && request->lay_ms >= 0)
        latency_add(&metrics->wait, request->lay_ms * 1000000);
}

struct request *exchange_open(void *responder, const struct request *begun)
{
    struct exchange *exchange = calloc(1, sizeof *exchange);
    if (exchange == NULL)
        return NULL;
    exchange->responder = responder;
    count_wait(&exchange->responder->metrics, begun);
    exchange->policy = policy_hold(&exchange->responder->policy);
    exchange->waiter = (struct verify_waiter){
        .pause = request_pause, .wake = request_resume, .context = begun->mhd};
    exchange->endpoint = METRICS_OTHER;
    exchange->request = *begun;
    exchange->request.max_body_bytes = policy_settings(exchange->policy)->max_body_bytes;
    exchange->request.ending = &exchange->responder->draining;
    return &exchange->request;
}

struct exchange *exchange_of(struct request *request)
{
    return (struct exchange *)(void *)request;
}

void exchange_close(struct request *request, bool complete)
{
    struct exchange *exchange = exchange_of(request);
    struct metrics *metrics = &exchange->responder->metrics;
    if (request->status != 0)
        metrics_answered(metrics, exchange->endpoint, request->status);
    if (!complete)
        metrics_add(&metrics->unfinished);
    policy_release(exchange->policy);
    request_clear(request);
    free(exchange);
}

bool exchange_await(struct exchange *exchange, struct verified *verified)
{
    struct request *request = &exchange->request;
    if (request->waited && !exchange->waiter.moved)
        return false;
    bool waits = verified_await(verified, &exchange->waiter);
    request->waited = request->waited || waits;
    return waits;
}

void exchange_renew_policy(struct exchange *exchange)
{
    policy_release(exchange->policy);
    exchange->policy = policy_hold(&exchange->responder->policy);
}

bool exchange_has_time(const struct exchange *exchange, uint64_t wanted_ms)
{
    const struct service_settings *settings = policy_settings(exchange->policy);
    int64_t end_ns = exchange->request.began_ns + (int64_t)settings->request_timeout_s * 1000000000;
    int64_t cut_ns = atomic_load(&exchange->responder->cut_ns);
    if (cut_ns != 0 && cut_ns < end_ns)
        end_ns = cut_ns;
    return monotonic_ns() + (int64_t)wanted_ms * 1000000 < end_ns;
}
