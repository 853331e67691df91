/* SPDX-License-Identifier: Apache-2.0 */
/* How long a token is accepted, and how long it is remembered: one computation for both, so
 * that no option can make the second shorter than the first. */
#ifndef JTGI_GUARD_RETENTION_H
#define JTGI_GUARD_RETENTION_H

#include "core/wall_clock.h"
#include "guard/claims.h"

struct jtgi_limits {
    int64_t leeway_ms;
    int64_t future_leeway_ms;
    int64_t margin_ms;
    int64_t max_lifetime_ms;
    int64_t proof_max_age_ms;
};

/* A token's times on the wall clock. Both ends are the first moment at which it is no more. */
struct jtgi_life {
    struct jtgi_span span; /* by this instance's clock */
    int64_t kept_since_ms; /* by no instance's clock can it have been used before this */
    uint64_t ttl_ms;       /* from now on: at least to the span's kept_until_ms, and so more than
                              the margin */
};

void jtgi_limits_read(struct jtgi_limits *limits, const jtg_guard_options *options);

/* Are the token's times acceptable now? If so JTG_REASON_ADMITTED and its life. */
jtg_reason jtgi_retention_judge(const struct jtgi_limits *limits, const struct jtgi_kind_rule *rule,
                                const jtg_claims *claims, int64_t now_ms, struct jtgi_life *life);

/* The life of a token that is issued now, as long as can be; its ttl is not set. */
void jtgi_retention_newest(const struct jtgi_limits *limits, int64_t now_ms,
                           struct jtgi_life *life);

#endif
