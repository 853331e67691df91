/* SPDX-License-Identifier: Apache-2.0 */
#include "guarded.h"

int guarded_admit(struct service *service, const jtg_claims *claims, jtg_decision *decision,
                  jtg_error *detail)
{
    int64_t began_ns = latency_now_ns();
    bool admitted = jtg_guard_admit(service->guard, claims, decision, detail);
    latency_add(&service->metrics.guard, latency_now_ns() - began_ns);
    if (admitted)
        return JTG_REASON_ADMITTED;
    return decision->reason != JTG_REASON_ADMITTED ? (int)decision->reason : JTG_REASON_INTERNAL;
}

void guarded_log(const struct exchange *exchange, const struct peer *client, int outcome)
{
    char text[PEER_TEXT_BYTES];
    struct service_log *log = exchange->service->log;
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
