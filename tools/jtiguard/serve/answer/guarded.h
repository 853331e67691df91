/* SPDX-License-Identifier: Apache-2.0 */
/* The guard, as the endpoints ask it: measured, and never believed beyond its word. */
#ifndef SERVE_GUARDED_H
#define SERVE_GUARDED_H

#include "serve/answer/exchange.h"

/* JTG_REASON_ADMITTED if and only if the guard said true. */
int guarded_admit(struct responder *responder, const jtg_claims *claims, jtg_decision *decision);

/* One line about what was decided: who asked, where, why. Never what was shown. */
void guarded_log(const struct exchange *exchange, const struct peer *client, int outcome);

#endif
