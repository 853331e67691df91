/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/answer/guarded.h"

#include "monotonic.h"

enum { LOSS_TOLD_S = 60 };

/* The first refusal of a loss tells the operator what to do, and not each of the others. */
static void tell_loss(struct responder *responder, int64_t now_ns, const jtg_error *detail)
{
    int_fast64_t next_ns = atomic_load(&responder->loss_told_again_ns);
    if (now_ns >= next_ns &&
        atomic_compare_exchange_strong(&responder->loss_told_again_ns, &next_ns,
                                       now_ns + LOSS_TOLD_S * INT64_C(1000000000)))
        service_log_text(responder->log, JTG_LOG_ERROR, "continuity_lost", detail->text);
}

static enum outcome outcome_of(bool admitted, const jtg_decision *decision)
{
    if (admitted)
        return OUTCOME_ADMITTED;
    return decision->reason != JTG_REASON_ADMITTED ? (enum outcome)decision->reason
                                                   : OUTCOME_INTERNAL;
}

enum outcome guarded_admit(struct responder *responder, const jtg_claims *claims,
                           jtg_decision *decision)
{
    jtg_error detail = JTG_ERROR_INIT;
    int64_t began_ns = monotonic_ns();
    bool admitted = jtg_guard_admit(responder->guard, claims, decision, &detail);
    int64_t ended_ns = monotonic_ns();
    latency_add(&responder->metrics.guard, ended_ns - began_ns);
    if (!admitted && decision->reason == JTG_REASON_CONTINUITY_LOST)
        tell_loss(responder, ended_ns, &detail);
    return outcome_of(admitted, decision);
}

enum outcome guarded_outcome(const jtg_admit_call *call)
{
    return outcome_of(call->admitted, call->decision);
}

/* Measured as one: it is one wait. */
void guarded_admit_many(struct responder *responder, jtg_admit_call *calls, size_t count)
{
    int64_t began_ns = monotonic_ns();
    jtg_guard_admit_many(responder->guard, calls, count);
    int64_t ended_ns = monotonic_ns();
    latency_add(&responder->metrics.guard, ended_ns - began_ns);
    for (size_t i = 0; i < count; i++)
        if (guarded_outcome(&calls[i]) == (enum outcome)JTG_REASON_CONTINUITY_LOST)
            tell_loss(responder, ended_ns, calls[i].err);
}

void guarded_log(const struct exchange *exchange, const struct peer *client, enum outcome outcome)
{
    char text[PEER_TEXT_BYTES];
    struct service_log *log = exchange->responder->log;
    bool admitted = outcome_verdict(outcome) == JTG_VERDICT_ADMITTED;
    if (admitted && policy_settings(exchange->policy)->log_level < JTG_LOG_DEBUG)
        return;
    peer_write(client, text);
    const struct log_field fields[] = {{"endpoint", metrics_endpoint_name(exchange->endpoint)},
                                       {"reason", outcome_name(outcome)},
                                       {"client", text},
                                       {NULL, NULL}};
    const char *event = jtg_verdict_name(outcome_verdict(outcome));
    if (admitted)
        service_log_event(log, JTG_LOG_DEBUG, event, fields);
    else
        service_log_refusal(log, event, fields);
}
