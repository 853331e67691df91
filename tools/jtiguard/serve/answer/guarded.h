/* SPDX-License-Identifier: Apache-2.0 */
/* The guard, as the endpoints ask it: measured, and never believed beyond its word. */
#ifndef SERVE_GUARDED_H
#define SERVE_GUARDED_H

#include "serve/answer/exchange.h"

/* OUTCOME_ADMITTED if and only if the guard said true. */
enum outcome guarded_admit(struct responder *responder, const jtg_claims *claims,
                           jtg_decision *decision);

/* The same of many at once. */
void guarded_admit_many(struct responder *responder, jtg_admit_call *calls, size_t count);
enum outcome guarded_outcome(const jtg_admit_call *call);

/* One line about what was decided: who asked, where, why. Never what was shown. */
void guarded_log(const struct exchange *exchange, const struct peer *client, enum outcome outcome);

#endif
